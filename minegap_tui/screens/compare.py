"""Two sessions, or two painters, prompt by prompt."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.containers import Container

from minegap_tui.actions.registry import bindings
from minegap_tui.desk import StoreDesk
from minegap_tui.memory import Memory
from minegap_tui.screens.listing import BrowsingScreen
from minegap_tui.screens.versus import MOST, VersusScreen
from minegap_tui.view.compare import COLUMNS, Comparison, Side, compare, trend
from minegap_tui.view.contrast import cautions, differences, turned
from minegap_tui.view.paired import Paired, paired
from minegap_tui.view.pairing import Arrangement
from minegap_tui.view.sides import Choice, of_session, painters, read_side
from minegap_tui.view.verdict import compared_by, verdict
from minegap_tui.widgets.bars import TitleLine
from minegap_tui.widgets.charts import Scatter, Trends
from minegap_tui.widgets.pairs import PairCard, PairRows
from minegap_tui.widgets.rows import Rows
from minegap_tui.widgets.versus import Figures, SidesLines, Unlike, VerdictLines
from store import Reader
from store.errors import StoreError

_MOST_KEPT = 500
"""Evaluations whose missed concepts are held in memory."""


@dataclass(frozen=True)
class _Read:
    """What was read of the store."""

    found: Comparison
    turned: tuple[list[str], list[str]]


class CompareScreen(BrowsingScreen):
    """Reads both sides, pairs them and shows the pairs, their figures and what differs.

    Args:
        store: directory of the store.
        session_ids: the sessions to begin with; where there is one only, the other side is asked for.
        inspect_it: shows all evidence of a candidate, given its id.
        memory: keeps the order, so that the next start begins with it.
    """

    PLACE = "compare"
    FOREIGN = True
    BINDINGS = bindings(PLACE)
    AT_ONCE = frozenset({"back", "details"})
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-normal"), (160, "-wide")]  # noqa: RUF012  (Textual's)
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-middle"), (34, "-tall")]  # noqa: RUF012  (Textual's)
    DEFAULT_CSS = """
    CompareScreen {
        #body { height: 1fr; layout: horizontal; margin-top: 1; }
        #pairs { width: 1fr; height: 1fr; layout: vertical; }
        PairRows { height: 1fr; }
        PairCard { height: 7; margin-top: 1; }
        #aside { width: 48; height: 1fr; margin-left: 2; layout: vertical; }
        Figures { height: 6; }
        Scatter { height: 10; }
        Trends { height: 8; margin-top: 1; }
        Unlike { height: 1fr; margin-top: 1; }
        &.-wide #aside { width: 72; }
        &.-wide.-tall Scatter { height: 14; }
        &.-wide.-tall Trends { height: 9; }
        &.-tall PairCard { height: 12; }
        &.-middle Trends { display: none; }
        &.-middle Scatter { height: 8; }
        &.-narrow, &.-short {
            #body { margin-top: 0; }
            #aside { display: none; width: 1fr; margin-left: 0; }
            PairCard { margin-top: 0; }
            &.-details, &.-pictures {
                #aside { display: block; }
                #pairs { display: none; }
            }
            &.-details {
                Scatter, Trends { display: none; }
            }
            &.-pictures {
                Figures, Unlike { display: none; }
                Scatter { height: 3fr; }
                Trends { display: block; height: 2fr; }
            }
        }
        &.-short PairCard { display: none; }
        &.-short VerdictLines { margin-top: 0; }
    }
    """

    def __init__(
        self,
        store: Path,
        session_ids: tuple[str, ...],
        inspect_it: Callable[[int], None],
        memory: Memory,
    ) -> None:
        self._rows = PairRows()
        super().__init__(self._rows)
        self._memory = memory
        self._rows.how = Arrangement(
            column=next(one for one in COLUMNS if one == memory.text("compare.column", COLUMNS, COLUMNS[0])),
            descending=memory.flag("compare.descending", default=False),
        )
        self._desk = StoreDesk(store)
        self._wanted = session_ids
        self._inspect_it = inspect_it
        self._sides: tuple[Choice, Choice] | None = None
        self._read: _Read | None = None
        self._metric = ""
        self._inspected = "a"
        self._missed: dict[int, tuple[str, ...]] = {}
        self._title = TitleLine("Compare")
        self._names = SidesLines()
        self._verdict = VerdictLines()
        self._card = PairCard()
        self._figures, self._scatter, self._trends, self._unlike = Figures(), Scatter(), Trends(), Unlike()

    def compose(self) -> ComposeResult:
        """Lay out the sides, the verdict, table and card at the left, figures and pictures at the right."""
        yield self._title
        yield self._names
        yield self._verdict
        with Container(id="body"):
            with Container(id="pairs"):
                yield self._rows
                yield self._card
            with Container(id="aside"):
                yield self._figures
                yield self._scatter
                yield self._trends
                yield self._unlike
        yield self.message
        yield self.keys

    def on_mount(self) -> None:
        """Read the sessions, and ask for the other side where there is none."""
        self._rows.focus()
        self.begin_reading()
        self.run_worker(self._begin(), group="compare", exclusive=True)

    async def on_unmount(self) -> None:
        """End the reader."""
        await self._desk.close()

    @property
    def comparison(self) -> Comparison | None:
        """What is on the screen."""
        return self._read.found if self._read is not None else None

    @property
    def candidate_id(self) -> int | None:
        """The candidate under the cursor, on the side that was looked at last."""
        return self._candidate(self._inspected)

    def neighbour(self, by: int) -> int | None:
        """Move the cursor and return the candidate under it on the side that was looked at; None for none."""
        self._rows.move(by)
        return self._candidate(self._inspected)

    # ------------------------------------------------------------ reading

    async def _begin(self) -> None:
        try:
            sides = await self._desk.ask(lambda reader: _named(reader, self._wanted))
        except StoreError as error:
            self._rows.say(str(error))
            self.end_reading()
            return
        if len(sides) > 1:
            await self._compare(sides[0], sides[1])
        else:
            await self._ask(sides[0])

    async def _ask(self, side: Choice) -> None:
        try:
            others = await self._desk.ask(lambda reader: _others(reader, side))
        except StoreError as error:
            self._rows.say(str(error))
            self.end_reading()
            return

        def chosen(other: Choice | None) -> None:
            if other is not None:
                self._compare_soon(side, other)
            elif self._read is None:
                self.dismiss()

        self.app.push_screen(VersusScreen(side, others), chosen)
        self.end_reading()

    def _compare_soon(self, a: Choice, b: Choice) -> None:
        self.run_worker(self._compare(a, b), group="compare", exclusive=True)

    async def _compare(self, a: Choice, b: Choice) -> None:
        self._sides = (a, b)
        self.begin_reading()
        metric = self._metric
        try:
            read = await self._desk.ask(lambda reader: _compared(reader, a, b, metric))
        except StoreError as error:
            self._rows.say(str(error))
            self.end_reading()
            return
        await self._show(read)

    async def _show(self, read: _Read) -> None:
        found = read.found
        self._read = read
        self._title.say(compared_by(found))
        self._names.show_comparison(found)
        self._rows.show_comparison(found)
        self._scatter.show_pairs(found.pairs)
        self.end_reading()
        self._trends.show_trends(trend(found.a, found.metric), trend(found.b, found.metric))
        self._unlike.show_differences(differences(found.a, found.b), read.turned, cautions(found))
        self._figures.show_figures(None, "counting …" if found.differences else "no pair tells anything")
        if not found.differences:
            self._tell(found, None)
            return
        self._verdict.show_verdict("counting …", ())
        told = await asyncio.to_thread(paired, found.differences)  # its first call imports scipy
        if self._read is read:
            self._figures.show_figures(told)
            self._tell(found, told)

    def _tell(self, found: Comparison, told: Paired | None) -> None:
        self._verdict.show_verdict(verdict(found, told), cautions(found))

    @on(Rows.Moved)
    def _moved(self) -> None:
        line = self._rows.chosen
        self._scatter.choose(line.pair if line is not None else None)
        self._card.show_line(line, self._missed)
        if line is not None and not self._busy("missed"):
            self.run_worker(self._read_missed(), group="missed")

    async def _read_missed(self) -> None:
        """Read what the chosen prompt's images leave out; the cursor may move meanwhile."""
        while (line := self._rows.chosen) is not None:
            wanted = [
                one.evaluation_id
                for one in (line.a, line.b)
                if one is not None and one.evaluation_id not in self._missed
            ]
            if not wanted:
                break
            if len(self._missed) > _MOST_KEPT:
                self._missed.clear()
            try:
                for number in wanted:
                    self._missed[number] = await self._desk.ask(
                        lambda reader, number=number: reader.missed(number)  # type: ignore[misc]
                    )
            except StoreError as error:
                self._rows.say(str(error))
                return
        self._card.show_line(self._rows.chosen, self._missed)

    # ------------------------------------------------------------ actions

    def _candidate(self, side: str) -> int | None:
        line = self._rows.chosen
        if line is None:
            return None
        one = (line.b or line.a) if side == "b" else (line.a or line.b)
        return one.candidate_id if one is not None else None

    def action_inspect(self, side: str) -> None:
        """Show all evidence of the chosen prompt on a side, or on the only one that measured it."""
        self._inspected = side
        number = self._candidate(side)
        if number is not None:
            self._inspect_it(number)

    @on(Rows.Opened)
    def _opened(self) -> None:
        self.action_inspect("a")

    def action_part(self, by: int) -> None:
        """List the next prompts: shared ones, those of A, those of B."""
        self._rows.put(self._rows.how.next_part(by))

    def action_sort(self) -> None:
        """Sort by the next column."""
        self._arrange(self._rows.how.next_column())

    def action_turn(self) -> None:
        """Sort the other way round."""
        self._arrange(self._rows.how.turned())

    def _arrange(self, how: Arrangement) -> None:
        self._rows.put(how)
        self._memory.keep("compare.column", how.column)
        self._memory.keep("compare.descending", how.descending)

    def action_metric(self) -> None:
        """Compare by the next score."""
        if self._read is None or not self._read.found.metrics:
            return
        found = self._read.found
        place = found.metrics.index(found.metric)
        self._metric = found.metrics[(place + 1) % len(found.metrics)]
        self.run_worker(self._compare_again(found.a, found.b), group="compare", exclusive=True)

    async def _compare_again(self, a: Side, b: Side) -> None:
        read, metric = self._read, self._metric
        assert read is not None, "there is one before it is compared again"
        found = await asyncio.to_thread(compare, a, b, metric)
        await self._show(_Read(found, read.turned))

    def action_details(self) -> None:
        """Where there is no room for all of it: figures, then pictures, then the table again."""
        if self.has_class("-details"):
            self.set_classes([*(self.classes - {"-details"}), "-pictures"])
        elif self.has_class("-pictures"):
            self.remove_class("-pictures")
        else:
            self.add_class("-details")

    def action_other(self) -> None:
        """Choose what A is compared with."""
        if self._sides is not None:
            self.begin_reading()
            self.run_worker(self._ask(self._sides[0]), group="compare", exclusive=True)

    def action_swap(self) -> None:
        """Exchange A and B."""
        if self._sides is not None:
            self._compare_soon(self._sides[1], self._sides[0])

    def action_again(self) -> None:
        """Read both sides again."""
        if self._sides is not None:
            self._compare_soon(*self._sides)


def _named(reader: Reader, wanted: tuple[str, ...]) -> list[Choice]:
    return [of_session(reader.session(one)) for one in wanted]


def _others(reader: Reader, side: Choice) -> list[Choice]:
    """What a side can be compared with: the newest sessions that have a score, then painters with several."""
    sessions = reader.sessions()
    found = [of_session(one) for one in sessions if one.scored and (one.id,) != side.ids][:MOST]
    return found + [one for one in painters(sessions) if len(one.ids) > 1 and one.ids != side.ids]


def _compared(reader: Reader, a: Choice, b: Choice, metric: str) -> _Read:
    # Sessions that are mined meanwhile have more scores than when they were chosen; their row is read anew.
    one, other = (
        replace(side, sessions=tuple(reader.session(session.id) for session in side.sessions))
        for side in (a, b)
    )
    found = compare(read_side(reader, one), read_side(reader, other), metric)
    return _Read(found, (turned(found.a, reader.events), turned(found.b, reader.events)))
