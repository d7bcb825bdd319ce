"""The live screen: leaderboard, trend, progress and the selected candidate's evidence."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message
from textual.screen import Screen

from minegap_tui.actions import bindings
from minegap_tui.view.evidence import Evidence
from minegap_tui.view.session import SessionView
from minegap_tui.widgets.bars import KeyLine, ProgressLine, StateLine
from minegap_tui.widgets.evidence import Gallery, Headline, Variations
from minegap_tui.widgets.leaderboard import Leaderboard
from minegap_tui.widgets.trend import Trend

MOST_ROWS = 500


class LiveScreen(Screen[None]):
    """Draws a ``SessionView``; works the same while mining and after."""

    BINDINGS = bindings("live")
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal"), (160, "-wide")]  # noqa: RUF012  (Textual's)

    class Ready(Message):
        """Every part of the screen is there."""

    def on_mount(self) -> None:
        """Tell the app that drawing can begin."""
        self.post_message(self.Ready())

    def compose(self) -> ComposeResult:
        """Lay out the parts; the style sheet arranges them by width."""
        yield StateLine(id="state")
        yield ProgressLine(id="progress")
        with Container(id="body"):
            with Container(id="mined"):
                yield Leaderboard(id="leaderboard")
                yield Trend(id="trend")
            with Container(id="evidence"):
                yield Headline(id="headline")
                with Container(id="proof"):
                    yield Gallery(id="gallery")
                    yield Variations(id="variations")
        yield KeyLine("live", id="keys")

    @property
    def leaderboard(self) -> Leaderboard:
        """The ranked rows with the cursor."""
        return self.query_one(Leaderboard)

    def show_session(self, view: SessionView) -> None:
        """Draw what changed in the session."""
        self.leaderboard.show_rows(view.leaderboard(MOST_ROWS), view.scored)
        self.query_one(Trend).show_trend(view.trend(), view.generations)
        self.query_one(ProgressLine).show_progress(view)

    def show_state(self, view: SessionView, *, silent: float, stop_asked: bool) -> None:
        """Draw how the engine stands."""
        self.query_one(StateLine).show_state(view, silent=silent, stop_asked=stop_asked)

    def show_evidence(self, evidence: Evidence) -> None:
        """Draw the selected candidate."""
        self.query_one(Headline).show_evidence(evidence)
        self.query_one(Gallery).show_evidence(evidence)
        self.query_one(Variations).show_evidence(evidence)

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
