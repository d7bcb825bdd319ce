"""Outboxes: what replaces what, what is never left out, and who is dropped."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from engine import protocol
from engine.hub import Client, Hub, Outbox
from engine.wire import MAX_EVENT_BYTES, decode_event, encode

STAGE = st.sampled_from(["painting", "scoring"])
EVENTS = st.one_of(
    st.builds(protocol.Notice, seq=st.integers(1, 99), message=st.just("")),
    st.builds(
        protocol.Progress, stage=STAGE, generation=st.just(1), done=st.integers(0, 9), total=st.just(9)
    ),
    st.builds(protocol.Pausing, after=st.just("image"), done=st.integers(0, 9), total=st.just(9)),
    st.builds(protocol.Heartbeat),
)


def nobody() -> None:
    raise AssertionError("dropped")


def fill(outbox: Outbox, *events: protocol.Event) -> None:
    for event in events:
        outbox.put(event, encode(event))


async def taken(outbox: Outbox) -> list[protocol.Event]:
    """Everything that waits; the outbox closes."""
    outbox.close()
    lines = b""
    while more := await outbox.take():
        lines += more
    return [decode_event(line) for line in lines.splitlines()]


def kind(event: protocol.Event) -> object:
    return event.stage if isinstance(event, protocol.Progress) else type(event)


@given(st.lists(EVENTS, max_size=40))
def test_the_newest_of_what_only_tells_how_far_and_all_of_the_rest(events: list[protocol.Event]) -> None:
    async def through() -> list[protocol.Event]:
        outbox = Outbox(nobody)
        fill(outbox, *events)
        return await taken(outbox)

    newest = {kind(event): number for number, event in enumerate(events)}
    expected = [
        event
        for number, event in enumerate(events)
        if isinstance(event, protocol.Notice) or newest[kind(event)] == number
    ]
    assert asyncio.run(through()) == expected


async def test_a_client_that_lets_too_many_lines_wait_is_dropped() -> None:
    dropped = []
    outbox = Outbox(lambda: dropped.append(1), max_lines=3)
    notices = [protocol.Notice(seq=number, message="") for number in range(1, 5)]
    fill(outbox, *notices[:3])
    assert not outbox.closed
    fill(outbox, notices[3], notices[0])
    assert (outbox.closed, dropped) == (True, [1])
    assert await outbox.take() == b""


async def test_a_client_that_lets_too_much_wait_is_dropped() -> None:
    dropped = []
    outbox = Outbox(lambda: dropped.append(1), max_bytes=1000)
    fill(outbox, protocol.Notice(message="x" * 500))
    assert not dropped
    fill(outbox, protocol.Notice(message="x" * 500))
    assert dropped == [1]


async def test_what_was_taken_makes_room() -> None:
    outbox = Outbox(nobody, max_lines=2, max_bytes=1000)
    for _ in range(10):
        fill(outbox, protocol.Notice(message="x" * 700))
        assert await outbox.take()


async def test_progress_alone_never_fills_an_outbox() -> None:
    outbox = Outbox(nobody, max_lines=3, max_bytes=1000)
    for done in range(10_000):
        fill(outbox, protocol.Progress(stage="painting", generation=1, done=done, total=10_000))
    assert [event.done for event in await taken(outbox) if isinstance(event, protocol.Progress)] == [9999]


async def test_taking_waits_for_a_line() -> None:
    outbox = Outbox(nobody)
    taking = asyncio.create_task(outbox.take())
    await asyncio.sleep(0)
    assert not taking.done()
    fill(outbox, protocol.Notice(message="now"))
    assert b"now" in await taking


def client(hub: Hub) -> Client:
    made = Client("ann (test)", 0.0, Outbox(nobody))
    hub.clients.add(made)
    return made


def snapshot(session_id: str = "a", **fields: object) -> protocol.Snapshot:
    return protocol.Snapshot(session_id=session_id, name="", store="", state="mining", **fields)  # type: ignore[arg-type]


async def test_only_followers_hear_of_a_session_and_of_one_at_a_time() -> None:
    hub = Hub()
    first, second = client(hub), client(hub)
    hub.follow(first, snapshot("a"))
    hub.follow(second, snapshot("a"))
    hub.publish("a", protocol.Notice(message="one"))
    hub.follow(second, snapshot("b"))
    hub.publish("a", protocol.Notice(message="two"))
    hub.publish("b", protocol.Notice(message="three"))
    heard = [
        [event.message for event in await taken(who.outbox) if isinstance(event, protocol.Notice)]
        for who in (first, second)
    ]
    assert heard == [["one", "two"], ["one", "three"]]


async def test_text_that_is_no_unicode_is_sent_readably() -> None:
    hub = Hub()
    listener = client(hub)
    hub.tell(listener, protocol.Notice(seq=7, message="the file caf\udce9.png"))
    assert await taken(listener.outbox) == [protocol.Notice(seq=7, message="the file caf?.png")]


async def test_what_is_too_long_for_a_line_is_sent_without_what_the_store_holds_anyway() -> None:
    hub = Hub()
    listener = client(hub)
    prompt = "x" * 2000
    pending = tuple(
        protocol.PendingPrompt(prompt=prompt, generation=1, parent_id=None, command_id="c")
        for _ in range(4000)
    )
    assert len(prompt) * len(pending) > MAX_EVENT_BYTES
    hub.tell(listener, snapshot(pending=pending))
    command = {"type": "inject", "prompts": [prompt] * 4000}
    hub.tell(
        listener,
        protocol.Steered(
            seq=8, command_id="c", author="ann", generation=2, command=command, sentence="Injected."
        ),
    )
    sent, steered = await taken(listener.outbox)
    assert isinstance(sent, protocol.Snapshot)
    assert sent.state == "mining"
    assert 0 < len(sent.pending) < 4000
    assert isinstance(steered, protocol.Steered)
    assert (steered.seq, steered.command) == (8, {"type": "inject"})
