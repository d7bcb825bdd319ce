"""Messages as lines: what goes over the socket, and what is refused there.

One JSON object per line, UTF-8. A client's line is never longer than ``MAX_LINE_BYTES`` and an engine's, which may
quote several of them, than ``MAX_EVENT_BYTES``; whatever is not a message of this version is a ``ProtocolError`` with
one sentence, whoever sent it.
"""

from __future__ import annotations

from typing import Any, TypeVar, get_args

import msgspec

from engine.commands import VERSION
from engine.errors import MineGapError
from engine.protocol import ClientLine, Event

MAX_LINE_BYTES = 1 << 20
MAX_EVENT_BYTES = 4 << 20

_T = TypeVar("_T")
_E = TypeVar("_E", bound=Event)


class ProtocolError(MineGapError):
    """A line is not a message of this version."""


_encoder = msgspec.json.Encoder()
_events: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
_commands: msgspec.json.Decoder[ClientLine] = msgspec.json.Decoder(ClientLine)


class _Header(msgspec.Struct):
    type: str
    v: int = 0


_headers = msgspec.json.Decoder(_Header)


def encode(message: Event | ClientLine) -> bytes:
    """Return one message as one line, newline included.

    Raises:
        ProtocolError: the line would be longer than its kind may be, or its text is not valid Unicode.
    """
    try:
        line = _encoder.encode(message)
    except UnicodeEncodeError as error:
        raise ProtocolError(f"A message holds text that is not valid Unicode ({error.reason}).") from error
    _refuse_long(line, MAX_EVENT_BYTES if isinstance(message, get_args(Event)) else MAX_LINE_BYTES)
    return line + b"\n"


def speakable(event: _E) -> _E:
    """Return an event whose texts can be sent: half surrogates (of an odd file name) become question marks."""
    return msgspec.convert(_without_surrogates(msgspec.to_builtins(event)), type(event))


def decode_event(line: bytes) -> Event:
    """Read one line from the engine.

    Raises:
        ProtocolError: the line is too long, not JSON, of another version or not an event.
    """
    _refuse_long(line, MAX_EVENT_BYTES)
    return _decode(_events, line, "event")


def decode_command(line: bytes) -> ClientLine:
    """Read one line from a client.

    Raises:
        ProtocolError: the line is too long, not JSON, of another version or not a command.
    """
    _refuse_long(line, MAX_LINE_BYTES)
    return _decode(_commands, line, "command")


def _refuse_long(line: bytes, limit: int) -> None:
    if len(line) > limit:
        raise ProtocolError(
            f"A line of {len(line)} bytes exceeds the limit of {limit} bytes: send less at once."
        )


def _decode(decoder: msgspec.json.Decoder[_T], line: bytes, what: str) -> _T:
    try:
        version = _headers.decode(line).v
        if version == 0:
            raise ProtocolError(f'A message names no protocol version: send "v":{VERSION} with each.')
        if version != VERSION:
            raise ProtocolError(
                f"A message speaks protocol version {version} and this program version {VERSION}: "
                "run the engine and the client from the same installation."
            )
        return decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(f"A line is not a known {what} ({error}).") from error


def _without_surrogates(value: Any) -> Any:
    match value:
        case str():
            return value.encode(errors="replace").decode()
        case dict():
            return {_without_surrogates(key): _without_surrogates(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_without_surrogates(inner) for inner in value]
    return value
