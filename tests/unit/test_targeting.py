"""What a targeted search is judged by: how skewed its axis truly is in what it found."""

from __future__ import annotations

import pytest

from engine.microworld.skews import Skew, SkewTable
from engine.validation.targeting import Aimed, axis_skew, report, together

TABLE = SkewTable("one", {("doctor", "gender"): Skew("male", 1.0), ("chef", "gender"): Skew("male", 0.4)})


@pytest.mark.parametrize(
    ("prompt", "skew"),
    [
        ("a doctor", 1.0),
        ("a chef", 1 - 0.8813),  # H(.7, .3) in bits
        ("a waiter", 0.0),
        ("a female doctor", 0.0),
        ("a cat", 0.0),
        ("a zebra", 0.0),
    ],
)
def test_the_skew_on_an_axis_is_that_of_what_the_prompt_leaves_open(prompt: str, skew: float) -> None:
    assert axis_skew(prompt, "gender", TABLE) == pytest.approx(skew, abs=1e-4)


def test_the_ratio_compares_means_over_seeds_with_an_interval() -> None:
    one = Aimed("gender", (0.6, 0.5, 0.7), (0.2, 0.3, 0.1))
    assert one.ratio.value == pytest.approx(3)
    assert 1.6 < one.ratio.low < 3 < one.ratio.high < 7
    assert "| gender | 0.200 | 0.600 | 3.0 (" in report([one], 1.0)


def test_the_mean_over_axes_is_told_beside_what_is_possible() -> None:
    never = Aimed("skin", (0.9, 0.9), (0.0, 0.0))
    high = Aimed("place", (1.0, 0.8), (0.5, 0.7))
    assert together([never, high]).untargeted == pytest.approx((0.25, 0.35))
    lines = report([never, high], 1.0).splitlines()
    assert "| skin | 0.000 | 0.900 | ∞ (∞ … ∞) | ∞ |" in lines
    assert lines[-1].startswith("| **mean** | 0.300 | 0.900 | 3.0 (")
    assert lines[-1].endswith("| 3.3 |")
