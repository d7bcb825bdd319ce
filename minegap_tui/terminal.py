"""What must be known and set before Textual is imported: call ``ask`` before importing the app."""

from __future__ import annotations

import fcntl
import os
import struct
import sys
import termios
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from minegap_tui.memory import THEME, Memory, memory_path
from minegap_tui.probe import LIMIT_SECONDS, SILENCE_SECONDS, Inquiry, Terminal
from minegap_tui.settings import THEME_NAMES, UiSettings, load_settings

if TYPE_CHECKING:
    from minegap_tui.keymap import Keymap

PATIENCE_SECONDS: Final = 0.4
SSH_PATIENCE_SECONDS: Final = 1.0
"""How long after the question the first paint waits for the terminal to say which colours it has, where nothing else
does: they cannot be changed later, and an answer from far away takes its time."""
_COLOURS_KNOWN: Final = ("truecolor", "24bit")


@dataclass(frozen=True)
class Prepared:
    """The user's settings, what the terminal answered, what was chosen last time, and which keys are in force."""

    settings: UiSettings = field(default_factory=UiSettings)
    terminal: Terminal = field(default_factory=Terminal)
    memory: Memory = field(default_factory=Memory)
    keymap: Keymap | None = None
    inquiry: Inquiry | None = None


class Asking:
    """A terminal that is asked while the app is imported.

    Args:
        settings: what the user wants.
        memory: what was chosen last time.
    """

    def __init__(self, settings: UiSettings, memory: Memory) -> None:
        self._settings, self._memory = settings, memory
        sharp = settings.images.protocol in {"auto", "kitty", "sixel"}
        suiting = settings.look.theme in {None, "auto"} and not memory.text(THEME, THEME_NAMES, "")
        self._inquiry = Inquiry() if sharp or suiting else None

    def prepared(self) -> Prepared:
        """Return what is known for the first paint; answers that come later are the driver's to hand over."""
        colours = os.environ.get("COLORTERM", "").lower() in _COLOURS_KNOWN or "NO_COLOR" in os.environ
        far = "SSH_CONNECTION" in os.environ
        patience = 0.0 if colours else SSH_PATIENCE_SECONDS if far else PATIENCE_SECONDS
        return self._prepared(patience, patience)

    def settled(self) -> Prepared:
        """Wait for all answers; return what is known, with the terminal as it was before."""
        try:
            return self._prepared(SILENCE_SECONDS, LIMIT_SECONDS)
        finally:
            if self._inquiry is not None:
                self._inquiry.close()

    def _prepared(self, silence: float, limit: float) -> Prepared:
        inquiry = self._inquiry
        terminal = (
            inquiry.wait(silence, limit)
            if inquiry is not None
            else Terminal(reason="the settings want simple pictures and name a theme")
        )
        if terminal.truecolor or self._settings.images.protocol == "kitty":
            os.environ["COLORTERM"] = (
                "truecolor"  # SSH seldom passes it on; Textual reads it when an app is made
            )
        from minegap_tui.keymap import keymap_of  # imports Textual

        return Prepared(self._settings, terminal, self._memory, keymap_of(self._settings.keys), inquiry)


def _give_a_size() -> None:
    """A terminal has the size that the kernel knows, or 80 x 24; Textual's parts would each guess another one.

    Some shells export the size that the terminal had at first; Textual would draw with it, and for ever after a resize.
    """
    try:
        columns, lines = os.get_terminal_size(sys.__stdout__.fileno())  # type: ignore[union-attr]
        os.environ.pop("COLUMNS", None)
        os.environ.pop("LINES", None)
        if not (columns and lines):
            size = struct.pack("HHHH", lines or 24, columns or 80, 0, 0)
            fcntl.ioctl(sys.__stdout__.fileno(), termios.TIOCSWINSZ, size)  # type: ignore[union-attr]
    except (AttributeError, ValueError, OSError):
        return  # no terminal


def ask() -> Asking:
    """Ask the terminal, choose calm defaults, calmer still over SSH; what the user has set in the environment stays.

    Where neither sharp pictures nor a theme that suits the terminal's background are wanted, nothing is asked.

    Raises:
        InputError: a setting is not allowed.
    """
    _give_a_size()
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    if "SSH_CONNECTION" in os.environ:
        os.environ.setdefault("TEXTUAL_FPS", "20")
        os.environ.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")
    return Asking(load_settings(), Memory(memory_path()))
