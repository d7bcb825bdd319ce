"""Searching candidates: against a search by hand, over stores made by dice."""

from __future__ import annotations

import random
import re
import sqlite3
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_samples import evaluation, image, session
from store_truth import assert_true

from store import Reader, Store, open_reader, open_store
from store.incoming import NewCandidate, NewConfirmationResult, NewConfirmedScore
from store.records import Candidate
from store.search import Condition, InSession, OfModel, OneOf, Order, Within, Words

VOCABULARY = (
    "nurse",
    "Nurse",
    "nurses",
    "garden",
    "gárden",
    "a",
    "in",
    "red-haired",
    "x1",
    "O'Brien",
    "naïve",
    "…",
)
ORIGINS = ("initial", "random", "mutation", "elite", "human")
SCORES = (0.0, 0.1, 0.25, 0.25, 0.3, 0.5, -1.0, 2.0)


@dataclass(frozen=True)
class Mined:
    """A store, and everything in it."""

    reader: Reader
    candidates: list[Candidate]
    confirmed: dict[int, float]


@pytest.fixture(scope="module", params=[1, 2])
def mined(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mined]:
    folder = tmp_path_factory.mktemp("store")
    dice = random.Random(request.param)
    confirmed: dict[int, float] = {}
    with open_store(folder) as store:
        for _ in range(3):
            number = session(store)
            for generation in range(1, dice.randint(2, 4)):
                prompts = [_prompt(dice) for _ in range(8)]
                ids = store.add_candidates(
                    number,
                    generation,
                    [NewCandidate(place, text, dice.choice(ORIGINS)) for place, text in enumerate(prompts)],  # type: ignore[arg-type]
                )
                images = store.save_images([image(prompts[0], 2)])
                for candidate in ids:
                    fate = dice.randrange(6)
                    if fate == 0:
                        store.set_candidate_state(candidate, "failed", "no variations")
                    for _ in range(0 if fate < 2 else 2 if fate == 2 else 1):  # some are measured again
                        store.save_evaluation(candidate, evaluation(images, dice.choice(SCORES)))
            confirmed |= _confirm(store, number, dice)
    assert_true(folder)
    with open_reader(folder) as reader:
        every = [
            candidate
            for one in reader.sessions()
            for summary in reader.generations(one.id)
            for candidate in reader.candidates(one.id, summary.generation)
        ]
        yield Mined(reader, every, confirmed)


def _confirm(store: Store, number: str, dice: random.Random) -> dict[int, float]:
    """Confirm some of a session twice, and begin a third time; the second one counts."""
    found: dict[int, float] = {}
    for order in ("first", "second", "unfinished"):
        ranked = store.leaderboard(number, 99)
        members = dice.sample(ranked, min(len(ranked), 3))
        confirmation = store.freeze_shortlist(number, order, 4, [(one.id, "mined") for one in members])
        if order == "unfinished":
            break
        found = {one.id: dice.choice(SCORES) for one in members}
        scores = [
            NewConfirmedScore(one, "mined", store.candidate(one).evaluations[0].id, 0, 0, score, 0, 0, 0)
            for one, score in found.items()
        ]
        nothing = [None] * 7
        store.save_confirmation(confirmation, NewConfirmationResult("information", scores, *nothing))
    return found


def _prompt(dice: random.Random) -> str:
    return " ".join(dice.choice(VOCABULARY) for _ in range(dice.randint(1, 5)))


# ---------------------------------------------------------------- by hand


def _words(text: str) -> list[str]:
    bare = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return re.findall(r"[^\W_]+", bare.lower())


def _holds(condition: Condition, candidate: Candidate) -> bool:
    match condition:
        case Words():
            wanted, held = _words(condition.text), _words(candidate.prompt)
            found = bool(wanted) and any(
                _same(held[place : place + len(wanted)], wanted, condition.beginning)
                for place in range(len(held) - len(wanted) + 1)
            )
        case Within():
            value = candidate.score if condition.field == "score" else candidate.generation
            low = condition.low if condition.low is not None else -float("inf")
            high = condition.high if condition.high is not None else float("inf")
            found = (
                value is not None
                and (value > low if condition.above else value >= low)
                and (value < high if condition.below else value <= high)
            )
        case OneOf():
            found = (candidate.origin if condition.field == "origin" else candidate.state) in condition.values
        case InSession():
            found = candidate.session_id.startswith(condition.beginning)
        case OfModel():
            found = False  # these sessions have none
    return found != condition.negated


def _same(held: list[str], wanted: list[str], beginning: bool) -> bool:
    if beginning:
        return held[:-1] == wanted[:-1] and held[-1].startswith(wanted[-1])
    return held == wanted


def _by_hand(mined: Mined, conditions: list[Condition], order: Order) -> list[int]:
    found = [one for one in mined.candidates if all(_holds(condition, one) for condition in conditions)]
    if order == "newest":
        return sorted((one.id for one in found), reverse=True)
    first = mined.confirmed if order == "confirmed" else {}
    ranked = sorted((first[one.id], one.id) for one in found if one.id in first)
    found = [one for one in found if one.id not in first]
    found.sort(key=lambda one: (one.score is None, one.score or 0, one.id))
    return [number for _, number in ranked] + [one.id for one in found]


# ---------------------------------------------------------------- the same by the store

negated = st.booleans()
bounds = st.sampled_from((*SCORES, None, 1, 2))
phrases = st.lists(st.sampled_from((*VOCABULARY, "GARDEN", "zebra", "n", "red")), min_size=1, max_size=3).map(
    " ".join
)
conditions = st.one_of(
    st.builds(Words, phrases, st.booleans(), negated),
    st.builds(Within, st.sampled_from(("score", "gen")), bounds, bounds, negated, negated, negated),
    st.builds(OneOf, st.just("origin"), st.lists(st.sampled_from(ORIGINS), max_size=3).map(tuple), negated),
    st.builds(OneOf, st.just("state"), st.sampled_from((("failed",), ("waiting", "scored"))), negated),
    st.builds(InSession, st.sampled_from(("0", "01", "Z")), negated),
)


@given(
    asked=st.lists(conditions, max_size=4),
    order=st.sampled_from(get_args(Order)),
    limit=st.integers(1, 9),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_page_by_page_the_store_finds_what_a_search_by_hand_finds(
    mined: Mined, asked: list[Condition], order: Order, limit: int
) -> None:
    expected = _by_hand(mined, asked, order)
    found = list(page := mined.reader.find(asked, order, limit=limit))
    while page:
        page = mined.reader.find(asked, order, after=page[-1], limit=limit)
        found += page
    assert [place.id for place in found] == expected
    if order == "confirmed":
        assert {one.id: one.confirmed for one in found if one.confirmed is not None} == {
            number: score for number, score in mined.confirmed.items() if number in expected
        }
    assert mined.reader.count(asked) == len(expected)


def test_a_session_is_found_by_the_beginning_of_its_id(mined: Mined) -> None:
    for one in mined.reader.sessions():
        found = mined.reader.find([InSession(one.id[:-1]), InSession(one.id)], limit=1000)
        assert {place.id for place in found} == {c.id for c in mined.candidates if c.session_id == one.id}


@pytest.mark.parametrize(
    "text", ["\0", "a\0b", '"', "' OR 1=1 --", "*", "NEAR(a b)", "a AND", "\udcff", "…", "{text}:a"]
)
def test_no_text_is_more_than_words(mined: Mined, text: str) -> None:
    for beginning in (False, True):
        found = mined.reader.find([Words(text, beginning)], limit=1000)
        assert {place.id for place in found} == {
            one.id for one in mined.candidates if _holds(Words(text.replace("\0", " "), beginning), one)
        }


def test_values_are_no_sql(mined: Mined) -> None:
    hostile = "x') OR 1=1 --"
    assert mined.reader.count([OneOf("origin", (hostile,))]) == 0
    assert mined.reader.count([InSession(hostile)]) == 0


def test_a_model_is_found_by_a_part_of_its_name_or_the_beginning_of_its_fingerprint(tmp_path: Path) -> None:
    configs = {
        '{"models": {"pack": "micro", "painter": null}}': "{}",
        '{"models": {"pack": null, "painter": "/home/micro/SD-Turbo/", "scorer": "ViT-B-32"}}': '{"painter": "abc1"}',
        '{"models": 5}': '{"painter": "abd2"}',
        "[": "",
        "{" * 5000: "[]",
    }
    with open_store(tmp_path) as store:
        for config, models in configs.items():
            run = store.create_session(name="", seed=1, config_json=config, models_json=models)
            store.add_candidates(run, 1, [NewCandidate(0, "a", "initial")])
    with open_reader(tmp_path) as reader:

        def found(text: str, *, negated: bool = False) -> list[int]:
            return sorted(one.id for one in reader.find([OfModel(text, negated)]))

        assert found("MICRO") == [1]  # a folder above is no name
        assert found("sd-turbo") == [2]
        assert found("turb") == [2]
        assert found("vit", negated=True) == [1, 3, 4, 5]
        assert found("ab") == [2, 3]
        assert found("abd") == [3]
        assert found("bc1") == found("/") == found("%") == found("\0") == []


def test_words_are_offered_by_their_beginning(mined: Mined) -> None:
    held = [set(_words(prompt)) for prompt in {one.prompt for one in mined.candidates}]
    for beginning in ("n", "nur", "GÁR", "zebra", "…", "\udcff", "'"):
        bare = "".join(_words(beginning)) or beginning
        known = {
            word: sum(word in prompt for prompt in held)
            for word in set().union(*held)
            if word.startswith(bare)
        }
        expected = sorted(known, key=lambda word: (-known[word], word))
        assert list(mined.reader.words(beginning)) == expected[:8]
    assert len(mined.reader.words("", 2)) == 2


def test_candidates_come_in_the_order_that_was_asked_for(mined: Mined) -> None:
    ids = [one.id for one in mined.candidates][::-1]
    assert [one.id for one in mined.reader.found([*ids, 10**9])] == ids
    assert {one.id: one for one in mined.reader.found(ids)} == {one.id: one for one in mined.candidates}
    assert mined.reader.found([]) == ()


def test_an_image_weighs_once(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        number, other = session(store), session(store)
        (candidate, second) = store.add_candidates(
            number, 1, [NewCandidate(0, "a", "initial"), NewCandidate(1, "b", "initial")]
        )
        (elsewhere,) = store.add_candidates(other, 1, [NewCandidate(0, "a", "initial")])
        few = store.save_images([image("a", seed, b"\x89PNG" + bytes([seed]) * 96) for seed in range(4)])
        store.save_evaluation(candidate, evaluation(few[:2], 0.5))
        store.save_evaluation(candidate, evaluation(few, 0.25))
        store.save_evaluation(second, evaluation(few[3:], 0.25))
        store.save_evaluation(elsewhere, evaluation(few[:1], 0.25))
    with open_reader(tmp_path) as reader:
        weighed = [reader.session(one) for one in (number, other)]
    assert [(one.images, one.bytes) for one in weighed] == [(4, 400), (1, 100)]


@pytest.mark.parametrize("order", get_args(Order))
def test_the_next_page_is_sought_not_counted_off(mined: Mined, order: Order) -> None:
    """SQLite goes to the place by an index that has all it needs: no row before it is read, none is sorted."""
    connection: sqlite3.Connection = mined.reader._connection
    conditions = [
        Words("garden", negated=True),
        Within("gen", 0),
        InSession("0"),
        OneOf("state", ("waiting", "scored")),
    ]
    every = mined.reader.find([], order, limit=1000)
    said: list[str] = []
    connection.set_trace_callback(said.append)
    for after in every:
        mined.reader.find(conditions, order, after=after, limit=1000)
    connection.set_trace_callback(None)
    asked = {question for question in said if question.startswith("SELECT c.id")}
    assert asked
    for question in asked:
        plan = [row[3] for row in connection.execute("EXPLAIN QUERY PLAN " + question)]
        confirmed = "f.score, c.id LIMIT" in question  # few: what a confirmation measured is sorted
        way = (
            "SEARCH c USING INTEGER PRIMARY KEY"
            if order == "newest" or confirmed
            else ("SEARCH c USING COVERING INDEX candidates_of_all_sessions")
        )
        assert any(step.startswith(way) for step in plan), (question, plan)
        assert not any(step.startswith("SCAN c") for step in plan), (question, plan)
        assert confirmed or not any("ORDER BY" in step for step in plan), (question, plan)
