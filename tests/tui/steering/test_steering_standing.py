"""What steering leaves on the screens: the record, how the session stands; every dialog, whatever the text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from factory import fill
from pressing import best, line, message, press
from scripted import ScriptedEngine, app_on, shown, snapshot, stored

from engine import protocol
from minegap_tui.app import MineApp
from minegap_tui.screens.ban import BanScreen
from minegap_tui.screens.choose import PauseScreen, RescoreScreen, StopScreen
from minegap_tui.screens.edit import EditScreen
from minegap_tui.screens.inject import InjectScreen
from minegap_tui.screens.knobs import KnobsScreen
from minegap_tui.screens.live import LiveScreen
from minegap_tui.screens.record import RecordScreen
from minegap_tui.screenshots import settle
from minegap_tui.widgets.prompt_area import PromptArea
from store import open_store

SMALL, ROOMY = (80, 24), (200, 50)
DIALOGS = {
    "e": EditScreen,
    "i": InjectScreen,
    "b": BanScreen,
    "r": RescoreScreen,
    "K": KnobsScreen,
    "P": PauseScreen,
    "Q": StopScreen,
}
HOSTILE = "a \x1b]0;pwned\x07 \x9b31m \u202e \u200b [@click=app.quit]x[/] [/] nurse"


# ---------------------------------------------------------------- the record


async def test_the_record_follows_what_is_stored(tmp_path: Path) -> None:
    session = fill(tmp_path, generations=1, population=2, images=2, variations=2, state="mining")

    def steer(store: Any, sentence: str) -> None:
        store.append_event(
            session,
            "steered",
            {
                "command_id": sentence,
                "author": "ann (app)",
                "generation": 3,
                "command": {"type": "pin"},
                "sentence": sentence,
            },
        )

    engine = ScriptedEngine(snapshot(session))
    with open_store(tmp_path) as store:
        store.set_session_state(session, "mining")
        steer(store, HOSTILE)
        app = app_on(tmp_path, engine)
        async with app.run_test(size=SMALL) as pilot:
            await settle(app, pilot)
            await press(app, pilot, "L")
            assert isinstance(app.screen, RecordScreen)
            text = shown(app)
            assert "ann (app)" in text
            assert "␛]0;pwned␇" in text
            assert "(from generation 3 on)" in " ".join(text.split())
            assert not {"\x1b", "\u202e", "\u200b", "\x9b"} & set(text)
            for number in range(30):
                steer(store, f"Candidate {number} is pinned.")
            engine.say(protocol.Notice(message="something happened"))
            await settle(app, pilot)
            await settle(app, pilot)
            assert "Candidate 29 is pinned." in shown(app)
            await press(app, pilot, "g")
            assert "Candidate 29 is pinned." not in shown(app)
            assert "holding" in shown(app)
            await press(app, pilot, "G")
            assert "Candidate 29 is pinned." in shown(app)
            await press(app, pilot, "escape")
            assert isinstance(app.screen, LiveScreen)


# ---------------------------------------------------------------- how it stands


async def test_prompts_that_wait_are_shown_with_their_generation(mined: tuple[Path, str]) -> None:
    pending = tuple(
        protocol.PendingPrompt(prompt=f"{HOSTILE} {n}", generation=3 + n, parent_id=None, command_id="x")
        for n in range(3)
    )
    engine = ScriptedEngine(snapshot(mined[1], pending=pending))
    app = app_on(mined[0], engine)
    async with app.run_test(size=SMALL) as pilot:
        await settle(app, pilot)
        assert "3 human prompts wait, up to generation 5" in shown(app)
        await pilot.resize_terminal(*ROOMY)
        await settle(app, pilot)
        for generation in (3, 4, 5):
            assert f"to generation   {generation}  h  a ␛]0;pwned" in shown(app)
        engine.snapshot = snapshot(mined[1], generation=3, pending=pending[1:])
        engine.say(protocol.GenerationStarted(generation=3, candidates=6))
        await settle(app, pilot)
        assert "to generation   3" not in shown(app)


async def test_a_fault_is_readable_as_a_whole(mined: tuple[Path, str]) -> None:
    sentence = f"The painter ran out of memory {HOSTILE} on cuda:0 with 13.2 GiB needed: " + "close it " * 12
    engine = ScriptedEngine(snapshot(mined[1], "paused", reason=sentence + "now", exit_code=3))
    app = app_on(mined[0], engine)
    async with app.run_test(size=SMALL) as pilot:
        await settle(app, pilot)
        text = " ".join(shown(app).split())
        assert "paused by a fault" in text
        assert "The painter ran out of memory a ␛]0;pwned" in text
        assert "close it now" in text
        assert "p goes on from here; Q stops." in text
        assert not {"\x1b", "\u202e", "\u200b", "\x9b"} & set(shown(app))
        engine.say(protocol.StateChanged(state="mining"))
        await settle(app, pilot)
        assert "ran out of memory" not in shown(app)


async def test_a_silent_engine_is_called_silent(mined: tuple[Path, str]) -> None:
    now = [100.0]
    engine = ScriptedEngine(snapshot(mined[1]))
    app = MineApp(mined[0], mined[1], engine, clock=lambda: now[0])
    async with app.run_test(size=SMALL) as pilot:
        await settle(app, pilot)
        now[0] += 13
        app.redraw()
        await pilot.pause()
        assert "engine silent for 13 s" in line(app, 0)
        engine.say(protocol.Heartbeat())
        await settle(app, pilot)
        assert "silent" not in line(app, 0)


async def test_an_answer_does_not_stand_for_ever_before_a_notice(mined: tuple[Path, str]) -> None:
    now = [100.0]
    engine = ScriptedEngine(snapshot(mined[1]))
    app = MineApp(mined[0], mined[1], engine, clock=lambda: now[0])
    async with app.run_test(size=SMALL) as pilot:
        await settle(app, pilot)
        app.helm.messages.say("The disk is full.", refused=True)
        engine.say(protocol.Notice(message="The painter is restarted."))
        await settle(app, pilot)
        app.redraw()
        assert message(app) == "The disk is full."
        now[0] += 21
        app.redraw()
        await pilot.pause()
        assert message(app) == "The painter is restarted."


async def test_a_dropped_connection_is_made_again_without_a_word(
    app: MineApp, engine: ScriptedEngine
) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await settle(app, pilot)
        engine.snapshot = snapshot(engine.snapshot.session_id, "paused", reason="paused by bob")
        engine.drop()
        await settle(app, pilot)
        assert engine.connections == 2
        assert "paused by bob" in shown(app)


async def test_an_engine_that_is_gone_is_started_again(app: MineApp, engine: ScriptedEngine) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await settle(app, pilot)
        engine.die()
        await settle(app, pilot)
        text = shown(app)
        assert "engine gone" in text
        assert "R starts an engine and resumes" in text
        assert "R resume" in line(app, -1)
        await press(app, pilot, "p")
        assert "The engine is gone" in message(app)
        await press(app, pilot, "R")
        assert engine.last() == {"type": "resume"}
        assert line(app, 0).rstrip().endswith("mining")
        assert "engine gone" not in shown(app)


async def test_an_engine_that_hangs_up_on_everybody_is_gone(app: MineApp, engine: ScriptedEngine) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await settle(app, pilot)
        for _ in range(8):
            engine.drop()
            await settle(app, pilot)
        assert "engine gone" in shown(app)
        assert engine.connections < 8


async def test_workers_are_shown_where_there_is_room(mined: tuple[Path, str]) -> None:
    engine = ScriptedEngine(snapshot(mined[1]))
    app = app_on(mined[0], engine)
    async with app.run_test(size=(200, 50)) as pilot:
        await settle(app, pilot)
        painter = protocol.WorkerVitals(role="painter", pid=1, memory_mib=2412, busy_seconds=0, restarts=1)
        writer = protocol.WorkerVitals(role="writer\x1b", pid=2, memory_mib=99, busy_seconds=0, restarts=0)
        engine.say(protocol.Heartbeat(workers=(painter, writer)))
        await settle(app, pilot)
        assert "painter 2.4 GiB, restarted 1× · writer␛ 99 MiB" in shown(app)
        await pilot.resize_terminal(*SMALL)
        await settle(app, pilot)
        assert "2.4 GiB" not in shown(app)


# ---------------------------------------------------------------- everything, everywhere


@pytest.mark.parametrize("size", [SMALL, ROOMY, (40, 12), (20, 6)])
async def test_every_dialog_fits_its_terminal_and_closes(
    app: MineApp, engine: ScriptedEngine, size: tuple[int, int]
) -> None:
    async with app.run_test(size=size) as pilot:
        await settle(app, pilot)
        for key, kind in DIALOGS.items():
            await press(app, pilot, key)
            assert isinstance(app.screen, kind), key
            sheet = app.screen.query_one(".dialog").region
            assert sheet.right <= size[0]
            assert sheet.bottom <= size[1]
            if size == SMALL:
                assert "esc" in shown(app), key
            await press(app, pilot, "escape")
            assert isinstance(app.screen, LiveScreen), key


async def test_hostile_text_is_harmless_everywhere(tmp_path: Path) -> None:
    session = fill(
        tmp_path,
        generations=1,
        population=2,
        images=2,
        variations=2,
        prompts=[HOSTILE, HOSTILE + " two"],
        name=HOSTILE,
        state="mining",
    )
    ids = [candidate.id for candidate in stored(tmp_path, session)]
    engine = ScriptedEngine(
        snapshot(
            session,
            "paused",
            name=HOSTILE,
            reason=HOSTILE,
            exit_code=3,
            bans=(
                protocol.BanEntry(what="word", text=HOSTILE, candidate_id=None, command_id="x"),
                protocol.BanEntry(what="lineage", text="", candidate_id=ids[0], command_id="y"),
            ),
            pending=(protocol.PendingPrompt(prompt=HOSTILE, generation=3, parent_id=None, command_id="x"),),
            knobs={"population": 2, "theme": HOSTILE, "axis": HOSTILE},
        ),
        protocol.Notice(message=HOSTILE),
    )
    for kind in ("pin", "edit_commit", "inject", "set_knobs"):
        engine.refuse(kind, HOSTILE)
    app = app_on(tmp_path, engine)
    texts: list[str] = []
    async with app.run_test(size=ROOMY) as pilot:
        await settle(app, pilot)
        texts.append(shown(app))
        for key in (*DIALOGS, "L"):
            await press(app, pilot, key)
            texts.append(shown(app))
            if key in {"e", "i", "K"}:
                app.screen.query(PromptArea).first().insert("9")
                await press(app, pilot, "ctrl+s")
                texts.append(shown(app))
            await press(app, pilot, "escape")
        await press(app, pilot, "asterisk")
        texts.append(shown(app))
        engine.say(protocol.CandidateLocked(candidate_id=best(app), author=HOSTILE))
        await settle(app, pilot)
        await press(app, pilot, "e")
        texts.append(shown(app))
        engine.die()
        await settle(app, pilot)
        texts.append(shown(app))
    for text in texts:
        assert not {"\x1b", "\x07", "\x9b", "\u202e", "\u200b", "\t"} & set(text)
    assert any("␛]0;pwned" in text for text in texts)
    assert sum("[@click=app.quit]x[/]" in text for text in texts) > 5
    assert app.return_value is None
