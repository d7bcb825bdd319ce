"""What the engine process and a client say to each other: one JSON object per line (NDJSON).

Knows messages, not transport: today the lines travel over pipes, a socket may carry the very same lines.
Events are bells; the store is the truth. A client that missed any reads the store.

Every line is ``{"type": ..., "v": 1, ...}``. Events also carry ``seq``: the number of the stored event row
they announce, rising within a session; 0 for events that are not stored (progress). Generations count from 1.
A score may be missing (``null``), never NaN. Text is carried exactly as stored and is not safe to print.

===================== ====================================================================================
event                 fields besides ``type``, ``v`` and ``seq``
===================== ====================================================================================
session_opened        session_id, name, store, generations, population, images, variations, score_name,
                      resumed, painter, scorer, writer (fingerprints)
state_changed         state (mining, stopping, interrupted, finished, failed), reason
generation_started    generation, candidates
progress              stage (loading, painting, writing, scoring, breeding), generation, done, total,
                      images_per_second, eta_seconds (to the end of the session); the last two may be null
candidate_scored      candidate_id, generation, position, prompt, origin, parent_id, score, score_name, missed
candidate_failed      candidate_id, generation, position, prompt, reason
generation_finished   generation, scored, failed, best, median, archived (candidate ids)
notice                message
failed                sentence, exit_code
finished              session_id, state, generations, scored, best
===================== ====================================================================================

======== =========== ======================================================================
command  fields      effect
======== =========== ======================================================================
stop     none        finish the batch in flight, keep everything, end as ``interrupted``
======== =========== ======================================================================
"""

from __future__ import annotations

from typing import Literal, TypeVar

import msgspec

from engine.errors import MineGapError

VERSION = 1
MAX_LINE_BYTES = 1 << 20

_T = TypeVar("_T")


class ProtocolError(MineGapError):
    """A line is not a message of this version."""


class _Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=False):
    v: Literal[1] = 1


class _Event(_Message, frozen=True, kw_only=True):
    seq: int = 0


class SessionOpened(_Event, frozen=True, kw_only=True, tag="session_opened"):
    """The session exists in the store and its models are loading."""

    session_id: str
    name: str
    store: str
    generations: int
    population: int
    images: int
    variations: int
    score_name: str
    resumed: bool
    painter: str = ""
    scorer: str = ""
    writer: str = ""


class StateChanged(_Event, frozen=True, kw_only=True, tag="state_changed"):
    """The session's state in the store is now ``state``."""

    state: str
    reason: str = ""


class GenerationStarted(_Event, frozen=True, kw_only=True, tag="generation_started"):
    """A population is stored and work on it begins; ``generation`` counts from 1."""

    generation: int
    candidates: int


class Progress(_Event, frozen=True, kw_only=True, tag="progress"):
    """How far one stage of the generation is; ``done`` and ``total`` count images, texts or candidates."""

    stage: str
    generation: int
    done: int
    total: int
    images_per_second: float | None = None
    eta_seconds: float | None = None


class CandidateScored(_Event, frozen=True, kw_only=True, tag="candidate_scored"):
    """A candidate's evidence and score are stored; ``missed`` are variations that the images do not show."""

    candidate_id: int
    generation: int
    position: int
    prompt: str
    origin: str
    parent_id: int | None
    score: float | None
    score_name: str
    missed: tuple[str, ...] = ()


class CandidateFailed(_Event, frozen=True, kw_only=True, tag="candidate_failed"):
    """A candidate cannot be scored, and why."""

    candidate_id: int
    generation: int
    position: int
    prompt: str
    reason: str


class GenerationFinished(_Event, frozen=True, kw_only=True, tag="generation_finished"):
    """Every candidate of a generation is scored or failed; ``archived`` survived, most biased first."""

    generation: int
    scored: int
    failed: int
    best: float | None
    median: float | None
    archived: tuple[int, ...] = ()


class Notice(_Event, frozen=True, kw_only=True, tag="notice"):
    """A sentence for the user that changes nothing."""

    message: str


class Failed(_Event, frozen=True, kw_only=True, tag="failed"):
    """The engine cannot go on; it ends with ``exit_code``. Everything mined so far is in the store."""

    sentence: str
    exit_code: int


class Finished(_Event, frozen=True, kw_only=True, tag="finished"):
    """The last event of a run; ``state`` is ``finished`` or ``interrupted`` (can be resumed)."""

    session_id: str
    state: str
    generations: int
    scored: int
    best: float | None


class Stop(_Message, frozen=True, kw_only=True, tag="stop"):
    """Stop after the batch in flight; the session can be resumed."""


Event = (
    SessionOpened
    | StateChanged
    | GenerationStarted
    | Progress
    | CandidateScored
    | CandidateFailed
    | GenerationFinished
    | Notice
    | Failed
    | Finished
)
Command = Stop

_encoder = msgspec.json.Encoder()
_events: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
_commands: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)


class _Header(msgspec.Struct):
    type: str
    v: int = 0


_headers = msgspec.json.Decoder(_Header)


def encode(message: Event | Command) -> bytes:
    """Return one message as one line, newline included.

    Raises:
        ProtocolError: the line would exceed ``MAX_LINE_BYTES`` or its text is not valid Unicode.
    """
    try:
        line = _encoder.encode(message)
    except UnicodeEncodeError as error:
        raise ProtocolError(f"A message holds text that is not valid Unicode ({error.reason}).") from error
    if len(line) >= MAX_LINE_BYTES:
        raise ProtocolError(f"A message of {len(line)} bytes exceeds the limit of {MAX_LINE_BYTES} bytes.")
    return line + b"\n"


def decode_event(line: bytes) -> Event:
    """Read one line from the engine.

    Raises:
        ProtocolError: the line is too long, not JSON, of another version or not an event.
    """
    return _decode(_events, line, "event")


def decode_command(line: bytes) -> Command:
    """Read one line from a client.

    Raises:
        ProtocolError: the line is too long, not JSON, of another version or not a command.
    """
    return _decode(_commands, line, "command")


def _decode(decoder: msgspec.json.Decoder[_T], line: bytes, what: str) -> _T:
    if len(line) > MAX_LINE_BYTES:
        raise ProtocolError(f"A line of {len(line)} bytes exceeds the limit of {MAX_LINE_BYTES} bytes.")
    try:
        version = _headers.decode(line).v
        if version != VERSION:
            raise ProtocolError(
                f"A message speaks protocol version {version} and this program version {VERSION}: "
                "run the engine and the client from the same installation."
            )
        return decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(f"A line is not a known {what} ({error}).") from error
