"""``minegap rm``: sessions that are not wanted any more, deleted for good."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click
import msgspec

from engine import protocol
from engine.client import EngineClient, command_id
from engine.commands import Delete
from engine.errors import InputError
from minegap_tui import console
from minegap_tui.commands.options import find_session, json_option, store_directory, store_option
from minegap_tui.headless import CLIENT, INTERRUPTED
from minegap_tui.view import figures
from store import open_reader
from store.records import Session


@click.command(name="rm")
@click.argument("sessions", metavar="SESSION...", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@store_option
def delete(sessions: tuple[str, ...], yes: bool, as_json: bool, store: Path | None) -> int:
    """Delete sessions (each by its id, the beginning of it, or 'last') for good, with their images.

    What other sessions rest on stays. One that is queued or in work has to be stopped first, and one that others were
    forked from goes after those. On a terminal you are asked first; elsewhere say --yes.
    """
    directory = store_directory(store)
    with open_reader(directory) as reader:
        known = list(reader.sessions())
        found = list(
            {one.id: one for one in (find_session(known, given, directory) for given in sessions)}.values()
        )
    if not yes:
        if not console.on_terminal():
            raise InputError("Nobody is there to be asked whether to delete: say --yes if you mean it.")
        for one in found:
            console.narrate(described(one))
        many = f"these {len(found)} sessions" if len(found) > 1 else "this session"
        if not click.confirm(f"Delete {many} for good?", err=True):
            return INTERRUPTED
    asyncio.run(_delete(directory, found, as_json))
    return 0


def described(session: Session) -> str:
    """Say in one line what a session is and what it holds; not safe to print."""
    name = f" “{session.name}”" if session.name else ""
    return (
        f"session {session.id}{name}, begun {figures.when(session.created_at)}, {session.state}: "
        f"{session.generations} generations, {session.scored:,} candidates scored, {session.images:,} images "
        f"({figures.size(session.bytes)})"
    )


async def _delete(store: Path, sessions: list[Session], as_json: bool) -> None:
    client = await EngineClient.connect_or_start(store, CLIENT)
    try:
        for one in sessions:
            _report(await client.ask(Delete(id=command_id(), session_id=one.id)), as_json)
    finally:
        await client.close()


def _report(answer: protocol.Acknowledged, as_json: bool) -> None:
    if as_json:
        console.data_json(msgspec.to_builtins(answer))
    else:
        console.narrate(answer.sentence)
