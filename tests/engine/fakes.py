"""Deterministic stand-ins for the three models, and failures on demand.

Pixels, vectors and texts are functions of the request alone, as the roles' contracts demand; only the machine
is pretended, the store is real.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.config import MiningConfig
from engine.models.protocols import Exchange, PaintJob, TextEmbeddings, Written
from engine.protocol import WorkerVitals
from engine.services import Drawn, DrawnUnit, Pen, Studio, WritingTask

WORDS = ("red", "blue", "old", "young", "small", "big", "snow", "night", "beach", "forest", "rain", "sun")
THINGS = ("cat", "dog", "car", "tree", "doctor", "nurse", "teapot", "house", "horse", "boat", "king", "robot")


def number(*parts: object) -> int:
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8], "big")


def vector(*parts: object) -> NDArray[np.float32]:
    raw = np.random.default_rng(number(*parts)).normal(size=16)
    return (raw / np.linalg.norm(raw)).astype(np.float32)


Trip = Callable[[str], None]
"""Called with the name of each step before it is done; may raise."""


def no_trip(step: str) -> None:
    """Never fails."""


Work = Callable[[], Awaitable[None]]
"""Awaited while a unit or a task is in hand: a test decides how long that takes."""


async def at_once() -> None:
    """Let the others have a turn, no more."""
    await asyncio.sleep(0)


class Hand:
    """One thing at a time, none begun while it is held."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._free = asyncio.Event()
        self._free.set()
        self._empty = asyncio.Event()
        self._empty.set()

    async def __aenter__(self) -> None:
        await self._turn.acquire()
        try:
            while not self._free.is_set():
                await self._free.wait()
        except BaseException:
            self._turn.release()
            raise
        self._empty.clear()

    async def __aexit__(self, *_: object) -> None:
        self._empty.set()
        self._turn.release()

    def hold(self) -> None:
        self._free.clear()

    def release(self) -> None:
        self._free.set()

    async def settled(self) -> None:
        await self._empty.wait()


class Handed:
    """What both fakes have in common: a hand."""

    role = ""
    hand: Hand

    def vitals(self) -> WorkerVitals:
        return WorkerVitals(role=self.role, pid=0, memory_mib=1.0, busy_seconds=0.0, restarts=0)

    def hold(self) -> None:
        self.hand.hold()

    def release(self) -> None:
        self.hand.release()

    async def settled(self) -> None:
        await self.hand.settled()


@dataclass
class FakeStudio(Handed, Studio):
    """Draws flat 4 x 4 images; an image's vector leans towards its prompt's, so prompts differ in spread."""

    trip: Trip = no_trip
    work: Work = at_once
    role: str = "painter"
    hand: Hand = field(default_factory=Hand)
    painter: str = "fake painter"
    scorer: str = "fake scorer"
    logit_scale: float = 20.0
    blank_prompts: frozenset[str] = frozenset()
    units: list[tuple[PaintJob, ...]] = field(default_factory=list)

    async def paint(self, jobs: Sequence[PaintJob]) -> DrawnUnit:
        async with self.hand:
            self.trip("paint")
            self.units.append(tuple(jobs))
            await self.work()
        return DrawnUnit(tuple(self._draw(job) for job in jobs), 4, 4, len(jobs))

    def _draw(self, job: PaintJob) -> Drawn:
        rgb = np.random.default_rng(number(job.prompt, job.seed)).integers(0, 256, 3, dtype=np.uint8)
        file = io.BytesIO()
        Image.fromarray(np.broadcast_to(rgb, (4, 4, 3)).copy()).save(file, "PNG")
        pull = number(job.prompt) % 7 / 3
        raw = vector("image", job.prompt, job.seed) + pull * vector("text", job.prompt)
        mean = tuple(float(value) / 255 for value in rgb)
        return Drawn(
            file.getvalue(),
            (raw / np.linalg.norm(raw)).astype(np.float32),
            (mean[0], mean[1], mean[2]),
            job.prompt in self.blank_prompts,
        )

    async def embed_texts(self, texts: Sequence[str]) -> TextEmbeddings:
        self.trip("embed")
        await asyncio.sleep(0)
        # the batch leaves a trace in the last bits, as on a real machine: composition must not vary
        noise = np.float32(len(texts) * 1e-7)
        rows = np.stack([vector("text", text) for text in texts]) + noise
        return TextEmbeddings(rows, (False,) * len(texts))


@dataclass
class FakePen(Handed, Pen):
    """Writes sentences from word lists; ``scarce`` prompts get a single variation."""

    trip: Trip = no_trip
    work: Work = at_once
    role: str = "writer"
    hand: Hand = field(default_factory=Hand)
    writer: str = "fake writer"
    scarce: frozenset[str] = frozenset()
    tasks: list[WritingTask] = field(default_factory=list)

    async def write(self, task: WritingTask) -> Written:
        async with self.hand:
            self.trip(task.kind)
            self.tasks.append(task)
            await self.work()
        rng = np.random.default_rng(number(task.kind, task.prompt, task.seed))
        texts: list[str] = []
        wanted = 1 if task.prompt in self.scarce and task.kind == "variations" else task.count
        while len(texts) < wanted:
            text = self._text(task, rng)
            if text not in texts and text not in task.avoid:
                texts.append(text)
        exchanges = tuple(Exchange(f"please: {task.kind}", text, task.seed, "accepted") for text in texts)
        return Written(tuple(texts), exchanges)

    def _text(self, task: WritingTask, rng: np.random.Generator) -> str:
        if task.kind == "random":
            return f"a {rng.choice(WORDS)} {rng.choice(THINGS)} {rng.integers(1000)}"
        return f"{task.prompt}, {rng.choice(WORDS)} and {rng.choice(WORDS)} {rng.integers(100)}"


@dataclass
class FakeModels:
    """Hands out the two fakes; a pen with other meta-prompts is another pen.

    ``opened`` holds the configurations that the models were opened with, ``pens`` those of reopened pens.
    """

    studio: FakeStudio = field(default_factory=FakeStudio)
    pen: FakePen = field(default_factory=FakePen)
    trip: Trip = no_trip
    closed: bool = False
    opened: list[MiningConfig] = field(default_factory=list)
    pens: list[FakePen] = field(default_factory=list)

    async def open(self, config: MiningConfig, notify: Callable[[str], None]) -> tuple[Studio, Pen]:
        self.trip("load")
        self.opened.append(config)
        await asyncio.sleep(0)
        return self.studio, self.pen

    async def reopen_pen(self, config: MiningConfig, notify: Callable[[str], None]) -> Pen:
        self.trip("reopen")
        await asyncio.sleep(0)
        prompts = config.writer.prompts
        writer = f"fake writer with {prompts}" if prompts else "fake writer"
        self.pens.append(FakePen(self.pen.trip, self.pen.work, writer=writer))
        return self.pens[-1]

    async def close(self) -> None:
        self.closed = True
