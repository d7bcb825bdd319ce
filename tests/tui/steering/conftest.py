"""Fixtures of the tests of steering: a session that is mined, a scripted engine that has it, and the app on both."""

from __future__ import annotations

from pathlib import Path

import pytest
from factory import fill
from scripted import ScriptedEngine, app_on, snapshot

from minegap_tui.app import MineApp


@pytest.fixture(scope="module")
def mined(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A store, and its session of two generations that goes on."""
    directory = tmp_path_factory.mktemp("store")
    return directory, fill(directory, generations=2, population=6, images=4, variations=4, state="mining")


@pytest.fixture
def engine(mined: tuple[Path, str]) -> ScriptedEngine:
    """What the app takes for an engine."""
    return ScriptedEngine(snapshot(mined[1]))


@pytest.fixture
def app(mined: tuple[Path, str], engine: ScriptedEngine) -> MineApp:
    """The app, not running yet."""
    return app_on(mined[0], engine)
