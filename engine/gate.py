"""Where every step of a session's work asks whether it may begin, so that a pause stops it between steps.

A step (one writing task, one embedding, one evaluation, one unit being stored) is never cut: closing the gate
keeps the next ones from beginning, and ``quiet`` tells when the last one under way has ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager


def first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the error that a group of chains failed of: the first one, of the first group within it."""
    first = group.exceptions[0]
    return first_of(first) if isinstance(first, BaseExceptionGroup) else first


class Gate:
    """Open at first."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._busy = 0

    @property
    def is_open(self) -> bool:
        """Whether a step may begin now."""
        return self._open.is_set()

    def open(self) -> None:
        """Let steps begin again."""
        self._open.set()

    def close(self) -> None:
        """Let no further step begin."""
        self._open.clear()

    async def wait(self) -> None:
        """Return as soon as the gate is open."""
        while not self._open.is_set():  # closed again, maybe, before a waiter that was woken gets its turn
            await self._open.wait()

    @asynccontextmanager
    async def step(self) -> AsyncIterator[None]:
        """One step: begins when the gate is open."""
        await self.wait()
        with self.ending():
            yield

    @contextmanager
    def ending(self) -> Iterator[None]:
        """The last part of something that began before: not held up by a closed gate, but waited for."""
        self._busy += 1
        self._quiet.clear()
        try:
            yield
        finally:
            self._busy -= 1
            if self._busy == 0:
                self._quiet.set()

    async def quiet(self) -> None:
        """Return as soon as no step is under way."""
        await self._quiet.wait()
