"""How a command finds the session that is meant and asks the engine for something."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import click
import msgspec

from engine import protocol
from engine.client import EngineClient
from engine.commands import Command, Steering
from engine.errors import InputError
from minegap_tui import console
from minegap_tui.commands.options import find_session
from minegap_tui.headless import CLIENT
from minegap_tui.view.sessions import ACTIVE
from store import open_reader
from store.lock import is_live
from store.records import Session

session_option = click.option(
    "--session", metavar="SESSION", help="Its id, the beginning of it, or 'last'  [default: the running one]."
)
candidate_argument = click.argument("candidate", type=click.IntRange(1, 2**63 - 1))


def engine_runs(store: Path) -> bool:
    """Whether an engine holds the store now."""
    return is_live(store)


def live_session(store: Path, given: str | None) -> Session:
    """Return the session that a command means: the one given, else the running one, else the one that waits.

    Raises:
        InputError: there is none, or several wait and none runs.
        StoreError: the store cannot be read.
    """
    with open_reader(store) as reader:
        sessions = list(reader.sessions())
    if given is not None:
        return find_session(sessions, given, store)
    running = [session for session in sessions if session.state in ACTIVE]
    found = running or [session for session in sessions if session.state == "queued"]
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(f"{len(found)} sessions wait and none runs yet: name one with --session.")
    raise InputError(f"No session runs in the store {str(store)!r}: 'minegap mine' starts one.")


def ask(store: Path, given: str | None, as_json: bool, command: Callable[[str], Command]) -> None:
    """Ask the running engine once and say what it answered.

    Args:
        given: the session as the user named it; None for the running one.
        command: makes the command for a session's id.

    Raises:
        MineGapError: no engine runs, or it refused; the sentence says why.
        StoreError: the store cannot be read.
    """
    report(*asyncio.run(_ask(store, given, command)), as_json)


def report(command: Command, answer: protocol.Acknowledged, as_json: bool) -> None:
    """Say what the engine answered; for a steering command also how it is withdrawn."""
    if as_json:
        console.data_json(msgspec.to_builtins(answer))
        return
    console.narrate(answer.sentence)
    if isinstance(command, Steering) and command.__struct_config__.tag != "undo":
        before = f" before generation {answer.generation} is bred" if answer.generation else ""
        console.narrate(f"withdraw it{before} with: minegap undo {command.id[:8]}")


def usable_prompt(text: str, what: str = "The prompt") -> str:
    """Return ``text`` where it can be a prompt.

    Raises:
        InputError: it cannot; the sentence says why.
    """
    from engine.config import prompt_fault  # here: 'attach' starts without it

    if fault := prompt_fault(text):
        raise InputError(f"{what} {fault}.")
    return text


async def _ask(
    store: Path, given: str | None, make: Callable[[str], Command]
) -> tuple[Command, protocol.Acknowledged]:
    client = await EngineClient.connect(store, CLIENT)
    try:
        session = await asyncio.to_thread(live_session, store, given)
        command = make(session.id)
        return command, await client.ask(command)
    finally:
        await client.close()
