"""Every event survives the wire; hostile lines are refused with a sentence."""

from __future__ import annotations

import json
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import protocol

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
    line = protocol.encode(event)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert protocol.decode_event(line) == event
    assert json.loads(line)["v"] == protocol.VERSION


def test_the_documented_schema_is_the_real_one() -> None:
    documented = protocol.__doc__ or ""
    for kind in protocol.Event.__args__:
        info = msgspec.inspect.type_info(kind)
        assert isinstance(info, msgspec.inspect.StructType)
        assert str(info.tag) in documented
        for field in info.fields:
            if field.name not in {"v", "seq"}:
                assert field.name in documented, (info.tag, field.name)


def test_stop_reads_back() -> None:
    assert protocol.decode_command(protocol.encode(protocol.Stop())) == protocol.Stop()


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_refused_or_are_a_message(line: bytes) -> None:
    for decode in (protocol.decode_event, protocol.decode_command):
        with suppress(protocol.ProtocolError):
            decode(line)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"null",
        b"[]",
        b'"stop"',
        b'{"type":"stop"}',
        b'{"type":"stop","v":2}',
        b'{"type":"stop","v":"1"}',
        b'{"type":"launch","v":1}',
        b'{"v":1}',
        b'{"type":"notice","v":1}',
        b'{"type":"stop","v":1}{"type":"stop","v":1}',
        b"[" * 100_000,
        b'{"type":"notice","v":1,"message":"\xff"}',
        b" " * (protocol.MAX_LINE_BYTES + 1),
    ],
)
def test_hostile_lines_are_refused(line: bytes) -> None:
    with pytest.raises(protocol.ProtocolError):
        protocol.decode_command(line)
    with pytest.raises(protocol.ProtocolError):
        protocol.decode_event(line)


def test_another_version_is_named() -> None:
    with pytest.raises(protocol.ProtocolError, match="version 9"):
        protocol.decode_event(b'{"type":"notice","v":9,"message":"x"}')


def test_an_overlong_or_unspeakable_message_is_not_sent() -> None:
    with pytest.raises(protocol.ProtocolError, match="limit"):
        protocol.encode(protocol.Notice(message="x" * protocol.MAX_LINE_BYTES))
    with pytest.raises(protocol.ProtocolError, match="Unicode"):
        protocol.encode(protocol.Notice(message="\ud800"))
