"""One worker process from its start to its end: requests in, replies out, and a watch that it is alive.

Two things are watched, both in beats: *silence* (a ping that the worker's reader thread does not answer: the
process is stopped or broken) and the *deadline* of each request, counted from when the worker began it. Beats
are counted, never clock times compared: an engine that was itself stopped, or a laptop that slept, accuses
nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psutil

from engine.errors import InputError, MachineError
from engine.workers import frames
from engine.workers.fate import BROKEN_STREAM, SILENT, TOO_LONG, Fate, fate_of_code
from engine.workers.messages import (
    Begun,
    Fault,
    Forget,
    Forgotten,
    Held,
    Hold,
    Load,
    Paint,
    Ping,
    Pong,
    Release,
    Reply,
    Request,
    Sign,
    Word,
    Write,
)

BEAT_SECONDS = 2.0
SILENT_BEATS = 30
"""Beats without an answer to a ping; libraries hold the interpreter for some seconds, never for a minute."""
END_SECONDS = 5.0
"""How long a worker may take to leave by itself."""
KILLED_SECONDS = 60.0
"""How long the system may take to end a killed one, whose gigabytes on a device it has to free."""

Sleep = Callable[[float], Awaitable[None]]


class WorkerDiedError(MachineError):
    """The process ended with a request unanswered; ``fate`` says how."""

    def __init__(self, role: str, fate: Fate) -> None:
        super().__init__(f"The {role} worker {fate.words}{fate.log}: {fate.remedy}.")
        self.fate = fate


@dataclass
class _Asked:
    """A request on its way: ``begun`` is when the worker began it, by the monotonic clock."""

    request: Request
    reply: asyncio.Future[Reply]
    begun: float | None = None
    beats: int = 0


class WorkerProcess:
    """One process; :meth:`start` makes it.

    Attributes:
        pid: its process id.
        fate: how it ended; None while it lives.
    """

    def __init__(
        self, role: str, process: asyncio.subprocess.Process, log: Path, deadline: float, sleep: Sleep
    ) -> None:
        """Take over a process that was just started; ``deadline`` in seconds."""
        self.pid = process.pid
        self.fate: Fate | None = None
        self._role = role
        self._process = process
        self._log = log
        self._log_start = log.stat().st_size
        self._deadline = deadline
        self._asked: dict[int, _Asked] = {}
        self._number = 0
        self._pings = 0
        self._silent = 0
        self._hold = 0  # number of the hold in force, 0 for none
        self._held = 0  # the latest hold that the worker has confirmed
        self._cause: Fate | None = None
        self._news = asyncio.Event()
        self._reader = asyncio.create_task(self._receive())
        self._watch = asyncio.create_task(self._beat(sleep))

    @classmethod
    async def start(
        cls, role: str, command: tuple[str, ...], log: Path, deadline: float, sleep: Sleep
    ) -> WorkerProcess:
        """Start ``python *command``, its standard error appended to ``log``.

        Raises:
            MachineError: the system refuses.
        """
        try:
            with log.open("ab") as stderr:
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, *command),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=stderr,
                    process_group=0,  # a terminal's Ctrl-C is the engine's to handle
                )
            return cls(role, process, log, deadline, sleep)
        except OSError as error:
            raise MachineError(
                f"The {role} worker cannot be started ({error}): mend that, resume."
            ) from error

    async def ask(self, request: Request) -> Reply:
        """Return the worker's reply.

        Raises:
            InputError, MachineError: the worker refused.
            WorkerDiedError: it died before it answered.
        """
        if self.fate is not None:
            raise WorkerDiedError(self._role, self.fate)
        self._number += 1
        number = self._number
        frame = frames.pack(msgspec.structs.replace(request, id=number))
        asked = _Asked(request, asyncio.get_running_loop().create_future())
        self._asked[number] = asked
        try:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the reader tells of the death
                self._stdin.write(frame)
                await self._stdin.drain()
            reply = await asked.reply
        except asyncio.CancelledError:
            if self.fate is None:
                self._say(Forget(id=number))
            asked.reply.cancel()
            raise
        if isinstance(reply, Fault):
            raise (InputError if reply.exit_code == InputError.exit_code else MachineError)(reply.sentence)
        return reply

    def hold(self) -> None:
        """Let no further ``Paint`` or ``Write`` begin."""
        if not self._hold:
            self._number += 1
            self._hold = self._number
            self._say(Hold(id=self._hold))

    def release(self) -> None:
        """Let what waits begin."""
        if self._hold:
            self._hold = 0
            self._say(Release())
            self._news.set()

    async def settled(self) -> None:
        """Return when it is held and no ``Paint`` or ``Write`` is in hand, or released, or dead."""
        while self.fate is None and self._hold and (self._held != self._hold or self._in_hand()):
            self._news.clear()
            await self._news.wait()

    @property
    def busy_seconds(self) -> float:
        """How long the oldest request in hand has taken; 0 when idle."""
        begun = [asked.begun for asked in self._asked.values() if asked.begun is not None]
        return time.monotonic() - min(begun) if begun else 0.0

    @property
    def memory_mib(self) -> float:
        """Resident memory; 0 when it is gone."""
        try:
            return float(psutil.Process(self.pid).memory_info().rss) / (1 << 20)
        except psutil.Error:
            return 0.0

    async def end(self) -> None:
        """End it: by closing its input, after some seconds by force."""
        self._stdin.close()
        try:
            await asyncio.wait_for(asyncio.shield(self._reader), END_SECONDS)
        except TimeoutError:
            self._kill()
            await self._reader

    @property
    def _stdin(self) -> asyncio.StreamWriter:
        assert self._process.stdin is not None
        return self._process.stdin

    def _say(self, word: Word) -> None:
        """Send a word that nobody waits for; the few bytes fit into the pipe's buffer."""
        if self.fate is None and not self._stdin.is_closing():
            self._stdin.write(frames.pack(word))

    def _in_hand(self) -> bool:
        return any(
            asked.begun is not None and isinstance(asked.request, Paint | Write)
            for asked in self._asked.values()
        )

    async def _beat(self, sleep: Sleep) -> None:
        while True:
            await sleep(BEAT_SECONDS)
            accusation = self._accusation()
            if accusation is not None:
                self._end_for(accusation)
                return
            if not self._pings:
                self._pings += 1
                self._say(Ping())

    def _accusation(self) -> Fate | None:
        loading = any(isinstance(asked.request, Load) for asked in self._asked.values())
        # importing libraries from a slow disk holds the interpreter: only the deadline limits loading
        self._silent += bool(self._pings) and not loading
        if self._silent > SILENT_BEATS:
            return SILENT.filled(seconds=f"{SILENT_BEATS * BEAT_SECONDS:g}")
        for asked in self._asked.values():
            asked.beats += asked.begun is not None or not self._hold
            if asked.beats * BEAT_SECONDS > self._deadline:
                return TOO_LONG.filled(seconds=f"{self._deadline:g}")
        return None

    async def _receive(self) -> None:
        assert self._process.stdout is not None
        try:
            while (body := await frames.receive_frame(self._process.stdout)) is not None:
                self._take(frames.unpack_reply(body))
        except frames.FrameError as error:
            self._end_for(BROKEN_STREAM.filled(fault=str(error).rstrip(".")))
        code = await self._reap()
        self._watch.cancel()
        self.fate = (self._cause or fate_of_code(code)).with_log(self._log, self._log_start)
        self._news.set()
        self._stdin.close()
        for asked in self._asked.values():
            if not asked.reply.done():
                asked.reply.set_exception(WorkerDiedError(self._role, self.fate))

    def _take(self, message: Reply | Sign) -> None:
        self._silent = 0
        if isinstance(message, Pong):
            if not self._pings:
                raise frames.FrameError("A pong came without a ping.")
            self._pings -= 1
        elif isinstance(message, Held):
            if not self._held < message.id <= self._number:
                raise frames.FrameError("A hold was confirmed that nobody asked for.")
            self._held = message.id
        elif isinstance(message, Fault) and message.fresh:
            self._end_for(Fate(f"gave up its process ({message.sentence.rstrip('.')})"))
        else:
            self._answer(message)
        self._news.set()

    def _answer(self, message: Reply | Begun | Forgotten) -> None:
        asked = self._asked.get(message.id)
        if asked is None or (isinstance(message, Begun) and asked.begun is not None):
            raise frames.FrameError(f"A message about request {message.id} came unasked.")
        for waiting in self._asked.values():
            if waiting.begun is None:
                waiting.beats = 0  # the worker is at work: those in the queue have nothing to complain of
        if isinstance(message, Begun):
            asked.begun = time.monotonic()
            return
        del self._asked[message.id]
        if not isinstance(message, Forgotten) and not asked.reply.done():
            asked.reply.set_result(message)

    def _end_for(self, cause: Fate) -> None:
        self._cause = self._cause or cause
        self._kill()

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def _reap(self) -> int | None:
        """Wait for the process's end after that of its output; None where even killing does not end it."""
        for patience in (END_SECONDS, KILLED_SECONDS):
            try:
                return await asyncio.wait_for(self._process.wait(), patience)
            except TimeoutError:
                self._kill()
        return None
