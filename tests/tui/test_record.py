"""The record as people read it, and single events as lines."""

from __future__ import annotations

import msgspec
import pytest

from engine import protocol
from engine.commands import Pin, Undo
from minegap_tui.view.narration import narrate
from minegap_tui.view.record import entries, standing, steering, stored
from minegap_tui.view.session import SessionView
from store.records import Event

AT = "2026-11-21T12:00:00.000000Z"


def line(number: int, event: protocol.Event) -> Event:
    payload = msgspec.to_builtins(event)
    kind = payload.pop("type")
    del payload["v"], payload["seq"]
    return Event(number, "S", kind, payload, AT)


def steered(name: str, **command: object) -> protocol.Steered:
    return protocol.Steered(
        command_id=name,
        author="ann",
        generation=2,
        command={"id": name, "session_id": "S"} | command,
        sentence="Done.",
    )


def test_a_stored_event_reads_back_as_it_was_sent() -> None:
    event = protocol.Notice(message="x\udcff")
    assert stored(line(7, event)) == msgspec.structs.replace(event, seq=7)


@pytest.mark.parametrize(
    "event",
    [
        Event(1, "S", "from_the_future", {}, AT),
        Event(1, "S", "notice", {}, AT),
        Event(1, "S", "notice", {"message": 5}, AT),
        Event(1, "S", "steered", {"command": "\x1b[2J"}, AT),
    ],
)
def test_what_is_no_event_of_this_version_is_passed_over(event: Event) -> None:
    assert stored(event) is None
    assert entries([event]) == []
    assert steering([event]) == []


def test_steering_that_this_version_does_not_know_is_passed_over() -> None:
    odd = line(1, steered("a", type="teleport"))
    pin = line(2, steered("b", type="pin", candidate_id=3))
    (entry,) = steering([odd, pin])
    assert isinstance(entry.command, Pin)
    assert standing([odd, pin]) == ["b"]


def test_what_was_withdrawn_does_not_stand() -> None:
    lines = [
        line(1, steered("a", type="pin", candidate_id=3)),
        line(2, steered("b", type="pin", candidate_id=4)),
        line(3, steered("c", type="undo", command_id="a")),
    ]
    assert isinstance(steering(lines)[-1].command, Undo)
    assert standing(lines) == ["b"]


def test_single_candidates_are_told_on_request() -> None:
    scored = protocol.CandidateScored(
        candidate_id=1,
        generation=1,
        position=0,
        prompt="a \x1b[2Jcat",
        origin="random",
        parent_id=None,
        score=0.5,
        score_name="information",
    )
    lines = [line(1, scored), line(2, protocol.Notice(message="hello"))]
    assert [entry.what for entry in entries(lines)] == ["note: hello"]
    (whole, _) = entries(lines, every=True)
    assert "a ␛[2Jcat" in whole.what


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (protocol.Pausing(after="batch", done=0, total=2), "pausing after these batches: 2 batches to go"),
        (protocol.Pausing(after="image", done=0, total=4), "pausing after this batch: 4 images to go"),
        (protocol.Pausing(after="batch", done=1, total=2), ""),
        (protocol.Pausing(after=""), "the pause is called off"),
        (protocol.StateChanged(state="paused", reason="paused by ann"), "paused by ann"),
        (protocol.StateChanged(state="paused", reason="Disk full."), "paused: Disk full."),
        (protocol.CandidateLocked(candidate_id=3, author="ann"), "candidate 3 is being rewritten by ann"),
        (protocol.Heartbeat(), ""),
        (
            protocol.CandidateRescored(
                candidate_id=3, evaluation_id=1, images=32, score=0.25, score_name="x", counts_from=4
            ),
            "   0.250  candidate 3 measured again with 32 images, counts from generation 4 on",
        ),
        (steered("a", type="pin"), "ann: Done."),
    ],
)
def test_an_event_in_words(event: protocol.Event, words: str) -> None:
    assert narrate(event, SessionView()) == words
