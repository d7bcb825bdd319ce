"""Ways to break the instrument on purpose, and whether that is noticed: ``python -m engine.validation.broken``.

Every break is real: the painter draws, the scorer reads, the writer writes, only one of them wrongly. Whoever
trusts the controls can see them fail here, in the words that a user would read.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from engine.controls import Measured, faults
from engine.microworld.drawing_painter import DrawingPainter
from engine.microworld.skews import SkewTable
from engine.models.protocols import (
    Direction,
    Painted,
    Painter,
    PaintJob,
    Scorer,
    TextEmbeddings,
    Writer,
    Written,
)
from engine.validation.document import DOCUMENT, machine, publish, says_faults
from engine.validation.evidence import IMAGES, VARIATIONS, draw_prompts

if TYPE_CHECKING:
    import torch

PROMPTS: Final = 16
_SEED: Final = 7


@dataclass(frozen=True)
class Chain:
    """One of each role, and what is done to S before it is scored."""

    painter: Painter
    scorer: Scorer
    writer: Writer
    similarity: Callable[[NDArray[np.float32]], NDArray[np.float32]] = lambda matrix: matrix


class _Painting:
    """A painter that asks another one for something else, or spoils what it drew."""

    def __init__(
        self,
        painter: Painter,
        jobs: Callable[[Sequence[PaintJob]], Sequence[PaintJob]] = lambda jobs: jobs,
        pixels: Callable[[torch.Tensor], torch.Tensor] = lambda pixels: pixels,
    ) -> None:
        self.fingerprint, self.batch_size, self.size = "broken", painter.batch_size, painter.size
        self._painter, self._jobs, self._pixels = painter, jobs, pixels

    def paint(self, jobs: Sequence[PaintJob]) -> Painted:
        """Draw wrongly."""
        painted = self._painter.paint(self._jobs(jobs))
        return replace(painted, pixels=self._pixels(painted.pixels))


class _Reading:
    """A scorer that is given pictures as another model's preprocessing would make them."""

    def __init__(self, scorer: Scorer, pixels: Callable[[torch.Tensor], torch.Tensor]) -> None:
        self.fingerprint, self.context_length = "broken", scorer.context_length
        self.logit_scale = scorer.logit_scale
        self._scorer, self._pixels = scorer, pixels

    def embed_texts(self, texts: Sequence[str]) -> TextEmbeddings:
        """As the scorer itself."""
        return self._scorer.embed_texts(texts)

    def embed_images(self, pixels: torch.Tensor) -> NDArray[np.float32]:
        """Embed what wrong preprocessing makes of the pictures."""
        return self._scorer.embed_images(self._pixels(pixels))


class _Repeating:
    """A writer that has one idea for a prompt and words it in another order."""

    fingerprint = "broken"

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def variations(self, prompt: str, count: int, seed: int, direction: Direction) -> Written:
        """The same thing ``count`` times."""
        written = self._writer.variations(prompt, 2, seed, direction)
        return replace(written, texts=tuple(written.texts[i % 2] for i in range(count)))

    def mutations(self, prompt: str, count: int, seed: int, direction: Direction) -> Written:
        """As the writer itself."""
        return self._writer.mutations(prompt, count, seed, direction)

    def random_prompts(
        self, count: int, seed: int, direction: Direction, avoid: Sequence[str] = ()
    ) -> Written:
        """As the writer itself."""
        return self._writer.random_prompts(count, seed, direction, avoid)


def _shuffled(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    rng = np.random.default_rng(_SEED)
    return rng.permutation(matrix.ravel()).reshape(matrix.shape)


def _unnormalised(pixels: torch.Tensor) -> torch.Tensor:
    """As if 0 … 255 had been taken for 0 … 1 and cut off: what a forgotten division makes."""
    return (pixels > 0).to(pixels.dtype) * 255


def _same_prompt(jobs: Sequence[PaintJob]) -> Sequence[PaintJob]:
    return [PaintJob("a cat", job.seed) for job in jobs]


BREAKS: Final[Mapping[str, Callable[[Chain], Chain]]] = MappingProxyType(
    {
        "S is shuffled": lambda chain: replace(chain, similarity=_shuffled),
        "the scorer's preprocessing is wrong": lambda chain: replace(
            chain, scorer=_Reading(chain.scorer, _unnormalised)
        ),
        "the LLM repeats itself": lambda chain: replace(chain, writer=_Repeating(chain.writer)),
        "the painter draws blanks": lambda chain: replace(
            chain, painter=_Painting(chain.painter, pixels=lambda pixels: pixels * 0)
        ),
        "the painter ignores the prompt": lambda chain: replace(
            chain, painter=_Painting(chain.painter, jobs=_same_prompt)
        ),
    }
)


def noticed(chain: Chain, prompts: int = PROMPTS) -> tuple[str, ...]:
    """What the controls say after a first generation of random prompts."""
    measured = []
    for number, meaning in enumerate(draw_prompts(prompts, np.random.default_rng(_SEED))):
        text = meaning.text()
        jobs = [PaintJob(text, 1000 * number + index) for index in range(IMAGES)]
        images = chain.scorer.embed_images(chain.painter.paint(jobs).pixels)
        variations = chain.writer.variations(text, VARIATIONS, 2 * number, Direction()).texts
        texts = chain.scorer.embed_texts(variations).vectors
        similarity = chain.similarity(np.einsum("td,nd->tn", texts, images))
        measured.append(Measured(text, variations, VARIATIONS, texts, images, similarity))
    return faults(measured)


def working_chain(scorer: Scorer, writer: Writer) -> Chain:
    """The drawing painter with a scorer and a writer, all of them sound."""
    return Chain(DrawingPainter(SkewTable.planted()), scorer, writer)


@says_faults
def main(arguments: Sequence[str] | None = None) -> int:
    """Break each part in turn; exit code 1 where a break goes unnoticed or the sound chain is blamed."""
    from engine.validation.known_world import load_instrument

    parser = argparse.ArgumentParser(prog="python -m engine.validation.broken", description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"put the table into {DOCUMENT}")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    instrument = load_instrument()
    sound = working_chain(instrument.scorer, instrument.writer)
    said = {"nothing is broken": noticed(sound)}
    said |= {name: noticed(wrong(sound)) for name, wrong in BREAKS.items()}
    rows = [f"| {name} | {' '.join(sentences) or '(nothing)'} |" for name, sentences in said.items()]
    text = "\n".join(
        [
            "## A deliberately broken instrument",
            "",
            f"Written by `python -m engine.validation.broken --write` on {machine()}, in "
            f"{time.monotonic() - started:.0f} s. Each part of the chain is broken in turn; what the controls say "
            "after a first generation of random prompts, as a session and `minegap validate scores` say it.",
            "",
            "| what is broken | what is said |",
            "|---|---|",
            *rows,
            "",
        ]
    )
    publish("broken", text, write=options.write)
    return int(bool(said["nothing is broken"]) or not all(said[name] for name in BREAKS))


if __name__ == "__main__":
    sys.exit(main())
