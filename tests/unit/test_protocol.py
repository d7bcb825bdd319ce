"""Every event survives the wire; hostile lines are refused with a sentence."""

from __future__ import annotations

import json
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import commands, protocol
from engine.commands import VERSION
from engine.wire import (
    MAX_EVENT_BYTES,
    MAX_LINE_BYTES,
    ProtocolError,
    decode_command,
    decode_event,
    encode,
    speakable,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
FLOAT = st.none() | st.floats(allow_nan=False, allow_infinity=False)
NUMBER = st.integers(0, 2**53)
EVENTS = st.one_of(
    st.builds(
        protocol.CandidateScored,
        seq=NUMBER,
        candidate_id=NUMBER,
        generation=NUMBER,
        position=NUMBER,
        prompt=TEXT,
        origin=TEXT,
        parent_id=st.none() | NUMBER,
        score=FLOAT,
        score_name=TEXT,
        missed=st.lists(TEXT, max_size=4).map(tuple),
    ),
    st.builds(
        protocol.Progress,
        stage=TEXT,
        generation=NUMBER,
        done=NUMBER,
        total=NUMBER,
        images_per_second=FLOAT,
        eta_seconds=FLOAT,
    ),
    st.builds(protocol.Notice, seq=NUMBER, message=TEXT),
    st.builds(protocol.Failed, seq=NUMBER, sentence=TEXT, exit_code=st.integers(0, 255)),
    st.builds(protocol.StateChanged, seq=NUMBER, state=TEXT, reason=TEXT),
)


@given(EVENTS)
def test_an_event_is_one_line_and_reads_back_equal(event: protocol.Event) -> None:
    line = encode(event)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert decode_event(line) == event
    assert json.loads(line)["v"] == VERSION


def test_the_documented_schema_is_the_real_one() -> None:
    documented = protocol.__doc__ or ""
    for kind in protocol.Event.__args__:
        info = msgspec.inspect.type_info(kind)
        assert isinstance(info, msgspec.inspect.StructType)
        assert str(info.tag) in documented
        fields = documented + (kind.__doc__ or "")
        for field in info.fields:
            if field.name not in {"v", "seq"}:
                assert field.name in fields, (info.tag, field.name)


ID = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=64)
SESSION = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=64)
ROW = st.integers(1, 2**63 - 1)
KNOB = st.none() | st.booleans() | st.integers(-(2**31), 2**31) | TEXT
COMMANDS = st.one_of(
    st.builds(commands.Open, id=ID, config=TEXT),
    st.builds(commands.Fork, id=ID, session_id=SESSION, generation=ROW, config=TEXT),
    st.builds(
        commands.Pause, id=ID, session_id=SESSION, after=st.sampled_from(["image", "batch", "generation"])
    ),
    st.builds(commands.Stop, id=ID, session_id=SESSION, at_once=st.booleans()),
    st.builds(commands.EditCommit, id=ID, session_id=SESSION, candidate_id=ROW, prompt=TEXT),
    st.builds(
        commands.Inject, id=ID, session_id=SESSION, prompts=st.lists(TEXT, min_size=1, max_size=4).map(tuple)
    ),
    st.builds(commands.Ban, id=ID, session_id=SESSION, what=st.sampled_from(["prompt", "word"]), text=TEXT),
    st.builds(commands.Rescore, id=ID, session_id=SESSION, candidate_id=ROW, images=st.integers(1, 4096)),
    st.builds(
        commands.SetKnobs,
        id=ID,
        session_id=SESSION,
        knobs=st.dictionaries(TEXT, KNOB, min_size=1, max_size=4),
    ),
    st.builds(commands.Undo, id=ID, session_id=SESSION, command_id=ID),
)


@given(COMMANDS)
def test_a_command_is_one_line_and_reads_back_equal(command: commands.Command) -> None:
    line = encode(command)
    assert line.count(b"\n") == 1
    assert decode_command(line) == command


def test_a_greeting_reads_back() -> None:
    assert decode_command(encode(protocol.Hello(client="app"))) == protocol.Hello(client="app")


def test_every_command_is_documented_with_its_fields() -> None:
    documented = commands.__doc__ or ""
    for kind in commands.Command.__args__:
        info = msgspec.inspect.type_info(kind)
        assert isinstance(info, msgspec.inspect.StructType)
        assert str(info.tag) in documented
        for field in info.fields:
            if field.name != "v":
                assert field.name in documented, (info.tag, field.name)


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_refused_or_are_a_message(line: bytes) -> None:
    for decode in (decode_event, decode_command):
        with suppress(ProtocolError):
            decode(line)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"null",
        b"[]",
        b'"stop"',
        b'{"type":"stop"}',
        b'{"type":"stop","v":1,"id":"a","session_id":"s"}',
        b'{"type":"stop","v":"2","id":"a","session_id":"s"}',
        b'{"type":"stop","v":2,"session_id":"s"}',
        b'{"type":"stop","v":2,"id":"","session_id":"s"}',
        b'{"type":"stop","v":2,"id":"two\\nlines","session_id":"s"}',
        b'{"type":"stop","v":2,"id":"a","session_id":"s","then":"rm -rf"}',
        b'{"type":"pin","v":2,"id":"a","session_id":"s","candidate_id":99999999999999999999}',
        b'{"type":"launch","v":2,"id":"a"}',
        b'{"v":2}',
        b'{"type":"notice","v":2}',
        b'{"type":"stop","v":2,"id":"a","session_id":"s"}{"type":"stop","v":2,"id":"a","session_id":"s"}',
        b"[" * 100_000,
        b'{"type":"notice","v":2,"message":"\xff"}',
        b" " * (MAX_EVENT_BYTES + 1),
    ],
)
def test_hostile_lines_are_refused(line: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode_command(line)
    with pytest.raises(ProtocolError):
        decode_event(line)


def test_another_version_is_named() -> None:
    with pytest.raises(ProtocolError, match="version 9"):
        decode_event(b'{"type":"notice","v":9,"message":"x"}')


def test_a_missing_version_is_asked_for() -> None:
    with pytest.raises(ProtocolError, match=f'send "v":{VERSION} with each'):
        decode_command(b'{"type":"stop","id":"a","session_id":"s"}')


def test_a_line_may_be_as_long_as_its_sender_may_speak() -> None:
    line = encode(protocol.Notice(message="x" * MAX_LINE_BYTES))
    assert isinstance(decode_event(line), protocol.Notice)
    with pytest.raises(ProtocolError, match="limit"):
        decode_command(line)
    with pytest.raises(ProtocolError, match="limit"):
        encode(protocol.Notice(message="x" * MAX_EVENT_BYTES))
    with pytest.raises(ProtocolError, match="limit"):
        encode(commands.Inject(id="a", session_id="s", prompts=("x" * MAX_LINE_BYTES,)))


def test_text_that_is_no_unicode_is_not_sent_as_it_is() -> None:
    event = protocol.Steered(
        command_id="a",
        author="ann\udce9",
        generation=1,
        command={"\ud800": ["a\ud800b", 1, None]},
        sentence="x",
    )
    with pytest.raises(ProtocolError, match="Unicode"):
        encode(event)
    sent = decode_event(encode(speakable(event)))
    assert isinstance(sent, protocol.Steered)
    assert (sent.author, sent.command) == ("ann?", {"?": ["a?b", 1, None]})
