"""Supervisors of a worker of a few lines, which falls, hangs or refuses as its requests tell it to.

Processes are real; only the waiting between beats and before restarts is the test's to give.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from engine.workers import process
from engine.workers.host import WorkerHost
from engine.workers.messages import Write

WORKER = """
import ctypes, os, sys, time
from pathlib import Path
from engine.errors import FreshProcessError, InputError
from engine.workers.desk import Desk
from engine.workers.messages import EmbedTexts, Held, Load, Pong, Texts, Vectors, WriterLoaded

desk = Desk()
folder = Path(sys.argv[1])

def starts():
    return len((folder / "starts").read_text())

def wait_for(name):
    while not (folder / name).exists():
        time.sleep(0.001)

def load(request):
    with (folder / "starts").open("a") as file:
        file.write("x")
    if request.config == b"dies while loading" or (request.config == b"dies once" and starts() == 1):
        os._exit(9)
    if request.config == b"hangs once while loading" and starts() == 1:
        wait_for("never")
    if request.config == b"gone later" and starts() > 1:
        raise InputError("There is no such model: check the path.")
    changes = request.config == b"another" and not (folder / "old files are back").exists()
    name = f"model {starts()}" if changes else "model 1"
    desk.reply(WriterLoaded(id=request.id, writer=name))

def fall(kind):
    if kind == "die":
        os._exit(7)
    elif kind == "kill":
        os.kill(os.getpid(), 9)
    elif kind == "abort":
        print("GGML_ASSERT(n_tokens <= n_batch) failed", file=sys.stderr, flush=True)
        os.abort()
    elif kind == "segfault":
        ctypes.string_at(0)
    elif kind == "fresh":
        raise FreshProcessError("The device cuda:0 failed (illegal memory access).")
    elif kind == "break":
        raise ZeroDivisionError
    elif kind == "garbage":
        desk._out.write(b"Segmentation fault (core dumped) in a library that prints")
        wait_for("never")
    elif kind == "frame of garbage":
        desk._out.write(bytes([0, 0, 0, 3]) + b"abc")
        wait_for("never")
    elif kind == "flood":
        while True:
            desk.reply(Texts(id=1, texts=("spam",), exchanges=()))
    elif kind == "pongs":
        while True:
            desk.reply(Pong())
    elif kind == "holds":
        while True:
            desk.reply(Held(id=1))
    elif kind == "mute":
        desk._out.close()
        wait_for("never")
    elif kind == "hang":
        wait_for("never")

def handle(request):
    print("chatter of a library")
    os.write(1, b"chatter of a C library\\n")
    if isinstance(request, Load):
        load(request)
    elif isinstance(request, EmbedTexts):
        desk.reply(Vectors(id=request.id, vectors=b"", dimension=0, truncated=()))
    else:
        with (folder / "begun").open("a") as file:
            file.write(request.kind + " ")
        if request.kind == "refuse":
            raise InputError("The prompt is too long: shorten it.")
        if request.kind.startswith("wait"):
            wait_for(request.kind.replace("wait", "go"))
        once, _, kind = request.kind.rpartition("once: ")
        if not once and (kind == request.kind or starts() == 1):
            fall(kind)
        desk.reply(Texts(id=request.id, texts=(request.kind, str(request.seed)), exchanges=()))

desk.work(handle)
"""


class Time:
    """Sleeping as the supervisor sees it: beats come when the test says so, back-off at once."""

    def __init__(self) -> None:
        self.delays: list[float] = []
        self._sleeping: list[asyncio.Future[None]] = []

    async def sleep(self, seconds: float) -> None:
        if seconds != process.BEAT_SECONDS:
            self.delays.append(seconds)
            return
        beat: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleeping.append(beat)
        await beat

    async def beat(self) -> None:
        """Let one beat pass for every process."""
        sleeping, self._sleeping = self._sleeping, []
        for beat in sleeping:
            if not beat.done():
                beat.set_result(None)
        await asyncio.sleep(0)


class Rig:
    """Makes supervisors of the little worker and keeps what they say."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.time = Time()
        self.notices: list[str] = []
        self.hosts: list[WorkerHost] = []

    def __call__(self, config: bytes = b"same", deadline: float = 900.0, restarts: int = 3) -> WorkerHost:
        (self.folder / "worker.py").write_text(WORKER)
        command = (str(self.folder / "worker.py"), str(self.folder))
        log = self.folder / "writer.log"
        made = WorkerHost(
            *("writer", command, config, log, self.notices.append),
            deadline=deadline,
            restarts=restarts,
            sleep=self.time.sleep,
        )
        self.hosts.append(made)
        return made

    @property
    def starts(self) -> int:
        return len((self.folder / "starts").read_text())

    @property
    def begun(self) -> list[str]:
        file = self.folder / "begun"
        return file.read_text().split() if file.exists() else []

    async def until_loading(self) -> None:
        while not (self.folder / "starts").exists():
            await asyncio.sleep(0)

    async def until_begun(self, kind: str) -> None:
        while kind not in self.begun:
            await asyncio.sleep(0)

    async def beat_until(self, happened: Callable[[], object], answered: WorkerHost | None = None) -> int:
        """Beat until something happened, after each beat until the worker's reader answered; count beats."""
        beats = 0
        while not happened():
            await (self.answered(answered) if answered else self.time.beat())
            beats += 1
        return beats

    async def answered(self, worker: WorkerHost) -> None:
        """Wait until the worker's reader has answered a ping, sent with a beat."""
        running = worker._process
        assert running is not None
        await self.time.beat()
        while running.fate is None and running._pings:
            await asyncio.sleep(0)


def write(kind: str, seed: int = 0) -> Write:
    return Write(kind=kind, count=1, seed=seed)
