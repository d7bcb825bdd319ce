"""The race for images: who gets more, when it ends, and that it chooses as well as equal shares do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.budget import FEWEST, Racing, Standing, expected, next_round, planned, standing
from engine.errors import InputError

RULE = Racing(first=4, batch=6, most=12, total=200)


def at(*scores: float, images: int = 4, scatter: float = 0.04) -> list[Standing]:
    return [Standing(key, images, score, scatter) for key, score in enumerate(scores)]


def test_images_go_to_both_sides_of_the_cut() -> None:
    given_out = next_round(at(0.1, 0.2, 0.48, 0.52, 0.8, 0.9), 3, RULE)
    assert set(given_out) == {2, 3}
    assert sum(given_out.values()) == RULE.batch


def test_of_two_equally_near_the_one_less_known_gets_more() -> None:
    told = [Standing(0, 4, 0.1, 0.04), Standing(1, 4, 0.45, 0.04), Standing(2, 10, 0.55, 0.04)]
    given_out = next_round(told, 2, RULE)
    assert given_out.get(1, 0) > given_out.get(2, 0)


def test_a_scatter_told_by_few_images_is_hardly_believed() -> None:
    """One that only seems not to scatter is looked at again, as far from the cut as the others are."""
    told = [Standing(key, 4, score, 0.04) for key, score in enumerate((0.4, 0.45, 0.6))]
    told.append(Standing(3, 4, 0.55, 0.0))
    assert 3 in next_round(told, 2, RULE)


def test_a_race_that_is_decided_ends() -> None:
    assert next_round(at(0.1, 0.11, 0.9, 0.91, scatter=1e-6), 2, RULE) == {}


def test_nobody_gets_more_than_the_most() -> None:
    full = [Standing(0, 12, 0.49, 0.04), Standing(1, 11, 0.45, 0.04), Standing(2, 12, 0.5, 0.04)]
    assert next_round(full, 2, RULE) == {1: 1}


def test_the_total_is_never_exceeded() -> None:
    rule = Racing(first=4, batch=6, most=12, total=19)
    assert sum(next_round(at(0.4, 0.5, 0.5, 0.6), 2, rule).values()) == 3
    assert next_round(at(0.4, 0.5, 0.5, 0.6, images=5), 2, rule) == {}


def test_what_is_settled_by_hand_gets_nothing() -> None:
    assert 1 not in next_round(at(0.4, 0.5, 0.5, 0.6), 1, RULE, settled={1})


def test_everybody_survives_so_there_is_nothing_to_race_for() -> None:
    assert next_round(at(0.4, 0.5), 2, RULE) == {}


@given(
    st.lists(st.tuples(st.integers(3, 30), st.floats(-1, 2), st.floats(0, 1)), min_size=2, max_size=9),
    st.integers(1, 8),
    st.integers(1, 40),
    st.integers(0, 200),
)
def test_a_round_keeps_every_bound(
    told: list[tuple[int, float, float]], survivors: int, batch: int, total: int
) -> None:
    rule = Racing(first=3, batch=batch, most=20, total=total)
    standings = [Standing(key, *one) for key, one in enumerate(told)]
    given_out = next_round(standings, survivors, rule)
    assert all(more > 0 and told[key][0] + more <= rule.most for key, more in given_out.items())
    assert sum(given_out.values()) <= max(0, min(batch, total - sum(one.images for one in standings)))


@given(st.permutations(range(6)))
def test_the_order_in_which_candidates_are_told_does_not_matter(order: list[int]) -> None:
    told = at(0.1, 0.45, 0.48, 0.52, 0.52, 0.9)
    assert next_round([told[place] for place in order], 3, RULE) == next_round(told, 3, RULE)


def test_a_lucky_score_is_expected_nearer_to_the_others() -> None:
    scores, errors = expected(at(0.2, 0.5, 0.55, 0.6, 0.65, 0.7))
    assert 0.2 < scores[0] < 0.5
    assert (errors > 0).all()


def test_the_scatter_tells_how_much_a_score_moves() -> None:
    rng = np.random.default_rng(1)
    drawn = rng.normal(0, 0.1, (400, 6))
    found = [standing(0, 6, lambda places, row=row: float(row[list(places)].mean())) for row in drawn]
    scores = np.array([one.score for one in found])
    assert np.mean([one.scatter / one.images for one in found]) == pytest.approx(scores.var(), rel=0.25)


@pytest.mark.parametrize("rule", [(2, 1, 4, 9), (4, 0, 8, 9), (4, 1, 3, 9)])
def test_a_rule_that_cannot_be_kept_is_refused(rule: tuple[int, int, int, int]) -> None:
    with pytest.raises(InputError, match="choose at least"):
        Racing(*rule)


@pytest.mark.parametrize("images", [FEWEST, 8, 16, 64])
def test_a_race_takes_little_more_than_half(images: int) -> None:
    rule = Racing.of(images, 16)
    assert rule.first <= rule.total / 16 <= max(3, 0.6 * images)
    assert planned("racing", images, 16) == rule.total
    assert planned("uniform", images, 16) == 16 * images


@pytest.fixture(scope="module")
def races() -> np.ndarray:
    """Of simulated races: regret of racing, regret of equal shares, images, mean error of first looks and of scores."""
    rng, rule, population, survivors = np.random.default_rng(5), Racing.of(16, 16), 16, 4
    found = []
    for _ in range(150):
        true = rng.normal(0.7, 0.25, population)
        images = rng.normal(true[:, None], rng.uniform(0.3, 0.6, population)[:, None], (population, 32))

        def stand(place: int, count: int, drawn: np.ndarray = images) -> Standing:
            return Standing(place, count, drawn[place, :count].mean(), drawn[place, :count].var(ddof=1))

        told = [stand(place, rule.first) for place in range(population)]
        while more := next_round(told, survivors, rule):
            for place, count in more.items():
                told[place] = stand(place, told[place].images + count)
        best = np.sort(true)[:survivors].mean()
        raced, looked = np.array([one.score for one in told]), images[:, : rule.first].mean(axis=1)
        chosen = (np.argsort(scores)[:survivors] for scores in (raced, images[:, :16].mean(axis=1)))
        regret = [true[some].mean() - best for some in chosen]
        found.append(
            [*regret, sum(one.images for one in told), (looked - true).mean(), (raced - true).mean()]
        )
    return np.array(found)


def test_racing_chooses_parents_as_good_as_equal_shares_do(races: np.ndarray) -> None:
    raced, equal, images = races[:, :3].T
    assert images.max() <= 0.55 * 16 * 16 + 1
    gap = raced - equal
    assert gap.mean() < 1.96 * gap.std() / np.sqrt(len(gap))


def test_scores_that_were_raced_for_are_no_sample_of_the_prompts_but_first_looks_are(
    races: np.ndarray,
) -> None:
    """What looks far from the cut by bad luck is not looked at again, so unselected prompts seem less biased."""
    looked, raced = races[:, 3:].T
    assert abs(looked.mean()) < 3 * looked.std() / np.sqrt(len(looked))
    assert raced.mean() > 3 * raced.std() / np.sqrt(len(raced))
