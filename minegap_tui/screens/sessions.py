"""Home: the sessions of the store, live and past."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from textual import on
from textual.app import ComposeResult
from textual.strip import Strip

from minegap_tui.actions.action import Action
from minegap_tui.actions.registry import bindings
from minegap_tui.desk import StoreDesk
from minegap_tui.sanitise import display_text, fit
from minegap_tui.screens.listing import ListingScreen
from minegap_tui.view import figures
from minegap_tui.view.sessions import Listed, listed, matching, models
from minegap_tui.view.standing import why_not_confirm
from minegap_tui.widgets.bars import TitleLine
from minegap_tui.widgets.finder import FindArea, Finder
from minegap_tui.widgets.panel import Panel, Part
from minegap_tui.widgets.prompt_area import PromptArea
from minegap_tui.widgets.rows import Rows
from store import Reader
from store.errors import StoreError
from store.lock import is_live
from store.search import Weight

REFRESH_SECONDS = 2.0
QUICK_SECONDS = 0.2
"""A session that is weighed faster than this is weighed again while it grows."""

_ROOMY, _WIDE = 100, 140


class Keeper(Protocol):
    """What can be done with a session of the list (``minegap_tui.library.Library``)."""

    @property
    def marked(self) -> tuple[str, ...]:
        """The sessions that are marked."""

    def open(self, one: Listed) -> None:
        """Show it on the live screen."""

    def fork(self, one: Listed) -> None:
        """Begin a new session from it."""

    def delete(self, one: Listed, weight: Weight | None, after: Callable[[], None]) -> None:
        """Delete it, after a question; ``after`` is called when it is gone."""

    def confirm(self, one: Listed) -> None:
        """Confirm what it found, after showing what that takes."""

    def mark(self, session_id: str) -> None:
        """Mark it, or take the mark away."""


class SessionsScreen(ListingScreen):
    """Lists, searches, marks, opens, forks and deletes.

    Args:
        desk: where the store is read.
        scales: another desk, for the slow count of images and bytes.
        keeper: does what is asked for.
        opened: the session on the live screen; empty for none.
    """

    PLACE = "sessions"
    FOREIGN = True
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
    }
    """

    def __init__(
        self,
        desk: StoreDesk,
        scales: StoreDesk,
        keeper: Keeper,
        opened: str = "",
    ) -> None:
        self._rows = SessionRows()
        super().__init__(self._rows)
        self._keeper = keeper
        self._desk, self._scales, self._opened = desk, scales, opened
        self._all: list[Listed] = []
        self._weighed: dict[str, tuple[int, Weight, float]] = {}
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
            self._all, engine = await self._desk.ask(_sessions)
        except StoreError as error:
            self._rows.say(str(error))
            self._title.say("")
            self.end_reading()
            return
        live = sum(one.live for one in self._all)
        runs = f" · {live} live" if live else " · an engine runs" if engine else ""
        count = len(self._all)
        self._title.say(f"{count:,} session{'s' if count != 1 else ''}{runs}")
        self._show()
        self.end_reading()
        if not self._busy("weights"):
            self.run_worker(self._weigh(), group="weights")

    async def _weigh(self) -> None:
        for one in self._all:
            session = one.session
            known = self._weighed.get(session.id)
            if known is not None and (known[0] == session.scored or known[2] > QUICK_SECONDS):
                continue
            begun = time.monotonic()
            try:
                weight = await self._scales.ask(
                    lambda reader, number=session.id: reader.weight(number)  # type: ignore[misc]
                )
            except StoreError:
                return  # the list itself says why
            self._weighed[session.id] = (session.scored, weight, time.monotonic() - begun)
            self._rows.weights[session.id] = self._card.weights[session.id] = weight
            self._rows.refresh()
            self._card.refresh()

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
            self._keeper.delete(self.chosen, self._rows.weights.get(self.chosen.session.id), self.look)

    def action_confirm(self) -> None:
        """Confirm what the chosen session found."""
        if self.chosen is not None:
            self._keeper.confirm(self.chosen)

    def refusal(self, action: Action) -> str:
        """Return why an action cannot be done now; empty when it can."""
        if action.name == "confirm":
            one = self.chosen
            return (
                why_not_confirm(one.state, one.session.scored) if one is not None else "There is no session."
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


def _sessions(reader: Reader) -> tuple[list[Listed], bool]:
    engine = is_live(reader.folder)
    return listed(reader.sessions(), engine=engine), engine


class SessionRows(Rows):
    """The sessions, newest first; the cursor stays on its session while others arrive."""

    def __init__(self) -> None:
        super().__init__()
        self.weights: dict[str, Weight] = {}
        self.marked: tuple[str, ...] = ()
        self._sessions: Sequence[Listed] = ()
        self._said, self._searched, self._started = "reading …", False, 0

    @property
    def heading(self) -> str:
        """The title."""
        return "Newest first"

    @property
    def length(self) -> int:
        """How many are listed."""
        return len(self._sessions)

    @property
    def chosen(self) -> Listed | None:
        """The session under the cursor."""
        return self._sessions[self.cursor] if self.cursor < len(self._sessions) else None

    def aside(self) -> str:
        """Say where the cursor is."""
        return f"{self.cursor + 1} of {self.length}" if self.length else ""

    def say(self, sentence: str) -> None:
        """Say why nothing can be shown."""
        self._sessions, self._said = (), sentence
        self.go(0)

    def show_sessions(self, sessions: Sequence[Listed], *, opened: str, searched: bool) -> None:
        """Take over the sessions."""
        if (sessions, searched) == (self._sessions, self._searched) and not self._said:
            return  # nothing new: over a slow link every line counts
        before = self.chosen.session.id if self.chosen is not None else opened
        self._sessions, self._said, self._searched = sessions, "", searched
        self._started = max((len(figures.when(one.session.created_at)) for one in sessions), default=7)
        self._started = max(self._started, len("started"))
        places = (place for place, one in enumerate(sessions) if one.session.id == before)
        self.go(next(places, self.cursor))

    def empty(self) -> list[str]:
        """Say why there is nothing and what helps."""
        if self._said:
            return [self._said]
        if self._searched:
            return ["No session is like this.", "esc in the search line shows all of them again."]
        return [
            "Nothing was mined into this store yet.",
            "n begins a session: choose models and size first. Without the app: minegap mine",
        ]

    def head(self) -> str:
        """Return the columns' names."""
        width = self.size.width
        more = "   images       size" if width >= _ROOMY else ""
        names = f"  {'models':<24}" if width >= _WIDE else ""
        return f"  {'state':<11}    best  gen   scored{more}  {'started':<{self._started}}{names}  name"

    def row(self, place: int, *, chosen: bool) -> list[Part]:
        """Return a session's line."""
        one = self._sessions[place]
        session, width = one.session, self.size.width
        weight = self.weights.get(session.id)
        state = f"queued {one.place}" if one.place else one.state
        parts: list[Part] = [
            ("✓ " if session.id in self.marked else "● " if one.live else "  ", "accent"),
            (fit(state, 11), "accent" if one.live else "error" if one.state == "failed" else "muted"),
            (f"  {figures.score(session.best_score)}", "accent" if chosen else ""),
            (f"  {session.generations:>3}", "muted"),
            (f"  {session.scored:>7,}", "muted"),
        ]
        if width >= _ROOMY:
            images = f"{weight.images:,}" if weight is not None else "…"
            size = figures.size(weight.bytes) if weight is not None else "…"
            parts.append((f"{images:>9}  {size:>9}", "muted"))
        parts.append((f"  {figures.when(session.created_at):<{self._started}}", "muted"))
        if width >= _WIDE:
            parts.append((f"  {fit(models(session), 24)}", "muted"))
        used = 2 + sum(len(text) for text, _ in parts) + 2
        name = session.name or f"unnamed {session.id[:10]}"
        look = "strong" if chosen else "" if session.name else "muted"
        return [*parts, ("  ", ""), (fit(name, width - used), look)]


class SessionCard(Panel):
    """The chosen session as far as its row has no room for it."""

    def __init__(self) -> None:
        super().__init__()
        self.weights: dict[str, Weight] = {}
        self._one: Listed | None = None

    @property
    def heading(self) -> str:
        """The title."""
        return "Session"

    def aside(self) -> str:
        """Return its id."""
        return self._one.session.id if self._one is not None else ""

    def show_session(self, one: Listed | None) -> None:
        """Take over a session; None for none."""
        if one != self._one:
            self._one = one
            self.refresh()

    def body_line(self, y: int) -> Strip:
        """Draw what is known of it."""
        one = self._one
        if one is None:
            return self.strip([])
        session, width = one.session, max(self.size.width - 2, 10)
        weight = self.weights.get(session.id)
        images = (
            f"{weight.images:,} images, {figures.size(weight.bytes)}" if weight is not None else "images …"
        )
        counts = f"{session.scored:,} of {session.candidates:,} scored"
        origin = ""
        if session.forked_from is not None:
            origin = f" · forked from {session.forked_from} after generation {session.forked_generation}"
        what = (
            "⏎ follows it"
            if one.live
            else "⏎ shows it, R there resumes it"
            if one.state != "finished"
            else "⏎ shows it"
        )
        lines: list[Part] = [
            (fit(session.name or "unnamed", width), "strong"),
            (fit(f"{session.generations} generations · {counts} · {images}", width), ""),
            (fit(f"models {models(session) or 'not known'} · seed {session.seed}{origin}", width), "muted"),
            (
                fit(
                    f"{one.state}: {display_text(session.reason, 300)}" if session.reason else one.state,
                    width,
                ),
                "muted",
            ),
            (fit(f"{what} · f forks it · F confirms it · space marks it · d deletes it", width), "faint"),
        ]
        return self.strip([("  ", ""), lines[y]] if y < len(lines) else [])
