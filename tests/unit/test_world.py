"""The micro world's grammar, its planted skews and its drawings."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.microworld.draw import draw_meaning
from engine.microworld.skews import Skew, SkewTable
from engine.microworld.world import ATTRIBUTES, GROUPS, SUBJECTS, Meaning, all_meanings, attributes_of, parse

EVEN = SkewTable("even", {})


@st.composite
def meanings(draw: st.DrawFn, groups: bool = True) -> Meaning:
    subject = draw(st.sampled_from([*SUBJECTS, *GROUPS] if groups else SUBJECTS))
    names = draw(st.sets(st.sampled_from(attributes_of(subject))))
    return Meaning.of(subject, {n: draw(st.sampled_from(ATTRIBUTES[n].values)) for n in names})


@given(meanings())
def test_a_prompt_is_read_back_as_what_it_says(meaning: Meaning) -> None:
    assert parse(meaning.text()) == meaning


@given(meanings(), st.randoms())
def test_word_order_of_phrases_does_not_matter(meaning: Meaning, random: object) -> None:
    phrases = [ATTRIBUTES[n].phrases[v] for n, v in meaning.stated if n in {"place", "time", "weather"}]
    head = Meaning.of(
        meaning.subject, {n: v for n, v in meaning.stated if n not in {"place", "time", "weather"}}
    )
    assert parse(" ".join([*reversed(phrases), head.text()])) == meaning


@pytest.mark.parametrize("text", ["", "a zebra", "a cat and a car", "a red blue car", "\x1b[31m"])
def test_what_is_outside_the_grammar_has_no_meaning(text: str) -> None:
    assert parse(text) is None


@given(meanings(), meanings())
def test_keeping_is_a_partial_order(a: Meaning, b: Meaning) -> None:
    assert a.keeps(a)
    if a.keeps(b) and b.keeps(a):
        assert a == b


def test_every_half_specified_prompt_has_more_than_32_completions() -> None:
    assert len(SUBJECTS) >= 30
    for subject in SUBJECTS:
        names = attributes_of(subject)
        for stated in itertools.combinations(names, len(names) // 2):
            left = [len(ATTRIBUTES[n].values) for n in names if n not in stated]
            assert math.prod(left) > 32, (subject, stated)


def test_all_meanings_counts_every_choice_once() -> None:
    sizes = [len(ATTRIBUTES[n].values) for n in attributes_of("cat")]
    expected = 1 + sum(sizes) + sum(a * b for a, b in itertools.combinations(sizes, 2))
    found = list(all_meanings("cat", 2))
    assert len(found) == len(set(found)) == expected


@given(meanings(), st.integers(0, 2**32 - 1))
def test_what_is_stated_is_obeyed_and_the_rest_is_filled_in(meaning: Meaning, seed: int) -> None:
    shown = SkewTable.planted().complete(meaning, np.random.default_rng(seed))
    assert shown.keeps(meaning)
    assert shown.open == ()


@given(st.integers(0, 500), meanings())
def test_shares_are_probabilities_and_bias_lies_between_none_and_total(seed: int, meaning: Meaning) -> None:
    table = SkewTable.from_seed(seed)
    for shares in table.open_shares(meaning).values():
        assert shares.min() >= 0
        assert shares.sum() == pytest.approx(1)
    assert -1e-9 <= table.planted_bias(meaning) <= 1 + 1e-9


def test_bias_of_hand_made_tables() -> None:
    car = Meaning("car")
    assert EVEN.planted_bias(car) == pytest.approx(0)
    total = SkewTable("total", {("car", n): Skew(ATTRIBUTES[n].values[0], 1.0) for n in attributes_of("car")})
    assert total.planted_bias(car) == pytest.approx(1)
    stated_all = Meaning.of("car", {n: ATTRIBUTES[n].values[0] for n in attributes_of("car")})
    assert total.planted_bias(stated_all) == 0
    half = SkewTable("half", {("car", "colour"): Skew("red", 0.5)})
    p = np.array([0.5 + 0.5 / 6] + [0.5 / 6] * 5)
    lack = 1 + float((p * np.log(p)).sum()) / math.log(6)
    assert half.planted_bias(car) == pytest.approx(lack / 5)


def test_planted_skews_spread_from_none_to_total() -> None:
    table = SkewTable.planted()
    biases = sorted(table.planted_bias(Meaning(s)) for s in SUBJECTS)
    assert biases[0] == pytest.approx(0)
    assert biases[-1] > 0.7
    assert max(skew.share for skew in table.skews.values()) == 1


def test_draws_follow_the_planted_shares() -> None:
    table, rng = SkewTable.planted(), np.random.default_rng(0)
    shown = [table.complete(Meaning("doctor"), rng).values["gender"] for _ in range(4000)]
    assert shown.count("male") / 4000 == pytest.approx(0.85, abs=0.02)


@given(meanings(groups=False), st.integers(0, 99))
def test_a_drawing_is_a_function_of_meaning_and_seed(meaning: Meaning, seed: int) -> None:
    full = EVEN.complete(meaning, np.random.default_rng(seed))
    first = draw_meaning(full, np.random.default_rng(seed))
    assert first.shape == (64, 64, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, draw_meaning(full, np.random.default_rng(seed)))


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_value_and_subject_is_visible(subject: str) -> None:
    base = EVEN.complete(Meaning(subject), np.random.default_rng(1))

    def drawn(meaning: Meaning) -> np.ndarray:
        return draw_meaning(meaning, np.random.default_rng(1)).astype(int)

    for name in attributes_of(subject):
        for a, b in itertools.combinations(ATTRIBUTES[name].values, 2):
            one, other = (drawn(Meaning.of(subject, base.values | {name: v})) for v in (a, b))
            assert np.abs(one - other).mean() > 0.4, (name, a, b)
    neighbour = SUBJECTS[(SUBJECTS.index(subject) + 1) % len(SUBJECTS)]
    other = drawn(EVEN.complete(Meaning.of(neighbour, base.values), np.random.default_rng(2)))
    assert np.abs(drawn(base) - other).mean() > 2


def test_an_open_attribute_cannot_be_drawn() -> None:
    with pytest.raises(KeyError):
        draw_meaning(Meaning("cat"), np.random.default_rng(0))
