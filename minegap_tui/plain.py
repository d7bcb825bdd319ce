"""ASCII for terminals that have no more: every cell that is drawn keeps its place, its character is exchanged.

The exchange happens to finished lines, whoever drew them, so that nothing can be forgotten; a character of two
cells becomes two. What is stored stays as it is.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from rich.cells import cell_len
from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

_HALF: Final = "▀"
_LIKE: Final = (
    ("─━╸╺│┃┅▌▐█▉▇▆▅▄▃▂▁▔▓▒░▀", "-==-||:>|###*+=-._-#+.#"),
    ("┌┐└┘├┤┬┴┼╭╮╰╯╔╗╚╝═║", "+" * 17 + "=|"),
    ("○●◆◇◌★✎✗✓↑↓←→⏎↵⇥⇧▲▼▽◀▶▸▾▪α", "o#*+.*exv^v<><<>^^vv<>>v=a"),
    ("·•…⋯–—−×÷±°≤≥≈“”„‘’‹›«»␣", '|*~~---x/~ <>~"""\'\'<><>_'),
)
_TABLE: Final = {
    character: form for these, those in _LIKE for character, form in zip(these, those, strict=True)
}
_UNREADABLE: Final = "?"
_BRAILLE: Final = range(0x2800, 0x2900)
_UPPER, _LOWER = 0x1B, 0xE4
"""Dots in the upper and in the lower half of a braille cell."""


def needs_ascii(environment: Mapping[str, str]) -> bool:
    """Whether this terminal, or the locale that says what it understands, has no more than ASCII.

    A plain ``C`` locale says nothing: it is what SSH leaves behind where it passes no locale on.
    """
    if environment.get("TERM", "") in {"dumb", "linux"}:
        return True
    locale = environment.get("LC_ALL") or environment.get("LC_CTYPE") or environment.get("LANG") or ""
    return (
        bool(locale)
        and "utf" not in locale.lower()
        and not (locale in {"C", "POSIX"} and not environment.get("LC_ALL"))
    )


class _Exchange(dict[int, str]):
    """What stands for each code point, worked out on first meeting."""

    def __missing__(self, code: int) -> str:
        self[code] = form = _ascii_form(chr(code))
        return form


def _ascii_form(character: str) -> str:
    if character.isascii():
        return character
    code, cells = ord(character), cell_len(character)
    if code in _BRAILLE:
        dots = code - _BRAILLE.start
        return " " if not dots else ":" if dots & _UPPER and dots & _LOWER else "'" if dots & _UPPER else "."
    form = _TABLE.get(character) or "".join(
        part for part in unicodedata.normalize("NFKD", character) if part.isascii()
    )
    return (form or _UNREADABLE * cells)[:cells].ljust(cells)


_EXCHANGE: Final = _Exchange()


def ascii_text(text: str) -> str:
    """Return text of the same number of cells in ASCII; letters lose their accents, what has no likeness is ``?``."""
    if text.isascii():
        return text
    # Some characters are wider together than each on its own.
    cells = cell_len(text)
    return text.translate(_EXCHANGE)[:cells].ljust(cells)


class AsciiFilter(LineFilter):
    """Exchanges the characters of finished lines; half-blocks become coloured cells, half as fine."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the line in ASCII."""
        return [
            Segment(" " * len(text), _mixed(style), control)
            if style is not None and text and not text.strip(_HALF)
            else Segment(ascii_text(text), style, control)
            for text, style, control in segments
        ]


@lru_cache(4096)
def _mixed(style: Style) -> Style:
    """Return a style whose ground is the mean of a half-block's two colours."""
    upper, lower = style.color, style.bgcolor
    if upper is None or upper.triplet is None:
        return style
    if lower is None or lower.triplet is None:
        return style + Style(bgcolor=upper)
    mean = (round((one + other) / 2) for one, other in zip(upper.triplet, lower.triplet, strict=True))
    return style + Style(bgcolor=RichColor.from_rgb(*mean))
