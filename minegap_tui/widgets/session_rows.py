"""What the list of sessions is made of: the sessions, and the chosen one's card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.strip import Strip

from minegap_tui.sanitise import display_text, fit
from minegap_tui.view import figures, findings
from minegap_tui.view.sessions import Listed, models
from minegap_tui.widgets.panel import Panel, Part
from minegap_tui.widgets.rows import Rows
from store.records import ConfirmedScore

_NARROW, _ROOMY, _WIDE = 60, 100, 140

ConfirmedBySession = Mapping[str, Sequence[ConfirmedScore]]


class SessionRows(Rows):
    """The sessions, newest first; the cursor stays on its session while others arrive."""

    def __init__(self) -> None:
        super().__init__()
        self.marked: tuple[str, ...] = ()
        self._confirmed: ConfirmedBySession = {}
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

    def show_confirmed(self, confirmed: ConfirmedBySession) -> None:
        """Take over what was confirmed."""
        if confirmed != self._confirmed:
            self._confirmed = confirmed
            self.refresh()

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
        confirmed = findings.head(roomy=width >= _ROOMY) if self._confirmed else ""
        if width < _NARROW:
            return f"  {'state':<11}    best{confirmed}  name"
        return f"  {'state':<11}    best{confirmed}  gen   scored{more}  {'started':<{self._started}}{names}  name"

    def row(self, place: int, *, chosen: bool) -> list[Part]:
        """Return a session's line."""
        one = self._sessions[place]
        session, width = one.session, self.size.width
        state = f"queued {one.place}" if one.place else one.state
        parts: list[Part] = [
            ("✓ " if session.id in self.marked else "● " if one.live else "  ", "accent"),
            (fit(state, 11), "accent" if one.live else "error" if one.state == "failed" else "muted"),
            (f"  {figures.score(session.best_score)}", "accent" if chosen else ""),
            *(
                [findings.column(findings.tally(self._confirmed.get(session.id, ())), roomy=width >= _ROOMY)]
                if self._confirmed
                else []
            ),
        ]
        if width >= _NARROW:
            parts += [(f"  {session.generations:>3}", "muted"), (f"  {session.scored:>7,}", "muted")]
        if width >= _ROOMY:
            parts.append((f"{session.images:>9,}  {figures.size(session.bytes):>9}", "muted"))
        if width >= _NARROW:
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
        self._one: Listed | None = None
        self._confirmed: ConfirmedBySession = {}

    @property
    def heading(self) -> str:
        """The title."""
        return "Session"

    def aside(self) -> str:
        """Return its id."""
        return self._one.session.id if self._one is not None else ""

    def show_confirmed(self, confirmed: ConfirmedBySession) -> None:
        """Take over what was confirmed."""
        if confirmed != self._confirmed:
            self._confirmed = confirmed
            self.refresh()

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
        images = f"{session.images:,} images, {figures.size(session.bytes)}"
        counts = f"{session.scored:,} of {session.candidates:,} scored"
        if session.scored:
            counts += f", {findings.counted(self._confirmed.get(session.id, ()))}"
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
