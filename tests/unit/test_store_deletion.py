"""Deleting a session: what goes, what others keep, and what a death in the middle leaves."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from store_samples import SCORER, evaluation, image, scored, session, writing
from store_truth import assert_true

from store import Store, StoreError, open_reader, open_store
from store.connection import DATABASE
from store.deletion import TABLES, UNDELETABLE
from store.images import image_path
from store.incoming import NewCandidate, NewCeiling, NewConfirmationResult, NewConfirmedScore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path) as opened:
        yield opened


def ended(store: Store, name: str, *prompts: str) -> str:
    number = session(store, name)
    scored(store, number, 1, prompts, [0.1 * (place + 1) for place in range(len(prompts))])
    store.set_session_state(number, "interrupted")
    return number


def counts(folder: Path) -> dict[str, int]:
    with sqlite3.connect(folder / DATABASE) as database:
        return {table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}


def files(folder: Path) -> set[str]:
    return {path.stem for path in (folder / "images").glob("??/??/*")}


def schema(folder: Path) -> list[tuple[str, str]]:
    with sqlite3.connect(folder / DATABASE) as database:
        return database.execute(
            "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite%'"
        ).fetchall()


def is_whole(folder: Path) -> bool:
    assert_true(folder)
    with sqlite3.connect(folder / DATABASE) as database:
        index = database.execute("INSERT INTO prompts_fts(prompts_fts) VALUES ('integrity-check')")
        return not (index.fetchall() or database.execute("PRAGMA foreign_key_check").fetchall())


def delete(store: Store, number: str) -> int:
    deleted = store.delete_session(number)
    store.remove_files(deleted.files)
    return deleted.images


def test_the_only_session_leaves_an_empty_store(store: Store) -> None:
    before = schema(store.folder)
    number = ended(store, "one", "a cat", "a dog")
    store.append_event(number, "notice", {})
    written = store.save_writing(number, writing("k", "a cat", ["a red cat"]))
    store.add_candidates(number, 2, [NewCandidate(0, "a red cat", "mutation", writing_id=written)])
    store.save_images([image("a red cat", 1)])  # drawn, and then it was stopped
    store.save_text_embeddings(SCORER, {"a blue cat": np.ones(8, np.float32)})
    cat, dog = store.candidates(number, 1)
    confirmation = store.freeze_shortlist(number, "c", 4, [(cat.id, "mined"), (dog.id, "random")])
    measured = store.candidate(cat.id).evaluations[0].id
    missed = NewCeiling("a blue cat", 0.1, 0.2, "missed", 0, 2)
    score = NewConfirmedScore(
        *(cat.id, "mined", measured, 0.1, 0.1, 0.2, 0.1, 0.3, 0.2),
        ceiling_evaluation_id=measured,
        ceilings=[missed],
    )
    store.save_confirmation(
        confirmation, NewConfirmationResult("information", [score], None, None, None, None, None, None, None)
    )
    assert all(counts(store.folder).values())
    assert delete(store, number) == 5
    assert not any(counts(store.folder).values())
    assert not files(store.folder)
    assert store.search("cat") == ()
    assert sorted(schema(store.folder)) == sorted(before)
    assert is_whole(store.folder)
    session(store)
    with store._transaction() as database, pytest.raises(sqlite3.IntegrityError, match="never deleted"):
        database.execute("DELETE FROM sessions")


def test_a_number_of_a_candidate_is_never_given_again(store: Store) -> None:
    """What somebody noted of a deleted candidate would else be about another one."""
    ended(store, "kept", "an owl")
    newest = ended(store, "newest", "a cat", "a dog")
    gone = [one.id for one in store.candidates(newest, 1)]
    delete(store, newest)
    again = ended(store, "again", "a fox")
    assert min(one.id for one in store.candidates(again, 1)) > max(gone)
    fork = store.fork_session(again, 1, name="fork", seed=1, config_json="{}")
    store.set_session_state(fork, "interrupted")
    delete(store, fork)
    later = store.fork_session(again, 1, name="fork", seed=1, config_json="{}")
    assert [one.id for one in store.candidates(later, 1)] == [max(gone) + 3]


def test_another_session_keeps_all_it_rests_on(store: Store) -> None:
    first, second = ended(store, "first", "a cat", "a dog"), ended(store, "second", "a dog", "an owl")
    shared = store.save_writing(first, writing("k", "a dog", ["a red cat"]))
    (candidate,) = store.add_candidates(
        second, 2, [NewCandidate(0, "a red cat", "mutation", writing_id=shared)]
    )
    store.save_evaluation(
        candidate, replace(evaluation(store.save_images([image("x", 1)]), 0.5), writing_id=shared)
    )
    store.save_text_embeddings(SCORER, {"a blue cat": np.ones(8, np.float32)})
    before = store.leaderboard(second)
    evidence = [store.candidate(one.id) for one in before]
    written = [store.writings(one.id) for one in before]
    assert delete(store, first) == 2  # those of the cat
    assert [one.name for one in store.sessions()] == ["second"]
    assert store.leaderboard(second) == before
    assert [store.writings(one.id) for one in before] == written
    for one in evidence:
        now = store.candidate(one.candidate.id)
        assert now.candidate == one.candidate
        assert [kept.images for kept in now.evaluations] == [kept.images for kept in one.evaluations]
        assert all(drawn.path.is_file() for kept in now.evaluations for drawn in kept.images)
    assert store.find_writing("k") is not None
    assert len(files(store.folder)) == 5
    assert store.find_text_embeddings(SCORER, ["a blue cat"])
    assert store.search("cat")[0].prompt == "a red cat"
    assert is_whole(store.folder)
    delete(store, second)
    assert not any(counts(store.folder).values())
    assert not files(store.folder)


def test_what_a_session_in_work_may_be_about_to_use_stays(store: Store) -> None:
    first, busy = ended(store, "first", "a cat", "a dog"), session(store, "busy")
    store.add_candidates(busy, 1, [NewCandidate(0, "a dog", "initial")])
    ids = store.save_images([image("a dog", 2), image("a dog", 4)])  # found, not drawn again
    at_hand = [
        store.save_writing(first, writing("about a dog", "a dog", ["a red dog"])),
        store.save_writing(first, writing("random", "", ["an owl"], "random")),
    ]
    idle = store.save_writing(first, writing("about a cat", "a cat", ["a red cat"]))
    assert delete(store, first) == 2
    (candidate,) = [one.id for one in store.candidates(busy, 1)]
    store.save_evaluation(candidate, replace(evaluation(ids, 0.5), writing_id=at_hand[0]))
    store.add_candidates(busy, 2, [NewCandidate(0, "an owl", "random", writing_id=at_hand[1])])
    assert store.find_writing("about a cat") is None
    assert idle not in at_hand
    assert is_whole(store.folder)


@pytest.mark.parametrize("state", UNDELETABLE)
def test_a_session_that_an_engine_has_is_not_deleted(store: Store, state: str) -> None:
    number = ended(store, "one", "a cat")
    store.set_session_state(number, state)  # type: ignore[arg-type]
    before = counts(store.folder)
    with pytest.raises(StoreError, match=f"{number} is {state}.*stop it first") as caught:
        store.delete_session(number)
    assert caught.value.exit_code == 2
    assert counts(store.folder) == before


def test_a_session_goes_after_its_forks(store: Store) -> None:
    number = ended(store, "one", "a cat")
    fork = store.fork_session(number, 1, name="fork", seed=1, config_json="{}")
    store.set_session_state(fork, "interrupted")
    with pytest.raises(StoreError, match=f"session {fork} was forked from it: delete that one first"):
        store.delete_session(number)
    assert delete(store, fork) == 0
    assert delete(store, number) == 2
    assert not files(store.folder)


def test_there_must_be_such_a_session(store: Store) -> None:
    with pytest.raises(StoreError, match="There is no session"):
        store.delete_session("01J")


def test_a_file_that_a_row_names_again_stays(store: Store) -> None:
    deleted = store.delete_session(ended(store, "one", "a cat"))
    (kept,) = store.save_images([image("a cat", 2)])  # another session draws the same
    store.remove_files(deleted.files)
    assert kept
    assert len(files(store.folder)) == 1
    assert store.orphans() == ()


def test_files_that_were_not_reached_go_at_the_next_start(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        deleted = store.delete_session(ended(store, "one", "a cat"))
        store.remove_files(deleted.files[:1])
        assert len(files(tmp_path)) == 1
    with open_store(tmp_path):
        assert not files(tmp_path)


def test_a_file_that_cannot_be_removed_is_said_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    with open_store(tmp_path) as store:
        deleted = store.delete_session(ended(store, "one", "a cat"))
        with monkeypatch.context() as patched:
            patched.setattr(Path, "unlink", fails)
            with pytest.raises(StoreError, match="cannot be written"):
                store.remove_files(deleted.files)
        assert image_path(tmp_path, deleted.files[0]).is_file()
    with open_store(tmp_path):
        assert not files(tmp_path)


def test_a_reader_sees_all_of_it_or_nothing(store: Store) -> None:
    number = ended(store, "one", "a cat")
    with open_reader(store.folder) as reader:
        with reader._snapshot():
            assert reader.leaderboard(number)
            delete(store, number)
            assert reader.leaderboard(number)
        assert reader.sessions() == ()


def test_no_other_table_refers_to_what_is_deleted(store: Store) -> None:
    with sqlite3.connect(store.folder / DATABASE) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        refer = {
            table
            for table in tables
            if any(key[2] in TABLES for key in database.execute(f"PRAGMA foreign_key_list({table})"))
        }
    assert refer <= set(TABLES)


def test_killed_at_any_step_it_is_whole_or_gone(tmp_path: Path) -> None:
    program = Path(__file__).with_name("store_deletion_crash.py")
    done = subprocess.run(
        [sys.executable, str(program), str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=program.parent,
    )
    steps = int(done.stdout)
    assert steps > 40
    kept = {"doomed": [], "kept": []}  # type: dict[str, list[int]]
    for step in range(steps + 1):
        folder = tmp_path / str(step)
        with open_store(folder) as store:  # sweeps
            names = sorted(one.name for one in store.sessions())
            kept["doomed" if "doomed" in names else "kept"].append(step)
            assert names[-1] == "kept"
            named = {row[0] for row in store._rows("SELECT sha256 FROM images")}
            assert files(folder) == named
            assert len(named) == (6 if "doomed" in names else 4)
        assert is_whole(folder)
        assert any(name == "scores_are_kept" for name, _ in schema(folder))
    assert kept["doomed"] == list(range(len(kept["doomed"])))  # up to the COMMIT, and never after
    assert len(kept["kept"]) >= 3  # at the COMMIT's end, between two files, at the end
