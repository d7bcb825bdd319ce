"""Keys of the comparison."""

from __future__ import annotations

from minegap_tui.actions.action import Action, copies, lines

ACTIONS: tuple[Action, ...] = (
    *lines("compare"),
    Action(
        "part(1)",
        ("tab",),
        "tab",
        "list",
        "List shared prompts, those only in A, those only in B.",
        "compare",
    ),
    Action(
        "part(-1)", ("shift+tab",), "⇧tab", "list before", "List the ones before.", "compare", footer=False
    ),
    Action("sort", ("s",), "s", "sort", "Sort by the next column.", "compare"),
    Action("turn", ("v",), "v", "reverse", "Sort the other way round.", "compare", footer=False),
    Action(
        "details",
        ("d",),
        "d",
        "details",
        "Show figures, then pictures, then the table again.",
        "compare",
    ),
    Action("inspect('a')", ("enter", "a"), "⏎ a", "in A", "See all evidence of the prompt in A.", "compare"),
    Action("inspect('b')", ("b",), "b", "in B", "See all evidence of the prompt in B.", "compare"),
    Action("metric", ("m",), "m", "score", "Compare by the next score that both sides have.", "compare"),
    Action("other", ("c",), "c", "with …", "Choose another session or painter to compare A with.", "compare"),
    Action("swap", ("x",), "x", "swap", "Exchange A and B.", "compare", footer=False),
    Action(
        "again", ("r",), "r", "again", "Read both sides again: what was mined since.", "compare", footer=False
    ),
    Action("back", ("escape", "backspace"), "esc", "back", "Return to the screen before.", "compare"),
    *copies("compare"),
)
