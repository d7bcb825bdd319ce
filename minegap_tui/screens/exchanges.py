"""What the LLM was asked and said for one candidate, word by word."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Container

from minegap_tui.actions.registry import bindings
from minegap_tui.desk import StoreDesk
from minegap_tui.sanitise import display_text
from minegap_tui.screens.page import Page
from minegap_tui.view.exchanges import Chapter, chapters
from minegap_tui.widgets.bars import TitleLine
from minegap_tui.widgets.rows import Rows
from minegap_tui.widgets.scroller import Scroller
from minegap_tui.widgets.talk import Entry, TalkRows, said_lines
from store import Reader
from store.errors import StoreError


class Verbatim(Scroller):
    """One exchange, exactly as it was but for what a terminal must not get."""

    @property
    def heading(self) -> str:
        """The title."""
        return "Word by word"


class ExchangesScreen(Page):
    """Shows requests and replies behind a candidate's variations and behind its prompt.

    Args:
        desk: where the store is read.
        candidate_id: whose exchanges.
    """

    PLACE = "exchanges"
    BINDINGS = bindings(PLACE)
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (140, "-wide")]  # noqa: RUF012  (Textual's)
    DEFAULT_CSS = """
    ExchangesScreen {
        #talk { height: 1fr; layout: vertical; }
        TalkRows { height: 3fr; }
        Verbatim { height: 2fr; }
        &.-wide {
            padding: 0 2;
            #talk { layout: horizontal; }
            TalkRows { width: 3fr; height: 1fr; margin-right: 3; }
            Verbatim { width: 2fr; height: 1fr; }
        }
    }
    """

    def __init__(self, desk: StoreDesk, candidate_id: int) -> None:
        super().__init__()
        self._desk, self._candidate_id = desk, candidate_id
        self._chapters: Sequence[Chapter] = ()
        self._only_set_aside = False
        self._laid_out: tuple[Entry | None, int] = (None, 0)
        self._title = TitleLine("Exchanges")
        self._rows = TalkRows()
        self._verbatim = Verbatim()

    def compose(self) -> ComposeResult:
        """Lay out the list and the words; side by side where there is room."""
        yield self._title
        with Container(id="talk"):
            yield self._rows
            yield self._verbatim
        yield self.message
        yield self.keys

    def on_mount(self) -> None:
        """Read what was said."""
        self._rows.focus()
        self.begin_reading()
        self._read()

    @work(group="talk", exclusive=True, description="read what was said")
    async def _read(self) -> None:
        def look_up(reader: Reader) -> tuple[str, tuple[Chapter, ...]]:
            words = reader.writings(self._candidate_id)
            return words.candidate.prompt, chapters(words)

        try:
            prompt, self._chapters = await self._desk.ask(look_up)
        except StoreError as error:
            self._rows.say(str(error))
            self.end_reading()
            return
        self._title.say(display_text(prompt, 120))
        self._show()
        self.end_reading()

    def _show(self) -> None:
        self._rows.show_chapters(self._chapters, only_set_aside=self._only_set_aside)

    def on_resize(self) -> None:
        """Break the words anew."""
        self.call_after_refresh(self._moved)

    @on(Rows.Moved)
    def _moved(self) -> None:
        wanted = (self._rows.chosen, self._verbatim.size.width)
        if wanted != self._laid_out and wanted[0] is not None:
            self._lay_out(*wanted)

    @work(group="words", exclusive=True, description="break what was said into lines")
    async def _lay_out(self, entry: Entry | None, width: int) -> None:
        """Break the words in a thread: a reply may have a megabyte."""
        if entry is None:
            return
        lines = await asyncio.to_thread(said_lines, entry, max(width, 10))
        self._verbatim.show_lines(lines, anew=entry is not self._laid_out[0])
        self._laid_out = (entry, width)

    # ------------------------------------------------------------ actions

    def action_move(self, by: int) -> None:
        """Move the cursor by exchanges."""
        self._rows.move(by)

    def action_end(self, last: bool) -> None:
        """Move the cursor to the first or the last line."""
        self._rows.go(self._rows.length - 1 if last else 0)

    def action_chapter(self, by: int) -> None:
        """Go to the next or the previous chapter."""
        self._rows.step_chapter(by)

    def action_scroll(self, by: int) -> None:
        """Scroll the words by lines."""
        self._verbatim.scroll_lines(by)

    def action_page(self, by: int) -> None:
        """Scroll the words by pages."""
        self._verbatim.scroll_pages(by)

    def action_set_aside(self) -> None:
        """Show only what was set aside, or everything."""
        self._only_set_aside = not self._only_set_aside
        self._show()
