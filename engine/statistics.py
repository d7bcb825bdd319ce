"""What may be claimed of noisy scores: intervals, tests, shrinkage, reliability. Pure functions.

A score is measured on N images and T variations, both drawn at random, and its expected value depends on N and T
(more images cover more). So the truth about a prompt is here always the score that fresh draws of the same N and
T give on average. scipy is imported where it is used: it takes a second, which no start may wait for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.errors import InputError

Floats = NDArray[np.float64]

LEVEL: Final = 0.95
RESAMPLES: Final = 2000
_EXACT: Final = 20_000  # so many rearrangements are all tried; of more a sample is


@dataclass(frozen=True)
class Estimate:
    """A value with its interval; ``low`` and ``high`` are infinite where nothing bounds it."""

    value: float
    low: float
    high: float


# ---------------------------------------------------------------- intervals


def wilson(successes: int, total: int, level: float = LEVEL) -> Estimate:
    """Share with Wilson's score interval (JASA 22, 1927): sensible at 0 of n and n of n, too; by scipy.

    Raises:
        InputError: the counts are no share.
    """
    if not 0 <= successes <= total or total == 0:
        raise InputError(f"{successes} of {total} is no share: give counts of something that was drawn.")
    from scipy.stats import binomtest

    found = binomtest(successes, total).proportion_ci(level, method="wilson")
    return Estimate(successes / total, float(found.low), float(found.high))


def bootstrap(
    statistic: Callable[..., Floats], *groups: Sequence[ArrayLike], seed: int, level: float = LEVEL
) -> Estimate:
    """Percentile bootstrap (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13).

    The bounds are values that occurred, so that a statistic may be infinite.

    Args:
        statistic: given for each group its arrays, shape (…, n), with what is resampled along the last axis; returns
            values of shape (…).
        groups: what is resampled apart from the others: arrays of one length n, whose elements belong together.
        seed: of the resampling.
        level: of the interval.
    """
    rng = np.random.default_rng(seed)
    given = [[np.asarray(one, dtype=np.float64) for one in group] for group in groups]
    drawn = []
    for group in given:
        rows = rng.integers(0, len(group[0]), (RESAMPLES, len(group[0])))
        drawn.append([one[rows] for one in group])
    bounds = np.quantile(statistic(*drawn), [(1 - level) / 2, (1 + level) / 2], method="inverted_cdf")
    return Estimate(float(statistic(*given)), float(bounds[0]), float(bounds[1]))


def rank_correlation(one: ArrayLike, other: ArrayLike) -> Floats:
    """Spearman's, along the last axis; ties get mean ranks, and where one side is constant nothing is ranked: 0."""
    from scipy.stats import rankdata

    return _correlation(*(rankdata(side, axis=-1) for side in (one, other)))


def spearman(one: ArrayLike, other: ArrayLike, *, seed: int, level: float = LEVEL) -> Estimate:
    """Rank correlation with a bootstrap interval over pairs.

    Raises:
        InputError: fewer than 3 pairs, or sides of different length.
    """
    return bootstrap(lambda pairs: rank_correlation(*pairs), _pairs(one, other, 3), seed=seed, level=level)


# ---------------------------------------------------------------- how much of a score is noise


@dataclass(frozen=True, eq=False)
class Shrunk:
    """Scores drawn towards their common mean.

    Attributes:
        values: the posterior means, in the order of the scores.
        mean: of the true scores.
        between: variance of the true scores.
    """

    values: Floats
    mean: float
    between: float


def shrink(observed: ArrayLike, variances: ArrayLike) -> Shrunk:
    """Empirical Bayes: what each true score is expected to be, given all of them and how noisy each one is.

    Normal scores around a normal population (Efron and Morris, JASA 70 (1975)); mean and spread of the population
    by the method of Paule and Mandel (1982), which is DerSimonian and Laird's iterated to its fixed point.

    Args:
        observed: scores, shape (n,), n ≥ 1.
        variances: of their measurement, shape (n,), not negative.

    Raises:
        InputError: shapes differ, nothing is given, or a variance is negative or not finite.
    """
    scores, noise = np.asarray(observed, dtype=np.float64), np.asarray(variances, dtype=np.float64)
    if scores.ndim != 1 or scores.shape != noise.shape or len(scores) == 0:
        raise InputError(f"{scores.shape} scores with {noise.shape} variances: give one variance per score.")
    if not (np.isfinite(noise).all() and (noise >= 0).all() and np.isfinite(scores).all()):
        raise InputError("Scores must be finite, and their variances finite and not negative.")
    between = _between(scores, noise)
    total = noise + between
    if not total.any():  # all alike, without noise
        return Shrunk(scores.copy(), float(scores.mean()), 0.0)
    weights = _weights(total)
    mean = float((weights * scores).sum())
    kept = np.divide(between, total, out=np.ones_like(total), where=total > 0)
    return Shrunk(mean + kept * (scores - mean), mean, between)


def _weights(total: Floats) -> Floats:
    """Inverse variances, summing to 1; scores without noise, if any, share all of the weight."""
    exact = total == 0
    inverse = exact.astype(np.float64) if exact.any() else total.min() / total  # at most 1, however small
    return np.asarray(inverse / inverse.sum())


def _between(scores: Floats, noise: Floats) -> float:
    """The population variance at which the weighted squares are what n - 1 degrees of freedom expect."""
    if len(scores) < 2:
        return 0.0

    def surplus(between: float) -> float:
        total = noise + between
        weights = _weights(total)
        centred = scores - (weights * scores).sum()
        with np.errstate(all="ignore"):
            squares = np.where(centred == 0, 0.0, centred**2 / total)
        return float(squares.sum()) - (len(scores) - 1)

    high = float(np.var(scores, ddof=1))
    if high == 0 or surplus(0.0) <= 0:
        return 0.0
    low = 0.0
    for _ in range(100):  # bisection: ``surplus`` falls, and is not above 0 at the plain variance
        if high - low <= 1e-12 * high:
            break
        middle = (low + high) / 2
        low, high = (middle, high) if surplus(middle) > 0 else (low, middle)
    return high


def reliability(first: ArrayLike, second: ArrayLike, level: float = LEVEL) -> Estimate | None:
    """Test-retest reliability: the correlation of two measurements of the same prompts, which nobody selected.

    The share of the scores' variance that is not noise. Interval by Fisher's z. None for fewer than 4 prompts or
    where all scores are equal. Prompts that were selected by one of the two: ``reliability_of_selected``.

    Raises:
        InputError: sides of different length.
    """
    one, other = _pairs(first, second, 0)
    if len(one) < 4 or not (np.ptp(one) > 0 and np.ptp(other) > 0):
        return None
    found = float(_correlation(one, other))
    half = _normal(level) / math.sqrt(len(one) - 3)
    z = math.atanh(max(min(found, 1 - 1e-12), -1 + 1e-12))
    return Estimate(found, math.tanh(z - half), math.tanh(z + half))


def reliability_of_population(
    population: ArrayLike, repeated: Sequence[ArrayLike], level: float = LEVEL
) -> Estimate | None:
    """Reliability from many prompts that were measured once and a few that were measured several times.

    1 - (variance between measurements of one prompt) / (variance of single scores over prompts): the intraclass
    correlation ICC(1,1) (Shrout and Fleiss, Psychological Bulletin 86 (1979)), its two variances from different
    samples, so its interval comes from their F ratio. None where either variance is unknown or 0.

    Args:
        population: scores of prompts that nobody selected, each measured once.
        repeated: for each prompt that was measured again, all its scores.
    """
    scores = np.asarray(population, dtype=np.float64)
    groups = [np.asarray(group, dtype=np.float64) for group in repeated]
    within_freedom = sum(len(group) - 1 for group in groups)
    if len(scores) < 3 or within_freedom < 2:
        return None
    total = float(np.var(scores, ddof=1))
    within = sum(float(((group - group.mean()) ** 2).sum()) for group in groups) / within_freedom
    if total <= 0:
        return None
    from scipy.special import fdtri

    ratio, between_freedom = within / total, len(scores) - 1
    low, high = (float(fdtri(within_freedom, between_freedom, q)) for q in ((1 - level) / 2, (1 + level) / 2))
    return Estimate(*(max(0.0, 1 - value) for value in (ratio, ratio / low, ratio / high)))


def reliability_of_selected(
    first: ArrayLike, second: ArrayLike, means: ArrayLike, level: float = LEVEL
) -> Estimate | None:
    """Reliability from prompts that were measured again *because* their first score was low (elites, pins).

    A correlation would suffer from the selection; the regression of the second score on the first does not: the
    expected second score is mean + reliability * (first - mean) whatever was selected on the first (Kelley 1947;
    Galton's regression to the mean). So: the slope through (mean, mean), by least squares, its interval from the
    residuals. None for fewer than 3 prompts, or where none was apart from its mean.

    Args:
        first: the scores that were selected on, shape (n,).
        second: scores of the same prompts from fresh images and variations, shape (n,).
        means: mean score of the population that each was selected from, shape (n,).

    Raises:
        InputError: sides of different length.
    """
    slope = slope_of_selected(first, second, means)
    if slope is None:
        return None
    one, other = _pairs(first, second, 0)
    _, middle = _pairs(first, means, 0)
    apart = one - middle
    residual = other - middle - slope * apart
    spread = math.sqrt(float((residual**2).sum()) / (len(one) - 1) / float((apart**2).sum()))
    half = student(len(one) - 1, level) * spread
    return Estimate(slope, slope - half, slope + half)


def slope_of_selected(first: ArrayLike, second: ArrayLike, means: ArrayLike) -> float | None:
    """Return the value of ``reliability_of_selected`` alone, which needs no scipy: a live screen may ask for it."""
    one, other = _pairs(first, second, 0)
    _, middle = _pairs(first, means, 0)
    apart = one - middle
    weight = float((apart**2).sum())
    if len(one) < 3 or weight == 0:
        return None
    return float((apart * (other - middle)).sum()) / weight


def noise_floor(first: ArrayLike, second: ArrayLike) -> float | None:
    """A/A test: by how much two measurements of one and the same prompt differ, at most, in 95 of 100 cases.

    1.96 times the root mean square of the differences (Bland and Altman's repeatability coefficient, Lancet 327,
    1986). None where nothing was measured twice.
    """
    one, other = _pairs(first, second, 0)
    return 1.96 * float(np.sqrt(np.mean((one - other) ** 2))) if len(one) else None


def inflation(reported: ArrayLike, true: ArrayLike, level_of_others: float) -> float | None:
    """Winner's curse: by which share the reported bias is larger than the true one; 0.24 = 24 % too large.

    Bias is how far a score lies below that of other prompts. None where the true one does not.

    Args:
        reported, true: scores of the same findings; lower = more biased.
        level_of_others: mean score of prompts that nobody selected.
    """
    claimed, held = _pairs(reported, true, 1)
    really = level_of_others - float(held.mean())
    return (level_of_others - float(claimed.mean())) / really - 1 if really > 0 else None


# ---------------------------------------------------------------- tests


def mined_below_random(mined: ArrayLike, random: ArrayLike, *, seed: int) -> float:
    """One-sided p of mined prompts scoring no lower than random ones: permutation test on the mean scores.

    The unit is the prompt, not the image, since the images of one prompt belong together (Fisher 1935; Phipson
    and Smyth 2010 for why p is never 0). All rearrangements where there are up to 20,000, else a sample; by scipy.

    Raises:
        InputError: one side is empty.
    """
    from scipy.stats import permutation_test

    left, right = np.asarray(mined, dtype=np.float64), np.asarray(random, dtype=np.float64)
    if len(left) == 0 or len(right) == 0:
        raise InputError("Mined prompts are compared with random ones: give at least one of each.")
    everything = math.comb(len(left) + len(right), len(left))
    if everything == 2 or min(len(left), len(right)) == 1:  # scipy asks for two observations on each side
        return _single(left, right)
    found = permutation_test(
        (left, right),
        lambda a, b, axis: np.mean(a, axis=axis) - np.mean(b, axis=axis),
        vectorized=True,
        n_resamples=_EXACT,
        alternative="less",
        rng=np.random.default_rng(seed),
    )
    return float(found.pvalue)


def _single(left: Floats, right: Floats) -> float:
    """The exact test where one side is a single prompt: its rank among all."""
    if len(left) == 1:
        return float((1 + (right <= left[0]).sum()) / (1 + len(right)))
    return float((1 + (left >= right[0]).sum()) / (1 + len(left)))


def benjamini_hochberg(p_values: ArrayLike) -> Floats:
    """Adjusted p-values (q): claiming all with q ≤ x keeps the expected share of false claims below x; by scipy.

    Benjamini and Hochberg, JRSS B 57 (1995).
    """
    from scipy.stats import false_discovery_control

    given = np.asarray(p_values, dtype=np.float64)
    return np.asarray(false_discovery_control(given)) if len(given) else given


# ---------------------------------------------------------------- helpers


def _pairs(one: ArrayLike, other: ArrayLike, least: int) -> tuple[Floats, Floats]:
    first, second = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    if first.ndim != 1 or first.shape != second.shape or len(first) < least:
        raise InputError(f"{first.shape} and {second.shape} values are no pairs: give at least {least}.")
    return first, second


def _correlation(one: Floats, other: Floats) -> Floats:
    """Pearson's, along the last axis; 0 where one side is constant."""
    a = one - one.mean(axis=-1, keepdims=True)
    b = other - other.mean(axis=-1, keepdims=True)
    spread = np.sqrt((a**2).sum(axis=-1) * (b**2).sum(axis=-1))
    return np.asarray(np.clip((a * b).sum(axis=-1) / np.where(spread > 0, spread, 1.0), -1, 1))


def _normal(level: float) -> float:
    from scipy.special import ndtri

    return float(ndtri((1 + level) / 2))


def student(freedom: float, level: float) -> float:
    """Half the width, in standard errors, of Student's interval of a level."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + level) / 2))
