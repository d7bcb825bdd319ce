"""From stored embeddings or colours to a candidate's evaluation. Arithmetic only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.config import SearchSection
from engine.score import analyse
from store.records import ImageRecord, NewEvaluation, Writing

COLOURS = {"red": 0, "green": 1, "blue": 2}


def measure_bias(
    search: SearchSection,
    logit_scale: float,
    writing: Writing,
    texts: NDArray[np.float32],
    images: Sequence[ImageRecord],
) -> NewEvaluation:
    """Score images against variations.

    Args:
        search: names the score that ranks and alpha.
        logit_scale: the scorer's own factor before its softmax.
        writing: the variations.
        texts: their unit vectors, shape (T, D).
        images: the images with their unit vectors, N of them.
    """
    # one thread, one order of summation: the matrix must not depend on how a BLAS splits it
    similarity = np.einsum("td,nd->tn", texts, np.stack([image.embedding for image in images]))  # (T, N)
    analysis = analyse(similarity, logit_scale=logit_scale, alpha=search.alpha)
    return NewEvaluation(
        images=[image.id for image in images],
        variations=writing.texts,
        similarity=similarity,
        scores=analysis.scores,
        score_name=search.score,
        coverage=analysis.coverage.astype(np.float32),
        alignment=analysis.alignment.astype(np.float32),
        missed=analysis.missed,
        writing_id=writing.id,
    )


def measure_colour(colour: str, images: Sequence[ImageRecord]) -> NewEvaluation:
    """Score images by a colour (the paper's Appendix A): one row of evidence, each image's objective."""
    values = np.array(
        [[_lack(image.mean_rgb, COLOURS[colour]) for image in images]], dtype=np.float32
    )  # (1, N)
    return NewEvaluation(
        images=[image.id for image in images],
        variations=[colour],
        similarity=values,
        scores={colour: float(values.mean())},
        score_name=colour,
        coverage=values.max(axis=1),
        alignment=values[0],
        missed=(),
    )


def _lack(rgb: tuple[float, float, float], channel: int) -> float:
    """How far a mean colour is from a pure one: the other channels' mean minus this one's, lower = nearer."""
    return (sum(rgb) - rgb[channel]) / 2 - rgb[channel]
