"""``minegap sessions``: the app's home screen."""

from __future__ import annotations

import os
from pathlib import Path

import click

from engine.errors import InputError
from minegap_tui import console
from minegap_tui.commands.follow import show_app
from minegap_tui.commands.options import store_directory, store_option
from store import open_reader
from store.connection import DATABASE
from store.errors import StoreError


@click.command()
@store_option
def sessions(store: Path | None) -> int:
    """Browse the sessions of the store, live and past, in the app; no engine is started.

    From there a session is begun, a live one is followed, a past one is shown as it was, forked or deleted, and the
    candidates of all of them are searched. Where nothing was mined yet, a welcome says how to begin. Without a
    terminal: 'minegap ls' and 'minegap find'.
    """
    if console.on_terminal() and not console.can_draw():
        raise InputError(
            f"TERM={os.environ['TERM']} is a terminal that cannot place its cursor: use 'minegap ls' and 'minegap "
            "find' there, or set TERM to what the terminal is."
        )
    if not console.on_terminal():
        raise InputError("The sessions screen needs a terminal: use 'minegap ls' to list sessions elsewhere.")
    directory = store_directory(store)
    return show_app(directory, "", "home" if _anything_mined(directory) else "welcome")


def _anything_mined(directory: Path) -> bool:
    if not (directory / DATABASE).exists():
        return False
    try:
        with open_reader(directory) as reader:
            return reader.sessions() != ()
    except StoreError:
        return True  # the list of sessions says what is wrong
