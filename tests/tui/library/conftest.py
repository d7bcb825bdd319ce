"""Fixtures of the tests of home and history: a store of two sessions, and settings of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from factory import fill


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture(scope="module")
def mined(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A store with a session ``alpha`` and a newer one ``omega``."""
    directory = tmp_path_factory.mktemp("store")
    first = fill(directory, generations=2, population=6, images=4, variations=4, name="alpha")
    second = fill(
        directory, generations=1, population=5, images=4, variations=4, name="omega", state="interrupted"
    )
    return directory, first, second
