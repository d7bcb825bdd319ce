"""Keys of the history."""

from __future__ import annotations

from minegap_tui.actions.action import Action, lines

ACTIONS: tuple[Action, ...] = (
    *lines("history"),
    Action("inspect", ("enter",), "⏎", "inspect", "See all evidence of the candidate.", "history"),
    Action(
        "filter",
        ("slash",),
        "/",
        "filter",
        "Type a filter (tab completes); ⏎ or esc leads back to the table.",
        "history",
    ),
    Action(
        "order",
        ("s",),
        "s",
        "order",
        "Most biased first, newest first, or confirmed scores first.",
        "history",
    ),
    Action("views", ("v",), "v", "views", "Show a saved view, or forget one.", "history"),
    Action("back", ("escape", "backspace"), "esc", "back", "Return to the screen before.", "history"),
    Action("save", ("w",), "w", "save", "Save the filter as a view.", "history"),
    Action("open", ("o",), "o", "session", "Open the candidate's session.", "history"),
    Action(
        "app.copy('prompt')",
        ("y",),
        "y",
        "copy",
        "Copy the candidate's prompt, exactly.",
        "history",
        footer=False,
    ),
    Action(
        "app.copy('all')",
        ("Y",),
        "Y",
        "copy all",
        "Copy its prompt with score, seeds, session and what its images leave out.",
        "history",
        footer=False,
    ),
    Action(
        "app.go('replay')",
        ("less_than_sign",),
        "<",
        "replay",
        "See its session from the candidate's generation on.",
        "history",
    ),
    Action("again", ("r",), "r", "again", "Look again: what was mined since.", "history", footer=False),
)
