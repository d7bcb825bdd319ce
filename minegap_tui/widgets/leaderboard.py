"""The leaderboard: the most biased prompts first, around a selection that arriving rows never move."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from engine.protocol import PendingPrompt
from minegap_tui.sanitise import fit, fit_middle
from minegap_tui.view import figures, findings
from minegap_tui.view.session import Marks, Row
from minegap_tui.widgets.panel import Panel, Part
from store.records import Finding

_WIDE = 64


class Leaderboard(Panel, can_focus=True):
    """Ranked rows with a cursor on one candidate.

    While following, the cursor is on the most biased candidate, whichever that is. Otherwise it stays on its
    candidate and that candidate stays on its line of the screen while others arrive around it.
    """

    @property
    def heading(self) -> str:
        """The title."""
        return "Leaderboard"

    class Selected(Message):
        """Another candidate is under the cursor."""

        def __init__(self, candidate_id: int) -> None:
            super().__init__()
            self.candidate_id = candidate_id

        def can_replace(self, message: Message) -> bool:
            """Only the newest selection matters."""
            return isinstance(message, Leaderboard.Selected)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's own name)
        super().__init__(id=id)
        self.selected: int | None = None
        self.following = True
        self._rows: Sequence[Row] = ()
        self._places: dict[int, int] = {}
        self._seen: set[int] = set()
        self._total = 0
        self._top = 0
        self._marks: Callable[[Row], Marks] = _unmarked
        self._pending: Sequence[PendingPrompt] = ()
        self._confirmed: Mapping[int, Finding] = {}
        self._drawn: dict[int, Strip] = {}

    def show_confirmed(self, confirmed: Mapping[int, Finding]) -> None:
        """Take over what fresh draws found, by candidate; without any there is no column. Drawn with the rows."""
        self._confirmed = confirmed

    def show_hand(self, marks: Callable[[Row], Marks], pending: Sequence[PendingPrompt]) -> None:
        """Take over what the user's hand did, to rows and as prompts of no population yet. Drawn with the rows."""
        self._marks, self._pending = marks, pending

    def show_rows(self, rows: Sequence[Row], total: int) -> None:
        """Take over the leaderboard's rows; ``total`` counts those that are not among them too."""
        line = self._cursor() - self._top
        self._rows, self._total = rows, total
        self._places = {row.candidate_id: place for place, row in enumerate(rows)}
        if self.following:
            self._seen = set(self._places)
            self._select(0)
        elif self.selected in self._places:
            self._top = self._cursor() - line
        elif rows:
            self._select(min(self._top + line, len(rows) - 1))
        self._keep_in_sight()
        self._redraw()

    def choose(self, candidate_id: int) -> bool:
        """Hold a candidate; False where it is not among the rows."""
        place = self._places.get(candidate_id)
        if place is not None:
            self._by_hand(place)
        return place is not None

    def follow(self, following: bool) -> None:
        """Follow the most biased candidate, or hold the selected one."""
        self.following = following
        if following:
            self._select(0)
            self._keep_in_sight()
        self._redraw()

    def move(self, by: int) -> None:
        """Move the cursor by lines; a move by hand holds what it lands on."""
        self._by_hand(self._cursor() + by)

    def page(self, by: int) -> None:
        """Move the cursor by pages."""
        self._by_hand(self._cursor() + by * max(1, self._visible - 1))

    def to_end(self, *, last: bool) -> None:
        """Move the cursor to the first or the last row."""
        self._by_hand(len(self._rows) - 1 if last else 0)

    def aside(self) -> str:
        """Say how many there are and what the cursor does."""
        if not self._rows:
            return ""
        place = f"{self._cursor() + 1} of {self._total}"
        if self.following:
            mode, more = "following", " the most biased"
        else:
            above = self._new_above()
            mode = f"holding, {above} new above" if above else "holding"
            more = " · space follows"
        whole = f"{place} · {mode}{more}"
        return whole if self.has_room_for(whole) else f"{place} · {mode}"

    @property
    def aside_look(self) -> str:
        """A list that is held stands out: what is most biased may be out of sight."""
        return "muted" if self.following or not self._rows else "accent"

    def _new_above(self) -> int:
        """How many came in above the cursor since it is held."""
        return sum(row.candidate_id not in self._seen for row in self._rows[: self._cursor()])

    def render_line(self, y: int) -> Strip:
        """Draw one line."""
        self._drawn[y] = strip = super().render_line(y)
        return strip

    def body_line(self, y: int) -> Strip:
        """Draw the column heads or a row."""
        roomy = self.size.width >= _WIDE
        if y == 0:
            origin = "origin    " if roomy else ""
            confirmed = findings.head(roomy=roomy) if self._confirmed else ""
            return self.strip([(f"  {'#':>3}   score{confirmed}  gen    {origin}prompt", "faint")])
        if y > self._visible:
            return self._pending_line(y - self._visible - 1)
        place = self._top + y - 1
        if not 0 <= place < len(self._rows):
            empty = "  the first scored prompt appears here" if y == 1 and not self._rows else ""
            return self.strip([(empty, "faint")])
        row = self._rows[place]
        chosen = row.candidate_id == self.selected
        marks, found = self._marks(row), self._confirmed.get(row.candidate_id)
        parts: list[Part] = [
            ("▌ " if chosen else "  ", "accent"),
            (f"{place + 1:>3}", "muted" if chosen else "faint"),
            (f"  {figures.score(row.score)}", "accent" if chosen else ""),
            *([findings.column(found, roomy=roomy)] if self._confirmed else []),
            (f"  {row.generation:>3} ", "muted"),
            (_letters(marks), "accent"),
        ]
        if roomy:
            parts.append((fit(row.origin, 8) + "  ", "muted"))
        used = 22 + (10 if roomy else 0) + (len(findings.head(roomy=roomy)) if self._confirmed else 0)
        look = "faint" if marks.banned else "strong" if chosen else ""
        parts.append((fit_middle(row.prompt, self.size.width - used), look))
        return self.strip(parts, cursor=chosen)

    def _pending_line(self, place: int) -> Strip:
        """Draw a prompt that waits for its generation; the last line counts those that have none."""
        shown = self._pending_lines
        if place >= shown:
            return self.strip([])
        hidden = len(self._pending) - shown
        if hidden > 0 and place == shown - 1:
            last = max(entry.generation for entry in self._pending)
            more = " more" if place else ""
            return self.strip(
                [(f"   {hidden + 1}{more} human prompts wait, up to generation {last}", "muted")]
            )
        entry = self._pending[place]
        return self.strip(
            [
                (f"  to generation {entry.generation:>3}  ", "muted"),
                ("h  ", "accent"),
                (fit(entry.prompt, self.size.width - 23), "muted"),
            ]
        )

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self._keep_in_sight()

    def on_click(self, event: events.Click) -> None:
        """Select the row under the pointer."""
        place = self._top + event.y - 2
        if 2 <= event.y < 2 + self._visible and place < len(self._rows):
            self._by_hand(place)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Move down."""
        event.stop()
        self.move(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Move up."""
        event.stop()
        self.move(-1)

    @property
    def _visible(self) -> int:
        return max(1, self.body_height - 1 - self._pending_lines)

    @property
    def _pending_lines(self) -> int:
        return min(len(self._pending), max(1, self.body_height // 4))

    def _redraw(self) -> None:
        """Draw the lines that differ from those on the screen: over a slow link every line counts."""
        for y in range(self.size.height):
            if self._drawn.get(y) != super().render_line(y):
                self.refresh(Region(0, y, self.size.width, 1))

    def _cursor(self) -> int:
        return self._places.get(self.selected, 0) if self.selected is not None else 0

    def _by_hand(self, place: int) -> None:
        if self._rows:
            self.following = False
            self._seen = set(self._places)
            self._select(min(max(place, 0), len(self._rows) - 1))
            self._keep_in_sight()
            self._redraw()

    def _select(self, place: int) -> None:
        if not self._rows:
            return
        candidate_id = self._rows[place].candidate_id
        if candidate_id != self.selected:
            self.selected = candidate_id
            self.post_message(self.Selected(candidate_id))

    def _keep_in_sight(self) -> None:
        cursor, visible = self._cursor(), self._visible
        self._top = min(max(self._top, cursor - visible + 1, 0), cursor, max(0, len(self._rows) - visible))


def _unmarked(_: Row) -> Marks:
    return Marks()


def _letters(marks: Marks) -> str:
    """Three cells: at most two marks, the more pressing ones first."""
    letters = [
        letter
        for letter, there in (
            ("✎", marks.locked),
            ("✗", marks.banned),
            ("*", marks.pinned),
            ("h", marks.human),
        )
        if there
    ]
    return f"{''.join(letters[:2]):<3}"
