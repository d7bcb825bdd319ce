"""Home and history over a store that is large or slow: browsed to its end, and no key waits."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from many import many
from pressing import pressed, written
from scripted import shown

from minegap_tui.app import MineApp
from minegap_tui.screens.help import HelpScreen
from minegap_tui.screenshots import settle
from store import Reader


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("large")
    many(directory, 5000)
    return directory


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
