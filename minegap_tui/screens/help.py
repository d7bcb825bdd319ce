"""All keys, from the registry of actions."""

from __future__ import annotations

from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from minegap_tui.actions.action import Place
from minegap_tui.actions.registry import ACTIONS, TITLES, around
from minegap_tui.keymap import Keymap

_READING = (
    "A score is low where the images of a prompt show little of what the prompt could mean. "
    "○ marks a missed concept: a variation that hardly any image shows; ● one that the images do show. "
    "On the leaderboard * is pinned, h written by a human, ✎ being rewritten, ✗ banned. What you steer counts from "
    "the generation that the engine names; nothing in a generation that is already bred changes."
)
_BINDING = "Other keys: [keys] in ui.toml; 'minegap keys' lists the names, for example session.pin."


class HelpScreen(ModalScreen[None]):
    """Closes with any of its keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,f1,q,enter,space", "dismiss", "close", priority=True),
        Binding("j", "scroll(1)", "down"),
        Binding("k", "scroll(-1)", "up"),
    ]
    DEFAULT_CSS = """
    HelpScreen {
        align: center middle;
        background: $background 60%;
        & > VerticalScroll {
            width: 76; max-width: 96%; height: auto; max-height: 94%;
            background: $surface; padding: 1 2; scrollbar-size-vertical: 1;
        }
        Static { height: auto; }
        .last { margin-top: 1; }
    }
    """

    def __init__(self, keymap: Keymap, place: Place | None = None, *, ascii_only: bool = False) -> None:
        """``place``: where the user is; its keys come first."""
        super().__init__()
        self._keymap, self._ascii = keymap, ascii_only
        near = around(place) if place is not None else []
        self._places = [*near, *(one for one in TITLES if one not in near)]

    def compose(self) -> ComposeResult:
        """Lay out one section per place."""
        with VerticalScroll():
            for place in self._places:
                yield Static(Content.styled(TITLES[place], "bold $accent"))
                yield Static(self._table(place))
            yield Static(Content.styled(_READING, "$muted"))
            yield Static(Content.styled(_BINDING, "$muted"), classes="last")

    def action_scroll(self, by: int) -> None:
        """Scroll by lines."""
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)

    def _table(self, place: Place) -> Table:
        """One widget for a place: one per key and summary would take seconds to lay out."""
        table = Table.grid(padding=(0, 1, 0, 0))
        table.add_column(width=13)
        table.add_column(ratio=1)
        for action in ACTIONS:
            if action.place == place:
                keys = self._keymap.all_shown(action, ascii_only=self._ascii)
                table.add_row(Text(keys, style="bold"), Text(action.summary))
        table.add_row()
        return table
