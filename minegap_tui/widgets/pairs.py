"""The compare screen's table and the chosen prompt's card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.strip import Strip

from minegap_tui.sanitise import fit, wrap
from minegap_tui.view import figures
from minegap_tui.view.compare import Comparison
from minegap_tui.view.findings import CLAIMED
from minegap_tui.view.pairing import NAMES, TITLES, Arrangement, Line, counts, lines
from minegap_tui.view.verdict import nothing_shared
from minegap_tui.widgets.panel import Panel, Part
from minegap_tui.widgets.rows import Rows
from store.comparing import Measured

_SCORES, _TABS = 28, 64


class PairRows(Rows):
    """Prompts with the score of either side, and the difference."""

    def __init__(self) -> None:
        super().__init__()
        self.how = Arrangement()
        self._found: Comparison | None = None
        self._lines: Sequence[Line] = ()
        self._said = "reading …"

    @property
    def heading(self) -> str:
        """Which prompts are listed."""
        return TITLES[self.how.part]

    @property
    def length(self) -> int:
        """How many there are."""
        return len(self._lines)

    @property
    def chosen(self) -> Line | None:
        """The prompt under the cursor."""
        return self._lines[self.cursor] if self.cursor < len(self._lines) else None

    def aside(self) -> str:
        """Say where the cursor is, the order, and how many the other lists have."""
        if self._found is None:
            return ""
        place = f"{self.cursor + 1:,} of {self.length:,} · {self.how.said()}" if self.length else ""
        others = " · ".join(
            f"{TITLES[part].lower()} {count:,}"
            for part, count in counts(self._found)
            if part != self.how.part
        )
        others = others.replace("only in a", "only in A").replace("only in b", "only in B")
        whole = f"{place} · {others}" if place else others
        return whole if self.size.width >= _TABS else place

    def say(self, sentence: str) -> None:
        """Say why nothing can be shown."""
        self._found, self._lines, self._said = None, (), sentence
        self.go(0)

    def show_comparison(self, found: Comparison) -> None:
        """Take over a comparison; the cursor stays on its prompt."""
        self._found, self._said = found, ""
        self.put(self.how)

    def put(self, how: Arrangement) -> None:
        """List other prompts, or in another order; the cursor stays on its prompt, or goes to the first."""
        before = self.chosen.prompt if self.chosen is not None else None
        self.how = how
        self._lines = lines(self._found, how) if self._found is not None else ()
        places = (place for place, line in enumerate(self._lines) if line.prompt == before)
        self.go(next(places, 0))

    def empty(self) -> list[str]:
        """Say why there is nothing and what helps."""
        if self._found is None:
            return [self._said]
        if self.how.part == "shared":
            return [nothing_shared(self._found), "tab lists the prompts of one side."]
        return ["Every prompt of this side was measured on the other one, too."]

    def head(self) -> str:
        """Return the columns' names, an arrow on the one that orders them."""
        arrow = "↓" if self.how.descending else "↑"

        def name(column: str, width: int) -> str:
            marked = arrow if column == self.how.order() else ""
            return f"{marked}{NAMES[column]}".rjust(width)  # type: ignore[index]

        prompt = f"prompt{arrow}" if self.how.order() == "prompt" else "prompt"
        if self.how.part != "shared":
            return f"{name(self.how.part, 6)}  gen  origin    {prompt}"
        return f"{name('a', 6)}  {name('b', 6)}  {name('difference', 7)}    {prompt}"

    def row(self, place: int, *, chosen: bool) -> list[Part]:
        """Return a prompt's line."""
        line = self._lines[place]
        look = "strong" if chosen else ""
        one = line.a or line.b
        if line.pair is None and one is not None:
            score = line.score_a if line.a is not None else line.score_b
            return [
                (figures.score(score), "accent" if chosen else ""),
                (f"  {one.generation:>3}  {fit(one.origin, 8)}  ", "muted"),
                (fit(line.prompt, self.size.width - 25), look),
            ]
        return [
            (figures.score(line.score_a), "muted"),
            (f"  {figures.score(line.score_b)}  ", "muted"),
            (figures.signed(line.difference), "accent" if chosen else ""),
            (f" {line.mark}", "faint"),
            (f"{CLAIMED if line.confirmed else ' '} ", "accent"),
            (fit(line.prompt, self.size.width - _SCORES), look),
        ]


class PairCard(Panel):
    """The chosen prompt on both sides: how it scored, and what its images leave out."""

    def __init__(self) -> None:
        super().__init__()
        self._line: Line | None = None
        self._missed: Mapping[int, Sequence[str]] = {}

    @property
    def heading(self) -> str:
        """The title."""
        return "What the images leave out"

    def aside(self) -> str:
        """Say what enter does."""
        return "a b see all evidence" if self._line is not None else ""

    def show_line(self, line: Line | None, missed: Mapping[int, Sequence[str]]) -> None:
        """Take over a prompt and the missed concepts that are read, by evaluation."""
        self._line, self._missed = line, missed
        self.refresh()

    def body_line(self, y: int) -> Strip:
        """Draw prompt and sides."""
        line = self._line
        if line is None:
            return self.strip([])
        room = max(self.size.width - 2, 10)
        drawn: list[list[Part]] = [
            [("  ", ""), (text, "strong")] for text in wrap(line.prompt, room, self._room_for_prompt)
        ]
        if line.pair is not None and line.pair.reworded and line.b is not None:
            drawn.append([("  ", ""), (fit(f"B's text: {line.b.prompt}", room), "muted")])
        most = max(1, (self.body_height - len(drawn) - 2) // 2)
        for letter, one, score in (("A", line.a, line.score_a), ("B", line.b, line.score_b)):
            drawn += self._side(letter, one, score, room, most, confirmed=line.confirmed)
        return self.strip(drawn[y] if y < len(drawn) else [])

    @property
    def _room_for_prompt(self) -> int:
        return 2 if self.body_height >= 8 else 1

    def _side(
        self,
        letter: str,
        one: Measured | None,
        score: float | None,
        room: int,
        most: int,
        *,
        confirmed: bool,
    ) -> list[list[Part]]:
        if one is None:
            return [[(f"  {letter}  ", "accent"), ("did not measure it", "faint")]]
        about = (
            f"candidate {one.candidate_id} · generation {one.generation} · {one.origin} · {one.images} images"
        )
        head: list[Part] = [
            (f"  {letter}  ", "accent"),
            (figures.score(score).strip(), ""),
            (" confirmed" if confirmed else "", "accent"),
            ("  " + fit(about, room - (23 if confirmed else 13)), "muted"),
        ]
        missed = self._missed.get(one.evaluation_id)
        if missed is None:
            return [head, [("     …", "faint")]]
        if not missed:
            return [head, [("     nothing: every variation is covered", "faint")]]
        more = len(missed) - most
        shown = missed if more <= 0 else missed[: most - (most > 1)]
        lines: list[list[Part]] = [[("     ", ""), (fit(text, room - 5), "")] for text in shown]
        if more > 0 and most > 1:
            lines.append([(f"     and {more + 1} more", "faint")])
        return [head, *lines]
