"""Hands units to the painter and stores what comes back: for a generation, and for whatever is measured again.

Units of different work are never mixed, so the composition of each is the same in every run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from engine.bench import Bench
from engine.gate import Gate
from engine.models.protocols import PaintJob
from engine.services import DrawnUnit
from store.incoming import NewImage

IN_FLIGHT = 2
"""Units handed to the painter at once: the next one waits there while the last one's files are stored."""


class Easel:
    """One painter's units under way.

    Args:
        gate: no unit is handed over while it is closed.
        changed: called whenever a unit is handed over or has come back and is stored.
    """

    def __init__(self, gate: Gate, changed: Callable[[], None]) -> None:
        self._gate = gate
        self._changed = changed
        self._slots = asyncio.Semaphore(IN_FLIGHT)
        # one at a time: a quick painter leaves the store to the other chains, too
        self._storing = asyncio.Lock()
        self._units: list[int] = []
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def units(self) -> tuple[int, ...]:
        """How many images each unit has that the painter holds; the one being drawn first."""
        return tuple(self._units)

    async def empty(self) -> None:
        """Return as soon as all that was handed over is stored, or given up."""
        await self._empty.wait()

    async def slot(self) -> None:
        """Wait for room at the painter; the next call must be ``paint``, which gives it back."""
        await self._slots.acquire()
        try:
            await self._gate.wait()
        except BaseException:
            self._slots.release()
            raise

    async def paint(self, bench: Bench, jobs: Sequence[PaintJob]) -> None:
        """Draw one unit and store it in one transaction; only after ``slot``.

        Raises:
            MachineError, InputError: the painter failed.
            StoreError: the store failed; nothing of the unit is kept.
        """
        self._units.append(len(jobs))
        self._empty.clear()
        self._changed()
        try:
            drawn = await bench.studio.paint(jobs)
            with self._gate.ending():
                async with self._storing:
                    await _keep(bench, jobs, drawn)
        finally:
            self._slots.release()
            self._units.remove(len(jobs))
            if not self._units:
                self._empty.set()
            self._changed()


async def _keep(bench: Bench, jobs: Sequence[PaintJob], drawn: DrawnUnit) -> None:
    new = [
        NewImage(
            prompt=job.prompt,
            seed=job.seed,
            pipeline=bench.studio.painter,
            png=image.png,
            width=drawn.width,
            height=drawn.height,
            blank=image.blank,
            mean_rgb=image.mean_rgb,
            batch_size=drawn.batch_size,
            scorer=bench.studio.scorer,
            embedding=image.embedding,
        )
        for job, image in zip(jobs, drawn.images, strict=True)
    ]
    await bench.keeper.call(bench.keeper.store.save_images, new)
    await bench.log.notice(*drawn.notes)
