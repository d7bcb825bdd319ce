"""One line to type what is looked for, with its mark before it."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Static
from textual.widgets.text_area import Edit, EditResult

from minegap_tui.widgets.prompt_area import PromptArea


class FindArea(PromptArea):
    """The editor; enter, escape, up and down leave it, tab puts in what is offered."""

    def __init__(self, text: str = "") -> None:
        super().__init__(text, wrap=False)
        self._offers: tuple[str, ...] = ()
        self._begin = self._taken = 0
        self._put = ""

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

    @property
    def typed_to(self) -> int:
        """The cursor's place in the text."""
        return self.cursor_location[1]

    @property
    def completing(self) -> bool:
        """Whether what stands there is what tab put there, and other offers are still open."""
        return (
            len(self._offers) > 1 and bool(self._put) and self.text[self._begin : self.typed_to] == self._put
        )

    def offer(self, begin: int, offers: Sequence[str]) -> None:
        """Have tab put in one of these for what stands between ``begin`` and the cursor, again the next one."""
        self._begin, self._offers, self._taken, self._put = begin, tuple(offers), 0, ""

    def on_key(self, event: events.Key) -> None:
        """Keys that mean nothing in a single line lead back to the lines below it."""
        if event.key == "tab" and self._offers:
            event.prevent_default()
            event.stop()
            put = self._offers[self._taken % len(self._offers)]
            self._taken += 1
            self.replace(put, (0, self._begin), self.cursor_location)
            self._put = self.text[self._begin : self.typed_to]
        elif event.key in {"enter", "escape", "up", "down"}:
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
        self.area = FindArea(text)
        self.area.placeholder = placeholder

    @property
    def text(self) -> str:
        """What is looked for, exactly."""
        return self.area.exact

    def compose(self) -> ComposeResult:
        """Lay out mark and editor."""
        yield Static("/")
        yield self.area
