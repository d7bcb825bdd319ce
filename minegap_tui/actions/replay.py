"""Keys of a replay."""

from __future__ import annotations

from minegap_tui.actions.action import Action, copies

ACTIONS: tuple[Action, ...] = (
    Action("step(-1)", ("left", "h"), "← h", "earlier", "Show the generation before.", "replay"),
    Action("step(1)", ("right", "l"), "→ l", "later", "Show the next generation.", "replay"),
    Action(
        "play", ("space",), "space", "play", "Play the generations one after the other, or pause.", "replay"
    ),
    Action(
        "back", ("escape", "backspace"), "esc", "end state", "Return to how the session stands now.", "replay"
    ),
    Action("pace(1)", ("plus", "equals_sign"), "+", "faster", "Play faster.", "replay", footer=False),
    Action("pace(-1)", ("minus",), "-", "slower", "Play slower.", "replay", footer=False),
    Action(
        "step(-10)",
        ("comma", "shift+left"),
        ",",
        "10 earlier",
        "Go ten generations back.",
        "replay",
        footer=False,
    ),
    Action(
        "step(10)",
        ("full_stop", "shift+right"),
        ".",
        "10 later",
        "Go ten generations on.",
        "replay",
        footer=False,
    ),
    Action("edge(False)", ("home",), "Home", "begin", "Show the first generation.", "replay"),
    Action("edge(True)", ("end",), "End", "end", "Show the last generation.", "replay"),
    Action("inspect", ("enter",), "⏎", "inspect", "See the candidate's evidence as it was then.", "replay"),
    Action(
        "toggle_follow",
        ("f",),
        "f",
        "follow",
        "Hold the candidate, or follow the most biased.",
        "replay",
        footer=False,
    ),
    Action("move(-1)", ("up", "k"), "↑ k", "up", "Select the candidate above.", "replay", footer=False),
    Action("move(1)", ("down", "j"), "↓ j", "down", "Select the candidate below.", "replay", footer=False),
    Action("page(-1)", ("pageup", "ctrl+u"), "PgUp", "page up", "Move a page up.", "replay", footer=False),
    Action(
        "page(1)", ("pagedown", "ctrl+d"), "PgDn", "page down", "Move a page down.", "replay", footer=False
    ),
    Action("first", ("g",), "g", "first", "Select the most biased candidate.", "replay", footer=False),
    Action("last", ("G",), "G", "last", "Select the last candidate shown.", "replay", footer=False),
    *copies("replay"),
)
