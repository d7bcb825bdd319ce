"""The loop through the real store: equal twice, equal after any interruption, equal in any batch size."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from engine import protocol
from engine.commands import Stop
from engine.config import MiningConfig, score_config
from engine.config_sources import load_config
from engine.errors import InputError, MachineError
from engine.models.protocols import TextEmbeddings
from store import StoreError, open_reader
from tests.engine.fakes import FakeModels, FakePen, FakeStudio
from tests.engine.sessions import SMALL, Mine, config, mined


async def run(
    store: Path,
    given: MiningConfig,
    models: FakeModels | None = None,
    hear: Callable[[protocol.Event], None] | None = None,
) -> list[protocol.Event]:
    """Mine a new session to its end."""
    mine = await Mine.new(store, given)
    assert await mine.run(models, hear) == "finished"
    return mine.events


async def test_a_session_breeds_as_configured_and_every_candidate_is_scored(tmp_path: Path) -> None:
    events = await run(tmp_path, config())
    with open_reader(tmp_path) as reader:
        (session,) = reader.sessions()
        assert session.state == "finished"
        populations = [reader.candidates(session.id, generation) for generation in (1, 2, 3)]
        stored = reader.events(session.id)
    assert [len(population) for population in populations] == [5, 5, 5]
    assert {candidate.origin for candidate in populations[0]} == {"initial"}
    for before, after in pairwise(populations):
        best = sorted(before, key=lambda one: (one.score, one.id))[:2]
        mutants = [one for one in after if one.origin == "mutation"]
        assert [one.parent_id for one in mutants] == [one.id for one in best]
        assert [one.origin for one in after].count("random") == 3
    prompts = [one.prompt for population in populations for one in population]
    assert len(set(prompts)) == 15
    scored = [event for event in events if isinstance(event, protocol.CandidateScored)]
    assert len(scored) == 15
    finished = [event for event in events if isinstance(event, protocol.GenerationFinished)]
    assert [set(event.archived) for event in finished[:2]] == [
        {one.id for one in sorted(population, key=lambda one: (one.score, one.id))[:2]}
        for population in populations[:2]
    ]
    assert isinstance(events[-1], protocol.Finished)
    numbers = [event.seq for event in events if event.seq]
    assert numbers == [event.seq for event in stored]
    assert {event.kind for event in stored} >= {"session_opened", "generation_started", "candidate_scored"}


async def test_a_session_says_once_that_images_have_nothing_to_do_with_their_prompts(tmp_path: Path) -> None:
    """The fakes' images lean towards nothing that the fake writer writes: a broken instrument."""
    events = await run(tmp_path, config(population=12, generations=2))
    said = [event.message for event in events if isinstance(event, protocol.Notice)]
    assert sum("does not heed its prompts" in message for message in said) == 1


async def test_the_first_candidate_is_scored_before_the_generation_is_drawn(tmp_path: Path) -> None:
    models = FakeModels()
    units_at_first_score: list[int] = []

    def hear(event: protocol.Event) -> None:
        if isinstance(event, protocol.CandidateScored) and not units_at_first_score:
            units_at_first_score.append(len(models.studio.units))

    await run(tmp_path, config(population=20, generations=1), models=models, hear=hear)
    assert units_at_first_score[0] < len(models.studio.units) / 2


class BusyStudio(FakeStudio):
    """Embeds nothing before all variations are written: a painter in the middle of a long batch."""

    def __init__(self, pen: FakePen, candidates: int) -> None:
        super().__init__()
        self.pen, self.candidates = pen, candidates

    async def embed_texts(self, texts: Sequence[str]) -> TextEmbeddings:
        while sum(task.kind == "variations" for task in self.pen.tasks) < self.candidates:
            await asyncio.sleep(0)
        return await super().embed_texts(texts)


async def test_the_writer_never_waits_for_a_busy_painter(tmp_path: Path) -> None:
    pen = FakePen()
    await run(tmp_path, config(generations=1), models=FakeModels(BusyStudio(pen, 5), pen))


async def test_the_same_session_twice_is_equal_to_the_last_bit(tmp_path: Path) -> None:
    await run(tmp_path / "a", config())
    await run(tmp_path / "b", config())
    assert mined(tmp_path / "a") == mined(tmp_path / "b")


async def test_another_seed_is_another_session(tmp_path: Path) -> None:
    await run(tmp_path / "a", config())
    await run(tmp_path / "b", load_config(None, SMALL | {"session": {"seed": 8}}))
    assert mined(tmp_path / "a") != mined(tmp_path / "b")


async def test_batch_size_changes_neither_images_nor_scores(tmp_path: Path) -> None:
    for size in (3, 16):
        given = load_config(None, SMALL | {"painter": {"batch_size": size}})
        await run(tmp_path / str(size), given)
    assert mined(tmp_path / "3") == mined(tmp_path / "16")


async def test_units_are_full_and_filled_across_candidates(tmp_path: Path) -> None:
    models = FakeModels()
    await run(tmp_path, config(generations=1), models=models)
    assert [len(unit) for unit in models.studio.units] == [5, 5, 5, 5]
    assert len({job.prompt for job in models.studio.units[0]}) == 2


class TrippedError(MachineError):
    """What a trip raises."""


class Wire:
    """Raises at the n-th step over the studio, the pen and the store together."""

    def __init__(self, at: int) -> None:
        self.left = at

    def __call__(self, step: str) -> None:
        self.left -= 1
        if self.left == 0:
            raise TrippedError(f"tripped at {step}")


async def test_an_interruption_at_any_step_of_the_models_changes_nothing(tmp_path: Path) -> None:
    given = config(population=3, survivors=1, generations=2)
    wire = Wire(0)
    await run(tmp_path / "whole", given, models=FakeModels(FakeStudio(wire), FakePen(wire)))
    whole = mined(tmp_path / "whole")
    steps = -wire.left
    assert steps == 2 * (3 + 3 + 3) + 3  # variations, embeddings, units; two random tasks and one mutation
    for at in range(1, steps + 1):
        mine = await Mine.new(tmp_path / f"cut {at}", given)
        wire = Wire(at)
        models = FakeModels(FakeStudio(wire), FakePen(wire))
        assert await mine.run(models, mine.stops) == "interrupted"
        assert any(isinstance(e, protocol.StateChanged) and "tripped" in e.reason for e in mine.events)
        assert await mine.run() == "finished"
        assert mine.mined() == whole, f"cut at step {at}"


async def test_a_session_cut_again_and_again_still_ends_equal(tmp_path: Path) -> None:
    await run(tmp_path / "whole", config())
    mine = await Mine.new(tmp_path / "cut", config())
    for attempt in range(60):
        # what other chains had under way is lost with each cut, so leave room to advance
        wire = Wire(3 + attempt)
        models = FakeModels(FakeStudio(wire), FakePen(wire))
        if await mine.run(models, mine.stops) == "finished":
            break
    assert mine.mined() == mined(tmp_path / "whole")


async def test_a_stop_keeps_the_unit_in_flight_and_resumes_equal(tmp_path: Path) -> None:
    await run(tmp_path / "whole", config())
    models = FakeModels()
    mine = await Mine.new(tmp_path / "stopped", config())

    def hear(event: protocol.Event) -> None:
        if isinstance(event, protocol.CandidateScored):
            mine.soon(Stop)

    assert await mine.run(models, hear) == "interrupted"
    last = mine.events[-1]
    assert isinstance(last, protocol.Finished)
    assert last.state == "interrupted"
    assert models.closed
    states = [event.state for event in mine.events if isinstance(event, protocol.StateChanged)]
    assert states == ["mining", "stopping", "interrupted"]
    with sqlite3.connect(mine.store / "minegap.db") as database:
        (images,) = database.execute("SELECT count(*) FROM images").fetchone()
    assert 0 < images == sum(len(unit) for unit in models.studio.units) < 3 * 5 * 4
    again = FakeModels()
    await mine.run(again)
    assert mine.mined() == mined(tmp_path / "whole")
    assert sum(map(len, again.studio.units)) + images == 3 * 5 * 4


async def test_resuming_a_finished_session_does_nothing(tmp_path: Path) -> None:
    mine = await Mine.new(tmp_path, config())
    await mine.run()
    before = mine.mined()
    models = FakeModels()
    assert await mine.run(models) == "finished"
    assert models.studio.units == []
    assert models.pen.tasks == []
    assert mined(tmp_path) == before


async def test_resuming_with_other_models_is_refused(tmp_path: Path) -> None:
    mine = await Mine.new(tmp_path, config())
    await mine.run()
    assert await mine.run(FakeModels(FakeStudio(painter="another"))) == "failed"
    assert isinstance(mine.session.failure if mine.session else None, InputError)
    (failed,) = [event for event in mine.events if isinstance(event, protocol.Failed)]
    assert failed.exit_code == 2
    assert "painter" in failed.sentence
    with open_reader(tmp_path) as reader:
        assert reader.session(mine.id).state == "failed"


async def test_too_few_variations_fail_the_candidate_alone(tmp_path: Path) -> None:
    given = config(prompts=["a lonely word", "a cat"], generations=2)
    models = FakeModels(pen=FakePen(scarce=frozenset({"a lonely word"})))
    events = await run(tmp_path, given, models=models)
    (failed,) = [event for event in events if isinstance(event, protocol.CandidateFailed)]
    assert failed.prompt == "a lonely word"
    assert "1 of 3 variations" in failed.reason
    assert isinstance(events[-1], protocol.Finished)
    assert events[-1].state == "finished"


async def test_blank_images_are_reported_and_mostly_blank_candidates_fail(tmp_path: Path) -> None:
    given = config(prompts=["a forbidden thing"], generations=1)
    models = FakeModels(FakeStudio(blank_prompts=frozenset({"a forbidden thing"})))
    events = await run(tmp_path, given, models=models)
    (failed,) = [event for event in events if isinstance(event, protocol.CandidateFailed)]
    assert "4 of 4 images are blank" in failed.reason
    assert any(isinstance(event, protocol.Notice) and "blank" in event.message for event in events)


async def test_prompts_are_scored_without_breeding(tmp_path: Path) -> None:
    models = FakeModels()
    await run(tmp_path, score_config(config(), ("a cat", "a dog")), models=models)
    assert {task.kind for task in models.pen.tasks} == {"variations"}
    with open_reader(tmp_path) as reader:
        (session,) = reader.sessions()
        population = reader.candidates(session.id, 1)
    assert [(one.prompt, one.origin, one.state) for one in population] == [
        ("a cat", "human", "scored"),
        ("a dog", "human", "scored"),
    ]


async def test_elites_are_measured_again_on_new_seeds(tmp_path: Path) -> None:
    await run(tmp_path, config(elitist=True, population=6))
    with open_reader(tmp_path) as reader:
        (session,) = reader.sessions()
        elites = [one for one in reader.candidates(session.id, 2) if one.origin == "elite"]
        assert len(elites) == 2
        for elite in elites:
            now = reader.candidate(elite.id).evaluation
            before = reader.candidate(elite.parent_id or 0).evaluation
            assert now is not None
            assert before is not None
            assert not {image.seed for image in now.images} & {image.seed for image in before.images}


@pytest.mark.parametrize(("colour", "channel"), [("red", 0), ("green", 1), ("blue", 2)])
async def test_a_colour_is_mined_without_variations(tmp_path: Path, colour: str, channel: int) -> None:
    models = FakeModels()
    await run(tmp_path, config(objective=colour, generations=4), models=models)
    assert "variations" not in {task.kind for task in models.pen.tasks}
    with open_reader(tmp_path) as reader:
        (session,) = reader.sessions()
        board = reader.leaderboard(session.id, 100)
        means = [
            np.mean([image.mean_rgb[channel] for image in reader.candidate(one.id).evaluation.images])  # type: ignore[union-attr]
            for one in board
        ]
    assert np.mean(means[:5]) > np.mean(means[-5:])


async def test_an_unknown_session_is_bad_input(tmp_path: Path) -> None:
    mine = await Mine.new(tmp_path, config())
    mine.id = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
    assert await mine.run() == "failed"
    failure = mine.session.failure if mine.session else None
    assert isinstance(failure, StoreError)
    assert failure.exit_code == 2
