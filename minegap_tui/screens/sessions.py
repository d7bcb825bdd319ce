"""Home: the sessions of the store, live and past."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from textual import on
from textual.app import ComposeResult

from minegap_tui.actions.action import Action
from minegap_tui.actions.registry import bindings
from minegap_tui.desk import StoreDesk
from minegap_tui.screens.listing import SHORT, ListingScreen
from minegap_tui.view.sessions import Listed, listed, matching
from minegap_tui.view.standing import why_not_confirm
from minegap_tui.widgets.bars import TitleLine
from minegap_tui.widgets.finder import FindArea, Finder
from minegap_tui.widgets.prompt_area import PromptArea
from minegap_tui.widgets.rows import Rows
from minegap_tui.widgets.session_rows import ConfirmedBySession, SessionCard, SessionRows
from store import Reader
from store.errors import StoreError
from store.lock import is_live
from store.records import ConfirmedScore

REFRESH_SECONDS = 2.0


class Keeper(Protocol):
    """What can be done with a session of the list (``minegap_tui.library.Library``)."""

    @property
    def marked(self) -> tuple[str, ...]:
        """The sessions that are marked."""

    def open(self, one: Listed) -> None:
        """Show it on the live screen."""

    def fork(self, one: Listed) -> None:
        """Begin a new session from it."""

    def delete(self, one: Listed, after: Callable[[], None]) -> None:
        """Delete it, after a question; ``after`` is called when it is gone."""

    def confirm(self, one: Listed) -> None:
        """Confirm what it found, after showing what that takes."""

    def mark(self, session_id: str) -> None:
        """Mark it, or take the mark away."""


class SessionsScreen(ListingScreen):
    """Lists, searches, marks, opens, forks and deletes.

    Args:
        desk: where the store is read.
        keeper: does what is asked for.
        opened: the session on the live screen; empty for none.
    """

    PLACE = "sessions"
    FOREIGN = True
    VERTICAL_BREAKPOINTS = [(0, "-short"), (SHORT, "-tall")]  # noqa: RUF012  (Textual's)
    BINDINGS = bindings(PLACE)
    AT_ONCE = frozenset(
        {
            "search",
            "app.go('back')",
            "app.go('new')",
            "app.go('history')",
            "app.go('welcome')",
            "app.go('doctor')",
        }
    )
    DEFAULT_CSS = """
    SessionsScreen {
        SessionRows { height: 1fr; margin-top: 1; }
        SessionCard { height: 6; }
        &.-short {
            SessionRows { margin-top: 0; }
            SessionCard { display: none; }
        }
    }
    """

    def __init__(
        self,
        desk: StoreDesk,
        keeper: Keeper,
        opened: str = "",
    ) -> None:
        self._rows = SessionRows()
        super().__init__(self._rows)
        self._keeper = keeper
        self._desk, self._opened = desk, opened
        self._all: list[Listed] = []
        self._finder = Finder(placeholder="a name, a state, a model, a day (2026-11-21)")
        self._title = TitleLine("Sessions")
        self._card = SessionCard()

    def compose(self) -> ComposeResult:
        """Lay out search, table and the chosen session's card below each other."""
        yield self._title
        yield self._finder
        yield self._rows
        yield self._card
        yield self.message
        yield self.keys

    def on_mount(self) -> None:
        """Read the sessions now and then."""
        self._rows.focus()
        self.begin_reading()
        self._rows.marked = self._keeper.marked
        self.look()
        self.set_interval(REFRESH_SECONDS, self.look)

    def on_screen_resume(self) -> None:
        """Whatever was done elsewhere is seen at once."""
        self.look()

    @property
    def chosen(self) -> Listed | None:
        """The session under the cursor."""
        return self._rows.chosen

    # ------------------------------------------------------------ reading

    def look(self) -> None:
        """Read the sessions anew."""
        if self.is_current and not self._busy("sessions"):
            self.run_worker(self._read(), group="sessions")

    async def _read(self) -> None:
        try:
            self._all, engine, confirmed = await self._desk.ask(_sessions)
        except StoreError as error:
            self._rows.say(str(error))
            self._title.say("")
            self.end_reading()
            return
        self._rows.show_confirmed(confirmed)
        self._card.show_confirmed(confirmed)
        live = sum(one.live for one in self._all)
        runs = f" · {live} live" if live else " · an engine runs" if engine else ""
        count = len(self._all)
        self._title.say(f"{count:,} session{'s' if count != 1 else ''}{runs}")
        self._show()
        self.end_reading()

    @on(PromptArea.Changed)
    def _show(self) -> None:
        self._rows.show_sessions(
            matching(self._all, self._finder.text),
            opened=self._opened,
            searched=bool(self._finder.text.strip()),
        )

    @on(Rows.Moved)
    def _moved(self) -> None:
        self._card.show_session(self.chosen)

    # ------------------------------------------------------------ actions

    @on(FindArea.Left)
    def _typed(self, message: FindArea.Left) -> None:
        if message.escaped:
            self._finder.area.load_text("")
        self._rows.focus()

    @on(Rows.Opened)
    def action_open(self) -> None:
        """Show the chosen session on the live screen."""
        if self.chosen is not None:
            self._keeper.open(self.chosen)

    def action_fork(self) -> None:
        """Begin a new session from the chosen one."""
        if self.chosen is not None:
            self._keeper.fork(self.chosen)

    def action_delete(self) -> None:
        """Delete the chosen session, after a question."""
        if self.chosen is not None:
            self._keeper.delete(self.chosen, self.look)

    def action_confirm(self) -> None:
        """Confirm what the chosen session found."""
        if self.chosen is not None:
            self._keeper.confirm(self.chosen)

    def refusal(self, action: Action) -> str:
        """Return why an action cannot be done now; empty when it can."""
        if action.name == "confirm":
            one = self.chosen
            return (
                why_not_confirm(one.state, one.session.scored)
                if one is not None
                else "There is no session to confirm yet: mine one first."
            )
        return super().refusal(action)

    def action_mark(self) -> None:
        """Mark the chosen session and go on to the next, or take its mark away."""
        if self.chosen is not None:
            self._keeper.mark(self.chosen.session.id)
            self._rows.marked = self._keeper.marked
            self._rows.move(1)

    def action_search(self) -> None:
        """Type what to search for."""
        self._finder.area.focus()


def state_now(reader: Reader, session_id: str) -> Listed:
    """Return a session as it is now.

    Raises:
        StoreError: there is none with this id.
    """
    (one,) = listed([reader.session(session_id)], engine=is_live(reader.folder))
    return one


def _sessions(reader: Reader) -> tuple[list[Listed], bool, ConfirmedBySession]:
    engine, sessions = is_live(reader.folder), reader.sessions()
    confirmed: dict[str, list[ConfirmedScore]] = {}
    for one in reader.confirmed(session.id for session in sessions).values():
        confirmed.setdefault(one.session_id, []).append(one)
    return listed(sessions, engine=engine), engine, confirmed
