"""The live screen as a user meets it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from factory import fill
from scripted import ScriptedEngine, app_on, finished, scored, shown, snapshot, stored

from engine import protocol
from minegap_tui import watching
from minegap_tui.app import MineApp
from minegap_tui.screens.help import HelpScreen
from minegap_tui.screens.inspect import InspectScreen
from minegap_tui.screens.live import LiveScreen
from minegap_tui.screenshots import settle
from minegap_tui.widgets.leaderboard import Leaderboard

SIZES = [(80, 24), (120, 40), (200, 50)]


@pytest.fixture(scope="module")
def mined(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    directory = tmp_path_factory.mktemp("store")
    return directory, fill(directory, generations=2, population=8, images=6, variations=8)


def board(app: MineApp) -> Leaderboard:
    assert isinstance(app.screen, LiveScreen)
    return app.screen.leaderboard


@pytest.mark.parametrize("size", SIZES)
async def test_everything_is_on_the_screen(mined: tuple[Path, str], size: tuple[int, int]) -> None:
    directory, session = mined
    app = MineApp(directory, session_id=session)
    async with app.run_test(size=size) as pilot:
        await settle(app, pilot)
        text = shown(app)
        best = app.view.leaderboard(1)[0]
        for word in (
            "Leaderboard",
            "best",
            "median",
            "Images",
            "Variations",
            "missed",
            "finished",
            "quit",
            "▀",
            "○",
        ):
            assert word in text, word
        assert f"{best.score:.3f}" in text
        assert best.prompt[:25] in text
        assert max(len(line.rstrip()) for line in text.splitlines()) <= size[0]


async def test_a_long_board_still_says_its_place_and_what_the_cursor_does(tmp_path: Path) -> None:
    session = fill(tmp_path, generations=10, population=12, images=2, variations=2)
    app = MineApp(tmp_path, session_id=session)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        assert "1 of 120 · following" in shown(app)
        await pilot.press("space")
        await settle(app, pilot)
        assert "1 of 120 · holding" in shown(app)


async def test_a_board_of_many_pages_is_read_to_its_end(
    mined: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "BOARD_PAGE", 3)
    app = MineApp(mined[0], session_id=mined[1])
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        every = sorted(stored(*mined), key=lambda one: (one.score or 0, one.id))
        assert [row.candidate_id for row in app.view.leaderboard(99)] == [one.id for one in every]
        assert f"{len(every)}" in shown(app)


async def test_a_tiny_terminal_is_survived(mined: tuple[Path, str]) -> None:
    directory, session = mined
    app = MineApp(directory, session_id=session)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        for size in ((40, 12), (10, 3), (1, 1), (300, 90), (80, 24)):
            await pilot.resize_terminal(*size)
            await settle(app, pilot)
        assert "Leaderboard" in shown(app)


async def test_the_selection_stays_while_rows_arrive(mined: tuple[Path, str]) -> None:
    directory, session = mined
    engine = ScriptedEngine(snapshot(session))
    app = app_on(directory, engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pilot.press("j", "down")
        await settle(app, pilot)
        held = board(app).selected
        line = next(
            line for line, text in enumerate(shown(app).splitlines()) if text.lstrip().startswith("▌")
        )
        for number, one in enumerate(stored(directory, session)):
            engine.say(scored(replace(one, id=1000 + number), score=number / 10 - 0.5))
            await settle(app, pilot)
            assert board(app).selected == held
            assert shown(app).splitlines()[line].lstrip().startswith("▌")
        assert app.evidence is not None
        assert app.evidence.candidate_id == held
        assert (app.view.rank(held or 0) or 0) > 5


async def test_following_shows_the_most_biased(mined: tuple[Path, str]) -> None:
    directory, session = mined
    candidates = sorted(stored(directory, session), key=lambda one: one.score or 0)
    engine = ScriptedEngine(snapshot(session))
    app = app_on(directory, engine)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        assert board(app).selected == candidates[0].id
        engine.say(scored(candidates[-1], score=-1))
        await settle(app, pilot)
        assert board(app).selected == candidates[-1].id
        await pilot.press("down")
        assert not board(app).following
        await pilot.press("space")
        assert board(app).following
        assert board(app).selected == candidates[-1].id


async def test_keys_and_mouse_move_the_cursor(mined: tuple[Path, str]) -> None:
    directory, session = mined
    app = MineApp(directory, session_id=session)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        order = [row.candidate_id for row in app.view.leaderboard(100)]
        for key, place in (
            ("j", 1),
            ("down", 2),
            ("k", 1),
            ("up", 0),
            ("up", 0),
            ("G", 15),
            ("g", 0),
            ("end", 15),
        ):
            await pilot.press(key)
            assert board(app).selected == order[place], key
        await pilot.press("home")
        await pilot.click(Leaderboard, offset=(10, 4))
        assert board(app).selected == order[2]


async def test_inspecting_a_candidate_and_its_neighbours(mined: tuple[Path, str]) -> None:
    directory, session = mined
    app = MineApp(directory, session_id=session)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        order = [row.candidate_id for row in app.view.leaderboard(100)]
        await pilot.press("enter")
        await settle(app, pilot)
        assert isinstance(app.screen, InspectScreen)
        await pilot.press("n")
        await settle(app, pilot)
        assert app.evidence is not None
        assert app.evidence.candidate_id == order[1]
        assert app.evidence.prompt in shown(app)
        await pilot.press("pagedown", "j", "escape")
        await settle(app, pilot)
        assert isinstance(app.screen, LiveScreen)
        assert board(app).selected == order[1]


async def test_help_lists_every_action_and_closes(mined: tuple[Path, str]) -> None:
    directory, session = mined
    app = MineApp(directory, session_id=session)
    async with app.run_test(size=(120, 240)) as pilot:
        await settle(app, pilot)
        await pilot.press("question_mark")
        await settle(app, pilot)
        assert isinstance(app.screen, HelpScreen)
        text = shown(app)
        for words in ("Stop mining, after a question", "See all evidence", "Show the candidate ranked above"):
            assert words in text
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, LiveScreen)


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
async def test_leaving_asks_the_engine_for_nothing(mined: tuple[Path, str], key: str) -> None:
    directory, session = mined
    engine = ScriptedEngine(snapshot(session))
    app = app_on(directory, engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        assert "mining" in shown(app)
        await pilot.press(key)
        await pilot.pause()
    assert app.return_value == 0
    assert engine.asked == []
    assert app.view.running


async def test_a_finished_session_stays_open(mined: tuple[Path, str]) -> None:
    directory, session = mined
    engine = ScriptedEngine(snapshot(session), finished(session))
    app = app_on(directory, engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        assert "finished" in shown(app)
        await pilot.press("down")
        await settle(app, pilot)
        assert app.evidence is not None
        assert app.evidence.candidate_id == app.view.leaderboard(2)[1].candidate_id
        await pilot.press("q")
        await pilot.pause()
    assert app.return_value == 0


async def test_a_failure_after_results_is_a_sentence_and_an_exit_code(mined: tuple[Path, str]) -> None:
    directory, session = mined
    failed = protocol.Failed(sentence="The painter ran out of memory: lower painter.width.", exit_code=3)
    engine = ScriptedEngine(snapshot(session), failed)
    app = app_on(directory, engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        assert "The painter ran out of memory" in shown(app)
        await pilot.press("q")
        await pilot.pause()
    assert app.return_value == 3


async def test_a_failure_at_the_start_leaves_at_once(tmp_path: Path) -> None:
    engine = ScriptedEngine(snapshot("no such session"))
    engine.runs = False
    app = app_on(tmp_path, engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
    assert app.return_value == 2
    assert app.view.failure is not None


async def test_a_session_that_ended_before_it_was_reached_is_shown_as_stored(
    mined: tuple[Path, str],
) -> None:
    directory, session = mined
    engine = ScriptedEngine(snapshot(session))
    engine.runs = False
    app = app_on(directory, engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        assert "finished" in shown(app)
        assert app.view.scored == 16


async def test_loading_is_said_in_words(mined: tuple[Path, str]) -> None:
    engine = ScriptedEngine(snapshot(mined[1]))
    app = MineApp(mined[0], mined[1], engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        engine.say(protocol.Progress(stage="loading", generation=0, done=0, total=1))
        await settle(app, pilot)
        assert "loading the models …" in shown(app)
        engine.say(protocol.Progress(stage="painting", generation=1, done=4, total=8))
        await settle(app, pilot)
        assert "painting" in shown(app)
        assert "loading" not in shown(app)


async def test_progress_and_speed_are_shown(mined: tuple[Path, str]) -> None:
    directory, session = mined
    painting = protocol.Progress(
        stage="painting", generation=2, done=48, total=256, images_per_second=12.34, eta_seconds=131
    )
    writing = protocol.Progress(stage="writing", generation=2, done=5, total=16, eta_seconds=131)
    engine = ScriptedEngine(snapshot(session), painting, writing)
    app = app_on(directory, engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        line = shown(app).splitlines()[1]
        for words in ("painting", "48/256", "writing", "5/16", "12.3 images/s", "2:11 left"):
            assert words in line
        assert "generation 2/4" in shown(app)


async def test_missing_images_are_said(mined: tuple[Path, str], tmp_path: Path) -> None:
    session = fill(tmp_path, generations=1, population=2, images=4, variations=4)
    for file in (tmp_path / "images").rglob("*.png"):
        file.chmod(0o600)
        file.write_bytes(b"\x89PNG not an image")
    app = MineApp(tmp_path, session_id=session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        assert "cannot be" in shown(app)
