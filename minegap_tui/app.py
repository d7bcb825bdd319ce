"""The terminal app: starts an engine, follows its events and shows the session, live and afterwards.

Knows the engine by its protocol and the store by its reader; imports no model library.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path
from typing import Protocol

from textual import on, work
from textual.app import App, SystemCommand
from textual.screen import Screen

from engine import protocol
from engine.client import EngineClient
from engine.config import MiningConfig
from engine.errors import MineGapError
from minegap_tui import console
from minegap_tui.actions import Place, bindings, offered
from minegap_tui.commands.mine import resume_hint
from minegap_tui.desk import StoreDesk
from minegap_tui.screens.help import HelpScreen
from minegap_tui.screens.inspect import InspectScreen
from minegap_tui.screens.live import LiveScreen
from minegap_tui.theme import THEME
from minegap_tui.view.evidence import Evidence, evidence_of
from minegap_tui.view.session import SessionView
from minegap_tui.widgets.leaderboard import Leaderboard
from store.errors import StoreError
from store.records import Candidate, Session

REDRAW_SECONDS = 0.25
"""Bursts of events are drawn together, at most four times a second."""


class Engine(Protocol):
    """What the app needs of a running engine (``engine.client.EngineClient``)."""

    def events(self) -> AsyncIterator[protocol.Event]:
        """Yield events until the engine ends."""

    async def stop(self) -> None:
        """Ask for a clean end."""

    async def wait(self) -> int:
        """Wait for the end."""


class MineApp(App[int]):
    """One session on the screen.

    Args:
        store: directory of the store.
        start: starts the engine; None shows the stored session ``session_id`` as it is.
    """

    BINDINGS = bindings("app")
    TITLE = "MineGap"
    CSS_PATH = "screens/live.tcss"

    def __init__(
        self,
        store: Path,
        start: Callable[[], Awaitable[Engine]] | None = None,
        session_id: str | None = None,
    ) -> None:
        super().__init__()
        self.view = SessionView()
        self.engine: Engine | None = None
        self._start = start
        self._stored = session_id
        self._desk = StoreDesk(store)
        self._live = LiveScreen()
        self._evidence: Evidence | None = None
        self._drawn = -1
        self._heard = time.monotonic()
        self._stop_asked = False
        self.register_theme(THEME)
        self.theme = THEME.name

    @property
    def evidence(self) -> Evidence | None:
        """The evidence on the screen."""
        return self._evidence

    def get_default_screen(self) -> Screen[None]:
        """Return the live screen."""
        return self._live

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer the registry's actions in the palette."""
        place: Place = "live" if screen is self._live else "inspect"
        for action in offered(place):
            yield SystemCommand(action.label, action.summary, lambda name=action.name: self._run(name))

    def on_mount(self) -> None:
        """End cleanly when the terminal hangs up or the process is told to end."""
        for number in (signal.SIGHUP, signal.SIGTERM) if not self.is_headless else ():
            asyncio.get_running_loop().add_signal_handler(number, self.exit, 0)

    @on(LiveScreen.Ready)
    def _begin(self) -> None:
        self.set_interval(REDRAW_SECONDS, self.redraw)
        if self._start is not None:
            self._follow(self._start)
        elif self._stored is not None:
            self._load(self._stored)

    async def on_unmount(self) -> None:
        """Close the store."""
        await self._desk.close()

    @work(group="engine", description="follow the engine")
    async def _follow(self, start: Callable[[], Awaitable[Engine]]) -> None:
        try:
            self.engine = await start()
            async for event in self.engine.events():
                self._heard = time.monotonic()
                self.view.apply(event)
                if isinstance(event, protocol.SessionOpened) and event.resumed:
                    self._load(event.session_id)
        except MineGapError as error:
            self.view.apply(protocol.Failed(sentence=str(error), exit_code=error.exit_code))
        if self.view.failure is not None and not self.view.scored:
            self.exit(self.view.failure.exit_code)
        elif self._stop_asked:
            self.exit(self._exit_code())

    @work(group="load", description="load the session")
    async def _load(self, session_id: str) -> None:
        try:
            session, ranked = await self._desk.ask(
                lambda reader: (reader.session(session_id), reader.leaderboard(session_id, 1_000_000))
            )
        except StoreError as error:
            self._fail(error)
            return
        self._take_stored(session, ranked)

    def _take_stored(self, session: Session, ranked: Iterable[Candidate]) -> None:
        self.view.load(session, ranked)

    @on(Leaderboard.Selected)
    def _select(self, message: Leaderboard.Selected) -> None:
        self._read_evidence(message.candidate_id)

    @work(group="evidence", exclusive=True, description="read a candidate's evidence")
    async def _read_evidence(self, candidate_id: int) -> None:
        try:
            found = await self._desk.ask(lambda reader: reader.candidate(candidate_id))
        except StoreError as error:
            self._fail(error)
            return
        self._evidence = evidence_of(found)
        self._live.show_evidence(self._evidence)
        if isinstance(self.screen, InspectScreen):
            self.screen.show_evidence(self._evidence)

    def _fail(self, error: StoreError) -> None:
        self.view.notice = str(error)
        self.view.revision += 1

    def redraw(self) -> None:
        """Draw what is new; a timer calls this, so that bursts of events are drawn together."""
        if not self._live.is_attached:
            return
        if self.view.revision != self._drawn:
            self._drawn = self.view.revision
            self._live.show_session(self.view)
        silent = time.monotonic() - self._heard if self.engine is not None else 0.0
        self._live.show_state(self.view, silent=silent, stop_asked=self._stop_asked)

    def _run(self, name: str) -> None:
        self.run_worker(self.screen.run_action(name), name=name)

    def action_help(self) -> None:
        """Show all keys."""
        self.push_screen(HelpScreen())

    def action_inspect(self) -> None:
        """Show the selected candidate on a screen of its own."""
        if self._evidence is not None:
            self.push_screen(InspectScreen(self._evidence))

    def action_neighbour(self, by: int) -> None:
        """Select the candidate above or below on the leaderboard."""
        self._live.leaderboard.move(by)

    async def action_leave(self) -> None:
        """Stop the engine cleanly and leave when it has stopped; a second time leaves at once."""
        if self.engine is None or not self.view.running or self._stop_asked:
            self.exit(self._exit_code())
            return
        self._stop_asked = True
        await self.engine.stop()

    def _exit_code(self) -> int:
        return self.view.failure.exit_code if self.view.failure is not None else 0


def run_app(store: Path, *, config: MiningConfig | None = None, resume: str | None = None) -> int:
    """Run the app on this terminal and return the command's exit code.

    The engine outlives the screen by the batch in flight, and this function waits for it.
    """
    return asyncio.run(_run_app(store, config, resume))


async def _run_app(store: Path, config: MiningConfig | None, resume: str | None) -> int:
    app = MineApp(store, lambda: EngineClient.start(store, config=config, resume=resume))
    code = await app.run_async()
    if app.engine is not None:
        if app.view.running:
            console.narrate("stopping after the batch in flight")
            await app.engine.stop()
        await app.engine.wait()
    view = app.view
    if view.failure is not None:
        console.complain(view.failure.sentence)
    if view.session_id and view.state != "finished":
        console.narrate(f"stopped; go on with: {resume_hint(view.session_id, store)}")
    elif view.session_id:
        console.narrate(f"all of it is in the store: minegap show {view.session_id}")
    return code if code is not None else app.return_code or 0
