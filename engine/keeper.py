"""Keeps the store on one thread of its own, so that no write ever holds up the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

from store import Store, open_store

_P = ParamSpec("_P")
_R = TypeVar("_R")


class Keeper:
    """Opens the store and carries out calls to it one after another. A cancelled call still completes."""

    store: Store

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")

    async def open(self, path: Path) -> None:
        """Open or create the store in directory ``path``; raises ``StoreError``."""
        self.store = await self.call(open_store, path)

    async def call(self, function: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Run ``function`` on the store's thread and return its result."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: function(*args, **kwargs))

    def close(self) -> None:
        """Finish what was begun and close the store."""
        if hasattr(self, "store"):
            self._thread.submit(self.store.close).result()
        self._thread.shutdown()
