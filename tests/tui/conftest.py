"""Fixtures of the terminal app's tests."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from commandline import Done, Minegap
from double import EngineDouble, listening

os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")


@pytest.fixture(autouse=True)
def _own_runtime_directory(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Sockets of a test are its own; the path is short, as a socket's must be."""
    with tempfile.TemporaryDirectory(prefix="mg-", dir="/tmp") as runtime:
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
        yield


@pytest.fixture
def minegap(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Minegap:
    """Run a command line in this process: on this busy machine an interpreter takes seconds to start."""
    from minegap_tui.cli import run

    for name in list(os.environ):
        if name.startswith("MINEGAP_"):
            monkeypatch.delenv(name)

    def call(*arguments: str | Path, store: Path | None = None) -> Done:
        if store is not None:
            monkeypatch.setenv("MINEGAP_STORE_PATH", str(store))
        code = run([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Done(code, out, err)

    return call


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EngineDouble]:
    """An engine double that serves an empty store."""
    with listening(tmp_path / "store") as double:
        yield double


@pytest.fixture(autouse=True)
def _own_memory(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that an app remembers for this user changes a test, nor the other way round."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
