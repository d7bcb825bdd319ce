"""How pictures are drawn now, and those that the terminal was given: sent beside the frames, never in their way."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, Literal, Protocol, runtime_checkable

from minegap_tui import kitty
from minegap_tui.kitty import Key, Shelf
from minegap_tui.pictures import PictureError, Tile, filling, sharp
from minegap_tui.probe import Terminal
from minegap_tui.settings import ImagesSection

if TYPE_CHECKING:
    from minegap_tui import sixel

Drawn = Literal["kitty", "sixel", "half", "off"]
DRAWN: Final[tuple[Drawn, ...]] = ("kitty", "sixel", "half", "off")
"""All ways, the best one first."""

REST_SECONDS: Final = 0.2
"""How long a selection must stay before its pictures are sent: while a key is held down none are."""
_CELL: Final = (10, 20)
_CAPACITY: Final = 160
_SLICE: Final = 0.02
_CATCH_UP: Final = 0.05
_KB: Final = 1000
_FULL_SPEED: Final = 8000
_SSH_SPEED: Final = 100
_FRUGAL_BELOW: Final = 1000
_WORDS: Final[dict[Drawn, str]] = {
    "kitty": "Images are drawn in full, by kitty graphics.",
    "sixel": "Images are drawn in full by sixels where they stand still: in the gallery and its viewer.",
    "half": "Images are drawn in half-blocks.",
    "off": "Images are not drawn.",
}


class Port(Protocol):
    """The app's own way to the terminal; pictures must not take another one."""

    def ready(self) -> bool:
        """Whether there is a terminal at all."""

    def idle(self) -> bool:
        """Whether nothing waits to be written."""

    def write(self, text: str) -> None:
        """Write after what waits."""

    def cell(self) -> tuple[int, int] | None:
        """Width and height of a cell in pixels; None where nobody knows."""


class Pace:
    """Holds bytes back until the link has room for them.

    Args:
        bytes_per_second: what is let through; no more than a twentieth of a second is made up for.
    """

    def __init__(
        self,
        bytes_per_second: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate = bytes_per_second
        self._clock, self._sleep = clock, sleep
        self._free = clock()

    def wait(self, size: int, idle: Callable[[], bool], cancelled: Callable[[], bool]) -> bool:
        """Wait until ``size`` bytes may go and the link is idle; False when it was cancelled before."""
        while not cancelled():
            now = self._clock()
            if self._free <= now and idle():
                self._free = max(self._free, now - _CATCH_UP) + size / self._rate
                return True
            self._sleep(min(max(self._free - now, _SLICE / 10), _SLICE))
        return False

    def rest(self, seconds: float, cancelled: Callable[[], bool]) -> bool:
        """Wait; False when it was cancelled before."""
        until = self._clock() + seconds
        while not cancelled():
            if self._clock() >= until:
                return True
            self._sleep(_SLICE)
        return False


class Images:
    """What all galleries of an app share. What waits (``picture``, ``rest``, ``room_for``) is for threads.

    Args:
        settings: what the user wants.
        terminal: what the terminal answered.
        port: the way to it.
        colours: whether 24-bit colours reach it; a kitty picture's number is one.
        ascii_only: whether nothing but ASCII is drawn.
        over_ssh: whether a link lies in between, which a picture must not fill.
        before: how pictures were drawn when the app last ran, if the user chose it then.
        pace: holds the bytes back; None takes the settings'.
        first: the first picture's number; None takes any, for other programs may have left pictures.
    """

    def __init__(
        self,
        settings: ImagesSection,
        terminal: Terminal,
        port: Port,
        *,
        colours: bool,
        ascii_only: bool = False,
        over_ssh: bool = False,
        before: str = "",
        pace: Pace | None = None,
        first: int | None = None,
    ) -> None:
        self._settings, self._terminal, self._port = settings, terminal, port
        self._colours, self._ascii = colours, ascii_only
        speed = settings.max_kb_per_second or (_SSH_SPEED if over_ssh else _FULL_SPEED)
        self._frugal = speed < _FRUGAL_BELOW
        self._pace = pace or Pace(speed * _KB)
        self._shelf = Shelf(_CAPACITY, secrets.randbelow(kitty.NUMBERS) if first is None else first)
        self._sending = threading.Lock()
        self._closed = False
        self._before = before
        self._chosen = False
        self._drawn = self._first()

    def learn(self, terminal: Terminal) -> None:
        """Take over what the terminal answered late; what the user chose in the meantime stays."""
        self._terminal = terminal
        if not self._chosen:
            self._drawn = self._first()

    @property
    def drawn(self) -> Drawn:
        """How pictures are drawn now."""
        return self._drawn

    @property
    def ways(self) -> list[Drawn]:
        """The ways that this terminal has, the best one first."""
        return [way for way in DRAWN if not self.why_not(way)]

    @property
    def frugal(self) -> bool:
        """Whether the link is so slow that even half-blocks are paced, and drawn only where nothing better is."""
        return self._frugal and self._port.ready()

    @property
    def cell(self) -> tuple[int, int]:
        """Width and height of a cell in pixels, as well as it is known."""
        return self._port.cell() or self._terminal.cell or _CELL

    def why_not(self, way: Drawn) -> str:
        """Return why pictures cannot be drawn in a way, in words that end a sentence; empty when they can."""
        terminal = self._terminal
        if way in {"half", "off"}:
            return ""
        if self._ascii:
            return "only ASCII is drawn"
        if way == "kitty" and not self._colours:
            return "24-bit colours are off (NO_COLOR or TEXTUAL_COLOR_SYSTEM)"
        if way == self._settings.protocol or (way == "kitty" and terminal.placeholders):
            return ""
        if way == "sixel" and terminal.sixel and not terminal.multiplexer:
            return ""
        if terminal.multiplexer:
            return f"{terminal.multiplexer} hides what the terminal can draw"
        if not terminal.answered:
            return "the terminal was not asked" if not terminal.asked else "the terminal did not answer"
        return "this terminal draws neither kitty graphics as text nor sixel"

    def cycle(self) -> str:
        """Draw pictures in the next way that this terminal has; returns a sentence for the user."""
        ways = self.ways
        self._chosen = True
        self._drawn = ways[(ways.index(self._drawn) + 1) % len(ways)]
        words = _WORDS[self._drawn]
        if self._drawn == ways[0] == "half":
            return f"{words[:-1]}: {self.why_not('kitty')}."
        return words

    @property
    def sends(self) -> bool:
        """Whether pictures are sent beside the frames, as kitty graphics."""
        return self._drawn == "kitty" and self._port.ready()

    @property
    def paints(self) -> bool:
        """Whether pictures that stand still are painted over their cells, as sixels."""
        return self._drawn == "sixel" and self._port.ready()

    def rest(self, cancelled: Callable[[], bool]) -> bool:
        """Wait until a selection has stayed for long enough; False when it moved on."""
        return self._pace.rest(REST_SECONDS, lambda: self._closed or cancelled())

    def room_for(self, size: int, cancelled: Callable[[], bool]) -> bool:
        """Wait until a frame with a picture of ``size`` bytes holds nothing up; False when it was cancelled."""
        return self._pace.wait(size, self._port.idle, lambda: self._closed or cancelled())

    def held(self, key: Key) -> Tile | None:
        """Return the cells of a picture that the terminal has."""
        if self._drawn != "kitty":
            return None
        with self._sending:
            number = self._shelf.find(key)
        return (
            kitty.placeholders(number, key.width, key.height, key.background) if number is not None else None
        )

    def picture(self, key: Key, cancelled: Callable[[], bool]) -> Tile | None:
        """Send a picture if need be and return its cells.

        Returns:
            None where it was cancelled, cannot be decoded, or pictures are not drawn by kitty graphics.
        """
        if self._drawn != "kitty" or max(key.width, key.height) > len(kitty.MARKS):
            return None
        width, height = self.cell
        try:
            png = sharp(key.path, key.width * width, key.height * height, key.background)
        except PictureError:
            return None
        while not self._sending.acquire(timeout=_SLICE):
            if cancelled():
                return None
        try:
            number = self._shelf.find(key)
            if number is None:
                number = self._send(key, png, lambda: self._closed or cancelled())
        finally:
            self._sending.release()
        return (
            kitty.placeholders(number, key.width, key.height, key.background) if number is not None else None
        )

    def painting(self, key: Key) -> Iterator[sixel.Piece]:
        """Yield a picture as sixels, in pieces that may be written apart from each other.

        Raises:
            PictureError: it cannot be decoded.
        """
        from minegap_tui import sixel

        picture = filling(key.path, key.width, key.height, self.cell, key.background, whole=key.whole)
        return sixel.cut(picture, self.cell, self._terminal.registers)

    def paint(self, text: str) -> None:
        """Write a piece that ``room_for`` was asked for; on the event loop, between two frames."""
        if self.paints and not self._closed:
            self._port.write(text)

    def close(self) -> None:
        """Let the terminal forget all pictures; those that are being sent are broken off."""
        self._closed = True
        if self._sending.acquire(timeout=1):
            forget = "".join(self._delete(number) for number in self._shelf.clear())
            self._sending.release()
            if forget and self._port.ready():
                self._port.write(forget)

    def _first(self) -> Drawn:
        ways, wanted = self.ways, self._settings.protocol
        asked_for = (way for way in DRAWN if way == wanted or (wanted == "auto" and way == self._before))
        return next((way for way in asked_for if way in ways), ways[0] if wanted == "auto" else "half")

    def _send(self, key: Key, png: bytes, cancelled: Callable[[], bool]) -> int | None:
        number = self._shelf.number()
        begun = False
        for chunk in kitty.transmission(number, png, key.width, key.height, tmux=self._tmux):
            if not self._pace.wait(len(chunk), self._port.idle, cancelled):
                if begun:
                    self._port.write(kitty.breaking_off(number, tmux=self._tmux))
                return None
            self._port.write(chunk)
            begun = True
        for old in self._shelf.put(key, number):
            self._port.write(self._delete(old))
        return number

    def _delete(self, number: int) -> str:
        return kitty.deletion(number, tmux=self._tmux)

    @property
    def _tmux(self) -> bool:
        return self._terminal.multiplexer == "tmux"


@runtime_checkable
class Illustrated(Protocol):
    """An app whose galleries share ``images``."""

    images: Images
