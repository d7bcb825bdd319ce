"""The three roles a model pack fills, and the values that pass between them.

An adapter implements one protocol; ``tests/engine/conformance.py`` holds the class of tests that every
implementation passes. Nothing here imports a model library.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class PaintJob:
    """One image to draw: a prompt and the seed of its own noise generator."""

    prompt: str
    seed: int


@dataclass(frozen=True)
class Painted:
    """What came of a list of jobs, in their order.

    Attributes:
        pixels: uint8, shape (len(jobs), 3, height, width), on the painter's device.
        blank: one flag per image: all pixels (nearly) equal, as a safety checker or a NaN leaves them.
        batch_size: the batch that was in force at the end (smaller than before after an out-of-memory).
        notes: sentences for the user about what happened on the way (memory, blanks); usually empty.
    """

    pixels: torch.Tensor
    blank: tuple[bool, ...]
    batch_size: int
    notes: tuple[str, ...] = ()


class Painter(Protocol):
    """A text-to-image model. An image is a function of (fingerprint, prompt, seed), never of its batch.

    Attributes:
        fingerprint: names weights and every setting that changes pixels (class, sampler, steps, guidance,
            size, dtype); two painters with equal fingerprints draw the same law.
        batch_size: images drawn at once; may shrink after an out-of-memory, never grows.
        size: (width, height) in pixels.
    """

    fingerprint: str
    batch_size: int
    size: tuple[int, int]

    def paint(self, jobs: Sequence[PaintJob]) -> Painted:
        """Draw every job, each with its own CPU generator, in full batches of one size (tails are padded).

        Out of memory halves the batch and redraws the same seeds.

        Raises:
            MachineError: one image alone does not fit, or the device failed.
        """


@dataclass(frozen=True)
class TextEmbeddings:
    """Unit vectors of texts: float32, shape (T, D); ``truncated[i]`` where text i was longer than the context."""

    vectors: NDArray[np.float32]
    truncated: tuple[bool, ...]


class Scorer(Protocol):
    """A CLIP model: maps texts and images to one unit sphere.

    Attributes:
        fingerprint: names weights, preprocessing and dtype.
        context_length: tokens a text may have, start and end marks included.
        logit_scale: the factor CLIP was trained to multiply cosines by before its softmax (exp of the parameter).
    """

    fingerprint: str
    context_length: int
    logit_scale: float

    def embed_texts(self, texts: Sequence[str]) -> TextEmbeddings:
        """Embed texts as unit-norm float32, shape (T, D); says which were cut at the context length."""

    def embed_images(self, pixels: torch.Tensor) -> NDArray[np.float32]:
        """Embed uint8 pixels (N, 3, H, W), preprocessed exactly as open_clip's own transform; (N, D) unit-norm."""


@dataclass(frozen=True)
class Exchange:
    """One request to the LLM and its raw reply, kept for the record.

    Attributes:
        request: the full text the model was given (chat template applied).
        reply: exactly what it wrote.
        seed: the sampler seed of this sequence.
        verdict: ``"accepted"`` or why the reply was set aside.
    """

    request: str
    reply: str
    seed: int
    verdict: str


@dataclass(frozen=True)
class Written:
    """What the writer made of one task.

    Attributes:
        texts: accepted texts in order; may be fewer than asked for after all retries.
        exchanges: every request and raw reply, rejected ones included.
        notes: sentences for the user (for example: only 12 of 16 variations could be had).
    """

    texts: tuple[str, ...]
    exchanges: tuple[Exchange, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Direction:
    """Where the search is pointed: a target axis ("gender", "style", free text) and a theme; empty = anywhere."""

    axis: str = ""
    theme: str = ""


class Writer(Protocol):
    """A local LLM that writes prompts. Repeatable: the same call gives the same texts.

    Attributes:
        fingerprint: names weights, sampling settings and meta-prompts.
    """

    fingerprint: str

    def variations(self, prompt: str, count: int, seed: int, direction: Direction) -> Written:
        """Texts that each keep what ``prompt`` says and add or specify something it leaves open."""

    def mutations(self, prompt: str, count: int, seed: int, direction: Direction) -> Written:
        """Prompts near ``prompt`` that change one or two of its things."""

    def random_prompts(
        self, count: int, seed: int, direction: Direction, avoid: Sequence[str] = ()
    ) -> Written:
        """Fresh prompts that leave details open; none repeats one in ``avoid``."""
