"""Runs an engine without an app: events go to a sink, Ctrl-C asks it to stop cleanly."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine import protocol
from engine.client import EngineClient
from engine.config import MiningConfig
from engine.errors import MachineError
from minegap_tui.view.session import SessionView

INTERRUPTED = 130
Sink = Callable[[protocol.Event, SessionView], None]
Tell = Callable[[str], None]


@dataclass
class Outcome:
    """How a run ended: the session as last seen and the exit code of the command."""

    view: SessionView
    exit_code: int


async def run_engine(
    store: Path, sink: Sink, tell: Tell, *, config: MiningConfig | None = None, resume: str | None = None
) -> Outcome:
    """Run one engine to its end.

    The first SIGINT or SIGTERM asks for a clean stop, a second one ends the engine at once; either way the
    session stays resumable.

    Args:
        sink: gets every event with the view that already holds it.
        tell: gets sentences for the user.

    Raises:
        MineGapError: the engine could not be started or broke the protocol.
    """
    view = SessionView()
    loop = asyncio.get_running_loop()
    asked, urgent = asyncio.Event(), asyncio.Event()

    def interrupt() -> None:
        if asked.is_set():
            urgent.set()
        else:
            tell("stopping after the batch in flight; Ctrl-C again leaves at once")
            asked.set()

    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        loop.add_signal_handler(number, interrupt)
    try:
        client = await EngineClient.start(store, config=config, resume=resume)
        passing_on = asyncio.create_task(_pass_on(asked, urgent, client), name="pass interrupts on")
        try:
            async for event in client.events():
                view.apply(event)
                sink(event, view)
            await client.wait()
        except BaseException:
            client.kill()
            await client.wait()
            raise
        finally:
            passing_on.cancel()
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
    return Outcome(view, _exit_code(view, interrupted=asked.is_set()))


async def _pass_on(asked: asyncio.Event, urgent: asyncio.Event, client: EngineClient) -> None:
    await asked.wait()
    await client.stop()
    await urgent.wait()
    client.kill()


def _exit_code(view: SessionView, *, interrupted: bool) -> int:
    if view.finished is not None:
        return 0 if view.finished.state == "finished" else INTERRUPTED
    if interrupted:
        return INTERRUPTED
    if view.failure is not None:
        return view.failure.exit_code
    raise MachineError("The engine ended without a result: see engine.log in the store's directory.")
