"""One engine's life: the store, the socket and the service, opened in this order and closed in the reverse one."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from engine import protocol
from engine.bench import Emit
from engine.errors import MineGapError
from engine.hub import Hub
from engine.journal import log, watched
from engine.keeper import Keeper
from engine.listener import Listener
from engine.places import tend_log
from engine.service import Service
from engine.session import SessionRun
from engine.wire import encode, speakable
from engine.worker_models import WorkerModels
from store import StoreError, StoreHeldError

TEND_SECONDS = 2.0


def live(store: Path, ready: int) -> int:
    """Serve a store until nothing is left to mine; returns the process's exit code.

    Args:
        store: the store's directory, absolute; created where missing.
        ready: a pipe that takes one line and is closed: ``welcome`` as soon as clients can connect, ``refused`` where
            another process writes the store, else ``failed``.
    """
    starter = _Starter(ready)
    try:
        asyncio.run(_live(store, starter))
    except StoreHeldError as error:  # whoever holds it has this log, too
        starter.tell(protocol.Refused(sentence=str(error)))
        return error.exit_code
    except (MineGapError, StoreError) as error:
        log(error)
        starter.tell(protocol.Failed(sentence=str(error), exit_code=error.exit_code))
        return error.exit_code
    return 0


async def _live(store: Path, starter: _Starter) -> None:
    keeper, hub = Keeper(), Hub()

    def begin(session_id: str, emit: Emit) -> SessionRun:
        return SessionRun(session_id, store, keeper, WorkerModels(store), emit)

    service = Service(store, keeper, hub, begin)
    listener = Listener(store, hub, service)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, service.end, number.name)
    try:
        # From here on the store's lock is ours, until clients have nowhere left to connect to.
        await keeper.open(store)
        await listener.open()
        log("The engine begins.")
        tending = watched(asyncio.create_task(_tend(store, listener), name="tend"))
        try:
            starter.tell(service.welcome())
            await service.run()
        finally:
            tending.cancel()
            await listener.close(service.last_word)
            log(service.last_word or "The engine ends: nothing is left to mine.")
    finally:
        keeper.close()


async def _tend(store: Path, listener: Listener) -> None:
    """Keep the socket where clients look for it, and the log within its size."""
    while True:
        await asyncio.sleep(TEND_SECONDS)
        try:
            await listener.tend()
            tend_log(store, sys.stderr.fileno(), sys.stdout.fileno())
        except MineGapError as error:
            log(error)


class _Starter:
    """Whoever started this process and waits for its first word."""

    def __init__(self, pipe: int) -> None:
        self._pipe: int | None = pipe

    def tell(self, event: protocol.Event) -> None:
        """Say it, once; nobody may be left to hear it."""
        pipe, self._pipe = self._pipe, None
        if pipe is None:
            return
        try:
            os.write(pipe, encode(speakable(event)))
        except BrokenPipeError:
            return
        finally:
            os.close(pipe)
