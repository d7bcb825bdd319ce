"""Prints how soon the engine answers and what its listeners cost: ``python -m benchmarks.service``.

One session with real processes on the embedded pack, which draws all the while. The figures that count are
ratios taken within the run: an answer beside the batch that the painter is drawing, and the painter's pace beside
clients that never read.
"""

from __future__ import annotations

import asyncio
import os
import platform
import socket
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from engine import protocol
from engine.client import EngineClient, command_id
from engine.commands import Attach, Open, Pause, Resume, Stop
from engine.config_sources import load_config
from engine.places import socket_path
from engine.wire import encode

ROUNDS = 20
STALLED = 8
BATCHES = 24


async def seconds_per_batch(client: EngineClient) -> float:
    """Mean time of a batch over the next ``BATCHES``, by the engine's progress events."""
    started, seen = 0.0, -1
    async for event in client.events():
        if isinstance(event, protocol.Progress) and event.stage == "painting":
            started = started or time.perf_counter()
            seen += 1
            if seen == BATCHES:
                return (time.perf_counter() - started) / BATCHES
    raise RuntimeError("The session ended before it was measured: see engine.log.")


def stalled(store: Path, session_id: str) -> socket.socket:
    """A client that attaches and never reads."""
    one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    one.connect(str(socket_path(store)))
    one.sendall(encode(protocol.Hello(client="stalled")))
    one.sendall(encode(Attach(id=command_id(), session_id=session_id)))
    return one


async def attach_seconds(store: Path, session_id: str) -> float:
    """Time from nothing to the snapshot: connect, greet, attach."""
    started = time.perf_counter()
    client = await EngineClient.connect(store, "benchmark")
    await client.attach(session_id)
    elapsed = time.perf_counter() - started
    await client.close()
    return elapsed


async def pause_seconds(client: EngineClient, session_id: str) -> float:
    """Time until a pause is acknowledged; the pause is ended again."""
    started = time.perf_counter()
    await client.ask(Pause(id=command_id(), session_id=session_id))
    elapsed = time.perf_counter() - started
    await client.ask(Resume(id=command_id(), session_id=session_id))
    return elapsed


async def measure(store: Path) -> dict[str, tuple[float, float]]:
    """Return for each measure its median and its worst, in seconds (the last two: one figure twice)."""
    search = {"population": 64, "images": 64, "generations": 1, "survivors": 1, "mutations": 1}
    search |= {
        "budget": "uniform"
    }  # nothing is scored before a race ends, and this measures a long generation
    config = load_config(
        None, {"search": search, "store": {"path": str(store)}, "confirm": {"enabled": False}}
    )
    started = time.perf_counter()
    client = await EngineClient.connect_or_start(store, "benchmark")
    ready = time.perf_counter() - started
    begun = await client.ask(Open(id=command_id(), config=config.model_dump_json()))
    session_id = begun.session_id
    try:
        await client.attach(session_id)
        batch = await seconds_per_batch(client)
        attaches = [await attach_seconds(store, session_id) for _ in range(ROUNDS)]
        pauses = []
        for _ in range(ROUNDS):
            pauses.append(await pause_seconds(client, session_id))
            await asyncio.sleep(batch / 3)  # so that pauses meet the painter at all stages of a batch
        deaf = [stalled(store, session_id) for _ in range(STALLED)]
        beside = await seconds_per_batch(client)
        for one in deaf:
            one.close()
    finally:
        await client.ask(Stop(id=command_id(), session_id=session_id, at_once=True))
        await client.close()
    return {
        "an engine is started and listens": (ready, ready),
        "attach: connect, greet, snapshot": (median(attaches), max(attaches)),
        "a pause is acknowledged": (median(pauses), max(pauses)),
        "a batch of 16 images": (batch, batch),
        f"a batch beside {STALLED} clients that never read": (beside, beside),
    }


def main() -> None:
    """Measure and print Markdown."""
    with tempfile.TemporaryDirectory(prefix="minegap-") as directory:
        rows = asyncio.run(measure(Path(directory)))
    batch = rows["a batch of 16 images"][0]
    print(
        f"`python -m benchmarks.service`, {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} CPU cores "
        f"({platform.machine()}), {ROUNDS} rounds each:\n"
    )
    print("| measure | median | worst | median beside a batch |\n|---|--:|--:|--:|")
    for name, (middle, worst) in rows.items():
        print(f"| {name} | {middle * 1000:.1f} ms | {worst * 1000:.1f} ms | {middle / batch:.3f} |")


if __name__ == "__main__":
    main()
