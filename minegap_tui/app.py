"""The terminal app: follows a session and shows it, live and afterwards; leaving it leaves the engine mining.

Knows the engine by its protocol and the store by its reader; imports no model library.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from textual import events, on, work
from textual.actions import ActionParseResult
from textual.app import SystemCommand
from textual.dom import DOMNode
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.filter import LineFilter
from textual.screen import Screen

from engine.commands import Command
from minegap_tui import garbage
from minegap_tui.actions.action import Action
from minegap_tui.actions.registry import bindings, named, offered
from minegap_tui.desk import StoreDesk
from minegap_tui.driver import Answered, AskedDriver
from minegap_tui.following import Door, Following, StoreDoor
from minegap_tui.helm import Helm
from minegap_tui.images import DRAWN, Images
from minegap_tui.keymap import Keymap
from minegap_tui.library import Library
from minegap_tui.look import Look
from minegap_tui.origins import Origins
from minegap_tui.port import AppPort, FrameApp
from minegap_tui.screens.live import LiveScreen
from minegap_tui.screens.page import EvidencePage, Page
from minegap_tui.terminal import Prepared
from minegap_tui.typed_ahead import TypedAhead
from minegap_tui.view.evidence import Evidence, read_evidence
from minegap_tui.view.session import Row, SessionView
from minegap_tui.view.standing import word_for
from minegap_tui.watching import Watch
from minegap_tui.ways import WAYS
from minegap_tui.widgets.board import Board
from minegap_tui.widgets.leaderboard import Leaderboard
from store.errors import StoreError

REDRAW_SECONDS = 0.25
"""Bursts of events are drawn together, at most four times a second."""
STARTED_SECONDS = 2.0
"""What is in memory then, modules and the session's rows, stays."""


class MineApp(FrameApp):
    """One session on the screen.

    Args:
        store: directory of the store.
        session_id: the session; empty where ``begin`` opens a new one, or to begin with the list of sessions.
        door: how to reach the engine; None shows the stored session as it is.
        begin: what to ask of the engine first; None follows a session that it has already.
        clock: seconds, rising.
        prepared: settings of the user and abilities of the terminal; None draws what every terminal can.
        first: the screen (of ``ways``) to begin with where no session is to be shown.

    Attributes:
        images: how pictures are drawn.
        keymap: which keys are in force.
        prepared: settings of the user and abilities of the terminal.
        inquiry: what the terminal was asked; its answers may still come.
        look: its colours and characters.
        memory: what the user chose, for the next start too.
        typed_ahead: keys that wait for their turn.
        left_by_signal: whether the terminal hung up, or the process was told to end.
    """

    BINDINGS = [*bindings("app"), *bindings("session")]  # noqa: RUF012  (Textual's)
    TITLE = "MineGap"
    CSS_PATH = ["screens/live.tcss", "screens/dialog.tcss"]  # noqa: RUF012  (Textual's)

    def __init__(
        self,
        store: Path,
        session_id: str = "",
        door: Door | None = None,
        begin: Command | None = None,
        clock: Callable[[], float] = time.monotonic,
        prepared: Prepared | None = None,
        first: str = "home",
    ) -> None:
        super().__init__()
        self.prepared = prepared = prepared or Prepared()
        self.look = Look(self, prepared.settings.look, prepared.terminal, prepared.memory)
        self.images = Images(
            prepared.settings.images,
            prepared.terminal,
            AppPort(self),
            colours=self.console.color_system == "truecolor" and not self.no_color,
            ascii_only=self.look.ascii,
            over_ssh="SSH_CONNECTION" in os.environ,
            before=prepared.memory.text("images.drawn", DRAWN, ""),
        )
        self.inquiry = prepared.inquiry
        self.memory = prepared.memory
        self.keymap = prepared.keymap or Keymap()
        self.set_keymap(self.keymap.for_textual())
        self.store = store
        self.door = door or StoreDoor(store)
        self._desk = StoreDesk(store)
        self.watched = Watch(self, self._desk, session_id, clock)
        self.helm = Helm(self, self._desk)
        self.library = Library(self)
        self.origins = Origins(self)
        self.typed_ahead = TypedAhead(self, super().on_event, self._everywhere)
        self.left_by_signal = False
        self._live_wanted = door is not None
        self._begin_with = begin
        self._stored = session_id
        self._first = first
        self._live = self._unread_screen()
        self._evidence: Evidence | None = None
        self._clock = clock

    @property
    def view(self) -> SessionView:
        """The session as it stands."""
        return self.watched.view

    @property
    def following(self) -> Following:
        """The line to the engine."""
        return self.watched.following

    @property
    def evidence(self) -> Evidence | None:
        """The evidence on the screen."""
        return self._evidence

    @property
    def selected_row(self) -> Row | None:
        """The candidate that actions are about."""
        number = self._live.leaderboard.selected
        return self.view.row(number) if number is not None else None

    def get_line_filters(self) -> list[LineFilter]:
        """Return what every finished line goes through."""
        return self.look.filters(super().get_line_filters())

    def select(self, candidate_id: int) -> bool:
        """Select a candidate on the leaderboard; False where it is not among its rows."""
        return self._live.leaderboard.choose(candidate_id)

    def get_default_screen(self) -> Screen[None]:
        """Return the live screen."""
        return self._live

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer the registry's actions in the palette."""
        if not isinstance(screen, Page):
            return
        for action in offered(screen.PLACE):
            if not action.moves and action.name != "command_palette":
                word = word_for(action.id, self.view) or action.label
                key = self.keymap.shown(action, ascii_only=self.look.ascii)
                yield SystemCommand(
                    f"{word}: {action.summary}",
                    f"{key}  {screen.refusal(action)}",
                    lambda action=action: self.carry_out(action),
                )

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Do what a key, a click or the palette asks for, or say why it cannot be done now."""
        page = self.screen
        known = named(page.PLACE, action) if isinstance(page, Page) and isinstance(action, str) else None
        if isinstance(page, Page) and known is not None and page.waits(known) and self.typed_ahead.hold():
            return True
        if isinstance(page, Page) and known is not None and (reason := page.refusal(known)):
            self.helm.messages.say(reason, refused=True)
            self.redraw()
            return True
        return await super().run_action(action, default_namespace, namespaces)

    async def on_event(self, event: events.Event) -> None:
        """Hand keys on in their turn, and everything else at once."""
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            await self.typed_ahead.take(event)
        else:
            await super().on_event(event)

    def _everywhere(self, key: str) -> bool:
        bound = self.screen.active_bindings.get(key)
        return bound is not None and bound.node is self and named("app", bound.binding.action) is not None

    @on(Page.Read)
    def _read_there(self) -> None:
        self.typed_ahead.look_again()

    def on_mount(self) -> None:
        """Leave cleanly when the terminal hangs up or the process is told to end."""
        self.screen_change_signal.subscribe(self, lambda _: self.typed_ahead.arrived())
        for number in (signal.SIGHUP, signal.SIGTERM) if not self.is_headless else ():
            asyncio.get_running_loop().add_signal_handler(number, self._told_to_leave)

    def _told_to_leave(self) -> None:
        self.left_by_signal = True
        self.exit(0)

    def get_driver_class(self) -> type[Driver]:
        """Return what reads the terminal: Textual's own driver, told of late answers."""
        found = super().get_driver_class()
        return AskedDriver if found is LinuxDriver else found

    @on(Answered)
    def _terminal_answered(self, message: Answered) -> None:
        self.prepared = replace(self.prepared, terminal=message.terminal)
        self.look.learn(message.terminal)
        before = self.images.drawn
        self.images.learn(message.terminal)
        if self.images.drawn != before:
            self._draw_pictures_anew()

    @on(LiveScreen.Ready)
    def _begin(self) -> None:
        if not self.library.used:
            self.set_interval(REDRAW_SECONDS, self.redraw)
            self.set_timer(STARTED_SECONDS, garbage.started)
        if self._live_wanted:
            self.watched.follow(self._begin_with)
        elif self._stored:
            self.watched.show_stored(self._stored)
        else:
            WAYS[self._first](self)

    async def on_unmount(self) -> None:
        """Close the store and let go of pictures; the connection ends with the worker that follows it."""
        self.images.close()
        self.memory.close()
        if self.left_by_signal:
            AppPort(self).give_up()
        await self._desk.close()
        await self.library.close()
        await self.origins.close()

    def open_session(self, session_id: str, *, live: bool) -> None:
        """Show another session; ``live``: follow the engine that has it. The one before is left as it is."""
        self.workers.cancel_group(self, "evidence")
        self._evidence = None
        self.watched.change(session_id)
        self._live_wanted, self._begin_with, self._stored = live, None, session_id
        self.helm.forget()
        self._live = self._unread_screen()
        # The screen below stays for ever: Textual cannot exchange its first one.
        if len(self.screen_stack) > 1:
            self.pop_screen()
        self.push_screen(self._live)

    def _unread_screen(self) -> LiveScreen:
        """Return a live screen that keys about its rows wait for, from the first one typed on."""
        screen = LiveScreen(self.helm.why_not)
        screen.begin_reading()
        return screen

    # ------------------------------------------------------------ what is read and drawn

    def loaded(self) -> None:
        """The session's candidates are there, or nothing more can be read of them."""
        self.redraw(at_once=True)
        self._live.end_reading()

    def read_evidence_again(self) -> None:
        """Something was found out about the selected candidate."""
        if (row := self.selected_row) is not None:
            self._read_evidence(row.candidate_id)

    @on(Leaderboard.Selected)
    def _select(self, message: Leaderboard.Selected) -> None:
        if isinstance(self.screen, EvidencePage):
            self.screen.begin_reading()
        self._read_evidence(message.candidate_id)

    @work(group="evidence", exclusive=True, description="read a candidate's evidence")
    async def _read_evidence(self, candidate_id: int) -> None:
        try:
            self._evidence = await self._desk.ask(lambda reader: read_evidence(reader, candidate_id))
        except StoreError as error:
            self.helm.messages.say(str(error), refused=True)
            self._live.no_evidence(candidate_id)
        else:
            self._live.show_evidence(self._evidence)
            if isinstance(self.screen, EvidencePage) and not self.screen.FOREIGN:
                self.screen.show_evidence(self._evidence)
        if isinstance(self.screen, EvidencePage):
            self.screen.end_reading()

    def redraw(self, *, at_once: bool = False) -> None:
        """Draw what is new; a timer calls this, so that bursts of events are drawn together.

        Args:
            at_once: whatever was drawn just now.
        """
        if not self._live.is_attached:
            return
        self.helm.messages.fade(self._clock())
        screen = self.screen
        # Below a dialog only the lines at the edges are kept up: whatever changes there draws the whole screen anew.
        if screen is self._live:
            self._live.show_session(self.view, self._clock(), at_once=at_once)
        if screen is self._live or screen.is_modal:
            self._live.show_state(self.view, self.helm.messages, silent=self.watched.silent())
        elif isinstance(screen, Page):
            screen.show_message(self.helm.messages, self.view)

    def carry_out(self, action: Action) -> None:
        """Do what an action's key does."""
        on = self if action.place == "app" else self.screen
        self.run_worker(on.run_action(action.name), name=action.id)

    # ------------------------------------------------------------ actions

    def action_steer(self, name: str) -> None:
        """Carry out a steering action."""
        self.helm.do(name)

    def action_help(self) -> None:
        """Show all keys."""
        from minegap_tui.screens.help import HelpScreen

        place = self.screen.PLACE if isinstance(self.screen, Page) else None
        self.push_screen(HelpScreen(self.keymap, place, ascii_only=self.look.ascii))

    def action_theme(self) -> None:
        """Choose the colours."""
        from minegap_tui.screens.theme import ThemeScreen

        self.push_screen(ThemeScreen(self.look, self.helm.messages.say))

    def action_copy(self, what: str) -> None:
        """Put the selected candidate's prompt, or all about it, on the terminal's clipboard."""
        from minegap_tui.copying import copy

        if isinstance(self.screen, Page) and self.screen.candidate_id is not None:
            copy(self, self._desk, self.screen.candidate_id, what)

    def action_inspect(self) -> None:
        """Show the selected candidate on a screen of its own."""
        from minegap_tui.screens.inspect import InspectScreen

        if self._evidence is not None:
            self.push_screen(InspectScreen(self._evidence, self.helm.why_not))

    def action_neighbour(self, by: int) -> None:
        """Select the candidate above or below, on the leaderboard or in the history."""
        if not self.library.neighbour(by):
            self._live.leaderboard.move(by)

    def action_go(self, where: str) -> None:
        """Open a screen."""
        WAYS[where](self)

    def action_images(self) -> None:
        """Draw pictures in the next way."""
        self.helm.messages.say(self.images.cycle())
        self.memory.keep("images.drawn", self.images.drawn)
        self._draw_pictures_anew()
        self.redraw()

    def _draw_pictures_anew(self) -> None:
        for screen in self.screen_stack:
            for board in screen.query(Board):
                board.draw_anew()

    def action_leave(self) -> None:
        """Leave at once; the engine is not asked for anything."""
        self.exit(self.view.failure.exit_code if self.view.failure is not None else 0)
