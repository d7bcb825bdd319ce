"""Confirmations in the store: frozen, stored whole or not at all, read back beside the candidate."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from store_samples import evaluation, image, scored, session

from store import Store, StoreError, open_store
from store.incoming import NewCeiling, NewConfirmationResult, NewConfirmedScore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path) as opened:
        yield opened


def third_draw(store: Store, candidate: int, prompt: str, score: float) -> int:
    images = store.save_images([image(prompt, seed) for seed in (11, 13, 15)])
    return store.save_evaluation(candidate, replace(evaluation(images, score), purpose="confirm"))


def ceiling_draw(store: Store, candidate: int) -> int:
    images = store.save_images([image("a blue cat", seed) for seed in (5, 13)])
    new = replace(evaluation(images, 0.5, ["a blue cat"]), purpose="ceiling", alignment=[0.25, 0.5])
    return store.save_evaluation(candidate, new)


def result(store: Store, mined: list[int], others: list[int]) -> NewConfirmationResult:
    scores = [
        NewConfirmedScore(
            candidate_id=number,
            role="mined",
            evaluation_id=third_draw(store, number, f"p{number}", 0.2),
            search_score=0.1,
            rank_score=0.3 - number / 100,
            score=0.2,
            low=0.15,
            high=0.25,
            shrunk=0.22,
            p=0.01,
            q=0.02,
            claimed=number == mined[0],
            ceiling_evaluation_id=ceiling_draw(store, number),
            ceilings=[NewCeiling("a blue cat", 0.1, 0.5, "missed", 0, 2)],
        )
        for number in mined
    ]
    scores += [
        NewConfirmedScore(
            number, "random", third_draw(store, number, f"p{number}", 0.5), 0.5, None, 0.5, 0.4, 0.6, 0.5
        )
        for number in others
    ]
    return NewConfirmationResult("information", scores, 0.7, 0.4, 0.9, 0.1, 0.03, 0.24, 0.5)


def test_a_shortlist_is_frozen_once(store: Store) -> None:
    run = session(store)
    one, other = scored(store, run, 1, ["a", "b"], [0.1, 0.5])
    first = store.freeze_shortlist(run, "c1", 32, [(one, "mined"), (other, "random")])
    assert store.freeze_shortlist(run, "c1", 64, [(other, "mined")]) == first
    (kept,) = store.confirmations(run)
    assert (kept.images, kept.members) == (32, ((one, "mined"), (other, "random")))
    assert kept.finished_at is None
    assert store.confirmation(run) is None
    assert store.findings(run) == ()
    assert store.candidate(one).finding is None


def test_what_was_confirmed_is_read_back(store: Store) -> None:
    run = session(store)
    one, two, other = scored(store, run, 1, ["a", "b", "c"], [0.1, 0.15, 0.5])
    number = store.freeze_shortlist(run, "c1", 3, [(one, "mined"), (two, "mined"), (other, "random")])
    store.save_confirmation(number, result(store, [one, two], [other]))
    store.save_confirmation(
        number, result(store, [one], [other])
    )  # again, after a crash: the first one stays
    found = store.confirmation(run)
    assert found is not None
    assert found.finished_at is not None
    assert (found.reliability, found.mined_p, found.inflation, found.random_score) == (0.7, 0.03, 0.24, 0.5)
    # by the second draw, not by the third one that is reported
    assert [(f.candidate_id, f.rank, f.claimed, f.prompt) for f in found.findings] == [
        (two, 1, False, "b"),
        (one, 2, True, "a"),
    ]
    assert [(f.candidate_id, f.rank, f.p) for f in found.randoms] == [(other, 1, None)]
    assert store.findings(run) == found.findings
    finding = store.candidate(one).finding
    assert finding == found.findings[1]
    assert finding.images == 3
    assert finding.shrinkage == pytest.approx(1 - 0.3 / 0.4)
    (concept,) = finding.missed
    assert (concept.text, concept.verdict, concept.gap) == ("a blue cat", "missed", pytest.approx(0.4))
    assert [(shown.seed, shown.similarity) for shown in concept.images] == [(13, 0.5), (5, 0.25)]
    assert all(shown.path.exists() for shown in concept.images)


def test_the_latest_finished_confirmation_counts(store: Store) -> None:
    run = session(store)
    one, other = scored(store, run, 1, ["a", "b"], [0.1, 0.5])
    members = [(one, "mined"), (other, "random")]
    first = store.freeze_shortlist(run, "c1", 3, members)  # type: ignore[arg-type]
    store.save_confirmation(first, result(store, [one], [other]))
    store.freeze_shortlist(run, "c2", 3, members)  # type: ignore[arg-type]
    latest = store.confirmation(run)
    assert latest is not None
    assert latest.command_id == "c1"
    assert [found.command_id for found in store.confirmations(run)] == ["c2", "c1"]


@pytest.mark.parametrize(
    "change", [{"score": math.nan}, {"low": -math.inf}, {"candidate_id": 99}, {"role": "best"}], ids=str
)
def test_nothing_is_kept_of_a_result_that_is_none(store: Store, change: dict[str, object]) -> None:
    run = session(store)
    one, other = scored(store, run, 1, ["a", "b"], [0.1, 0.5])
    number = store.freeze_shortlist(run, "c1", 3, [(one, "mined"), (other, "random")])
    good = result(store, [one], [other])
    bad = replace(good, scores=[good.scores[0], replace(good.scores[1], **change)])  # type: ignore[arg-type]
    with pytest.raises(StoreError):
        store.save_confirmation(number, bad)
    assert store.confirmation(run) is None
    store.save_confirmation(number, good)
    assert store.confirmation(run) is not None


def test_datasette_shows_the_findings(store: Store) -> None:
    run = session(store)
    one, other = scored(store, run, 1, ["a", "b"], [0.1, 0.5])
    number = store.freeze_shortlist(run, "c1", 3, [(one, "mined"), (other, "random")])
    store.save_confirmation(number, result(store, [one], [other]))
    with sqlite3.connect(store.folder / "minegap.db") as database:
        rows = database.execute("SELECT rank, claimed, prompt, search_score, confirmed_score FROM findings")
        assert rows.fetchall() == [(1, 1, "a", 0.1, 0.2)]


def test_a_deleted_session_takes_its_confirmation_with_it(store: Store) -> None:
    run, kept = session(store), session(store, "other")
    one, other = scored(store, run, 1, ["a", "b"], [0.1, 0.5])
    (same,) = scored(store, kept, 1, ["a"], [0.3])
    for owner, mined, others in ((run, [one], [other]), (kept, [same], [])):
        number = store.freeze_shortlist(owner, "c1", 3, [(mined[0], "mined")])
        store.save_confirmation(number, result(store, mined, others))
    store.set_session_state(run, "finished")
    store.delete_session(run)
    found = store.findings(kept)
    assert [one.prompt for one in found] == ["a"]
    assert [len(concept.images) for concept in found[0].missed] == [2]
    with sqlite3.connect(store.folder / "minegap.db") as database:
        for table in ("confirmations", "confirmation_results", "confirmed_scores", "ceilings"):
            assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (1,), table
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
