"""What the store knows of a candidate: its evidence, the words that made it, its family and its ancestors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from store_samples import evaluation, image, scored, session, writing

from store import Store, StoreError
from store.incoming import NewCandidate
from store.records import FAMILY_PROMPT


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
