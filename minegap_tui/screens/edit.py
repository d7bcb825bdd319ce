"""Rewrite a candidate's prompt: the rewritten one enters a coming population as its child."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from engine.config import prompt_fault
from minegap_tui.sanitise import display_text
from minegap_tui.screens.dialog import Form
from minegap_tui.view.diff import word_diff
from minegap_tui.view.session import Row
from minegap_tui.widgets.prompt_area import PromptArea

_STYLES = {"same": "$muted", "removed": "$error strike", "added": "$accent bold"}


class EditScreen(Form):
    """Holds the exact prompt while the engine keeps the candidate locked for us.

    Args:
        row: the candidate.
        generation: from which the edit would count, as far as is known now.
        commit: asks for the edit; returns the engine's refusal.
        cancel: gives the lock back.
    """

    keys = (("ctrl+s", "commits"), ("esc", "cancels and unlocks"), ("ctrl+z", "undoes"))

    def __init__(
        self,
        row: Row,
        generation: int,
        commit: Callable[[str], Awaitable[str]],
        cancel: Callable[[], None],
    ) -> None:
        super().__init__()
        self.heading = f"Edit candidate {row.candidate_id}, as a child in generation {generation} or later"
        self._before = row.prompt
        self._ask, self._release = commit, cancel

    def body(self) -> ComposeResult:
        """Lay out the parent's text, the editor and the difference."""
        yield Static(Content.styled("parent", "$muted"))
        yield Static(Content(display_text(self._before)))
        yield Static(Content.styled("child", "$muted"), classes="gap")
        yield PromptArea(self._before)
        yield Static(Content.styled("difference", "$muted"), classes="gap")
        yield Static(id="difference")

    def on_mount(self) -> None:
        """Put the cursor behind the last word."""
        editor = self.query_one(PromptArea)
        editor.move_cursor(editor.document.end)
        editor.focus()
        self._show()

    @on(PromptArea.Changed)
    def _show(self) -> None:
        editor = self.query_one(PromptArea)
        changes = word_diff(self._before, editor.exact)
        same = all(change == "same" for _, change in changes)
        shown = Content.assemble(*((display_text(text), _STYLES[change]) for text, change in changes))
        self.query_one("#difference", Static).update(Content.styled("none yet", "$muted") if same else shown)
        fault = prompt_fault(editor.exact)
        self.say(f"The prompt {fault}." if fault else editor.legend, wrong=bool(fault))

    @on(PromptArea.Submitted)
    def _enter(self) -> None:
        self.say("A prompt is one line: ctrl+s commits it.", wrong=False)

    def fault(self) -> str:
        """Say why the text cannot be a child."""
        text = self.query_one(PromptArea).exact
        if text == self._before:
            return "The prompt is unchanged: change a word, or esc cancels."
        fault = prompt_fault(text)
        return f"The prompt {fault}." if fault else ""

    async def submit(self) -> str:
        """Ask for the edit."""
        return await self._ask(self.query_one(PromptArea).exact)

    def action_cancel(self) -> None:
        """Give the lock back; a commit that was asked for is not taken back."""
        if not self.asking:
            self._release()
        self.dismiss(None)
