"""Pictures in a part of the screen, each in the best way that the terminal has, and words beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import on, work
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.worker import get_current_worker

from minegap_tui.images import Illustrated, Images
from minegap_tui.kitty import Key
from minegap_tui.pictures import PictureError, Tile, picture
from minegap_tui.port import Frame, FrameApp
from minegap_tui.sanitise import wrap
from minegap_tui.view.gallery import Plan, Spot
from minegap_tui.widgets.panel import Panel

MOST_SHARP = 64
"""Pictures of one board that a terminal is given; more than these are too small to gain by it."""

Shown = Tile | str
"""A picture in half-blocks, or why it cannot be shown."""


class Board(Panel):
    """Draws a ``Plan``; pictures are decoded and sent in threads.

    Half-blocks come first; where the terminal draws better pictures, these replace them one by one. Over a slow
    link every picture comes once, in the best way there is.

    Attributes:
        STILL: whether its pictures seldom move or change, so that sixels may be painted over them.
    """

    STILL: ClassVar[bool] = True

    class _Decoded(Message):
        """Which pictures can be drawn at once, by their places."""

        def __init__(self, plan: Plan, half: dict[int, Shown], sharp: dict[int, Tile]) -> None:
            super().__init__()
            self.plan, self.half, self.sharp = plan, half, sharp

    class _Arrived(Message):
        """One more picture can be drawn."""

        def __init__(self, plan: Plan, place: int, shown: Shown, *, sharp: bool) -> None:
            super().__init__()
            self.plan, self.place, self.shown, self.sharp = plan, place, shown, sharp

    class _Painting(Message):
        """A piece of a picture may go to the terminal now; the last one when ``text`` is empty."""

        def __init__(self, run: object, place: int, text: str) -> None:
            super().__init__()
            self.run, self.place, self.text = run, place, text

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's own name)
        super().__init__(id=id)
        self._wanted = self._plan = Plan()
        self._half: dict[int, Shown] = {}
        self._sharp: dict[int, Tile] = {}
        self._bare: set[int] = set()
        self._run = object()
        self._above: object = None

    def on_mount(self) -> None:
        """Know what is written over painted pictures."""
        if isinstance(self.app, FrameApp):
            self.app.frames.subscribe(self, self._overwritten)

    def show(self, plan: Plan) -> None:
        """Take over a plan; pictures already drawn stay until the new ones are decoded."""
        if not self.size.width:  # its plan will be made anew, for the size that it gets
            return
        before, self._wanted = self._wanted, plan
        if plan.spots != before.spots:
            self.draw_anew()
        elif plan.spots == self._plan.spots:
            changed = {label.row for label in set(plan.labels) ^ set(self._plan.labels)}
            self._plan = plan
            if changed:
                self.refresh(*(Region(0, 1 + row, self.size.width, 1) for row in changed))

    def draw_anew(self) -> None:
        """Draw the pictures in the way that is now wanted."""
        self._decode(self._wanted, self._keys(self._wanted))

    @property
    def off(self) -> bool:
        """Whether no pictures are wanted."""
        return self._images is not None and self._images.drawn == "off"

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw lines anew where a dialog has opened above, or is gone.

        A refresh would do, but Textual repaints a dialog over and over once anything below it was refreshed.
        """
        if self._above is not self.app.screen:
            self._above = self.app.screen
            self._styles_cache.clear()
        return super().render_lines(crop)

    def body_line(self, y: int) -> Strip:
        """Draw one line through pictures and labels."""
        segments: list[Segment] = []
        at = 0
        for column, width, part in sorted(self._parts(y), key=lambda part: part[0]):
            segments += [Segment(" " * (column - at), self.rich_style), *part]
            at = column + width
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)

    def _parts(self, y: int) -> Iterable[tuple[int, int, Iterable[Segment]]]:
        for label in self._plan.labels:
            if label.row == y:
                yield label.column, label.width, self._label(label.parts, label.width, chosen=label.chosen)
        # Below a dialog colours are dimmed, and a sharp picture's colours are its number.
        sharp = self._sharp if self.screen is self.app.screen else {}
        for place, spot in enumerate(self._plan.spots):
            if spot.row <= y < spot.row + spot.height and not self.off:
                shown = sharp.get(place) or self._half.get(place, "·")
                line = y - spot.row
                yield (
                    spot.column,
                    spot.width,
                    shown.rows[line] if isinstance(shown, Tile) else self._words(shown, line, spot),
                )

    def _label(self, parts: Iterable[tuple[str, str]], width: int, *, chosen: bool) -> Strip:
        under = Style(bgcolor=self.look("cursor").bgcolor) if chosen else Style()
        words = [Segment(text, self.look(look) + under) for text, look in parts]
        return Strip(words).adjust_cell_length(width, self.rich_style + under)

    def _words(self, text: str, line: int, spot: Spot) -> list[Segment]:
        lines = wrap(text, spot.width, most=spot.height)
        return [Segment((lines[line] if line < len(lines) else "").ljust(spot.width), self.look("faint"))]

    # ------------------------------------------------------------ decoding and sending

    @property
    def _images(self) -> Images | None:
        return self.app.images if isinstance(self.app, Illustrated) else None

    def _keys(self, plan: Plan) -> list[Key]:
        colour = self.background_colors[1]
        ground = colour.r, colour.g, colour.b
        return [Key(spot.path, spot.width, spot.height, ground, spot.whole) for spot in plan.spots]

    @work(thread=True, exclusive=True, group="pictures", description="decode images")
    def _decode(self, plan: Plan, keys: list[Key]) -> None:
        worker, images = get_current_worker(), self._images
        frugal = images is not None and images.frugal
        half: dict[int, Shown] = {}
        sharp: dict[int, Tile] = {}
        for place, key in enumerate(keys):
            if worker.is_cancelled:
                return
            held = images.held(key) if images is not None else None
            if held is not None:
                sharp[place] = held
            if not frugal:
                half[place] = _half(key)
        self.post_message(self._Decoded(plan, half, sharp))
        waiting = {place: key for place, key in enumerate(keys) if place not in sharp}
        if images is not None and waiting and (images.sends or (frugal and not self._paints)):
            self._improve(images, plan, waiting, frugal, lambda: worker.is_cancelled)

    def _improve(
        self, images: Images, plan: Plan, waiting: dict[int, Key], frugal: bool, cancelled: Callable[[], bool]
    ) -> None:
        """Send pictures one by one, at the pace of the link; in the worker's thread."""
        if not images.rest(cancelled):
            return
        # Textual writes a line anew from its widget's left edge on: half-blocks, which are long, come from the right.
        spots = plan.spots
        order = (
            waiting if images.sends else sorted(waiting, key=lambda at: (spots[at].row, -spots[at].column))
        )
        for place in order:
            key = waiting[place]
            tile = images.picture(key, cancelled) if place < MOST_SHARP else None
            if tile is not None:
                self.post_message(self._Arrived(plan, place, tile, sharp=True))
            elif frugal and not cancelled():
                shown = _half(key)
                if images.room_for(shown.written_bytes if isinstance(shown, Tile) else 0, cancelled):
                    self.post_message(self._Arrived(plan, place, shown, sharp=False))
            if cancelled():
                return

    @on(_Decoded)
    def _take(self, message: _Decoded) -> None:
        if message.plan.spots == self._wanted.spots:
            self._plan = self._wanted
            self._half, self._sharp = message.half, message.sharp
            self.refresh()

    @on(_Arrived)
    def _take_one(self, message: _Arrived) -> None:
        if message.plan.spots is not self._plan.spots:
            return
        if message.sharp and isinstance(message.shown, Tile):
            self._sharp[message.place] = message.shown
        else:
            self._half[message.place] = message.shown
        # Only its own cells: whatever is drawn anew goes over the link anew. The gap joins it to its neighbour.
        spot = self._plan.spots[message.place]
        self.refresh(Region(spot.column, 1 + spot.row, spot.width + 1, spot.height))

    # ------------------------------------------------------------ painting over cells

    @property
    def _paints(self) -> bool:
        return self.STILL and self._images is not None and self._images.paints

    def _overwritten(self, frame: Frame) -> None:
        """A frame was written: pictures below it are bare cells again."""
        if not self._paints:
            return
        left, top = self.region.x, self.region.y + 1
        hit = {
            place
            for place, spot in enumerate(self._plan.spots)
            if frame.spans is None
            or frame.screen is not self.screen
            or any(
                0 <= y - top - spot.row < spot.height and left + spot.column < end
                for y, _, end in frame.spans
            )
        }
        self._bare = {place for place in self._bare | hit if place < len(self._plan.spots)}
        if hit:
            self._run = run = object()
            if self.screen is self.app.screen:
                keys = {
                    place: key
                    for place, key in enumerate(self._keys(self._plan))
                    if place in self._bare and not isinstance(self._half.get(place), str)
                }
                self._paint(run, self._plan, keys, left, top)

    @work(thread=True, exclusive=True, group="painting", description="paint images")
    def _paint(self, run: object, plan: Plan, keys: dict[int, Key], left: int, top: int) -> None:
        worker, images = get_current_worker(), self._images

        def cancelled() -> bool:
            return worker.is_cancelled or self._run is not run

        if images is None or not images.rest(cancelled):
            return
        for place, key in keys.items():
            spot = plan.spots[place]
            try:
                for piece in images.painting(key):
                    text = piece.at(left + spot.column, top + spot.row)
                    if not images.room_for(len(text), cancelled):
                        return
                    self.post_message(self._Painting(run, place, text))
            except PictureError as error:
                self.post_message(self._Arrived(plan, place, _fault(error), sharp=False))
            self.post_message(self._Painting(run, place, ""))

    @on(_Painting)
    def _write(self, message: _Painting) -> None:
        # On the event loop no frame can come in between: what is written now lies over the cells that it is for.
        if message.run is not self._run or self._images is None or self.screen is not self.app.screen:
            return
        if message.text:
            self._images.paint(message.text)
        else:
            self._bare.discard(message.place)


def _half(key: Key) -> Shown:
    try:
        return picture(key.path, key.width, key.height, whole=key.whole)
    except PictureError as error:
        return _fault(error)


def _fault(error: PictureError) -> str:
    return f"cannot be shown: {error}"
