"""``minegap log``: who did what to a session, when, and from which generation on it counts."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from minegap_tui import console
from minegap_tui.commands.options import find_session, json_option, store_directory, store_option
from minegap_tui.sanitise import display_text, fit
from minegap_tui.view import figures
from minegap_tui.view.record import Entry, entries
from minegap_tui.view.sessions import ACTIVE
from store import open_reader

ID_CHARACTERS = 8


@click.command()
@click.argument("session", required=False)
@click.option("--all", "every", is_flag=True, help="The single candidates, too.")
@json_option
@store_option
def log(session: str | None, every: bool, as_json: bool, store: Path | None) -> None:
    """Print the record of SESSION (its id, the beginning of it, or 'last'): steering, states and notices.

    Without SESSION: the one that runs now, which the steering commands are about, too; else the last one.

    A line says when, by whom (the engine's own doing has no author), from the breeding of which generation on it
    counts, the beginning of the command's id (for 'minegap undo'), and what.
    """
    directory = store_directory(store)
    with open_reader(directory) as reader:
        sessions = list(reader.sessions())
        if session is None:
            session = next((one.id for one in sessions if one.state in ACTIVE), "last")
        found = find_session(sessions, session, directory)
        lines = entries(reader.events(found.id), every=every)
    if as_json:
        for line in lines:
            console.data_json(asdict(line))
        return
    for text in record_lines(lines):
        console.data(text.rstrip())


def record_lines(lines: list[Entry]) -> list[str]:
    """Return the record as aligned lines, headed."""
    authors = max([6, *(len(display_text(line.author, 30)) for line in lines)])
    whens = max([4, *(len(figures.when(line.at)) for line in lines)])
    head = f"{'when':<{whens}}  {fit('author', authors)}  {'from':<7}  {'id':<{ID_CHARACTERS}}  what"
    return [
        head,
        *(
            f"{figures.when(line.at):<{whens}}  {fit(line.author, authors)}  "
            f"{f'gen {line.generation}' if line.generation else '':<7}  "
            f"{fit(line.command_id[:ID_CHARACTERS], ID_CHARACTERS)}  {line.what}"
            for line in lines
        ),
    ]
