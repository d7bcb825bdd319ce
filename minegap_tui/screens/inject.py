"""Put prompts of one's own into the coming populations."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from minegap_tui.screens.dialog import Form
from minegap_tui.view.lines import faults_by_line, prompts_of
from minegap_tui.widgets.prompt_area import PromptArea


class InjectScreen(Form):
    """One prompt per line; empty lines are left out.

    Args:
        generation: from which they would count, as far as is known now.
        population: how many prompts a generation holds.
        commit: asks for the injection; returns the engine's refusal.
    """

    heading = "Inject prompts"
    keys = (("ctrl+s", "injects"), ("esc", "cancels"), ("⏎", "next prompt"))

    def __init__(
        self, generation: int, population: int, commit: Callable[[tuple[str, ...]], Awaitable[str]]
    ) -> None:
        super().__init__()
        self._generation, self._population = generation, population
        self._ask = commit

    def body(self) -> ComposeResult:
        """Lay out the editor."""
        room = f"{self._population} prompts fit into one; " if self._population else ""
        yield Static(
            Content.styled(
                f"One prompt per line, from generation {self._generation} on. {room}the rest follows after it.",
                "$muted",
            )
        )
        yield PromptArea(lines=True, id="prompts")

    def on_mount(self) -> None:
        """Begin to write."""
        self.query_one(PromptArea).focus()

    @on(PromptArea.Changed)
    def _check(self) -> None:
        editor = self.query_one(PromptArea)
        count = len(prompts_of(editor.exact))
        fault = "" if not count else self.fault()
        counted = f"{count} prompt{'' if count == 1 else 's'}"
        self.say(fault or ", ".join(filter(None, (counted, editor.legend))), wrong=bool(fault))

    def fault(self) -> str:
        """Name the first lines that cannot be prompts."""
        text = self.query_one(PromptArea).exact
        return " ".join(faults_by_line(text)) if prompts_of(text) else "There is no prompt yet: write one."

    async def submit(self) -> str:
        """Ask for the injection."""
        return await self._ask(prompts_of(self.query_one(PromptArea).exact))
