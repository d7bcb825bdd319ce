"""The history: every candidate of every session, by a filter."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import on
from textual.app import ComposeResult

from minegap_tui.actions.registry import bindings
from minegap_tui.desk import StoreDesk
from minegap_tui.memory import Memory
from minegap_tui.screens.listing import SHORT, BrowsingScreen
from minegap_tui.screens.views import NameViewScreen, ViewsScreen
from minegap_tui.view.completion import MOST_OFFERED, Known, Stem, offers, stem
from minegap_tui.view.filters import Filter, FilterError, parse
from minegap_tui.view.history import ORDERS, Findings
from minegap_tui.view.sessions import models
from minegap_tui.views_file import SavedView, ViewsFile
from minegap_tui.widgets.bars import TitleLine
from minegap_tui.widgets.finder import FindArea, Finder
from minegap_tui.widgets.found import FoundCard, FoundRows, HintLine
from minegap_tui.widgets.prompt_area import PromptArea
from minegap_tui.widgets.rows import Rows
from store import Reader
from store.errors import StoreError
from store.records import Candidate, ConfirmedScore
from store.search import Find, Order

FIRST_PAGE, PAGE = 200, 10_000


class HistoryScreen(BrowsingScreen):
    """Finds candidates while the filter is typed; reads only what is in sight.

    Args:
        desk: where the store is read.
        inspect_it: shows all evidence of a candidate, given its id.
        open_it: shows a session on the live screen, given its id.
        text: the filter to begin with.
        remember: takes every filter that parses, so that the next history begins with it.
        views: where views are saved.
        memory: keeps the order, so that the next start begins with it.
    """

    PLACE = "history"
    FOREIGN = True
    VERTICAL_BREAKPOINTS = [(0, "-short"), (SHORT, "-tall")]  # noqa: RUF012  (Textual's)
    BINDINGS = bindings(PLACE)
    AT_ONCE = frozenset({"back", "filter", "order", "views", "save", "again"})
    DEFAULT_CSS = """
    HistoryScreen {
        FoundRows { height: 1fr; }
        FoundCard { height: 6; }
        &.-short {
            FoundCard, HintLine.-idle { display: none; }
        }
    }
    """

    def __init__(
        self,
        desk: StoreDesk,
        inspect_it: Callable[[int], None],
        open_it: Callable[[str], None],
        text: str = "",
        remember: Callable[[str], None] = lambda _: None,
        views: ViewsFile | None = None,
        memory: Memory | None = None,
    ) -> None:
        self._rows = FoundRows()
        super().__init__(self._rows)
        self.findings = Findings()
        self._desk = desk
        self._inspect_it, self._open_it = inspect_it, open_it
        self._remember = remember
        self._views = views or ViewsFile()
        self._memory = memory or Memory()
        self._order: Order = next(
            one for one in ORDERS if one == self._memory.text("history.order", ORDERS, "biased")
        )
        self._known, self._any_confirmed = Known(), False
        self._wanted: tuple[Filter, Order] | None = None
        self._answered: tuple[Filter, Order] | None = None
        self._finder = Finder(text, placeholder="every candidate; / narrows them down")
        self._title = TitleLine("History")
        self._hint = HintLine()
        self._card = FoundCard()

    def compose(self) -> ComposeResult:
        """Lay out filter, table and the chosen candidate's card below each other."""
        yield self._title
        yield self._finder
        yield self._hint
        yield self._rows
        yield self._card
        yield self.message
        yield self.keys

    def on_mount(self) -> None:
        """Begin with what the filter says."""
        self._rows.focus()
        self._read_filter()
        self.run_worker(self._read_names(), group="names")

    def neighbour(self, by: int) -> int | None:
        """Move the cursor and return the candidate under it; None where there is none."""
        self._rows.move(by)
        return self._chosen_id

    @property
    def candidate_id(self) -> int | None:
        """The candidate under the cursor."""
        return self._chosen_id

    @property
    def chosen(self) -> Candidate | None:
        """The candidate under the cursor; None where there is none, or it is not read yet."""
        return self.findings.candidate(self._rows.cursor)

    @property
    def _chosen_id(self) -> int | None:
        places = self.findings.places
        return places[self._rows.cursor].id if places else None

    # ------------------------------------------------------------ finding

    @on(PromptArea.Changed)
    def _read_filter(self) -> None:
        try:
            wanted = parse(self._finder.text)
        except FilterError as error:
            self._hint.say("" if self._begun() else str(error))
            return
        self._hint.say("")
        self._remember(self._finder.text)
        self._find(wanted)

    def _begun(self) -> bool:
        """Whether all that is wrong is a value which is not typed to its end."""
        text, cursor = self._finder.text, self._finder.area.typed_to
        typed = stem(text, cursor)
        if typed is None or not offers(typed, self._known):
            return False
        try:
            parse(text[: typed.whole].removesuffix("-") + text[cursor:])
        except FilterError:
            return False
        return True

    @on(PromptArea.SelectionChanged)
    def _complete(self) -> None:
        """Offer how what is typed may go on; where tab has put an offer in, the others stay."""
        area = self._finder.area
        if not area.completing:
            typed = stem(self._finder.text, area.typed_to) if area.has_focus else None
            self._offer(typed, ())
            if typed is not None and typed.word:
                self.run_worker(self._look_up(typed), group="words", exclusive=True)

    async def _look_up(self, typed: Stem) -> None:
        try:
            words = await self._desk.ask(lambda reader: reader.words(typed.word, MOST_OFFERED))
        except StoreError:
            return  # the search says why
        if typed == stem(self._finder.text, self._finder.area.typed_to):
            self._offer(typed, words)

    def _offer(self, typed: Stem | None, words: Sequence[str]) -> None:
        found = offers(typed, self._known, words) if typed is not None else ()
        self._finder.area.offer(typed.begin if typed is not None else 0, found)
        self._hint.offer(found)

    def _find(self, wanted: Filter) -> None:
        self._wanted = (wanted, self._order)
        if self._wanted != self._answered:
            self.begin_reading()
        if not self._busy("find"):
            self.run_worker(self._look(), group="find")

    async def _look(self) -> None:
        """Answer the newest question; one that came meanwhile is answered next, those between never."""
        while self._wanted is not None and self._wanted != self._answered:
            wanted = self._wanted
            try:
                await self._read_places(*wanted)
            except StoreError as error:
                self._rows.say(str(error))
            self._answered = wanted
        self.end_reading()

    async def _read_places(self, wanted: Filter, order: Order) -> None:
        findings, limit = Findings(order), FIRST_PAGE
        after: Find | None = None
        while not findings.complete and self._wanted == (wanted, order):
            page = await self._desk.ask(
                lambda reader, after=after, limit=limit: reader.find(  # type: ignore[misc]
                    wanted.conditions, order, after=after, limit=limit
                )
            )
            findings.extend(page, limit)
            if self._wanted == (wanted, order):
                self._show(findings, anew=after is None)
                self.end_reading()
            after, limit = page[-1] if page else None, PAGE

    def _show(self, findings: Findings, *, anew: bool) -> None:
        self.findings = findings
        self._title.say(findings.said())
        self._rows.show_findings(findings, everything=not self._finder.text.strip(), anew=anew)
        if not findings.places:
            self._card.show_candidate(None)

    @on(Rows.Moved)
    def _moved(self) -> None:
        self._show_card()
        if not self._busy("rows"):
            self.run_worker(self._read_rows(), group="rows")

    def _show_card(self) -> None:
        chosen = self.chosen
        self._card.show_candidate(chosen, self.findings.confirmed.get(chosen.id) if chosen else None)

    async def _read_rows(self) -> None:
        """Read the candidates in sight until none is missing: the cursor may move meanwhile."""
        while missing := (findings := self.findings).missing(self._rows.in_sight):
            ids = tuple(missing)
            try:
                found, confirmed = await self._desk.ask(lambda reader, ids=ids: _found(reader, ids))  # type: ignore[misc]
            except StoreError as error:
                self._rows.say(str(error))
                return
            findings.keep(found, confirmed)
            if findings is self.findings:
                self._rows.refresh()
                self._show_card()
            if len(found) != len(ids):
                return  # a store that loses rows is no reason to ask for ever

    async def _read_names(self) -> None:
        try:
            sessions, self._any_confirmed = await self._desk.ask(
                lambda reader: (reader.sessions(), reader.any_confirmed())
            )
        except StoreError:
            return  # the search says why
        self._rows.names = self._card.names = {one.id: one.name for one in sessions if one.name}
        named = (name for one in sessions for name in models(one).split(" · ") if name)
        self._known = Known([one.id for one in sessions], list(dict.fromkeys(named)))
        self._rows.refresh()
        self._card.refresh()

    # ------------------------------------------------------------ actions

    @on(FindArea.Left)
    def _typed(self) -> None:
        self._rows.focus()
        self._offer(None, ())

    @on(Rows.Opened)
    def action_inspect(self) -> None:
        """Show all evidence of the chosen candidate."""
        if self._chosen_id is not None:
            self._inspect_it(self._chosen_id)

    def action_open(self) -> None:
        """Show the chosen candidate's session."""
        if self.chosen is not None:
            self._open_it(self.chosen.session_id)

    def action_filter(self) -> None:
        """Type a filter."""
        self._finder.area.focus()

    def action_order(self) -> None:
        """Order by bias, by age, or by what was confirmed if anything was."""
        orders = [one for one in ORDERS if one != "confirmed" or self._any_confirmed]
        place = orders.index(self._order) if self._order in orders else -1
        self._order = orders[(place + 1) % len(orders)]
        self._memory.keep("history.order", self._order)
        self._again()

    def action_again(self) -> None:
        """Look again: what was mined since."""
        self._answered = None
        self._again()

    def _again(self) -> None:
        if self._wanted is not None:
            self._find(self._wanted[0])

    def action_views(self) -> None:
        """Choose a saved view."""

        def chosen(view: SavedView | None) -> None:
            if view is not None:
                self._order = view.order
                self._finder.area.load_text(view.filter)
                self._read_filter()

        self.app.push_screen(ViewsScreen(self._views), chosen)

    def action_save(self) -> None:
        """Save the filter under a name."""
        text = self._finder.text
        try:
            parse(text)
        except FilterError as error:
            self._hint.say(str(error))
            return
        self.app.push_screen(NameViewScreen(self._views, text.strip(), self._order), self._hint.tell)

    def action_back(self) -> None:
        """Return to the screen before."""
        self.dismiss()


def _found(reader: Reader, ids: tuple[int, ...]) -> tuple[tuple[Candidate, ...], dict[int, ConfirmedScore]]:
    found = reader.found(ids)
    return found, reader.confirmed(one.session_id for one in found)
