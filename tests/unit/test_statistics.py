"""Intervals, tests and shrinkage: known answers, and properties that hold for every input."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from scipy.stats import spearmanr

from engine import repetition, statistics
from engine.errors import InputError
from engine.repetition import Repeated, repeated_score
from engine.score import SCORES

ties = hnp.arrays(np.float64, 12, elements=st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]))
scores = st.floats(-1, 1, allow_nan=False)
samples = st.lists(scores, min_size=1, max_size=12)


def mean(matrix: statistics.Floats) -> float:
    return float(matrix.mean())


def information(matrix: statistics.Floats) -> float:
    return SCORES["information"].function(matrix, 25.0, 100.0)


def measured(rng: np.random.Generator, sets: int, texts: int, images: int, both: float = 1.0) -> Repeated:
    """A mean of row effects, column effects and noise: its variance is known."""
    rows = rng.normal(0, both, (sets * texts, 1))
    columns = rng.normal(0, both, (1, sets * images))
    full = rows + columns + rng.normal(0, 1, (sets * texts, sets * images))
    return repeated_score(
        [
            [full[v * texts : (v + 1) * texts, i * images : (i + 1) * images] for i in range(sets)]
            for v in range(sets)
        ],
        mean,
    )


def test_the_replications_give_the_variance_that_is_there() -> None:
    rng = np.random.default_rng(1)
    many = [measured(rng, 3, 4, 5) for _ in range(800)]
    values = np.array([one.value for one in many])
    found = [one.replication for one in many if one.replication is not None]
    assert np.mean(found) == pytest.approx(1 / 12 + 1 / 15 + 1 / 180, rel=0.1)
    assert np.var(values) == pytest.approx(np.mean(found), rel=0.2)


def test_the_jackknife_counts_noise_twice_and_calibration_takes_that_back() -> None:
    rng = np.random.default_rng(2)
    runs = [[measured(rng, 2, 6, 6, both=0.0) for _ in range(12)] for _ in range(60)]
    jackknife = np.mean([one.jackknife for run in runs for one in run])
    assert jackknife == pytest.approx(2 / 144, rel=0.1)  # the truth is 1/144
    widths, hits = [], []
    for run in runs:
        for estimate in repetition.calibrated(run):
            hits.append(estimate.low <= 0 <= estimate.high)
            widths.append(estimate.high - estimate.low)
    assert 0.92 <= np.mean(hits) <= 0.997
    assert np.mean(widths) < 2 * 1.96 * math.sqrt(jackknife)


def test_a_score_measured_once_has_an_interval_all_the_same() -> None:
    one = repeated_score([[np.arange(12.0).reshape(3, 4)]], mean)
    assert one.replication is None
    (estimate,) = repetition.calibrated([one])
    assert estimate.high - estimate.value == pytest.approx(2.228 * math.sqrt(one.jackknife), rel=1e-3)
    assert one.value == pytest.approx(5.5)


def test_prompts_that_disagree_more_than_their_parts_widen_all_intervals() -> None:
    calm = Repeated(np.array([[0.5, 0.5], [0.5, 0.5]]), 0.01, 0.0, np.zeros(2))
    wild = Repeated(np.array([[0.2, 0.2], [0.8, 0.8]]), 0.01, 0.09, np.zeros(2))
    (narrow, _), (wide, _) = repetition.calibrated([calm] * 2), repetition.calibrated([calm, wild])
    assert wide.high - wide.low > narrow.high - narrow.low


def test_a_repeated_measurement_is_square() -> None:
    with pytest.raises(InputError, match="as many sets"):
        repeated_score([[np.ones((2, 2)), np.ones((2, 2))]], mean)
    with pytest.raises(InputError, match="as many sets"):
        repeated_score([], mean)


def test_two_texts_or_images_leave_nothing_to_leave_out() -> None:
    one = repeated_score([[np.array([[0.1, 0.3], [0.2, 0.1]])]], information)
    assert one.jackknife == 0.0


def test_wilson_knows_that_none_of_n_is_not_zero() -> None:
    none = statistics.wilson(0, 10)
    assert (none.value, none.low) == (0.0, pytest.approx(0, abs=1e-12))
    assert none.high == pytest.approx(0.2775, abs=1e-3)  # Wilson 1927
    all_of = statistics.wilson(10, 10)
    assert all_of.low == pytest.approx(1 - none.high)
    for wrong in ((1, 0), (-1, 3), (4, 3)):
        with pytest.raises(InputError, match="no share"):
            statistics.wilson(*wrong)


@given(samples, st.floats(0, 1))
def test_shrinking_never_leaves_the_range_nor_changes_the_order(given_: list[float], noise: float) -> None:
    shrunk = statistics.shrink(given_, np.full(len(given_), noise))
    assert min(given_) - 1e-9 <= shrunk.values.min()
    assert shrunk.values.max() <= max(given_) + 1e-9
    order = np.argsort(given_, kind="stable")
    assert (np.diff(shrunk.values[order]) >= -1e-9).all()


@given(samples)
def test_scores_without_noise_are_left_alone(given_: list[float]) -> None:
    assert statistics.shrink(given_, np.zeros(len(given_))).values == pytest.approx(given_)


def test_shrinking_finds_the_population_and_undoes_the_winners_curse() -> None:
    rng = np.random.default_rng(3)
    true = rng.normal(5, 2, 4000)
    noise = rng.uniform(0.5, 3, 4000)
    observed = true + rng.normal(0, np.sqrt(noise))
    shrunk = statistics.shrink(observed, noise)
    assert shrunk.mean == pytest.approx(5, abs=0.15)
    assert shrunk.between == pytest.approx(4, rel=0.1)
    lowest = np.argsort(shrunk.values)[:100]
    assert shrunk.values[lowest].mean() == pytest.approx(true[lowest].mean(), abs=0.3)
    assert observed[lowest].mean() < true[lowest].mean() - 0.5


def test_pure_noise_is_shrunk_to_its_mean() -> None:
    shrunk = statistics.shrink([1.0, 1.1, 0.9, 1.0], [1.0, 1.0, 1.0, 1.0])
    assert shrunk.between == 0.0
    assert shrunk.values == pytest.approx([1.0] * 4)


@pytest.mark.parametrize("variances", [[1.0], [-1.0, 1.0], [math.nan, 1.0], [math.inf, 1.0]])
def test_variances_must_be_variances(variances: list[float]) -> None:
    with pytest.raises(InputError):
        statistics.shrink([0.1, 0.2], variances)


@pytest.mark.parametrize("share", [0.3, 0.7, 0.9])
def test_reliability_is_the_share_that_is_not_noise(share: float) -> None:
    rng = np.random.default_rng(4)
    true = rng.normal(0, math.sqrt(share), 3000)
    noise = math.sqrt(1 - share)
    first, second = true + rng.normal(0, noise, 3000), true + rng.normal(0, noise, 3000)
    found = statistics.reliability(first, second)
    assert found is not None
    assert found.value == pytest.approx(share, abs=0.04)
    assert found.low < share < found.high
    low = np.argsort(first)[:300]
    selected = statistics.reliability_of_selected(first[low], second[low], np.zeros(300))
    assert selected is not None
    assert selected.value == pytest.approx(share, abs=0.06)
    naive = statistics.reliability(first[low], second[low])
    assert naive is not None
    assert naive.value < share - 0.1


def test_too_little_says_nothing_about_reliability() -> None:
    assert statistics.reliability([], []) is None
    assert statistics.reliability([1, 2, 3], [1, 2, 3]) is None
    assert statistics.reliability([1, 1, 1, 1], [1, 2, 3, 4]) is None
    assert statistics.reliability_of_selected([1, 2], [1, 2], [0, 0]) is None
    assert statistics.reliability_of_selected([1, 1, 1], [1, 2, 3], [1, 1, 1]) is None
    assert statistics.noise_floor([], []) is None
    same = statistics.reliability([1, 2, 3, 4], [1, 2, 3, 4])
    assert same is not None
    assert same.value == pytest.approx(1)
    assert same.high <= 1
    with pytest.raises(InputError, match="no pairs"):
        statistics.reliability([1, 2], [1])


def test_two_measurements_differ_by_more_than_the_floor_in_one_case_of_twenty() -> None:
    rng = np.random.default_rng(5)
    first, second = rng.normal(size=(2, 4000))
    floor = statistics.noise_floor(first, second)
    assert floor is not None
    assert np.mean(np.abs(first - second) > floor) == pytest.approx(0.05, abs=0.01)


def test_inflation_is_measured_from_the_level_of_other_prompts() -> None:
    assert statistics.inflation([0.1, 0.2], [0.2, 0.3], 0.5) == pytest.approx(0.4)
    assert statistics.inflation([0.2], [0.2], 0.5) == pytest.approx(0)
    assert statistics.inflation([0.2], [0.6], 0.5) is None


@settings(max_examples=20)
@given(samples, samples, st.integers(0, 9))
def test_p_values_are_probabilities_and_never_zero(one: list[float], other: list[float], seed: int) -> None:
    p = statistics.mined_below_random(one, other, seed=seed)
    assert 0 < p <= 1
    assert 0 <= repetition.below_others(one[0], 0.1, other) <= 1


def test_the_permutation_test_is_exact() -> None:
    assert statistics.mined_below_random([1, 2, 3], [4, 5, 6], seed=0) == pytest.approx(1 / 20)
    assert statistics.mined_below_random([4, 5, 6], [1, 2, 3], seed=0) == 1
    assert statistics.mined_below_random([1], [2, 3, 4], seed=0) == pytest.approx(1 / 4)
    assert statistics.mined_below_random([1, 2, 3], [4], seed=0) == pytest.approx(1 / 4)
    with pytest.raises(InputError, match="at least one of each"):
        statistics.mined_below_random([], [1], seed=0)


def test_an_average_prompt_is_called_biased_as_often_as_the_level_says() -> None:
    rng = np.random.default_rng(8)
    found = np.array(
        [repetition.below_others(rng.normal(0, 0.5), 0.25, rng.normal(0, 1, 30)) for _ in range(3000)]
    )
    assert np.mean(found <= 0.05) == pytest.approx(0.05, abs=0.015)
    assert repetition.below_others(-3, 0.25, rng.normal(0, 1, 30)) < 0.001
    assert repetition.below_others(0.1, 0.1, [0.5]) == 1
    assert repetition.below_others(0.1, 0, [0.5, 0.5]) == 0
    assert repetition.below_others(0.5, 0, [0.5, 0.5]) == 0.5
    assert repetition.below_others(0.9, 0, [0.5, 0.5]) == 1


def test_prompts_that_are_all_alike_are_rarely_called_different() -> None:
    rng = np.random.default_rng(6)
    found = [
        statistics.mined_below_random(rng.normal(size=3), rng.normal(size=4), seed=0) for _ in range(300)
    ]
    assert np.mean(np.array(found) <= 0.05) <= 0.08


@given(st.lists(st.floats(1e-6, 1), min_size=1, max_size=20))
def test_adjusted_p_values_keep_the_order_and_are_no_smaller(p_values: list[float]) -> None:
    adjusted = statistics.benjamini_hochberg(p_values)
    assert (adjusted >= np.array(p_values) - 1e-12).all()
    assert (adjusted <= 1).all()
    assert (np.diff(adjusted[np.argsort(p_values, kind="stable")]) >= -1e-12).all()


def test_benjamini_hochberg_by_hand() -> None:
    assert statistics.benjamini_hochberg([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.04, 0.04])
    assert len(statistics.benjamini_hochberg([])) == 0


@given(st.lists(scores, min_size=3, max_size=12))
def test_ranks_agree_with_themselves(values: list[float]) -> None:
    found = statistics.spearman(values, values, seed=0)
    expected = 1.0 if len(set(values)) > 1 else 0.0
    assert found.value == pytest.approx(expected)
    assert found.low <= found.high


def test_rank_correlation_sees_order_only_and_has_an_interval() -> None:
    rng = np.random.default_rng(7)
    x = rng.normal(size=200)
    found = statistics.spearman(np.exp(x), x + rng.normal(0, 1, 200), seed=1)
    assert 0.5 < found.low < found.value < found.high < 0.85
    with pytest.raises(InputError, match="at least 3"):
        statistics.spearman([1, 2], [1, 2], seed=0)


def test_importing_statistics_does_not_load_scipy() -> None:
    code = "import sys, engine.statistics; print('scipy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"


@given(ties, ties)
def test_rank_correlation_is_spearmans(one: NDArray[np.float64], other: NDArray[np.float64]) -> None:
    found = float(statistics.rank_correlation(one, other))
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        assert found == 0
    else:
        assert found == pytest.approx(spearmanr(one, other).statistic)


def test_a_bootstrap_interval_holds_the_truth_as_often_as_it_says() -> None:
    """Of a difference of two means, each group resampled by itself; elements of one group stay pairs."""
    rng = np.random.default_rng(9)

    def apart(one: list[statistics.Floats], other: list[statistics.Floats]) -> statistics.Floats:
        return np.asarray(one[0].mean(axis=-1) - other[0].mean(axis=-1))

    held = []
    for seed in range(300):
        found = statistics.bootstrap(
            apart, [rng.normal(1, 1, 40)], [rng.exponential(1, 60)], seed=seed, level=0.9
        )
        held.append(found.low <= 0 <= found.high)
    assert np.mean(held) == pytest.approx(0.9, abs=0.05)
    same = rng.normal(size=30)
    paired = statistics.bootstrap(lambda pairs: (pairs[0] - pairs[1]).mean(axis=-1), [same, same], seed=0)
    assert (paired.low, paired.value, paired.high) == (0, 0, 0)


def test_a_statistic_may_be_infinite() -> None:
    found = statistics.bootstrap(
        lambda one: np.quantile(one[0], 0.5, axis=-1, method="inverted_cdf"),
        [[1.0, 2.0, 3.0, math.inf, math.inf]],
        seed=0,
    )
    assert (found.value, found.high) == (3, math.inf)
    assert math.isfinite(found.low)
