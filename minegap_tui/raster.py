"""Textual's SVG screenshot as pixels: every character sits in its cell, blocks and braille are drawn exactly.

General SVG renderers place text by the font's own widths and leave seams between block characters.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

from PIL import Image, ImageColor, ImageDraw, ImageFont
from rich.cells import cell_len

from engine.errors import MachineError

CELL = (14, 28)
_UNIT = (12.2, 24.4)
_FIRST_BASELINE, _FIRST_TOP = 20.0, 1.5
_FONT_SIZE, _MARGIN = 23, 18
_FONTS = ("DejaVuSansMono.ttf", "DejaVuSansMono-Bold.ttf")
_SVG = "{http://www.w3.org/2000/svg}"
_STYLE = re.compile(r"\.([\w-]+-r\d+) \{ fill: (#[0-9a-f]{6})([^}]*)\}")
_BRAILLE = tuple(
    (bit, index // 4, index % 4) for index, bit in enumerate((0x01, 0x02, 0x04, 0x40, 0x08, 0x10, 0x20, 0x80))
)
"""Bit, column and row of each dot."""

Ink = tuple[str, bool]


def rasterise(svg: str, size: tuple[int, int], background: str) -> Image.Image:
    """Return a screenshot as an image.

    Args:
        svg: what ``App.export_screenshot`` returned.
        size: columns and lines of the screen.
        background: the screen's own colour, which becomes the margin too.

    Raises:
        MachineError: the font is not on this machine.
    """
    try:
        fonts = [ImageFont.truetype(name, _FONT_SIZE) for name in _FONTS]
    except OSError as error:
        raise MachineError(f"Font {_FONTS[0]} is missing: install the package fonts-dejavu-core.") from error
    inks: dict[str, Ink] = {name: (fill, "bold" in rest) for name, fill, rest in _STYLE.findall(svg)}
    columns, lines = size
    image = Image.new("RGB", (columns * CELL[0] + 2 * _MARGIN, lines * CELL[1] + 2 * _MARGIN), background)
    pen = ImageDraw.Draw(image)
    root = ElementTree.fromstring(svg)  # our own output, never a user's file
    for element in root.iter():
        name = element.get("class", "")
        if element.tag == f"{_SVG}rect" and element.get("shape-rendering") == "crispEdges":
            _ground(pen, element)
        elif element.tag == f"{_SVG}text" and name in inks:
            _text(pen, element, inks[name], fonts)
    return image


def _ground(pen: ImageDraw.ImageDraw, element: ElementTree.Element) -> None:
    x, y, width, height = (float(element.get(key, "0")) for key in ("x", "y", "width", "height"))
    column, row = round(x / _UNIT[0]), round((y - _FIRST_TOP) / _UNIT[1])
    right, lower = column + round(width / _UNIT[0]), row + max(1, round(height / _UNIT[1]))
    if right <= column:
        return
    box = (*_corner(column, row), _corner(right, lower)[0] - 1, _corner(right, lower)[1] - 1)
    pen.rectangle(box, fill=element.get("fill"))


def _text(
    pen: ImageDraw.ImageDraw, element: ElementTree.Element, ink: Ink, fonts: list[ImageFont.FreeTypeFont]
) -> None:
    fill, bold = ink
    column = round(float(element.get("x", "0")) / _UNIT[0])
    row = round((float(element.get("y", "0")) - _FIRST_BASELINE) / _UNIT[1])
    for character in (element.text or "").replace("\xa0", " "):
        x, y = _corner(column, row)
        if 0x2800 <= ord(character) <= 0x28FF:
            _braille(pen, x, y, ord(character), fill)
        elif (boxes := _BLOCKS.get(character)) is not None:
            for left, top, right, bottom in boxes:
                pen.rectangle((x + left, y + top, x + right - 1, y + bottom - 1), fill=fill)
        elif not character.isspace():
            pen.text(
                (x, y + CELL[1] - 7), character, font=fonts[bold], fill=ImageColor.getrgb(fill), anchor="ls"
            )
        column += cell_len(character)


def _braille(pen: ImageDraw.ImageDraw, x: int, y: int, code: int, fill: str) -> None:
    for bit, across, down in _BRAILLE:
        if code - 0x2800 & bit:
            left, top = x + 2 + across * 7, y + 2 + down * 7
            pen.ellipse((left, top, left + 4, top + 4), fill=fill)


def _corner(column: int, row: int) -> tuple[int, int]:
    return _MARGIN + column * CELL[0], _MARGIN + row * CELL[1]


_WIDE, _HIGH = CELL
_MIDDLE = _HIGH // 2
_BLOCKS: dict[str, tuple[tuple[int, int, int, int], ...]] = {
    "▀": ((0, 0, _WIDE, _MIDDLE),),
    "▌": ((0, 0, 4, _HIGH),),
    "─": ((0, _MIDDLE - 1, _WIDE, _MIDDLE),),
    "━": ((0, _MIDDLE - 2, _WIDE, _MIDDLE + 2),),
    "╸": ((0, _MIDDLE - 2, _WIDE // 2, _MIDDLE + 2),),
}
