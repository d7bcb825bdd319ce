"""A pen that draws in a figure's own coordinates, so that figures know nothing of size or place."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import ImageDraw

Rgb = tuple[int, int, int]
INK: Rgb = (25, 20, 30)

Point = tuple[float, float]


class Pen:
    """Draws outlined shapes in a box whose x runs from -50 to 50 and whose y runs from 0 (ground) to 100 (top)."""

    def __init__(self, draw: ImageDraw.ImageDraw, ground: Point, height: float) -> None:
        """Place the box: ``ground`` is the pixel of (0, 0), ``height`` the pixels from y = 0 to y = 100."""
        self._draw = draw
        self._x, self._y = ground
        self._unit = height / 100
        self._line = max(2, round(2.6 * self._unit))

    def _at(self, x: float, y: float) -> Point:
        return self._x + x * self._unit, self._y - y * self._unit

    def polygon(self, points: Sequence[Point], fill: Rgb) -> None:
        """Fill and outline a polygon."""
        pixels = [self._at(*p) for p in points]
        self._draw.polygon(pixels, fill=fill)
        self._draw.line([*pixels, pixels[0], pixels[1]], fill=INK, width=self._line, joint="curve")

    def rectangle(self, left: float, bottom: float, right: float, top: float, fill: Rgb) -> None:
        """Fill and outline an upright rectangle."""
        self.polygon(((left, bottom), (left, top), (right, top), (right, bottom)), fill)

    def ellipse(self, x: float, y: float, rx: float, ry: float, fill: Rgb) -> None:
        """Fill and outline an ellipse around (x, y)."""
        box = (*self._at(x - rx, y + ry), *self._at(x + rx, y - ry))
        self._draw.ellipse(box, fill=fill, outline=INK, width=self._line)

    def half_disc(self, x: float, y: float, rx: float, ry: float, fill: Rgb) -> None:
        """Fill and outline the upper half of an ellipse around (x, y)."""
        box = (*self._at(x - rx, y + ry), *self._at(x + rx, y - ry))
        self._draw.pieslice(box, 180, 360, fill=fill, outline=INK, width=self._line)

    def dot(self, x: float, y: float, radius: float, fill: Rgb = INK) -> None:
        """Fill a small disc without an outline."""
        self._draw.ellipse((*self._at(x - radius, y + radius), *self._at(x + radius, y - radius)), fill=fill)

    def bar(self, points: Sequence[Point], width: float, fill: Rgb) -> None:
        """Draw a thick outlined line."""
        pixels = [self._at(*p) for p in points]
        wide = round(width * self._unit)
        for colour, pen in ((INK, wide + 2 * self._line - 1), (fill, max(2, wide))):
            self._draw.line(pixels, fill=colour, width=pen, joint="curve")
            for x, y in (pixels[0], pixels[-1]):
                self._draw.ellipse((x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2), fill=colour)

    def stroke(self, points: Sequence[Point], width: float, fill: Rgb = INK) -> None:
        """Draw a line without an outline."""
        wide = max(2, round(width * self._unit))
        self._draw.line([self._at(*p) for p in points], fill=fill, width=wide, joint="curve")
