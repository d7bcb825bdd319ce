"""The engine process: runs one session, tells of it on standard output, hears commands on standard input.

``python -m engine.serve --store DIR (--config-json FILE | --resume SESSION)``

Lines follow ``engine.protocol``. SIGINT, SIGTERM, a ``stop`` command and the end of standard input all ask
for a clean end after the images in flight; a second signal or command ends at once. Exit codes: 0 finished,
130 stopped (the session can be resumed), 2 bad input, 3 a model or the machine failed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from engine import protocol
from engine.config import MiningConfig, parse_config
from engine.errors import InputError, MineGapError
from engine.packs import resolve_pack
from engine.services import Pen, Studio, WorkerPen, WorkerStudio
from engine.session import Stop, run_session
from engine.wire import MAX_LINE_BYTES, ProtocolError, decode_command, encode
from store import StoreError

INTERRUPTED = 130
BACKLOG = 1000
"""Lines that may wait for a slow client before progress is left out."""
LAST_WORD_SECONDS = 5.0


class WorkerModels:
    """Loads the roles in worker processes; their standard error goes to files in the store's directory."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self._workers: list[WorkerStudio | WorkerPen] = []

    async def open(self, config: MiningConfig, notify: Callable[[str], None]) -> tuple[Studio, Pen]:
        """Load both workers at the same time; raises as ``WorkerHost.load``."""
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
            raise group.exceptions[0] from None
        return studio, pen

    async def close(self) -> None:
        """End both workers."""
        await asyncio.gather(*(worker.host.close() for worker in self._workers))


class Mouth:
    """Tells the client from a thread of its own: a client that stalls or is gone never holds up the mine."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="events", daemon=True)
        self._thread.start()

    def say(self, event: protocol.Event) -> None:
        """Send one event; progress is left out while a client does not keep up."""
        if self._lines.qsize() < BACKLOG or not isinstance(event, protocol.Progress):
            self._lines.put(encode(event))

    def close(self) -> None:
        """Wait for the last line to be read, for some seconds."""
        self._lines.put(None)
        self._thread.join(LAST_WORD_SECONDS)

    def _work(self) -> None:
        try:
            while (line := self._lines.get()) is not None:
                self._out.write(line)
                self._out.flush()
        except BrokenPipeError:
            return  # the end of standard input tells the engine that the client is gone


def main() -> None:
    """Run the command line."""
    # what any library prints goes to stderr; only events go where stdout went
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    parser = argparse.ArgumentParser(prog="python -m engine.serve", description=__doc__)
    parser.add_argument("--store", type=Path, required=True)
    task = parser.add_mutually_exclusive_group(required=True)
    task.add_argument("--config-json", type=Path)
    task.add_argument("--resume")
    given = parser.parse_args()
    mouth = Mouth(out)
    try:
        code = asyncio.run(_serve(given.store.absolute(), given.config_json, given.resume, mouth))
    except (MineGapError, StoreError) as error:
        code = error.exit_code
        mouth.say(protocol.Failed(sentence=str(error), exit_code=code))
    mouth.close()
    sys.exit(code)


async def _serve(store: Path, config_json: Path | None, resume: str | None, mouth: Mouth) -> int:
    stop = Stop()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.ask)
    threading.Thread(target=_listen, args=(loop, stop), daemon=True).start()
    config = _read_config(config_json) if config_json is not None else None
    state = await run_session(store, config, resume, WorkerModels(store), mouth.say, stop)
    return 0 if state == "finished" else INTERRUPTED


def _read_config(path: Path) -> MiningConfig:
    try:
        return parse_config(path.read_bytes(), str(path))
    except OSError as error:
        raise InputError(
            f"The configuration {str(path)!r} cannot be read ({error.strerror}): check the path."
        ) from error


def _listen(loop: asyncio.AbstractEventLoop, stop: Stop) -> None:
    """Read commands until the client closes the pipe or dies; a line that is no command is passed over."""
    commands = os.fdopen(os.dup(0), "rb")  # not sys.stdin: the interpreter would wait for its lock at the end
    while line := commands.readline(MAX_LINE_BYTES + 1):
        try:
            decode_command(line)
        except ProtocolError as error:
            print(error, file=sys.stderr)  # noqa: T201 - stderr is the engine's log
            continue
        loop.call_soon_threadsafe(stop.ask)
    if not (stop.asked.is_set() or loop.is_closed()):
        loop.call_soon_threadsafe(stop.ask)


if __name__ == "__main__":
    main()
