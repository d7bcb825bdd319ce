"""Deterministic stand-ins for the three models, and failures on demand.

Pixels, vectors and texts are functions of the request alone, as the roles' contracts demand; only the machine
is pretended, the store is real.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.config import MiningConfig
from engine.models.protocols import Exchange, PaintJob, TextEmbeddings, Written
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


@dataclass
class FakeStudio(Studio):
    """Draws flat 4 x 4 images; an image's vector leans towards its prompt's, so prompts differ in spread."""

    trip: Trip = no_trip
    painter: str = "fake painter"
    scorer: str = "fake scorer"
    logit_scale: float = 20.0
    blank_prompts: frozenset[str] = frozenset()
    units: list[tuple[PaintJob, ...]] = field(default_factory=list)

    async def paint(self, jobs: Sequence[PaintJob]) -> DrawnUnit:
        self.trip("paint")
        await asyncio.sleep(0)
        self.units.append(tuple(jobs))
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
class FakePen(Pen):
    """Writes sentences from word lists; ``scarce`` prompts get a single variation."""

    trip: Trip = no_trip
    writer: str = "fake writer"
    scarce: frozenset[str] = frozenset()
    tasks: list[WritingTask] = field(default_factory=list)

    async def write(self, task: WritingTask) -> Written:
        self.trip(task.kind)
        await asyncio.sleep(0)
        self.tasks.append(task)
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
    """Hands out the two fakes."""

    studio: FakeStudio = field(default_factory=FakeStudio)
    pen: FakePen = field(default_factory=FakePen)
    closed: bool = False

    async def open(self, config: MiningConfig, notify: Callable[[str], None]) -> tuple[Studio, Pen]:
        return self.studio, self.pen

    async def close(self) -> None:
        self.closed = True
