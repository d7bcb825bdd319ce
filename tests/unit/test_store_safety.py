"""Nothing saved is lost: killed writers, full and read-only disks, two writers, damaged and foreign files."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from store_crash import FIRST, SECOND
from store_samples import PIPELINE, SCORER, image, scored, session

from store import StoreError, open_reader, open_store
from store.connection import DATABASE, refuse_network_disk
from store.lock import LOCK_FILE

HERE = Path(__file__).parent


def assert_every_row_has_its_file(folder: Path) -> int:
    with open_reader(folder) as reader:
        rows = reader._rows("SELECT path, sha256, bytes FROM images")
        for path, sha256, size in rows:
            content = (folder / path).read_bytes()
            assert len(content) == size
            assert hashlib.sha256(content).hexdigest() == sha256
        return len(rows)


def test_killed_after_any_step_of_saving_images(tmp_path: Path) -> None:
    """No dangling row, no half file, the batch is there whole or not at all; saving it again completes it."""
    done = subprocess.run(
        [sys.executable, HERE / "store_crash.py", tmp_path], check=True, capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": f"{HERE}{os.pathsep}{HERE.parent.parent}"},
    )  # fmt: skip
    steps = int(done.stdout)
    assert steps > 15  # two files, their directories and the statements of the transaction
    outcomes = set()
    orphans = 0
    for step in range(steps):
        folder = tmp_path / str(step)
        rows = assert_every_row_has_its_file(folder)
        outcomes.add(rows)
        for path in folder.glob("images/??/??/*.png"):
            assert hashlib.sha256(path.read_bytes()).hexdigest() == path.stem
        before = len(list(folder.glob("images/??/??/*")))
        with open_store(folder) as store:
            assert store.sessions()[0].state == "interrupted"
            if rows == len(FIRST):
                orphans += before - len(list(folder.glob("images/??/??/*")))
            assert store.orphans() == ()
            ids = store.save_images([*FIRST, *SECOND])
            assert len(set(ids)) == 4
            assert store.orphans() == ()
        assert assert_every_row_has_its_file(folder) == 4
    assert outcomes == {len(FIRST), len(FIRST) + len(SECOND)}
    assert orphans > 0  # the kills did hit between file and row


WRITER = """
import sys
from pathlib import Path
from store_samples import image, session
from store import open_store
store = open_store(Path(sys.argv[1]))
session(store)
for number in range(10**6):
    store.save_images([image(f"prompt {number}", seed) for seed in range(8)])
    print(number, flush=True)
"""


def start_writer(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, folder], stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": f"{HERE}{os.pathsep}{HERE.parent.parent}"},
    )  # fmt: skip


def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    with start_writer(tmp_path) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            if int(line) == 20:
                writer.kill()
                break
    assert assert_every_row_has_its_file(tmp_path) >= 21 * 8
    with open_store(tmp_path) as store:
        for number in range(21):
            assert len(store.find_images(f"prompt {number}", range(8), PIPELINE, SCORER)) == 8


def test_a_second_writer_is_told_who_the_first_is(tmp_path: Path) -> None:
    with start_writer(tmp_path) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        with pytest.raises(StoreError, match=f"process {writer.pid} ") as caught:
            open_store(tmp_path)
        assert caught.value.exit_code == 2
        with open_reader(tmp_path) as reader:
            assert reader.sessions()[0].state == "mining"
        writer.kill()
    with open_store(tmp_path) as store:
        (left,) = store.sessions()
        assert (left.state, left.reason) == ("interrupted", "its engine ended without a word")
        with pytest.raises(StoreError, match=f"process {os.getpid()} "):
            open_store(tmp_path)
    open_store(tmp_path).close()


def test_states_that_an_engine_did_set_stay(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        for state in ("finished", "interrupted", "failed", "mining"):
            store.set_session_state(session(store, state), state, "said so")  # type: ignore[arg-type]
    with open_store(tmp_path) as store:
        states = {one.name: (one.state, one.reason) for one in store.sessions()}
    assert states.pop("mining") == ("interrupted", "its engine ended without a word")
    assert states == {name: (name, "said so") for name in ("finished", "interrupted", "failed")}


def test_a_new_store_is_private_and_closing_twice_is_fine(tmp_path: Path) -> None:
    store = open_store(tmp_path / "a" / "b")
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700
    store.close()
    store.close()
    assert (tmp_path / "a" / "b" / LOCK_FILE).read_bytes() == b""


def test_guarantees_of_the_connections(tmp_path: Path) -> None:
    def pragma(source: object, name: str) -> object:
        return source._rows(f"PRAGMA {name}")[0][0]  # type: ignore[attr-defined]

    with open_store(tmp_path) as store, open_reader(tmp_path) as reader:
        wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "recursive_triggers": 1}
        assert {name: pragma(store, name) for name in wanted} == wanted
        wanted = {"wal_autocheckpoint": 0, "query_only": 1}
        assert {name: pragma(reader, name) for name in wanted} == wanted


# ---------------------------------------------------------------- files that are no store


def test_there_is_no_store(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(StoreError, match="There is no store") as caught:
            open_reader(folder)
        assert caught.value.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_the_path_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(StoreError, match="not a directory") as caught:
            open_store(path)
        assert caught.value.exit_code == 2


def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    with sqlite3.connect(tmp_path / DATABASE) as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    before = (tmp_path / DATABASE).read_bytes()
    for opener in (open_store, open_reader):
        with pytest.raises(StoreError, match=r"newer MineGap .*its schema is 99.* update MineGap") as caught:
            opener(tmp_path)
        assert caught.value.exit_code == 2
    assert (tmp_path / DATABASE).read_bytes() == before
    assert (tmp_path / LOCK_FILE).read_bytes() == b""


def test_an_older_schema_asks_a_reader_for_patience(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    with sqlite3.connect(tmp_path / DATABASE) as connection:
        connection.execute("PRAGMA user_version=3")
    connection.close()
    with pytest.raises(StoreError, match="older MineGap"):
        open_reader(tmp_path)


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / DATABASE) as connection:
        connection.execute("CREATE TABLE cookies (id)")
    connection.close()
    before = (tmp_path / DATABASE).read_bytes()
    for opener in (open_store, open_reader):
        with pytest.raises(StoreError, match="another program's database") as caught:
            opener(tmp_path)
        assert caught.value.exit_code == 2
    assert (tmp_path / DATABASE).read_bytes() == before


def test_what_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_bytes(b"not a database, not by far\n" * 400)
    before = (tmp_path / DATABASE).read_bytes()
    for opener in (open_store, open_reader):
        with pytest.raises(StoreError, match="no SQLite database") as caught:
            opener(tmp_path)
        assert caught.value.exit_code == 2
    assert (tmp_path / DATABASE).read_bytes() == before


@pytest.mark.parametrize("kept", [100, 4096, 20_000, -4096])
def test_a_truncated_database_is_refused(tmp_path: Path, kept: int) -> None:
    with open_store(tmp_path) as store:
        scored(store, session(store), 0, ["a", "b"], [0.1, 0.2])
    whole = (tmp_path / DATABASE).read_bytes()
    (tmp_path / DATABASE).write_bytes(whole[:kept])
    for opener in (open_store, open_reader):
        with pytest.raises(StoreError, match=r"damaged|no SQLite database") as caught:
            opener(tmp_path)
        assert caught.value.exit_code == 2
    assert (tmp_path / DATABASE).read_bytes() == whole[:kept]


def test_damage_is_looked_for_after_an_unclean_end(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        scored(store, session(store), 0, [f"prompt {number}" for number in range(40)], [0.5] * 40)
    content = bytearray((tmp_path / DATABASE).read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = os.urandom(4096)
    (tmp_path / DATABASE).write_bytes(content)
    (tmp_path / LOCK_FILE).write_text("process 1 (left behind)")
    for _ in range(2):  # the mark stays until a writer has found the database whole
        with pytest.raises(StoreError, match=r"damaged .*\.recover") as caught:
            open_store(tmp_path)
        assert caught.value.exit_code == 2


def test_a_file_that_was_created_but_never_written_is_a_new_store(tmp_path: Path) -> None:
    (tmp_path / DATABASE).touch()
    with pytest.raises(StoreError, match="There is no store"):
        open_reader(tmp_path)
    with open_store(tmp_path) as store:
        assert store.sessions() == ()


# ---------------------------------------------------------------- after an unclean end


def leave_unclean(folder: Path) -> None:
    (folder / LOCK_FILE).write_text("process 1 (left behind)")


def test_orphan_files_are_deleted_after_an_unclean_end_only(tmp_path: Path) -> None:
    with open_store(tmp_path) as opened:
        opened.save_images([image("a", 0)])
        (kept,) = tmp_path.glob("images/??/??/*.png")
    orphan, half = kept.with_name("0" * 64 + ".png"), kept.with_name("0" * 64 + ".ab12.part")
    foreign = kept.with_name("notes.txt")
    for path in (orphan, half, foreign):
        path.write_bytes(b"x")
    open_store(tmp_path).close()
    assert orphan.exists()
    leave_unclean(tmp_path)
    open_store(tmp_path).close()
    assert sorted(kept.parent.iterdir()) == sorted([kept, foreign])


def test_an_index_that_lost_a_row_is_found_after_an_unclean_end(tmp_path: Path) -> None:
    """``quick_check`` would not see it."""
    with open_store(tmp_path) as opened:
        scored(opened, session(opened), 1, ["a", "b"], [0.5, 0.25])
    with sqlite3.connect(tmp_path / DATABASE) as connection:
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute(
            "UPDATE sqlite_master SET sql = 'CREATE INDEX candidates_of_prompt ON candidates(created_at)' "
            "WHERE name = 'candidates_of_prompt'"
        )
    connection.close()
    leave_unclean(tmp_path)
    for _ in range(2):
        with pytest.raises(StoreError, match=r"damaged .*candidates_of_prompt") as caught:
            open_store(tmp_path)
        assert caught.value.exit_code == 2


def test_only_the_user_may_read_what_is_stored(tmp_path: Path) -> None:
    """Also in a directory that the user made, which others may look into."""
    before = os.umask(0o022)
    try:
        tmp_path.chmod(0o755)
        with open_store(tmp_path) as opened:
            opened.save_images([image("a", 0)])
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert {mode & 0o077 for mode in modes.values()} == {0}
    assert {DATABASE, f"{DATABASE}-wal", "images", LOCK_FILE} <= set(modes)


# ---------------------------------------------------------------- machines


def test_an_old_sqlite_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 31, 1))
    for opener in (open_store, open_reader):
        with pytest.raises(StoreError, match=r"needs 3\.37 or newer") as caught:
            opener(tmp_path)
        assert caught.value.exit_code == 3
    assert list(tmp_path.iterdir()) == []


def test_a_network_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = os.stat(tmp_path).st_dev
    line = f"36 35 {os.major(device)}:{os.minor(device)} / /home rw shared:1 - nfs4 server:/home rw\n"
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: line)
    with pytest.raises(StoreError, match="network file system") as caught:
        refuse_network_disk(tmp_path)
    assert caught.value.exit_code == 2
