"""A real engine that mines while clients do their worst: it lives, stays small, and a good client misses nothing."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import aclosing, suppress
from pathlib import Path

import psutil
import pytest

from engine import commands, protocol
from engine.client import EngineClient, command_id, follow
from engine.packs import EMBEDDED_DIRECTORY
from engine.wire import encode
from store import open_reader
from tests.e2e.engines import begin, no_engines_left, small, state
from tests.engine.hostile import hostile
from tests.engine.serving import RawClient

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        not (EMBEDDED_DIRECTORY / "writer.gguf").exists(),
        reason="the embedded pack has not been trained here",
    ),
]

LINES = 10_000
VANISHING = 50
AT_ONCE = 4
WARM_UP = 500
"""Connections after which the engine's memory is first looked at."""

GROWTH_MIB = 16
"""How much the engine may have grown after that: a leak of two kilobytes per line would be more."""

HELLO = encode(protocol.Hello(client="hostile"))
LONG = {"population": 8, "survivors": 2, "mutations": 2, "generations": 100_000, "images": 2, "variations": 2}


@pytest.fixture(autouse=True)
def _no_engines_left(tmp_path: Path) -> Iterator[None]:
    yield from no_engines_left(tmp_path)


class Listener:
    """A well-behaved client that remembers the number of every stored event it heard."""

    def __init__(self, store: Path, session_id: str) -> None:
        self.snapshots: list[int] = []
        self.heard: list[int] = []
        self.last: protocol.Event | None = None
        self._started = asyncio.Event()
        self._task = asyncio.create_task(self._listen(store, session_id))

    async def _listen(self, store: Path, session_id: str) -> None:
        async with aclosing(follow(store, session_id, "well-behaved")) as events:
            async for event in events:
                self.last = event
                if isinstance(event, protocol.Snapshot):
                    self.snapshots.append(event.seq)
                elif event.seq:
                    self.heard.append(event.seq)
                if isinstance(event, protocol.GenerationStarted):
                    self._started.set()

    async def mining(self) -> None:
        """Wait until the first generation was heard of."""
        await self._started.wait()

    async def end(self) -> None:
        """Wait for the session's last word."""
        await self._task


def stored(store: Path, session_id: str, after: int) -> list[int]:
    with open_reader(store) as reader:
        return [event.seq for event in reader.events(session_id, after)]


def mebibytes(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / (1 << 20)


async def attack(store: Path, session_id: str, dice: random.Random) -> None:
    """One connection of a hostile client: it may say hello, may ask for what there is not, then breaks the rules."""
    client = await RawClient.connect(store)
    with suppress(ConnectionError):
        if dice.random() < 0.9:
            client.say(HELLO)
        if dice.random() < 0.3:
            client.say(encode(commands.Pin(id=command_id(), session_id="nothing", candidate_id=1)))
        client.say(hostile(dice, session_id))
        if dice.random() < 0.5:
            client.half_close()
            while await client.hear() is not None:
                pass
        else:
            await client.said()
    client.close()


async def vanish(store: Path, session_id: str, dice: random.Random) -> None:
    """One connection of a client that is gone at some point of an ordinary conversation."""
    client = await RawClient.connect(store)
    attach = encode(commands.Attach(id=command_id(), session_id=session_id))
    talk = HELLO + attach + encode(commands.EditBegin(id=command_id(), session_id=session_id, candidate_id=1))
    with suppress(ConnectionError):
        client.say(talk[: dice.randrange(len(talk) + 1)])
        await client.said()
        if dice.random() < 0.5:
            await asyncio.wait_for(client.hear(), 0.05)
    client.close()


async def test_ten_thousand_hostile_lines_and_fifty_that_vanish(tmp_path: Path) -> None:
    client, session_id = await begin(tmp_path, small(LONG))
    good = Listener(tmp_path, session_id)
    await good.mining()
    engine = psutil.Process(client.pid)
    before = mebibytes(engine)
    done = 0

    async def attacker(number: int) -> None:
        nonlocal done, before
        dice = random.Random(number)
        while done < LINES:
            done += 1
            if done == WARM_UP:
                before = mebibytes(engine)
            await attack(tmp_path, session_id, dice)

    async def vanishing() -> None:
        dice = random.Random(50)
        for _ in range(VANISHING):
            with suppress(TimeoutError):
                await vanish(tmp_path, session_id, dice)

    await asyncio.gather(*(attacker(number) for number in range(AT_ONCE)), vanishing())
    after = mebibytes(engine)
    assert engine.is_running()
    assert state(tmp_path, session_id)[0] == "mining"
    await client.ask(commands.Stop(id=command_id(), session_id=session_id, at_once=True))
    await good.end()
    await client.close()
    assert isinstance(good.last, protocol.Finished)
    assert len(good.snapshots) == 1
    assert good.heard == stored(tmp_path, session_id, good.snapshots[0])
    print(f"{done} lines, {len(good.heard)} events, {before:.0f} MiB before and {after:.0f} MiB after")  # noqa: T201
    assert after - before < GROWTH_MIB


async def test_a_client_that_stops_reading_holds_up_nobody_and_resyncs(tmp_path: Path) -> None:
    client, session_id = await begin(tmp_path, small(LONG))
    good = Listener(tmp_path, session_id)
    await good.mining()
    deaf = await RawClient.connect(tmp_path)
    deaf.stop_reading()
    deaf.say(HELLO + encode(commands.Attach(id=command_id(), session_id=session_id)))
    with suppress(ConnectionError):
        while True:  # until it is dropped, with the answers to all of this unread
            deaf.say(encode(commands.Pin(id=command_id(), session_id="nothing", candidate_id=1)))
            await deaf.said()
            await asyncio.sleep(0.0005)
    deaf.close()
    mined = len(good.heard)
    while len(good.heard) < mined + 20:  # it mines on
        await asyncio.sleep(0.01)
    again = await EngineClient.connect(tmp_path, "deaf no more")
    snapshot = await again.attach(session_id)
    assert snapshot.state == "mining"
    assert snapshot.seq >= good.heard[mined - 1]
    await client.ask(commands.Stop(id=command_id(), session_id=session_id, at_once=True))
    await good.end()
    resynced = [event.seq async for event in again.events() if event.seq]
    assert resynced == stored(tmp_path, session_id, snapshot.seq)
    assert good.heard == stored(tmp_path, session_id, good.snapshots[0])
    await again.close()
    await client.close()
