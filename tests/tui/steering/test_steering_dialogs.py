"""The dialogs that steer: a prompt rewritten, prompts put in, bans, another measuring, the knobs."""

from __future__ import annotations

from pathlib import Path

from factory import fill
from pressing import best, message, press, type_in
from scripted import ScriptedEngine, app_on, kind_of, scored, shown, snapshot, stored

from engine import protocol
from minegap_tui.app import MineApp
from minegap_tui.screens.choose import RescoreScreen
from minegap_tui.screens.edit import EditScreen
from minegap_tui.screens.knobs import KnobsScreen
from minegap_tui.screens.live import LiveScreen
from minegap_tui.screenshots import settle
from minegap_tui.widgets.prompt_area import PromptArea

SMALL = (80, 24)


# ---------------------------------------------------------------- editing


async def test_editing_locks_shows_the_difference_and_commits(app: MineApp, engine: ScriptedEngine) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await settle(app, pilot)
        row = app.view.leaderboard(1)[0]
        await press(app, pilot, "e")
        assert engine.last() == {"type": "edit_begin", "candidate_id": row.candidate_id}
        assert isinstance(app.screen, EditScreen)
        await press(app, pilot, "ctrl+s")
        assert "unchanged" in shown(app)
        await type_in(app, pilot, " at night")
        assert shown(app).count("at night") == 2
        await press(app, pilot, "ctrl+s")
        assert engine.last() == {
            "type": "edit_commit",
            "candidate_id": row.candidate_id,
            "prompt": f"{row.prompt} at night",
        }
        assert isinstance(app.screen, LiveScreen)
        assert [kind_of(command) for command in engine.asked] == ["edit_begin", "edit_commit"]


async def test_esc_gives_the_lock_back(app: MineApp, engine: ScriptedEngine) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await settle(app, pilot)
        await press(app, pilot, "e")
        await type_in(app, pilot, "!")
        await press(app, pilot, "escape")
        assert engine.last() == {"type": "edit_cancel", "candidate_id": best(app)}
        assert isinstance(app.screen, LiveScreen)


async def test_a_lock_of_another_person_keeps_the_editor_shut(app: MineApp, engine: ScriptedEngine) -> None:
    engine.refuse("edit_begin", "bob (app) is rewriting candidate 3: wait for it.")
    async with app.run_test(size=SMALL) as pilot:
        await settle(app, pilot)
        await press(app, pilot, "e")
        assert isinstance(app.screen, LiveScreen)
        assert message(app) == "bob (app) is rewriting candidate 3: wait for it."
        engine.say(protocol.CandidateLocked(candidate_id=best(app), author="eve (app)"))
        await settle(app, pilot)
        await press(app, pilot, "e")
        assert len(engine.asked) == 1
        assert message(app).startswith("eve (app) is rewriting")


async def test_an_edit_that_is_refused_stays_open(app: MineApp, engine: ScriptedEngine) -> None:
    engine.refuse("edit_commit", "The session has this prompt already: change it more.")
    async with app.run_test(size=SMALL) as pilot:
        await settle(app, pilot)
        await press(app, pilot, "e")
        await type_in(app, pilot, " x")
        await press(app, pilot, "ctrl+s")
        assert isinstance(app.screen, EditScreen)
        assert "has this prompt already" in shown(app)
        assert app.screen.query_one(PromptArea).exact.endswith(" x")


async def test_a_fault_is_seen_while_typing_and_never_sent(app: MineApp, engine: ScriptedEngine) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await settle(app, pilot)
        await press(app, pilot, "e")
        await type_in(app, pilot, "\x1b[2J")
        assert "holds the control character U+001B" in shown(app)
        assert "␛[2J" in shown(app)
        await press(app, pilot, "ctrl+s")
        assert isinstance(app.screen, EditScreen)
        assert [kind_of(command) for command in engine.asked] == ["edit_begin"]
        app.screen.query_one(PromptArea).clear()
        await settle(app, pilot)
        assert "is empty" in shown(app)
        await press(app, pilot, "enter")
        assert "A prompt is one line" in shown(app)


async def test_only_what_the_user_edits_is_changed(tmp_path: Path) -> None:
    strange = "a\u200bnurse \u202e and\ta \U0010eeee doll"
    session = fill(
        tmp_path, generations=1, population=1, images=2, variations=2, prompts=[strange], state="mining"
    )
    engine = ScriptedEngine(snapshot(session))
    app = app_on(tmp_path, engine)
    async with app.run_test(size=SMALL) as pilot:
        await settle(app, pilot)
        await press(app, pilot, "e")
        text = shown(app)
        assert "is U+200B" in text or "U+0009" in text
        assert not {"\u200b", "\u202e", "\t", "\U0010eeee"} & set(text)
        editor = app.screen.query_one(PromptArea)
        assert editor.exact == strange
        await press(app, pilot, *["left"] * 4, "o", "l", "d", "space")
        assert editor.exact == strange.replace("doll", "old doll")
        await press(app, pilot, *["ctrl+z"] * 4)
        assert editor.exact == strange


async def test_a_lock_is_taken_again_after_a_lost_connection(app: MineApp, engine: ScriptedEngine) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await settle(app, pilot)
        await press(app, pilot, "e")
        await type_in(app, pilot, " x")
        engine.drop()
        await settle(app, pilot)
        assert engine.connections == 2
        assert [kind_of(command) for command in engine.asked] == ["edit_begin", "edit_begin"]
        await press(app, pilot, "ctrl+s")
        assert engine.last()["type"] == "edit_commit"


async def test_scores_that_arrive_keep_the_edited_candidate(app: MineApp, engine: ScriptedEngine) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await settle(app, pilot)
        first = app.view.leaderboard(1)[0]
        worst = app.view.leaderboard(99)[-1]
        await press(app, pilot, "e")
        candidate = next(
            one for one in stored(app.store, app.view.session_id) if one.id == worst.candidate_id
        )
        engine.say(scored(candidate, score=-1))
        await settle(app, pilot)
        assert best(app) == worst.candidate_id
        await type_in(app, pilot, " x")
        await press(app, pilot, "ctrl+s")
        assert engine.last()["candidate_id"] == first.candidate_id


async def test_q_is_a_letter_in_an_editor_and_ctrl_c_leaves(app: MineApp, engine: ScriptedEngine) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await settle(app, pilot)
        await press(app, pilot, "e", "q", "question_mark", "asterisk")
        assert app.screen.query_one(PromptArea).exact.endswith("q?*")
        await pilot.press("ctrl+c")
        await pilot.pause()
    assert app.return_value == 0
    assert engine.connections == 1


# ---------------------------------------------------------------- injecting


async def test_injecting_names_faulty_lines_and_sends_the_prompts(
    app: MineApp, engine: ScriptedEngine
) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await settle(app, pilot)
        await press(app, pilot, "i", "ctrl+s")
        assert "There is no prompt yet" in shown(app)
        await type_in(app, pilot, "a nun\r\n\na \x07 monk\n")
        assert "Line 3 holds the control character U+0007" in " ".join(shown(app).split())
        await press(app, pilot, "ctrl+s")
        assert engine.asked == []
        editor = app.screen.query_one(PromptArea)
        editor.load_text("a nun\n\na monk")
        await settle(app, pilot)
        assert "2 prompts" in shown(app)
        await press(app, pilot, "ctrl+s")
        assert engine.last() == {"type": "inject", "prompts": ("a nun", "a monk")}
        assert isinstance(app.screen, LiveScreen)


# ---------------------------------------------------------------- banning, measuring again, knobs


async def test_banning_offers_prompt_lineage_and_words(app: MineApp, engine: ScriptedEngine) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await settle(app, pilot)
        row = app.view.leaderboard(1)[0]
        for downs, what, text, candidate in (
            (0, "prompt", row.prompt, None),
            (1, "lineage", "", row.candidate_id),
            (3, "word", "photo", None),
        ):
            await press(app, pilot, "b", *["down"] * downs, "enter")
            assert engine.last() == {"type": "ban", "what": what, "text": text, "candidate_id": candidate}


async def test_banning_another_word(app: MineApp, engine: ScriptedEngine) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await settle(app, pilot)
        await press(app, pilot, "b", "tab", *"two", "space", *"words", "enter")
        assert "not one word" in shown(app)
        app.screen.query_one(PromptArea).load_text("Garden,")
        await press(app, pilot, "enter")
        assert engine.last() == {"type": "ban", "what": "word", "text": "garden", "candidate_id": None}


async def test_bans_in_force_are_listed_and_lifted(mined: tuple[Path, str]) -> None:
    candidate = stored(*mined)[0]
    bans = (
        protocol.BanEntry(what="word", text="garden", candidate_id=None, command_id="x"),
        protocol.BanEntry(what="lineage", text="", candidate_id=candidate.id, command_id="y"),
    )
    engine = ScriptedEngine(snapshot(mined[1], bans=bans))
    app = app_on(mined[0], engine)
    async with app.run_test(size=SMALL) as pilot:
        await settle(app, pilot)
        await press(app, pilot, "b")
        assert f"lineage of “{candidate.prompt}”" in shown(app)
        await press(app, pilot, *["down"] * 99, "enter")
        assert engine.last() == {
            "type": "lift",
            "what": "lineage",
            "text": "",
            "candidate_id": candidate.id,
        }


async def test_measuring_again_takes_a_number(app: MineApp, engine: ScriptedEngine) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await settle(app, pilot)
        await press(app, pilot, "r", *"many", "enter")
        assert "'many' is no number" in shown(app)
        app.screen.query_one(PromptArea).load_text("0")
        await press(app, pilot, "enter")
        assert isinstance(app.screen, RescoreScreen)
        app.screen.query_one(PromptArea).load_text("32")
        await press(app, pilot, "enter")
        assert engine.last() == {"type": "rescore", "candidate_id": best(app), "images": 32}


async def test_knobs_show_present_values_and_the_engine_s_refusal(
    app: MineApp, engine: ScriptedEngine
) -> None:
    engine.refuse("set_knobs", "survivors = 40 exceeds population = 12: lower it.")
    async with app.run_test(size=SMALL) as pilot:
        await settle(app, pilot)
        await press(app, pilot, "K", "ctrl+s")
        assert "Nothing is changed" in shown(app)
        assert "0.5" in shown(app)
        await press(app, pilot, "down", "4", "x", "ctrl+s")
        assert "survivors = '4x' is no whole number" in shown(app)
        assert engine.asked == []
        await press(app, pilot, "backspace", "0", "ctrl+s")
        assert engine.last() == {"type": "set_knobs", "knobs": {"survivors": 40}}
        assert isinstance(app.screen, KnobsScreen)
        assert "survivors = 40 exceeds population = 12" in shown(app)
        await press(app, pilot, "escape")
        assert isinstance(app.screen, LiveScreen)
