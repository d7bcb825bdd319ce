"""One line to type what is looked for, with its mark before it."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Static
from textual.widgets.text_area import Edit, EditResult

from minegap_tui.widgets.prompt_area import PromptArea


class FindArea(PromptArea):
    """The editor; enter, escape, up and down leave it."""

    class Left(Message):
        """The user is done typing.

        Attributes:
            escaped: by escape.
        """

        def __init__(self, *, escaped: bool) -> None:
            super().__init__()
            self.escaped = escaped

    def edit(self, edit: Edit) -> EditResult:
        """Take in a change; pasted lines become one."""
        edit.text = " ".join(edit.text.splitlines()) if "\n" in edit.text else edit.text
        return super().edit(edit)

    def on_key(self, event: events.Key) -> None:
        """Keys that mean nothing in a single line lead back to the lines below it."""
        if event.key in {"enter", "escape", "up", "down"}:
            event.prevent_default()
            event.stop()
            self.post_message(self.Left(escaped=event.key == "escape"))


class Finder(Horizontal):
    """Holds the editor."""

    DEFAULT_CSS = """
    Finder {
        height: 1;
        Static { width: 2; color: $accent; }
        FindArea { width: 1fr; height: 1; padding: 0; background: $surface; }
    }
    """

    def __init__(self, text: str = "", *, placeholder: str = "") -> None:
        super().__init__()
        self.area = FindArea(text, wrap=False)
        self.area.placeholder = placeholder

    @property
    def text(self) -> str:
        """What is looked for, exactly."""
        return self.area.exact

    def compose(self) -> ComposeResult:
        """Lay out mark and editor."""
        yield Static("/")
        yield self.area
