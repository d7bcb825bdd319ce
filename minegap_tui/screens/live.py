"""The live screen: leaderboard, trend, progress and the selected candidate's evidence."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message

from minegap_tui.actions.action import Action, Place
from minegap_tui.actions.registry import bindings
from minegap_tui.keymap import Keymap
from minegap_tui.look import Dressed
from minegap_tui.memory import Memory
from minegap_tui.screens.page import Page
from minegap_tui.view.evidence import Evidence
from minegap_tui.view.panes import PANES, Width, shown, toggle
from minegap_tui.view.rhythm import Rhythm
from minegap_tui.view.session import SessionView
from minegap_tui.view.steering import Messages
from minegap_tui.widgets.bars import Banner, Hint, ProgressLine, StateLine
from minegap_tui.widgets.evidence import Gallery, Headline, Variations
from minegap_tui.widgets.leaderboard import Leaderboard
from minegap_tui.widgets.log import EventLog
from minegap_tui.widgets.machine import Machine
from minegap_tui.widgets.trend import Trend

MOST_ROWS = 500
TABLE_SECONDS = 0.25
PLOT_SECONDS = 0.5
HINT_SEEN = "hint.seen"
_WIDTHS: tuple[Width, ...] = ("-narrow", "-normal", "-wide")
_ABOUT_A_CANDIDATE = frozenset({"app.inspect", "toggle_follow"})
_ABOUT_EVIDENCE = frozenset({"app.inspect", "inspect"})


class LiveScreen(Page):
    """Draws a ``SessionView``; works the same while mining and after."""

    PLACE: ClassVar[Place] = "live"
    BINDINGS = bindings(PLACE)
    AT_ONCE = frozenset(
        {
            "app.go('home')",
            "app.go('history')",
            "app.go('new')",
            "app.go('doctor')",
            "toggle_pane",
            "put_away_hint",
        }
    )
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (60, "-narrow"), (100, "-normal"), (160, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-low"), (18, "-high")]  # noqa: RUF012

    class Ready(Message):
        """Every part of the screen is there."""

    def __init__(self, why_not: Callable[[str], str] = lambda _: "") -> None:
        """``why_not``: tells why a steering action cannot be done now; empty when it can."""
        super().__init__(why_not)
        self.leaderboard = Leaderboard(id="leaderboard")
        self._state = StateLine(id="state")
        self._progress = ProgressLine(id="progress")
        self._banner = Banner(id="trouble")
        self._trend = Trend(id="trend")
        self._headline = Headline(id="headline")
        self._gallery = Gallery(id="gallery")
        self._variations = Variations(id="variations")
        self._machine = Machine(id="machine")
        self._log = EventLog(id="log")
        self._hint = Hint(id="hint")
        self._proven: int | None = None
        self._tables, self._plots = Rhythm(TABLE_SECONDS), Rhythm(PLOT_SECONDS)

    def compose(self) -> ComposeResult:
        """Lay out the parts; the style sheet arranges them by width."""
        yield self._state
        yield self._progress
        yield self._banner
        with Container(id="body"):
            with Container(id="mined"):
                yield self.leaderboard
                with Container(id="side"):
                    yield self._trend
                    yield self._machine
            with Container(id="evidence"):
                yield self._headline
                with Container(id="proof"):
                    yield self._gallery
                    yield self._variations
        yield self._log
        yield self._hint
        yield self.message
        yield self.keys

    def on_mount(self) -> None:
        """Tell the app that drawing can begin."""
        memory = self._memory
        self._hint.display = memory.lasts and not memory.flag(HINT_SEEN, default=False)
        self._hint.say(self.app.keymap if isinstance(self.app, Dressed) else Keymap())
        self.post_message(self.Ready())

    def on_resize(self) -> None:
        """Show the panes that belong to this width."""
        self.call_after_refresh(self._arrange)

    def show_session(self, view: SessionView, now: float, *, at_once: bool = False) -> None:
        """Draw what changed in the session: tables four times a second at most, plots twice.

        Args:
            now: a rising clock's.
            at_once: however little time has passed.
        """
        if self._tables.due(view.revision, now, at_once=at_once):
            self.leaderboard.show_hand(view.marks, view.hand.pending)
            self.leaderboard.show_confirmed(view.confirmed)
            self.leaderboard.show_rows(view.leaderboard(MOST_ROWS), view.scored)
            self._progress.show_progress(view)
            self._banner.show_trouble(view)
            self._log.show_log(view.log)
        if self._plots.due(view.revision, now, at_once=at_once):
            self._trend.show_trend(
                view.trend(), view.generations, view.reliability, so_far=not view.confirmed
            )
            self._machine.show_machine(view)

    def show_state(self, view: SessionView, messages: Messages, *, silent: float) -> None:
        """Draw how the engine stands and what it answered."""
        self._state.show_state(view, silent=silent)
        self.show_message(messages, view)

    def show_evidence(self, evidence: Evidence) -> None:
        """Draw the selected candidate."""
        self._proven = evidence.candidate_id
        self.post_message(self.Read())
        self._headline.show_evidence(evidence)
        self._gallery.show_evidence(evidence)
        self._variations.show_evidence(evidence)

    def no_evidence(self, candidate_id: int) -> None:
        """A candidate's evidence cannot be read: nothing waits for it any more."""
        self._proven = candidate_id
        self.post_message(self.Read())

    def waits(self, action: Action) -> bool:
        """Whether what an action is about is still being read: the session, or the selected candidate's evidence."""
        behind = self.leaderboard.selected != self._proven
        return super().waits(action) or (behind and action.name in _ABOUT_EVIDENCE)

    @property
    def candidate_id(self) -> int | None:
        """The selected candidate."""
        return self.leaderboard.selected

    def refusal(self, action: Action) -> str:
        """Return why an action cannot be done now; empty when it can."""
        if action.name in _ABOUT_A_CANDIDATE and self.leaderboard.selected is None:
            return "No candidate is selected: wait for the first score."
        if action.name.startswith("toggle_pane(") and self._width is None:
            return "There is no room for panes: make the terminal larger than 60 columns and 18 lines."
        return super().refusal(action)

    def action_move(self, by: int) -> None:
        """Move the cursor by lines."""
        self.leaderboard.move(by)

    def action_page(self, by: int) -> None:
        """Move the cursor by pages."""
        self.leaderboard.page(by)

    def action_first(self) -> None:
        """Select the most biased candidate."""
        self.leaderboard.to_end(last=False)

    def action_last(self) -> None:
        """Select the last candidate."""
        self.leaderboard.to_end(last=True)

    def action_toggle_follow(self) -> None:
        """Hold the selected candidate or follow the most biased."""
        self.leaderboard.follow(not self.leaderboard.following)

    def action_toggle_pane(self, name: str) -> None:
        """Show a pane or hide it, from now on."""
        if self._width is not None:
            pane = next(one for one in PANES if one.name == name)
            toggle(pane, self._width, self._memory)
            self._arrange()

    def action_put_away_hint(self) -> None:
        """Never show the first hint again."""
        if self._hint.display:
            self._hint.display = False
            self._memory.keep(HINT_SEEN, True)

    def _arrange(self) -> None:
        """Show the panes that are wanted at this width; where there is no room for any, the style sheet hides them."""
        width = self._width
        if width is None:
            return
        there = {pane.name: shown(pane, width, self._memory) for pane in PANES}
        for name, wanted in there.items():
            self.query_one(f"#{name}").set_class(not wanted, "-off")
        self.query_one("#side").set_class(not (there["trend"] or there["machine"]), "-off")
        proof = there["gallery"] or there["variations"]
        self.query_one("#proof").set_class(not proof, "-off")
        self.set_class(not proof, "-no-proof")

    @property
    def _width(self) -> Width | None:
        """Which layout is in force; None where there is room for the leaderboard alone."""
        if self.has_class("-tiny") or self.has_class("-low"):
            return None
        return next((width for width in _WIDTHS if self.has_class(width)), None)

    @property
    def _memory(self) -> Memory:
        return self.app.memory if isinstance(self.app, Dressed) else Memory()
