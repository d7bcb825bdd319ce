"""Who writes to a store is known to everybody who asks, and asking never gets in the way."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest
from test_store_safety import start_writer

from store import StoreError, open_store
from store.lock import LOCK_FILE, Holder, holder, is_live


def test_nobody_writes(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    open_store(tmp_path / "closed").close()
    for folder in ("missing", "file", "closed"):
        assert holder(tmp_path / folder) is None
        assert not is_live(tmp_path / folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["closed", "file"]


def test_a_writer_is_known_until_it_dies_however_it_does(tmp_path: Path) -> None:
    with start_writer(tmp_path) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        found = holder(tmp_path)
        assert found is not None
        assert found.pid == writer.pid
        assert found.text.startswith(f"process {writer.pid} (")
        writer.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, writer.pid, os.WSTOPPED | os.WNOWAIT)
        assert is_live(tmp_path)
        writer.kill()
        writer.wait()
    assert (tmp_path / LOCK_FILE).stat().st_size > 0  # its name stays, its lock does not
    assert holder(tmp_path) is None


def test_a_writer_may_ask_about_itself_and_keeps_its_lock(tmp_path: Path) -> None:
    """A plain POSIX lock would go with the first file that its process closes."""
    with open_store(tmp_path):
        for _ in range(2):
            found = holder(tmp_path)
            assert found is not None
            assert found.pid == os.getpid()
        with pytest.raises(StoreError, match="is being written by"):
            open_store(tmp_path)
    assert holder(tmp_path) is None


def test_a_name_that_cannot_be_read_is_still_somebody(tmp_path: Path) -> None:
    with open_store(tmp_path):
        for text, name in ((b"\xff\x00", "\ufffd\0"), (b"", "another process")):
            (tmp_path / LOCK_FILE).write_bytes(text)
            assert holder(tmp_path) == Holder(0, name)


def test_asking_never_keeps_a_writer_out(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    ended = threading.Event()
    answers = set()

    def ask() -> None:
        while not ended.is_set():
            answers.add(is_live(tmp_path))

    askers = [threading.Thread(target=ask) for _ in range(2)]
    for asker in askers:
        asker.start()
    try:
        for _ in range(60):
            open_store(tmp_path).close()
    finally:
        ended.set()
        for asker in askers:
            asker.join()
    assert answers <= {True, False}


def test_whoever_is_seen_holding_it_is_seen_by_its_own_name(tmp_path: Path) -> None:
    """Not by the one that died before it."""
    (tmp_path / LOCK_FILE).write_text(
        "process 1 (long dead, and with a name that is much longer than ours is)"
    )
    seen = []
    write = os.ftruncate

    def look_first(file: int, length: int) -> None:
        seen.append(holder(tmp_path))
        write(file, length)
        seen.append(holder(tmp_path))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "ftruncate", look_first)
        store = open_store(tmp_path)
    assert seen == [None, None]
    found = holder(tmp_path)
    assert found is not None
    assert found.pid == os.getpid()
    store.close()
