"""``minegap mine``, ``resume`` and ``attach``: the app on a terminal, lines and a leaderboard elsewhere."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from engine import protocol
from engine.client import command_id
from engine.commands import Open, Resume
from engine.errors import InputError
from minegap_tui import console
from minegap_tui.commands.follow import (
    begin,
    detach_option,
    finish,
    json_sink,
    leave,
    onlooker_sink,
    plain_option,
    plain_sink,
    resume_hint,
    show_app,
    wants_app,
)
from minegap_tui.commands.options import (
    config_options,
    configured,
    json_option,
    store_directory,
    store_option,
)
from minegap_tui.commands.talk import engine_runs, live_session
from minegap_tui.headless import run_engine, watch
from minegap_tui.view.sessions import ACTIVE


@click.command()
@click.argument("config", required=False, type=click.Path(path_type=Path))
@plain_option
@detach_option
@json_option
@config_options
@click.option("--generations", type=int, help="Generations to breed.")
@click.option("--resume", "session", metavar="SESSION", help="Go on with a stopped session.")
@store_option
def mine(
    config: Path | None,
    plain: bool,
    detach: bool,
    as_json: bool,
    settings: tuple[str, ...],
    seed: int | None,
    generations: int | None,
    session: str | None,
    store: Path | None,
) -> int:
    """Mine for biased prompts, by CONFIG (a TOML file) or on the embedded models.

    The mining is done by an engine in the background, which this command starts where none runs; while it is
    busy with another session, the new one waits for its turn.

    On a terminal this is the app; leaving it (q) leaves the engine mining, and 'minegap attach' comes back.
    With --plain, --json or without a terminal: progress lines on standard error, the final leaderboard on
    standard output, and Ctrl-C stops the session. With --detach: the session's id, and nothing to wait for.
    """
    if session is not None:
        if config is not None or settings or seed is not None or generations is not None:
            raise click.UsageError("--resume goes on with the stored configuration: give no other settings")
        return _resume(session, plain, detach, as_json, store)
    wanted = configured(config, settings, seed=seed, generations=generations, store=store)
    directory = wanted.store.path
    if detach or wants_app(plain, as_json):
        answer = begin(directory, Open(id=command_id(), config=wanted.model_dump_json()))
        return _follow_or_leave(directory, answer, answer.session_id, detach, as_json)
    sink = json_sink if as_json else plain_sink
    return finish(
        asyncio.run(run_engine(directory, sink, console.narrate, config=wanted)), directory, as_json
    )


@click.command()
@click.argument("session", required=False)
@plain_option
@detach_option
@json_option
@store_option
def resume(session: str | None, plain: bool, detach: bool, as_json: bool, store: Path | None) -> int:
    """Go on with SESSION (its id, the beginning of it, or 'last') where it was stopped or paused.

    A stopped session waits for its turn where another one is being mined. Without SESSION: the one that is
    paused now.
    """
    return _resume(session, plain, detach, as_json, store)


@click.command()
@click.argument("session", required=False)
@plain_option
@json_option
@store_option
def attach(session: str | None, plain: bool, as_json: bool, store: Path | None) -> int:
    """Follow a session that runs or waits: SESSION, or the one that runs now.

    On a terminal this is the app. With --plain, --json or without a terminal: event lines until the session
    ends; Ctrl-C leaves, and mining goes on.
    """
    directory = store_directory(store)
    found = live_session(directory, session)
    if found.state not in ACTIVE and found.state != "queued":
        raise InputError(
            f"Session {found.id} is {found.state}: see it with 'minegap show {found.id}', or go on with "
            f"'{resume_hint(found.id, directory)}'."
        )
    if not engine_runs(directory):
        raise InputError(
            f"No engine runs for session {found.id} any more: go on with '{resume_hint(found.id, directory)}'."
        )
    if wants_app(plain, as_json):
        return show_app(directory, found.id)
    sink = json_sink if as_json else onlooker_sink
    return finish(asyncio.run(watch(directory, found.id, sink, console.narrate)), directory, as_json)


def _resume(given: str | None, plain: bool, detach: bool, as_json: bool, store: Path | None) -> int:
    directory = store_directory(store)
    found = live_session(directory, given)
    if detach or wants_app(plain, as_json):
        answer = begin(directory, Resume(id=command_id(), session_id=found.id))
        return _follow_or_leave(directory, answer, found.id, detach, as_json)
    sink = json_sink if as_json else plain_sink
    return finish(
        asyncio.run(run_engine(directory, sink, console.narrate, resume=found.id)), directory, as_json
    )


def _follow_or_leave(
    store: Path, answer: protocol.Acknowledged, session_id: str, detach: bool, as_json: bool
) -> int:
    if not detach:
        return show_app(store, session_id)
    leave(store, answer, session_id, as_json)
    return 0
