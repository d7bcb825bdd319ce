"""What the home and history screens ask of the app: open a session, fork or delete one, show a candidate.

Each of these screens is imported when it is opened: the start stays quick.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.client import command_id
from engine.commands import Delete, Fork
from engine.errors import MineGapError
from minegap_tui.beginning import Beginning
from minegap_tui.confirming import Confirming
from minegap_tui.desk import StoreDesk
from minegap_tui.screens.listing import BrowsingScreen
from minegap_tui.screens.live import LiveScreen
from minegap_tui.screens.page import EvidencePage, Page
from minegap_tui.view.evidence import read_evidence
from minegap_tui.view.sessions import Listed
from store.errors import StoreError

if TYPE_CHECKING:
    from minegap_tui.app import MineApp

NOT_OPEN = Page.NOT_STEERED
READING = "library"
"""Group of the workers that read for these screens."""


class Library:
    """Carries out what those screens ask of one app; has a reader of its own, so that nothing waits for a search.

    Attributes:
        used: whether a session was opened from here, so that its failure does not end the app.
        marked: sessions that are marked, the oldest mark first.
        beginning: begins new sessions.
        confirming: confirms what sessions found.
    """

    def __init__(self, app: MineApp) -> None:
        self.used = False
        self.marked: tuple[str, ...] = ()
        self._app = app
        self._desk = StoreDesk(app.store)
        self._filter = ""
        self.beginning = Beginning(app, self._desk)
        self.confirming = Confirming(app, self._desk)

    async def close(self) -> None:
        """End the reader."""
        await self._desk.close()

    def why_not(self) -> str:
        """Return why the candidate or session on the screen cannot be steered; empty when it can."""
        screen = self._app.screen
        return screen.NOT_STEERED if isinstance(screen, Page) and screen.FOREIGN else ""

    def home(self) -> None:
        """Show the sessions."""
        self._app.helm.messages.say("")
        from minegap_tui.screens.sessions import SessionsScreen

        self._app.push_screen(SessionsScreen(self._desk, self, self._app.view.session_id))

    def history(self) -> None:
        """Show the history, with the filter that it had before."""
        self._app.helm.messages.say("")
        from minegap_tui.screens.history import HistoryScreen

        self._app.push_screen(
            HistoryScreen(
                self._desk,
                self.inspect,
                self.open_by_id,
                self._filter,
                self._remember,
                memory=self._app.memory,
            )
        )

    def back(self) -> None:
        """Leave the sessions for the one that is open."""
        if self._app.view.session_id:
            self._app.pop_screen()
        else:
            self._say("No session is open: ⏎ opens one, n begins one, q leaves.")

    def open(self, one: Listed) -> None:
        """Show a session on the live screen, followed if an engine has it; the one that is there stays as it is."""
        self._open(one.session.id, live=one.live)

    def open_by_id(self, session_id: str) -> None:
        """Show the session of a candidate."""
        from minegap_tui.screens.sessions import state_now

        async def read() -> None:
            try:
                one = await self._desk.ask(lambda reader: state_now(reader, session_id))
            except StoreError as error:
                self._say(str(error))
            else:
                self.open(one)

        self._app.run_worker(read(), group=READING, exclusive=True)

    def fork(self, one: Listed) -> None:
        """Ask for the generation, then the engine for the fork."""
        from minegap_tui.screens.fork import ForkScreen

        if not one.session.generations:
            self._say("This session has no generation yet, so there is nothing to fork.")
            return

        def decided(generation: int | None) -> None:
            if generation is not None:
                self._app.run_worker(self._fork(one, generation), group=READING)

        self._app.push_screen(ForkScreen(one.session), decided)

    def confirm(self, one: Listed) -> None:
        """Show what it takes to confirm what a session found, and ask whether."""
        self.confirming.open(one.session.id)

    def mark(self, session_id: str) -> None:
        """Mark a session, or take the mark away; of two marks the older one makes room for a third."""
        kept = tuple(one for one in self.marked if one != session_id)
        self.marked = kept if session_id in self.marked else (*kept[-1:], session_id)

    def delete(self, one: Listed, after: Callable[[], None]) -> None:
        """Ask whether, then the engine to delete a session; ``after`` is called when it did."""
        from minegap_tui.screens.delete import DeleteScreen

        if one.live:
            self._say(f"This session is {one.state}: open it and stop it (Q) first.")
            return

        def decided(yes: bool | None) -> None:
            if yes:
                self._app.run_worker(self._delete(one.session.id, after), group=READING)

        self._app.push_screen(DeleteScreen(one.session), decided)

    def inspect(self, candidate_id: int) -> None:
        """Show all evidence of a candidate of the history."""
        self._app.typed_ahead.expect()
        self._app.run_worker(self._inspect(candidate_id), group=READING, exclusive=True)

    def neighbour(self, by: int) -> bool:
        """Step to the next candidate of the table below; False where the screen shows none of one."""
        screen = self._app.screen
        if not (isinstance(screen, EvidencePage) and screen.FOREIGN):
            return False
        below = self._app.screen_stack[-2]
        candidate_id = below.neighbour(by) if isinstance(below, Page) else None
        if candidate_id is not None:
            self.inspect(candidate_id)
        return True

    async def _inspect(self, candidate_id: int) -> None:
        try:
            evidence = await self._desk.ask(lambda reader: read_evidence(reader, candidate_id))
        except StoreError as error:
            self._say(str(error))
            evidence = None
        screen = self._app.screen
        if evidence is not None and isinstance(screen, EvidencePage) and screen.FOREIGN:
            screen.show_evidence(evidence)
        elif evidence is not None and isinstance(screen, BrowsingScreen):
            from minegap_tui.screens.found import FoundScreen

            self._app.push_screen(FoundScreen(evidence, self._app.helm.why_not))
        self._app.typed_ahead.arrived()

    async def _fork(self, one: Listed, generation: int) -> None:
        from minegap_tui.commands.fork import in_force

        session = one.session
        number = command_id()
        self._app.helm.messages.ask(number, f"fork after generation {generation}")
        try:
            events = await self._desk.ask(lambda reader: reader.events(session.id))
            config = in_force(session, events, generation).model_dump_json()
            command = Fork(id=number, session_id=session.id, generation=generation, config=config)
            connection = await self._app.door.start()
            try:
                answer = await connection.ask(command)
            finally:
                await connection.close()
        except (MineGapError, StoreError) as error:
            self._app.helm.messages.answer(number, str(error), refused=True)
        else:
            self.show(answer.session_id, answer.sentence)

    async def _delete(self, session_id: str, after: Callable[[], None]) -> None:
        app, number = self._app, command_id()
        app.helm.messages.ask(number, "delete the session")
        try:
            connection = await app.door.start()
            try:
                answer = await connection.ask(Delete(id=number, session_id=session_id))
            finally:
                await connection.close()
        except MineGapError as error:
            app.helm.messages.answer(number, str(error), refused=True)
            return
        self.marked = tuple(one for one in self.marked if one != session_id)
        app.helm.messages.answer(number, answer.sentence)
        if session_id == app.view.session_id:
            self.used = True
            app.open_session("", live=False)  # which leads back to the list
            app.helm.messages.say(answer.sentence)
        else:
            app.redraw()
            after()

    def show(self, session_id: str, sentence: str) -> None:
        """Follow a session that an engine has just begun, with what it said."""
        self._open(session_id, live=True)
        self._app.helm.messages.say(sentence)

    def _open(self, session_id: str, *, live: bool) -> None:
        app = self._app
        while type(app.screen) is not LiveScreen:
            app.pop_screen()
        if session_id != app.view.session_id or live != app.following.attached:
            self.used = True
            app.open_session(session_id, live=live)

    def _remember(self, text: str) -> None:
        self._filter = text

    def _say(self, sentence: str) -> None:
        self._app.helm.messages.say(sentence, refused=True)
        self._app.redraw()
