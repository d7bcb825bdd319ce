"""The session on the screen: followed through an engine, or read from the store; the same view either way."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from engine import protocol
from engine.commands import Command
from engine.errors import MachineError, MineGapError
from minegap_tui.desk import StoreDesk
from minegap_tui.following import EngineGone, Following
from minegap_tui.view import figures
from minegap_tui.view.narration import narrate
from minegap_tui.view.record import Entry, entries, stored
from minegap_tui.view.session import LINES_KEPT, Happening, SessionView
from store import Reader
from store.errors import StoreError
from store.records import Candidate, Session

if TYPE_CHECKING:
    from minegap_tui.app import MineApp

BOARD_PAGE = 2_000
"""Rows of the leaderboard read at once: the screen draws between two pages, and shows 500."""
EVENTS_READ = 200
"""The newest ones, for the log; the record shows them all."""
_STEERING_MAY_DIFFER = (
    protocol.Steered,
    protocol.SessionOpened,
    protocol.StateChanged,
    protocol.GenerationStarted,
)


class Watch:
    """Keeps one ``SessionView`` true.

    Args:
        app: whose workers carry it and whose door leads to the engine.
        desk: where the store is read.
        session_id: the session; empty where one is opened.
        clock: seconds, rising.

    Attributes:
        view: the session as it stands.
        following: the line to the engine.
    """

    def __init__(self, app: MineApp, desk: StoreDesk, session_id: str, clock: Callable[[], float]) -> None:
        self.view = SessionView()
        self.following = Following(app.door, session_id)
        self._app, self._desk, self._clock = app, desk, clock
        self._last_seq = 0
        self._heard = clock()

    def silent(self) -> float:
        """Return for how many seconds an engine that hears us said nothing."""
        return self._clock() - self._heard if self.following.attached else 0.0

    def change(self, session_id: str) -> None:
        """Begin with another session; the one before is left as it is."""
        self._app.workers.cancel_group(self._app, "engine")
        self._app.workers.cancel_group(self._app, "load")
        self.view, self.following = SessionView(), Following(self._app.door, session_id)

    def follow(self, begin: Command | None) -> None:
        """Follow the session to its end.

        Args:
            begin: what to ask first, of an engine that is started if need be; None joins the one that runs.
        """
        self._work(self._follow(begin), "engine")

    def show_stored(self, session_id: str) -> None:
        """Show a session as the store has it."""
        self._work(self._show_stored(session_id), "load")

    def _work(self, work: Coroutine[None, None, None], group: str) -> None:
        self._app.run_worker(work, group=group, exclusive=True)

    async def _follow(self, begin: Command | None) -> None:
        try:
            async for event in self.following.events(begin):
                self._heard = self._clock()
                if isinstance(event, protocol.Snapshot):
                    # The store is read before the events that follow are taken, so that nothing newer is undone.
                    await self._take_snapshot(event)
                else:
                    self.view.apply(event)
                    self._remember(event)
                    await self._look_again_after(event)
        except EngineGone as gone:
            self.view.lose(str(gone))
            await self._load(self.following.session_id)
        except MineGapError as error:
            await self._not_reached(error, begin)
        if self.view.failure is not None and not self.view.scored and not self._app.library.used:
            self._app.exit(self.view.failure.exit_code)

    def _remember(self, event: protocol.Event) -> None:
        what = narrate(event, self.view, pace=False).strip()
        if what and not 0 < event.seq <= self._last_seq:
            now = datetime.now(UTC).isoformat()
            kind = type(event).__struct_config__.tag
            self.view.log.append(Happening(figures.when(now), str(kind), what))

    async def _take_snapshot(self, snapshot: protocol.Snapshot) -> None:
        self.view.apply(snapshot)
        await self._load(snapshot.session_id)
        self._app.helm.attached()

    async def _look_again_after(self, event: protocol.Event) -> None:
        """Learn what steering is in force now, or what was confirmed; nothing is worked out here."""
        if isinstance(event, protocol.Confirmed):
            await self._confirmed()
        if isinstance(event, protocol.GenerationFinished):
            self._reliable_so_far()
        if isinstance(event, _STEERING_MAY_DIFFER):
            snapshot = await self.following.look_again()
            if snapshot is not None:
                self.view.hand.take(snapshot)
                self.view.revision += 1

    def _reliable_so_far(self) -> None:
        """Before anything is confirmed, survivors that were measured again say how reliable one score is."""
        if self.view.confirmed:
            return
        if pairs := self.view.measured_again():
            from engine.statistics import slope_of_selected  # numpy: not before something was measured twice

            found = slope_of_selected(*zip(*pairs, strict=True))
            self.view.reliability = None if found is None else min(max(found, 0.0), 1.0)
            self.view.revision += 1

    async def _confirmed(self) -> None:
        """Learn what a confirmation found that ended just now."""
        session_id = self.view.session_id
        try:
            self.view.take_confirmation(await self._desk.ask(lambda reader: reader.confirmation(session_id)))
        except StoreError as error:
            self._app.helm.messages.say(str(error), refused=True)
        self._app.read_evidence_again()

    async def _not_reached(self, error: MineGapError, begin: Command | None) -> None:
        """No engine took us; a session that ended before we came is shown as the store has it."""
        view = self.view
        if begin is None and self.following.session_id:
            await self._load(self.following.session_id)
            if view.state == "failed":
                view.apply(protocol.Failed(sentence=view.reason, exit_code=MachineError.exit_code))
            if view.session_id and not view.running:
                return
        if view.session_id:
            self._app.helm.messages.say(str(error), refused=True)
            if view.running:
                view.lose(str(error))
        else:
            view.apply(protocol.Failed(sentence=str(error), exit_code=error.exit_code))
            self._app.loaded()

    async def _show_stored(self, session_id: str) -> None:
        await self._load(session_id)
        if self._app.library.used and self.view.running:
            self.view.lose("No engine runs for this session any more.")

    async def _load(self, session_id: str) -> None:
        try:
            session, ranked, steered, last = await self._desk.ask(lambda reader: _read(reader, session_id))
            found = await self._desk.ask(lambda reader: reader.confirmation(session_id))
            self.view.load(session, ranked)
            while len(ranked) == BOARD_PAGE:
                ranked = await self._desk.ask(
                    lambda reader, after=ranked[-1]: reader.leaderboard(session_id, BOARD_PAGE, after=after)  # type: ignore[misc]
                )
                self.view.load(session, ranked)
        except StoreError as error:
            self._app.helm.messages.say(str(error), refused=True)
            self._app.loaded()
            return
        self.view.hand.record(steered)
        self.view.take_confirmation(found)
        self._reliable_so_far()
        self.view.log.clear()
        self.view.log.extend(Happening(figures.when(one.at), one.kind, one.what) for one in last)
        self._last_seq = last[-1].seq if last else 0
        self._app.loaded()


def _read(
    reader: Reader, session_id: str
) -> tuple[Session, tuple[Candidate, ...], list[protocol.Steered], list[Entry]]:
    told = (stored(event) for event in reader.steering(session_id))
    newest = reader.last_event(session_id)
    after = newest.seq - EVENTS_READ if newest is not None else 0
    return (
        reader.session(session_id),
        reader.leaderboard(session_id, BOARD_PAGE),
        [event for event in told if isinstance(event, protocol.Steered)],
        entries(reader.events(session_id, after_seq=max(after, 0)), every=True)[-LINES_KEPT:],
    )
