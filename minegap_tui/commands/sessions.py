"""``minegap sessions``: the app's home screen."""

from __future__ import annotations

from pathlib import Path

import click

from engine.errors import InputError
from minegap_tui import console
from minegap_tui.commands.follow import show_app
from minegap_tui.commands.options import store_directory, store_option


@click.command()
@store_option
def sessions(store: Path | None) -> int:
    """Browse the sessions of the store, live and past, in the app; no engine is started.

    From there a live session is followed, a past one is shown as it was, any of them is forked, and the candidates of
    all of them are searched. Without a terminal: 'minegap ls' and 'minegap find'.
    """
    if not console.on_terminal():
        raise InputError("The sessions screen needs a terminal: use 'minegap ls' to list sessions elsewhere.")
    return show_app(store_directory(store), "")
