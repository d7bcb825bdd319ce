"""Missed concepts of which the truth is known: what is said of each, by hand-made numbers and by the real CLIP."""

from __future__ import annotations

import numpy as np
import pytest

from engine.findings import verdict_on
from engine.microworld.world import Meaning, parse
from engine.models.scorer import load_scorer
from engine.packs import EMBEDDED_DIRECTORY
from engine.validation.verdicts import BLIND, KINDS, MISSED, SUBJECT, concepts, counts, judged, report

FIT = np.array([0.30, 0.32, 0.34])


@pytest.mark.parametrize(
    ("own", "own_fit", "said"),
    [
        ((0.40, 0.40, 0.10), (0.30, 0.31, 0.32), "missed"),
        ((0.40, 0.10, 0.10), (0.30, 0.31, 0.32), "unreachable"),  # one lucky image is no ability
        ((0.20, 0.20, 0.20), (0.10, 0.10, 0.10), "unreachable"),  # no better than the prompt's best image
        ((0.40, 0.40, 0.40), (0.28, 0.29, 0.29), "missed"),  # a little worse: it differs as its images do
        ((0.40, 0.40, 0.40), (0.27, 0.27, 0.33), "contradictory"),
        ((0.40, 0.40, 0.40), (0.10, 0.33, 0.33), "missed"),  # one image that went wrong says nothing
    ],
)
def test_a_missed_concept_is_judged_by_its_own_images(
    own: tuple[float, ...], own_fit: tuple[float, ...], said: str
) -> None:
    assert verdict_on(0.20, np.array(own), np.array(own_fit), FIT) == said


def test_what_is_planted_is_what_it_is_called() -> None:
    prompt = parse("a doctor in the snow")
    assert prompt is not None
    shown = [Meaning.of("doctor", prompt.values | {"time": "day", "gender": "male"})] * 3
    full = [Meaning.of("doctor", dict.fromkeys(prompt.open, "") | one.values) for one in shown]
    for seed in range(10):
        found = {one.kind: one for one in concepts(prompt, full, np.random.default_rng(seed))}
        assert set(found) == set(KINDS)
        missed = found[MISSED].drawn
        assert missed.keeps(prompt)
        assert missed.values.items() - prompt.values.items() <= {
            (name, value) for name, value in missed.values.items() if full[0].values[name] != value
        }
        assert found[BLIND].text == found[MISSED].text
        assert found[BLIND].drawn == prompt
        assert found[SUBJECT].drawn.subject != "doctor"
        assert all(one.text != prompt.text() for one in found.values())


def test_the_clip_that_ships_tells_bias_from_what_is_none() -> None:
    """The short version of ``python -m engine.validation.verdicts``, on a table that choices were made on."""
    scorer = load_scorer(EMBEDDED_DIRECTORY / "scorer", "cpu", "float32")
    said = judged(1, 12, scorer)
    found = counts(said)
    assert found[MISSED]["missed"] >= 0.7 * found[MISSED].total() > 0
    other = [verdict for kind, verdict in said if kind.right != "missed"]
    assert other.count("missed") <= 0.2 * len(other)
    assert report(said, 12, 1.0).count("\n|") == 2 + sum(verdicts.total() > 0 for verdicts in found.values())
