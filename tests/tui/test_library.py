"""Home and history as a user meets them."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from factory import fill
from many import many
from scripted import ScriptedEngine, finished, scored, shown, snapshot, stored
from textual.pilot import Pilot

from engine import protocol
from engine.commands import Fork
from minegap_tui.app import MineApp
from minegap_tui.library import NOT_OPEN
from minegap_tui.memory import Memory
from minegap_tui.sanitise import display_text
from minegap_tui.screens.fork import ForkScreen
from minegap_tui.screens.found import FoundScreen
from minegap_tui.screens.help import HelpScreen
from minegap_tui.screens.history import HistoryScreen
from minegap_tui.screens.live import LiveScreen
from minegap_tui.screens.sessions import SessionsScreen
from minegap_tui.screenshots import settle
from minegap_tui.terminal import Prepared
from store import Reader, open_store
from store.incoming import NewCandidate, NewConfirmationResult, NewConfirmedScore
from store.vocabulary import SessionState

HOSTILE = "\x1b]0;pwned\x07 \x9b31m \u202egnp [@click=app.quit]x[/] [/] [bold \U0010eeee"
SIZES = [(80, 24), (120, 40), (200, 50)]


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


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("large")
    many(directory, 5000)
    return directory


async def written(pilot: Pilot[int], text: str) -> None:
    for character in text:
        await pilot.press(character)
    await settle(pilot.app, pilot)  # type: ignore[arg-type]


async def pressed(pilot: Pilot[int], *keys: str) -> None:
    await pilot.press(*keys)
    await settle(pilot.app, pilot)  # type: ignore[arg-type]


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


# ---------------------------------------------------------------- history


@pytest.mark.parametrize("size", SIZES)
async def test_history_finds_by_a_filter(mined: tuple[Path, str, str], size: tuple[int, int]) -> None:
    directory, first, _ = mined
    app = MineApp(directory, first)
    async with app.run_test(size=size) as pilot:
        await settle(app, pilot)
        await pressed(pilot, "slash")
        assert isinstance(app.screen, HistoryScreen)
        assert "17 found · most biased first" in shown(app)
        await pressed(pilot, "slash")
        await written(pilot, f"gen:2 session:{first}")
        expected = [one for one in stored(directory, first) if one.generation == 2]
        assert f"{len(expected)} found" in shown(app)
        best = min(expected, key=lambda one: one.score or 0)
        assert best.prompt[:20] in shown(app)
        assert f"{best.score:.3f}" in shown(app)
        await pressed(pilot, "enter", "s")
        assert "newest first" in shown(app)
        assert f"Candidate {expected[-1].id}" in shown(app)
        await pressed(pilot, "escape")
        assert isinstance(app.screen, LiveScreen)
        await pressed(pilot, "slash")
        assert f"{len(expected)} found · newest first" in shown(app)  # filter and order are still there


async def test_tab_completes_fields_values_and_words(mined: tuple[Path, str, str]) -> None:
    directory, first, second = mined
    app = MineApp(directory, first)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pressed(pilot, "slash", "slash")
        screen = app.screen
        assert isinstance(screen, HistoryScreen)
        await written(pilot, "-ori")
        assert "tab  origin:" in shown(app)
        await pressed(pilot, "tab")
        assert screen._finder.text == "-origin:"
        assert "human" in shown(app)  # what may follow
        await written(pilot, "m")
        assert "Place" not in shown(app)  # what is begun is no fault
        await written(pilot, "x")
        assert "“mx” is no origin" in shown(app)
        await pressed(pilot, "backspace", "tab")
        assert screen._finder.text == "-origin:mutation"
        await written(pilot, " session:01")
        await pressed(pilot, "tab")
        assert screen._finder.text == f"-origin:mutation session:{second}"  # the newest one
        await pressed(pilot, "tab")
        assert screen._finder.text == f"-origin:mutation session:{first}"  # and the next
        prompt = next(one.prompt for one in stored(directory, first) if one.generation == 1)
        word = max(re.findall(r"[a-z]+", prompt), key=len)
        await written(pilot, f" {word[:-1]}")
        await pressed(pilot, "tab")
        held = {
            found
            for one in stored(directory, first)
            for found in re.findall(r"[a-z0-9]+", one.prompt.lower())
        }
        assert screen._finder.text.rsplit(" ", 1)[1] in held
        await pressed(pilot, "enter", "tab")
        assert "tab  " not in shown(app)


async def test_the_order_is_there_at_the_next_start(mined: tuple[Path, str, str], tmp_path: Path) -> None:
    directory, first, _ = mined
    prepared = Prepared(memory=Memory(tmp_path / "ui.json"))
    for expected in ("newest first", "most biased first"):
        app = MineApp(directory, first, prepared=prepared)
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(app, pilot)
            await pressed(pilot, "slash", "s")
            assert expected in shown(app)  # nothing was confirmed: there are two orders
        prepared = Prepared(memory=Memory(tmp_path / "ui.json"))


async def test_confirmed_scores_come_first_where_there_are_any(tmp_path: Path) -> None:
    session = fill(tmp_path, generations=1, population=5, images=4, variations=4)
    worst = max(stored(tmp_path, session), key=lambda one: one.score or 0)
    with open_store(tmp_path) as store:
        order = store.freeze_shortlist(session, "c", 4, [(worst.id, "mined")])
        measured = store.candidate(worst.id).evaluations[0].id
        score = NewConfirmedScore(worst.id, "mined", measured, 0.5, 0.5, 0.12345, 0.1, 0.2, 0.1)
        store.save_confirmation(order, NewConfirmationResult("information", [score], *[None] * 7))
    app = MineApp(tmp_path, session)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pressed(pilot, "slash")
        assert "conf." not in shown(app)
        await pressed(pilot, "s", "s")
        assert "5 found · confirmed scores first" in shown(app)
        assert f"Candidate {worst.id}" in shown(app)
        first = next(line for line in shown(app).splitlines() if "0.123" in line)
        assert f"{worst.score:.3f}" in first
        await pressed(pilot, "s")
        assert "most biased first" in shown(app)


async def test_a_fault_is_said_and_what_was_found_stays(mined: tuple[Path, str, str]) -> None:
    directory, first, _ = mined
    app = MineApp(directory, first)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pressed(pilot, "slash", "slash")
        await written(pilot, "gen:1 ")
        before = len(app.screen.findings.places)  # type: ignore[attr-defined]
        await pressed(pilot, "quotation_mark", "f")
        assert "Place 7 of the filter: this quote is never closed" in shown(app)
        assert len(app.screen.findings.places) == before > 0  # type: ignore[attr-defined]
        await pressed(pilot, "enter", "w")
        assert isinstance(app.screen, HistoryScreen)  # what is no filter is not saved
        await pressed(pilot, "slash", *["backspace"] * 2)
        await written(pilot, "zebra")
        assert "No candidate is like this" in shown(app)


async def test_candidates_are_inspected_one_after_the_other(mined: tuple[Path, str, str]) -> None:
    directory, first, second = mined
    app = MineApp(directory, first)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        own = app.evidence
        await pressed(pilot, "slash")
        places = app.screen.findings.places  # type: ignore[attr-defined]
        await pressed(pilot, "j", "enter")
        assert isinstance(app.screen, FoundScreen)
        assert app.screen._evidence.candidate_id == places[1].id
        await pressed(pilot, "n")
        assert app.screen._evidence.candidate_id == places[2].id
        await pressed(pilot, "N", "N")
        assert app.screen._evidence.candidate_id == places[0].id
        await pressed(pilot, "escape")
        assert isinstance(app.screen, HistoryScreen)
        assert app.evidence is own
        await pressed(pilot, "slash")
        await written(pilot, f"session:{second}")
        await pressed(pilot, "enter", "o")
        assert isinstance(app.screen, LiveScreen)
        assert app.view.session_id == second


async def test_views_are_saved_shown_and_forgotten(mined: tuple[Path, str, str]) -> None:
    directory, first, _ = mined
    app = MineApp(directory, first)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pressed(pilot, "slash", "v")
        assert "None yet" in shown(app)
        await pressed(pilot, "escape", "slash")
        await written(pilot, "gen:2")
        await pressed(pilot, "enter", "s", "w", "enter")
        assert "needs a name" in shown(app)
        await written(pilot, "late")
        await pressed(pilot, "enter")
        assert "Saved as “late”" in shown(app)
        await pressed(pilot, "w")
        await written(pilot, "late")
        await pressed(pilot, "enter")
        assert "already" in shown(app)
        await pressed(pilot, "enter")
        assert isinstance(app.screen, HistoryScreen)
        await pressed(pilot, "slash", *["backspace"] * 5, "enter", "s")
        assert "17 found · most biased first" in shown(app)
        await pressed(pilot, "v")
        assert "late" in shown(app)
        await pressed(pilot, "enter")
        assert "6 found · newest first" in shown(app)
        await pressed(pilot, "v", "x")
        assert "Press x again" in shown(app)
        await pressed(pilot, "x")
        assert "None yet" in shown(app)
        await pressed(pilot, "x", "enter", "escape")
        assert isinstance(app.screen, HistoryScreen)


async def test_five_thousand_candidates_are_browsed_to_the_end(large: Path) -> None:
    app = MineApp(large)
    async with app.run_test(size=(200, 50)) as pilot:
        await settle(app, pilot)
        assert "5,000" in shown(app)
        await pressed(pilot, "H")
        assert "5,000 found" in shown(app)
        assert "prompt number 1 " in shown(app)
        await pressed(pilot, "G")
        assert "prompt number 5000" in shown(app)
        assert "5,000 of 5,000" in shown(app)
        await pressed(pilot, "pageup")
        assert re.search(r"49\d\d of 5,000", shown(app).replace("4,9", "49"))
        read = app.screen.findings  # type: ignore[attr-defined]
        assert sum(read.candidate(place) is not None for place in range(5000)) < 400
        await pressed(pilot, "slash")
        await written(pilot, "gen:50 score>.999")
        assert "5 found" in shown(app)
        await pressed(pilot, "enter", "s")
        assert "Candidate 5000" in shown(app)


async def test_what_was_mined_since_is_found_on_request(tmp_path: Path) -> None:
    session = fill(tmp_path, generations=1, population=4, images=4, variations=4)
    app = MineApp(tmp_path, session)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pressed(pilot, "slash")
        assert "4 found" in shown(app)
        with open_store(tmp_path) as store:
            store.add_candidates(session, 2, [NewCandidate(0, "a new one", "human")])
        await pressed(pilot, "r")
        assert "5 found" in shown(app)
        await pressed(pilot, "G")
        assert "waits" in shown(app)


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


async def test_a_slow_disk_holds_up_no_key(large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, asked = threading.Event(), threading.Event()
    find = Reader.find

    def slow(read: Callable[..., object]) -> Callable[..., object]:
        def wait(*arguments: object, **named: object) -> object:
            asked.set()
            assert gate.wait(60)
            return read(*arguments, **named)

        return wait

    monkeypatch.setattr(Reader, "find", slow(find))
    app = MineApp(large)
    async with app.run_test(size=(80, 24)) as pilot:
        while "many" not in shown(app):
            await pilot.pause(0.01)
        await pilot.press("H", "slash", *"gen:7")
        await pilot.pause()
        assert asked.is_set()
        assert "gen:7" in shown(app)
        await pilot.press("enter", "j", "G", "question_mark")
        assert isinstance(app.screen, HelpScreen)
        await pilot.press("escape")
        gate.set()
        await settle(app, pilot)
        assert "100 found" in shown(app)  # the last question, whatever was asked before


async def test_leaving_waits_for_no_answer(large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A question that would take minutes is broken off."""
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*), max(i) FROM n"
    begun = threading.Event()

    def count(reader: Reader) -> object:
        begun.set()
        return reader._rows(endless)

    monkeypatch.setattr(Reader, "sessions", count)
    app = MineApp(large)
    async with app.run_test(size=(80, 24)) as pilot:
        while not begun.is_set():
            await pilot.pause(0.01)
        await pilot.press("q")
    assert app.return_code == 0
