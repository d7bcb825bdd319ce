"""What the history is made of: how filters are written, the candidates found, and the chosen one's card."""

from __future__ import annotations

from collections.abc import Sequence

from textual.strip import Strip

from minegap_tui.sanitise import display_text, fit, wrap
from minegap_tui.view import figures, findings
from minegap_tui.view.history import Findings
from minegap_tui.widgets.panel import Panel, Part
from minegap_tui.widgets.rows import Rows
from store.records import Candidate, ConfirmedScore

HINT = 'score<.2|gen:12..|origin:human|state:failed|"two words"|nurs*|-word|model:sd|session:01M|origin:elite,human'
_NARROW, _ROOMY, _SESSION = 60, 100, 18


class HintLine(Panel):
    """How a filter is written, or what is wrong with this one."""

    DEFAULT_CSS = """
    HintLine { height: 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[list[Part]] = []
        self._offers: list[str] = []
        self._fault = self._news = ""

    def say(self, fault: str) -> None:
        """Show what is wrong; an empty text shows how filters are written."""
        self._fault, self._news = fault, ""
        self._layout()

    def offer(self, offers: Sequence[str]) -> None:
        """Show what tab would put in; foreign text is safe here."""
        shown = [display_text(one, 40) for one in offers]
        if shown != self._offers:
            self._offers = shown
            self._layout()

    def tell(self, news: str | None) -> None:
        """Show what was done."""
        self._news = news or ""
        self._layout()

    def on_resize(self) -> None:
        """Break the sentence anew."""
        self._layout()

    def render_line(self, y: int) -> Strip:
        """Draw a line of it."""
        return self.strip([("  ", ""), *self._lines[y]] if y < len(self._lines) else [])

    def _layout(self) -> None:
        room = max(self.size.width - 2, 10)
        said = self._fault or self._news
        self.set_class(not (said or self._offers), "-idle")
        look = "error" if self._fault else "muted"
        self._lines = [[(text, look)] for text in wrap(said, room, 3)] if said else []
        if self._offers:
            line = _whole("|".join(self._offers), room - 5) or fit(self._offers[0], room - 5)
            self._lines.append([("tab  ", "faint"), (line, "muted")])
        self._lines = self._lines or [[(_whole(HINT, room), "faint")]]
        self.styles.height = len(self._lines)
        self.refresh()


class FoundRows(Rows):
    """The candidates that were found."""

    def __init__(self) -> None:
        super().__init__()
        self.names: dict[str, str] = {}
        self._findings = Findings()
        self._everything = True
        self._said = "reading …"

    @property
    def heading(self) -> str:
        """The title."""
        return "Candidates"

    @property
    def length(self) -> int:
        """How many were found so far."""
        return len(self._findings.places)

    def aside(self) -> str:
        """Say where the cursor is."""
        return f"{self.cursor + 1:,} of {self.length:,}" if self.length else ""

    def say(self, sentence: str) -> None:
        """Say why nothing can be shown."""
        self._findings, self._said = Findings(complete=True), sentence
        self.go(0)

    def show_findings(self, findings: Findings, *, everything: bool, anew: bool) -> None:
        """Take over what was found; ``everything``: nothing was asked for; ``anew``: from the first line."""
        self._findings, self._everything, self._said = findings, everything, ""
        self.go(0 if anew else self.cursor)

    def empty(self) -> list[str]:
        """Say why there is nothing and what helps."""
        if self._said:
            return [self._said]
        if self._everything:
            return ["Nothing was mined into this store yet.", "Begin with: minegap mine"]
        return [
            "No candidate is like this.",
            "Words are whole words (nurs* finds nurses too), and all conditions must hold: take one away, or widen a "
            "range.",
        ]

    def head(self) -> str:
        """Return the columns' names."""
        origin = "origin    " if self._normal else ""
        return (
            f" score{findings.head(roomy=self._beside)}  gen  {origin}"
            + (f"{'session':<{_SESSION}}  " if self._roomy else "")
            + "prompt"
        )

    def row(self, place: int, *, chosen: bool) -> list[Part]:
        """Return a candidate's line; one that is not read yet has its score only."""
        candidate = self._findings.candidate(place)
        if candidate is None:
            return [(figures.score(self._findings.places[place].score), "faint")]
        parts: list[Part] = [
            (_score(candidate), "accent" if chosen else ""),
            findings.column(self._findings.confirmed.get(candidate.id), roomy=self._beside),
            (f"  {candidate.generation:>3}  ", "muted"),
        ]
        if self._normal:
            parts.append((fit(candidate.origin, 8) + "  ", "muted"))
        used = sum(len(text) for text, _ in parts)
        if self._roomy:
            session = self.names.get(candidate.session_id) or candidate.session_id[:10]
            parts.append((fit(session, _SESSION) + "  ", "muted"))
            used += _SESSION + 2
        return [*parts, (fit(candidate.prompt, self.size.width - used), "strong" if chosen else "")]

    @property
    def _normal(self) -> bool:
        return self.size.width >= _NARROW

    @property
    def _roomy(self) -> bool:
        return self.size.width >= _ROOMY

    @property
    def _beside(self) -> bool:
        """Whether confirmed scores themselves are shown, not only whose there are: what is sorted by is, always."""
        return self._roomy or self._findings.order == "confirmed"


class FoundCard(Panel):
    """The chosen candidate as far as its row has no room for it."""

    def __init__(self) -> None:
        super().__init__()
        self.names: dict[str, str] = {}
        self._candidate: Candidate | None = None
        self._confirmed: ConfirmedScore | None = None

    @property
    def heading(self) -> str:
        """The title."""
        return f"Candidate {self._candidate.id}" if self._candidate is not None else "Candidate"

    def show_candidate(self, candidate: Candidate | None, confirmed: ConfirmedScore | None = None) -> None:
        """Take over a candidate, and what was confirmed of it; None for none."""
        if candidate is not self._candidate or confirmed != self._confirmed:
            self._candidate, self._confirmed = candidate, confirmed
            self.refresh()

    def body_line(self, y: int) -> Strip:
        """Draw prompt, origin and session."""
        one = self._candidate
        if one is None:
            return self.strip([])
        width = max(self.size.width - 2, 10)
        below = [f"generation {one.generation}", one.origin]
        if one.score is not None:
            below.insert(
                0,
                f"{display_text(one.score_name or '', 40)} {one.score:.4f}{findings.beside(self._confirmed)}",
            )
        if one.parent_id is not None:
            below.append(f"child of {one.parent_id}")
        below.append(one.state if not one.reason else f"{one.state}: {display_text(one.reason, 200)}")
        name = self.names.get(one.session_id, "")
        lines: list[Part] = [(text, "strong") for text in wrap(one.prompt, width, 3)]
        lines.append((fit(" · ".join(below), width), "muted"))
        lines.append((fit(f"session {one.session_id}  {display_text(name, 60)}", width), "muted"))
        return self.strip([("  ", ""), lines[y]] if y < len(lines) else [])


def _whole(pieces: str, room: int) -> str:
    """Return as many pieces as fit."""
    shown = ""
    for piece in pieces.split("|"):
        longer = f"{shown}  {piece}" if shown else piece
        if len(longer) > room:
            break
        shown = longer
    return shown


def _score(candidate: Candidate) -> str:
    """Return the score in six cells, or why there is none."""
    if candidate.score is None and candidate.state != "scored":
        return "failed" if candidate.state == "failed" else "waits "
    return figures.score(candidate.score)
