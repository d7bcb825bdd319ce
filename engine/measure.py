"""From stored embeddings and colours to a candidate's evaluation. Arithmetic only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.budget import LEAST, Standing, standing
from engine.objectives import Evidence, Objective
from store.incoming import NewEvaluation
from store.records import ImageRecord

Floats = NDArray[np.float32]


def measure_bias(
    objective: Objective,
    logit_scale: float,
    variations: Sequence[str],
    texts: Floats,
    images: Sequence[ImageRecord],
    writing_id: int | None,
) -> NewEvaluation:
    """Score images against variations.

    Args:
        objective: one that needs variations.
        logit_scale: the scorer's own factor before its softmax.
        variations: T texts.
        texts: their unit vectors, shape (T, D).
        images: the images with their unit vectors, N of them.
        writing_id: the writing that the variations come from, if it is known.
    """
    vectors = np.stack([image.embedding for image in images])  # (N, D)
    # einsum sums in one order, whatever the number of threads: the same evidence gives the same last bit
    similarity = np.einsum("td,nd->tn", texts, vectors)
    measured = objective.measure(Evidence(_means(images), similarity, logit_scale))
    assert measured.analysis is not None
    return NewEvaluation(
        images=[image.id for image in images],
        variations=variations,
        similarity=similarity,
        scores=measured.scores,
        score_name=objective.score_name,
        coverage=measured.analysis.coverage.astype(np.float32),
        alignment=measured.analysis.alignment.astype(np.float32),
        missed=measured.analysis.missed,
        writing_id=writing_id,
    )


def measure_colour(objective: Objective, images: Sequence[ImageRecord]) -> NewEvaluation:
    """Score images by their mean colours; the evidence is one row, how far each image shows the colour."""
    means = _means(images)  # (N, 3)
    measured = objective.measure(Evidence(means))
    shown = np.array([[-objective.measure(Evidence(mean[None])).loss for mean in means]], dtype=np.float32)
    return NewEvaluation(
        images=[image.id for image in images],
        variations=[objective.score_name],
        similarity=shown,
        scores=measured.scores,
        score_name=objective.score_name,
        coverage=shown.max(axis=1),
        alignment=shown[0],
        missed=(),
    )


@dataclass(frozen=True, eq=False)
class Material:
    """What a candidate is measured on.

    Attributes:
        images: its images that are not blank, N of them.
        texts: unit vectors of its variations, shape (T, D); None where there are none.
        logit_scale: the scorer's own factor before its softmax.
    """

    images: Sequence[ImageRecord]
    texts: Floats | None
    logit_scale: float


def standing_of(material: Material, objective: Objective, key: int) -> Standing | None:
    """Measure a candidate for the race; None where too little of it can be measured.

    Args:
        material: of the candidate.
        objective: what is minimised, by a steady score.
        key: the candidate's number in the race.
    """
    if len(material.images) < LEAST or (objective.needs_variations and material.texts is None):
        return None
    means = _means(material.images)
    similarity = None
    if material.texts is not None:
        vectors = np.stack([image.embedding for image in material.images])
        similarity = np.einsum("td,nd->tn", material.texts, vectors)

    def score(places: Sequence[int]) -> float:
        chosen = list(places)
        part = similarity[:, chosen] if similarity is not None else None
        return objective.measure(Evidence(means[chosen], part, material.logit_scale)).loss

    return standing(key, len(material.images), score)


def _means(images: Sequence[ImageRecord]) -> NDArray[np.float64]:
    return np.array([image.mean_rgb for image in images], dtype=np.float64)
