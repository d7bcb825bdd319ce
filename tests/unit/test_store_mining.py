"""The life of a session in the store: idempotence, views, evidence, search, readers beside the writer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_samples import PIPELINE, SCORER, evaluation, image, scored, session, writing

from store import Store, StoreError, open_reader, open_store
from store.incoming import NewCandidate
from store.records import FAMILY_PROMPT


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store") as opened:
        yield opened


def row_counts(store: Store) -> dict[str, int]:
    tables = store._rows(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%\\_%' ESCAPE '\\'"
    )
    return {name: store._rows(f"SELECT count(*) FROM {name}")[0][0] for (name,) in tables}


def test_saving_anything_twice_changes_nothing(store: Store) -> None:
    run = session(store)

    def everything() -> list[object]:
        written = store.save_writing(run, writing("k", "a cat", ["a red cat", "a blue cat"]))
        ids = store.add_candidates(
            run,
            0,
            [NewCandidate(0, "a cat", "initial"), NewCandidate(1, "a dog", "random", writing_id=written)],
        )
        images = store.save_images([image("a cat", 2), image("a cat", 4), image("a cat", 2)])
        store.save_text_embeddings(SCORER, {"a red cat": np.ones(4, np.float32)})
        return [written, ids, images, store.save_evaluation(ids[0], evaluation(images[:2], 0.5))]

    first, counts = everything(), row_counts(store)
    assert everything() == first
    assert row_counts(store) == counts
    assert store.orphans() == ()


def test_what_is_stored_first_stays(store: Store) -> None:
    run = session(store)
    (number,) = store.save_images([image("a cat", 2, b"first")])
    # drawn again in another batch, on another scorer: same image by definition, other low bits
    assert store.save_images([image("a cat", 2, b"other", scorer="scorer-2")]) == [number]
    for scorer in (SCORER, "scorer-2"):
        assert store.find_images("a cat", [2], PIPELINE, scorer)[2].path.read_bytes() == b"first"
    assert store.orphans() == ()

    store.save_text_embeddings(SCORER, {"x": [1.0]})
    store.save_text_embeddings(SCORER, {"x": [2.0], "y": [3.0]})
    found = store.find_text_embeddings(SCORER, ["x", "y", "z"])
    assert {text: vector.tolist() for text, vector in found.items()} == {"x": [1.0], "y": [3.0]}

    first = store.save_writing(run, writing("k", "a cat", ["one"]))
    assert store.save_writing(run, writing("k", "a cat", ["two"])) == first
    again = store.find_writing("k")
    assert again is not None
    assert again.texts == ("one",)

    store.add_candidates(run, 0, [NewCandidate(0, "a cat", "initial")])
    with pytest.raises(StoreError, match="already holds another prompt"):
        store.add_candidates(run, 0, [NewCandidate(1, "new", "initial"), NewCandidate(0, "a dog", "initial")])
    assert [one.prompt for one in store.candidates(run, 0)] == ["a cat"]


def test_images_are_found_by_prompt_seed_painter_and_scorer_only(store: Store) -> None:
    store.save_images([image("a cat", seed) for seed in (0, 2, 4)] + [image("a dog", 2)])
    assert sorted(store.find_images("a cat", [0, 2, 3], PIPELINE, SCORER)) == [0, 2]
    assert store.find_images("a cat", [0, 2], "painter-2", SCORER) == {}
    assert store.find_images("a cat", [0, 2], PIPELINE, "scorer-2") == {}
    assert store.find_images("A cat", [0, 2], PIPELINE, SCORER) == {}
    assert sorted(store.find_images("a cat", range(5000), PIPELINE, SCORER)) == [0, 2, 4]
    assert store.find_images("a cat", [], PIPELINE, SCORER) == {}


def test_two_prompts_with_the_same_image_share_one_file(store: Store) -> None:
    store.save_images([image("a cat", 2, b"black"), image("a dog", 2, b"black")])
    paths = {store.find_images(prompt, [2], PIPELINE, SCORER)[2].path for prompt in ("a cat", "a dog")}
    assert len(paths) == 1


def test_an_unknown_id_leaves_nothing_behind(store: Store) -> None:
    run = session(store)
    (number,) = store.add_candidates(run, 0, [NewCandidate(0, "a cat", "initial")])
    before = row_counts(store)
    attempts: list[Callable[[], object]] = [
        lambda: store.save_evaluation(number, evaluation([999], 0.5)),
        lambda: store.save_evaluation(999, evaluation(store.save_images([]), 0.5)),
        lambda: store.add_candidates(run, 1, [NewCandidate(0, "child", "mutation", parent_id=999)]),
        lambda: store.append_event("no session", "note", {}),
        lambda: store.save_writing("no session", writing("k", "a cat", ["x"])),
        lambda: store.set_session_state("no session", "paused"),
        lambda: store.set_candidate_state(999, "failed"),
        lambda: store.candidate(999),
        lambda: store.session("no session"),
    ]
    for attempt in attempts:
        with pytest.raises((StoreError, ValueError)) as caught:
            attempt()
        assert getattr(caught.value, "exit_code", 2) == 2
    assert row_counts(store) == before
    assert store.candidate(number).candidate.state == "waiting"


def test_a_candidate_comes_with_all_its_evidence(store: Store) -> None:
    run = session(store)
    varied = store.save_writing(run, writing("v", "a cat", ["a red cat", "a blue cat"]))
    born = store.save_writing(run, writing("m", "a dog", ["a cat"], kind="mutations"))
    (grandparent,) = store.add_candidates(run, 0, [NewCandidate(0, "a horse", "initial")])
    (parent,) = store.add_candidates(run, 1, [NewCandidate(0, "a dog", "mutation", grandparent)])
    (child,) = store.add_candidates(run, 2, [NewCandidate(5, "a cat", "mutation", parent, born)])
    images = store.save_images([image("a cat", seed) for seed in (4, 2, 0)])
    first = replace(evaluation(images, 0.75), writing_id=varied)
    store.save_evaluation(child, first)
    second = replace(
        first,
        scores={"information": 0.25},
        images=images[:2],
        similarity=first.similarity[:, :2],
        alignment=first.alignment[:2],
    )
    latest = store.save_evaluation(child, second)
    store.save_evaluation(child, replace(first, purpose="confirm", scores={"information": 0.9}))

    evidence = store.candidate(child)
    one = evidence.candidate
    assert (one.generation, one.position, one.state, one.score, one.parent_id) == (
        2,
        5,
        "scored",
        0.25,
        parent,
    )
    assert [past.prompt for past in evidence.parents] == ["a dog", "a horse"]
    assert [(past.purpose, past.score) for past in evidence.evaluations] == [
        ("search", 0.75),
        ("search", 0.25),
        ("confirm", 0.9),
    ]
    assert evidence.evaluation is not None
    assert evidence.evaluation.id == latest
    assert np.array_equal(evidence.evaluation.similarity, second.similarity)
    assert [(entry.text, entry.missed) for entry in evidence.evaluation.variations] == [
        ("a red cat", True),
        ("a blue cat", False),
    ]
    assert [entry.coverage for entry in evidence.evaluation.variations] == first.coverage.tolist()
    assert [entry.seed for entry in evidence.evaluation.images] == [4, 2]
    assert [entry.alignment for entry in evidence.evaluation.images] == first.alignment[:2].tolist()
    assert all(entry.path.is_file() for entry in evidence.evaluation.images)
    words = store.writings(child)
    assert [exchange.reply for one in words.variations for exchange in one.exchanges] == [
        "a red cat",
        "a blue cat",
    ]
    assert words.prompt is not None
    assert [exchange.reply for exchange in words.prompt.exchanges] == ["a cat"]
    assert words.author == words.candidate == evidence.candidate


def test_a_survivor_has_the_words_of_its_former_self(store: Store) -> None:
    run = session(store)
    written = store.save_writing(run, writing("m", "a dog", ["a cat"], kind="mutations"))
    (born,) = store.add_candidates(run, 1, [NewCandidate(0, "a cat", "mutation", writing_id=written)])
    (again,) = store.add_candidates(run, 2, [NewCandidate(0, "a cat", "elite", born)])
    (later,) = store.add_candidates(run, 3, [NewCandidate(0, "a cat", "elite", again)])
    (own,) = store.add_candidates(run, 4, [NewCandidate(0, "a cow", "human", later)])
    words = store.writings(later)
    assert (words.candidate.id, words.author.id, words.variations) == (later, born, ())
    assert words.prompt is not None
    assert words.prompt.texts == ("a cat",)
    assert store.writings(own).prompt is None
    with pytest.raises(StoreError, match="no candidate 99"):
        store.writings(99)


def test_a_family_is_whole_and_parents_come_first(store: Store) -> None:
    run, other = session(store), session(store, "other")
    scored(store, other, 1, ["elsewhere"], [0.1])
    first, second = scored(store, run, 1, ["a dog", "x" * 5000], [0.5, 0.25])
    (waiting,) = store.add_candidates(run, 2, [NewCandidate(0, "a cat", "mutation", first)])
    family = store.family(run)
    assert [(one.id, one.parent_id, one.score, one.state) for one in family] == [
        (first, None, 0.5, "scored"),
        (second, None, 0.25, "scored"),
        (waiting, first, None, "waiting"),
    ]
    assert [len(one.prompt) for one in family] == [5, FAMILY_PROMPT, 5]
    assert store.family("no such session") == ()


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


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(tmp_path_factory.mktemp("shared")) as opened:
        yield opened


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


def test_lineage_lists_every_ancestor_once(store: Store) -> None:
    run = session(store)
    (parent,) = scored(store, run, 0, ["root"], [0.5])
    ids = [parent]
    for generation in range(1, 6):
        ids += store.add_candidates(run, generation, [NewCandidate(0, f"g{generation}", "mutation", ids[-1])])
    rows = store._rows(
        "SELECT ancestor_id, depth FROM lineage WHERE candidate_id = ? ORDER BY depth", ids[-1]
    )
    assert rows == [(number, depth) for depth, number in enumerate(reversed(ids))]


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


def test_rows_are_never_deleted_and_measurements_never_change(store: Store) -> None:
    run = session(store)
    store.save_writing(run, writing("k", "a cat", ["a red cat"]))
    store.save_text_embeddings(SCORER, {"a": [1.0]})
    store.append_event(run, "note", {})
    scored(store, run, 0, ["a cat"], [0.5])
    counts = row_counts(store)
    tables = [
        *(name for name, rows in counts.items() if rows),
        "writing_texts",
        "image_embeddings",
        "text_embeddings",
        "evaluation_variations",
        "evaluation_images",
    ]
    for table in tables:
        with pytest.raises(StoreError, match="are never deleted"):
            store._rows(f"DELETE FROM {table}")
        if table not in ("sessions", "candidates"):
            column = store._rows(f"SELECT name FROM pragma_table_info('{table}')")[-1][0]
            with pytest.raises(StoreError, match="never change"):
                store._rows(f"UPDATE {table} SET {column} = {column}")
    with pytest.raises(StoreError, match="never"):
        store._rows("INSERT OR REPLACE INTO prompts SELECT * FROM prompts")
    assert row_counts(store) == counts


def test_states_events_and_reasons(store: Store) -> None:
    run, other = session(store), session(store, "other")
    first = store.append_event(run, "started", {"n": 1})
    store.append_event(other, "started", {})
    last = store.append_event(run, "paused", {"why": ["space"]})
    assert [event.kind for event in store.events(run)] == ["started", "paused"]
    assert [event.seq for event in store.events(run, first)] == [last]
    store.set_session_state(run, "paused", "by hand")
    assert (store.session(run).state, store.session(run).reason) == ("paused", "by hand")
    (number,) = store.add_candidates(run, 0, [NewCandidate(0, "a cat", "initial")])
    store.set_candidate_state(number, "failed", "no variations")
    assert store.candidate(number).candidate.reason == "no variations"


def test_readers_in_threads_see_whole_candidates_while_the_writer_writes(store: Store) -> None:
    run = session(store)
    done, started = threading.Event(), threading.Barrier(4)
    failures: list[object] = []

    def read(shared: bool) -> None:
        with open_reader(store.folder) as own:
            reader = store if shared else own
            started.wait()
            seen, last = 0, False
            while not last:
                last = done.is_set()  # one more look after the writer's end
                for one in reader.leaderboard(run, limit=2):
                    evidence = reader.candidate(one.id)
                    if evidence.evaluation is None or not all(
                        entry.path.is_file() for entry in evidence.evaluation.images
                    ):
                        failures.append(one)
                count = reader.session(run).scored
                if count < seen:
                    failures.append((seen, count))
                seen = count
            if seen != 16:
                failures.append(seen)

    threads = [threading.Thread(target=read, args=(shared,)) for shared in (False, False, True)]
    for thread in threads:
        thread.start()
    started.wait()
    for generation in range(8):
        scored(store, run, generation, [f"{generation} a", f"{generation} b"], [0.1, 0.2])
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []


def test_one_reader_serves_many_threads(store: Store) -> None:
    run = session(store)
    scored(store, run, 0, ["a", "b"], [0.1, 0.2])
    results: list[int] = []
    with open_reader(store.folder) as reader:
        threads = [
            threading.Thread(target=lambda: results.extend(len(reader.leaderboard(run)) for _ in range(20)))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert results == [2] * 80


def test_a_reader_cannot_write(store: Store) -> None:
    with open_reader(store.folder) as reader, pytest.raises(StoreError, match="cannot be written"):
        reader._rows("UPDATE sessions SET name = 'x'")
