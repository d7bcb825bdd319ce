"""What the store says of whole sessions: leaderboards, pages, generations summed up, prompts found by their words."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_samples import evaluation, image, scored, session

from store import Store, open_store
from store.incoming import NewCandidate


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(tmp_path_factory.mktemp("shared")) as opened:
        yield opened


def test_a_score_that_comes_late_ranks_no_one_anew(store: Store) -> None:
    """The latest measurement ranks, not the one whose scores were written last."""
    run = session(store)
    (candidate,) = scored(store, run, 1, ["a"], [0.5])
    with store._transaction() as database:
        for number in (100, 101):
            database.execute(
                "INSERT INTO evaluations (id, candidate_id, purpose, score_name, variations, images, similarity, "
                "digest, created_at) VALUES (?, ?, 'search', 'information', 1, 1, x'00000000', ?, '')",
                (number, candidate, str(number)),
            )
        for number, score in ((101, 0.25), (100, 0.125)):
            database.execute("INSERT INTO scores VALUES (?, 'information', ?)", (number, score))
    assert [one.score for one in store.leaderboard(run)] == [0.25]


def test_pages_are_the_whole(store: Store) -> None:
    run, other = session(store), session(store, "other")
    for generation in (1, 2, 4):
        scored(
            store, run, generation, [f"{generation} {n}" for n in range(5)], [0.5, 0.25, 0.25, 0.125, 0.25]
        )
        scored(store, other, generation, ["elsewhere"], [0.25])
    store.add_candidates(run, 5, [NewCandidate(0, "waits", "random")])
    board = store.leaderboard(run, 99)
    for limit in (1, 2, 4, 15):
        read = list(page := store.leaderboard(run, limit))
        while page:
            page = store.leaderboard(run, limit, after=page[-1])
            read += page
        assert tuple(read) == board
    family = store.family(run)
    assert len(family) == 16
    for most, sizes in ((1, [5, 5, 5, 1]), (5, [5, 5, 5, 1]), (6, [10, 6]), (15, [15, 1]), (16, [16])):
        pages = [store.family(run, most=most)]
        while pages[-1]:
            pages.append(store.family(run, pages[-1][-1].generation, most))
        assert [len(page) for page in pages] == [*sizes, 0]
        assert tuple(one for page in pages for one in page) == family
    assert store.generations(run, first=2) == store.generations(run)[1:]


def test_leaderboard_and_views_agree(store: Store) -> None:
    run, other = session(store), session(store, "other")
    scored(store, run, 0, ["a", "b", "c"], [0.5, 0.1, 0.5])
    scored(store, run, 1, ["d"], [0.3])
    scored(store, other, 0, ["e"], [0.0])
    store.add_candidates(run, 1, [NewCandidate(1, "waiting", "random")])
    best = store.leaderboard(run)
    assert [(one.prompt, one.score) for one in best] == [("b", 0.1), ("d", 0.3), ("a", 0.5), ("c", 0.5)]
    assert [one.prompt for one in store.leaderboard(run, limit=2)] == ["b", "d"]
    view = store._rows("SELECT prompt, rank FROM best_candidates WHERE session_id = ? ORDER BY rank", run)
    assert view == [("b", 1), ("d", 2), ("a", 3), ("c", 4)]
    now = store.session(run)
    assert (now.generations, now.candidates, now.scored, now.best_score) == (2, 5, 4, 0.1)
    assert [one.name for one in store.sessions()] == ["other", "demo"]


@settings(max_examples=15, deadline=None)
@given(scores=st.lists(st.floats(-10, 10, width=32), min_size=1, max_size=7), waiting=st.integers(0, 2))
def test_a_generation_is_summed_up_as_numpy_would(shared: Store, scores: list[float], waiting: int) -> None:
    run = session(shared)
    places = [NewCandidate(place, f"prompt {place}", "random") for place in range(len(scores) + waiting)]
    images = shared.save_images([image("any", 2), image("any", 4)])
    for number, score in zip(shared.add_candidates(run, 0, places), scores, strict=False):
        shared.save_evaluation(number, evaluation(images, score))
    (summary,) = shared.generations(run)
    ((best, *quartiles, mean),) = shared._rows(
        "SELECT best, lower_quartile, median, upper_quartile, mean FROM generation_summary "
        "WHERE session_id = ?",
        run,
    )
    low, middle, high = np.percentile(scores, [25, 50, 75])
    assert (summary.candidates, summary.scored) == (len(scores) + waiting, len(scores))
    assert summary.images == 2 * len(scores)
    assert summary.best == best == min(scores)
    assert (*quartiles, mean) == pytest.approx((low, middle, high, np.mean(scores)), abs=1e-9)
    assert (summary.median, summary.spread, summary.mean) == pytest.approx(
        (middle, high - low, np.mean(scores)), abs=1e-9
    )


def test_a_generation_without_scores_has_no_numbers(store: Store) -> None:
    run = session(store)
    store.add_candidates(run, 0, [NewCandidate(0, "a", "initial")])
    (summary,) = store.generations(run)
    assert (summary.best, summary.median, summary.spread, summary.mean, summary.images) == (
        None,
        None,
        None,
        None,
        0,
    )


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("doctor", ["a DOCTOR in a café", "a doctor's red hat"]),
        ("doct", ["a DOCTOR in a café", "a doctor's red hat"]),
        ("cafe", ["a DOCTOR in a café"]),
        ("hat red", ["a doctor's red hat"]),
        ("hat doct", ["a doctor's red hat"]),
        ("do or", []),
        ('"', []),
        ("", []),
        ("\0", []),
        ("hat\0red", ["a doctor's red hat"]),
        ("hat -- red", ["a doctor's red hat"]),
        ("hat OR horse", []),
        ("text:hat", []),
        ("*", []),
        ("NEAR(hat red)", []),
        ("x" * 100_000, []),
    ],
)
def test_search_takes_words_and_nothing_else(store: Store, query: str, found: list[str]) -> None:
    prompts = ["a DOCTOR in a café", "a doctor's red hat", "a horse"]
    run = session(store)
    store.add_candidates(run, 0, [NewCandidate(place, text, "initial") for place, text in enumerate(prompts)])
    assert sorted(one.prompt for one in store.search(query)) == sorted(found)
    assert len(store.search(query, session_id=run)) == len(found)
    assert store.search(query, session_id="other") == ()


@settings(max_examples=60, deadline=None)
@given(query=st.text(max_size=30))
def test_no_search_text_is_an_error(shared: Store, query: str) -> None:
    shared.search(query)
