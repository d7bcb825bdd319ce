"""Keys that come faster than screens: none is lost, none acts on a screen that it was not meant for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from factory import fill
from scripted import ScriptedEngine, app_on, shown, snapshot
from textual import events
from textual.pilot import Pilot

from minegap_tui.app import MineApp
from minegap_tui.screens.edit import EditScreen
from minegap_tui.screens.fork import ForkScreen
from minegap_tui.screens.found import FoundScreen
from minegap_tui.screens.help import HelpScreen
from minegap_tui.screens.live import LiveScreen
from minegap_tui.screens.sessions import SessionsScreen
from minegap_tui.widgets.prompt_area import PromptArea
from store import Reader

LETTERS = {"slash": "/", "question_mark": "?", "space": " "}


@pytest.fixture
def mined(tmp_path: Path) -> tuple[MineApp, ScriptedEngine]:
    session = fill(tmp_path, generations=2, population=4, images=2, variations=4, state="mining")
    engine = ScriptedEngine(snapshot(session))
    return app_on(tmp_path, engine), engine


def typed(app: MineApp, *keys: str) -> None:
    """All of them in one go, as they come over a slow line."""
    for key in keys:
        app.post_message(events.Key(key, LETTERS.get(key, key if len(key) == 1 else None)))


def written(app: MineApp) -> list[str]:
    return [area.exact for area in app.screen.query(PromptArea)]


async def until(pilot: Pilot[int], true: Callable[[], bool]) -> None:
    for _ in range(600):
        if true():
            return
        await pilot.pause(0.05)
    pytest.fail(f"it does not come:\n{shown(pilot.app)}")  # type: ignore[arg-type]


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """The list of sessions is read once this is set."""
    opened, read = threading.Event(), Reader.sessions

    def slowly(reader: Reader) -> object:
        assert opened.wait(60)
        return read(reader)

    monkeypatch.setattr(Reader, "sessions", slowly)
    return opened


async def test_what_is_typed_after_a_key_goes_where_that_key_leads(
    mined: tuple[MineApp, ScriptedEngine],
) -> None:
    app, _ = mined
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: "missed" in shown(app))
        typed(app, "S", "slash", *"queen")  # q leaves, n begins a session, u undoes: none of them here
        await until(pilot, lambda: "No session is like this." in shown(app))
        assert app.is_running
        assert isinstance(app.screen, SessionsScreen)
        typed(app, "escape", "escape", "slash", "s", "enter")  # the other order, then its first one
        await until(pilot, lambda: isinstance(app.screen, FoundScreen))
        typed(app, "escape", "escape", "b", "tab", *"quick")
        await until(pilot, lambda: "quick" in written(app))


async def test_a_key_about_what_is_being_read_waits_for_it(
    mined: tuple[MineApp, ScriptedEngine], gate: threading.Event
) -> None:
    app, _ = mined
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: "missed" in shown(app))
        typed(app, "S", "f", "7")
        await until(pilot, lambda: app.typed_ahead.waiting)
        assert isinstance(app.screen, SessionsScreen)
        gate.set()
        await until(pilot, lambda: isinstance(app.screen, ForkScreen))
        await until(pilot, lambda: written(app) == ["7"])


@pytest.mark.parametrize(("key", "leads_to"), [("escape", LiveScreen), ("question_mark", HelpScreen)])
async def test_nobody_has_to_wait_with_it(
    mined: tuple[MineApp, ScriptedEngine], gate: threading.Event, key: str, leads_to: type
) -> None:
    app, _ = mined
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: "missed" in shown(app))
        typed(app, "S", "f", "j")
        await until(pilot, lambda: app.typed_ahead.waiting)
        typed(app, key)
        await until(pilot, lambda: isinstance(app.screen, leads_to))
        gate.set()
        await until(pilot, lambda: all(one.group != "sessions" for one in app.workers))
        await pilot.pause()
        assert isinstance(app.screen, leads_to), "f was forgotten"


async def test_what_is_typed_before_the_engine_gives_the_editor_goes_into_it(
    mined: tuple[MineApp, ScriptedEngine],
) -> None:
    app, engine = mined
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: "missed" in shown(app))
        engine.hold()
        typed(app, "e", "ctrl+u", *"queen")
        await until(pilot, lambda: bool(engine.asked))
        await pilot.pause()
        assert isinstance(app.screen, LiveScreen)
        engine.release()
        await until(pilot, lambda: isinstance(app.screen, EditScreen))
        await until(pilot, lambda: any(text.endswith("queen") for text in written(app)))
        assert [type(one).__name__ for one in engine.asked] == ["EditBegin"]


async def test_the_app_is_left_at_once_whatever_waits(
    mined: tuple[MineApp, ScriptedEngine], gate: threading.Event
) -> None:
    app, _ = mined
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: "missed" in shown(app))
        typed(app, "S", "f")
        await until(pilot, lambda: app.typed_ahead.waiting)
        typed(app, "ctrl+q")
        while not app._exit:
            await asyncio.sleep(0)
        gate.set()
    assert app.return_code == 0
