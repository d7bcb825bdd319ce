"""Exact text in an editor that may only hold what a terminal can show.

An editor draws every character it holds. Characters that no terminal may get are therefore held as stand-ins
of one cell each, one per code point, and are turned back when the text is read: whatever the user does not
touch comes back exactly, and undoing, cutting and moving need no bookkeeping.
"""

from __future__ import annotations

from minegap_tui.sanitise import display_text

_FIRST, _LAST = 0xF0000, 0xFFFFD
_UNNAMED = "�"


class StandIns:
    """The stand-ins of one editor: private-use characters, which foreign text never keeps as they are."""

    def __init__(self) -> None:
        self._by_character: dict[str, str] = {}
        self._characters: list[str] = []

    @property
    def replaced(self) -> tuple[str, ...]:
        """The characters that have a stand-in, in the order in which they were met."""
        return tuple(self._characters)

    def encode(self, text: str) -> str:
        """Return ``text`` as an editor may hold it; line feeds stay line feeds."""
        return "".join(c if c == "\n" or display_text(c) == c else self._stand_in(c) for c in text)

    def decode(self, held: str) -> str:
        """Return the exact text of what an editor holds."""
        return "".join(self._exact(c) for c in held)

    def shown(self, held: str) -> str:
        """Return what stands on the screen for a held line, cell by cell: ``␛``, or ``�`` for the nameless."""
        return "".join(_mark(self._exact(c)) if self.is_stand_in(c) else c for c in held)

    def is_stand_in(self, character: str) -> bool:
        """Whether an editor's character stands for another one."""
        return 0 <= ord(character) - _FIRST < len(self._characters)

    def _stand_in(self, character: str) -> str:
        if character not in self._by_character:
            if _FIRST + len(self._characters) > _LAST:
                return _UNNAMED
            self._by_character[character] = chr(_FIRST + len(self._characters))
            self._characters.append(character)
        return self._by_character[character]

    def _exact(self, held: str) -> str:
        return self._characters[ord(held) - _FIRST] if self.is_stand_in(held) else held


def legend(characters: tuple[str, ...], most: int = 6) -> str:
    """Say which characters are shown as marks; empty when there are none."""
    names = [f"{_mark(c)} is U+{ord(c):04X}" for c in characters[:most]]
    if len(characters) > most:
        names.append(f"{len(characters) - most} more")
    return ", ".join(names)


def _mark(character: str) -> str:
    shown = display_text(character)
    return shown if len(shown) == 1 else _UNNAMED
