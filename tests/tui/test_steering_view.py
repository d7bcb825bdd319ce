"""What the user's hand did, in words and marks, without a screen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import snapshot

from engine import protocol
from engine.config import prompt_fault
from minegap_tui.sanitise import display_text
from minegap_tui.view import knobs
from minegap_tui.view.diff import word_diff
from minegap_tui.view.exact import StandIns, legend
from minegap_tui.view.lines import faults_by_line, prompts_of
from minegap_tui.view.session import Row, SessionView
from minegap_tui.view.standing import standing, trouble, why_not
from minegap_tui.view.steering import SHOWN_SECONDS, Hand, Messages

ANYTHING = st.text(
    st.one_of(
        st.characters(codec="utf-8"), st.sampled_from("\x1b\x9b\u202e\u200b\r\n\t\x7f\U000f0000\u2028")
    ),
    max_size=60,
)


def scored(
    number: int, prompt: str = "a cat", parent: int | None = None, origin: str = "random"
) -> protocol.CandidateScored:
    return protocol.CandidateScored(
        candidate_id=number,
        generation=1,
        position=0,
        prompt=prompt,
        origin=origin,
        parent_id=parent,
        score=number / 10,
        score_name="information",
    )


def ban(what: str, text: str = "", candidate: int | None = None) -> protocol.BanEntry:
    return protocol.BanEntry(what=what, text=text, candidate_id=candidate, command_id="b")


def steered(number: str, generation: int, /, **command: object) -> protocol.Steered:
    return protocol.Steered(
        command_id=number, author="ann", generation=generation, command=dict(command), sentence="Done."
    )


# ---------------------------------------------------------------- exact text


@given(ANYTHING)
def test_an_editor_gives_back_exactly_what_it_was_given(text: str) -> None:
    stand_ins = StandIns()
    held = stand_ins.encode(text)
    assert stand_ins.decode(held) == text
    shown = stand_ins.shown(held)
    assert len(shown) == len(held)
    assert all(display_text(c) == c for c in shown if c != "\n")


@given(ANYTHING, st.data())
def test_what_is_not_touched_stays_exact(text: str, data: st.DataObject) -> None:
    stand_ins = StandIns()
    held = stand_ins.encode(text)
    place = data.draw(st.integers(0, len(held)))
    edited = held[:place] + stand_ins.encode("new \x1b words") + held[place:]
    assert stand_ins.decode(edited) == text[:place] + "new \x1b words" + text[place:]


def test_the_legend_names_what_is_marked() -> None:
    assert legend(("\x1b", "\u202e")) == "␛ is U+001B, � is U+202E"
    assert legend(tuple("\x01\x02\x03"), most=2).endswith("1 more")
    assert legend(()) == ""


# ---------------------------------------------------------------- difference


@given(ANYTHING, ANYTHING)
def test_a_difference_holds_both_texts(before: str, after: str) -> None:
    pieces = word_diff(before, after)
    assert "".join(text for text, change in pieces if change != "added") == before
    assert "".join(text for text, change in pieces if change != "removed") == after


def test_a_difference_is_by_words() -> None:
    assert word_diff("a red cat", "a blue cat, asleep") == [
        ("a ", "same"),
        ("red", "removed"),
        ("blue", "added"),
        (" cat", "same"),
        (", asleep", "added"),
    ]


# ---------------------------------------------------------------- lines


def test_faults_are_named_by_line() -> None:
    text = "a cat\n\n  \na \x1bdog\n" + "x" * 2001
    assert prompts_of(text) == ("a cat", "a \x1bdog", "x" * 2001)
    first, second = faults_by_line(text)
    assert first.startswith("Line 4 holds the control character U+001B")
    assert second.startswith("Line 5 has 2001 characters")
    assert faults_by_line("\x01\n" * 9)[-1] == "6 more lines cannot be prompts."


@given(st.lists(ANYTHING.map(lambda text: text.replace("\n", " ")), max_size=8))
def test_a_line_without_a_fault_can_be_a_prompt(lines: list[str]) -> None:
    text = "\n".join(lines)
    assert bool(faults_by_line(text)) == any(prompt_fault(prompt) for prompt in prompts_of(text))


# ---------------------------------------------------------------- knobs


def test_only_changed_knobs_are_read() -> None:
    present = {"population": 16, "alpha": 0.5, "axis": "", "prompts": None}
    form = {name: knobs.written(value) for name, value in present.items()}
    assert knobs.read(form, present) == ({}, [])
    changed = {"population": "20", "alpha": "1e-1", "axis": "hair", "prompts": "/x"}
    assert knobs.read(changed, present) == (
        {"population": 20, "alpha": 0.1, "axis": "hair", "prompts": "/x"},
        [],
    )
    found, faults = knobs.read({"population": "many", "alpha": "0.5"}, present)
    assert found == {}
    assert faults == ["population = 'many' is no whole number: correct it."]
    assert knobs.read({"prompts": ""}, {"prompts": "/x"}) == ({"prompts": None}, [])


# ---------------------------------------------------------------- marks


def test_bans_mark_prompts_words_and_lineages() -> None:
    view = SessionView()
    for event in (
        scored(1, "A red cat!"),
        scored(2, "a blue dog", parent=1, origin="mutation"),
        scored(3, "a green hotdog"),
        scored(4, "a dog", parent=2, origin="human"),
    ):
        view.apply(event)

    def banned(*bans: protocol.BanEntry) -> list[int]:
        view.apply(snapshot("s", bans=bans))
        return [row.candidate_id for row in view.leaderboard(9) if view.marks(row).banned]

    assert banned() == []
    assert banned(ban("prompt", "a RED cat")) == [1]
    assert banned(ban("word", "dog")) == [2, 4]
    assert banned(ban("lineage", candidate=4)) == [1, 2, 4]
    view.apply(scored(5, "a dog asleep"))
    assert banned(ban("word", "dog")) == [2, 4, 5]


def test_pins_locks_and_origin_are_marks() -> None:
    view = SessionView()
    view.apply(scored(1, origin="human"))
    lock = protocol.Lock(candidate_id=1, author="bob")
    view.apply(snapshot("s", pins=(1,), locks=(lock,)))
    (row,) = view.leaderboard(1)
    marks = view.marks(row)
    assert (marks.pinned, marks.human, marks.locked, marks.banned) == (True, True, True, False)
    view.apply(protocol.CandidateUnlocked(candidate_id=1))
    assert not view.marks(row).locked
    view.apply(protocol.CandidateLocked(candidate_id=1, author="ann"))
    assert view.hand.locks == {1: "ann"}


def test_a_rescored_candidate_moves() -> None:
    view = SessionView()
    view.apply(scored(1))
    view.apply(scored(2))
    view.apply(
        protocol.CandidateRescored(
            candidate_id=2, evaluation_id=1, images=32, score=0.01, score_name="information", counts_from=3
        )
    )
    assert [row.candidate_id for row in view.leaderboard(2)] == [2, 1]


def test_the_last_command_without_effect_can_be_undone() -> None:
    hand = Hand()
    hand.record([steered("a", 2, type="pin"), steered("b", 3, type="ban"), steered("c", 4, type="inject")])
    assert hand.undoable(1) is not None
    assert hand.undoable(1).command_id == "c"  # type: ignore[union-attr]
    hand.record([steered("d", 4, type="undo", command_id="c")])
    assert hand.undoable(1).command_id == "b"  # type: ignore[union-attr]
    assert hand.undoable(2).command_id == "b"  # type: ignore[union-attr]
    assert hand.undoable(3) is None
    hand.record([steered("a", 9, type="pin")])
    assert hand.given["a"].generation == 2


# ---------------------------------------------------------------- states


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"state": "mining"}, "mining"),
        ({"state": "queued", "reason": "2 before it"}, "queued (2 before it)"),
        (
            {"pausing": protocol.Pausing(after="batch", done=3, total=8)},
            "pausing after these batches (3 of 8 batches)",
        ),
        (
            {"pausing": protocol.Pausing(after="image", done=1, total=2)},
            "pausing after this batch (1 of 2 images)",
        ),
        ({"pausing": protocol.Pausing(after="generation")}, "pausing after this generation"),
        ({"pausing": protocol.Pausing(after="")}, "mining"),
        ({"state": "paused", "reason": "paused by ann"}, "paused"),
        ({"state": "paused", "exit_code": 3, "reason": "x"}, "paused by a fault"),
        ({"state": "stopping"}, "stopping after this batch"),
        ({"state": "interrupted"}, "stopped, can be resumed"),
    ],
)
def test_states_in_words(fields: dict[str, object], words: str) -> None:
    view = SessionView()
    view.apply(snapshot("s", **({"state": "mining"} | fields)))  # type: ignore[arg-type]
    assert standing(view, 1) == words


def test_silence_counts_only_where_words_are_due() -> None:
    view = SessionView()
    view.apply(snapshot("s"))
    assert standing(view, 11.9) == "mining"
    assert standing(view, 12.4) == "engine silent for 12 s"
    view.apply(protocol.Finished(session_id="s", state="finished", generations=1, scored=0, best=None))
    assert standing(view, 100) == "finished"


def test_trouble_says_what_and_what_helps() -> None:
    view = SessionView()
    view.apply(snapshot("s"))
    assert trouble(view) is None
    view.apply(protocol.StateChanged(state="paused", reason="The disk is full: make room.", exit_code=3))
    found = trouble(view)
    assert found is not None
    assert found.sentence == "The disk is full: make room."
    assert "p goes on" in found.remedy
    view.apply(protocol.StateChanged(state="mining"))
    assert trouble(view) is None
    view.lose("It ended.")
    assert not view.running
    assert standing(view, 99) == "engine gone"
    assert "R " in trouble(view).remedy  # type: ignore[union-attr]
    view.apply(snapshot("s"))
    assert trouble(view) is None


def test_a_pause_ends_with_a_state() -> None:
    view = SessionView()
    view.apply(snapshot("s"))
    view.apply(protocol.Pausing(after="batch", done=1, total=2))
    assert view.pausing is not None
    view.apply(protocol.StateChanged(state="paused", reason="paused by ann"))
    assert view.pausing is None
    view.apply(protocol.StateChanged(state="mining"))
    view.apply(protocol.Pausing(after="generation", total=4))
    view.apply(protocol.Pausing(after=""))
    assert view.pausing is None


def test_a_snapshot_replaces_what_was_known() -> None:
    view = SessionView()
    view.apply(snapshot("s", state="paused", reason="fault", exit_code=3, pins=(1,)))
    view.lose("gone")
    progress = protocol.Progress(stage="painting", generation=3, done=1, total=2, eta_seconds=5)
    view.apply(snapshot("s", progress=(progress,), generation=3))
    assert (view.state, view.exit_code, view.gone, view.hand.pins) == ("mining", 0, "", frozenset())
    assert view.stages["painting"].done == 1
    assert view.running


ROW = Row(7, 1, "random", "a cat", 0.5)


@pytest.mark.parametrize(
    ("action", "fields", "attached", "words"),
    [
        ("pause", {}, True, ""),
        ("pause", {}, False, "No engine is connected"),
        ("pause", {"state": "queued"}, True, "queued"),
        ("edit", {"state": "queued"}, True, "as soon as it is mined"),
        ("stop", {"state": "queued"}, True, ""),
        ("pause", {"state": "stopping"}, True, "stopping"),
        ("stop", {"state": "stopping"}, True, ""),
        ("stop", {"state": "finished"}, True, "fork it"),
        ("edit", {"state": "interrupted"}, False, "R resumes"),
        ("resume", {"state": "interrupted"}, False, ""),
        ("resume", {}, True, "nothing to resume"),
        ("resume", {"state": "finished"}, False, "fork"),
        ("edit", {"locks": (protocol.Lock(candidate_id=7, author="bob"),)}, True, "bob is rewriting"),
        ("knobs", {"knobs": {}}, True, "settings"),
        ("undo", {}, True, "nothing to undo"),
        ("record", {"state": "finished"}, False, ""),
    ],
)
def test_a_disabled_action_says_why(
    action: str, fields: dict[str, object], attached: bool, words: str
) -> None:
    view = SessionView()
    view.apply(snapshot("s", **({"state": "mining"} | fields)))  # type: ignore[arg-type]
    reason = why_not(action, view, ROW, attached=attached)
    assert words in reason
    assert bool(words) == bool(reason)


def test_no_candidate_no_edit() -> None:
    view = SessionView()
    view.apply(snapshot("s"))
    for action in ("edit", "pin", "rescore"):
        assert "No candidate" in why_not(action, view, None, attached=True)
    assert why_not("ban", view, None, attached=True) == ""
    view.lose("x")
    assert "R starts" in why_not("ban", view, ROW, attached=True)
    assert why_not("resume", view, ROW, attached=False) == ""


def test_messages_show_the_question_until_it_is_answered() -> None:
    messages = Messages()
    messages.ask("1", "pause")
    assert messages.line() == "asked the engine: pause …"
    messages.ask("2", "pin")
    assert messages.line() == "asked the engine: pin (and 1 more) …"
    messages.answer("2", "Pinned.")
    assert messages.line() == "asked the engine: pause …"
    messages.answer("1", "No.", refused=True)
    assert (messages.line(), messages.refused, messages.in_flight) == ("No.", True, False)


def test_an_answer_fades_and_a_later_one_is_shown_as_long() -> None:
    messages = Messages()
    messages.ask("1", "pause")
    messages.fade(0.0)
    messages.fade(SHOWN_SECONDS * 2)
    assert messages.line() == "asked the engine: pause …"
    messages.answer("1", "The session pauses.")
    messages.fade(100.0)
    messages.fade(100.0 + SHOWN_SECONDS - 1)
    assert messages.line() == "The session pauses."
    messages.say("The disk is full.", refused=True)
    messages.fade(100.0 + SHOWN_SECONDS)
    messages.fade(99.0 + 2 * SHOWN_SECONDS)
    assert (messages.line(), messages.refused) == ("The disk is full.", True)
    messages.fade(100.0 + 2 * SHOWN_SECONDS)
    assert (messages.line(), messages.refused) == ("", False)


def test_what_is_still_so_does_not_fade() -> None:
    messages = Messages()
    messages.say("starting an engine …", lasting=True)
    messages.fade(0.0)
    messages.fade(10 * SHOWN_SECONDS)
    assert messages.line() == "starting an engine …"
