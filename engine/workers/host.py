"""Keeps one worker process alive: starts it, matches replies to requests, starts it again when it dies.

Requests are pure, so one that was lost with its worker is asked again of the next; a request that kills
two workers running is given up with a ``MachineError``.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from engine import protocol
from engine.errors import InputError, MachineError
from engine.workers import frames
from engine.workers.messages import Fault, Load, PainterLoaded, Reply, Request, WriterLoaded

TRIES = 2
CLOSE_SECONDS = 5.0


class WorkerDiedError(MachineError):
    """The process ended with a request unanswered."""


class WorkerHost:
    """One worker process and its successors.

    Args:
        role: the word for people: ``painter`` or ``writer``.
        command: arguments after the Python interpreter, for example ``("-m", "engine.workers.painter")``.
        config: JSON of the session's ``MiningConfig``, sent as the first request.
        log: file that takes the worker's standard error.
        notify: receives a sentence whenever the worker had to be restarted.
    """

    def __init__(
        self, role: str, command: tuple[str, ...], config: bytes, log: Path, notify: Callable[[str], None]
    ) -> None:
        self.role = role
        self.restarts = 0
        self._command = command
        self._config = config
        self._log = log
        self._notify = notify
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Future[Reply]] = {}
        self._number = 0
        self._starting = asyncio.Lock()
        self._loaded: PainterLoaded | WriterLoaded | None = None

    @property
    def pid(self) -> int | None:
        """The process's id while it lives."""
        alive = self._process is not None and self._process.returncode is None
        return self._process.pid if alive and self._process else None

    async def load(self) -> PainterLoaded | WriterLoaded:
        """Start the worker and load its models, or return what is loaded.

        Raises:
            InputError: a model cannot be used.
            MachineError: the worker died while loading, or a restarted one loads other models than before.
        """
        async with self._starting:
            if self._process is None or self._reader is None or self._reader.done():
                await self._start()
            assert self._loaded is not None
            return self._loaded

    async def ask(self, request: Request) -> Reply:
        """Return the worker's reply; a dead worker is restarted and asked again.

        Raises:
            InputError, MachineError: the worker refused, or died ``TRIES`` times over this request.
        """
        for attempt in range(1, TRIES + 1):
            await self.load()
            try:
                return await self._send(request)
            except WorkerDiedError as death:
                if attempt == TRIES:
                    raise
                self.restarts += 1
                self._notify(f"{str(death).rstrip('.')}; it is being restarted.")
        raise AssertionError("unreachable")

    def vitals(self) -> protocol.WorkerVitals:
        """The process as it is now; pid 0 where none runs."""
        return protocol.WorkerVitals(
            role=self.role, pid=self.pid or 0, memory_mib=0.0, busy_seconds=0.0, restarts=self.restarts
        )

    def hold(self) -> None:
        """Let no further unit or task begin in the worker, nor in its successors."""

    def release(self) -> None:
        """Let the worker go on with what waits."""

    async def settled(self) -> None:
        """Return as soon as the worker is held and has nothing in hand."""

    async def close(self) -> None:
        """End the worker: by closing its input, after some seconds by force."""
        process, reader = self._process, self._reader
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), CLOSE_SECONDS)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if reader is not None:
            await asyncio.wait({reader})

    async def _start(self) -> None:
        try:
            with self._log.open("ab") as stderr:
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, *self._command),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=stderr,
                    process_group=0,  # a terminal's Ctrl-C is the engine's to handle
                )
        except OSError as error:
            raise MachineError(f"The {self.role} worker cannot be started ({error}).") from error
        self._process = process
        self._reader = asyncio.create_task(self._receive(process))
        loaded = await self._send(Load(config=self._config))
        assert isinstance(loaded, PainterLoaded | WriterLoaded)
        loaded = msgspec.structs.replace(loaded, id=0)
        if self._loaded is not None and loaded != self._loaded:
            raise MachineError(
                f"The restarted {self.role} worker loaded another model than before: "
                "put the old files back and resume."
            )
        self._loaded = loaded

    async def _send(self, request: Request) -> Reply:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        self._number += 1
        number = self._number
        frame = frames.pack(msgspec.structs.replace(request, id=number))
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            if self._reader is None or self._reader.done():
                raise self._death(process)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the reader reports the death
                process.stdin.write(frame)
                await process.stdin.drain()
            reply = await future
        finally:
            self._waiting.pop(number, None)
        if isinstance(reply, Fault):
            raise (InputError if reply.exit_code == InputError.exit_code else MachineError)(reply.sentence)
        return reply

    async def _receive(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        try:
            while (body := await frames.receive_frame(process.stdout)) is not None:
                reply = frames.unpack_reply(body)
                future = self._waiting.pop(reply.id, None)
                if future is not None and not future.done():
                    future.set_result(reply)
        except frames.FrameError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(self._death(process))

    def _death(self, process: asyncio.subprocess.Process) -> WorkerDiedError:
        code = process.returncode
        how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        return WorkerDiedError(
            f"The {self.role} worker died ({how}); its last words are in {str(self._log)!r}."
        )
