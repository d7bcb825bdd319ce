"""Commands that a key asks for: what goes to the engine, and nothing is shown before it said so."""

from __future__ import annotations

from pathlib import Path

import pytest
from factory import fill
from pressing import best, line, message, press
from scripted import ScriptedEngine, app_on, finished, shown, snapshot

from engine import protocol
from minegap_tui.app import MineApp
from minegap_tui.screens.live import LiveScreen
from minegap_tui.screenshots import settle
from store import open_store

SMALL = (80, 24)


@pytest.mark.parametrize(
    ("state", "key", "command"),
    [
        ("mining", "p", {"type": "pause", "after": "image"}),
        ("paused", "p", {"type": "resume"}),
        ("mining", "s", {"type": "step"}),
    ],
)
async def test_keys_that_ask_at_once(
    mined: tuple[Path, str], state: str, key: str, command: dict[str, object]
) -> None:
    engine = ScriptedEngine(snapshot(mined[1], state))
    app = app_on(mined[0], engine)
    async with app.run_test(size=SMALL) as pilot:
        await settle(app, pilot)
        await press(app, pilot, key)
        assert engine.last() == command
        assert message(app) == f"{command['type']} counts from generation 3 on."


async def test_nothing_is_shown_before_the_engine_said_so(app: MineApp, engine: ScriptedEngine) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await settle(app, pilot)
        engine.hold()
        await press(app, pilot, "p")
        assert message(app) == "asked the engine: pause after this batch …"
        assert line(app, 0).rstrip().endswith("mining")
        engine.say(protocol.Pausing(after="image", done=1, total=2))
        await settle(app, pilot)
        assert line(app, 0).rstrip().endswith("pausing after this batch (1 of 2 images)")
        engine.release()
        await settle(app, pilot)
        assert message(app) == "pause counts from generation 3 on."
        engine.say(protocol.StateChanged(state="paused", reason="paused by ann (app)"))
        await settle(app, pilot)
        assert line(app, 0).rstrip().endswith("paused")
        assert "paused by ann (app) · p goes on" in line(app, 1)


async def test_a_pause_that_was_asked_for_is_called_off(app: MineApp, engine: ScriptedEngine) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await settle(app, pilot)
        engine.say(protocol.Pausing(after="generation", done=1, total=6))
        await settle(app, pilot)
        await press(app, pilot, "p")
        assert engine.last() == {"type": "resume"}


@pytest.mark.parametrize(("downs", "after"), [(0, "image"), (1, "batch"), (2, "generation")])
async def test_pausing_after_a_choice(app: MineApp, engine: ScriptedEngine, downs: int, after: str) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await settle(app, pilot)
        await press(app, pilot, "P", *["down"] * downs, "enter")
        assert engine.last() == {"type": "pause", "after": after}
        assert isinstance(app.screen, LiveScreen)


async def test_a_refusal_is_a_line(app: MineApp, engine: ScriptedEngine) -> None:
    engine.refuse("pin", "Candidate 3 is banned: lift the ban first.")
    async with app.run_test(size=SMALL) as pilot:
        await settle(app, pilot)
        await press(app, pilot, "asterisk")
        assert engine.last() == {"type": "pin", "candidate_id": best(app)}
        assert message(app) == "Candidate 3 is banned: lift the ban first."
        assert not app.view.hand.pins


async def test_a_long_answer_is_readable_as_a_whole(app: MineApp, engine: ScriptedEngine) -> None:
    engine.refuse("pin", "Candidate 3 cannot be pinned " + "since the word is banned " * 4 + "now: lift it.")
    async with app.run_test(size=SMALL) as pilot:
        await settle(app, pilot)
        await press(app, pilot, "asterisk")
        assert "banned now: lift it." in " ".join(shown(app).split())
        await press(app, pilot, "s")
        assert message(app) == "step counts from generation 3 on."
        assert "lift it" not in shown(app)


async def test_what_is_in_force_is_learnt_when_a_session_has_loaded(
    app: MineApp, engine: ScriptedEngine
) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await settle(app, pilot)
        engine.snapshot = snapshot(engine.snapshot.session_id, pins=(best(app),))
        engine.say(protocol.StateChanged(state="mining", reason="resumed by ann (app)"))
        await settle(app, pilot)
        assert app.view.hand.pins == {best(app)}


async def test_pinning_is_seen_when_the_engine_says_so(app: MineApp, engine: ScriptedEngine) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await settle(app, pilot)
        await press(app, pilot, "asterisk")
        row = next(text for text in shown(app).splitlines() if text.lstrip().startswith("▌"))
        assert "*" not in row
        engine.snapshot = snapshot(engine.snapshot.session_id, pins=(best(app),))
        engine.say(
            protocol.Steered(
                command_id="x", author="ann", generation=3, command={"type": "pin"}, sentence="Pinned."
            )
        )
        await settle(app, pilot)
        row = next(text for text in shown(app).splitlines() if text.lstrip().startswith("▌"))
        assert "*" in row
        await press(app, pilot, "asterisk")
        assert engine.last() == {"type": "unpin", "candidate_id": best(app)}


async def test_disabled_actions_say_why(mined: tuple[Path, str]) -> None:
    app = MineApp(mined[0], mined[1])
    async with app.run_test(size=SMALL) as pilot:
        await settle(app, pilot)
        for key in ("p", "e", "i", "b", "u", "Q"):
            app.helm.messages.say("")
            await press(app, pilot, key)
            assert message(app) == "No engine is connected yet: wait for it."
            assert isinstance(app.screen, LiveScreen)


async def test_stopping_asks_first_and_says_that_nothing_is_lost(
    app: MineApp, engine: ScriptedEngine, mined: tuple[Path, str]
) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await settle(app, pilot)
        await press(app, pilot, "Q")
        text = shown(app)
        assert "Nothing is lost" in text
        assert "minegap resume" in text
        assert mined[1] in text
        await press(app, pilot, "n")
        assert engine.asked == []
        await press(app, pilot, "Q", "y")
        assert engine.last() == {"type": "stop", "at_once": False}
        engine.say(protocol.StateChanged(state="stopping"))
        await settle(app, pilot)
        await press(app, pilot, "Q")
        assert "drawn again" in shown(app)
        await press(app, pilot, "y")
        assert engine.last() == {"type": "stop", "at_once": True}
        engine.say(finished(mined[1], "interrupted"))
        await settle(app, pilot)
        assert "stopped, can be resumed" in line(app, 0)
        assert "R resume" in line(app, -1)
    assert app.return_value is None


async def test_undo_names_the_last_command_without_effect(
    tmp_path: Path,
) -> None:
    session = fill(tmp_path, generations=1, population=2, images=2, variations=2, state="mining")
    with open_store(tmp_path) as store:
        for number, generation in (("old", 1), ("new", 3)):
            store.append_event(
                session,
                "steered",
                {
                    "command_id": number,
                    "author": "ann",
                    "generation": generation,
                    "command": {"type": "ban"},
                    "sentence": "Banned.",
                },
            )
        store.set_session_state(session, "mining")
    engine = ScriptedEngine(snapshot(session))
    app = app_on(tmp_path, engine)
    async with app.run_test(size=SMALL) as pilot:
        await settle(app, pilot)
        await press(app, pilot, "u")
        assert engine.last() == {"type": "undo", "command_id": "new"}
        engine.say(
            protocol.Steered(
                command_id="z",
                author="ann",
                generation=3,
                command={"type": "undo", "command_id": "new"},
                sentence="Undone.",
            )
        )
        await settle(app, pilot)
        await press(app, pilot, "u")
        assert len(engine.asked) == 1
        assert "nothing to undo" in message(app)


async def test_steering_works_on_the_evidence_screen_too(app: MineApp, engine: ScriptedEngine) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await settle(app, pilot)
        await press(app, pilot, "enter", "n", "asterisk")
        second = app.view.leaderboard(2)[1].candidate_id
        assert engine.last() == {"type": "pin", "candidate_id": second}
        assert message(app) == "pin counts from generation 3 on."
