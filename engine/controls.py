"""Controls of the instrument itself: does what was measured hang together? Pure functions of vectors and texts.

A search minimises a score, so a broken instrument is mined as eagerly as a biased model. Each control knows one
way to break and says it in a sentence; none needs to know the truth about any prompt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32] | NDArray[np.float64]

FEWEST: Final = 6
"""Prompts below which nothing is said: chance alone could fail or pass a control."""
_REARRANGEMENTS: Final = 999
_CHANCE: Final = 0.01
_ALIKE: Final = 0.999
_REPEATING: Final = 0.5
_SEED: Final = 4


@dataclass(frozen=True)
class Measured:
    """One prompt's evidence.

    Attributes:
        prompt: its text.
        variations: texts that the writer gave, T of them.
        wanted: how many it was asked for.
        texts: unit vectors of the variations (T, D).
        images: unit vectors of the images (N, D).
        similarity: S as it was scored (T, N).
    """

    prompt: str
    variations: Sequence[str]
    wanted: int
    texts: Floats
    images: Floats
    similarity: Floats


def faults(measured: Sequence[Measured], axis: str = "") -> tuple[str, ...]:
    """What is wrong with the instrument, a sentence each; empty where nothing shows.

    Args:
        measured: different prompts, best random ones: prompts of one family may look alike to any instrument.
        axis: what alone the variations were to vary, where the search is targeted: there may be only two
            different ones then, and the writer is not blamed for it.
    """
    if len({one.prompt for one in measured}) < FEWEST:
        return ()
    found = (
        similarities_fault(measured),
        pictures_fault(measured),
        prompts_fault(measured),
        "" if axis else writer_fault(measured),
    )
    return tuple(sentence for sentence in found if sentence)


def similarities_fault(measured: Sequence[Measured]) -> str:
    """Whether S is what its vectors give, each value in its place."""
    wrong = sum(
        not np.allclose(one.similarity, one.texts @ one.images.T, atol=1e-3)
        for one in measured
        if len(one.variations)
    )
    if not wrong:
        return ""
    return (
        f"The similarities of {wrong} of {len(measured)} prompts are not those of their images and variations: "
        "S is shuffled or stale, and no score of it means anything."
    )


def pictures_fault(measured: Sequence[Measured]) -> str:
    """Whether images differ at all, within a prompt and between prompts."""
    vectors = np.concatenate([one.images for one in measured]).astype(np.float64)
    centre = vectors.mean(axis=0)
    alike = float(centre @ centre)  # mean cosine of all pairs, each with itself included
    if alike < _ALIKE:
        return ""
    return (
        f"All {len(vectors)} images of {len(measured)} prompts look the same to the scorer (mean cosine "
        f"{alike:.4f}): the painter draws blanks or one picture whatever it is asked for."
    )


def prompts_fault(measured: Sequence[Measured]) -> str:
    """Whether images are nearer to their own prompt's variations than to other prompts', by permutation."""
    some = [one for one in measured if len(one.variations)]
    if len(some) < FEWEST:
        return ""
    shown = np.stack([one.images.mean(axis=0) for one in some]).astype(np.float64)
    said = np.stack([one.texts.mean(axis=0) for one in some]).astype(np.float64)
    match = shown @ said.T  # (prompts by images, prompts by variations)
    count = len(some)
    rng = np.random.default_rng(_SEED)
    others = [match[np.arange(count), rng.permutation(count)].sum() for _ in range(_REARRANGEMENTS)]
    p = (1 + sum(other >= np.trace(match) for other in others)) / (1 + _REARRANGEMENTS)
    if p <= _CHANCE:
        return ""
    crossed = match.diagonal()[:, None] + match.diagonal()[None] - match - match.T
    better = float((crossed[np.triu_indices(count, 1)] > 0).mean())
    return (
        f"Images are no nearer to their own prompt's variations than to another prompt's (own ones fit better in "
        f"{100 * better:.0f} % of pairs, 50 % is chance, p = {p:.2f}): the painter does not heed its prompts, or "
        "the scorer cannot read these images (wrong preprocessing or weights)."
    )


def writer_fault(measured: Sequence[Measured]) -> str:
    """Whether the writer gives as many different variations as it is asked for."""
    shares = [len({_bag(text) for text in one.variations}) / one.wanted for one in measured]
    share = float(np.mean(shares))
    if share >= _REPEATING:
        return ""
    wanted = measured[0].wanted
    return (
        f"The writer repeats itself: of {wanted} variations asked for it gives {share * wanted:.1f} different ones "
        "on average, so most of what a prompt could mean is never looked for. Raise writer.temperature, or use "
        "another LLM."
    )


def _bag(text: str) -> frozenset[str]:
    """What a variation says, whatever the order of its words."""
    return frozenset(word.strip(".,;:!?\"'").lower() for word in text.split()) - {"a", "an", "the"}
