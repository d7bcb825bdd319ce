"""The race of one generation: rounds of further images, decided by what the images so far say."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from engine.budget import Racing, Standing, next_round

Measure = Callable[[int], Awaitable[Standing | None]]
Draw = Callable[[Mapping[int, int]], Awaitable[None]]

_UNMEASURED: Final = 0.0


class Race:
    """Runs the rounds of a generation.

    Args:
        rule: of the race.
        survivors: how many are selected.
        measure: how a candidate stands, given its place; None where it cannot be measured and so cannot survive.
        draw: draws further images: place -> how many.
    """

    def __init__(self, rule: Racing, survivors: int, measure: Measure, draw: Draw) -> None:
        self._rule, self._survivors = rule, survivors
        self._measure, self._draw = measure, draw

    async def run(self, images: Mapping[int, int], settled: frozenset[int]) -> None:
        """Race to the end.

        Args:
            images: how many images each place has already.
            settled: places that survive whatever they score, and so take no place that others race for.
        """
        had = dict(images)
        standings: dict[int, Standing] = {}
        out = set(settled)
        measured: tuple[int, ...] = tuple(place for place in had if place not in settled)
        while True:
            for place in measured:
                found = await self._measure(place)
                if found is None:
                    out.add(place)
                else:
                    standings[place] = found
            everybody = [
                Standing(place, count, *_shown(standings.get(place))) for place, count in had.items()
            ]
            more = next_round(everybody, self._survivors, self._rule, out)
            if not more:
                return
            await self._draw(more)
            for place, count in more.items():
                had[place] += count
            measured = tuple(more)


def _shown(found: Standing | None) -> tuple[float, float]:
    return (found.score, found.scatter) if found is not None else (_UNMEASURED, _UNMEASURED)
