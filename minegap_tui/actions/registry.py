"""The one registry of what a user can do: it feeds key bindings, footer, help and palette."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from minegap_tui.actions import (
    compare,
    doctor,
    everywhere,
    exchanges,
    gallery,
    history,
    inspect,
    lineage,
    live,
    new,
    record,
    replay,
    sessions,
    steering,
    welcome,
)
from minegap_tui.actions.action import Action, Place

TITLES: dict[Place, str] = {
    "live": "Leaderboard",
    "session": "Steering",
    "inspect": "Evidence of one candidate",
    "exchanges": "What the LLM was asked and said",
    "lineage": "The lineage",
    "record": "The record",
    "sessions": "Sessions",
    "new": "New session",
    "doctor": "Doctor",
    "welcome": "Welcome",
    "history": "History",
    "compare": "Compare",
    "gallery": "Gallery",
    "viewer": "One image",
    "replay": "Replay",
    "app": "Everywhere",
}
"""Every place with its heading in the help, in the help's order."""

SELECTS, SCROLLS, NOTHING = ("↑↓", "select"), ("↑↓", "scroll"), ("", "")
MOVES: dict[Place, tuple[str, str]] = {
    "live": SELECTS,
    "session": SELECTS,
    "inspect": ("↑↓←→", "select"),
    "exchanges": SELECTS,
    "lineage": SELECTS,
    "record": SCROLLS,
    "sessions": SELECTS,
    "new": SELECTS,
    "doctor": SELECTS,
    "welcome": NOTHING,
    "history": SELECTS,
    "compare": SELECTS,
    "gallery": ("←→", "scrub"),
    "viewer": ("←→", "turn"),
    "replay": SELECTS,
    "app": NOTHING,
}
"""What the arrow keys do in a place; empty where there is nothing to move in."""

ACTIONS: tuple[Action, ...] = (
    *live.ACTIONS,
    *inspect.ACTIONS,
    *exchanges.ACTIONS,
    *lineage.ACTIONS,
    *record.ACTIONS,
    *sessions.ACTIONS,
    *new.ACTIONS,
    *doctor.ACTIONS,
    *welcome.ACTIONS,
    *history.ACTIONS,
    *compare.ACTIONS,
    *gallery.ACTIONS,
    *replay.ACTIONS,
    *steering.ACTIONS,
    *everywhere.ACTIONS,
)
"""In each place, the footer shows as many as fit, in this order."""

_OF_A_SESSION: frozenset[Place] = frozenset({"live", "inspect"})


def around(place: Place) -> list[Place]:
    """Return the places whose actions are offered in a place, the nearest first."""
    places: list[Place] = [place]
    if place in _OF_A_SESSION:
        places.append("session")
    if place != "app":
        places.append("app")
    return places


def offered(place: Place) -> list[Action]:
    """Return what can be done in a place, everywhere's actions last."""
    return [action for one in around(place) for action in ACTIONS if action.place == one]


def named(place: Place, name: str) -> Action | None:
    """Return what is offered in a place under a name of Textual's; None for what the registry does not know."""
    return next((action for action in offered(place) if action.name == name), None)


def bindings(place: Place) -> list[BindingType]:
    """Return a place's own key bindings; by their ids a keymap exchanges the keys.

    Only keys that write nothing work above everything else, dialogs with editors included; these stay as they are.
    """
    found: list[BindingType] = []
    for action in ACTIONS:
        if action.place == place:
            usual = [key for key in action.keys if not action.always(key)]
            if usual:
                found.append(
                    Binding(",".join(usual), action.name, action.label, show=action.footer, id=action.id)
                )
            found += [
                Binding(key, action.name, action.label, show=False, priority=True)
                for key in action.keys
                if action.always(key)
            ]
    return found
