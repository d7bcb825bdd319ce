"""The filter language: what parses, what is refused, and that both are said in one way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InputError
from minegap_tui.view.filters import (
    MOST_CHARACTERS,
    MOST_CONDITIONS,
    Filter,
    FilterError,
    parse,
)
from store.search import Condition, InSession, OfModel, OneOf, Within, Words


@pytest.mark.parametrize(
    ("text", "conditions"),
    [
        ("", ()),
        (" \n\t ", ()),
        ("nurse", (Words("nurse"),)),
        ("nurs*", (Words("nurs", beginning=True),)),
        ("-man", (Words("man", negated=True),)),
        ('"in a garden"', (Words("in a garden"),)),
        ('-"in a  garden"', (Words("in a  garden", negated=True),)),
        ('"say ""cheese"""', (Words('say "cheese"'),)),
        ("--x", (Words("-x", negated=True),)),
        ("<lora:x:1>", (Words("<lora:x:1>"),)),
        ("12:30", (Words("12:30"),)),
        ("score<.2", (Within("score", high=0.2, below=True),)),
        ("score<=0.2", (Within("score", high=0.2),)),
        ("Score>-1", (Within("score", low=-1, above=True),)),
        ("score:.1...3", (Within("score", 0.1, 0.3),)),
        ("score:0.1..0.3", (Within("score", 0.1, 0.3),)),
        ("score:.1..", (Within("score", low=0.1),)),
        ("-score<.2", (Within("score", high=0.2, below=True, negated=True),)),
        ("gen:3", (Within("gen", 3, 3),)),
        ("gen=3", (Within("gen", 3, 3),)),
        ("gen:12..", (Within("gen", low=12),)),
        ("gen:..12", (Within("gen", high=12),)),
        ("generation:2..4", (Within("gen", 2, 4),)),
        ("gen>=4", (Within("gen", low=4),)),
        ("origin:human", (OneOf("origin", ("human",)),)),
        ("origin:Human,elite,human", (OneOf("origin", ("human", "elite")),)),
        ("-state:failed", (OneOf("state", ("failed",), negated=True),)),
        ("session:01m", (InSession("01M"),)),
        ("-model:SD-turbo", (OfModel("SD-turbo", negated=True),)),
        ("a  b\tc", (Words("a"), Words("b"), Words("c"))),
    ],
)
def test_what_is_written_is_meant(text: str, conditions: tuple[Condition, ...]) -> None:
    assert parse(text) == Filter(conditions)
    assert parse(str(Filter(conditions))) == Filter(conditions)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("nurse foo:x", 7, "no field"),
        ("http://x", 1, "quotes"),
        ("score=.2", 7, "bound"),
        ("score<", 7, "“” is no number"),
        ("score<1e3", 7, "no number"),
        ("score:..", 7, "no bound"),
        ("score:a..b", 7, "no number"),
        ("score<" + "9" * 400, 7, "too large"),
        ("gen:3.5", 5, "whole number"),
        ("gen:5..3", 5, "smaller number first"),
        ("origin:hooman", 8, "initial, random, mutation, elite or human"),
        ("origin:human,", 8, "“” is no origin"),
        ("state:done", 7, "waiting, scored or failed"),
        ("state<failed", 6, "state:"),
        ("session:", 9, "01M"),
        ("model:", 7, "model:sd-turbo"),
        ("session:%", 9, "01M"),
        ('x "never closed', 3, "never closed"),
        ('"a"b', 4, "space"),
        ('ab"c', 3, "space"),
        ("-", 1, "right after it"),
        ("- a", 1, "right after it"),
        ("a !!!", 3, "no letter"),
        ('"…"', 1, "no letter"),
        ("*", 1, "no letter"),
        ("a " * (MOST_CONDITIONS + 1), 2 * MOST_CONDITIONS + 1, "shorten"),
    ],
)
def test_what_is_refused_names_its_place_and_the_remedy(text: str, place: int, words: str) -> None:
    with pytest.raises(FilterError, match=rf"^Place {place} of the filter: [^\n]+; [^\n]+\.$") as refused:
        parse(text)
    assert words in str(refused.value)


def test_a_book_is_no_filter() -> None:
    with pytest.raises(FilterError, match="shorten it"):
        parse("a" * (MOST_CHARACTERS + 1))


PIECES = (
    'score gen origin state session human failed 01M nurse é 日本 … : < <= > = .. . , - + " "" * 1 .5 0.25'
)
pieces = st.sampled_from([*PIECES.split(), " ", "\n", "\x1b[2J", "\0"])
texts = st.text() | st.lists(pieces, max_size=14).map("".join)


@given(texts)
def test_any_text_parses_or_is_refused_in_one_sentence(text: str) -> None:
    try:
        found = parse(text)
    except InputError as refused:
        sentence = str(refused)
        assert sentence.endswith(".")
        assert len(sentence) < 400
        assert sentence.startswith(("Place ", "The filter has "))
    else:
        assert len(found.conditions) <= MOST_CONDITIONS
        assert parse(str(found)) == found, str(found)


numbers = st.integers(-999, 999).map(float) | st.floats(-1e6, 1e6).map(lambda x: x + 0.0)
negated = st.booleans()
words = st.text(min_size=1).map(lambda text: text + "a")


def ranges(field: str, values: st.SearchStrategy[float]) -> st.SearchStrategy[Condition]:
    closed = st.tuples(values, values).map(sorted)
    return (
        st.builds(lambda both, no: Within(field, *both, negated=no), closed, negated)  # type: ignore[arg-type]
        | st.builds(lambda x, out, no: Within(field, low=x, above=out, negated=no), values, negated, negated)  # type: ignore[arg-type]
        | st.builds(lambda x, out, no: Within(field, high=x, below=out, negated=no), values, negated, negated)  # type: ignore[arg-type]
    )


conditions = (
    st.builds(Words, words, st.just(False), negated)
    | ranges("score", numbers)
    | ranges("gen", st.integers(0, 10**6).map(float))
    | st.builds(OneOf, st.just("state"), st.just(("failed", "waiting")), negated)
    | st.builds(OneOf, st.just("origin"), st.just(("human",)), negated)
    | st.builds(InSession, st.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=1), negated)
)


@given(st.lists(conditions, max_size=6))
def test_a_filter_reads_back_as_it_was_written(found: list[Condition]) -> None:
    asked = Filter(tuple(found))
    if len(str(asked)) <= MOST_CHARACTERS:
        assert parse(str(asked)) == asked


@given(st.text('ab -"*:<.', max_size=12), st.text('cd 01:."', max_size=12))
def test_filters_beside_each_other_are_both_meant(first: str, second: str) -> None:
    try:
        both = (*parse(first).conditions, *parse(second).conditions)
    except FilterError:
        return
    assert parse(f"{first} {second}").conditions == both
