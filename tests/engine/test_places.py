"""Where an engine is found: nobody else's directory is used, and no path is too long for a socket."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import places
from engine.errors import InputError, MineGapError

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another user's directory")


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A short directory that XDG_RUNTIME_DIR names."""
    path = Path(tempfile.mkdtemp(prefix="mg-"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(path))
    yield path
    shutil.rmtree(path)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_directory_is_made_for_its_user_alone(runtime: Path) -> None:
    old = os.umask(0)
    try:
        made = places.runtime_directory()
    finally:
        os.umask(old)
    assert made == runtime / "minegap"
    assert mode(made) == 0o700
    assert places.runtime_directory() == made


def test_a_directory_that_others_could_enter_is_closed_to_them(runtime: Path) -> None:
    (runtime / "minegap").mkdir()
    (runtime / "minegap").chmod(0o777)
    assert mode(places.runtime_directory()) == 0o700


def test_a_link_is_refused(runtime: Path, tmp_path: Path) -> None:
    (runtime / "minegap").symlink_to(tmp_path)
    with pytest.raises(InputError, match="XDG_RUNTIME_DIR"):
        places.runtime_directory()
    assert mode(tmp_path) != 0o777


def test_a_file_in_its_place_is_refused(runtime: Path) -> None:
    (runtime / "minegap").write_text("mine")
    with pytest.raises(InputError, match="not a directory"):
        places.runtime_directory()


@root_only
def test_another_users_directory_is_refused(runtime: Path) -> None:
    (runtime / "minegap").mkdir()
    os.chown(runtime / "minegap", 65534, 65534)
    with pytest.raises(InputError, match="another user"):
        places.runtime_directory()


@pytest.mark.parametrize("value", ["", "relative/path", "/does/not/exist", "/run/user/0", "/run/user/1000"])
def test_a_directory_that_is_none_or_does_not_last_is_not_used(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", value)
    assert places.wanted_directory() == Path(f"/tmp/minegap-{os.geteuid()}")


@root_only
def test_another_users_runtime_directory_is_not_used(runtime: Path) -> None:
    os.chown(runtime, 65534, 65534)
    assert places.wanted_directory() == Path("/tmp/minegap-0")


@given(st.text(st.characters(exclude_characters="\0/", exclude_categories=["Cs"]), min_size=1, max_size=80))
def test_a_sockets_path_is_short_whatever_the_stores(name: str) -> None:
    path = places.socket_path(Path("/somewhere", *[name] * 50))
    assert len(os.fsencode(path)) <= places.LONGEST_SOCKET


def test_a_long_runtime_directory_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    long = tmp_path / ("x" * 90)
    long.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    assert places.wanted_directory() == Path(f"/tmp/minegap-{os.geteuid()}")


@pytest.mark.usefixtures("runtime")
def test_a_store_has_one_socket_by_whatever_path_it_is_reached(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "link").symlink_to("store")
    assert places.socket_path(tmp_path / "link") == places.socket_path(tmp_path / "store")
    assert places.socket_path(tmp_path / "other") != places.socket_path(tmp_path / "store")


def test_a_log_is_its_users_alone_and_appended(tmp_path: Path) -> None:
    store = tmp_path / "new" / "store"
    old = os.umask(0)
    try:
        for line in (b"one\n", b"two\n"):
            log = places.open_log(store)
            os.write(log, line)
            os.close(log)
    finally:
        os.umask(old)
    assert (mode(store), mode(store / "engine.log")) == (0o700, 0o600)
    assert (store / "engine.log").read_bytes() == b"one\ntwo\n"


def test_a_log_that_grew_too_large_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "LOG_BYTES", 10)
    log = places.open_log(tmp_path)
    try:
        os.write(log, b"0123456789")
        places.tend_log(tmp_path, log)
        assert not (tmp_path / "engine.log.1").exists()
        os.write(log, b"!")
        places.tend_log(tmp_path, log)
        os.write(log, b"new")
    finally:
        os.close(log)
    assert (tmp_path / "engine.log.1").read_bytes() == b"0123456789!"
    assert (tmp_path / "engine.log").read_bytes() == b"new"


def test_a_log_is_not_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "engine.log").symlink_to("victim")
    with pytest.raises(MineGapError, match=r"engine\.log"):
        places.open_log(tmp_path)
    assert (tmp_path / "victim").read_text() == "precious"


def test_a_store_that_is_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("")
    with pytest.raises(InputError, match="another directory"):
        places.open_log(tmp_path / "store")
