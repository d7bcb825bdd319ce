"""Full, read-only and moved disks, deleted directories: nothing saved is lost, and the same store goes on."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import sqlite3
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from store_samples import PIPELINE, SCORER, evaluation, image, scored, session, writing
from test_store_safety import assert_every_row_has_its_file

import store.images
from store import Reader, Store, StoreError, open_reader, open_store
from store.connection import DATABASE
from store.incoming import NewCandidate, NewConfirmationResult
from store.lock import LOCK_FILE


@contextmanager
def small_disk(folder: Path, size: str = "3m") -> Iterator[Path]:
    """A file system of its own, where this machine lets us make one."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", folder]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("mounting a small disk needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def for_ever(write: Callable[[int], object]) -> None:
    for number in count():
        write(number)


def append_events_for_ever(store: Store, run: str) -> None:
    for_ever(lambda _: store.append_event(run, "note", {"text": "x" * 4000}))


def test_a_full_disk_loses_nothing_and_mining_goes_on_when_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk, open_store(disk / "store") as store:
        run = session(store)
        ballast = disk / "ballast"
        ballast.write_bytes(b"x" * 1_000_000)
        saved = 0
        refusal = None
        while refusal is None:
            try:
                store.save_images([image("big", saved, os.urandom(50_000)), image("big", 10_000 + saved)])
                saved += 1
            except StoreError as error:
                refusal = error
        assert refusal.exit_code == 3
        assert "is full: free some space" in str(refusal)
        assert saved > 5
        # rows only: the last free blocks go to the database's log
        with pytest.raises(StoreError, match="is full") as caught:
            append_events_for_ever(store, run)
        assert caught.value.exit_code == 3
        assert assert_every_row_has_its_file(disk / "store") == 2 * saved
        ballast.unlink()
        store.save_images([image("big", saved), image("big", 10_000 + saved)])
        store.append_event(run, "resumed", {})
        assert len(store.find_images("big", range(saved + 1), PIPELINE, SCORER)) == saved + 1


def test_a_store_on_a_full_disk_is_not_called_damaged(tmp_path: Path) -> None:
    """SQLite calls it an error of input and output when its file for sharing cannot grow."""
    with small_disk(tmp_path / "disk") as disk:
        open_store(disk / "store").close()
        with pytest.raises(OSError, match="No space"):
            (disk / "ballast").write_bytes(b"x" * 10_000_000)
        for opener in (open_reader, open_store):
            with pytest.raises(StoreError, match="is full: free some space") as caught:
                opener(disk / "store")
            assert (caught.value.exit_code, caught.value.full) == (3, True)


def test_no_store_can_be_made_on_a_full_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        with pytest.raises(OSError, match="No space"):
            (disk / "ballast").write_bytes(b"x" * 10_000_000)
        with pytest.raises(StoreError, match="is full") as caught:
            open_store(disk / "store")
        assert caught.value.exit_code == 3
        (disk / "ballast").unlink()
        open_store(disk / "store").close()


def test_a_read_only_disk_can_be_read_and_says_so_when_written(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        with open_store(disk / "store") as store:
            run = session(store)
            scored(store, run, 0, ["a"], [0.5])
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        with open_reader(disk / "store") as reader:
            assert [one.prompt for one in reader.leaderboard(run)] == ["a"]
        for folder in (disk / "store", disk / "new"):
            with pytest.raises(StoreError, match="cannot be written: make it writable") as caught:
                open_store(folder)
            assert caught.value.exit_code == 3


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_file_size_limit_is_a_full_disk(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        run = session(store)
        (kept,) = scored(store, run, 0, ["a"], [0.5])
        limit = max(path.stat().st_size for path in tmp_path.iterdir())
        with file_size_limit(limit):
            with pytest.raises(StoreError) as caught:
                store.save_images([image("a", 8, os.urandom(limit + 1))])
            assert caught.value.exit_code == 3
            assert "is full" in str(caught.value)
            with pytest.raises(StoreError) as caught:
                append_events_for_ever(store, run)
            assert caught.value.exit_code == 3
        assert store.orphans() == ()
        assert store.candidate(kept).candidate.score == 0.5
        store.append_event(run, "resumed", {})
    assert assert_every_row_has_its_file(tmp_path) == 2


def test_a_database_at_its_limit_is_a_full_disk(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        run = session(store)
        store._rows("PRAGMA max_page_count=1")  # SQLite raises it to what there is
        with pytest.raises(StoreError, match="is full") as caught:
            append_events_for_ever(store, run)
        assert caught.value.exit_code == 3
        store._rows("PRAGMA max_page_count=1000000")
        assert store.append_event(run, "resumed", {}) > 0


def test_a_database_that_another_program_holds_locked(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        run = session(store)
        store._rows("PRAGMA busy_timeout=0")
        browser = sqlite3.connect(tmp_path / DATABASE, isolation_level=None)
        browser.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="Another program holds") as caught:
            store.append_event(run, "note", {})
        assert caught.value.exit_code == 3
        browser.close()
        assert store.append_event(run, "note", {}) > 0


# ---------------------------------------------------------------- every way to write


def content(source: object) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables."""
    rows = source._rows  # type: ignore[attr-defined]
    names = rows("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'")
    return {name: rows(f"SELECT * FROM {name} ORDER BY 1, 2") for (name,) in names if name != "sqlite_schema"}


def ways_to_write(opened: Store) -> dict[str, Callable[[int], object]]:
    """Every writing method, each as a call that changes something anew for every number."""
    run = session(opened)
    (candidate,) = scored(opened, run, 1, ["a"], [0.5])
    images = opened.save_images([image("a", seed) for seed in (2, 4)])
    return {
        "create_session": lambda n: opened.create_session(name=f"{n}", seed=n, config_json="{}"),
        "fork_session": lambda n: opened.fork_session(run, 1, name=f"{n}", seed=n, config_json="{}"),
        "set_session_state": lambda n: opened.set_session_state(run, "paused", f"because {n}"),
        "set_session_models": lambda n: opened.set_session_models(
            opened.create_session(name="", seed=n, config_json="{}"), f"{n}"
        ),
        "append_event": lambda n: opened.append_event(run, "note", {"number": n}),
        "add_candidates": lambda n: opened.add_candidates(run, 2, [NewCandidate(n, f"new {n}", "random")]),
        "set_candidate_state": lambda n: opened.set_candidate_state(candidate, "failed", f"because {n}"),
        "save_writing": lambda n: opened.save_writing(run, writing(f"key {n}", "a", ["b", "c"])),
        "save_images": lambda n: opened.save_images([image(f"more {n}", seed) for seed in (0, 2)]),
        "save_text_embeddings": lambda n: opened.save_text_embeddings(SCORER, {f"text {n}": [0.5] * 8}),
        "save_evaluation": lambda n: opened.save_evaluation(candidate, evaluation(images, n / 64)),
        "interrupt_abandoned": lambda n: (
            opened.set_session_state(run, "mining", f"{n}"), opened.interrupt_abandoned()
        ),
        "freeze_shortlist": lambda n: opened.freeze_shortlist(run, f"command {n}", 16, [(candidate, "mined")]),
        "save_confirmation": lambda n: opened.save_confirmation(
            opened.freeze_shortlist(run, f"result {n}", 16, [(candidate, "mined")]), NOTHING_FOUND
        ),
    }  # fmt: skip


NOTHING_FOUND = NewConfirmationResult("loss", [], None, None, None, None, None, None, None)
DELETING = {"delete_session", "remove_files"}
"""Cut at every step in test_store_deletion."""
SEVERAL_STEPS = ("set_session_models", "interrupt_abandoned", "save_confirmation")

WAYS = [
    "create_session", "fork_session", "set_session_state", "set_session_models", "append_event", "add_candidates",
    "set_candidate_state", "save_writing", "save_images", "save_text_embeddings", "save_evaluation",
    "interrupt_abandoned", "freeze_shortlist", "save_confirmation",
]  # fmt: skip


def test_the_ways_to_write_are_all_of_them(tmp_path: Path) -> None:
    with open_store(tmp_path) as opened:
        assert list(ways_to_write(opened)) == WAYS
    public = {name for name in dir(Store) if not name.startswith("_")}
    assert public - set(dir(Reader)) - set(WAYS) - DELETING == {
        "orphans",
        "remove_orphans",
        "session_begun_by",
    }


@pytest.mark.parametrize("way", WAYS)
def test_a_write_that_finds_no_room_changes_nothing_and_works_later(tmp_path: Path, way: str) -> None:
    """Room ends after 0, 1, 2, … more bytes of the log, so that every step of the transaction meets it."""
    with open_store(tmp_path) as opened:
        write = ways_to_write(opened)[way]
        log = tmp_path / f"{DATABASE}-wal"
        with open_reader(tmp_path) as reader, reader._snapshot():  # keeps the log from being used again
            reader.sessions()
            refusals = 0
            for number in range(40):
                before = content(opened)
                try:
                    with file_size_limit(log.stat().st_size + number * 1500):
                        write(number)
                except StoreError as error:
                    assert error.exit_code == 3  # noqa: PT017 - how many are refused depends on the step
                    assert content(opened) == before or way in SEVERAL_STEPS
                    refusals += 1
                else:
                    break
            assert refusals > 0
            write(99)
        assert content(opened) != before
        opened.append_event(opened.sessions()[0].id, "note", {})
    with open_store(tmp_path) as opened:
        assert opened._rows("PRAGMA integrity_check") == [("ok",)]


def test_every_write_on_a_full_disk_says_so_and_works_when_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "4m") as disk, open_store(disk / "store") as opened:
        ways = ways_to_write(opened)
        ballast = disk / "ballast"
        ballast.write_bytes(b"x" * 1_000_000)
        with open_reader(disk / "store") as reader, reader._snapshot():
            reader.sessions()
            for way, write in ways.items():
                with pytest.raises(StoreError, match="is full: free some space") as caught:
                    for_ever(write)
                assert (caught.value.exit_code, caught.value.full) == (3, True), way
            ballast.unlink()
            for way, write in ways.items():
                before = content(opened)
                write(200_000)
                assert content(opened) != before, way
    assert not ballast.exists()


def test_a_transaction_that_could_not_be_ended_does_not_stop_the_next_one(tmp_path: Path) -> None:
    with open_store(tmp_path) as opened:
        run = session(opened)
        opened._connection.execute("BEGIN")
        opened._connection.execute("UPDATE sessions SET reason = 'half a transaction'")
        opened.append_event(run, "note", {})
        assert opened.session(run).reason == ""
        assert not opened._connection.in_transaction


def test_a_question_that_the_disk_ended_says_why(tmp_path: Path) -> None:
    with open_store(tmp_path) as opened:
        session(opened)

        def ask() -> None:
            with opened._snapshot():
                opened._connection.execute("ROLLBACK")  # as SQLite does itself on some errors
                raise StoreError("the disk", 3)

        with pytest.raises(StoreError, match="the disk"):
            ask()
        assert len(opened.sessions()) == 1


# ---------------------------------------------------------------- directories that go


def test_a_deleted_image_directory_is_made_again(tmp_path: Path) -> None:
    with open_store(tmp_path) as opened:
        opened.save_images([image("a", 0)])
        shutil.rmtree(tmp_path / "images")
        (number,) = opened.save_images([image("a", 2)])
        found = opened.find_images("a", [2], PIPELINE, SCORER)[2]
        assert found.id == number
        assert found.path.read_bytes() == image("a", 2).png
        assert stat.S_IMODE((tmp_path / "images").stat().st_mode) == 0o700


def test_an_image_directory_that_is_deleted_while_it_is_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = store.images._write_durably
    attempts = 0

    def deleted_first(path: Path, png: bytes) -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 2:
            shutil.rmtree(tmp_path / "images")
        write(path, png)

    monkeypatch.setattr(store.images, "_write_durably", deleted_first)
    with open_store(tmp_path) as opened:
        opened.save_images([image("a", seed) for seed in range(3)])
    assert assert_every_row_has_its_file(tmp_path) == 3
    assert attempts == 5


@pytest.mark.parametrize("instead", ["nothing", "an empty directory", "another store"])
def test_a_store_that_was_moved_takes_nothing_until_it_is_back(tmp_path: Path, instead: str) -> None:
    """Else rows would go with the directory and image files to a new one at the old place."""
    home, away = tmp_path / "home", tmp_path / "away"
    with open_store(home) as opened:
        run = session(opened)
        home.rename(away)
        if instead == "an empty directory":
            home.mkdir()
        elif instead == "another store":
            open_store(home).close()
        there = sorted(home.rglob("*"))
        for write in (
            lambda: opened.append_event(run, "note", {}),
            lambda: opened.save_images([image("a", 0)]),
        ):
            with pytest.raises(StoreError, match="moved, deleted or replaced") as caught:
                write()
            assert caught.value.exit_code == 3
        assert sorted(home.rglob("*")) == there
        shutil.rmtree(home, ignore_errors=True)
        away.rename(home)
        opened.append_event(run, "back", {})
        opened.save_images([image("a", 0)])
    assert assert_every_row_has_its_file(home) == 1
    with open_reader(home) as reader:
        assert [event.kind for event in reader.events(run)] == ["back"]


def test_a_store_that_became_read_only_is_let_go_and_checked_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = open_store(tmp_path)
    with monkeypatch.context() as patch:

        def refuse(*_: object) -> None:
            raise OSError(errno.EROFS, "Read-only file system")

        patch.setattr(os, "ftruncate", refuse)
        opened.close()
    assert (tmp_path / LOCK_FILE).stat().st_size > 0
    open_store(tmp_path).close()
    assert (tmp_path / LOCK_FILE).stat().st_size == 0
