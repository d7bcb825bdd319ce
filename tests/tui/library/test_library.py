"""Home as a user meets it: sessions listed, opened, searched, forked; and what could go wrong there and in history."""

from __future__ import annotations

from pathlib import Path

import pytest
from factory import fill
from pressing import pressed, written
from scripted import ScriptedEngine, finished, scored, shown, snapshot, stored

from engine import protocol
from engine.commands import Fork
from minegap_tui.app import MineApp
from minegap_tui.library import NOT_OPEN
from minegap_tui.sanitise import display_text
from minegap_tui.screens.fork import ForkScreen
from minegap_tui.screens.found import FoundScreen
from minegap_tui.screens.help import HelpScreen
from minegap_tui.screens.history import HistoryScreen
from minegap_tui.screens.live import LiveScreen
from minegap_tui.screens.sessions import SessionsScreen
from minegap_tui.screenshots import settle
from store import open_store
from store.incoming import NewCandidate
from store.vocabulary import SessionState

HOSTILE = "\x1b]0;pwned\x07 \x9b31m \u202egnp [@click=app.quit]x[/] [/] [bold \U0010eeee"
SIZES = [(80, 24), (120, 40), (200, 50)]


# ---------------------------------------------------------------- home


@pytest.mark.parametrize("size", SIZES)
async def test_home_lists_the_sessions(mined: tuple[Path, str, str], size: tuple[int, int]) -> None:
    directory, first, second = mined
    app = MineApp(directory)
    async with app.run_test(size=size) as pilot:
        await settle(app, pilot)
        await settle(app, pilot)
        assert isinstance(app.screen, SessionsScreen)
        text = shown(app)
        for word in ("2 sessions", "finished", "interrupted", "omega", "started", "search", "fork"):
            assert word in text, word
        assert text.index("omega") < text.index("alpha")
        assert second in text
        assert "20 images" in text
        assert f"{stored(directory, first)[0].score:.3f}"[:3] in text
        assert max(len(line.rstrip()) for line in text.splitlines()) <= size[0]
        await pressed(pilot, "j")
        assert first in shown(app)
        assert "12 of 12 scored" in shown(app)


async def test_a_store_that_is_not_there_is_said_with_what_to_do(tmp_path: Path) -> None:
    app = MineApp(tmp_path / "none")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        assert "There is no store" in shown(app)
        assert "mine something first" in " ".join(shown(app).split())
        for key in ("enter", "f", "j", "G", "g", "escape"):
            await pressed(pilot, key)
        assert "No session is open" in shown(app)
        await pressed(pilot, "H")
        assert isinstance(app.screen, HistoryScreen)
        assert "mine something first" in " ".join(shown(app).split())
        for key in ("enter", "o", "j", "G", "s", "r"):
            await pressed(pilot, key)
        await pilot.press("q")
    assert app.return_code == 0
    assert not (tmp_path / "none").exists()


async def test_an_empty_store_says_what_to_do(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    app = MineApp(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        assert "n begins a session" in shown(app)
        await pressed(pilot, "H")
        assert "Begin with: minegap mine" in shown(app)


async def test_a_past_session_is_opened_and_left_again(mined: tuple[Path, str, str]) -> None:
    directory, first, second = mined
    app = MineApp(directory)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pressed(pilot, "enter")
        assert isinstance(app.screen, LiveScreen)
        assert (app.view.session_id, app.view.state) == (second, "interrupted")
        assert app.view.scored == 5
        assert app.evidence is not None
        await pressed(pilot, "S", "j", "enter")
        assert isinstance(app.screen, LiveScreen)
        assert (app.view.session_id, app.view.scored) == (first, 12)
        assert app.evidence.candidate_id in {one.id for one in stored(directory, first)}
        assert app.view.leaderboard(1)[0].prompt[:20] in shown(app)
        await pressed(pilot, "S")
        assert "▌" in next(line for line in shown(app).splitlines() if "alpha" in line)  # where one came from
        await pressed(pilot, "escape")
        assert isinstance(app.screen, LiveScreen)


async def test_a_live_session_is_followed_and_another_shown(mined: tuple[Path, str, str]) -> None:
    directory, first, second = mined
    engine = ScriptedEngine(snapshot(first))
    app = MineApp(directory, first, engine)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        assert app.following.attached
        await pressed(pilot, "S")
        # Newest first; the cursor is on the session that is open.
        assert first in shown(app)
        await pressed(pilot, "k", "enter")
        assert app.view.session_id == second
        assert not app.following.attached
        engine.say(protocol.Notice(message="of the other session"))
        engine.say(finished(first))
        await settle(app, pilot)
        assert (app.view.session_id, app.view.state) == (second, "interrupted")


async def test_a_session_that_is_mined_is_attached_to(tmp_path: Path) -> None:
    session = fill(tmp_path, generations=1, population=4, images=4, variations=4)
    engine = ScriptedEngine(snapshot(session, name="live one"))
    app = MineApp(tmp_path)
    app.door = engine
    with open_store(tmp_path) as holder:  # an engine holds the store
        holder.set_session_state(session, "mining")
        async with app.run_test(size=(120, 40)) as pilot:
            await settle(app, pilot)
            assert "1 live" in shown(app)
            await pressed(pilot, "enter")
            assert engine.connections == 1
            assert app.following.attached
            engine.say(scored(stored(tmp_path, session)[0], score=0.001))
            await settle(app, pilot)
            assert app.view.leaderboard(1)[0].score == 0.001
            await pressed(pilot, "S", "enter")  # the same again
            assert engine.connections == 1


@pytest.mark.parametrize(("state", "shows"), [("mining", "interrupted"), ("queued", "queued 1")])
async def test_a_session_without_its_engine_can_be_resumed(
    tmp_path: Path, state: SessionState, shows: str
) -> None:
    session = fill(tmp_path, generations=1, population=4, images=4, variations=4)
    with open_store(tmp_path) as store:
        store.set_session_state(session, state)
    app = MineApp(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        assert shows in shown(app)
        await pressed(pilot, "enter")
        assert app.view.session_id == session
        assert "No engine runs for" in shown(app)
        assert app.helm.why_not("resume") == ""


async def test_sessions_are_searched(mined: tuple[Path, str, str]) -> None:
    directory, _, _ = mined
    app = MineApp(directory)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pressed(pilot, "slash")
        await written(pilot, "ALP")
        rows = shown(app).splitlines()
        assert any("alpha" in line for line in rows)
        assert not any("omega" in line for line in rows)
        await written(pilot, "j")
        assert "No session is like this" in shown(app)
        await pressed(pilot, "escape")
        assert "omega" in shown(app)


async def test_a_session_is_forked(mined: tuple[Path, str, str]) -> None:
    directory, first, _ = mined
    engine = ScriptedEngine(snapshot("01NEW", name="fork"))
    app = MineApp(directory)
    app.door = engine
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pressed(pilot, "j", "f")
        assert isinstance(app.screen, ForkScreen)
        await pressed(pilot, "9", "enter")
        assert "no generation from 1 to 2" in shown(app)
        await pressed(pilot, "backspace", "1", "enter")
        (command,) = engine.asked
        assert isinstance(command, Fork)
        assert (command.session_id, command.generation) == (first, 1)
        assert isinstance(app.screen, LiveScreen)


async def test_a_fork_that_is_refused_leaves_everything_as_it_was(mined: tuple[Path, str, str]) -> None:
    directory, _, _ = mined
    engine = ScriptedEngine(snapshot("01NEW"))
    engine.refuse("fork", "The disk is full: make room.")
    app = MineApp(directory)
    app.door = engine
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pressed(pilot, "f", "enter")
        assert isinstance(app.screen, SessionsScreen)
        assert "The disk is full" in shown(app)


async def test_only_the_open_session_is_steered(mined: tuple[Path, str, str]) -> None:
    directory, first, _ = mined
    engine = ScriptedEngine(snapshot(first))
    app = MineApp(directory, first, engine)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        for keys in (("S",), ("H",), ("enter",)):
            await pressed(pilot, *keys)
            await pressed(pilot, "p")
            assert NOT_OPEN in shown(app), type(app.screen)
        assert isinstance(app.screen, FoundScreen)
    assert engine.asked == []


# ---------------------------------------------------------------- what could go wrong


async def test_hostile_text_is_shown_and_never_meant(tmp_path: Path) -> None:
    fill(tmp_path, generations=1, population=3, images=4, variations=4, prompts=[HOSTILE], name=HOSTILE)
    with open_store(tmp_path) as store:
        models = '{"models": {"pack": "/x/\\u001b[2Jpack", "painter": "\\u202e[/]"}}'
        session = store.create_session(name=HOSTILE, seed=1, config_json=models, models_json="{}")
        store.add_candidates(session, 1, [NewCandidate(0, HOSTILE + "x" * 1_000_000, "human")])
        store.set_candidate_state(
            store.add_candidates(session, 2, [NewCandidate(0, "b", "human")])[0], "failed", HOSTILE
        )
        store.set_session_state(session, "failed", HOSTILE)
        for odd in ("[", "null", '{"models": 5}', '{"models": {"pack": ["\\u001b"]}}', "{" * 5000):
            store.create_session(name="odd", seed=1, config_json=odd, models_json="{}")
    seen = ""
    app = MineApp(tmp_path)
    async with app.run_test(size=(200, 50)) as pilot:
        await settle(app, pilot)
        for _ in range(7):
            seen += shown(app)
            await pressed(pilot, "j")
        await pressed(pilot, "f")
        seen += shown(app)
        await pressed(pilot, "escape", "slash")
        app.screen._finder.area.insert(HOSTILE + "\n")  # type: ignore[attr-defined]
        await settle(app, pilot)
        seen += shown(app)
        await pressed(pilot, "escape", "H")
        for _ in range(6):
            seen += shown(app)
            await pressed(pilot, "j")
        await pressed(pilot, "slash")
        app.screen._finder.area.insert(f'"{HOSTILE}" \x1b:\u202e')  # type: ignore[attr-defined]
        await settle(app, pilot)
        seen += shown(app)
        await pressed(pilot, "enter", "v")
        seen += shown(app)
    assert not any(c in seen for c in "\x1b\x07\x9b\u202e\U0010eeee")
    assert display_text("\x1b]0;pwned\x07") in seen
    assert "[@click=app.quit]" in seen


async def test_no_size_is_too_small(mined: tuple[Path, str, str]) -> None:
    directory, _, _ = mined
    app = MineApp(directory)
    async with app.run_test(size=(80, 24)) as pilot:
        for key in ("escape", "H", "slash"):
            await pressed(pilot, key)
            for size in ((40, 12), (10, 3), (1, 1), (300, 90), (80, 24)):
                await pilot.resize_terminal(*size)
                await settle(app, pilot)
        assert "17 found" in shown(app)


async def test_help_knows_both_screens(mined: tuple[Path, str, str]) -> None:
    directory, _, _ = mined
    app = MineApp(directory)
    async with app.run_test(size=(80, 200)) as pilot:
        await settle(app, pilot)
        await pressed(pilot, "question_mark")
        assert isinstance(app.screen, HelpScreen)
        assert "Begin a new session from one of its generations." in shown(app)
        await pressed(pilot, "escape")
        await pressed(pilot, "H")
        await pressed(pilot, "question_mark")
        assert "Save the filter as a view." in shown(app)
