"""The selected candidate: its prompt, its images, and what the images leave out."""

from __future__ import annotations

from collections.abc import Callable

from rich.segment import Segment
from textual import on, work
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.worker import get_current_worker

from minegap_tui.images import Illustrated, Images
from minegap_tui.kitty import Key
from minegap_tui.pictures import RGB, Tile, picture
from minegap_tui.sanitise import display_text, wrap
from minegap_tui.view import figures
from minegap_tui.view.evidence import Evidence, split_added, word_set
from minegap_tui.view.gallery import Grid, arrange
from minegap_tui.widgets.panel import Panel, Part

MOST_SHARP = 64
"""Pictures of one gallery that a terminal is given; more than these are too small to gain by it."""


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
        scored = (
            f"{found.score_name} {figures.score(found.score).strip()} · " if found.score is not None else ""
        )
        return f"{scored}{found.origin}, generation {found.generation}"

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


class Gallery(Panel):
    """The candidate's images, decoded and sent in a thread; as many as can be told apart.

    Half-blocks come first; where the terminal draws better pictures, these replace them one by one. Over a slow
    link every picture comes once, in the best way there is.
    """

    @property
    def heading(self) -> str:
        """The title."""
        return "Images"

    class _Arranged(Message):
        """Which pictures can be drawn at once, by their places."""

        def __init__(
            self, evidence: Evidence, grid: Grid, half: dict[int, Tile | None], sharp: dict[int, Tile]
        ) -> None:
            super().__init__()
            self.evidence, self.grid, self.half, self.sharp = evidence, grid, half, sharp

    class _Arrived(Message):
        """One more picture can be drawn."""

        def __init__(self, grid: Grid, place: int, tile: Tile | None, *, sharp: bool) -> None:
            super().__init__()
            self.grid, self.place, self.tile, self.sharp = grid, place, tile, sharp

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's own name)
        super().__init__(id=id)
        self._evidence: Evidence | None = None
        self._grid = Grid(0, 0, 0, 0)
        self._half: dict[int, Tile | None] = {}
        self._sharp: dict[int, Tile] = {}

    def on_mount(self) -> None:
        """Know when a dialog opens above."""
        self.app.screen_change_signal.subscribe(self, lambda _: self.refresh())

    def show_evidence(self, evidence: Evidence) -> None:
        """Take over the evidence; pictures already drawn stay until the new ones are decoded."""
        if self._evidence is None or evidence.pictures != self._evidence.pictures:
            self._evidence = evidence
            self._arrange()

    def aside(self) -> str:
        """Say how many of the images are seen."""
        count = len(self._evidence.pictures) if self._evidence is not None else 0
        seen = min(count, self._grid.places)
        if count and self._off:
            return f"{count}, not drawn"
        return f"{seen} of {count}" if count else ""

    def on_resize(self) -> None:
        """Lay the images out anew."""
        self._arrange()

    def draw_anew(self) -> None:
        """Draw the images in the way that is now wanted."""
        self._arrange()

    def body_line(self, y: int) -> Strip:
        """Draw one line through a row of tiles."""
        grid = self._grid
        if self._off or not grid.places or y >= grid.rows * grid.height:
            return self.strip([])
        row, line = divmod(y, grid.height)
        segments: list[Segment] = []
        # Below a dialog colours are dimmed, and a sharp picture's colours are its number.
        sharp = self._sharp if self.screen is self.app.screen else {}
        first = row * grid.columns
        shown = min(grid.places, len(self._evidence.pictures) if self._evidence is not None else 0)
        for place in range(first, min(first + grid.columns, shown)):
            tile = sharp.get(place) or self._half.get(place)
            if tile is None:
                text = "no image" if place in self._half else "·"
                segments.append(
                    Segment((text if line == 0 else "")[: grid.width].ljust(grid.width), self.look("faint"))
                )
            else:
                segments += tile.rows[line]
            segments.append(Segment(" ", self.rich_style))
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)

    def _arrange(self) -> None:
        if self._evidence is None or not self.size.width:
            return
        pictures = self._evidence.pictures
        aspect = pictures[0].aspect if pictures else 1.0
        grid = arrange(len(pictures), self.size.width, self.body_height, aspect)
        self._decode(self._evidence, grid, self._ground())

    def _ground(self) -> RGB:
        color = self.background_colors[1]
        return color.r, color.g, color.b

    @work(thread=True, exclusive=True, group="pictures", description="decode images")
    def _decode(self, evidence: Evidence, grid: Grid, background: RGB) -> None:
        worker = get_current_worker()
        images = self.app.images if isinstance(self.app, Illustrated) else None
        frugal = images is not None and images.frugal
        half: dict[int, Tile | None] = {}
        sharp: dict[int, Tile] = {}
        shown = evidence.pictures[: grid.places]
        keys = [Key(one.path, grid.width, grid.height, background) for one in shown]
        for place, key in enumerate(keys):
            if worker.is_cancelled:
                return
            held = images.held(key) if images is not None else None
            if held is not None:
                sharp[place] = held
            if not frugal:
                half[place] = picture(key.path, key.width, key.height, background)
        self.post_message(self._Arranged(evidence, grid, half, sharp))
        waiting = {place: key for place, key in enumerate(keys) if place not in sharp}
        if images is not None and waiting and (frugal or images.sends):
            self._improve(images, grid, waiting, frugal, lambda: worker.is_cancelled)

    def _improve(
        self, images: Images, grid: Grid, waiting: dict[int, Key], frugal: bool, cancelled: Callable[[], bool]
    ) -> None:
        """Send pictures one by one, at the pace of the link; in the worker's thread."""
        if not images.rest(cancelled):
            return
        # Textual writes a line anew from its widget's left edge on: half-blocks, which are long, come from the right.
        order = waiting if images.sends else sorted(waiting, key=lambda at: (at // grid.columns, -at))
        for place in order:
            key = waiting[place]
            tile = images.picture(key, cancelled) if place < MOST_SHARP else None
            if tile is not None:
                self.post_message(self._Arrived(grid, place, tile, sharp=True))
            elif frugal and not cancelled():
                tile = picture(key.path, key.width, key.height, key.background)
                if images.room_for(tile.written_bytes if tile is not None else 0, cancelled):
                    self.post_message(self._Arrived(grid, place, tile, sharp=False))
            if cancelled():
                return

    @on(_Arranged)
    def _take(self, message: _Arranged) -> None:
        if message.evidence is self._evidence:
            self._grid, self._half, self._sharp = message.grid, message.half, message.sharp
            self.refresh()

    @on(_Arrived)
    def _take_one(self, message: _Arrived) -> None:
        grid = message.grid
        if grid is not self._grid:
            return
        if message.sharp and message.tile is not None:
            self._sharp[message.place] = message.tile
        else:
            self._half[message.place] = message.tile
        row, column = divmod(message.place, grid.columns)
        # Only its own cells: whatever is drawn anew goes over the link anew. The gap joins it to its neighbour.
        step = grid.width + 1
        self.refresh(Region(column * step, 1 + row * grid.height, step, grid.height))

    @property
    def _off(self) -> bool:
        return isinstance(self.app, Illustrated) and self.app.images.drawn == "off"
