"""What is claimed of mined prompts, simulated against the truth: tests keep their level, intervals their coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine import repetition, statistics

SESSIONS = 400
MINED, REFERENCE = 8, 40
NOISE = 0.6
"""Standard deviation of one measurement; prompts themselves differ by 1."""


def test_permutation_p_values_are_uniform_where_nothing_was_mined() -> None:
    """Five against five have 252 rearrangements, so every step of 1/252 is as likely as any other."""
    rng = np.random.default_rng(20)
    found = np.array(
        [
            statistics.mined_below_random(rng.gamma(2, size=5), rng.gamma(2, size=5), seed=seed)
            for seed in range(SESSIONS)
        ]
    )
    grid = np.arange(1, 253) / 252
    share = (found[:, None] <= grid + 1e-9).mean(axis=0)
    assert np.abs(share - grid).max() < 1.63 / math.sqrt(SESSIONS)  # Kolmogorov's bound at 1 %


def _session(rng: np.random.Generator, alike: int) -> tuple[list[float], int, int]:
    """One session's p-values; the first ``alike`` mined prompts are as biased as the average unselected one."""
    true = np.concatenate([np.zeros(alike), np.full(MINED - alike, -2.0)])
    reference = rng.normal(0, 1, REFERENCE) + rng.normal(0, NOISE, REFERENCE)
    ranked = true + rng.normal(0, NOISE, MINED)
    # what is known of the noise comes from as many degrees of freedom as the test reckons with
    freedom = repetition.PRIOR_FREEDOM
    variance = NOISE**2 * rng.chisquare(freedom) / freedom
    p_values = [repetition.below_others(score, variance, reference) for score in ranked]
    claimed = statistics.benjamini_hochberg(p_values) <= 0.05
    return p_values, int(claimed[:alike].sum()), int(claimed[alike:].sum())


def test_p_values_of_findings_are_uniform_where_nothing_was_mined() -> None:
    rng = np.random.default_rng(21)
    found = np.array(
        [_session(rng, MINED)[0][0] for _ in range(2 * SESSIONS)]
    )  # one each: those of one session
    for level in (0.01, 0.05, 0.25, 0.5, 0.9):  # share their reference
        assert np.mean(found <= level) == pytest.approx(
            level, abs=3 * math.sqrt(level * (1 - level) / len(found))
        )


@pytest.mark.parametrize("alike", [MINED, 6, 2])
def test_of_all_claims_few_are_false(alike: int) -> None:
    """Benjamini and Hochberg promise a mean share of false claims of at most .05 times that of true nulls."""
    rng = np.random.default_rng(22)
    shares, found = [], 0
    for _ in range(SESSIONS):
        _, false, right = _session(rng, alike)
        shares.append(false / max(1, false + right))
        found += right
    error = np.std(shares) / math.sqrt(SESSIONS)
    assert np.mean(shares) < 0.05 * alike / MINED + 3 * error + 0.005
    assert found >= 0.3 * SESSIONS * (MINED - alike)  # and the true ones are found


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_reliability_of_selected_holds_where_survivors_are_few(share: float) -> None:
    """Generations of 16, each with its own mean, of which the 4 lowest are measured again: 7 of them in a session."""
    rng = np.random.default_rng(23)
    values, covered = [], []
    for _ in range(SESSIONS):
        first, second, means = [], [], []
        for generation in range(7):
            true = -0.3 * generation + rng.normal(0, math.sqrt(share), 16)
            scores = true + rng.normal(0, math.sqrt(1 - share), 16)
            kept = np.argsort(scores)[:4]
            first += list(scores[kept])
            second += list(true[kept] + rng.normal(0, math.sqrt(1 - share), 4))
            means += [float(scores.mean())] * 4
        found = statistics.reliability_of_selected(first, second, means)
        assert found is not None
        values.append(found.value)
        covered.append(found.low <= share <= found.high)
    assert np.mean(values) == pytest.approx(share, abs=0.03)
    assert np.mean(covered) > 0.9
