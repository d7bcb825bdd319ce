"""Detached engines for tests: begun as a client begins them, and none left behind."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import psutil

from engine import protocol
from engine.client import EngineClient, command_id, follow
from engine.commands import Open, Resume
from engine.config import MiningConfig
from engine.config_sources import load_config
from engine.starting import ENGINE_MODULE
from store import open_reader

Act = Callable[[protocol.Event, EngineClient], None]


def small(search: dict[str, int] | None = None, **models: Any) -> MiningConfig:
    """Two small generations; the drawn world paints, so that a test is about processes and not about speed."""
    return load_config(
        None,
        {
            "models": {"painter": "drawing:planted"} | models,
            "session": {"seed": 3},
            "painter": {"batch_size": 3, "device": "cpu"},
            "scorer": {"device": "cpu"},
            "writer": {"threads": 1},
            "search": {
                "population": 4,
                "survivors": 1,
                "mutations": 2,
                "generations": 2,
                "images": 4,
                "variations": 4,
            }
            | (search or {}),
            "confirm": {"enabled": False},
        },
    )


async def begin(
    store: Path, config: MiningConfig | None = None, resume: str = ""
) -> tuple[EngineClient, str]:
    """Connect to the store's engine, or start one, and queue a session; returns its id, too."""
    client = await EngineClient.connect_or_start(store, "test")
    if config is None:
        await client.ask(Resume(id=command_id(), session_id=resume))
        return client, resume
    begun = await client.ask(Open(id=command_id(), config=config.model_dump_json()))
    return client, begun.session_id


async def run(
    store: Path, config: MiningConfig | None = None, resume: str = "", act: Act | None = None
) -> list[protocol.Event]:
    """Mine a session and follow it to its end, acting on its events."""
    client, session_id = await begin(store, config, resume)
    events = []
    try:
        async with aclosing(follow(store, session_id, "test")) as following:
            async for event in following:
                events.append(event)
                if act is not None:
                    act(event, client)
        return events
    finally:
        await client.close()


def once(kind: type[protocol.Event], do: Callable[[EngineClient], None]) -> Act:
    """Act at the first event of a kind."""
    done = False

    def act(event: protocol.Event, client: EngineClient) -> None:
        nonlocal done
        if isinstance(event, kind) and not done:
            done = True
            do(client)

    return act


def workers(engine: int, role: str = "") -> list[psutil.Process]:
    """An engine's worker processes."""
    children = psutil.Process(engine).children(recursive=True)
    return [child for child in children if f"engine.workers.{role}" in " ".join(child.cmdline())]


def engines(below: Path) -> list[psutil.Process]:
    """The engines that run for stores in a directory."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess):
            command = process.cmdline()
            if ENGINE_MODULE in command and any(part.startswith(str(below)) for part in command):
                found.append(process)
    return found


def gone(processes: list[psutil.Process], seconds: float = 60) -> bool:
    """Wait until processes have ended; one that nobody collects has ended, too."""
    _, alive = psutil.wait_procs([one for one in processes if not _dead(one)], timeout=seconds)
    return all(_dead(one) for one in alive)


def _dead(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def no_engines_left(below: Path) -> Iterator[None]:
    """The body of a fixture: whatever engine a test leaves behind ends with it."""
    yield
    left = engines(below)
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            os.kill(process.pid, signal.SIGKILL)
    assert gone(left)


def the_session(store: Path) -> str:
    """The id of a store's only session."""
    with open_reader(store) as reader:
        (session,) = reader.sessions()
    return session.id


def state(store: Path, session_id: str) -> tuple[str, str]:
    """A session's state in the store, and why."""
    with open_reader(store) as reader:
        session = reader.session(session_id)
    return session.state, session.reason
