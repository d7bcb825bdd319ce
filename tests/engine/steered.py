"""Sessions with a human's hand in them, and what a generation is made of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.commands import (
    Resume,
    Step,
)
from engine.config import MiningConfig
from store.records import Candidate
from tests.engine.fakes import FakeModels
from tests.engine.sessions import Mine


async def paused_after(mine: Mine, generation: int) -> None:
    """Step until a generation is finished; the session rests then."""
    await mine.accepted(Step)
    for number in range(1, generation + 1):
        await mine.state("paused", number)
        if number < generation:
            await mine.accepted(Step)


async def steered(
    store: Path, given: MiningConfig, at: int, hand: Callable[[Mine], Any], models: FakeModels | None = None
) -> Mine:
    """Mine a session whose human does something when generation ``at`` is finished."""
    mine = await Mine.new(store, given)

    async def during() -> None:
        await paused_after(mine, at)
        await hand(mine)
        await mine.accepted(Resume)

    assert await mine.run(models, during=during) == "finished"
    return mine


def best(population: tuple[Candidate, ...]) -> list[Candidate]:
    return sorted((one for one in population if one.score is not None), key=lambda one: (one.score, one.id))


def prompts(population: tuple[Candidate, ...], origin: str) -> list[str]:
    return [one.prompt for one in population if one.origin == origin]
