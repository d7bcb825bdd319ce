"""What ``mine``, ``resume``, ``fork`` and ``attach`` share: begin a session, follow it, and say how to go on."""

from __future__ import annotations

import asyncio
import shlex
from contextlib import suppress
from pathlib import Path

import click
import msgspec

from engine import protocol
from engine.client import EngineClient
from engine.commands import Command
from engine.places import default_store
from minegap_tui import console, linger, terminal
from minegap_tui.headless import CLIENT, INTERRUPTED, Outcome
from minegap_tui.view import narration
from minegap_tui.view.session import SessionView

LEADERBOARD_LINES = 20
plain_option = click.option("--plain", is_flag=True, help="Progress lines instead of the app.")
detach_option = click.option(
    "--detach", is_flag=True, help="Do not follow: print the session's id and leave it running."
)


def wants_app(plain: bool, as_json: bool) -> bool:
    """Whether the app is to be shown."""
    return console.can_draw() and not plain and not as_json


def begin(store: Path, command: Command) -> protocol.Acknowledged:
    """Ask the store's engine, started where none runs, for a session.

    Raises:
        MineGapError: the engine cannot be started, or refuses.
    """
    return asyncio.run(_begin(store, command))


async def _begin(store: Path, command: Command) -> protocol.Acknowledged:
    client = await EngineClient.connect_or_start(store, CLIENT)
    try:
        return await client.ask(command)
    finally:
        await client.close()


def show_app(store: Path, session_id: str, first: str = "home") -> int:
    """Follow a session in the app, or with "" begin with the screen ``first``; return its exit code."""
    asking = terminal.ask()
    from minegap_tui.launch import run_app  # while the terminal answers

    return run_app(store, session_id, asking.prepared(), first)


def leave(store: Path, answer: protocol.Acknowledged, session_id: str, as_json: bool) -> None:
    """Print the id of a session that goes on by itself, what the engine said, and how to get back to it."""
    if as_json:
        console.data_json({"session_id": session_id, "store": str(store)})
    else:
        console.data(session_id)
    console.narrate(answer.sentence)
    for line in after_detach(session_id, store):
        console.narrate(line)


def finish(outcome: Outcome, store: Path, as_json: bool) -> int:
    """Print what a followed session came to; returns the command's exit code."""
    view = outcome.view
    if outcome.detached:
        if outcome.unread:
            console.forget_output()
        with suppress(OSError):  # the terminal may be gone
            for line in after_detach(view.session_id, store) if view.session_id else ():
                console.narrate(line)
        return outcome.exit_code
    if view.scored and not as_json:
        for line in narration.leaderboard(view.leaderboard(LEADERBOARD_LINES)):
            console.data(line)
    if outcome.sentence:
        console.complain(outcome.sentence)
    if view.session_id and (outcome.exit_code == INTERRUPTED or (outcome.exit_code != 0 and view.scored)):
        word = "stopped" if outcome.exit_code == INTERRUPTED else "everything mined is kept"
        console.narrate(f"{word}; go on with: {resume_hint(view.session_id, store)}")
    return outcome.exit_code


def resume_hint(session_id: str, store: Path) -> str:
    """Return the command that goes on with a session."""
    return _written("resume", session_id, store)


def after_detach(session_id: str, store: Path) -> list[str]:
    """Return what somebody should know who leaves a session running, one sentence per line."""
    lines = [
        f"mining goes on; come back with: {_written('attach', session_id, store)}",
        f"stop it with: {_written('stop --session', session_id, store)}",
    ]
    warning = linger.advice()
    return [*lines, warning] if warning else lines


def plain_sink(event: protocol.Event, view: SessionView) -> None:
    """Tell an event as a line on standard error; how the session stands has been told by the events before."""
    if not isinstance(event, protocol.Snapshot):
        onlooker_sink(event, view)


def onlooker_sink(event: protocol.Event, view: SessionView) -> None:
    """Tell an event as a line on standard error to somebody who joins later."""
    line = narration.narrate(event, view)
    if line:
        console.narrate(line)


def json_sink(event: protocol.Event, view: SessionView) -> None:
    """Write an event as a JSON line on standard output."""
    console.data_json(msgspec.to_builtins(event))


def _written(command: str, session_id: str, store: Path) -> str:
    place = "" if store == default_store() else f" --store {shlex.quote(str(store.absolute()))}"
    return f"minegap {command} {session_id}{place}"
