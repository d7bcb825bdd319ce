"""Reads the store in a thread of its own, so that no disk ever holds up the screen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from store import Reader, open_reader

T = TypeVar("T")


class StoreDesk:
    """One thread with one read-only connection, opened at the first question."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store reader")
        self._reader: Reader | None = None

    async def ask(self, question: Callable[[Reader], T]) -> T:
        """Return ``question``'s answer.

        Raises:
            StoreError: there is no store yet, or it cannot be read.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._answer, question)

    async def close(self) -> None:
        """Close the connection and end the thread; an answer that is being looked up is not waited for."""
        if self._reader is not None:
            self._reader.interrupt()
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)

    def _answer(self, question: Callable[[Reader], T]) -> T:
        if self._reader is None:
            self._reader = open_reader(self._store)
        return question(self._reader)

    def _close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None
