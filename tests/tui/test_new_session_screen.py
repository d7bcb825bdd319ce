"""The form of a new session, the welcome and the checks of the machine, as a user meets them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from factory import fill
from pressing import pressed, written
from scripted import ScriptedEngine, shown, snapshot
from textual.pilot import Pilot

from engine.commands import Delete, Open
from engine.config_sources import parse_config
from engine.inventory import Inventory
from engine.models.machine import Gpu, Machine
from minegap_tui.app import MineApp
from minegap_tui.camera import settle
from minegap_tui.screens import doctor as doctor_module
from minegap_tui.screens import new as new_module
from minegap_tui.screens.compare import CompareScreen
from minegap_tui.screens.delete import DeleteScreen
from minegap_tui.screens.doctor import DoctorScreen
from minegap_tui.screens.live import LiveScreen
from minegap_tui.screens.new import NewSessionScreen
from minegap_tui.screens.propose import LinesScreen, ProposeScreen
from minegap_tui.screens.sessions import SessionsScreen
from minegap_tui.screens.welcome import WelcomeScreen
from minegap_tui.view.doctor import Finding, read, summary
from minegap_tui.view.settings_model import sections
from minegap_tui.widgets.form import FormRows
from store import open_reader, open_store

GIB = 1 << 30
MACHINE = Machine(2, 16 * GIB, 8 * GIB, (Gpu(0, "H\x1b[31m200", 100 * GIB, 50 * GIB),))
HOSTILE = "\x1b]0;pwned\x07 \x9b31m \u202egnp [@click=app.quit]x[/] [/] [bold \U0010eeee"
SIZES = [(40, 12), (80, 24), (120, 40), (200, 50)]


@pytest.fixture(autouse=True)
def _own_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is the same everywhere, and a configuration that is nobody's."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(new_module, "read_machine", lambda: MACHINE)
    monkeypatch.setattr(new_module, "take_inventory", lambda machine: Inventory(machine, (), ()))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    fill(tmp_path / "store", generations=1, population=4, images=4, variations=4, name="first")
    fill(tmp_path / "store", generations=1, population=4, images=4, variations=4, name="second")
    return tmp_path / "store"


async def at(pilot: Pilot[int], name: str) -> None:
    """Go to a setting with the tab key, as somebody without a mouse does."""
    screen = pilot.app.screen
    assert isinstance(screen, NewSessionScreen)
    for _ in range(screen._rows.length):
        line = screen._rows.line
        if line.setting is not None and line.setting.name == name:
            return
        await pilot.press("tab")
    raise AssertionError(name)


def opened(engine: ScriptedEngine) -> Open:
    (command,) = engine.asked
    assert isinstance(command, Open)
    return command


# ---------------------------------------------------------------- the form


@pytest.mark.parametrize("size", SIZES)
async def test_the_form_says_what_it_would_take(store: Path, size: tuple[int, int]) -> None:
    app = MineApp(store)
    async with app.run_test(size=size) as pilot:
        await settle(app, pilot)
        await pressed(pilot, "n")
        assert isinstance(app.screen, NewSessionScreen)
        text = shown(app)
        assert "1,128" in text
        assert max(len(line.rstrip()) for line in text.splitlines()) <= size[0]
        assert "\x1b" not in text
        if size[0] >= 80:
            assert "all as usual" in text
            assert "H␛[31m200, 50.0 GiB free" in text
            assert "unknown until the first batch" in text
            assert "fits:" in text
        await pressed(pilot, "escape")
        assert isinstance(app.screen, SessionsScreen)


async def test_a_session_is_written_checked_and_begun_by_keys_alone(store: Path) -> None:
    engine = ScriptedEngine(snapshot("01NEW", name="nurses"))
    app = MineApp(store)
    app.door = engine
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pressed(pilot, "n")
        await at(pilot, "session.name")
        await written(pilot, "nq?")  # no letter is a key here
        await at(pilot, "search.images")
        await written(pilot, "1")
        assert (
            "search.images = 1 in the configuration: input should be greater than or equal to 2"
            in " ".join(shown(app).split())
        )
        assert "correct what is marked" in shown(app)
        await pressed(pilot, "shift+tab", "ctrl+s")
        assert engine.asked == []
        assert app.screen._rows.line.setting.key == "images"  # type: ignore[attr-defined]
        await pressed(pilot, "8")
        assert "560" in shown(app)
        await at(pilot, "search.objective")
        await pressed(pilot, "right", "ctrl+s")
        config = parse_config(opened(engine).config, "the test")
        assert (config.session.name, config.search.images, config.search.objective) == ("nq?", 8, "red")
        assert config.store.path == store
        assert isinstance(app.screen, LiveScreen)
        assert app.following.attached


async def test_what_was_written_is_still_there_after_a_look_elsewhere(store: Path) -> None:
    app = MineApp(store)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pressed(pilot, "n")
        await at(pilot, "search.population")
        await written(pilot, "20")
        await pressed(pilot, "escape", "n")
        assert "20 prompts" in shown(app)
        await at(pilot, "search.population")
        await pressed(pilot, "ctrl+r")
        assert "16 prompts" in shown(app)


async def test_a_refusal_leaves_the_form_as_it_is(store: Path) -> None:
    engine = ScriptedEngine(snapshot("01NEW"))
    engine.refuse("open", "The disk is full: make room.")
    app = MineApp(store)
    app.door = engine
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pressed(pilot, "n", "ctrl+s")
        assert isinstance(app.screen, NewSessionScreen)
        assert "The disk is full" in shown(app)
        await pressed(pilot, "ctrl+s")
        assert len(engine.asked) == 2


async def test_asked_twice_it_begins_once(store: Path) -> None:
    engine = ScriptedEngine(snapshot("01NEW"))
    engine.hold()
    app = MineApp(store)
    app.door = engine
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pilot.press("n")
        await settle(app, pilot)
        await pilot.press("ctrl+s", "ctrl+s")
        await pilot.pause()
        engine.release()
        await settle(app, pilot)
        assert len(engine.asked) == 1


async def test_a_model_that_is_not_there_is_said_before_the_start(store: Path) -> None:
    app = MineApp(store)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pressed(pilot, "n")
        await at(pilot, "models.pack")
        await written(pilot, "/no/pack")
        assert "Model pack '/no/pack' cannot be used" in shown(app)
        assert "correct what is marked" in shown(app)


async def test_presets_sections_lists_and_lines(store: Path) -> None:
    app = MineApp(store)
    async with app.run_test(size=(120, 50)) as pilot:
        await settle(app, pilot)
        await pressed(pilot, "n", "left")
        assert "look  ← →" in shown(app)
        assert "105" in shown(app)
        await pressed(pilot, "enter")
        assert isinstance(app.screen, ProposeScreen)
        await pressed(pilot, "down", "down", "enter")
        assert "4,220" in shown(app)
        await at(pilot, "search.score")
        await pressed(pilot, "enter")
        assert isinstance(app.screen, ProposeScreen)
        await pressed(pilot, "escape")
        await at(pilot, "search.prompts")
        await pressed(pilot, "enter")
        assert isinstance(app.screen, LinesScreen)
        await written(pilot, "owl")
        await pressed(pilot, "ctrl+s")
        assert "1 written" in shown(app)
        assert "steps" not in shown(app)
        await pressed(pilot, "tab", "enter")
        assert "steps" in shown(app)
        assert "minegap mine --set" in shown(app)


async def test_hostile_values_are_shown_and_kept(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINEGAP_SESSION_NAME", HOSTILE)
    app = MineApp(store)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pressed(pilot, "n")
        text = shown(app)
        assert "␛]0;pwned" in text
        for character in "\x1b\x07\x9b\u202e\U0010eeee":
            assert character not in text
        await at(pilot, "session.name")
        await pressed(pilot, "end", "backspace")
        draft = app.screen._draft  # type: ignore[attr-defined]
        assert draft.check().config.session.name == HOSTILE[:-1]


async def test_the_mouse_chooses_a_field(store: Path) -> None:
    app = MineApp(store)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pressed(pilot, "n")
        rows = app.screen._rows  # type: ignore[attr-defined]
        await pilot.click(rows, offset=(5, 2 + 3))
        await settle(app, pilot)
        assert rows.cursor == 3
        assert app.focused is app.screen._area  # type: ignore[attr-defined]


# ---------------------------------------------------------------- home: delete and mark


async def test_a_session_is_deleted_after_a_question(store: Path) -> None:
    engine = ScriptedEngine(snapshot("01NEW"))
    app = MineApp(store)
    app.door = engine
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(app, pilot)
        await pressed(pilot, "d")
        assert isinstance(app.screen, DeleteScreen)
        assert "16 images" in shown(app)
        await pressed(pilot, "n")
        assert engine.asked == []
        await pressed(pilot, "d", "y")
        (command,) = engine.asked
        assert isinstance(command, Delete)
        with open_reader(store) as reader:
            assert reader.session(command.session_id).name == "second"
        assert "delete counts" in shown(app)  # the engine's own words


async def test_the_open_session_is_closed_when_it_is_deleted(store: Path) -> None:
    engine = ScriptedEngine(snapshot("01NEW"))
    app = MineApp(store)
    app.door = engine
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(app, pilot)
        await pressed(pilot, "enter")
        assert app.view.session_id
        await pressed(pilot, "S", "d", "y")
        await settle(app, pilot)
        assert isinstance(app.screen, SessionsScreen)
        assert app.view.session_id == ""
        await pressed(pilot, "escape")
        assert "No session is open" in shown(app)


async def test_a_refused_deletion_is_said_and_a_live_session_is_not_asked_for(store: Path) -> None:
    engine = ScriptedEngine(snapshot("01NEW"))
    engine.refuse("delete", "Session X cannot be deleted, since session Y was forked from it.")
    app = MineApp(store)
    app.door = engine
    with open_store(store) as holder:
        holder.set_session_state(holder.sessions()[-1].id, "mining")
        async with app.run_test(size=(100, 30)) as pilot:
            await settle(app, pilot)
            await pressed(pilot, "d", "y")
            assert "was forked from it" in shown(app)
            await pressed(pilot, "j", "d")
            assert isinstance(app.screen, SessionsScreen)
            assert "stop it (Q) first" in shown(app)
            assert len(engine.asked) == 1


async def test_two_sessions_are_marked_and_compared(store: Path) -> None:
    fill(store, generations=1, population=4, images=4, variations=4, name="third")
    app = MineApp(store)
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(app, pilot)
        await pressed(pilot, "space", "space")
        first = app.library.marked
        assert len(first) == 2
        assert shown(app).count("✓") == 2
        await pressed(pilot, "space")  # the oldest mark makes room
        assert app.library.marked[0] == first[1]
        await pressed(pilot, "space")
        assert app.library.marked == first[1:]
        await pressed(pilot, "g", "space", "C")
        assert isinstance(app.screen, CompareScreen)


# ---------------------------------------------------------------- welcome


@pytest.mark.parametrize("size", SIZES)
async def test_the_welcome_begins_the_demo(tmp_path: Path, size: tuple[int, int]) -> None:
    engine = ScriptedEngine(snapshot("01NEW", name="demo"))
    app = MineApp(tmp_path / "none", first="welcome")
    app.door = engine
    async with app.run_test(size=size) as pilot:
        await settle(app, pilot)
        assert isinstance(app.screen, WelcomeScreen)
        text = shown(app)
        for word in ("begins to mine", "an engine starts", "all of it is kept", "checks this machine"):
            assert word in text, word
        assert max(len(line.rstrip()) for line in text.splitlines()) <= size[0]
        await pressed(pilot, "enter")
        assert parse_config(opened(engine).config, "").store.path == tmp_path / "none"
        assert isinstance(app.screen, LiveScreen)


async def test_from_the_welcome_to_the_form_and_back_and_on_to_the_list(tmp_path: Path) -> None:
    app = MineApp(tmp_path / "none", first="welcome")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pressed(pilot, "n")
        assert isinstance(app.screen, NewSessionScreen)
        await pressed(pilot, "escape")
        assert isinstance(app.screen, WelcomeScreen)
        await pressed(pilot, "escape")
        assert isinstance(app.screen, SessionsScreen)
        await pressed(pilot, "w", "escape")
        assert isinstance(app.screen, SessionsScreen)
        await pilot.press("q")
    assert app.return_code == 0
    assert not (tmp_path / "none").exists()


# ---------------------------------------------------------------- doctor


async def test_checks_are_shown_as_they_come(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    more = asyncio.Event()

    async def checks(_: Path) -> AsyncIterator[str]:
        yield f"✓ {'python':<16}  Python 3.11."
        yield f"! {'terminal':<16}  what a process without a terminal says"
        await more.wait()
        yield f"✗ {'disk':<16}  Only {HOSTILE} are free."
        yield "Traceback (most recent call last):"

    monkeypatch.setattr(doctor_module.DoctorScreen.__init__, "__defaults__", (checks,))
    app = MineApp(store)
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(app, pilot)
        await pilot.press("exclamation_mark")
        await settle(app, pilot)
        text = shown(app)
        assert "3 checked" in text
        assert "Python 3.11." in text
        assert "without a terminal" not in text  # this process has one
        assert "100 x 30" in text
        more.set()
        while "checked" in shown(app):
            await settle(app, pilot)
        assert "2 things keep the mine from working" in shown(app)
        assert "\x1b" not in shown(app)
        screen = app.screen
        assert isinstance(screen, DoctorScreen)
        assert f"✓ {'python':<16}  Python 3.11." in screen.text().splitlines()
        await pressed(pilot, "y")
        assert app.clipboard == screen.text()
        assert "copied" in shown(app)
        await pressed(pilot, "escape")
        assert isinstance(app.screen, SessionsScreen)


async def test_leaving_ends_the_process(store: Path) -> None:
    lines = doctor_module.run_checks(store)
    first = await anext(lines)
    assert read(first).name == "python"
    await lines.aclose()  # type: ignore[attr-defined]
    children = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    assert children == []


def test_findings_add_up() -> None:
    good, bad, warning = (Finding(mark, "x", "y") for mark in "✓✗!")
    assert summary([good], running=False) == "all is well"
    assert summary([good, warning], running=False) == "it works; 1 thing to know"
    assert summary([bad, warning], running=False) == "1 thing keeps the mine from working"
    assert summary([good], running=True) == "1 checked …"
    for one in (good, bad, warning):
        assert read(one.line()) == one


@pytest.mark.parametrize("width", [120, 140, 160, 200])
async def test_no_meaning_is_cut(store: Path, width: int) -> None:
    app = MineApp(store)
    async with app.run_test(size=(width, 60)) as pilot:
        await settle(app, pilot)
        await pressed(pilot, "n")
        longest = max((one for part in sections() for one in part.settings), key=lambda one: len(one.meaning))
        rows = app.screen.query_one(FormRows)
        rows.find(longest.name)  # which opens its section
        await settle(app, pilot)
        assert longest.meaning in shown(app)
