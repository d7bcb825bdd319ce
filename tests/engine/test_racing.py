"""A generation that races for its images, through the real store: fewer of them, and equal after any interruption."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine import protocol
from engine.budget import Racing, planned
from engine.config import MiningConfig
from engine.services import WritingTask, Written
from store import open_reader
from tests.engine.fakes import FakeModels, FakePen, FakeStudio
from tests.engine.sessions import Mine, config, mined
from tests.engine.test_mining import Wire, run

RULE = Racing.of(8, 8)


def raced(**search: Any) -> MiningConfig:
    return config(**({"budget": "racing", "population": 8, "survivors": 2, "images": 8} | search))


def images(store: Path) -> list[list[int]]:
    """How many images the candidates of each generation have."""
    with open_reader(store) as reader:
        (session,) = reader.sessions()
        return [
            [
                len(evaluation.images)
                for candidate in reader.candidates(session.id, generation.generation)
                for evaluation in reader.candidate(candidate.id).evaluations
            ]
            for generation in reader.generations(session.id)
        ]


async def test_images_go_where_they_tell_something_and_never_beyond_the_plan(tmp_path: Path) -> None:
    events = await run(tmp_path, raced())
    for counts in images(tmp_path):
        assert sum(counts) <= planned("racing", 8, 8)
        assert min(counts) < max(counts)
        assert min(counts) >= RULE.first
        assert max(counts) <= RULE.most
    painted = [e for e in events if isinstance(e, protocol.Progress) and e.stage == "painting"]
    assert all(event.done <= event.total for event in painted)
    assert painted[-1].done == painted[-1].total


async def test_every_image_of_a_race_counts_towards_the_score(tmp_path: Path) -> None:
    await run(tmp_path, raced(generations=1))
    with open_reader(tmp_path) as reader:
        (session,) = reader.sessions()
        for candidate in reader.leaderboard(session.id):
            (evaluation,) = reader.candidate(candidate.id).evaluations
            assert evaluation.similarity.shape[1] == len(evaluation.images)


async def test_a_race_that_is_interrupted_at_any_step_ends_equal(tmp_path: Path) -> None:
    given = raced(population=5, survivors=1, generations=2)
    wire = Wire(0)
    await run(tmp_path / "whole", given, models=FakeModels(FakeStudio(wire), FakePen(wire)))
    whole = mined(tmp_path / "whole")
    for at in range(1, -wire.left + 1, 3):
        mine = await Mine.new(tmp_path / f"cut {at}", given)
        wire_cut = Wire(at)
        models = FakeModels(FakeStudio(wire_cut), FakePen(wire_cut))
        assert await mine.run(models, mine.stops) == "interrupted"
        assert await mine.run() == "finished"
        assert mine.mined() == whole, f"cut at step {at}"


@pytest.mark.parametrize("score", ["information", "paper"])
async def test_nobody_races_for_a_score_that_moves_with_the_number_of_images(
    tmp_path: Path, score: str
) -> None:
    given = raced(generations=1, score=score)
    await run(tmp_path, given)
    assert images(tmp_path)[0] == [8] * 8
    assert given.search.planned == 64


async def test_a_colour_is_raced_for_without_variations(tmp_path: Path) -> None:
    await run(tmp_path, raced(generations=1, objective="red"))
    assert sum(images(tmp_path)[0]) <= planned("racing", 8, 8)


async def test_an_elite_is_measured_on_its_whole_share(tmp_path: Path) -> None:
    await run(tmp_path, raced(elitist=True, generations=2))
    with open_reader(tmp_path) as reader:
        (session,) = reader.sessions()
        elites = [one for one in reader.candidates(session.id, 2) if one.origin == "elite"]
        assert elites
        for one in elites:
            (evaluation,) = reader.candidate(one.id).evaluations
            assert len(evaluation.images) == 8


class Terse(FakePen):
    """Finds only two prompts at a time, however many are asked for."""

    async def write(self, task: WritingTask) -> Written:
        written = await super().write(task)
        return replace(written, texts=written.texts[:2]) if task.kind == "random" else written


async def test_where_all_survive_everybody_has_a_whole_share(tmp_path: Path) -> None:
    events = await run(
        tmp_path, raced(generations=1, survivors=6, mutations=1), models=FakeModels(FakeStudio(), Terse())
    )
    counts = images(tmp_path)[0]
    assert counts == [8] * 6
    painted = [e for e in events if isinstance(e, protocol.Progress) and e.stage == "painting"]
    assert painted[-1].done == painted[-1].total == sum(counts)
