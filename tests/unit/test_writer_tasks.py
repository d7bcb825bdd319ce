"""Every example the tiny writer learns from is right by the grammar itself."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from engine.microworld.world import ATTRIBUTES, GROUP_OF, GROUPS, SUBJECTS, Meaning, parse
from engine.microworld.writer_tasks import (
    THEMES,
    Phrase,
    draw_request,
    drawn_meaning,
    fits_theme,
    fresh,
    mutate,
    vary,
    with_odd_words,
)

CHANCE = st.integers(0, 2**32).map(Random)


@given(CHANCE)
def test_a_variation_keeps_all_and_adds_one_to_three(rng: Random) -> None:
    prompt = drawn_meaning(rng, 5)
    reply = vary(Phrase(prompt), [], rng).meaning
    assert parse(reply.text()) == reply
    assert reply.keeps(prompt)
    assert 1 <= len(reply.stated) - len(prompt.stated) + (reply.subject != prompt.subject) <= 3


@given(CHANCE, st.sampled_from(list(ATTRIBUTES)))
def test_under_an_axis_only_that_is_added(rng: Random, axis: str) -> None:
    prompt = drawn_meaning(rng, 5)
    reply = vary(Phrase(prompt), [axis], rng).meaning
    if axis in prompt.open:
        assert reply.subject == prompt.subject
        assert reply.values.keys() - prompt.values.keys() == {axis}


@given(CHANCE, st.sampled_from(["", *ATTRIBUTES]))
def test_a_mutation_changes_one_or_two_things(rng: Random, axis: str) -> None:
    prompt = drawn_meaning(rng, 4)
    reply = mutate(Phrase(prompt), axis, "", rng).meaning
    before, after = prompt.values, reply.values
    changed = sum(before.get(n) != after.get(n) for n in ATTRIBUTES) + (prompt.subject != reply.subject)
    assert 1 <= changed <= 2
    assert GROUP_OF[reply.subject] == GROUP_OF[prompt.subject]
    assert axis not in after or after[axis] == before.get(axis)


@given(CHANCE, st.sampled_from(["", *ATTRIBUTES]), st.sampled_from(["", *THEMES]))
def test_a_random_prompt_is_in_its_theme_and_leaves_the_axis_open(rng: Random, axis: str, theme: str) -> None:
    meaning = fresh(axis, theme, rng)
    assert parse(meaning.text()) == meaning
    assert fits_theme(meaning, theme)
    assert len(meaning.stated) <= 3
    assert axis not in meaning.values or meaning.values[axis] == theme


@given(CHANCE)
def test_odd_words_do_not_hide_the_meaning(rng: Random) -> None:
    meaning = drawn_meaning(rng, 3)
    phrase = with_odd_words(meaning, rng)
    if not phrase.name:
        assert parse(phrase.text()) == meaning
    assert phrase.text().split()[0] in ("a", "an")


def test_odd_words_stand_where_people_put_them() -> None:
    meaning = Meaning.of("doctor", {"size": "small", "colour": "red"})
    assert (
        Phrase(meaning, before="angry", tail="with a dog").text() == "a small angry doctor in red with a dog"
    )
    assert Phrase(Meaning("doctor"), before="angry").text() == "an angry doctor"
    assert Phrase(Meaning("cat"), name="zebra").text() == "a zebra"


def test_requests_cover_all_subjects_and_groups() -> None:
    rng = Random(0)
    drawn = [draw_request(rng) for _ in range(3000)]
    assert {r.kind for r in drawn} == {"variations", "mutations", "random"}
    found = {meaning.subject for r in drawn if (meaning := parse(r.reply)) is not None}
    assert found == {*SUBJECTS, *GROUPS}
