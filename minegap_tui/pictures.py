"""Image files as half-blocks, two pixels in every cell, or as small PNGs. For threads; decodes nothing oversized."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from PIL import Image, UnidentifiedImageError
from rich.color import Color
from rich.segment import Segment
from rich.style import Style

MAX_PIXELS = 64_000_000
_FORMATS = ("PNG", "JPEG", "WEBP")
_HALF = "▀"
_COLOURS = 256
_COLOURS_BYTES = 42

RGB = tuple[int, int, int]


@dataclass(frozen=True)
class Tile:
    """A picture of exactly ``width`` cells by ``len(rows)`` rows."""

    rows: tuple[tuple[Segment, ...], ...]
    width: int

    @property
    def written_bytes(self) -> int:
        """How much it takes to write, about: two 24-bit colours for each segment, three bytes for each cell."""
        return sum(_COLOURS_BYTES + 3 * len(part.text) for row in self.rows for part in row)


def picture(path: Path, width: int, height: int, background: RGB) -> Tile | None:
    """Return the image of a file, shrunk into a tile; None where it is missing, broken or oversized.

    Args:
        width, height: the tile in cells; the image keeps its proportions and is centred at the top.
        background: colour around it.
    """
    pixels = _pixels(path, width, height * 2 - 1)
    if pixels is None:
        return None
    canvas = Image.new("RGB", (width, height * 2), background)
    canvas.paste(pixels, ((width - pixels.width) // 2, 0))
    return Tile(tuple(_row(canvas, line, width) for line in range(height)), width)


def sharp(path: Path, width: int, height: int, background: RGB) -> bytes | None:
    """Return the image of a file as a PNG of the proportions of a box; None where it cannot be decoded.

    The image is at the top of the box and in its middle; it is shrunk to fit and never enlarged, and has 256
    colours, which halves what is sent.

    Args:
        width, height: the box in pixels.
    """
    pixels = _pixels(path, width, height, enlarge=False)
    if pixels is None:
        return None
    scale = max(pixels.width / width, pixels.height / height)
    size = (max(pixels.width, round(width * scale)), max(pixels.height, round(height * scale)))
    canvas = Image.new("RGB", size, background)
    canvas.paste(pixels, ((size[0] - pixels.width) // 2, 0))
    buffer = io.BytesIO()
    canvas.quantize(_COLOURS).save(buffer, "PNG")
    return buffer.getvalue()


def _pixels(path: Path, width: int, height: int, *, enlarge: bool = True) -> Image.Image | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path, formats=_FORMATS) as image:
                if image.width * image.height > MAX_PIXELS:
                    return None
                scale = min(width / image.width, height / image.height)
                scale = scale if enlarge else min(scale, 1.0)
                size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
                return image.convert("RGB").resize(size, Image.Resampling.HAMMING)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, ValueError, SyntaxError):
        return None


def _row(canvas: Image.Image, line: int, width: int) -> tuple[Segment, ...]:
    raw = canvas.crop((0, line * 2, width, line * 2 + 2)).tobytes()
    cells = [(raw[x * 3 : x * 3 + 3], raw[(width + x) * 3 : (width + x) * 3 + 3]) for x in range(width)]
    segments: list[Segment] = []
    for (upper, lower), run in groupby(cells):
        style = Style(color=Color.from_rgb(*upper), bgcolor=Color.from_rgb(*lower))
        segments.append(Segment(_HALF * len(list(run)), style))
    return tuple(segments)
