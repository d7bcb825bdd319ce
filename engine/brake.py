"""Brings a session to rest: after the batch being drawn, after all the painter holds, or after the generation.

Asking is immediate; coming to rest takes as long as what was announced. How far that is goes out as ``pausing``
events, and rest is only reported when no step is under way any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from engine import protocol
from engine.commands import After
from engine.easel import Easel
from engine.gate import Gate
from engine.services import Studio


class Brake:
    """Pauses of one session.

    Args:
        gate: closed while the session rests, or is about to.
        emit: receives ``pausing`` events.
        at_rest: called when the session has come to rest, with the reason.

    Attributes:
        easel: the painter's units; a new one with each course.
        studio: the painter, once it is loaded.
    """

    def __init__(
        self, gate: Gate, emit: Callable[[protocol.Event], None], at_rest: Callable[[str], None]
    ) -> None:
        self.easel: Easel | None = None
        self.studio: Studio | None = None
        self._gate = gate
        self._emit = emit
        self._at_rest = at_rest
        self._after: After | None = None
        self._reason = ""
        self._resting: asyncio.Task[None] | None = None
        self._units = 0
        self._total = 0
        self._scored = (0, 0)
        self.pausing: protocol.Pausing | None = None

    def pause(self, after: After, reason: str) -> protocol.Pausing:
        """Come to rest after the unit named; a pause asked for before is replaced. Returns how far that is."""
        self.release()
        self._after, self._reason = after, reason
        self._units = len(self.easel.units) if self.easel else 0
        if after == "generation":
            self._tell()
        else:
            self._total = self._units
            if after == "image" and self.easel and self.easel.units:
                self._total = self.easel.units[0]
            self._settle()
            self._tell()
        assert self.pausing is not None
        return self.pausing

    def release(self) -> bool:
        """Go on; returns whether a pause was under way and is called off."""
        called_off = self.pausing is not None
        self._after = self.pausing = None
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None
        if self.studio is not None:
            self.studio.release()
        self._gate.open()
        return called_off

    def finished(self, generation: int) -> None:
        """A generation is done: where that was waited for, no further one is begun."""
        if self._after == "generation":
            self._reason = f"{self._reason} after generation {generation}"
            self._settle()

    def scored(self, done: int, total: int) -> None:
        """So many candidates of the generation are scored or failed."""
        self._scored = (done, total)
        if self._after == "generation":
            self._tell()

    def moved(self) -> None:
        """The painter was given a unit, or one has come back and is stored."""
        if self._after in ("image", "batch") and self.pausing is not None:
            self._tell()

    async def stop(self) -> None:
        """Let no step begin, and return when the batch being drawn is stored; whatever pause was asked for."""
        if self._resting is not None:
            self._resting.cancel()
        self._after = self.pausing = self._resting = None
        self._gate.close()
        await self._rest("image")

    async def _rest(self, after: After) -> None:
        if self.studio is not None and after == "image":
            self.studio.hold()
            await self.studio.settled()
            await asyncio.sleep(0)  # the unit that has come back begins to be stored
        elif self.easel is not None:
            await self.easel.empty()
        await self._gate.quiet()

    def _settle(self) -> None:
        assert self._after is not None
        self._gate.close()
        if self._after == "image" and self.studio is not None:
            self.studio.hold()
        self._resting = asyncio.create_task(self._come_to_rest(self._after))

    async def _come_to_rest(self, after: After) -> None:
        await self._rest(after)
        self._resting = None
        self._after = self.pausing = None
        self._at_rest(self._reason)

    def _tell(self) -> None:
        assert self._after is not None
        done, total = self._scored
        if self._after == "batch":
            done, total = self._units - len(self.easel.units) if self.easel else 0, self._total
        elif self._after == "image":
            came_back = self.easel is not None and len(self.easel.units) < self._units
            done, total = self._total if came_back else 0, self._total
        progress = protocol.Pausing(after=self._after, done=done, total=total)
        if progress != self.pausing:
            self.pausing = progress
            self._emit(progress)
