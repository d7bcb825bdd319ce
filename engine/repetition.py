"""A prompt's score measured several times over: its value, how uncertain that is, and whether it is low. Pure.

A score is measured on N images and T variations, both drawn at random; R sets of each, all with all, tell how much it
depends on which were drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from engine.errors import InputError
from engine.statistics import LEVEL, Estimate, Floats, student

ScoreOf = Callable[[Floats], float]


@dataclass(frozen=True, eq=False)
class Repeated:
    """A prompt's score from R sets of variations and R sets of images, all different.

    Attributes:
        cells: the score of every set of variations (rows) on every set of images (columns), shape (R, R). Each is
            a measurement at the session's own N and T, so their mean has no bias for the truth.
        jackknife: variance of the mean by leaving out single images and single variations. Too large (Efron and
            Stein, Annals of Statistics 9 (1981)), the more so as both directions count the same noise, but stable.
        replication: variance of the mean from how the sets disagree: a two-way analysis of variance without
            replication (Scheffé, "The Analysis of Variance", 1959, section 7.4). Unbiased but noisy, may even be
            negative; None for R = 1.
        looks: R scores that share neither image nor variation, each on as many images as a search looks at first.
    """

    cells: Floats
    jackknife: float
    replication: float | None
    looks: Floats

    @property
    def value(self) -> float:
        """The estimate: the mean over all cells."""
        return float(self.cells.mean())

    @property
    def singles(self) -> Floats:
        """R scores that share neither image nor variation: independent measurements, shape (R,)."""
        return np.asarray(np.diagonal(self.cells))


def repeated_score(
    blocks: Sequence[Sequence[ArrayLike]], score: ScoreOf, look: int | None = None
) -> Repeated:
    """Score a prompt that was measured R times.

    Args:
        blocks: ``blocks[v][i]`` is the similarity matrix of variation set ``v`` (rows) and image set ``i``
            (columns); R of each. Sets may differ a little in size (blank images are left out).
        score: of one matrix.
        look: images that a search looks at first; None for all of a set.

    Raises:
        InputError: there is no block, or not as many sets of images as of variations.
    """
    count = len(blocks)
    if count == 0 or any(len(row) != count for row in blocks):
        raise InputError("A repeated measurement needs as many sets of images as sets of variations.")
    matrices = [[np.asarray(block, dtype=np.float64) for block in row] for row in blocks]
    cells = np.array([[score(block) for block in row] for row in matrices])
    jackknife = 0.0
    for one in range(count):
        beside = [matrices[v][one] for v in range(count)]  # all that hold image set ``one``
        jackknife += _jackknife(beside, 1, score) / count**2
        jackknife += _jackknife(matrices[one], 0, score) / count**2
    looks = np.array([score(matrices[one][one][:, :look]) for one in range(count)])
    return Repeated(cells, jackknife, _replication(cells) if count > 1 else None, looks)


def _jackknife(matrices: Sequence[Floats], axis: int, score: ScoreOf) -> float:
    """Jackknife variance of the mean score of matrices that share their rows (axis 0) or columns (axis 1)."""
    length = matrices[0].shape[axis]
    if length < 3:  # one less leaves nothing to compare
        return 0.0
    without = [
        np.mean([score(np.delete(matrix, place, axis=axis)) for matrix in matrices])
        for place in range(length)
    ]
    return float((length - 1) * np.var(without))


def _replication(cells: Floats) -> float:
    count = len(cells)
    rows = cells.mean(axis=1) - cells.mean()
    columns = cells.mean(axis=0) - cells.mean()
    rest = cells - cells.mean() - rows[:, None] - columns[None, :]
    between_rows = count * (rows**2).sum() / (count - 1)
    between_columns = count * (columns**2).sum() / (count - 1)
    noise = (rest**2).sum() / (count - 1) ** 2
    return float((between_rows + between_columns - noise) / count**2)


def calibrated(measured: Sequence[Repeated], level: float = LEVEL) -> tuple[Estimate, ...]:
    """Intervals of prompts that were measured repeatedly, in one run and with one score.

    The jackknife says how the variance differs from prompt to prompt, but is too large by a factor that depends
    on score, N and T; the replications say how large it is, but each for itself is far too noisy. So the
    jackknife variances of all prompts are scaled by one factor: the mean of the one at which their sum equals
    that of the replications, and of ``PRIOR_SCALE``, which counts as ``PRIOR_FREEDOM`` degrees of freedom (as
    under a scaled inverse chi-square prior: Gelman et al., "Bayesian Data Analysis", section 2.6). The intervals
    are Student's. The method is ours; that it is calibrated, and that neither the plain jackknife nor the two-way
    bootstrap is, is shown by simulation (docs/validity.md).
    """
    scale, freedom = jackknife_scale(measured)
    quantile = student(freedom, level)
    estimates = []
    for one in measured:
        half = quantile * math.sqrt(scale * one.jackknife)
        estimates.append(Estimate(one.value, one.value - half, one.value + half))
    return tuple(estimates)


def jackknife_scale(measured: Sequence[Repeated]) -> tuple[float, float]:
    """By what the jackknife variances of a run are to be multiplied, and how many degrees of freedom say so."""
    ours = theirs = freedom = 0.0
    for one in measured:
        if one.replication is not None:
            ours += one.jackknife
            theirs += one.replication
            freedom += len(one.cells) - 1
    found = max(theirs, 0.0) / ours if ours > 0 else PRIOR_SCALE
    scale = min((PRIOR_FREEDOM * PRIOR_SCALE + freedom * found) / (PRIOR_FREEDOM + freedom), _MOST_SCALE)
    return scale, PRIOR_FREEDOM + freedom


PRIOR_SCALE: Final = 1.0
"""How far the jackknife is believed before anything is known of a run. Simulated prompts had 0.4 (centred) to 0.95
(spread), so this is a little too wide for most scores and hardly too narrow for any."""
PRIOR_FREEDOM: Final = 10
_MOST_SCALE: Final = 1.5


def below_others(score: float, variance: float, others: ArrayLike) -> float:
    """One-sided p of a prompt's true score being no lower than the mean of the prompts that ``others`` are drawn from.

    Welch's t-test of one noisy score against a sample (Biometrika 34, 1947). 1 for fewer than 2 others.

    Args:
        score: of the prompt, in a draw on which it was not selected.
        variance: of its measurement, taken for known as well as ``PRIOR_FREEDOM`` degrees of freedom tell.
        others: scores of unselected prompts, each measured once.
    """
    from scipy.special import stdtr

    sample = np.asarray(others, dtype=np.float64)
    if len(sample) < 2:
        return 1.0
    spread = float(np.var(sample, ddof=1)) / len(sample)
    total = variance + spread
    apart = float(sample.mean()) - score
    if total <= 0:
        return 0.5 if apart == 0 else float(apart < 0)
    freedom = total**2 / (variance**2 / PRIOR_FREEDOM + spread**2 / (len(sample) - 1))
    return float(stdtr(freedom, -apart / math.sqrt(total)))
