"""The first screen of somebody who has mined nothing yet: what will happen, and how to begin."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from textual.app import ComposeResult
from textual.strip import Strip

from minegap_tui.actions.registry import bindings
from minegap_tui.sanitise import wrap
from minegap_tui.screens.page import Page
from minegap_tui.widgets.bars import TitleLine
from minegap_tui.widgets.panel import Panel, Part

_MOST = 96
_TITLES = 22
_WIDE = 70


def steps(store: Path) -> tuple[tuple[str, str], ...]:
    """Return what happens on ⏎: a few words each, and a sentence. The path is not safe to print."""
    from engine.config import MiningConfig

    config = MiningConfig()
    search = config.search
    return (
        (
            "an engine starts",
            "It mines in the background. Leave with q whenever you like, and it goes on; minegap comes back to it.",
        ),
        (
            "small models load",
            "A painter, a scorer and a writer that came with MineGap. They need no GPU and no network.",
        ),
        (
            "it searches",
            f"{search.generations} generations of {search.population} prompts, {search.planned:,} images: more of them "
            "where a choice is close. The first scores come within a minute or two.",
        ),
        (
            "you see why",
            "⏎ on a prompt shows its images, and the things that it could mean but the images never show.",
        ),
        ("all of it is kept", f"In {store}. Nothing leaves this machine."),
    )


class WelcomeScreen(Page):
    """Says what ⏎ begins.

    Args:
        store: where everything would be kept.
        demo: begins to mine with the embedded models.
        home: shows the list of sessions.
    """

    PLACE = "welcome"
    FOREIGN = True
    BINDINGS = bindings(PLACE)
    DEFAULT_CSS = """
    WelcomeScreen {
        WelcomePanel { height: 1fr; margin-top: 1; }
    }
    """

    def __init__(self, store: Path, demo: Callable[[], None], home: Callable[[], None]) -> None:
        super().__init__()
        self._store, self._demo, self._home = store, demo, home

    def compose(self) -> ComposeResult:
        """Lay out the words."""
        yield TitleLine("Welcome")
        yield WelcomePanel(self._store)
        yield self.message
        yield self.keys

    def action_back(self) -> None:
        """Return to the screen before; where this is the first one, to the list of sessions."""
        if len(self.app.screen_stack) > 2:
            self.dismiss()
        else:
            self._home()

    def action_demo(self) -> None:
        """Begin to mine with the embedded models."""
        self._demo()


class WelcomePanel(Panel):
    """What happens on ⏎, in order; as much of it as there is room for."""

    def __init__(self, store: Path) -> None:
        super().__init__()
        self._steps = steps(store)

    @property
    def heading(self) -> str:
        """The title."""
        whole = "Which prompts does an image model answer one-sidedly?"
        return whole if len(whole) < self.size.width else "Which prompts show little variety?"

    def body_line(self, y: int) -> Strip:
        """Draw one line."""
        drawn = next(
            (lines for air in (2, 1, 0) if len(lines := self._lines(air)) <= self.body_height), self._lines(0)
        )
        return self.strip(drawn[y] if y < len(drawn) else [])

    def _lines(self, air: int) -> list[list[Part]]:
        """The words with much, some or no room between them; on a narrow screen without room, the titles only."""
        width = min(self.size.width - 4, _MOST)
        wide = self.size.width >= _WIDE
        gap: list[list[Part]] = [[]] if air else []
        lines: list[list[Part]] = [
            *gap,
            [
                ("  ⏎ ", "accent"),
                ("begins to mine, with models that came along:" if wide else "begins to mine:", "strong"),
            ],
            *gap,
        ]
        for number, (title, sentence) in enumerate(self._steps, 1):
            if wide:
                for place, part in enumerate(wrap(sentence, width - _TITLES - 4)):
                    label = f"{number}  {title}" if place == 0 else ""
                    lines.append([(f"    {label:<{_TITLES}}", ""), (part, "muted")])
                lines += [[]] if air == 2 else []
            else:
                lines.append([(f"    {number}  {title}", "")])
                lines += [[(f"       {part}", "muted")] for part in wrap(sentence, width - 7)] if air else []
        lines += gap if not (wide and air == 2) else []
        if not wide and not air:
            return [
                *lines,
                [("  n ", "accent"), ("chooses", ""), ("  ! ", "accent"), ("checks this machine", "")],
            ]
        more = "models of your own and the size of the search" if wide else "models and size"
        lines.append([("  n ", "accent"), (f"chooses {more} first", "")])
        lines.append([("  ! ", "accent"), ("checks this machine", "")])
        return lines
