"""What an action is, and where it is offered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Place = Literal[
    "app",
    "session",
    "live",
    "inspect",
    "record",
    "sessions",
    "history",
    "compare",
    "replay",
    "exchanges",
    "lineage",
    "gallery",
    "viewer",
    "new",
    "doctor",
    "welcome",
]
"""A screen; ``session`` stands for wherever a session is seen, ``app`` for everywhere."""


_MOVES = frozenset(
    {
        "move",
        "page",
        "scroll",
        "end",
        "to_end",
        "first",
        "last",
        "scroll_ancestry",
        "scrub",
        "scrub_to",
        "choose",
    }
)


@dataclass(frozen=True)
class Action:
    """One thing a user can do.

    Attributes:
        name: Textual's action, ``action_<name>`` on the screen, or on the app after ``app.``.
        keys: Textual key names; the first is the one that the footer shows.
        shown: how those keys are written for people.
        label: one or two words for the footer.
        summary: a sentence for help and palette.
        place: the screen that offers it.
        footer: whether the footer has it.
        fleeting: whether the footer has it only while it can be done; others are dimmed then.
    """

    name: str
    keys: tuple[str, ...]
    shown: str
    label: str
    summary: str
    place: Place
    footer: bool = True
    fleeting: bool = False

    @property
    def id(self) -> str:
        """Its name in ``[keys]`` of the user's settings: ``live.follow``, ``session.pause-after``."""
        return f"{self.place}.{'-'.join(self.label.lower().replace('…', '').split())}"

    @property
    def moves(self) -> bool:
        """Whether it moves a cursor: the palette has no use for that."""
        return self.name.split("(")[0] in _MOVES

    def always(self, key: str) -> bool:
        """Whether one of its keys works above everything else, editors included, and cannot be taken from it."""
        return self.place == "app" and key.startswith("ctrl+")

    @property
    def steers(self) -> str:
        """The name by which ``view.standing.why_not`` knows a steering action; empty for others."""
        return self.name.removeprefix("app.steer('").removesuffix("')") if "steer(" in self.name else ""


def steer(name: str, key: str, label: str, summary: str, *, shown: str = "", footer: bool = True) -> Action:
    """Return an action of the session's hand, offered wherever the session is seen."""
    return Action(f"app.steer('{name}')", (key,), shown or key, label, summary, "session", footer)


def copies(place: Place) -> tuple[Action, ...]:
    """Return how the candidate under the cursor is copied."""
    return (
        Action(
            "app.copy('prompt')",
            ("y",),
            "y",
            "copy",
            "Copy the candidate's prompt, exactly.",
            place,
            footer=False,
        ),
        Action(
            "app.copy('all')",
            ("Y",),
            "Y",
            "copy all",
            "Copy its prompt with score, seeds, session and what its images leave out.",
            place,
            footer=False,
        ),
    )


def lines(place: Place) -> tuple[Action, ...]:
    """Return how the cursor moves in a table."""
    return (
        Action("move(-1)", ("up", "k"), "↑ k", "up", "Select the line above.", place, footer=False),
        Action("move(1)", ("down", "j"), "↓ j", "down", "Select the line below.", place, footer=False),
        Action("page(-1)", ("pageup", "ctrl+u"), "PgUp", "page up", "Move a page up.", place, footer=False),
        Action(
            "page(1)", ("pagedown", "ctrl+d"), "PgDn", "page down", "Move a page down.", place, footer=False
        ),
        Action("end(False)", ("home", "g"), "Home g", "first", "Select the first line.", place, footer=False),
        Action("end(True)", ("end", "G"), "End G", "last", "Select the last line.", place, footer=False),
    )
