"""``minegap keys``: every action of the app, its keys in force, and the name by which ``[keys]`` binds it."""

from __future__ import annotations

import click

from minegap_tui.settings import load_settings


@click.command()
def keys() -> None:
    """List the app's keys and the names by which [keys] of ui.toml gives actions other ones.

    For example: live.follow = "f", or two of them: live.follow = "f,space". The environment does the same:
    MINEGAP_UI_KEYS_LIVE_FOLLOW=f, and MINEGAP_UI_KEYS_SESSION_PAUSE_AFTER=f5 for session.pause-after.
    """
    from minegap_tui.actions.registry import ACTIONS, TITLES
    from minegap_tui.keymap import keymap_of

    keymap = keymap_of(load_settings().keys)
    shown = [
        (action, keymap.all_shown(action)) for place in TITLES for action in ACTIONS if action.place == place
    ]
    names = max(len(action.id) for action, _ in shown)
    pressed = max(len(words) for _, words in shown)
    for action, words in shown:
        click.echo(f"{action.id:<{names}}  {words:<{pressed}}  {action.summary}")
