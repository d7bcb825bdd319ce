"""Confirmation: fresh draws only, the same result however often it is cut off, and nothing mined by it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import confirmation, protocol
from engine.budget import Racing
from engine.commands import Confirm, Pause, Resume, Stop
from engine.config_sources import load_config
from engine.errors import MachineError
from engine.findings import conclude
from engine.score import spread_score
from store import open_reader, open_store
from store.records import Confirmation
from store.vocabulary import AUTOMATIC
from tests.engine.fakes import FakeModels, FakePen, FakeStudio
from tests.engine.sessions import SMALL, Mine, config, confirming


def confirmed(mine: Mine) -> Confirmation:
    with open_reader(mine.store) as reader:
        found = reader.confirmation(mine.id)
    assert found is not None
    return found


def outcome(mine: Mine) -> Confirmation:
    """A confirmation without what no two runs have in common."""
    found = confirmed(mine)
    return replace(found, session_id="", created_at="", finished_at="", **_without_paths(found))


def _without_paths(found: Confirmation) -> dict[str, Any]:
    def bare(members: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(
            replace(
                one,
                missed=tuple(
                    replace(
                        concept,
                        images=tuple(replace(image, path=Path(image.path.name)) for image in concept.images),
                    )
                    for concept in one.missed
                ),
            )
            for one in members
        )

    return {"findings": bare(found.findings), "randoms": bare(found.randoms)}


def order(mine: Mine, **fields: Any) -> None:
    """Record that a session is to be confirmed, as the service does."""
    with open_store(mine.store) as store:
        rest = fields.setdefault("rest", store.session(mine.id).state)
        payload = {"command_id": "c", "author": "ann", "top": None, "images": None, "rest": rest} | fields
        store.append_event(mine.id, "confirm_ordered", payload)


def seeds(mine: Mine) -> dict[str, set[int]]:
    """Seeds of the images behind every kind of measurement, and of the words behind all variations."""
    found: dict[str, set[int]] = {}
    with open_reader(mine.store) as reader:
        for summary in reader.generations(mine.id):
            for one in reader.candidates(mine.id, summary.generation):
                for evaluation in reader.candidate(one.id).evaluations:
                    drawn = found.setdefault(evaluation.purpose, set())
                    drawn |= {image.seed for image in evaluation.images}
    return found


async def test_a_finished_search_is_confirmed_by_draws_it_never_used(tmp_path: Path) -> None:
    mine, models = await Mine.new(tmp_path, confirming()), FakeModels()
    assert await mine.run(models) == "finished"
    found = confirmed(mine)
    assert found.command_id == AUTOMATIC
    assert [len(found.findings), len(found.randoms), found.images] == [2, 2, 8]
    for one in (*found.findings, *found.randoms):
        assert one.low < one.score < one.high
        assert one.images == 8
    assert all(one.p is not None and one.q is not None and one.p <= one.q for one in found.findings)
    by_purpose = seeds(mine)
    assert set(by_purpose) == {"search", "rank", "confirm", "ceiling"}
    every = [seed for drawn in by_purpose.values() for seed in drawn]
    assert len(every) == len(set(every))
    # by construction, not by luck: the last bits say which draw a seed belongs to
    kinds = {purpose: {seed & 0b111 for seed in drawn} for purpose, drawn in by_purpose.items()}
    assert kinds["search"] <= {0, 2, 4, 6}
    assert (kinds["rank"], kinds["confirm"], kinds["ceiling"]) == ({1}, {3}, {5})
    words = {task.seed & 0b111 for task in models.pen.tasks if task.kind == "variations"}
    assert words >= {1, 3}
    with open_reader(tmp_path) as reader:
        for one in found.findings:
            evidence = reader.candidate(one.candidate_id)
            assert evidence.finding == one
            assert evidence.candidate.score == one.search_score  # the search's leaderboard is as it was
            for concept in one.missed:
                assert len(concept.images) == 2
                assert concept.ceiling == pytest.approx(max(image.similarity for image in concept.images))


async def test_who_follows_is_told_how_far_it_is(tmp_path: Path) -> None:
    mine = await Mine.new(tmp_path, confirming())
    await mine.run()
    steps = [e for e in mine.events if isinstance(e, protocol.Progress) and e.stage == "confirming"]
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    assert steps[-1].done == steps[-1].total
    assert all(step.generation == 3 for step in steps)
    kinds = [type(event).__name__ for event in mine.events if event.seq]
    assert kinds[-4:] == ["ConfirmationStarted", "Confirmed", "StateChanged", "Finished"]
    (last,) = [event for event in mine.events if isinstance(event, protocol.Confirmed)]
    assert (last.command_id, last.confirmed) == (AUTOMATIC, 2)


@pytest.mark.parametrize("done", [0, 10, 44, 48])
async def test_cut_off_anywhere_it_ends_as_if_it_had_not_been(tmp_path: Path, done: int) -> None:
    whole, cut = await Mine.new(tmp_path / "a", confirming()), await Mine.new(tmp_path / "b", confirming())
    await whole.run()
    await cut.cut(
        FakeModels(),
        lambda e: isinstance(e, protocol.Progress) and e.stage == "confirming" and e.done >= done,
    )
    with open_reader(cut.store) as reader:
        assert reader.confirmation(cut.id) is None
    models = FakeModels()
    assert await cut.run(models) == "finished"
    assert outcome(cut) == outcome(whole)
    assert cut.mined() == whole.mined()
    drawn = [job for unit in models.studio.units for job in unit]
    assert len(drawn) <= 60 - done + 2 * 5  # what was stored is not drawn again


async def test_cut_off_before_its_last_word_it_says_it(tmp_path: Path) -> None:
    mine = await Mine.new(tmp_path, confirming())
    await mine.run()
    before = confirmed(mine)
    with open_store(tmp_path) as store:
        store.set_session_state(mine.id, "interrupted")
        (said,) = store.events(mine.id, 0, "confirmed")
        with store._transaction() as database:  # as if the engine had died right before it
            database.execute("DROP TRIGGER events_are_kept")
            database.execute("DELETE FROM events WHERE seq = ?", (said.seq,))
    models = FakeModels()
    await mine.run(models)
    assert not models.studio.units
    assert confirmed(mine) == before
    assert [event.command_id for event in mine.events if isinstance(event, protocol.Confirmed)] == [AUTOMATIC]


async def test_a_finished_session_is_confirmed_when_somebody_asks(tmp_path: Path) -> None:
    mine = await Mine.new(tmp_path, config())
    await mine.run()
    searched = mine.mined()
    order(mine, top=1, images=9)
    models = FakeModels()
    assert await mine.run(models) == "finished"
    found = confirmed(mine)
    assert (found.command_id, len(found.findings), found.images) == ("c", 1, 12)  # whole measurements of 4
    assert mine.mined() != searched  # the measurements are there
    with open_reader(tmp_path) as reader:
        assert reader.session(mine.id).generations == 3
    order(mine, command_id="again", top=1, images=9)
    models = FakeModels()
    await mine.run(models)
    assert not models.studio.units  # the same draws: asking again gives no other result
    assert _without_paths(confirmed(mine))["findings"][0].score == found.findings[0].score


async def test_a_stopped_session_rests_again_and_is_mined_on_when_resumed(tmp_path: Path) -> None:
    mine = await Mine.new(tmp_path, config())
    whole = await Mine.new(tmp_path / "whole", config())
    await whole.run()

    async def stop() -> None:
        await mine.until(lambda event: isinstance(event, protocol.GenerationFinished))
        await mine.accepted(Stop)

    assert await mine.run(during=stop) == "interrupted"
    order(mine)
    assert await mine.run() == "interrupted"
    assert confirmed(mine).command_id == "c"
    with open_reader(tmp_path) as reader:
        assert reader.session(mine.id).generations < 3
        assert "mined on" in reader.session(mine.id).reason
    assert await mine.run() == "finished"
    with open_reader(tmp_path) as reader, open_reader(whole.store) as other:
        ours, theirs = reader.leaderboard(mine.id, 99), other.leaderboard(whole.id, 99)
    assert [(one.prompt, one.score) for one in ours] == [(one.prompt, one.score) for one in theirs]


@pytest.mark.parametrize("paused", [False, True])
async def test_whoever_asks_while_it_is_mined_gets_it_at_the_end_in_his_way(
    tmp_path: Path, paused: bool
) -> None:
    mine = await Mine.new(tmp_path, confirming())

    async def ask() -> None:
        await mine.until(lambda event: isinstance(event, protocol.GenerationFinished))
        if paused:
            await mine.accepted(Pause)
            await mine.state("paused")
        answer = await mine.accepted(Confirm, id="c", top=1, images=9, at_end=True)
        assert "generation 3 is mined: its 1 most biased" in answer.sentence
        if paused:
            assert not [event for event in mine.events if isinstance(event, protocol.ConfirmationStarted)]
            await mine.accepted(Resume)
        await mine.until(lambda event: isinstance(event, protocol.ConfirmationStarted))
        assert "already" in await mine.refused(Confirm, at_end=True)

    assert await mine.run(during=ask) == "finished"
    said = [event for event in mine.events if isinstance(event, protocol.Confirmed)]
    assert [event.command_id for event in said] == ["c"], "and not in the configuration's way, too"
    found = confirmed(mine)
    assert (len(found.findings), found.images) == (1, 12)
    assert await mine.run() == "finished"
    assert not [event for event in mine.events if isinstance(event, protocol.Confirmed)]


async def test_what_was_asked_for_the_end_outlives_a_stop_and_does_not_come_before_it(tmp_path: Path) -> None:
    mine = await Mine.new(tmp_path, config())

    async def ask() -> None:
        await mine.until(lambda event: isinstance(event, protocol.GenerationFinished))
        await mine.accepted(Confirm, id="c", top=1, at_end=True)
        await mine.accepted(Stop)

    assert await mine.run(during=ask) == "interrupted"
    assert await mine.run() == "finished"
    kinds = [type(event).__name__ for event in mine.events]
    assert kinds.index("ConfirmationStarted") > max(
        place for place, kind in enumerate(kinds) if kind == "GenerationFinished"
    )
    assert confirmed(mine).command_id == "c"


async def test_it_pauses_and_stops_as_everything_else(tmp_path: Path) -> None:
    mine, models = await Mine.new(tmp_path, confirming()), FakeModels()

    async def pause() -> None:
        await mine.until(
            lambda e: isinstance(e, protocol.Progress) and e.stage == "confirming" and e.done > 5
        )
        await mine.accepted(Pause)
        await mine.state("paused")
        drawn = len(models.studio.units)
        await mine.a_while()
        assert len(models.studio.units) == drawn
        await mine.accepted(Resume)
        await mine.until(
            lambda e: isinstance(e, protocol.Progress) and e.stage == "confirming" and e.done > 15
        )
        await mine.accepted(Stop)

    assert await mine.run(models, during=pause) == "interrupted"
    assert await mine.run() == "finished"
    assert len(confirmed(mine).findings) == 2


async def test_a_prompt_that_cannot_be_measured_again_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    mine = await Mine.new(tmp_path, config())
    await mine.run()
    with open_reader(tmp_path) as reader:
        best = reader.leaderboard(mine.id, 1)[0]
    order(mine, top=2)
    await mine.run(FakeModels(pen=FakePen(scarce=frozenset({best.prompt}))))
    found = confirmed(mine)
    assert best.id in [number for number, _ in found.members]
    assert [one.candidate_id for one in found.findings] == [
        number for number, role in found.members if role == "mined" and number != best.id
    ]
    notices = [event.message for event in mine.events if isinstance(event, protocol.Notice)]
    assert [one for one in notices if f"Candidate {best.id} could not be confirmed" in one]


async def test_where_nothing_can_be_measured_again_that_is_said_and_the_session_ends(tmp_path: Path) -> None:
    mine = await Mine.new(tmp_path, config())
    await mine.run()
    order(mine, top=1)
    with open_reader(tmp_path) as reader:
        prompts = frozenset(one.prompt for one in reader.leaderboard(mine.id, 99))
    assert await mine.run(FakeModels(studio=FakeStudio(blank_prompts=prompts))) == "finished"
    (last,) = [event for event in mine.events if isinstance(event, protocol.Confirmed)]
    assert (last.confirmed, last.claimed, last.mined_p) == (0, 0, None)


async def test_a_search_for_a_colour_is_confirmed_without_variations(tmp_path: Path) -> None:
    given = {"search": SMALL["search"] | {"objective": "red"}, "confirm": {"top": 2}}
    mine, models = await Mine.new(tmp_path, load_config(None, SMALL | given)), FakeModels()
    assert await mine.run(models) == "finished"
    found = confirmed(mine)
    assert found.score_name == "red"
    assert all(one.low <= one.score <= one.high and not one.missed for one in found.findings)
    assert not [task for task in models.pen.tasks if task.kind == "variations"]


async def test_a_fault_pauses_it_and_it_goes_on(tmp_path: Path) -> None:
    mine, drawn = await Mine.new(tmp_path, confirming()), [0]

    def trip(step: str) -> None:
        drawn[0] += step == "paint"
        if step == "paint" and drawn[0] == 16:  # within the confirmation: 12 units are mined
            raise MachineError("The painter broke.")

    assert await mine.run(FakeModels(studio=FakeStudio(trip=trip)), hear=mine.resumes) == "finished"
    assert [e.reason for e in mine.events if isinstance(e, protocol.StateChanged) and e.state == "paused"]
    assert len(confirmed(mine).findings) == 2


async def test_after_a_race_findings_are_compared_with_first_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a race ends with is no sample: it drew on where the first images looked close to the cut."""
    given: list[dict[int, float]] = []

    def listened(name: str, measured: Any, reference: dict[int, float], seed: int) -> Any:
        given.append(reference)
        return conclude(name, measured, reference, seed)

    monkeypatch.setattr(confirmation, "conclude", listened)
    mine = await Mine.new(tmp_path, confirming(budget="racing", images=8, population=8))
    assert await mine.run() == "finished"
    (reference,) = given
    with open_reader(tmp_path) as reader:
        board = reader.leaderboard(mine.id, 1000)
        unselected = [one for one in board if one.origin in ("initial", "random")]
        assert set(reference) == {one.id for one in unselected}
        raced = 0
        for one in unselected:
            first = next(e for e in reader.candidate(one.id).evaluations if e.purpose == "search")
            looked = np.asarray(first.similarity, dtype=np.float64)[:, : Racing.of(8, 8).first]
            assert reference[one.id] == pytest.approx(spread_score(looked, 25, 1))
            raced += first.similarity.shape[1] > looked.shape[1]
        assert raced
