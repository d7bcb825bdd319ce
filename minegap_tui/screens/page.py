"""What every full screen has: its place in the registry of actions, a line for messages, a line of keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.message import Message
from textual.screen import Screen

from minegap_tui.actions.action import Action, Place
from minegap_tui.look import Dressed
from minegap_tui.view.evidence import Evidence
from minegap_tui.view.session import SessionView
from minegap_tui.view.steering import Messages
from minegap_tui.widgets.bars import KeyLine, MessageLine


class Page(Screen[None]):
    """A full screen; heirs yield ``message`` and ``keys`` as their last lines.

    Args:
        why_not: tells why a steering action cannot be done now; empty when it can.

    Attributes:
        PLACE: its place in the registry: palette, footer and help follow from it.
        FOREIGN: whether what it shows is not of the session that is open and steered.
        NOT_STEERED: why not, and what helps, where it is foreign.
        AT_ONCE: actions, with or without what is in their brackets, that need nothing of what is read.
    """

    class Read(Message):
        """What was read is there: keys that waited for it can act."""

    PLACE: ClassVar[Place]
    FOREIGN: ClassVar[bool] = False
    NOT_STEERED: ClassVar[str] = "Only the session on the live screen is steered: open one first."
    AT_ONCE: ClassVar[frozenset[str]] = frozenset({"back"})
    DEFAULT_CSS = """
    Page {
        background: $background;
        padding: 0 1;
    }
    """

    def __init__(self, why_not: Callable[[str], str] = lambda _: "") -> None:
        super().__init__()
        self._why_not = why_not
        self._unread = False
        self.message = MessageLine(id="message")
        self.keys = KeyLine(self.PLACE, self.refusal, id="keys")

    def refusal(self, action: Action) -> str:
        """Return why an action cannot be done now, as a sentence; empty when it can. Heirs add their own reasons."""
        if action.steers:
            return self._why_not(action.steers)
        if action.name == "theme" and isinstance(self.app, Dressed):
            return self.app.look.why_not
        if action.name.startswith("app.copy(") and self.candidate_id is None:
            return "No candidate is selected: there is nothing to copy."
        return ""

    @property
    def candidate_id(self) -> int | None:
        """The candidate that the screen's actions are about; None where there is none."""
        return None

    def show_message(self, messages: Messages, view: SessionView) -> None:
        """Draw what there is to say, and which keys work now."""
        self.message.show_message(messages, view)
        self.keys.show_keys(view)

    def begin_reading(self) -> None:
        """What actions are about is being read, or another screen is about to open."""
        self._unread = True

    def end_reading(self) -> None:
        """It is there, or it cannot be read."""
        self._unread = False
        self.post_message(self.Read())

    def waits(self, action: Action) -> bool:
        """Whether what an action is about is still being read; heirs add what else it may be."""
        known = {action.name, action.name.partition("(")[0]}
        here = action.place == self.PLACE or action.name.startswith("app.copy(")
        return self._unread and here and not known & self.AT_ONCE

    def neighbour(self, by: int) -> int | None:
        """Move the cursor, if there is one; return the candidate under it that is to be inspected, if any."""
        return None

    def action_back(self) -> None:
        """Return to the screen before."""
        self.dismiss()


class EvidencePage(Page):
    """A page about one candidate; what shows it is imported when it is opened, this is known from the start."""

    @property
    def evidence(self) -> Evidence:
        """The candidate on the screen."""
        raise NotImplementedError

    def show_evidence(self, evidence: Evidence) -> None:
        """Draw a candidate."""
        raise NotImplementedError
