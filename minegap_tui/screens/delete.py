"""Whether to delete a session."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.widgets import Static

from minegap_tui.sanitise import display_text
from minegap_tui.screens.dialog import Dialog
from minegap_tui.view import figures
from store.records import Session


class DeleteScreen(Dialog[bool]):
    """Dismissed with True for yes.

    Args:
        session: the one in question.
    """

    BINDINGS = [  # noqa: RUF012  (Textual's)
        Binding("y", "delete", "delete"),
        Binding("n", "cancel", "no"),
    ]
    heading = "Delete this session for good?"
    keys = (("y", "deletes it"), ("n esc", "leaves it as it is"))

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def body(self) -> ComposeResult:
        """Say what would be gone."""
        session = self._session
        name = display_text(session.name or "unnamed", 100)
        yield Static(Content.styled(name, "bold"))
        yield Static(Content.styled(f"{session.id} · begun {figures.when(session.created_at)}", "$muted"))
        images = f", {session.images:,} images ({figures.size(session.bytes)})"
        plural = "" if session.generations == 1 else "s"
        held = f"{session.generations:,} generation{plural}, {session.scored:,} scored candidates{images}."
        yield Static(Content(held), classes="gap")
        yield Static(
            Content.styled(
                "All of it is gone then, but images that another session rests on. There is no way back.",
                "$muted",
            )
        )

    def action_delete(self) -> None:
        """Delete."""
        self.dismiss(True)
