"""The selected candidate: its prompt, its images, and what the images leave out."""

from __future__ import annotations

from textual.strip import Strip

from minegap_tui.sanitise import display_text, wrap
from minegap_tui.view import figures
from minegap_tui.view.evidence import Evidence, split_added, word_set
from minegap_tui.view.findings import beside
from minegap_tui.view.gallery import arrange, spread
from minegap_tui.widgets.board import Board
from minegap_tui.widgets.panel import Panel, Part


class Headline(Panel):
    """Whose evidence this is."""

    @property
    def heading(self) -> str:
        """The title."""
        return "Selected"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's own name)
        super().__init__(id=id)
        self._evidence: Evidence | None = None

    def show_evidence(self, evidence: Evidence) -> None:
        """Take over the evidence."""
        self._evidence = evidence
        self.refresh()

    def aside(self) -> str:
        """Say the score and where the prompt comes from."""
        if self._evidence is None:
            return ""
        found = self._evidence
        origin = f"{found.origin}, generation {found.generation}"
        if found.score is None:
            return origin
        scored = f"{figures.score(found.score).strip()}{beside(found.finding)}"
        whole = f"{found.score_name} {scored} · {origin}"
        return whole if self.has_room_for(whole) else f"{scored} · {origin}"

    def body_line(self, y: int) -> Strip:
        """Draw the prompt, and below it what it was made from."""
        found = self._evidence
        if found is None:
            return self.strip([("nothing selected yet" if y == 0 else "", "faint")])
        below = 1 if found.parents and self.body_height > 1 else 0
        lines = wrap(found.prompt, self.size.width, most=max(1, self.body_height - below))
        if y < len(lines):
            return self.strip([(lines[y], "strong")])
        if below and y == len(lines):
            (line,) = wrap(f"from “{found.parents[0][1]}”", self.size.width, most=1)
            return self.strip([(line, "muted")])
        return self.strip([])


class Variations(Panel):
    """The variations by coverage: ○ missed concepts, ● shown ones; words that the prompt lacks stand out."""

    @property
    def heading(self) -> str:
        """The title."""
        return "Variations"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's own name)
        super().__init__(id=id)
        self._evidence: Evidence | None = None
        self._lines: list[list[Part]] = []

    def show_evidence(self, evidence: Evidence) -> None:
        """Take over the evidence."""
        self._evidence = evidence
        self._layout()

    def aside(self) -> str:
        """Say how many the images miss."""
        if self._evidence is None or not self._evidence.variations:
            return ""
        return f"○ {self._evidence.missed} of {len(self._evidence.variations)} missed"

    def on_resize(self) -> None:
        """Break the lines anew."""
        self._layout()

    def body_line(self, y: int) -> Strip:
        """Draw one line of a variation."""
        if y < len(self._lines):
            return self.strip(self._lines[y])
        return self.strip([])

    @property
    def needed_height(self) -> int:
        """Lines that all variations and the title take."""
        return len(self._lines) + 1

    def _layout(self) -> None:
        self._lines = []
        found = self._evidence
        if found is not None and found.note:
            self._lines = [[(line, "muted")] for line in wrap(found.note, self.size.width)]
        kept = word_set(display_text(found.prompt)) if found is not None else frozenset()
        for line in found.variations if found is not None else ():
            mark = ("○", "accent") if line.missed else ("●", "faint")
            margin: list[Part] = [mark, (figures.score(line.coverage), "muted"), ("  ", "")]
            looks = {True: "" if line.missed else "muted", False: "muted" if line.missed else "faint"}
            for text in wrap(line.text, self.size.width - 10, most=4):
                words = [(piece, looks[added]) for piece, added in split_added(text, kept)]
                self._lines.append([*margin, *words])
                margin = [(" " * 9, "")]
        self.refresh()


class Gallery(Board):
    """The candidate's images, as many as can be told apart."""

    STILL = False

    @property
    def heading(self) -> str:
        """The title."""
        return "Images"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's own name)
        super().__init__(id=id)
        self._evidence: Evidence | None = None

    def show_evidence(self, evidence: Evidence) -> None:
        """Take over the evidence; pictures already drawn stay until the new ones are decoded."""
        if self._evidence is None or evidence.pictures != self._evidence.pictures:
            self._evidence = evidence
            self._arrange()

    def aside(self) -> str:
        """Say how many of the images are seen."""
        count = len(self._evidence.pictures) if self._evidence is not None else 0
        if count and self.off:
            return f"{count}, not drawn"
        return f"{len(self._plan.spots)} of {count}" if count else ""

    def on_resize(self) -> None:
        """Lay the images out anew."""
        self._arrange()

    def _arrange(self) -> None:
        if self._evidence is None or not self.size.width:
            return
        pictures = self._evidence.pictures
        aspect = pictures[0].aspect if pictures else 1.0
        grid = arrange(len(pictures), self.size.width, self.body_height, aspect)
        self.show(spread(grid, [one.path for one in pictures]))
