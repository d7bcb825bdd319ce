"""Keys of the list of sessions."""

from __future__ import annotations

from minegap_tui.actions.action import Action, lines

ACTIONS: tuple[Action, ...] = (
    *lines("sessions"),
    Action(
        "open",
        ("enter",),
        "⏎",
        "open",
        "Follow the session if it is live, else show it as it was.",
        "sessions",
    ),
    Action("search", ("slash",), "/", "search", "Search by name, state, model or day.", "sessions"),
    Action(
        "app.go('new')", ("n",), "n", "new", "Begin a new session: choose models and settings.", "sessions"
    ),
    Action("fork", ("f",), "f", "fork", "Begin a new session from one of its generations.", "sessions"),
    Action(
        "app.go('replay')",
        ("less_than_sign",),
        "<",
        "replay",
        "See the session generation by generation.",
        "sessions",
    ),
    Action(
        "confirm",
        ("F",),
        "F",
        "confirm",
        "Measure its most biased prompts again by fresh draws: only that makes them findings.",
        "sessions",
    ),
    Action("app.go('compare')", ("C",), "C", "compare", "Compare the session with another one.", "sessions"),
    Action("mark", ("space",), "space", "mark", "Mark the session, or not, to compare two.", "sessions"),
    Action(
        "delete", ("d",), "d", "delete", "Delete the session and its images, after a question.", "sessions"
    ),
    Action("app.go('history')", ("H",), "H", "history", "Find candidates of all sessions.", "sessions"),
    Action(
        "app.go('back')",
        ("escape", "S"),
        "esc",
        "back",
        "Return to the session that is open.",
        "sessions",
    ),
    Action(
        "app.go('gallery')",
        ("V",),
        "V",
        "gallery",
        "See the session's images, generation by generation.",
        "sessions",
    ),
    Action(
        "app.go('welcome')",
        ("w",),
        "w",
        "welcome",
        "See what happens when you begin.",
        "sessions",
        footer=False,
    ),
    Action(
        "app.go('doctor')",
        ("exclamation_mark",),
        "!",
        "doctor",
        "Check this machine.",
        "sessions",
        footer=False,
    ),
)
