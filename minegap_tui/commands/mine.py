"""``minegap mine`` and ``minegap resume``: the app on a terminal, lines and a leaderboard elsewhere."""

from __future__ import annotations

import asyncio
import shlex
from pathlib import Path

import click
import msgspec

from engine import protocol
from engine.config import MiningConfig, StoreSection
from minegap_tui import console, terminal
from minegap_tui.commands.options import (
    config_options,
    configured,
    find_session,
    json_option,
    store_directory,
    store_option,
)
from minegap_tui.headless import INTERRUPTED, run_engine
from minegap_tui.view import narration
from minegap_tui.view.session import SessionView
from store import open_reader

LEADERBOARD_LINES = 20
plain_option = click.option("--plain", is_flag=True, help="Progress lines instead of the app.")


@click.command()
@click.argument("config", required=False, type=click.Path(path_type=Path))
@plain_option
@json_option
@config_options
@click.option("--generations", type=int, help="Generations to breed.")
@click.option("--resume", "session", metavar="SESSION", help="Go on with a stopped session.")
@store_option
def mine(
    config: Path | None,
    plain: bool,
    as_json: bool,
    settings: tuple[str, ...],
    seed: int | None,
    generations: int | None,
    session: str | None,
    store: Path | None,
) -> int:
    """Mine for biased prompts, by CONFIG (a TOML file) or on the embedded models.

    On a terminal this is the app. With --plain, --json or without a terminal: progress lines on standard
    error, the final leaderboard on standard output.
    """
    if session is not None:
        if config is not None or settings or seed is not None or generations is not None:
            raise click.UsageError("--resume goes on with the stored configuration: give no other settings")
        return _resume(session, plain, as_json, store)
    wanted = configured(config, settings, seed=seed, generations=generations, store=store)
    return _run(wanted.store.path, plain, as_json, config=wanted)


@click.command()
@click.argument("session")
@plain_option
@json_option
@store_option
def resume(session: str, plain: bool, as_json: bool, store: Path | None) -> int:
    """Go on with SESSION (its id, the beginning of it, or 'last') where it was stopped."""
    return _resume(session, plain, as_json, store)


def resume_hint(session_id: str, store: Path) -> str:
    """Return the command that goes on with a session."""
    place = "" if store == StoreSection().path else f" --store {shlex.quote(str(store))}"
    return f"minegap resume {session_id}{place}"


def _resume(given: str, plain: bool, as_json: bool, store: Path | None) -> int:
    directory = store_directory(store)
    with open_reader(directory) as reader:
        found = find_session(list(reader.sessions()), given, directory)
    return _run(directory, plain, as_json, resume=found.id)


def _run(
    store: Path, plain: bool, as_json: bool, *, config: MiningConfig | None = None, resume: str | None = None
) -> int:
    if console.on_terminal() and not plain and not as_json:
        terminal.prepare()
        from minegap_tui.app import run_app

        return run_app(store, config=config, resume=resume)
    sink = json_sink if as_json else plain_sink
    outcome = asyncio.run(run_engine(store, sink, console.narrate, config=config, resume=resume))
    view = outcome.view
    if view.scored and not as_json:
        for line in narration.leaderboard(view.leaderboard(LEADERBOARD_LINES)):
            console.data(line)
    if view.failure is not None and outcome.exit_code != INTERRUPTED:
        console.complain(view.failure.sentence)
    if outcome.exit_code != 0 and view.session_id:
        word = "stopped" if outcome.exit_code == INTERRUPTED else "everything mined is kept"
        console.narrate(f"{word}; go on with: {resume_hint(view.session_id, store)}")
    return outcome.exit_code


def plain_sink(event: protocol.Event, view: SessionView) -> None:
    """Tell an event as a line on standard error."""
    line = narration.narrate(event, view)
    if line:
        console.narrate(line)


def json_sink(event: protocol.Event, view: SessionView) -> None:
    """Write an event as a JSON line on standard output."""
    console.data_json(msgspec.to_builtins(event))
