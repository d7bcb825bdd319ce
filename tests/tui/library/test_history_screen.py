"""The history as a user meets it: candidates of all sessions found, ordered, inspected; views kept."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from factory import fill
from pressing import pressed, written
from scripted import shown, stored

from minegap_tui.app import MineApp
from minegap_tui.memory import Memory
from minegap_tui.screens.found import FoundScreen
from minegap_tui.screens.history import HistoryScreen
from minegap_tui.screens.live import LiveScreen
from minegap_tui.screenshots import settle
from minegap_tui.terminal import Prepared
from store import open_store
from store.incoming import NewCandidate, NewConfirmationResult, NewConfirmedScore

SIZES = [(80, 24), (120, 40), (200, 50)]


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
