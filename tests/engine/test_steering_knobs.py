"""Knobs and measurements made again: each counts from the generation it announces, and before it nothing changes."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from engine import protocol
from engine.commands import (
    Inject,
    Rescore,
    Resume,
    SetKnobs,
    Step,
    Stop,
    Undo,
)
from engine.config import MiningConfig
from engine.errors import MachineError
from store import open_reader
from store.records import Candidate
from tests.engine.fakes import FakeModels, FakePen, FakeStudio
from tests.engine.sessions import Mine, config
from tests.engine.steered import best, paused_after, steered

# ---------------------------------------------------------------- knobs


async def test_knobs_count_from_the_generation_announced_and_before_it_nothing_changes(
    tmp_path: Path,
) -> None:
    models = FakeModels()

    async def hand(mine: Mine) -> None:
        knobs = {
            "population": 7,
            "survivors": 3,
            "mutations": 2,
            "images": 6,
            "variations": 4,
            "axis": "age",
            "theme": "the sea",
            "generations": 4,
        }
        answer = await mine.accepted(SetKnobs, knobs=knobs)
        assert answer.generation == 2
        assert "population = 7" in answer.sentence
        assert mine.session is not None
        snapshot = mine.session.snapshot()
        assert snapshot.knobs["images"] == 6
        assert (snapshot.generations, snapshot.population) == (4, 7)

    mine = await steered(tmp_path / "steered", config(), 1, hand, models)
    plain = await Mine.new(tmp_path / "plain", config())
    await plain.run()
    assert [one.prompt for one in mine.population(1)] == [one.prompt for one in plain.population(1)]
    assert [one.score for one in mine.population(1)] == [one.score for one in plain.population(1)]
    for generation in (2, 3, 4):
        population = mine.population(generation)
        assert len(population) == 7
        assert [one.origin for one in population].count("mutation") == 6
        with open_reader(mine.store) as reader:
            for one in population:
                evaluation = reader.candidate(one.id).evaluation
                assert evaluation is not None
                assert (len(evaluation.images), len(evaluation.variations)) == (6, 4)
    assert mine.population(5) == ()
    later = [task for task in models.pen.tasks if task.axis == "age"]
    assert {task.theme for task in later} == {"the sea"}
    assert {task.kind for task in later} == {"mutations", "random", "variations"}


@pytest.mark.parametrize(
    ("knobs", "why"),
    [
        ({"colour": 1}, "no knob 'colour'"),
        ({"images": 1}, "knob images = 1"),
        ({"images": "many"}, "knob images = 'many'"),
        ({"survivors": 9}, "survivors = 9 of population = 5"),
        ({"mutations": 3}, "exceeds population = 5"),
        ({"generations": 1}, "knob generations = 1: generation 2 is under way"),
        ({"axis": "a\x07b"}, "knob axis"),
        ({"prompts": "here"}, "absolute path"),
        ({"prompts": "/nowhere/at/all"}, "no directory of meta-prompts"),
        ({"alpha": float("inf")}, "knob alpha"),
    ],
)
async def test_knobs_that_do_not_fit_are_refused_by_name(
    tmp_path: Path, knobs: dict[str, Any], why: str
) -> None:
    async def hand(mine: Mine) -> None:
        assert why in await mine.refused(SetKnobs, knobs=knobs)

    mine = await steered(tmp_path, config(), 2, hand)
    assert len(mine.population(3)) == 5


async def test_a_session_can_be_made_shorter(tmp_path: Path) -> None:
    async def hand(mine: Mine) -> None:
        await mine.accepted(SetKnobs, knobs={"generations": 2})
        assert "generations" in await mine.refused(Inject, prompts=tuple(f"thought {n}" for n in range(9)))

    mine = await steered(tmp_path, config(generations=9), 1, hand)
    assert len(mine.population(2)) == 5
    assert mine.population(3) == ()


async def test_other_meta_prompts_reopen_the_writer_also_after_a_restart(tmp_path: Path) -> None:
    folder = tmp_path / "prompts"
    folder.mkdir()
    first, second = FakeModels(), FakeModels()

    async def hand(mine: Mine) -> None:
        await mine.accepted(SetKnobs, knobs={"prompts": str(folder)})

    mine = await steered(tmp_path / "whole", config(), 1, hand, first)
    (pen,) = first.pens
    assert {task.kind for task in pen.tasks} == {"mutations", "random", "variations"}
    again = await Mine.new(tmp_path / "cut", config())

    async def during() -> None:
        await paused_after(again, 1)
        await hand(again)
        await again.accepted(Stop)

    assert await again.run(during=during) == "interrupted"
    assert await again.run(second) == "finished"
    assert len(second.pens) == 1
    assert again.mined() == mine.mined()


@pytest.mark.parametrize("changed", ["the others", "the first ones"])
async def test_meta_prompts_that_are_not_what_they_were_are_refused_after_a_restart(
    tmp_path: Path, changed: str
) -> None:
    folder = tmp_path / "prompts"
    folder.mkdir()

    class Changed(FakeModels):
        async def reopen_pen(self, config: MiningConfig, notify: Any) -> Any:
            pen = await super().reopen_pen(config, notify)
            if bool(config.writer.prompts) == (changed == "the others"):
                pen.writer += ", changed"
            return pen

    mine = await Mine.new(tmp_path / "store", config(generations=4))

    async def during() -> None:
        await paused_after(mine, 1)
        await mine.accepted(SetKnobs, knobs={"prompts": str(folder)})
        await mine.accepted(Step)
        await mine.state("paused", 2)
        if changed == "the first ones":
            await mine.accepted(SetKnobs, knobs={"prompts": None})
            await mine.accepted(Resume)
        else:
            await mine.accepted(Stop)

    state = await mine.run(Changed() if changed == "the first ones" else FakeModels(), during=during)
    if changed == "the others":
        assert state == "interrupted"
        state = await mine.run(Changed())
    assert state == "failed"
    assert mine.session is not None
    assert "put the old ones back" in str(mine.session.failure)
    with open_reader(mine.store) as reader:
        (event,) = reader.events(mine.id, kind="writer_changed")
    assert event.payload == {"prompts": str(folder), "writer": f"fake writer with {folder}"}
    assert await mine.run() == "finished"


# ---------------------------------------------------------------- measured again


async def test_a_rescored_candidate_keeps_its_images_and_counts_only_later(tmp_path: Path) -> None:
    mine = await Mine.new(tmp_path, config(images=2, variations=4))
    first: list[Candidate] = []
    second: list[Candidate] = []

    async def during() -> None:
        await paused_after(mine, 2)
        first.extend(best(mine.population(1)))
        second.extend(best(mine.population(2)))
        for candidate in (*second, *first):
            answer = await mine.accepted(Rescore, candidate_id=candidate.id, images=30)
            assert answer.generation == 3
        await mine.accepted(Resume)

    assert await mine.run(during=during) == "finished"
    for candidate in (*first, *second):
        with open_reader(tmp_path) as reader:
            evaluations = reader.candidate(candidate.id).evaluations
        assert [len(one.images) for one in evaluations] == [2, 32]
        seeds = [[image.seed for image in one.images] for one in evaluations]
        assert seeds[1][:2] == seeds[0]
        assert len(set(seeds[1])) == 32
        assert [v.text for v in evaluations[0].variations] == [v.text for v in evaluations[1].variations]
    told = [event for event in mine.events if isinstance(event, protocol.CandidateRescored)]
    assert [(event.candidate_id, event.images, event.counts_from) for event in told] == [
        (one.id, 32, 3) for one in (*second, *first)
    ]
    again = [one.id for one in best(mine.population(2))[:2]]
    assert again != [one.id for one in second[:2]], "this test shows nothing: choose another seed"
    assert [one.parent_id for one in mine.population(3) if one.origin == "mutation"] == again
    # generation 2 was bred before: what the first generation scored then counted for it
    parents = [one.parent_id for one in mine.population(2) if one.origin == "mutation"]
    assert parents == [one.id for one in first[:2]]
    assert parents != [one.id for one in best(mine.population(1))[:2]]
    units = [event for event in mine.events if isinstance(event, protocol.Progress)]
    assert {event.total for event in units if event.stage == "rescoring"} == {30}


async def test_a_measurement_does_not_count_for_a_generation_that_was_being_bred(tmp_path: Path) -> None:
    """Not even where the breeding failed and is done again when the measurement is there."""
    begun, end = asyncio.Event(), asyncio.Event()

    class FailingPen(FakePen):
        async def write(self, task: Any) -> Any:
            if task.kind == "mutations" and not end.is_set():
                begun.set()
                await end.wait()
                raise MachineError("The writer died: look into its log.")
            return await super().write(task)

    mine = await Mine.new(tmp_path, config(images=2, generations=2))
    first: list[Candidate] = []

    async def during() -> None:
        await begun.wait()
        first.extend(best(mine.population(1)))
        for candidate in first:
            assert (await mine.accepted(Rescore, candidate_id=candidate.id, images=30)).generation == 3
        last = first[-1].id
        await mine.until(lambda e: isinstance(e, protocol.CandidateRescored) and e.candidate_id == last)
        end.set()
        await mine.state("paused")
        await mine.accepted(Resume)

    assert await mine.run(FakeModels(pen=FailingPen()), during=during) == "finished"
    parents = [one.parent_id for one in mine.population(2) if one.origin == "mutation"]
    assert parents == [one.id for one in first[:2]]
    assert parents != [one.id for one in best(mine.population(1))[:2]]


async def test_a_measurement_that_may_be_stored_is_not_withdrawn_after_a_crash(tmp_path: Path) -> None:
    mine = await Mine.new(tmp_path, config(generations=1))

    def dies(event: protocol.Event) -> bool:
        if isinstance(event, protocol.CandidateScored) and event.position == 0:
            mine.soon(Rescore, candidate_id=event.candidate_id, images=6, id="the-order")
        return isinstance(event, protocol.Progress) and event.stage == "rescoring" and event.done == 6

    await mine.cut(FakeModels(), dies)
    mine.tasks.clear()

    async def during() -> None:
        assert "has begun" in await mine.refused(Undo, command_id="the-order")

    assert await mine.run(during=during) == "finished"
    assert sum(isinstance(event, protocol.CandidateRescored) for event in mine.events) == 1


async def test_units_of_a_measurement_are_never_mixed_with_the_generations(tmp_path: Path) -> None:
    models = FakeModels()
    mine = await Mine.new(tmp_path, config(generations=1))

    def hear(event: protocol.Event) -> None:
        if isinstance(event, protocol.CandidateScored) and event.position in (0, 2):
            mine.soon(Rescore, candidate_id=event.candidate_id, images=7)

    assert await mine.run(models, hear) == "finished"
    own = [unit for unit in models.studio.units if len({job.prompt for job in unit}) == 1]
    plain = FakeModels()
    whole = await Mine.new(tmp_path / "plain", config(generations=1))
    await whole.run(plain)
    assert [unit for unit in models.studio.units if unit in plain.studio.units] == plain.studio.units
    assert sorted(len(unit) for unit in own if unit not in plain.studio.units) == [2, 2, 5, 5]


async def test_a_measurement_is_refused_without_a_score_and_cannot_be_withdrawn_once_begun(
    tmp_path: Path,
) -> None:
    begun, end = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        if models.studio.units[-1][0].seed not in first:
            begun.set()
            await end.wait()

    first: set[int] = set()
    models = FakeModels(FakeStudio())
    mine = await Mine.new(tmp_path, config(generations=2))

    async def during() -> None:
        await mine.until(lambda e: isinstance(e, protocol.GenerationStarted))
        waiting = mine.population(1)[4]
        assert "is being measured" in await mine.refused(Rescore, candidate_id=waiting.id, images=3)
        await mine.accepted(Step)
        await mine.state("paused")
        first.update(job.seed for unit in models.studio.units for job in unit)
        models.studio.work = work
        orders = [await mine.accepted(Rescore, candidate_id=waiting.id, images=3) for _ in range(2)]
        await mine.accepted(Undo, command_id=orders[1].id)
        await mine.accepted(Step)
        await begun.wait()
        assert "has begun" in await mine.refused(Undo, command_id=orders[0].id)
        end.set()
        await mine.state("paused", 2)
        await mine.accepted(Resume)

    assert await mine.run(models, during=during) == "finished"
    assert sum(isinstance(event, protocol.CandidateRescored) for event in mine.events) == 1
