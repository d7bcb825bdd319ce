"""Length-prefixed frames on a byte stream: 4 bytes big-endian length, then a msgpack message.

Knows bytes and messages, not processes. A frame above ``MAX_FRAME_BYTES`` is refused on both sides, so a
stray print on the stream shows as an error and never as an allocation of gigabytes.
"""

from __future__ import annotations

import asyncio
import struct
from typing import BinaryIO, TypeVar

import msgspec

from engine.errors import MachineError
from engine.workers.messages import Reply, Request, Sign, Word

MAX_FRAME_BYTES = 1 << 29
_HEADER = struct.Struct(">I")
_T = TypeVar("_T")

_encoder = msgspec.msgpack.Encoder()
_requests: msgspec.msgpack.Decoder[Request | Word] = msgspec.msgpack.Decoder(Request | Word)
_replies: msgspec.msgpack.Decoder[Reply | Sign] = msgspec.msgpack.Decoder(Reply | Sign)


class FrameError(MachineError):
    """The stream does not hold a frame of ours."""


def pack(message: Request | Word | Reply | Sign) -> bytes:
    """Return a message as one frame.

    Raises:
        FrameError: it is larger than a frame may be, or holds text that is not valid Unicode.
    """
    try:
        body = _encoder.encode(message)
    except UnicodeEncodeError as error:
        raise FrameError(
            f"A message to a worker holds text that is not valid Unicode ({error.reason})."
        ) from error
    _check(len(body))
    return _HEADER.pack(len(body)) + body


def unpack_request(body: bytes) -> Request | Word:
    """Read a frame's body as what an engine says; FrameError when it is none."""
    return _decode(_requests, body)


def unpack_reply(body: bytes) -> Reply | Sign:
    """Read a frame's body as what a worker says; FrameError when it is none."""
    return _decode(_replies, body)


def read_frame(stream: BinaryIO) -> bytes | None:
    """Block for the next frame's body; None at the end of the stream, also in the middle of a frame."""
    header = stream.read(_HEADER.size)
    if len(header) < _HEADER.size:
        return None
    (length,) = _HEADER.unpack(header)
    _check(length)
    body = stream.read(length)
    return body if len(body) == length else None


async def receive_frame(stream: asyncio.StreamReader) -> bytes | None:
    """Wait for the next frame's body; None at the end of the stream, also in the middle of a frame."""
    try:
        (length,) = _HEADER.unpack(await stream.readexactly(_HEADER.size))
        _check(length)
        return await stream.readexactly(length)
    except asyncio.IncompleteReadError:
        return None


def _check(length: int) -> None:
    if length > MAX_FRAME_BYTES:
        raise FrameError(
            f"A frame of {length} bytes exceeds the limit of {MAX_FRAME_BYTES}: lower batch_size."
        )


def _decode(decoder: msgspec.msgpack.Decoder[_T], body: bytes) -> _T:
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise FrameError(f"A frame between engine and worker is not a known message ({error}).") from error
