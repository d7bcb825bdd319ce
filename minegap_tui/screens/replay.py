"""A session generation by generation, on the live screen: what stood then, and nothing that came later."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from textual import on
from textual.timer import Timer

from minegap_tui.actions.registry import bindings
from minegap_tui.desk import StoreDesk
from minegap_tui.screens.found import FoundScreen
from minegap_tui.screens.live import LiveScreen
from minegap_tui.view.evidence import Evidence, evidence_of
from minegap_tui.view.replay import Replay, as_then, read_replay
from minegap_tui.view.session import SessionView
from minegap_tui.view.steering import Messages
from minegap_tui.widgets.leaderboard import Leaderboard
from minegap_tui.widgets.replay import ReplayLine
from store.errors import StoreError

PACES = (4.0, 2.0, 1.0, 0.5, 0.25)
"""Seconds that a generation stays while it plays, slowest first."""


class ReplayScreen(LiveScreen, inherit_bindings=False):
    """The live screen, fed with past states; steps are made in a thread, and those that were overtaken never.

    Args:
        store: directory of the store.
        session_id: the session.
        generation: the generation to begin with.
        candidate_id: the candidate to hold; None follows the most biased.
        why_not: tells why a steering action cannot be done now.
    """

    PLACE = "replay"
    FOREIGN = True
    NOT_STEERED = "This is a replay, the past cannot be steered: esc returns to how the session stands now."
    BINDINGS = bindings(PLACE)
    AT_ONCE = frozenset({"back", "pace"})

    def __init__(
        self,
        store: Path,
        session_id: str,
        generation: int = 1,
        candidate_id: int | None = None,
        why_not: Callable[[str], str] = lambda _: "",
    ) -> None:
        super().__init__(why_not)
        self._line = ReplayLine(id="progress")
        self._progress = self._line
        self._desk = StoreDesk(store)
        self._session_id = session_id
        self._replay: Replay | None = None
        self._view = SessionView(session_id=session_id)
        self._shown = -1
        self._place = generation - 1
        self._pace = PACES.index(1.0)
        self._timer: Timer | None = None
        self._evidence: Evidence | None = None
        if candidate_id is not None:
            self.leaderboard.following, self.leaderboard.selected = False, candidate_id

    @property
    def generation(self) -> int:
        """The generation on the screen; 0 while there is none."""
        return self._view.generation

    @property
    def playing(self) -> bool:
        """Whether it goes on by itself."""
        return self._timer is not None

    @on(LiveScreen.Ready)
    def _ready(self, message: LiveScreen.Ready) -> None:
        message.stop()  # the app begins with the first live screen only
        self.leaderboard.focus()
        self.begin_reading()
        self.run_worker(self._begin(), group="replay")

    async def on_unmount(self) -> None:
        """End the reader."""
        await self._desk.close()

    def show_message(self, messages: Messages, view: SessionView) -> None:
        """Draw what there is to say, else what happened in the generation; ``view`` is how the open session stands."""
        super().show_message(messages, self._view)
        self._state.show_state(self._view, silent=0.0)

    def neighbour(self, by: int) -> int | None:
        """Move the cursor; the candidate's evidence as it was then is shown as soon as it is read."""
        self.leaderboard.move(by)
        return None

    # ------------------------------------------------------------ reading

    async def _begin(self) -> None:
        try:
            replay = await self._desk.ask(lambda reader: read_replay(reader, self._session_id))
            self._trend.hold(await self._desk.ask(lambda _: replay.limits))
        except StoreError as error:
            self._line.say(str(error))
            self.end_reading()
            return
        if not replay.length:
            self._line.say("The session has no generation yet, so there is nothing to replay: esc returns.")
            self.end_reading()
            return
        self._replay = replay
        self._go(self._place)

    def _go(self, place: int) -> None:
        if self._replay is None:
            return
        self._place = min(max(place, 0), self._replay.length - 1)
        if not self._working("step"):
            self.run_worker(self._step(self._replay), group="step")

    async def _step(self, replay: Replay) -> None:
        while self._shown != self._place:
            place = self._place
            view = await self._desk.ask(lambda _, place=place: replay.view(place))  # type: ignore[misc]
            self._shown, self._view = place, view
            self.show_session(view, time.monotonic(), at_once=True)
            self._state.show_state(view, silent=0.0)
            self._say_place()
            self.app.call_later(self._draw_message)
            self._read_soon()
            self.end_reading()

    def _draw_message(self) -> None:
        self.message.show_message(Messages(), self._view)

    def _say_place(self) -> None:
        if self._replay is not None:
            self._line.show_replay(
                self._replay.frames[self._shown].generation,
                self._replay.frames[-1].generation,
                playing=self.playing,
                seconds=PACES[self._pace],
            )

    @on(Leaderboard.Selected)
    def _selected(self, message: Leaderboard.Selected) -> None:
        message.stop()  # the app would read how the candidate stands now
        self._read_soon()

    def _read_soon(self) -> None:
        if not self._working("evidence"):
            self.run_worker(self._read_evidence(), group="evidence")

    async def _read_evidence(self) -> None:
        """Read the selected candidate's evidence until it is that of the one selected now."""
        read: tuple[int, float] | None = None
        while (row := self._view.row(self.leaderboard.selected or 0)) is not None:
            if read == (row.candidate_id, row.score):
                break
            read = row.candidate_id, row.score
            number, score = read
            try:
                evidence = await self._desk.ask(
                    lambda reader, number=number, score=score: evidence_of(  # type: ignore[misc]
                        as_then(reader.candidate(number), score)
                    )
                )
            except StoreError as error:
                self._line.say(str(error))
                self.no_evidence(number)
                return
            self._evidence = evidence
            self.show_evidence(evidence)
            if isinstance(self.app.screen, FoundScreen):
                self.app.screen.show_evidence(evidence)

    def _working(self, group: str) -> bool:
        return any(
            worker.group == group and worker.node is self and worker.is_running for worker in self.app.workers
        )

    # ------------------------------------------------------------ actions

    def action_step(self, by: int) -> None:
        """Go some generations on or back; a step by hand ends the playing."""
        self._stop()
        self._go(self._place + by)

    def action_edge(self, last: bool) -> None:
        """Go to the first or the last generation."""
        self._stop()
        self._go(self._replay.length - 1 if last and self._replay is not None else 0)

    def action_play(self) -> None:
        """Play, or pause; at the end it begins anew."""
        if self._timer is not None:
            self._stop()
        elif self._replay is not None:
            if self._place == self._replay.length - 1:
                self._go(0)
            self._start()
        self._say_place()

    def action_pace(self, by: int) -> None:
        """Play faster or slower."""
        self._pace = min(max(self._pace + by, 0), len(PACES) - 1)
        if self._timer is not None:
            self._start()
        self._say_place()

    def action_inspect(self) -> None:
        """Show the candidate on a screen of its own, as it was then."""
        if self._evidence is not None:
            self._stop()
            self.app.push_screen(FoundScreen(self._evidence))

    def _start(self) -> None:
        self._stop()
        self._timer = self.set_interval(PACES[self._pace], self.tick)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
            self._say_place()

    def tick(self) -> None:
        """Play the next generation; one that still is being made ready is waited for."""
        if self._replay is None or self._working("step"):
            return
        self._go(self._place + 1)
        if self._place == self._replay.length - 1:
            self._stop()
