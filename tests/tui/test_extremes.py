"""Stores with nothing, one or thousands in them, figures that are none, and terminals that are tiny or odd."""

from __future__ import annotations

import io
import math
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from commandline import Minegap
from double import listening
from driven import BROWSE, Driven
from factory import fill
from hostile import fill_hostile, hostile
from many import many
from scripted import ScriptedEngine, app_on, scored, snapshot, stored
from textual.pilot import Pilot

from engine import protocol
from minegap_tui import console
from minegap_tui.app import MineApp
from minegap_tui.camera import enter, leave, settle, shown
from minegap_tui.commands.follow import wants_app
from minegap_tui.screens.help import HelpScreen
from minegap_tui.screenshots import SCENES, SIZES, SMALLEST
from store import open_reader, open_store

pytestmark = pytest.mark.timeout(900)  # many screens, and a busy machine


# ---------------------------------------------------------------- figures and sizes


FIGURED = {"live", "inspect", "lineage", "sessions", "history", "compare", "gallery", "replay"}
"""Scenes that draw scores."""


async def test_screens_bear_figures_that_are_none_and_any_size(tmp_path: Path) -> None:
    session, texts = fill_hostile(tmp_path / "store")
    engine = ScriptedEngine(snapshot(session, name=hostile(3)))
    app = app_on(tmp_path / "store", engine)
    async with app.run_test(size=SIZES[1]) as pilot:
        await enter(app, pilot, SCENES[0])
        *_, one, other = stored(tmp_path / "store", session)
        engine.say(scored(one, math.nan), scored(other, -math.inf))
        for scene in SCENES:
            if scene.name not in FIGURED:
                continue
            await enter(app, pilot, scene)
            for size in ((1, 1), (250, 60)):
                await pilot.resize_terminal(*size)
                await pilot.pause()
            await pilot.resize_terminal(*SIZES[1])
            await leave(app, pilot)
    with open_reader(tmp_path / "store") as reader:
        assert {number: reader.candidate(number).candidate.prompt for number in texts} == texts


async def test_the_smallest_terminal_shows_rows(tmp_path: Path) -> None:
    session = fill(tmp_path, generations=1, population=4, images=2, variations=4, name="first look")
    app = MineApp(tmp_path, session_id=session)
    with open_reader(tmp_path) as reader:
        best = reader.leaderboard(session, 1)[0].prompt
    async with app.run_test(size=SMALLEST) as pilot:
        for name, words in (("sessions", "first look"), ("history", best[:20])):
            (scene,) = (scene for scene in SCENES if scene.name == name)
            await enter(app, pilot, scene)
            (row,) = (line for line in shown(app).splitlines() if line.strip().startswith("▌"))
            assert words in row
            await leave(app, pilot)


async def test_help_is_made_of_few_parts(tmp_path: Path) -> None:
    """A widget for each key took seconds to lay out."""
    app = MineApp(tmp_path)
    async with app.run_test(size=SIZES[0]) as pilot:
        await settle(app, pilot)
        await pilot.press("question_mark")
        await settle(app, pilot)
        assert isinstance(app.screen, HelpScreen)
        assert len(list(app.screen.walk_children())) < 60


# ---------------------------------------------------------------- much and little


async def walk(app: MineApp, pilot: Pilot[int], *names: str) -> AsyncIterator[tuple[str, str]]:
    """Press these scenes' keys, whether they lead anywhere or not; yield what is seen then."""
    await settle(app, pilot)
    home = len(app.screen_stack)
    for scene in SCENES:
        if scene.name not in names:
            continue
        for key, _ in scene.steps:
            await pilot.press(key)
            await settle(app, pilot)
        yield scene.name, shown(app)
        for _ in range(6):
            if len(app.screen_stack) > home:
                await pilot.press("escape")
                await settle(app, pilot)
        assert len(app.screen_stack) == home, scene.name


async def test_an_empty_store_says_what_to_do(tmp_path: Path) -> None:
    app = MineApp(tmp_path / "store")
    async with app.run_test(size=SIZES[0]) as pilot:
        await settle(app, pilot)
        for key in ("enter", "f", "d", "V", "less_than_sign", "C", "F", "space", "j", "G", "escape"):
            await pilot.press(key)
        await settle(app, pilot)
        assert "There is no store at" in shown(app)
        assert "mine something first" in " ".join(shown(app).split()), "however long the path is"
        with open_store(tmp_path / "store"):
            pass
        await pilot.press("H")
        await settle(app, pilot)
        assert "Begin with: minegap mine" in shown(app)


async def test_an_empty_session_says_why_there_is_nothing(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        session = store.create_session(name="empty", seed=1, config_json="{}", models_json="{}")
        store.set_session_state(session, "failed", "No image was painted.")
    app = MineApp(tmp_path, session_id=session)
    async with app.run_test(size=SIZES[0]) as pilot:
        names = ("inspect", "lineage", "compare", "gallery", "replay", "fork", "sessions", "history")
        said = {name: seen async for name, seen in walk(app, pilot, *names)}
    assert "No candidate is selected" in said["inspect"]
    assert "No candidate of this session has a score yet" in said["gallery"]
    assert "no generation yet" in said["replay"]
    assert "no generation yet" in said["fork"]
    assert "empty" in said["sessions"]


async def test_a_session_of_one_candidate_is_seen_from_all_sides(tmp_path: Path) -> None:
    fill(tmp_path, generations=1, population=1, images=2, variations=4)
    session = fill(tmp_path, generations=1, population=1, images=2, variations=4, state="interrupted")
    app = app_on(tmp_path, ScriptedEngine(snapshot(session)))
    aside = {
        "exchanges",
        "side-by-side",
    }  # no LLM was asked in this store, and there is nobody to lay it beside
    async with app.run_test(size=SIZES[0]) as pilot:
        for scene in SCENES:
            if scene.place is not None and scene.name not in aside:
                await enter(app, pilot, scene)
                await leave(app, pilot)


async def test_five_thousand_candidates_are_counted_and_reached(tmp_path: Path) -> None:
    session = many(tmp_path, 5000)
    app = MineApp(tmp_path, session_id=session)
    async with app.run_test(size=SIZES[0]) as pilot:
        names = ("live", "lineage", "sessions", "history", "gallery", "replay")
        said = {name: seen async for name, seen in walk(app, pilot, *names)}
    assert "5,000" in said["live"]
    assert "5,000 candidates" in said["lineage"]
    assert "5,000" in said["sessions"]
    assert "5,000 found" in said["history"]
    assert "generation 50 of 50" in said["gallery"]
    assert "generation 1 of 50" in said["replay"]


# ---------------------------------------------------------------- odd terminals


def test_a_storm_of_resizing_while_data_comes_leaves_a_whole_screen(tmp_path: Path) -> None:
    with listening(tmp_path) as engine:
        session = engine.session(name="stormy")
        driven = Driven(tmp_path, session)
        driven.until("mining")
        for number in range(40):
            driven.resize(*((40, 12), (250, 60), (1, 1))[number % 3])
            engine.record(session, protocol.Notice(message=f"gust {number}"))
        driven.resize(80, 24)
        driven.until("gust 39")
        while not driven.words.startswith(" MineGap  stormy"):  # as wide screens begin
            driven.step()
        driven.until("q detach")
        lines = driven.words.splitlines()
        assert driven.end() == 0
    assert lines[-1].rstrip().endswith("q detach")


def test_a_terminal_without_a_size_is_drawn_as_the_usual_one(tmp_path: Path) -> None:
    fill(tmp_path, generations=1, population=1, images=2, variations=4, name="seen")
    driven = Driven(tmp_path, "", program=BROWSE, size=(0, 0), seen=(80, 24))
    driven.until("1 session")
    driven.until("q quit")
    assert driven.words.splitlines()[-1].rstrip().endswith("q quit"), "24 lines, not 25"
    assert driven.end() == 0
    assert len(driven.taken) < 60_000, "two guesses of the size were drawn in turn, for ever"


def test_a_size_that_the_shell_exported_is_not_believed(tmp_path: Path) -> None:
    fill(tmp_path, generations=1, population=1, images=2, variations=4, name="seen")
    driven = Driven(
        tmp_path, "", program=BROWSE, size=(80, 24), environment={"COLUMNS": "100", "LINES": "30"}
    )
    driven.until("q quit")
    assert driven.words.splitlines()[-1].rstrip().endswith("q quit"), "24 lines, not 30"
    driven.resize(100, 40)
    while not driven.words.splitlines()[-1].rstrip().endswith("q quit"):
        driven.step()
    assert driven.end() == 0


def test_a_terminal_that_only_prints_gets_lines_and_a_sentence(
    tmp_path: Path, minegap: Minegap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "on_terminal", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    assert wants_app(plain=False, as_json=False)
    monkeypatch.setenv("TERM", "dumb")
    assert not wants_app(plain=False, as_json=False), "mine and attach print lines there"
    done = minegap("sessions", store=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "TERM=dumb" in done.stderr
    assert "minegap ls" in done.stderr


@pytest.mark.parametrize(
    ("encoding", "printed"), [("latin-1", "# a · ~ caf\xe9 ??"), ("utf-8", "● a · … caf\xe9 鼠")]
)
def test_an_output_without_unicode_gets_what_is_like_it(
    monkeypatch: pytest.MonkeyPatch, encoding: str, printed: str
) -> None:
    bare = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(bare, encoding=encoding))
    console.print_everything()
    console.data("● a · … café 鼠")
    sys.stdout.flush()
    assert bare.getvalue().decode(encoding).rstrip() == printed
