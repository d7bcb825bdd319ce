"""Frames survive any cut of the stream; what is no frame is refused before memory is asked for."""

from __future__ import annotations

import asyncio
import io
import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.workers import frames
from engine.workers.messages import EmbedTexts, Fault, ImageData, Images, Paint, Write

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
SEED = st.integers(0, 2**32 - 1)
REQUESTS = st.one_of(
    st.builds(Paint, id=SEED, jobs=st.lists(st.tuples(TEXT, SEED), max_size=5).map(tuple)),
    st.builds(EmbedTexts, id=SEED, texts=st.lists(TEXT, max_size=5).map(tuple)),
    st.builds(Write, id=SEED, kind=TEXT, count=SEED, seed=SEED, prompt=TEXT),
)


@given(REQUESTS)
def test_a_request_reads_back_equal(request_: Paint | EmbedTexts | Write) -> None:
    stream = io.BytesIO(frames.pack(request_) + b"rest")
    body = frames.read_frame(stream)
    assert body is not None
    assert frames.unpack_request(body) == request_
    assert stream.read() == b"rest"


@given(REQUESTS, st.data())
def test_a_stream_cut_inside_a_frame_is_an_end_not_a_message(
    request_: Paint | EmbedTexts | Write, data: st.DataObject
) -> None:
    frame = frames.pack(request_)
    cut = frame[: data.draw(st.integers(0, len(frame) - 1))]
    assert frames.read_frame(io.BytesIO(cut)) is None

    async def receive() -> bytes | None:
        reader = asyncio.StreamReader()
        reader.feed_data(cut)
        reader.feed_eof()
        return await frames.receive_frame(reader)

    assert asyncio.run(receive()) is None


async def test_a_large_reply_arrives_in_pieces() -> None:
    image = ImageData(png=bytes(3_000_000), embedding=b"\0" * 4, mean_rgb=(0.0, 0.5, 1.0), blank=False)
    reply = Images(id=3, images=(image,), width=8, height=8, batch_size=1)
    reader = asyncio.StreamReader()
    frame = frames.pack(reply)
    for start in range(0, len(frame), 65536):
        reader.feed_data(frame[start : start + 65536])
    body = await frames.receive_frame(reader)
    assert body is not None
    assert frames.unpack_reply(body) == reply


async def test_an_announced_length_beyond_the_limit_is_refused_unread() -> None:
    header = struct.pack(">I", frames.MAX_FRAME_BYTES + 1)
    with pytest.raises(frames.FrameError):
        frames.read_frame(io.BytesIO(header))
    reader = asyncio.StreamReader()
    reader.feed_data(header)
    with pytest.raises(frames.FrameError):
        await frames.receive_frame(reader)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_no_crash(body: bytes) -> None:
    for unpack in (frames.unpack_request, frames.unpack_reply):
        with suppress(frames.FrameError):
            unpack(body)


def test_a_lone_surrogate_is_refused_when_sent() -> None:
    with pytest.raises(frames.FrameError, match="Unicode"):
        frames.pack(Fault(sentence="\ud800", exit_code=3))
