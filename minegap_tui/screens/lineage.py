"""The lineage of a session: the tree of all its candidates, and how the chosen one came to be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Container

from minegap_tui.actions.registry import bindings
from minegap_tui.desk import StoreDesk
from minegap_tui.screens.page import Page
from minegap_tui.view.lineage import Family
from minegap_tui.view.tree import Tree
from minegap_tui.widgets.bars import TitleLine
from minegap_tui.widgets.kin import Ancestry, TreeRows
from minegap_tui.widgets.rows import Rows
from store.errors import StoreError
from store.records import Relative


class LineageScreen(Page):
    """Shows where a candidate comes from and what came of it.

    Args:
        desk: where the store is read.
        session_id: whose candidates.
        focus: the candidate that it is opened for; None takes the most biased one.
        open_it: shows all evidence of a candidate, given its id.
    """

    PLACE = "lineage"
    BINDINGS = bindings(PLACE)
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (140, "-wide")]  # noqa: RUF012  (Textual's)
    DEFAULT_CSS = """
    LineageScreen {
        #lines { height: 1fr; layout: vertical; }
        TreeRows { height: 3fr; }
        Ancestry { height: 2fr; max-height: 16; }
        &.-wide {
            padding: 0 2;
            #lines { layout: horizontal; }
            TreeRows { width: 3fr; height: 1fr; margin-right: 3; }
            Ancestry { width: 2fr; height: 1fr; max-height: 100%; }
        }
    }
    """

    def __init__(
        self, desk: StoreDesk, session_id: str, focus: int | None, open_it: Callable[[int], None]
    ) -> None:
        super().__init__()
        self._desk, self._session_id, self._focus, self._open_it = desk, session_id, focus, open_it
        self._tree: Tree | None = None
        self._title = TitleLine("Lineage")
        self._rows = TreeRows()
        self._ancestry = Ancestry()

    def compose(self) -> ComposeResult:
        """Lay out tree and ancestors; side by side where there is room."""
        yield self._title
        with Container(id="lines"):
            yield self._rows
            yield self._ancestry
        yield self.message
        yield self.keys

    def on_mount(self) -> None:
        """Read the family."""
        self._rows.focus()
        self.begin_reading()
        self.action_again()

    def action_again(self) -> None:
        """Read the family anew: what was mined since."""
        self._read()

    @work(group="family", exclusive=True, description="read a family")
    async def _read(self) -> None:
        chosen = self._tree.chosen if self._tree is not None else None
        try:
            members = await self._members()
            confirmed = await self._desk.ask(lambda reader: reader.confirmed((self._session_id,)))
        except StoreError as error:
            self._rows.say(str(error))
            self.end_reading()
            return
        family = await asyncio.to_thread(Family, members, confirmed)
        tree = await asyncio.to_thread(Tree, family, self._focus)
        if chosen is not None and chosen in family:
            tree.find(chosen)
        self._tree = tree
        roots, last = len(family.roots), max((family.member(n).generation for n in family.numbers), default=0)
        self._title.say(f"{len(family):,} candidates · {roots:,} without parents · {last} generations")
        self._show()
        self.end_reading()

    async def _members(self) -> list[Relative]:
        """Read everybody, page by page: other questions to the desk are answered between two of them."""
        members: list[Relative] = []
        last = -1
        while page := await self._desk.ask(lambda reader, after=last: reader.family(self._session_id, after)):  # type: ignore[misc]
            members += page
            last = page[-1].generation
        return members

    def _show(self) -> None:
        if self._tree is not None:
            self._rows.show_tree(self._tree)
            self._show_ancestry()

    @on(Rows.Moved)
    def _show_ancestry(self) -> None:
        if self._tree is not None:
            self._ancestry.show_candidate(self._tree.family, self._tree.chosen)

    # ------------------------------------------------------------ actions

    def action_move(self, by: int) -> None:
        """Move the cursor by lines."""
        self._rows.move(by)

    def action_page(self, by: int) -> None:
        """Move the cursor by pages."""
        self._rows.page(by)

    def action_end(self, last: bool) -> None:
        """Move the cursor to the first or the last line."""
        self._rows.go(self._rows.length - 1 if last else 0)

    def action_branch(self, how: str) -> None:
        """Open, fold or toggle what descends from the chosen candidate, or show its family alone."""
        if self._tree is not None:
            {
                "open": self._tree.open,
                "close": self._tree.close,
                "toggle": self._tree.toggle,
                "narrow": self._tree.narrow,
                "best": self._tree.to_best,
            }[how]()
            self._show()

    def action_fold_all(self, folded: bool) -> None:
        """Fold everything but the way to the chosen candidate, or open everything."""
        if self._tree is not None:
            self._tree.fold_all(folded=folded)
            self._show()

    def action_home(self) -> None:
        """Go back to the candidate that this is about."""
        if self._tree is not None and self._tree.focus is not None:
            self._tree.find(self._tree.focus)
            self._show()

    def action_scroll_ancestry(self, by: int) -> None:
        """Scroll through the ancestors."""
        self._ancestry.scroll_lines(by)

    @on(Rows.Opened)
    def action_inspect(self) -> None:
        """Show all evidence of the chosen candidate."""
        if self._tree is not None and self._tree.chosen is not None:
            self._open_it(self._tree.chosen)
