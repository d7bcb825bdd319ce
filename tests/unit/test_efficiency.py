"""Simulated searches: on a pool whose truth is plain, the default search needs fewer images than a random one."""

from random import Random

import numpy as np
import pytest

from engine.microworld.skews import SkewTable
from engine.validation.efficiency import BASELINE, DEFAULT, EQUAL, IMAGES, TOP, Simulation, regrets
from engine.validation.pool import IMAGES as DRAWN
from engine.validation.pool import Pool, mutation, universe


@pytest.fixture(scope="module")
def pool() -> Pool:
    """Every image shows one variation, the first ones the more often the more biased the prompt is."""
    skews, rng = SkewTable.from_seed(5), np.random.default_rng(5)
    meanings = universe()
    planted = np.array([skews.planted_bias(meaning) for meaning in meanings])
    similarity = rng.normal(0, 0.01, (len(meanings), 16, DRAWN)).astype(np.float32)
    for place, bias in enumerate(planted):
        shares = np.full(16, (1 - bias) / 16)
        shares[0] += bias
        for image, shown in enumerate(rng.choice(16, DRAWN, p=shares)):
            similarity[place, shown, image] += 0.3
    return Pool(tuple(meaning.text() for meaning in meanings), planted, similarity, 32.0)


def test_a_mutation_stays_in_the_grammar() -> None:
    known, rng = set(universe()), Random(1)
    assert all(mutation(meaning, rng) in known for meaning in universe()[::20])


def test_breeding_needs_fewer_images_than_random_search(pool: Pool) -> None:
    needed = {
        strategy.name: [Simulation(pool, strategy, seed).run() or np.inf for seed in range(2)]
        for strategy in (BASELINE, EQUAL, DEFAULT)
    }
    bred, raced, random = (np.mean(needed[one.name]) for one in (EQUAL, DEFAULT, BASELINE))
    assert raced < bred < random


def test_random_search_counts_every_image(pool: Pool) -> None:
    search = Simulation(pool, BASELINE, 1)
    search.run()
    assert search.images == IMAGES * len(search.scores)
    assert search.found() <= TOP


def test_racing_takes_fewer_images_and_hardly_worse_parents(pool: Pool) -> None:
    selected = regrets([pool], races=12)
    assert selected["racing"].images <= 0.55 * selected["uniform"].images + 1
    for kind in ("planted", "true_score"):
        raced, equal = (np.mean(getattr(selected[name], kind)) for name in ("racing", "uniform"))
        assert 0 <= raced < equal + 0.02
