"""The three roles in worker processes: loaded together, let go together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from engine.config import MiningConfig
from engine.packs import resolve_pack
from engine.services import Pen, Studio, WorkerPen, WorkerStudio


class WorkerModels:
    """Painter and scorer in one process, the writer in another; their standard error goes to files in the store."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self._workers: list[WorkerStudio | WorkerPen] = []

    async def open(self, config: MiningConfig, notify: Callable[[str], None]) -> tuple[Studio, Pen]:
        """Load both workers at the same time.

        Raises:
            InputError, MachineError: one of them cannot be used; whatever was loaded is let go again.
        """
        resolve_pack(config)  # a wrong path is told at once, not after the libraries have loaded
        raw = config.model_dump_json().encode()
        studio = WorkerStudio(raw, self._store / "painter.log", notify)
        pen = WorkerPen(raw, self._store / "writer.log", notify)
        self._workers += [studio, pen]
        try:
            async with asyncio.TaskGroup() as loading:
                loading.create_task(studio.load())
                loading.create_task(pen.load())
        except ExceptionGroup as group:
            await self.close()
            raise group.exceptions[0] from None
        return studio, pen

    async def reopen_pen(self, config: MiningConfig, notify: Callable[[str], None]) -> Pen:
        """Let the writer go and load it anew, by the meta-prompts that ``config`` names now.

        Raises:
            InputError, MachineError: it cannot be used.
        """
        resolve_pack(config)
        old = [worker for worker in self._workers if isinstance(worker, WorkerPen)]
        await asyncio.gather(*(worker.host.close() for worker in old))
        # only now: cut off while it waits for a worker that hangs, ``close`` still has to end that
        self._workers = [worker for worker in self._workers if worker not in old]
        pen = WorkerPen(config.model_dump_json().encode(), self._store / "writer.log", notify)
        self._workers.append(pen)
        await pen.load()
        return pen

    async def close(self) -> None:
        """End all workers; what is closed can be opened again."""
        workers, self._workers = self._workers, []
        await asyncio.gather(*(worker.host.close() for worker in workers))
