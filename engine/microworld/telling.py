"""What a scorer's similarity is made of: how much of it each thing tells that a picture shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from engine.microworld.data import EVEN, draw_all
from engine.microworld.families import mistakes
from engine.microworld.world import GROUPS, Meaning, attributes_of
from engine.models.protocols import Scorer

PICTURES: Final = 128
"""Pictures of each group."""


@dataclass(frozen=True)
class Telling:
    """Of the similarities between even pictures and captions that say all, without the means of either.

    Attributes:
        explained: share of their variance that things add up to, each by itself; the rest is their interplay and noise.
        least: what the least telling thing adds when it is right, beside what things add on average.
        least_name: which one that is.
    """

    explained: float
    least: float
    least_name: str


def telling(scorer: Scorer, seed: int) -> Telling:
    """Regress similarity on which things each caption has right; the groups' figures are averaged.

    Args:
        scorer: the scorer measured.
        seed: of the pictures.
    """
    rng = np.random.default_rng([41, seed])
    explained: list[float] = []
    told: dict[str, list[float]] = {}
    for group in GROUPS:
        shown = [EVEN.complete(Meaning(group), rng) for _ in range(PICTURES)]
        pixels = draw_all(shown, rng).pixels
        images = scorer.embed_images(torch.from_numpy(pixels).permute(0, 3, 1, 2))
        texts = scorer.embed_texts([meaning.text() for meaning in shown]).vectors
        similar = _centred(np.einsum("td,nd->tn", texts, images).astype(np.float64))
        names = ("subject", *attributes_of(group))
        things = np.stack([_centred(-_amiss(shown, name)) for name in names], 1)
        steps, *_ = np.linalg.lstsq(things, similar, rcond=None)
        explained.append(1 - float(((similar - things @ steps) ** 2).sum() / (similar**2).sum()))
        for name, step in zip(names, steps / steps.mean(), strict=True):
            told.setdefault(name, []).append(float(step))
    means = {name: float(np.mean(steps)) for name, steps in told.items()}
    least = min(means, key=lambda name: means[name])
    return Telling(float(np.mean(explained)), means[least], least)


def _amiss(shown: list[Meaning], name: str) -> NDArray[np.float64]:
    """Mistakes about one thing alone."""
    if name == "subject":
        bare = [Meaning(meaning.subject) for meaning in shown]
        return mistakes(bare, shown)
    said = [Meaning.of(meaning.subject, {name: meaning.values[name]}) for meaning in shown]
    return mistakes(said, shown) - mistakes([Meaning(meaning.subject) for meaning in shown], shown)


def _centred(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Without the means of its rows and columns, as one column of numbers."""
    centred = table - table.mean(0) - table.mean(1, keepdims=True) + table.mean()
    return np.asarray(centred.ravel())
