"""What the terminal can draw, asked of the terminal itself: no variable says so truly over SSH.

All questions are sent at once, before Textual is imported; every terminal answers the last of them, primary device
attributes (DA1), and answers in order. So that answer ends an inquiry, and nothing arrives afterwards. What comes
after the app has begun to draw, its driver hands over (``minegap_tui.driver``).
"""

from __future__ import annotations

import atexit
import os
import re
import select
import sys
import termios
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

SILENCE_SECONDS: Final = 2.0
"""How long a terminal may say nothing at all."""
LIMIT_SECONDS: Final = 4.0
"""How long all answers may take once one has come."""

_NAME: Final = "\x1b[>q"
_KITTY: Final = "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\"
_CELL: Final = "\x1b[16t"
_GROUND: Final = "\x1b]11;?\x1b\\"
_REGISTERS: Final = "\x1b[?1;1;0S"
_ATTRIBUTES: Final = "\x1b[c"

_NAME_ANSWER: Final = re.compile(rb"\x1bP>\|([^\x1b]{0,200})\x1b\\")
_KITTY_ANSWER: Final = re.compile(rb"\x1b_Gi=31;([^\x1b]{0,200})\x1b\\")
_CELL_ANSWER: Final = re.compile(rb"\x1b\[6;(\d{1,4});(\d{1,4})t")
_GROUND_ANSWER: Final = re.compile(
    rb"\x1b\]11;rgba?:([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})[^\x1b\x07]{0,9}(?:\x1b\\|\x07)"
)
_REGISTERS_ANSWER: Final = re.compile(rb"\x1b\[\?1;0;(\d{1,6})S")
_ATTRIBUTES_ANSWER: Final = re.compile(rb"\x1b\[\?([\d;]{0,100})c")
_ANSWERS: Final = (
    _NAME_ANSWER,
    _KITTY_ANSWER,
    _CELL_ANSWER,
    _GROUND_ANSWER,
    _REGISTERS_ANSWER,
    _ATTRIBUTES_ANSWER,
)
_BEGUN: Final = re.compile(
    rb"\x1b(?:P(?:>[^\x1b]{0,210}\x1b?)?|_[^\x1b]{0,210}\x1b?|\][^\x1b\x07]{0,60}\x1b?|\[[?\d;]*)?\Z"
)
_SIXEL: Final = "4"
_PIECE: Final = 4096
_MOST_BYTES: Final = 16384

_PLACEHOLDERS: Final = {"kitty": (0, 28), "ghostty": (0, 0)}
"""Terminals, with their first version, that draw kitty pictures in Unicode placeholders; others that answer the
query (WezTerm, Konsole) draw them over the text only."""
_TRUECOLOR: Final = frozenset({"kitty", "ghostty", "wezterm", "foot", "iterm2", "konsole", "rio", "contour"})
_NO_ANSWERS: Final = frozenset({"", "dumb", "unknown", "linux"})
"""Kinds of terminal (``TERM``) that would print the questions."""


@dataclass(frozen=True)
class Terminal:
    """What was found out.

    Attributes:
        asked: whether the terminal was asked at all; ``reason`` says why not.
        answered: whether its last answer came; without it nothing is known.
        name: what it calls itself, with its version; foreign text.
        kitty: whether it answered that it draws kitty graphics.
        sixel: whether it said that it draws sixel.
        registers: how many colours a sixel picture may have (xterm as VT340 has 16); None where it did not say.
        cell: width and height of a cell in pixels; None where it did not say.
        ground: red, green and blue of its background, from 0 to 1; None where it did not say.
        multiplexer: ``tmux`` or ``screen`` between us and the terminal, which hides the latter's abilities.
        seconds: how long the answers took.
    """

    asked: bool = False
    reason: str = ""
    answered: bool = False
    name: str = ""
    kitty: bool = False
    sixel: bool = False
    cell: tuple[int, int] | None = None
    multiplexer: str = ""
    seconds: float = 0.0
    registers: int | None = None
    ground: tuple[float, float, float] | None = None

    @property
    def placeholders(self) -> bool:
        """Whether it draws kitty pictures in Unicode placeholders, which scroll and clip as text does."""
        brand, version = _brand(self.name)
        return (
            self.kitty and not self.multiplexer and brand in _PLACEHOLDERS and version >= _PLACEHOLDERS[brand]
        )

    @property
    def light(self) -> bool:
        """Whether its background is known to be light."""
        if self.ground is None:
            return False
        red, green, blue = self.ground
        return 0.299 * red + 0.587 * green + 0.114 * blue > 0.5

    @property
    def truecolor(self) -> bool:
        """Whether it is known to show 24-bit colours, whatever the environment says."""
        return not self.multiplexer and _brand(self.name)[0] in _TRUECOLOR


class Inquiry:
    """Asks the terminal at standard input and output; without one, or in the background, nothing is asked.

    Until ``close`` or ``hand_over`` the terminal shows no keys and hands each over at once; those that are pressed
    among its answers are kept (``keys``).
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._multiplexer = _multiplexer(environment)
        self._taken = b""
        self._source = -1
        self._before: list[Any] | None = None
        self._began = time.monotonic()
        self._ended = 0.0
        self._reason = self._ask(environment.get("TERM", ""))

    @property
    def pending(self) -> bool:
        """Whether answers are still to come."""
        return self._source >= 0 and not self._ended

    def wait(self, silence: float, limit: float = LIMIT_SECONDS) -> Terminal:
        """Return what is known once all answers have come, or when time is up.

        Args:
            silence: seconds since the question after which a terminal that said nothing is waited for no longer.
            limit: the same for one that has said something.
        """
        while self.pending:
            left = self._began + (limit if self._taken and silence else silence) - time.monotonic()
            try:
                if not select.select([self._source], [], [], max(left, 0.0))[0]:
                    break
                if not self.take(os.read(self._source, _PIECE)):
                    break
            except OSError as error:
                self._source, self._reason = -1, f"the terminal could not be asked ({error})"
        return self.found()

    def take(self, piece: bytes) -> bytes:
        """Take over what came from the terminal; returns it."""
        self._taken = (self._taken + piece)[-_MOST_BYTES:]
        if self.pending and _ATTRIBUTES_ANSWER.search(self._taken):
            self._ended = time.monotonic()
        return piece

    def found(self) -> Terminal:
        """Return what the answers until now say."""
        if self._source < 0:
            return Terminal(reason=self._reason, multiplexer=self._multiplexer)
        return understand(self._taken, self._multiplexer, (self._ended or time.monotonic()) - self._began)

    def keys(self) -> tuple[bytes, bytes]:
        """Return what was pressed among the answers, and the beginning of an answer that is not complete."""
        return sift(self._taken)

    def hand_over(self) -> list[Any] | None:
        """Leave the terminal to somebody who changes its settings too; returns what they were, once."""
        before, self._before = self._before, None
        return before

    def close(self) -> None:
        """Give the terminal its settings back; late answers, and keys among them, are dropped."""
        before = self.hand_over()
        if before is not None:
            with suppress(termios.error):  # the terminal may have hung up
                if self.pending:
                    termios.tcflush(self._source, termios.TCIFLUSH)
                termios.tcsetattr(self._source, termios.TCSANOW, before)

    def _ask(self, kind: str) -> str:
        """Ask; returns why not, if not."""
        if kind in _NO_ANSWERS or self._multiplexer == "screen":
            return f"a terminal of the kind {kind or 'unknown'!r} is not asked"
        try:
            source, sink = sys.__stdin__.fileno(), sys.__stdout__.fileno()  # type: ignore[union-attr]
            before = termios.tcgetattr(source)
            if not os.isatty(sink) or os.tcgetpgrp(source) != os.getpgrp():
                return "this process does not own a terminal"
        except (AttributeError, ValueError, OSError, termios.error):
            return "there is no terminal"
        quiet = [*before[:3], before[3] & ~(termios.ECHO | termios.ICANON), *before[4:]]
        # tmux takes the kitty question for a title, and its own answers say nothing of the terminal around it.
        questions = _NAME + ("" if self._multiplexer else _KITTY + _REGISTERS) + _CELL + _GROUND + _ATTRIBUTES
        self._before = before
        atexit.register(self.close)
        try:
            termios.tcsetattr(source, termios.TCSANOW, quiet)
            os.write(sink, questions.encode())
        except (OSError, termios.error) as error:
            return f"the terminal could not be asked ({error})"
        self._source = source
        return ""


def probe(
    environment: Mapping[str, str] = os.environ,
    *,
    silence: float = SILENCE_SECONDS,
    limit: float = LIMIT_SECONDS,
) -> Terminal:
    """Ask the terminal and wait for its answers; its settings are as before afterwards.

    Args:
        silence: seconds after which a terminal that said nothing counts as one that does not answer.
        limit: seconds after which no more answers are awaited.
    """
    inquiry = Inquiry(environment)
    try:
        return inquiry.wait(silence, limit)
    finally:
        inquiry.close()


def sift(taken: bytes) -> tuple[bytes, bytes]:
    """Return what is no answer to a question, and the beginning of an answer at the end that is not complete."""
    begun = _BEGUN.search(taken)
    whole = taken[: begun.start()] if begun else taken
    for answer in _ANSWERS:
        whole = answer.sub(b"", whole)
    return whole, taken[begun.start() :] if begun else b""


def understand(answers: bytes, multiplexer: str = "", seconds: float = 0.0) -> Terminal:
    """Return what a terminal's answers say; keys pressed in between are passed over."""
    attributes = _ATTRIBUTES_ANSWER.search(answers)
    name = _NAME_ANSWER.search(answers)
    called = name[1].decode(errors="replace") if name else ""
    drawn = _KITTY_ANSWER.search(answers)
    cell = _CELL_ANSWER.search(answers)
    ground = _GROUND_ANSWER.search(answers)
    height, width = (int(cell[1]), int(cell[2])) if cell else (0, 0)
    registers = _REGISTERS_ANSWER.search(answers)
    return Terminal(
        asked=True,
        answered=attributes is not None,
        name=called,
        kitty=drawn is not None and drawn[1] == b"OK",
        sixel=attributes is not None and _SIXEL in attributes[1].decode().split(";")[1:],
        cell=(width, height) if width and height else None,
        ground=(_share(ground[1]), _share(ground[2]), _share(ground[3])) if ground else None,
        multiplexer="tmux" if called.startswith("tmux") else multiplexer,
        seconds=seconds,
        registers=int(registers[1]) or None if registers else None,
    )


def _share(digits: bytes) -> float:
    """Return one to four hexadecimal digits as a share of the most that so many can say."""
    return int(digits, 16) / int("f" * len(digits), 16)


def _multiplexer(environment: Mapping[str, str]) -> str:
    kind = environment.get("TERM", "")
    if "TMUX" in environment or kind.startswith("tmux"):
        return "tmux"
    if "STY" in environment:
        return "screen"
    return "tmux" if kind.startswith("screen") else ""


def _brand(name: str) -> tuple[str, tuple[int, ...]]:
    """Return name and version of ``kitty(0.35.2)``, ``ghostty 1.1.0``, ``WezTerm 2024…``."""
    found = re.match(r"([A-Za-z0-9]+)\W*(\d{1,9})?(?:\.(\d{1,9}))?", name)
    if found is None:
        return "", ()
    return found[1].lower(), (int(found[2] or 0), int(found[3] or 0))
