"""The painter, scorer and writer as the mining loop sees them: awaitable, without torch, wherever they run.

``WorkerStudio`` and ``WorkerPen`` speak to worker processes; tests put others in their place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine import protocol
from engine.config_sources import parse_config
from engine.errors import MachineError
from engine.models.protocols import Exchange, PaintJob, TextEmbeddings, Written
from engine.workers.host import WorkerHost
from engine.workers.messages import (
    EmbedTexts,
    Images,
    Paint,
    PainterLoaded,
    Reply,
    Texts,
    Vectors,
    Write,
    WriterLoaded,
)

_R = TypeVar("_R", bound=Reply)


@dataclass(frozen=True, eq=False)
class Drawn:
    """One image: PNG file, unit vector (D,), mean of each channel in 0 … 1, and whether it is blank."""

    png: bytes
    embedding: NDArray[np.float32]
    mean_rgb: tuple[float, float, float]
    blank: bool


@dataclass(frozen=True, eq=False)
class DrawnUnit:
    """The images of one unit of work, in the order of its jobs."""

    images: tuple[Drawn, ...]
    width: int
    height: int
    batch_size: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class WritingTask:
    """What the writer is asked: ``kind`` is variations, mutations or random (which has no prompt)."""

    kind: str
    count: int
    seed: int
    prompt: str = ""
    axis: str = ""
    theme: str = ""
    avoid: tuple[str, ...] = ()


class Supervised(Protocol):
    """What can be asked of any role while it works; all but ``settled`` return at once."""

    def vitals(self) -> protocol.WorkerVitals:
        """Its process, memory and how long its present task has taken; pid 0 where no process runs."""

    def hold(self) -> None:
        """Begin no further unit (painter) or task (writer); the one in hand is finished, texts are embedded.

        What was handed over already waits, and its deadline with it; holding twice is holding once.
        """

    def release(self) -> None:
        """Go on with what waits."""

    async def settled(self) -> None:
        """Return as soon as it is held and nothing is in hand (at once where no process runs)."""


class Studio(Supervised, Protocol):
    """Painter and scorer together: pixels do not leave them. Attributes name both (fingerprints)."""

    painter: str
    scorer: str
    logit_scale: float

    async def paint(self, jobs: Sequence[PaintJob]) -> DrawnUnit:
        """Draw and embed one unit; several may be under way at once."""

    async def embed_texts(self, texts: Sequence[str]) -> TextEmbeddings:
        """Embed texts in one call."""


class Pen(Supervised, Protocol):
    """The writer. ``writer`` is its fingerprint."""

    writer: str

    async def write(self, task: WritingTask) -> Written:
        """Carry out one task; the same task gives the same texts."""


def _host(role: str, config: bytes, log: Path, notify: Callable[[str], None]) -> WorkerHost:
    limits = parse_config(config, "the session's configuration").workers
    return WorkerHost(
        role,
        ("-m", f"engine.workers.{role}"),
        config,
        log,
        notify,
        deadline=limits.deadline,
        restarts=limits.restarts,
    )


class _Worker:
    """What a studio and a pen in worker processes have in common."""

    host: WorkerHost

    def vitals(self) -> protocol.WorkerVitals:
        """See ``Supervised``."""
        return self.host.vitals()

    def hold(self) -> None:
        """See ``Supervised``."""
        self.host.hold()

    def release(self) -> None:
        """See ``Supervised``."""
        self.host.release()

    async def settled(self) -> None:
        """See ``Supervised``."""
        await self.host.settled()


class WorkerStudio(_Worker):
    """A studio in a worker process; use after ``load``."""

    painter = ""
    scorer = ""
    logit_scale = 0.0

    def __init__(self, config: bytes, log: Path, notify: Callable[[str], None]) -> None:
        self.host = _host("painter", config, log, notify)

    async def load(self) -> None:
        """Start the worker and load painter and scorer; raises as ``WorkerHost.load``."""
        loaded = _expect(await self.host.load(), PainterLoaded)
        self.painter, self.scorer, self.logit_scale = loaded.painter, loaded.scorer, loaded.logit_scale

    async def paint(self, jobs: Sequence[PaintJob]) -> DrawnUnit:
        """Draw and embed one unit."""
        reply = _expect(
            await self.host.ask(Paint(jobs=tuple((job.prompt, job.seed) for job in jobs))), Images
        )
        images = tuple(
            Drawn(image.png, _vector(image.embedding), image.mean_rgb, image.blank) for image in reply.images
        )
        if len(images) != len(jobs):
            raise MachineError(f"The painter worker returned {len(images)} images of {len(jobs)}.")
        return DrawnUnit(images, reply.width, reply.height, reply.batch_size, reply.notes)

    async def embed_texts(self, texts: Sequence[str]) -> TextEmbeddings:
        """Embed texts in one call."""
        reply = _expect(await self.host.ask(EmbedTexts(texts=tuple(texts))), Vectors)
        vectors = _vector(reply.vectors).reshape(len(texts), reply.dimension)
        return TextEmbeddings(vectors, reply.truncated)


class WorkerPen(_Worker):
    """A writer in a worker process; use after ``load``."""

    writer = ""

    def __init__(self, config: bytes, log: Path, notify: Callable[[str], None]) -> None:
        self.host = _host("writer", config, log, notify)

    async def load(self) -> None:
        """Start the worker and load the LLM; raises as ``WorkerHost.load``."""
        self.writer = _expect(await self.host.load(), WriterLoaded).writer

    async def write(self, task: WritingTask) -> Written:
        """Carry out one task."""
        request = Write(
            kind=task.kind,
            count=task.count,
            seed=task.seed,
            prompt=task.prompt,
            axis=task.axis,
            theme=task.theme,
            avoid=task.avoid,
        )
        reply = _expect(await self.host.ask(request), Texts)
        exchanges = tuple(Exchange(e.request, e.reply, e.seed, e.verdict) for e in reply.exchanges)
        return Written(reply.texts, exchanges, reply.notes)


def _expect(reply: Reply, kind: type[_R]) -> _R:
    if not isinstance(reply, kind):
        raise MachineError(f"A worker answered {type(reply).__name__} where {kind.__name__} was asked for.")
    return reply


def _vector(raw: bytes) -> NDArray[np.float32]:
    return np.frombuffer(raw, dtype="<f4").astype(np.float32)
