"""Lineage and exchanges as a user meets them."""

from __future__ import annotations

from pathlib import Path

import pytest
from factory import fill, measure
from scripted import ScriptedEngine, app_on, shown, snapshot

from minegap_tui.app import MineApp
from minegap_tui.camera import settle
from minegap_tui.screens.exchanges import ExchangesScreen
from minegap_tui.screens.found import FoundScreen
from minegap_tui.screens.inspect import InspectScreen
from minegap_tui.screens.lineage import LineageScreen
from store import Reader, open_store
from store.incoming import NewCandidate, NewWriting
from store.records import Exchange

NASTY = "\x1b]0;pwned\x07 [red]\u202e \x9b31m <lora:x:1>"


def families(directory: Path, count: int = 3) -> tuple[str, list[int]]:
    """``count`` prompts that have a child and a grandchild each; the last grandchild waits."""
    ids = []
    with open_store(directory) as store:
        session = store.create_session(name="kin", seed=7, config_json="{}", models_json="{}")
        parents: list[int | None] = [None] * count
        for generation, words in enumerate(("a nurse", "a tall nurse", "a tall nurse in red"), start=1):
            new = [
                NewCandidate(place, f"{words} {place}", "mutation" if generation > 1 else "initial", parent)
                for place, parent in enumerate(parents)
            ]
            parents = list(store.add_candidates(session, generation, new))
            ids += parents
            for place, candidate in enumerate(parents[: count if generation < 3 else count - 1]):
                assert candidate is not None
                bias = 0.9 - 0.2 * generation + 0.02 * place
                measure(store, candidate, new[place].prompt, (4, 4), bias, seed=candidate)
    return session, [one for one in ids if one is not None]


async def test_a_candidate_leads_to_its_family_and_on_to_its_relatives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, _ = families(tmp_path)
    family = Reader.family  # read in pages of one generation
    monkeypatch.setattr(Reader, "family", lambda reader, number, after=-1: family(reader, number, after, 3))
    app = MineApp(tmp_path, session_id=session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pilot.press("enter", "t")
        await settle(app, pilot)
        assert isinstance(app.screen, LineageScreen)
        assert app.evidence is not None
        text = shown(app)
        assert "9 candidates · 3 without parents · 3 generations" in text
        assert f"Candidate {app.evidence.candidate_id}" in text
        for words in ("+tall", "+in red", "└─", "★", "◆", "waits", "generation 1 · initial"):
            assert words in text, words
        await pilot.press("g")
        await settle(app, pilot)
        root = next(line for line in text.splitlines() if "▾ a nurse" in line).split("▾ ")[1].split("  ")[0]
        await pilot.press("enter")
        await settle(app, pilot)
        assert isinstance(app.screen, InspectScreen)
        assert root.strip() in shown(app)
        assert app.selected_row is not None
        assert app.selected_row.prompt == root.strip()
        await pilot.press("escape", "escape", "escape")
        await settle(app, pilot)
        assert app.screen is app.get_default_screen()


async def test_folding_opening_and_going_to_the_best(tmp_path: Path) -> None:
    session, _ = families(tmp_path)
    app = MineApp(tmp_path, session_id=session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pilot.press("t")
        await settle(app, pilot)
        screen = app.screen
        assert isinstance(screen, LineageScreen)
        assert screen._tree is not None
        best = screen._tree.family.best_of_all
        await pilot.press("minus")
        await pilot.press("g", "left")
        await settle(app, pilot)
        assert shown(app).count("+2 below") == 3
        await pilot.press("d")
        await settle(app, pilot)
        assert screen._tree.chosen == best
        await pilot.press("f")
        await settle(app, pilot)
        assert "Family ─" in shown(app)
        assert len(screen._tree.lines) == 2
        await pilot.press("f", "plus")
        await settle(app, pilot)
        assert "below" not in shown(app)
        assert len(screen._tree.lines) == 9


async def test_one_that_waits_is_shown_though_no_leaderboard_has_it(tmp_path: Path) -> None:
    session, ids = families(tmp_path)
    app = MineApp(tmp_path, session_id=session)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pilot.press("t")
        await settle(app, pilot)
        screen = app.screen
        assert isinstance(screen, LineageScreen)
        assert screen._tree is not None
        screen._tree.find(ids[-1])
        screen._show()
        await pilot.press("enter")
        await settle(app, pilot)
        assert isinstance(app.screen, FoundScreen)
        assert "waiting to be painted" in shown(app)


async def test_what_is_mined_meanwhile_comes_with_a_key(tmp_path: Path) -> None:
    session, ids = families(tmp_path)
    app = app_on(tmp_path, ScriptedEngine(snapshot(session)))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pilot.press("t", "j")
        await settle(app, pilot)
        screen = app.screen
        assert isinstance(screen, LineageScreen)
        assert screen._tree is not None
        chosen = screen._tree.chosen
        with open_store(tmp_path) as store:
            store.add_candidates(session, 4, [NewCandidate(0, "a nurse on a horse", "human", ids[0])])
        await pilot.press("r")
        await settle(app, pilot)
        assert "10 candidates" in shown(app)
        assert "horse" in shown(app)
        assert screen._tree.chosen == chosen


async def test_without_candidates_it_says_what_comes(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        session = store.create_session(name="", seed=7, config_json="{}", models_json="{}")
    app = MineApp(tmp_path, session_id=session)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pilot.press("t")
        await settle(app, pilot)
        assert "This session has no candidates yet." in shown(app)
        await pilot.press("right", "left", "space", "d", "f", "plus", "minus", "c", "enter", "j", "G", "J")
        assert isinstance(app.screen, LineageScreen)


def told(directory: Path, reply: str = "1. a tall nurse") -> str:
    """A mutation, its words and those for its variations; one reply of both was set aside."""
    with open_store(directory) as store:
        session = store.create_session(name="told", seed=7, config_json="{}", models_json="{}")
        said = (
            Exchange("Mutate: a nurse", reply, 4, "accepted"),
            Exchange("Mutate: a nurse", f"a cow {NASTY}", 6, f"lost the subject 'nurse' {NASTY}"),
        )
        writing = store.save_writing(
            session, NewWriting("m", "mutations", "a nurse", ["a tall nurse"], said, 1, "writer-1")
        )
        (one,) = store.add_candidates(
            session, 1, [NewCandidate(0, "a tall nurse", "mutation", None, writing)]
        )
        measure(store, one, "a tall nurse", (4, 4), 0.5, seed=3)
    return session


@pytest.mark.parametrize("size", [(80, 24), (200, 50), (40, 12)])
async def test_the_words_that_made_a_prompt(tmp_path: Path, size: tuple[int, int]) -> None:
    app = MineApp(tmp_path, session_id=told(tmp_path))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pilot.press("enter", "x")
        await settle(app, pilot)
        assert isinstance(app.screen, ExchangesScreen)
        await pilot.resize_terminal(*size)
        await settle(app, pilot)
        text = shown(app)
        assert "accepted" in text
        if size == (40, 12):
            return
        assert "this prompt: a tall nurse" in text
        assert "said (15 characters)" in text
        assert "1. a tall nurse" in text
        assert "Mutate: a nurse" in text
        assert "seed 4" in text
        await pilot.press("a", "j")
        await settle(app, pilot)
        text = shown(app)
        assert "this prompt:" not in text
        assert "lost the subject 'nurse'" in text
        assert not any(ord(c) < 32 and c != "\n" for c in text)
        assert "\u202e" not in text
        assert "[red]" in text


async def test_a_reply_of_a_megabyte_is_read_page_by_page(tmp_path: Path) -> None:
    app = MineApp(tmp_path, session_id=told(tmp_path, "lorem ipsum " * 90_000 + "THE_END"))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pilot.press("enter", "x")
        await settle(app, pilot)
        assert "said (1,080,007 characters)" in shown(app)
        await pilot.press("space")
        assert "lorem ipsum" in shown(app).splitlines()[-5]
        assert isinstance(app.screen, ExchangesScreen)
        app.screen._verbatim.scroll_lines(1_000_000)
        await pilot.press("K")
        await settle(app, pilot)
        assert "THE_END" in shown(app)


async def test_a_candidate_without_words_has_a_reason(tmp_path: Path) -> None:
    session = fill(tmp_path, generations=1, population=2, images=2, variations=2)
    app = MineApp(tmp_path, session_id=session)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pilot.press("enter", "x")
        await settle(app, pilot)
        assert "No exchange is stored" in shown(app)
        await pilot.press("tab", "shift+tab", "a", "G", "space", "escape")
        await settle(app, pilot)
        assert isinstance(app.screen, InspectScreen)
