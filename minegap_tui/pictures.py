"""Image files as half-blocks, as small PNGs or as pixels of a size. For threads; decodes nothing oversized."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from rich.color import Color
from rich.segment import Segment
from rich.style import Style

if TYPE_CHECKING:
    from PIL import Image

MAX_PIXELS = 64_000_000
_FORMATS = ("PNG", "JPEG", "WEBP")
_HALF = "▀"
_COLOURS = 256
_COLOURS_BYTES = 42
_FAULTS = (OSError, ValueError, SyntaxError, IndexError, EOFError, OverflowError, struct.error, zlib.error)
"""What Pillow's decoders raise on files that are not what they say."""

RGB = tuple[int, int, int]


class PictureError(Exception):
    """A file cannot be shown; says why, in words that end a sentence and hold nothing of the file."""


@dataclass(frozen=True)
class Tile:
    """A picture of exactly ``width`` cells by ``len(rows)`` rows."""

    rows: tuple[tuple[Segment, ...], ...]
    width: int

    @property
    def written_bytes(self) -> int:
        """How much it takes to write, about: two 24-bit colours for each segment, three bytes for each cell."""
        return sum(_COLOURS_BYTES + 3 * len(part.text) for row in self.rows for part in row)


def picture(path: Path, width: int, height: int, *, whole: bool = False) -> Tile:
    """Return the image of a file, shrunk into a tile.

    Args:
        width, height: the tile in cells; the image keeps its proportions and is centred at the top. What is around
            it has no colour: not every terminal tells its own.
        whole: use the lower half of the last line too, which is else a gap to the row below.

    Raises:
        PictureError: it is missing, broken or oversized.
    """
    from PIL import Image

    pixels = _pixels(path, width, height * 2 - (not whole)).convert("RGBA")
    canvas = Image.new("RGBA", (width, height * 2))
    canvas.paste(pixels, ((width - pixels.width) // 2, 0))
    return Tile(tuple(_row(canvas, line, width) for line in range(height)), width)


def sharp(path: Path, width: int, height: int, background: RGB) -> bytes:
    """Return the image of a file as a PNG of the proportions of a box.

    The image is at the top of the box and in its middle; it is shrunk to fit and never enlarged, and has 256
    colours, which halves what is sent.

    Args:
        width, height: the box in pixels.

    Raises:
        PictureError: it is missing, broken or oversized.
    """
    from PIL import Image

    pixels = _pixels(path, width, height, enlarge=False)
    scale = max(pixels.width / width, pixels.height / height)
    size = (max(pixels.width, round(width * scale)), max(pixels.height, round(height * scale)))
    canvas = Image.new("RGB", size, background)
    canvas.paste(pixels, ((size[0] - pixels.width) // 2, 0))
    buffer = io.BytesIO()
    canvas.quantize(_COLOURS).save(buffer, "PNG")
    return buffer.getvalue()


def filling(
    path: Path, width: int, height: int, cell: tuple[int, int], background: RGB, *, whole: bool = False
) -> Image.Image:
    """Return the image of a file as the pixels of a box, at its top and in its middle.

    Args:
        width, height: the box in cells.
        cell: width and height of a cell in pixels.
        whole: use the lower half of the last line too, as in ``picture``.

    Raises:
        PictureError: it is missing, broken or oversized.
    """
    from PIL import Image

    pixels = _pixels(path, width * cell[0], height * cell[1] - (0 if whole else cell[1] // 2))
    canvas = Image.new("RGB", (width * cell[0], height * cell[1]), background)
    canvas.paste(pixels, ((canvas.width - pixels.width) // 2, 0))
    return canvas


def _pixels(path: Path, width: int, height: int, *, enlarge: bool = True) -> Image.Image:
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path, formats=_FORMATS) as image:
                pixels = image.width * image.height
                if pixels > MAX_PIXELS:
                    raise PictureError(
                        f"it has {pixels // 1_000_000} million pixels, and {MAX_PIXELS // 1_000_000} are allowed"
                    )
                scale = min(width / image.width, height / image.height)
                scale = scale if enlarge else min(scale, 1.0)
                size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
                return image.convert("RGB").resize(size, Image.Resampling.HAMMING)
    except FileNotFoundError:
        raise PictureError("the file is missing") from None
    except PermissionError:
        raise PictureError("the file may not be read") from None
    except UnidentifiedImageError:
        raise PictureError("the file is no PNG, JPEG or WebP image") from None
    except Image.DecompressionBombError:
        raise PictureError("it has far too many pixels") from None
    except _FAULTS as error:
        raise PictureError("the file is broken or cut short") from error


def _row(canvas: Image.Image, line: int, width: int) -> tuple[Segment, ...]:
    raw = canvas.crop((0, line * 2, width, line * 2 + 2)).tobytes()
    cells = [(raw[x * 4 : x * 4 + 4], raw[(width + x) * 4 : (width + x) * 4 + 4]) for x in range(width)]
    segments: list[Segment] = []
    for (upper, lower), run in groupby(cells):
        above, below = (Color.from_rgb(*pixel[:3]) if pixel[3] else None for pixel in (upper, lower))
        style = Style(color=above, bgcolor=below)
        segments.append(Segment((_HALF if above is not None else " ") * len(list(run)), style))
    return tuple(segments)
