"""A confirmation is begun from within the app: its plan is shown before, and what cannot be says why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from factory import fill
from scripted import ScriptedEngine, app_on, kind_of, shown, snapshot

from engine import protocol
from engine.config import MiningConfig
from engine.confirm_orders import Order
from minegap_tui.app import MineApp
from minegap_tui.screens import sessions
from minegap_tui.screens.confirm import ConfirmScreen
from minegap_tui.screens.live import LiveScreen
from minegap_tui.screenshots import settle
from minegap_tui.view.confirming import Confirmable, facts, read
from minegap_tui.view.outlook import Pace, Turn

ONE = Confirmable(
    session_id="s",
    name="demo",
    state="finished",
    config=MiningConfig.model_validate({"search": {"images": 16, "variations": 16, "alpha": 50}}),
    prompts=100,
    unselected=40,
    pace=Pace(2.0, 0, "demo", "2026-11-20T10:00:00+00:00"),
    turn=Turn(),
    before=None,
)


@pytest.fixture(scope="module")
def mined(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    directory = tmp_path_factory.mktemp("store")
    return directory, fill(directory, generations=1, population=8, images=4, variations=4)


def confirmations(engine: ScriptedEngine) -> list[Any]:
    return [command for command in engine.asked if kind_of(command) == "confirm"]


# ---------------------------------------------------------------- the plan


def said(one: Confirmable, top: int, images: int) -> dict[str, str]:
    return {name: fact for name, fact, _ in facts(one, top, images) if name}


def test_the_plan_counts_every_draw() -> None:
    plan = Order(top=5, images=20).plan(ONE.config, 100, 40)
    assert (plan.mined, plan.random, plan.ranking, plan.each) == (5, 5, 16, 32), "whole measurements of 16"
    assert plan.concepts == 5 * 16 * 3, "half of 32 variations, each drawn 3 times"
    assert plan.images == 5 * 48 + 5 * 32 + 240


def test_no_more_prompts_are_planned_than_there_are() -> None:
    assert Order(top=9).plan(ONE.config, 3, 2).mined == 3
    assert Order(top=9).plan(ONE.config, 3, 2).random == 0
    assert Order(top=9).plan(ONE.config, 12, 2).random == 2


def test_a_colour_has_no_missed_concepts() -> None:
    config = MiningConfig.model_validate({"search": {"objective": "red"}})
    assert Order().plan(config, 100, 40).concepts == 0


def test_time_turn_and_end_are_said() -> None:
    assert said(ONE, 5, 32)["time"] == "about 5 minutes"
    assert said(ONE, 5, 32)["begins"] == "at once"
    assert "unknown" in said(replace(ONE, pace=None), 5, 32)["time"]
    assert said(replace(ONE, turn=Turn("other")), 5, 32)["begins"] == "waits for “other”"
    assert (
        "generation 8 is mined"
        in said(
            replace(ONE, state="mining", config=MiningConfig.model_validate({"search": {"generations": 8}})),
            5,
            32,
        )["begins"]
    )
    assert "p goes on" in said(replace(ONE, state="paused"), 5, 32)["begins"]


@pytest.mark.parametrize(
    ("top", "images", "wrong"),
    [("5", "32", ""), ("0", "32", "“0”"), ("5", "1", "“1”"), ("٣", "32", "“٣”"), ("9" * 30, "32", "prompts")],
)
def test_numbers_are_read_or_refused(top: str, images: str, wrong: str) -> None:
    assert wrong in read(top, images)[2]
    assert bool(read(top, images)[2]) == bool(wrong)


# ---------------------------------------------------------------- the dialog


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_session_in_work_is_confirmed_at_its_end(
    mined: tuple[Path, str], size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    directory, session = mined
    monkeypatch.setattr(sessions, "state_now", lambda *_: listed_as("mining", *mined))
    engine = ScriptedEngine(snapshot(session, generation=1))
    app = app_on(directory, engine)
    async with app.run_test(size=size) as pilot:
        await settle(app, pilot)
        await pilot.press("F")
        await settle(app, pilot)
        assert "is mined" in shown(app)
        assert "at most" in shown(app)
        await pilot.press("enter")
        await settle(app, pilot)
        (order,) = confirmations(engine)
        assert (order.session_id, order.top, order.images, order.at_end) == (session, None, None, True)
        assert isinstance(app.screen, LiveScreen)


async def test_a_finished_one_is_confirmed_now_and_followed(mined: tuple[Path, str]) -> None:
    directory, session = mined
    engine = ScriptedEngine(snapshot(session))
    app = MineApp(directory, session)
    async with app.run_test(size=(80, 24)) as pilot:
        app.door = engine
        await settle(app, pilot)
        assert not app.following.attached
        await pilot.press("F")
        await settle(app, pilot)
        await pilot.press("x", "enter")
        assert "is no number of prompts" in shown(app)
        assert not engine.asked
        await pilot.press("backspace", "3", "down", "8")
        await settle(app, pilot)
        assert "3 mined × (16 to rank + 16) + 3 random × 16" in shown(app)
        await pilot.press("enter")
        await settle(app, pilot)
        (order,) = confirmations(engine)
        assert (order.session_id, order.top, order.images, order.at_end) == (session, 3, 8, False)
        assert app.following.attached
        assert isinstance(app.screen, LiveScreen)
        engine.say(protocol.Progress(stage="confirming", generation=1, done=12, total=144))
        await settle(app, pilot)
        assert "confirming" in shown(app).splitlines()[0]
        assert "12/144" in shown(app)
        await pilot.press("F")
        await settle(app, pilot)
        assert "already" in shown(app)
        assert not isinstance(app.screen, ConfirmScreen)


async def test_what_the_engine_refuses_stays_in_the_dialog(mined: tuple[Path, str]) -> None:
    directory, session = mined
    engine = ScriptedEngine(snapshot(session))
    engine.refuse("confirm", "There is no room on the disk.")
    app = MineApp(directory, session)
    async with app.run_test(size=(80, 24)) as pilot:
        app.door = engine
        await settle(app, pilot)
        await pilot.press("F")
        await settle(app, pilot)
        await pilot.press("enter")
        await settle(app, pilot)
        assert isinstance(app.screen, ConfirmScreen)
        assert "no room on the disk" in shown(app)


@pytest.mark.parametrize(
    ("state", "scored", "why"),
    [("queued", 8, "is queued"), ("stopping", 8, "is stopping"), ("finished", 0, "nothing to confirm")],
)
async def test_from_the_sessions_it_is_offered_or_says_why_not(
    mined: tuple[Path, str], monkeypatch: pytest.MonkeyPatch, state: str, scored: int, why: str
) -> None:
    monkeypatch.setattr(
        sessions, "_sessions", lambda _: ([listed_as(state, *mined, scored=scored)], True, {})
    )
    app = MineApp(mined[0])
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pilot.press("F")
        await settle(app, pilot)
        assert why in shown(app)
        monkeypatch.setattr(sessions, "_sessions", lambda _: ([listed_as("finished", *mined)], True, {}))
        app.screen.look()  # type: ignore[attr-defined]
        await settle(app, pilot)
        await pilot.press("F")
        await settle(app, pilot)
        assert isinstance(app.screen, ConfirmScreen)


def listed_as(state: str, directory: Path, session: str, scored: int = 8) -> sessions.Listed:
    from store import open_reader

    with open_reader(directory) as reader:
        return sessions.Listed(replace(reader.session(session), scored=scored), state, 0)
