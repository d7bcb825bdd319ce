"""Keeps one worker alive: starts it, and starts it again when its process has died or had to be ended.

Requests are pure, so one that was lost with its process is asked again of the next. Restarts are bounded for
each request, and wait longer each time: what broke a worker (memory that another program took, a driver
being reset) often passes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec

from engine import protocol
from engine.errors import MachineError
from engine.workers.messages import Load, PainterLoaded, Reply, Request, WriterLoaded
from engine.workers.process import Sleep, WorkerDiedError, WorkerProcess

BACK_OFF_SECONDS = (1.0, 4.0, 16.0)
"""Before the first restart in a row, the second, and every later one."""


class WorkerHost:
    """One worker process and its successors.

    Args:
        role: the word for people: ``painter`` or ``writer``.
        command: arguments after the Python interpreter, for example ``("-m", "engine.workers.painter")``.
        config: JSON of the session's ``MiningConfig``, sent as the first request.
        log: file that takes the worker's standard error.
        notify: receives a sentence whenever the worker is restarted.
        deadline: seconds that one request may take, loading included.
        restarts: how often the worker is restarted over one request.
        sleep: waits between beats and before restarts.
    """

    def __init__(
        self,
        role: str,
        command: tuple[str, ...],
        config: bytes,
        log: Path,
        notify: Callable[[str], None],
        *,
        deadline: float = 900.0,
        restarts: int = 3,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.role = role
        self.restarts = 0
        self._command = command
        self._config = config
        self._log = log
        self._notify = notify
        self._deadline = deadline
        self._most_restarts = restarts
        self._sleep = sleep
        self._process: WorkerProcess | None = None
        self._starting: asyncio.Task[None] | None = None
        self._loaded: PainterLoaded | WriterLoaded | None = None
        self._deaths = 0  # in a row
        self._held = False
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The process's id while it lives."""
        return self._process.pid if self._process and self._process.fate is None else None

    async def load(self) -> PainterLoaded | WriterLoaded:
        """Start the worker and load its models, or return what is loaded.

        Raises:
            InputError: a model cannot be used.
            MachineError: the worker died again and again, or a restarted one loads other models than before.
        """
        await self._ready()
        assert self._loaded is not None
        return self._loaded

    async def ask(self, request: Request) -> Reply:
        """Return the worker's reply; a dead worker is restarted and asked again.

        Raises:
            InputError, MachineError: the worker refused, or cannot be kept alive over this request.
        """
        deaths = 0
        while True:
            process = await self._ready()
            try:
                reply = await process.ask(request)
            except WorkerDiedError as death:
                deaths += 1
                if deaths > self._most_restarts:
                    raise self._given_up(death, deaths) from death
                continue
            self._deaths = 0
            return reply

    def vitals(self) -> protocol.WorkerVitals:
        """The process as it is now; pid 0 where none runs."""
        process = self._process if self.pid is not None else None
        return protocol.WorkerVitals(
            role=self.role,
            pid=process.pid if process else 0,
            memory_mib=process.memory_mib if process else 0.0,
            busy_seconds=process.busy_seconds if process else 0.0,
            restarts=self.restarts,
        )

    def hold(self) -> None:
        """Let no further unit or task begin in the worker, nor in its successors."""
        self._held = True
        if self._process is not None:
            self._process.hold()

    def release(self) -> None:
        """Let the worker go on with what waits."""
        self._held = False
        if self._process is not None:
            self._process.release()

    async def settled(self) -> None:
        """Return when the worker is held and has no unit or task in hand, or is released again, or dead."""
        if self._process is not None:
            await self._process.settled()

    async def close(self) -> None:
        """End the worker for good: by closing its input, after some seconds by force."""
        self._closed = True
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait({self._starting})
        if self._process is not None:
            await self._process.end()

    async def _ready(self) -> WorkerProcess:
        """Return a live process with its models loaded."""
        if self._closed:
            raise self._is_closed()
        if self._starting is None or (self._starting.done() and self.pid is None):
            self._starting = asyncio.create_task(self._bring_up())
            self._starting.add_done_callback(_look)  # those who wait for it may all have been cancelled
        await asyncio.wait({self._starting})  # whoever is cancelled here leaves the start to the others
        if self._starting.cancelled():
            raise self._is_closed()
        self._starting.result()
        assert self._process is not None
        return self._process

    async def _bring_up(self) -> None:
        """Start processes until one has loaded; which then is the one the first had loaded."""
        for tries in range(1, self._most_restarts + 2):
            if self._process is not None:
                await self._back_off(self._process)
            self._process = process = await WorkerProcess.start(
                self.role, self._command, self._log, self._deadline, self._sleep
            )
            if self._held:
                process.hold()
            try:
                loaded = await process.ask(Load(config=self._config))
                self._compare(loaded)
                return
            except WorkerDiedError as death:
                if tries > self._most_restarts:
                    raise self._given_up(death, tries) from death
            except BaseException:
                await self._dismiss(process)
                raise

    async def _back_off(self, dead: WorkerProcess) -> None:
        """Say what became of the last process, and wait."""
        assert dead.fate is not None
        delay = BACK_OFF_SECONDS[min(self._deaths, len(BACK_OFF_SECONDS) - 1)]
        self._deaths += 1
        self.restarts += 1
        self._notify(
            f"The {self.role} worker {dead.fate.words}; it is restarted in {delay:g} s{dead.fate.log}."
        )
        await self._sleep(delay)

    async def _dismiss(self, process: WorkerProcess) -> None:
        """End a worker that lives without the models it should have; the next request starts another."""
        self._process = None
        await process.end()

    def _compare(self, reply: Reply) -> None:
        if not isinstance(reply, PainterLoaded | WriterLoaded):
            raise MachineError(f"The {self.role} worker answered {type(reply).__name__} when told to load.")
        loaded = msgspec.structs.replace(reply, id=0)
        if self._loaded is not None and loaded != self._loaded:
            raise MachineError(
                f"The restarted {self.role} worker loaded another model than before: "
                "put the old files back and resume."
            )
        self._loaded = loaded

    def _is_closed(self) -> MachineError:
        return MachineError(f"The {self.role} worker is closed: resume the session to start another.")

    def _given_up(self, death: WorkerDiedError, deaths: int) -> MachineError:
        self._deaths = 0  # whoever resumes begins anew
        fate, times = death.fate, "" if deaths == 1 else f", {deaths} times over one request"
        return MachineError(f"The {self.role} worker {fate.words}{times}{fate.log}: {fate.remedy}.")


def _look(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        task.exception()
