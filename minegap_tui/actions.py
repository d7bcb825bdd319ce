"""The one registry of what a user can do: it feeds key bindings, footer, help and palette."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from textual.binding import Binding, BindingType

Place = Literal["app", "live", "inspect"]


@dataclass(frozen=True)
class Action:
    """One thing a user can do.

    Attributes:
        name: Textual's action, ``action_<name>`` on the screen, or on the app after ``app.``.
        keys: Textual key names; the first is the one that the footer shows.
        shown: how those keys are written for people.
        label: one or two words for the footer.
        summary: a sentence for help and palette.
        place: the screen that offers it; ``app`` for everywhere.
        footer: whether the footer has it.
    """

    name: str
    keys: tuple[str, ...]
    shown: str
    label: str
    summary: str
    place: Place
    footer: bool = True


ACTIONS: tuple[Action, ...] = (
    Action("move(-1)", ("up", "k"), "↑ k", "up", "Select the candidate above.", "live", footer=False),
    Action("move(1)", ("down", "j"), "↓ j", "down", "Select the candidate below.", "live", footer=False),
    Action("page(-1)", ("pageup", "ctrl+u"), "PgUp", "page up", "Move a page up.", "live", footer=False),
    Action("page(1)", ("pagedown", "ctrl+d"), "PgDn", "page down", "Move a page down.", "live", footer=False),
    Action(
        "first", ("home", "g"), "Home g", "first", "Select the most biased candidate.", "live", footer=False
    ),
    Action("last", ("end", "G"), "End G", "last", "Select the last candidate shown.", "live", footer=False),
    Action("app.inspect", ("enter",), "⏎", "inspect", "See all evidence of the selected candidate.", "live"),
    Action(
        "toggle_follow",
        ("space",),
        "space",
        "follow",
        "Hold the selected candidate, or follow the most biased one as it changes.",
        "live",
    ),
    Action("scroll(-1)", ("up", "k"), "↑ k", "up", "Scroll up.", "inspect", footer=False),
    Action("scroll(1)", ("down", "j"), "↓ j", "down", "Scroll down.", "inspect", footer=False),
    Action("page(-1)", ("pageup", "ctrl+u"), "PgUp", "page up", "Scroll a page up.", "inspect", footer=False),
    Action(
        "page(1)", ("pagedown", "ctrl+d"), "PgDn", "page down", "Scroll a page down.", "inspect", footer=False
    ),
    Action(
        "app.neighbour(-1)", ("left", "h"), "← h", "previous", "Show the candidate ranked above.", "inspect"
    ),
    Action("app.neighbour(1)", ("right", "l"), "→ l", "next", "Show the candidate ranked below.", "inspect"),
    Action("back", ("escape", "enter", "backspace"), "esc", "back", "Return to the leaderboard.", "inspect"),
    Action("help", ("question_mark", "f1"), "?", "help", "Show all keys.", "app"),
    Action(
        "leave",
        ("q", "ctrl+c", "ctrl+q"),
        "q",
        "quit",
        "Stop mining after the batch in flight and leave; everything is kept and the session can be resumed.",
        "app",
    ),
)


def offered(place: Place) -> list[Action]:
    """Return what can be done in a place, everywhere's actions last."""
    return [action for action in ACTIONS if action.place == place] + (
        [action for action in ACTIONS if action.place == "app"] if place != "app" else []
    )


def bindings(place: Place) -> list[BindingType]:
    """Return a place's own key bindings."""
    return [
        Binding(",".join(action.keys), action.name, action.label, show=action.footer, priority=place == "app")
        for action in ACTIONS
        if action.place == place
    ]
