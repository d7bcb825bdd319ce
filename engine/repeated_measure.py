"""A prompt measured several times over: sets of images against sets of variations, all with all. Arithmetic only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from engine.config import SearchSection
from engine.findings import missed_concepts
from engine.measure import measure_colour
from engine.objectives import BIAS, objective_named
from engine.repetition import Repeated, ScoreOf, repeated_score
from engine.score import SCORES, alignment_of, assignment_scale, check_similarity, coverage_of
from store.incoming import NewEvaluation
from store.records import ImageRecord

Floats = NDArray[np.float32]


def measure_repeatedly(
    config: SearchSection,
    logit_scale: float,
    variations: Sequence[Sequence[str]],
    texts: Sequence[Floats],
    images: Sequence[Sequence[ImageRecord]],
    writing_id: int | None,
) -> tuple[NewEvaluation, Repeated]:
    """Score R sets of images against R sets of variations, all with all, as ``statistics.repeated_score`` does.

    Args:
        config: names score, objective and alpha.
        logit_scale: the scorer's own factor before its softmax.
        variations: the texts of each set; R empty ones where the objective needs none.
        texts: their unit vectors, each of shape (T, D).
        images: the images of each set, R sets.
        writing_id: the writing that the first set comes from.

    Returns:
        The evaluation, whose matrix holds every text and every image and whose scores are the means over all pairs
        of sets; and the score that ranks, with its variances.
    """
    everything = [image for group in images for image in group]
    if config.objective != BIAS:
        return _colour_repeatedly(config, images)
    vectors = np.stack([image.embedding for image in everything])  # (R N, D)
    similarity = np.einsum("td,nd->tn", np.concatenate(texts), vectors)
    matrix = check_similarity(similarity)
    rows, columns = _cuts([len(group) for group in variations]), _cuts([len(group) for group in images])
    blocks = [[matrix[row, column] for column in columns] for row in rows]
    scale = assignment_scale(logit_scale)
    repeated = repeated_score(blocks, score_of(config, logit_scale), config.look)
    scores = {
        name: float(np.mean([score.function(block, config.alpha, scale) for row in blocks for block in row]))
        for name, score in SCORES.items()
    }
    names = [text for group in variations for text in group]
    coverage = coverage_of(matrix)
    evaluation = NewEvaluation(
        images=[image.id for image in everything],
        variations=names,
        similarity=similarity,
        scores=scores | {config.score: repeated.value},
        score_name=config.score,
        coverage=coverage.astype(np.float32),
        alignment=alignment_of(matrix).astype(np.float32),
        missed=missed_concepts(names, coverage, config.alpha),
        purpose="confirm",
        writing_id=writing_id,
    )
    return evaluation, repeated


def _colour_repeatedly(
    config: SearchSection, images: Sequence[Sequence[ImageRecord]]
) -> tuple[NewEvaluation, Repeated]:
    objective = objective_named(config.objective)
    everything = measure_colour(objective, [image for group in images for image in group])
    shown = np.asarray(everything.similarity, dtype=np.float64)
    blocks = [[shown[:, column] for column in _cuts([len(group) for group in images])]] * len(images)
    repeated = repeated_score(blocks, score_of(config, 0.0), config.look)
    scores: dict[str, float] = {config.objective: repeated.value}
    return replace(everything, purpose="confirm", scores=scores), repeated


def score_of(config: SearchSection, logit_scale: float) -> ScoreOf:
    """Return what ranks, as a function of a stored similarity matrix.

    Args:
        config: names score, objective and alpha.
        logit_scale: the scorer's own factor before its softmax; a colour needs none.
    """
    if config.objective != BIAS:
        return lambda block: -float(block.mean())  # rows: how much of the colour each image shows
    scale, ranking = assignment_scale(logit_scale), SCORES[config.score].function
    return lambda block: ranking(block, config.alpha, scale)


def _cuts(lengths: Sequence[int]) -> list[slice]:
    ends = np.cumsum(lengths).tolist()
    return [slice(end - length, end) for end, length in zip(ends, lengths, strict=True)]
