"""A candidate's images with their alignment, and the proof that what they miss could have been drawn."""

from __future__ import annotations

from textual import events
from textual.message import Message
from textual.strip import Strip

from minegap_tui.sanitise import wrap
from minegap_tui.view import boards
from minegap_tui.view.boards import Tiles
from minegap_tui.view.evidence import Evidence
from minegap_tui.view.heat import Cursor, Window
from minegap_tui.widgets.board import Board


class ImageBoard(Board):
    """All images, in drawing order; ◆ shows the chosen variation best, ▽ is among the least aligned."""

    STILL = False

    class Chosen(Message):
        """An image was clicked."""

        def __init__(self, column: int) -> None:
            super().__init__()
            self.column = column

    @property
    def heading(self) -> str:
        """The title."""
        return "2 Images"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's own name)
        super().__init__(id=id)
        self._evidence: Evidence | None = None
        self._cursor = Cursor()
        self._window = Window(0, 0)
        self.tiles = Tiles(1, 1, 1)

    def aside(self) -> str:
        """Say how many of the images are seen, and what the marks mean."""
        count = len(self._evidence.pictures) if self._evidence is not None else 0
        if count and self.off:
            return f"{count}, not drawn: I draws them"
        if not count:
            return ""
        marks = f"{boards.CLOSEST} closest to the variation · {boards.LEAST} least aligned"
        seen = len(self._plan.spots)
        return marks if seen == count else f"{seen} of {count} · {marks}"

    def show_evidence(self, evidence: Evidence, cursor: Cursor) -> None:
        """Take over a candidate and the chosen cell."""
        self._evidence, self._cursor = evidence, cursor
        self._arrange()

    def on_resize(self) -> None:
        """Lay the images out anew."""
        self._arrange()

    def on_click(self, event: events.Click) -> None:
        """Choose the image under the pointer."""
        y = event.y - 1
        for place, spot in enumerate(self._plan.spots):
            if 0 <= event.x - spot.column < spot.width and 0 <= y - spot.row <= spot.height:
                self.post_message(self.Chosen(self._window.start * self.tiles.columns + place))

    def _arrange(self) -> None:
        if self._evidence is not None and self.size.width:
            plan, self.tiles, self._window = boards.images(
                self._evidence, self._cursor, self.size.width, self.body_height, self._window
            )
            self.show(plan)


class ProofBoard(Board):
    """Per missed concept the prompt's own closest image, and images that the model drew when asked for it."""

    STILL = False

    @property
    def heading(self) -> str:
        """The title."""
        return "3 Could it be drawn?"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's own name)
        super().__init__(id=id)
        self._evidence: Evidence | None = None
        self._chosen = 0
        self._window = Window(0, 0)

    def aside(self) -> str:
        """Say how many concepts are truly missing."""
        found = self._evidence.proof if self._evidence is not None else ()
        missing = sum(one.verdict == "missed" for one in found)
        return f"{missing} of {len(found)} missing though they can be drawn" if found else ""

    def show_evidence(self, evidence: Evidence, chosen: int) -> None:
        """Take over a candidate and the chosen concept."""
        self._evidence, self._chosen = evidence, chosen
        self._arrange()

    def on_resize(self) -> None:
        """Lay the images out anew."""
        self._arrange()

    def body_line(self, y: int) -> Strip:
        """Draw a line through the images, or say what is needed to have some."""
        found = self._evidence
        if found is None or found.proof:
            return super().body_line(y)
        lines = [line for text in _wanting(found) for line in [*wrap(text, max(self.size.width - 4, 10)), ""]]
        return self.strip([(f"  {lines[y]}" if y < len(lines) else "", "muted")])

    def _arrange(self) -> None:
        if self._evidence is not None and self.size.width:
            plan, self._window = boards.proof(
                self._evidence, self._chosen, self.size.width, self.body_height, self._window
            )
            self.show(plan)
            self.refresh()


def _wanting(found: Evidence) -> list[str]:
    """Say why there is no proof, and how to get it."""
    if found.finding is not None:
        return ["Confirmed, and no concept was missed on fresh images: there was nothing to draw."]
    if not found.variations:
        return ["There is nothing to prove before the candidate is scored."]
    one = found.missed == 1
    missed = f"{found.missed} missed concept{'' if one else 's'} of this prompt {'was' if one else 'were'}"
    return [
        f"{missed} not drawn yet, so nobody knows whether the model could have "
        "drawn them, or CLIP seen them.",
        "F confirms the session.",
        f"Without the app: minegap confirm {found.session_id}",
        "It measures the best candidates on fresh images and variations, and draws every missed concept outright. "
        "Then they stand here, beside the closest image of this prompt.",
    ]
