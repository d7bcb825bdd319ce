"""Sessions that a validation mines: begun, gone on with and followed to their end, each with a real engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Final

import psutil

from engine import protocol
from engine.client import EngineClient, command_id, follow
from engine.commands import Open, Resume, Stop
from engine.config import MiningConfig
from engine.errors import MachineError
from store import open_reader

CLIENT: Final = "validation"
END_SECONDS: Final = 120.0
"""How long an engine may take to end after its session."""

See = Callable[[protocol.Event, psutil.Process], None]


async def begin(store: Path, config: MiningConfig) -> str:
    """Queue a new session with the store's engine, started where none runs; returns its id."""
    client = await EngineClient.connect_or_start(store, CLIENT)
    try:
        return (await client.ask(Open(id=command_id(), config=config.model_dump_json()))).session_id
    finally:
        await client.close()


async def go_on(client: EngineClient, store: Path, session_id: str) -> None:
    """Resume a session that was cut; to be asked before it is followed, which would tell the old end first."""
    with open_reader(store) as reader:
        state = reader.session(session_id).state
    if state in ("interrupted", "paused"):
        await client.ask(Resume(id=command_id(), session_id=session_id))


async def to_the_end(store: Path, session_id: str, see: See = lambda _event, _engine: None) -> None:
    """Follow a session until it is finished and its engine has ended; one that was cut is resumed.

    Args:
        see: called with every event and the engine's process.

    Raises:
        InputError, MachineError: it did not come to its end; one that a fault paused is stopped.
    """
    client = await EngineClient.connect_or_start(store, CLIENT)
    engine = psutil.Process(client.pid)
    try:
        await go_on(client, store, session_id)
        async with aclosing(follow(store, session_id, CLIENT)) as events:
            async for event in events:
                see(event, engine)
                if isinstance(event, protocol.StateChanged) and event.state == "paused":
                    await client.ask(Stop(id=command_id(), session_id=session_id))
                refuse_fault(event)
    finally:
        await client.close()
        await asyncio.to_thread(psutil.wait_procs, [engine], END_SECONDS)


def refuse_fault(event: protocol.Event) -> None:
    """Raise for an event that says that the session does not come to its end.

    Raises:
        MachineError: it failed, was paused or stopped.
    """
    match event:
        case protocol.Failed():
            raise MachineError(f"The session failed: {event.sentence}")
        case protocol.StateChanged(state="paused"):
            raise MachineError(f"The session was paused: {event.reason}")
        case protocol.Finished() if event.state != "finished":
            raise MachineError(f"The session was {event.state}: see engine.log in its store.")
