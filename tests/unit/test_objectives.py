"""The objectives: the colour task of Appendix A and the bias score behind one protocol."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from engine.errors import InputError
from engine.genetic import Breeding, GeneticSearch, Individual
from engine.objectives import COLOURS, BiasObjective, ColourObjective, Evidence, objective_named
from engine.score import SCORES, analyse

means = hnp.arrays(np.float64, st.tuples(st.integers(1, 8), st.just(3)), elements=st.floats(0, 1))


def test_a_colour_measured_by_hand() -> None:
    evidence = Evidence([[0.9, 0.2, 0.1], [0.5, 0.6, 0.3]])
    losses = [ColourObjective(colour).measure(evidence).loss for colour in COLOURS]
    assert losses == pytest.approx([-(0.7 - 0.1) / 2, -(-0.7 + 0.1) / 2, -(-0.8 - 0.3) / 2])


@given(means, st.randoms(use_true_random=False))
def test_colours_are_in_range_and_blind_to_order(
    mean_rgb: NDArray[np.float64], shuffler: random.Random
) -> None:
    order = list(range(len(mean_rgb)))
    shuffler.shuffle(order)
    losses = [ColourObjective(colour).measure(Evidence(mean_rgb)).loss for colour in COLOURS]
    assert all(-1 <= loss <= 1 for loss in losses)
    assert sum(loss < 0 for loss in losses) <= 1 or len(mean_rgb) > 1  # one image has one leading channel
    for colour, loss in zip(COLOURS, losses, strict=True):
        assert ColourObjective(colour).measure(Evidence(mean_rgb[order])).loss == pytest.approx(loss)


@given(means, st.permutations([0, 1, 2]))
def test_colours_change_names_with_the_channels(mean_rgb: NDArray[np.float64], order: list[int]) -> None:
    for new, old in enumerate(order):
        found = ColourObjective(COLOURS[new]).measure(Evidence(mean_rgb[:, order])).loss
        assert found == pytest.approx(ColourObjective(COLOURS[old]).measure(Evidence(mean_rgb)).loss)


def test_pure_colours_reach_the_ends() -> None:
    for channel, colour in enumerate(COLOURS):
        assert ColourObjective(colour).measure(Evidence([np.eye(3)[channel]])).loss == -1
        assert ColourObjective(colour).measure(Evidence([1 - np.eye(3)[channel]])).loss == 1
        assert ColourObjective(colour).measure(Evidence([[0.4, 0.4, 0.4]])).loss == 0


def test_bias_is_the_chosen_score_with_all_its_evidence() -> None:
    matrix = np.random.default_rng(0).uniform(0, 0.4, (4, 6))
    expected = analyse(matrix, logit_scale=30, alpha=10)
    for name in SCORES:
        found = BiasObjective(name, 10).measure(Evidence([[0, 0, 0]] * 6, matrix, 30))
        assert found.loss == expected.scores[name]
        assert found.scores == expected.scores
        assert found.analysis is not None
        assert found.analysis.missed == expected.missed


def test_objectives_by_name() -> None:
    assert objective_named("bias", "entropy").score_name == "entropy"
    assert [objective_named(colour).score_name for colour in COLOURS] == list(COLOURS)
    assert [objective_named(n).needs_variations for n in ("bias", *COLOURS)] == [True, False, False, False]
    for name, score in (("pink", "paper"), ("bias", "fame")):
        with pytest.raises(InputError, match=r"pink|fame"):
            objective_named(name, score)
    with pytest.raises(InputError, match="pink"):
        ColourObjective("pink")


@pytest.mark.parametrize(
    "mean_rgb",
    [
        [],
        [[0.1, 0.2]],
        [0.1, 0.2, 0.3],
        [[0.1, 0.2, math.nan]],
        [[0.1, 0.2, 1.5]],
        [[-0.1, 0, 0]],
        [["a"] * 3],
    ],
)
def test_colours_of_no_image_are_refused(mean_rgb: list[object]) -> None:
    with pytest.raises(InputError, match="mean_rgb"):
        ColourObjective("red").measure(Evidence(mean_rgb))  # type: ignore[arg-type]


def test_bias_without_a_matrix_is_refused() -> None:
    with pytest.raises(InputError, match="similarity matrix"):
        BiasObjective().measure(Evidence([[0.1, 0.2, 0.3]]))


WORDS = {
    "red": (0.9, 0.1, 0.1), "rose": (0.8, 0.2, 0.3), "green": (0.1, 0.8, 0.2), "grass": (0.3, 0.7, 0.2),
    "blue": (0.1, 0.2, 0.9), "sea": (0.1, 0.4, 0.7), "grey": (0.5, 0.5, 0.5), "chalk": (0.9, 0.9, 0.9),
}  # fmt: skip


@pytest.mark.parametrize("colour", COLOURS)
def test_the_search_finds_the_colour_that_a_painter_of_colour_words_shows(colour: str) -> None:
    """Appendix A in small: the same loop, an objective on pixels, a painter that mixes the words' colours."""
    rng = random.Random(3)
    names = list(WORDS)
    objective = objective_named(colour)
    search = GeneticSearch(Breeding(8, 2, 3))

    def loss(prompt: str) -> float:
        return objective.measure(Evidence([np.mean([WORDS[word] for word in prompt.split()], axis=0)])).loss

    def random_prompt() -> str:
        return " ".join(rng.choice(names) for _ in range(4))

    def mutation(prompt: str) -> str:
        words = prompt.split()
        words[rng.randrange(4)] = rng.choice(names)
        return " ".join(words)

    population = list(search.admit([random_prompt() for _ in range(20)], 8))
    first = min(loss(prompt) for prompt in population)
    for generation in range(20):
        plan = search.tell(
            [Individual(100 * generation + n, p, "", None, loss(p), 0) for n, p in enumerate(population)]
        )
        population = list(
            search.admit([mutation(b.parent.prompt) for b in plan.parents for _ in range(b.mutations)])
        )
        population += search.admit([random_prompt() for _ in range(20)], search.missing(len(population)))
    best = search.archive[0]
    assert best.score < first
    assert best.score < -0.5  # green grass can reach -0.6
    assert best.prompt.split().count(colour) >= 2
