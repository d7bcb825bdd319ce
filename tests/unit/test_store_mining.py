"""What mining saves: twice is once, the first stays, nothing is deleted, and what is refused leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from store_samples import PIPELINE, SCORER, evaluation, image, scored, session, writing

from store import Store, StoreError
from store.incoming import NewCandidate


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
