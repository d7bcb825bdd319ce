"""Images of a session, generation by generation: a contact sheet, one candidate's images, or two side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from textual import work
from textual.app import ComposeResult

from minegap_tui.actions.registry import bindings
from minegap_tui.contact_sheet import save_sheet
from minegap_tui.desk import StoreDesk
from minegap_tui.screens.page import Page
from minegap_tui.screens.viewer import ViewerScreen
from minegap_tui.view.scrub import Scrub
from minegap_tui.view.shots import Sheet, of_candidate, of_generation, of_pair
from minegap_tui.widgets.bars import TitleLine
from minegap_tui.widgets.sheet import Scrubber, SheetBoard, ShotWords
from store import Reader
from store.errors import StoreError

T = TypeVar("T")

LOOK_SECONDS = 1.0
"""How often the store is asked for a newer generation."""

_NOTHING_YET = (
    "No candidate of this session has a score yet, so there is no image to show. The first images come here by "
    "themselves; esc returns."
)


class GalleryScreen(Page):
    """Scrubs over a session's generations, or over a candidate's line of ancestors.

    Args:
        desk: reads the store; the screen closes it.
        session_id, name: the session.
        say: tells the user a sentence; ``True`` where it is a refusal.
        candidate_id: show all images of this candidate first; None shows the newest generation.
    """

    PLACE = "gallery"
    FOREIGN = True
    BINDINGS = bindings(PLACE)
    AT_ONCE = frozenset({"back", "scrub", "scrub_to", "app.images"})
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]  # noqa: RUF012  (Textual's)
    DEFAULT_CSS = """
    GalleryScreen {
        SheetBoard { height: 1fr; }
        &.-short ShotWords { height: 3; }
    }
    """

    def __init__(
        self,
        desk: StoreDesk,
        session_id: str,
        name: str,
        say: Callable[[str, bool], None],
        candidate_id: int | None = None,
        why_not: Callable[[str], str] = lambda _: "",
    ) -> None:
        super().__init__(why_not)
        self._desk, self._session, self._say = desk, session_id, say
        self._headline = TitleLine("Gallery")
        self._called = name
        self._scrubber, self._board, self._words = Scrubber(), SheetBoard(), ShotWords()
        self._scrub = Scrub()
        self._scored = 0
        self._sheet = Sheet("generation", (), note="Reading …")
        self._below: list[tuple[Sheet, int]] = []
        self._chain: tuple[int, ...] = ()
        self._chosen = 0
        self._marked: int | None = None
        self._first = candidate_id

    def compose(self) -> ComposeResult:
        """Lay out the parts below each other."""
        yield self._headline
        yield self._scrubber
        yield self._board
        yield self._words
        yield self.message
        yield self.keys

    def on_mount(self) -> None:
        """Read what is to be seen first, and go on looking for what is new."""
        self._headline.say(self._called)
        self.begin_reading()
        if self._first is None:
            self._look()
        else:
            self._read_candidate(self._first)
        self.set_interval(LOOK_SECONDS, self._look_again)

    def on_resize(self) -> None:
        """Lay the images out anew."""
        self.call_after_refresh(self._draw)

    async def on_unmount(self) -> None:
        """Close the reader."""
        await self._desk.close()

    # ------------------------------------------------------------ reading

    def _look_again(self) -> None:
        if self.app.screen is self and self._sheet.kind == "generation":
            self._look()

    @work(exclusive=True, group="gallery look", description="look for a newer generation")
    async def _look(self) -> None:
        found = await self._ask(lambda reader: reader.scored_generations(self._session))
        if found is None:
            if not self._sheet.shots and self._sheet.kind == "generation":
                self._show(replace(self._sheet, note=_NOTHING_YET))
            self.end_reading()
            return
        first, newest, scored = found
        moved = self._scrub.grow(first, newest)
        grown = self._scrub.at == newest and scored != self._scored
        self._scored = scored
        if self._sheet.kind == "generation" and (moved or grown):
            self._read_generation()
        self._draw_scrubber()

    @work(exclusive=True, group="gallery", description="read a generation's images")
    async def _read_generation(self) -> None:
        generation = self._scrub.at
        self.begin_reading()
        sheet = await self._ask(
            lambda reader: of_generation(
                reader.best_images(self._session, generation), reader.confirmed((self._session,))
            )
        )
        if sheet is not None:
            self._show(sheet)
        self.end_reading()

    @work(exclusive=True, group="gallery", description="read a candidate's images")
    async def _read_candidate(self, candidate_id: int) -> None:
        self.begin_reading()
        found = await self._ask(lambda reader: reader.candidate(candidate_id))
        if found is not None:
            sheet = of_candidate(found)
            self._session = self._session or found.candidate.session_id
            if candidate_id not in self._chain:
                self._chain = sheet.chain
            self._show(sheet)
        self.end_reading()

    @work(exclusive=True, group="gallery", description="read two candidates' images")
    async def _read_beside(self, candidate_id: int) -> None:
        self.begin_reading()
        await self._lay_beside(candidate_id)
        self.end_reading()

    async def _lay_beside(self, candidate_id: int) -> None:
        one = await self._ask(lambda reader: reader.candidate(candidate_id))
        if one is None:
            return
        other = self._marked if self._marked != candidate_id else None
        if other is None:
            other = one.candidate.parent_id
        if other is None:
            self._say("It has no parent: mark another one with space, then press s here.", True)
            return
        above = other
        found = await self._ask(lambda reader: reader.candidate(above))
        if found is not None:
            self._below.append((self._sheet, self._chosen))
            self._chosen = 0
            self._show(of_pair(found, one))

    async def _ask(self, question: Callable[[Reader], T]) -> T | None:
        try:
            return await self._desk.ask(question)
        except StoreError as error:
            self._say(str(error), True)
            return None

    # ------------------------------------------------------------ drawing

    def _show(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._chosen = min(self._chosen, max(len(sheet.shots) - 1, 0))
        self._draw()

    def _draw(self) -> None:
        sheet = self._sheet
        self._board.show_sheet(sheet, self._chosen, self._marked)
        if sheet.kind == "pair" and sheet.shots:
            self._words.show_pair(sheet, self._chosen)
        else:
            self._words.show_shot(sheet.shots[self._chosen] if sheet.shots else None)
        self._draw_scrubber()

    def _draw_scrubber(self) -> None:
        if self._sheet.kind == "generation":
            self._scrubber.show_generation(self._scrub)
        elif self._sheet.kind == "candidate":
            place = self._chain.index(self._sheet.chain[-1])
            self._scrubber.show_chain(place, len(self._chain))
        else:
            self._scrubber.show_words("two candidates, draw by draw")

    # ------------------------------------------------------------ actions

    def action_scrub(self, by: int) -> None:
        """Go over the generations, over the ancestors, or over the draws of a pair."""
        if self._sheet.kind == "pair":
            self.action_choose(by, 0)
        elif self._sheet.kind == "generation":
            if self._scrub.step(by):
                self._read_generation()
            self._draw_scrubber()
        else:
            self._ancestor(self._chain.index(self._sheet.chain[-1]) + by)

    def action_scrub_to(self, last: bool) -> None:
        """Go to the first or the last of them."""
        if self._sheet.kind == "generation":
            if self._scrub.to_end(last=last):
                self._read_generation()
            self._draw_scrubber()
        elif self._sheet.kind == "candidate":
            self._ancestor(len(self._chain) - 1 if last else 0)

    def action_choose(self, across: int, down: int) -> None:
        """Move the cursor."""
        if self._sheet.shots:
            self._chosen = self._board.beyond(self._chosen, across, down)
            self._draw()

    def action_view(self) -> None:
        """Show the chosen image alone."""
        if self._sheet.shots:
            self.app.push_screen(ViewerScreen(self._sheet.shots, self._chosen, self._return_to))

    def action_all(self) -> None:
        """Show all images of the candidate, or what was there before."""
        if self._sheet.kind == "candidate":
            if not self._step_out():
                self._show(Sheet("generation", (), note="Reading …"))
                self._look()
        elif self._sheet.shots:
            self._below.append((self._sheet, self._chosen))
            shot, self._chosen, self._chain = self._sheet.shots[self._chosen], 0, ()
            self._read_candidate(shot.candidate_id)

    def action_beside(self) -> None:
        """Lay the candidate beside another one, or show what was there before."""
        if self._sheet.kind == "pair":
            self._step_out()
        elif self._sheet.shots:
            self._read_beside(self._sheet.shots[self._chosen].candidate_id)

    def action_mark(self) -> None:
        """Mark the candidate that another one is laid beside, or take the mark away."""
        if self._sheet.shots:
            candidate_id = self._sheet.shots[self._chosen].candidate_id
            self._marked = None if self._marked == candidate_id else candidate_id
            self._draw()
            self._say(
                "Marked: s on another candidate lays that one beside it." if self._marked else "", False
            )

    def action_save(self) -> None:
        """Write the sheet as a file."""
        if self._sheet.shots:
            self._save(self._sheet, f"{self._called} · {self._scrubber.words}")

    @work(thread=True, exclusive=True, group="gallery save", description="write a contact sheet")
    def _save(self, sheet: Sheet, title: str) -> None:
        try:
            path = save_sheet(sheet, title, Path.cwd())
        except OSError as error:
            self.app.call_from_thread(
                self._say, f"The sheet was not written ({error.strerror}): see to the directory.", True
            )
        else:
            self.app.call_from_thread(self._say, f"Written: {path}", False)

    def action_back(self) -> None:
        """Step out by one layer."""
        if not self._step_out():
            self.dismiss()

    def _step_out(self) -> bool:
        if not self._below:
            return False
        sheet, self._chosen = self._below.pop()
        self._show(sheet)
        if sheet.kind == "generation":
            self._look()
        return True

    def _ancestor(self, place: int) -> None:
        wanted = self._chain[min(max(place, 0), len(self._chain) - 1)]
        if wanted != self._sheet.chain[-1]:
            self._read_candidate(wanted)

    def _return_to(self, place: int) -> None:
        self._chosen = min(place, max(len(self._sheet.shots) - 1, 0))
        self._draw()
