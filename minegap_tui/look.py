"""The look of a running app: which theme, and whether only ASCII may be drawn."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, Protocol, runtime_checkable

from textual.app import App
from textual.filter import LineFilter, Monochrome, NoColor

from minegap_tui.actions.action import Action
from minegap_tui.keymap import Keymap
from minegap_tui.memory import THEME, Memory
from minegap_tui.plain import AsciiFilter, needs_ascii
from minegap_tui.probe import Terminal
from minegap_tui.settings import LookSection, ThemeName
from minegap_tui.theme import THEMES

ThemeChoice = Literal["auto", ThemeName]
CHOICES: Final[dict[ThemeChoice, str]] = {
    "auto": "dark or light, as the terminal's own background is",
    **{name: words for name, (_, words) in THEMES.items()},
}
"""What can be chosen, and a few words about it."""


class Look:
    """Colours and characters of one app.

    A theme that the settings name holds at every start; else the one that was chosen last.

    Attributes:
        ascii: whether only ASCII is drawn.
        choice: the theme that was chosen, ``auto`` included.
    """

    def __init__(
        self,
        app: App[Any],
        settings: LookSection,
        terminal: Terminal,
        memory: Memory,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._app, self._terminal, self._memory = app, terminal, memory
        self._set = settings.theme or ""
        self.ascii = needs_ascii(environment) if settings.ascii is None else settings.ascii
        self._last: list[LineFilter] = [AsciiFilter()] if self.ascii else []
        self._without_colour = NoColor()
        for theme, _ in THEMES.values():
            app.register_theme(theme)
        self.choice: ThemeChoice = settings.theme or "auto"
        if not self._set:
            remembered = memory.text(THEME, CHOICES, "auto")
            self.choice = next(name for name in CHOICES if name == remembered)
        self.show(self.choice)

    @property
    def why_not(self) -> str:
        """Why no theme can be chosen; empty when one can."""
        return "NO_COLOR is set: there are no colours to choose from." if self._app.no_color else ""

    def learn(self, terminal: Terminal) -> None:
        """Take over what the terminal answered late."""
        self._terminal = terminal
        self.show(self.choice)

    def show(self, choice: ThemeChoice) -> None:
        """Draw the app in a theme, without remembering it."""
        self._app.theme = "ansi" if self._app.no_color else self._named(choice)

    def choose(self, choice: ThemeChoice) -> str:
        """Draw the app in a theme and remember it; returns a sentence for the user."""
        self.choice = choice
        self.show(choice)
        self._memory.keep(THEME, choice)
        words = f"The theme is {choice}"
        if self._set and self._set != choice:
            return f"{words} until the app ends: the settings name {self._set}."
        return f"{words}: {CHOICES[choice]}."

    def filters(self, filters: Sequence[LineFilter]) -> list[LineFilter]:
        """Return what finished lines go through: Textual's own filters, and ours last."""
        kept = [
            # Textual's own makes greys of colours, which are colours still.
            self._without_colour if isinstance(one, Monochrome | NoColor) else one
            for one in filters
        ]
        return [*kept, *self._last]

    def _named(self, choice: ThemeChoice) -> ThemeName:
        if choice != "auto":
            return choice
        return "light" if self._terminal.light else "minegap"


@runtime_checkable
class Dressed(Protocol):
    """An app that has a look and keys in force, remembers choices, and carries out actions."""

    look: Look
    keymap: Keymap
    memory: Memory

    def carry_out(self, action: Action) -> None:
        """Do what an action's key does."""
