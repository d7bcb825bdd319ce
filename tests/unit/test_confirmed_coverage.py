"""A short version of ``python -m engine.validation.confirmation``: intervals hold, and nothing is overstated."""

from __future__ import annotations

import numpy as np

from engine.score import CLIP_LOGIT_SCALE, SCORES
from engine.statistics import Floats, inflation
from engine.validation.confirmation import DEVELOPMENT, alarms, fresh_seeds, line, simulate


def spread(matrix: Floats) -> float:
    return SCORES["spread"].function(matrix, 25.0, CLIP_LOGIT_SCALE)


def test_the_search_overstates_what_it_finds_and_the_confirmation_does_not() -> None:
    sessions = [simulate(spread, seed, steady=True, truths=60) for seed in range(5)]
    truth = np.array([value for one in sessions for value in one.truth])
    others = float(np.mean([one.others for one in sessions]))
    search = inflation([value for one in sessions for value in one.search], truth, others)
    confirmed = inflation([value for one in sessions for value in one.confirmed], truth, others)
    assert search is not None
    assert confirmed is not None
    assert search > 0.5
    assert abs(confirmed) < 0.35
    assert np.mean([hit for one in sessions for hit in one.covered]) >= 0.8
    assert line("spread", sessions).count("|") == 5


def test_where_all_prompts_are_alike_hardly_anything_is_claimed() -> None:
    sessions = [simulate(spread, seed, steady=True, alike=True, truths=1) for seed in range(8)]
    assert sum(one.claims > 0 for one in sessions) <= 1
    assert alarms("spread", sessions).count("|") == 4


def test_what_is_reported_is_simulated_from_seeds_that_nothing_was_chosen_on() -> None:
    assert set(fresh_seeds(200)).isdisjoint(DEVELOPMENT)
