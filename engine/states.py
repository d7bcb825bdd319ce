"""A session's state: known at once, written in order. The store's row and event come before anybody is told."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from engine import protocol
from engine.bench import Log
from store import StoreError
from store.vocabulary import SessionState


class States:
    """The state of one session.

    Attributes:
        state, reason, exit_code: as entered last; the store follows.
    """

    def __init__(self, log: Log) -> None:
        self.state: SessionState = "queued"
        self.reason = ""
        self.exit_code = 0
        self._log = log
        self._last: asyncio.Task[None] | None = None

    def enter(self, state: SessionState, reason: str = "", exit_code: int = 0) -> None:
        """Change the state; written and told as soon as the store has time, after all changes before it.

        A full disk keeps no state back: it is told, and written with the next one.
        """
        self.state, self.reason, self.exit_code = state, reason, exit_code
        self._last = asyncio.create_task(self._write(self._last, state, reason, exit_code))

    async def written(self) -> None:
        """Return when every change is written and told."""
        if self._last is not None:
            await asyncio.shield(self._last)  # whoever waits may be cancelled: the state is written

    async def _write(
        self, before: asyncio.Task[None] | None, state: SessionState, reason: str, exit_code: int
    ) -> None:
        if before is not None:
            await before
        keeper = self._log.keeper
        with suppress(StoreError):  # the next change writes the row again
            await keeper.call(keeper.store.set_session_state, self._log.session_id, state, reason)
        await self._log.record_anyway(protocol.StateChanged(state=state, reason=reason, exit_code=exit_code))
