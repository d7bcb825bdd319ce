"""Messages as lines: what goes over the socket, and what is refused there.

One JSON object per line, UTF-8. A line is never longer than ``MAX_LINE_BYTES``; whatever is not a message of this
version is a ``ProtocolError`` with one sentence, whoever sent it.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from engine.commands import VERSION
from engine.errors import MineGapError
from engine.protocol import ClientLine, Event

MAX_LINE_BYTES = 1 << 20

_T = TypeVar("_T")


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


def decode_command(line: bytes) -> ClientLine:
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
