"""One candidate: why its score is low, what its images leave out, and that the model could have drawn it."""

from __future__ import annotations

from collections.abc import Callable

from textual import on
from textual.app import ComposeResult
from textual.containers import Container

from minegap_tui.actions.registry import bindings
from minegap_tui.sanitise import wrap
from minegap_tui.screens.page import EvidencePage
from minegap_tui.view.evidence import Evidence
from minegap_tui.view.heat import Cursor
from minegap_tui.view.scores import score_lines
from minegap_tui.view.sections import SECTIONS, Part, Section, arranged
from minegap_tui.widgets.evidence import Headline
from minegap_tui.widgets.panel import Panel
from minegap_tui.widgets.proof import ImageBoard, ProofBoard
from minegap_tui.widgets.scroller import Scroller
from minegap_tui.widgets.similarity import CellCard, Similarities
from minegap_tui.widgets.tabs import SectionTabs

_LOW, _HIGH = 18, 30
"""Lines of a screen below which the prompt is cut to one, and from which on there is air."""


class Scores(Scroller):
    """Every computed score with what it means, and the prompts this one descends from."""

    @property
    def heading(self) -> str:
        """The title."""
        return "4 Scores, lower is more biased"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's own name)
        super().__init__(id=id)
        self._evidence: Evidence | None = None

    def show_evidence(self, evidence: Evidence) -> None:
        """Take over a candidate."""
        anew, self._evidence = evidence is not self._evidence, evidence
        self.show_lines(score_lines(evidence, self.size.width), anew=anew)

    def on_resize(self) -> None:
        """Break the lines anew."""
        if self._evidence is not None:
            self.show_evidence(self._evidence)


class InspectScreen(EvidencePage):
    """Draws an ``Evidence``; the app hands over another one when the user steps to a neighbour.

    All parts share one cursor: a variation and an image.
    """

    PLACE = "inspect"
    BINDINGS = bindings(PLACE)
    DEFAULT_CSS = """
    InspectScreen {
        SectionTabs { height: 1; }
        #parts { height: 1fr; }
        #parts > * { position: absolute; display: none; }
    }
    """

    def __init__(self, evidence: Evidence, why_not: Callable[[str], str] = lambda _: "") -> None:
        """``why_not``: tells why a steering action cannot be done now; empty when it can."""
        super().__init__(why_not)
        self._evidence = evidence
        self._focus: Section = "map"
        self._cursor = _beginning(evidence)
        self._concept = 0
        self._headline = Headline()
        self._tabs = SectionTabs()
        self._map, self._card = Similarities(), CellCard()
        self._images, self._proof, self._scores = ImageBoard(), ProofBoard(), Scores()
        self._parts: dict[Part, Panel] = {
            "map": self._map,
            "card": self._card,
            "images": self._images,
            "proof": self._proof,
            "scores": self._scores,
        }

    @property
    def evidence(self) -> Evidence:
        """The candidate on the screen."""
        return self._evidence

    def compose(self) -> ComposeResult:
        """Lay out headline and parts; the parts are placed by the room there is."""
        yield self._headline
        yield self._tabs
        yield Container(*self._parts.values(), id="parts")
        yield self.message
        yield self.keys

    def on_mount(self) -> None:
        """Draw the first candidate."""
        self._make_room()

    def on_resize(self) -> None:
        """Lay out anew."""
        self._make_room()

    def show_evidence(self, evidence: Evidence) -> None:
        """Draw a candidate, from its most missed concept on if it is another one."""
        if evidence.candidate_id != self._evidence.candidate_id:
            self._cursor, self._concept = _beginning(evidence), 0
        self._evidence = evidence
        self._make_room()

    @property
    def candidate_id(self) -> int | None:
        """The candidate shown."""
        return self._evidence.candidate_id

    def _make_room(self) -> None:
        """Give the prompt the lines that it needs, and what is left to the parts."""
        most = 1 if self.size.height < _LOW else 3
        lines = len(wrap(self._evidence.prompt, max(self.size.width - 2, 10), most))
        parents = 1 if self._evidence.parents and self.size.height >= _LOW else 0
        spare = 1 if self.size.height >= _HIGH else 0
        self._headline.styles.height = 1 + lines + parents + spare
        self.call_after_refresh(self._arrange)

    def _arrange(self) -> None:
        room = self.query_one("#parts").size
        boxes = arranged(room.width, room.height, self._focus, self._evidence.heat.rows)
        for name, part in self._parts.items():
            box = boxes.get(name)
            part.display = box is not None
            if box is not None:
                part.styles.offset = (box.x, box.y)
                part.styles.width, part.styles.height = box.width, box.height
        self._tabs.show_sections(self._focus, [name for name in SECTIONS if name in boxes])
        self._headline.show_evidence(self._evidence)
        self._scores.show_evidence(self._evidence)
        self._proof.show_evidence(self._evidence, self._concept)
        self._draw()

    def _draw(self) -> None:
        """Draw what depends on the cursor."""
        self._map.show_evidence(self._evidence, self._cursor)
        self._card.show_evidence(self._evidence, self._cursor)
        self._images.show_evidence(self._evidence, self._cursor)

    def _put(self, cursor: Cursor) -> None:
        heat = self._evidence.heat
        self._cursor = cursor.moved(0, 0, heat.rows, max(heat.columns, len(self._evidence.pictures)))
        self._draw()

    @on(Similarities.Chosen)
    def _cell_clicked(self, message: Similarities.Chosen) -> None:
        self._put(message.cursor)

    @on(ImageBoard.Chosen)
    def _image_clicked(self, message: ImageBoard.Chosen) -> None:
        self._put(Cursor(self._cursor.row, message.column))

    # ------------------------------------------------------------ actions

    def action_section(self, name: str) -> None:
        """Look at a part."""
        self._focus = next(one for one in SECTIONS if one == name)
        self._arrange()

    def action_next_section(self, by: int) -> None:
        """Look at the next or the previous part."""
        self.action_section(SECTIONS[(SECTIONS.index(self._focus) + by) % len(SECTIONS)])

    def action_move(self, down: int, right: int) -> None:
        """Move the cursor in the part that is looked at."""
        match self._focus:
            case "map":
                self._put(Cursor(self._cursor.row + down, self._cursor.column + right))
            case "images":
                step = right + down * self._images.tiles.columns
                self._put(Cursor(self._cursor.row, self._cursor.column + step))
            case "proof":
                self._concept = min(max(self._concept + down, 0), max(len(self._evidence.proof) - 1, 0))
                self._proof.show_evidence(self._evidence, self._concept)
            case "scores":
                self._scores.scroll_lines(down)

    def action_page(self, by: int) -> None:
        """Move by pages."""
        if self._focus == "scores":
            self._scores.scroll_pages(by)
        else:
            self.action_move(by * max(self._map.rows_in_sight - 1, 1), 0)

    def action_end(self, last: bool) -> None:
        """Go to the first or the last variation, image or concept."""
        far = len(self._evidence.variations) + len(self._evidence.pictures) + len(self._evidence.proof)
        self.action_move(far if last else -far, 0)

    def action_closest(self) -> None:
        """Go to the image that shows the chosen variation best."""
        best = self._evidence.heat.best_image
        if self._cursor.row < len(best) and best[self._cursor.row] >= 0:
            self._put(Cursor(self._cursor.row, best[self._cursor.row]))


def _beginning(evidence: Evidence) -> Cursor:
    """Return the cell that says most: the most missed concept and the image that comes closest to it."""
    best = evidence.heat.best_image
    return Cursor(0, max(best[0], 0)) if best else Cursor()
