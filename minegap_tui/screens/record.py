"""The record of a session: who did what, when, and from which generation on it counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import events, work
from textual.app import ComposeResult
from textual.strip import Strip

from minegap_tui.actions.registry import bindings
from minegap_tui.desk import StoreDesk
from minegap_tui.sanitise import fit, wrap
from minegap_tui.screens.page import Page
from minegap_tui.view import figures
from minegap_tui.view.record import Entry, entries
from minegap_tui.view.session import SessionView
from minegap_tui.view.steering import Messages
from minegap_tui.widgets.panel import Panel, Part
from store.errors import StoreError

READING = "record"
_AUTHOR = 18
_KINDS = {
    "session_opened": "session",
    "state_changed": "state",
    "generation_started": "generation",
    "generation_finished": "generation",
    "candidate_scored": "score",
    "candidate_rescored": "measured again",
    "candidate_failed": "failure",
}


class RecordScreen(Page):
    """Reads the record, anew whenever the session went on; follows the newest entry until the user scrolls up.

    Args:
        desk: where the store is read.
        view: the session.
        say: tells the user why the record cannot be read.
    """

    PLACE = "record"
    BINDINGS = bindings(PLACE)
    DEFAULT_CSS = """
    RecordScreen {
        RecordLines { height: 1fr; }
    }
    """

    def __init__(self, desk: StoreDesk, view: SessionView, say: Callable[[str], None]) -> None:
        super().__init__()
        self._desk, self._view, self._say = desk, view, say
        self._revision = -1
        self._every = False
        self._lines = RecordLines()

    def compose(self) -> ComposeResult:
        """Lay out the lines and the keys."""
        yield self._lines
        yield self.message
        yield self.keys

    def on_mount(self) -> None:
        """Read it for the first time."""
        self._read()

    def show_message(self, messages: Messages, view: SessionView) -> None:
        """Draw what there is to say; what the session recorded since is read, once the reading before is done."""
        super().show_message(messages, view)
        reading = any(worker.group == READING and worker.is_running for worker in self.workers)
        if self._view.revision != self._revision and not reading:
            self._read()

    @work(group=READING, exclusive=True, description="read the record")
    async def _read(self) -> None:
        session_id, every = self._view.session_id, self._every
        self._revision = self._view.revision
        try:
            found = await self._desk.ask(lambda reader: entries(reader.events(session_id), every=every))
        except StoreError as error:
            self._say(str(error))
        else:
            self._lines.show_entries(found)

    def action_scroll(self, by: int) -> None:
        """Scroll by lines."""
        self._lines.scroll_lines(by)

    def action_page(self, by: int) -> None:
        """Scroll by pages."""
        self._lines.scroll_lines(by * max(1, self._lines.body_height - 1))

    def action_to_end(self, last: bool) -> None:
        """Go to the end and follow it, or to the beginning."""
        self._lines.to_end(last=last)

    def action_toggle_all(self) -> None:
        """Show the single candidates too, or not."""
        self._every = not self._every
        self._read()


class RecordLines(Panel):
    """The entries, oldest first, long sentences on several lines."""

    @property
    def heading(self) -> str:
        """The title."""
        return "Record"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's own name)
        super().__init__(id=id)
        self._entries: Sequence[Entry] = ()
        self._drawn: list[list[Part]] = []
        self._time = 0
        self._top = 0
        self._following = True

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """Take over the entries."""
        self._entries = entries
        self._layout()

    def scroll_lines(self, by: int) -> None:
        """Scroll; at the end new entries are followed."""
        self._top = min(max(self._top + by, 0), self._last_top)
        self._following = self._top == self._last_top
        self.refresh()

    def to_end(self, *, last: bool) -> None:
        """Go to the beginning or the end."""
        self.scroll_lines(len(self._drawn) if last else -len(self._drawn))

    def aside(self) -> str:
        """Say how many there are and whether the newest is followed."""
        return f"{len(self._entries)} entries · {'following' if self._following else 'holding · G follows'}"

    def body_line(self, y: int) -> Strip:
        """Draw one line."""
        place = self._top + y
        if not self._drawn and y == 0:
            return self.strip([("nothing is recorded yet", "faint")])
        return self.strip(self._drawn[place] if place < len(self._drawn) else [])

    def on_resize(self) -> None:
        """Break the lines anew."""
        self._layout()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll down."""
        event.stop()
        self.scroll_lines(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll up."""
        event.stop()
        self.scroll_lines(-1)

    @property
    def _last_top(self) -> int:
        return max(0, len(self._drawn) - self.body_height)

    def _layout(self) -> None:
        self._time = max((len(figures.when(entry.at)) for entry in self._entries), default=0) + 2
        self._drawn = [line for entry in self._entries for line in self._lines_of(entry)]
        if self._following:
            self._top = self._last_top
        self._top = min(self._top, self._last_top)
        self.refresh()

    def _lines_of(self, entry: Entry) -> list[list[Part]]:
        by_hand = bool(entry.author)
        author = fit(entry.author or _KINDS.get(entry.kind, entry.kind), _AUTHOR)
        margin: list[Part] = [
            (fit(figures.when(entry.at), self._time), "faint"),
            (author + "  ", "accent" if by_hand else "muted"),
        ]
        named = not entry.generation or f"generation {entry.generation}" in entry.what
        counts = "" if named else f" (from generation {entry.generation} on)"
        indent = self._time + _AUTHOR + 2
        lines: list[list[Part]] = []
        for text in wrap(entry.what + counts, self.size.width - indent, most=6):
            lines.append([*margin, (text, "" if by_hand else "muted")])
            margin = [(" " * indent, "")]
        return lines
