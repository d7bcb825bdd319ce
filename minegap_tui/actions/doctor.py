"""Keys of the checks of this machine."""

from __future__ import annotations

from minegap_tui.actions.action import Action, lines

ACTIONS: tuple[Action, ...] = (
    *lines("doctor"),
    Action("again", ("r",), "r", "again", "Run all checks again.", "doctor"),
    Action("copy", ("y",), "y", "copy", "Copy all findings, for a report of a fault.", "doctor"),
    Action("back", ("escape", "backspace"), "esc", "back", "Return to the screen before.", "doctor"),
)
