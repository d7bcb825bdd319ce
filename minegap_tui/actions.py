"""The one registry of what a user can do: it feeds key bindings, footer, help and palette."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from textual.binding import Binding, BindingType

Place = Literal["app", "session", "live", "inspect", "record", "sessions", "history"]


@dataclass(frozen=True)
class Action:
    """One thing a user can do.

    Attributes:
        name: Textual's action, ``action_<name>`` on the screen, or on the app after ``app.``.
        keys: Textual key names; the first is the one that the footer shows.
        shown: how those keys are written for people.
        label: one or two words for the footer.
        summary: a sentence for help and palette.
        place: the screen that offers it; ``session`` for wherever a session is seen, ``app`` for everywhere.
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
    def steers(self) -> str:
        """The name by which ``view.standing.why_not`` knows a steering action; empty for others."""
        return self.name.removeprefix("app.steer('").removesuffix("')") if "steer(" in self.name else ""


def _steer(name: str, key: str, label: str, summary: str, *, shown: str = "", footer: bool = True) -> Action:
    return Action(f"app.steer('{name}')", (key,), shown or key, label, summary, "session", footer)


def _lines(place: Place) -> tuple[Action, ...]:
    """How the cursor moves in a table."""
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
        footer=False,
    ),
    Action(
        "app.browse('history')",
        ("slash", "H"),
        "/",
        "find",
        "Find candidates of all sessions by a filter.",
        "live",
        footer=False,
    ),
    Action(
        "app.browse('home')",
        ("S",),
        "S",
        "sessions",
        "See all sessions; open or fork one.",
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
    Action("scroll(-1)", ("up", "k"), "↑ k", "up", "Scroll up.", "record", footer=False),
    Action("scroll(1)", ("down", "j"), "↓ j", "down", "Scroll down.", "record", footer=False),
    Action("page(-1)", ("pageup", "ctrl+u"), "PgUp", "page up", "Scroll a page up.", "record", footer=False),
    Action(
        "page(1)", ("pagedown", "ctrl+d"), "PgDn", "page down", "Scroll a page down.", "record", footer=False
    ),
    Action("to_end(False)", ("home", "g"), "g", "first", "Go to the beginning of the record.", "record"),
    Action(
        "to_end(True)", ("end", "G"), "G", "follow", "Go to its end and follow what is recorded.", "record"
    ),
    Action("toggle_all", ("a",), "a", "all", "Show the single candidates too, or not.", "record"),
    Action("back", ("escape", "L", "backspace"), "esc", "back", "Return to the session.", "record"),
    *_lines("sessions"),
    Action(
        "open",
        ("enter",),
        "⏎",
        "open",
        "Follow the session if it is live, else show it as it was.",
        "sessions",
    ),
    Action("search", ("slash",), "/", "search", "Search by name, state, model or day.", "sessions"),
    Action("fork", ("f",), "f", "fork", "Begin a new session from one of its generations.", "sessions"),
    Action("app.browse('history')", ("H",), "H", "history", "Find candidates of all sessions.", "sessions"),
    Action(
        "app.browse('back')",
        ("escape", "S"),
        "esc",
        "back",
        "Return to the session that is open.",
        "sessions",
    ),
    *_lines("history"),
    Action("inspect", ("enter",), "⏎", "inspect", "See all evidence of the candidate.", "history"),
    Action(
        "filter", ("slash",), "/", "filter", "Type a filter; ⏎ or esc leads back to the table.", "history"
    ),
    Action("order", ("s",), "s", "order", "Most biased first, or newest first.", "history"),
    Action("views", ("v",), "v", "views", "Show a saved view, or forget one.", "history"),
    Action("back", ("escape", "backspace"), "esc", "back", "Return to the screen before.", "history"),
    Action("save", ("w",), "w", "save", "Save the filter as a view.", "history"),
    Action("open", ("o",), "o", "session", "Open the candidate's session.", "history"),
    Action("again", ("r",), "r", "again", "Look again: what was mined since.", "history", footer=False),
    _steer("pause", "p", "pause", "Pause after the batch that is being drawn, or go on."),
    _steer(
        "pause_after",
        "P",
        "pause after …",
        "Choose what to pause after: batch, all batches, generation.",
        footer=False,
    ),
    Action(
        "app.steer('resume')",
        ("R",),
        "R",
        "resume",
        "Start an engine and go on, when it is gone or the session was stopped.",
        "session",
        fleeting=True,
    ),
    _steer("edit", "e", "edit", "Rewrite the selected prompt; it enters a coming generation as a child."),
    _steer("inject", "i", "inject", "Put prompts of your own into the coming generations."),
    _steer(
        "pin",
        "asterisk",
        "pin",
        "Pin the selected candidate (it survives, measured again), or unpin it.",
        shown="*",
    ),
    _steer("ban", "b", "ban", "Keep a prompt, a word or a lineage out, or lift that."),
    _steer("undo", "u", "undo", "Withdraw the last steering command that has no effect yet."),
    _steer("rescore", "r", "rescore", "Measure the selected candidate again with more images, now."),
    _steer("knobs", "K", "knobs", "Change the settings of the generations to come."),
    _steer("step", "s", "step", "Mine one generation, then pause."),
    _steer("record", "L", "record", "See who did what, when, and from when on it counts."),
    Action(
        "app.images",
        ("I",),
        "I",
        "images",
        "Draw images in full where the terminal can, in half-blocks, or not at all, in turn.",
        "session",
        footer=False,
    ),
    _steer("stop", "Q", "stop", "Stop mining, after a question; everything is kept."),
    Action("help", ("question_mark", "f1"), "?", "help", "Show all keys.", "app"),
    Action(
        "leave",
        ("q", "ctrl+c", "ctrl+q"),
        "q",
        "detach",
        "Leave the screen at once; mining goes on, and minegap attach comes back to it.",
        "app",
    ),
)
"""In each place, the footer shows as many as fit, in this order."""


def offered(place: Place) -> list[Action]:
    """Return what can be done in a place, everywhere's actions last."""
    places: tuple[Place, ...] = (place,)
    if place in {"live", "inspect"}:
        places = (place, "session")
    return [action for around in places for action in ACTIONS if action.place == around] + (
        [action for action in ACTIONS if action.place == "app"] if place != "app" else []
    )


def bindings(place: Place) -> list[BindingType]:
    """Return a place's own key bindings.

    Only keys that write nothing work above everything else, dialogs with editors included.
    """
    return [
        Binding(
            key, action.name, action.label, show=action.footer, priority="ctrl+" in key and place == "app"
        )
        for action in ACTIONS
        if action.place == place
        for key in action.keys
    ]
