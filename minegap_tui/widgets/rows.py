"""A table as long as it likes: only the lines in sight are ever read or drawn."""

from __future__ import annotations

from textual import events
from textual.message import Message
from textual.strip import Strip

from minegap_tui.sanitise import wrap
from minegap_tui.widgets.panel import Panel, Part


class Rows(Panel, can_focus=True):
    """Lines under a head, with a cursor on one; what a line says is up to the heirs.

    Attributes:
        cursor: place of the chosen line, from 0.
    """

    class Moved(Message):
        """Another line is under the cursor, or other lines are in sight."""

        def can_replace(self, message: Message) -> bool:
            """Only the newest place matters."""
            return isinstance(message, Rows.Moved)

    class Opened(Message):
        """A line was clicked while it was chosen."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's own name)
        super().__init__(id=id)
        self.cursor = 0
        self._top = 0

    @property
    def length(self) -> int:
        """How many lines there are."""
        raise NotImplementedError

    def head(self) -> str:
        """Return the columns' names, beginning after the cursor's two cells."""
        raise NotImplementedError

    def row(self, place: int, *, chosen: bool) -> list[Part]:
        """Return a line, beginning after the cursor's two cells."""
        raise NotImplementedError

    def empty(self) -> list[str]:
        """Return sentences that say why there are no lines and what to do next; foreign text is safe here."""
        return []

    @property
    def in_sight(self) -> range:
        """Places of the lines that are drawn."""
        return range(self._top, min(self._top + self._visible, self.length))

    def move(self, by: int) -> None:
        """Move the cursor by lines."""
        self.go(self.cursor + by)

    def page(self, by: int) -> None:
        """Move the cursor by pages."""
        self.go(self.cursor + by * max(1, self._visible - 1))

    def go(self, place: int) -> None:
        """Put the cursor on a line, or as near as there is one."""
        self.cursor = min(max(place, 0), max(self.length - 1, 0))
        self._keep_in_sight()
        self.refresh()
        self.post_message(self.Moved())

    def body_line(self, y: int) -> Strip:
        """Draw the columns' names or a line."""
        if not self.length:
            room = max(self.size.width - 4, 10)
            lines = [line for sentence in self.empty() for line in wrap(sentence, room, 4)]
            return self.strip([(f"  {lines[y - 1]}", "muted")] if 1 <= y <= len(lines) else [])
        if y == 0:
            return self.strip([(f"  {self.head()}", "faint")])
        place = self._top + y - 1
        if place >= self.length:
            return self.strip([])
        chosen = place == self.cursor
        return self.strip(
            [("▌ " if chosen else "  ", "accent"), *self.row(place, chosen=chosen)], cursor=chosen
        )

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self.go(self.cursor)

    def on_click(self, event: events.Click) -> None:
        """Choose the line under the pointer; a second click opens it."""
        place = self._top + event.y - 2
        if event.y >= 2 and place in self.in_sight:
            if place == self.cursor:
                self.post_message(self.Opened())
            else:
                self.go(place)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Move down."""
        event.stop()
        self.move(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Move up."""
        event.stop()
        self.move(-1)

    @property
    def _visible(self) -> int:
        return max(1, self.body_height - 1)

    def _keep_in_sight(self) -> None:
        last = max(0, self.length - self._visible)
        self._top = min(max(self._top, self.cursor - self._visible + 1, 0), self.cursor, last)
