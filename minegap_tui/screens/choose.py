"""Small decisions: when to pause, whether to stop, how many images more."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from engine.commands import After
from minegap_tui.sanitise import display_text
from minegap_tui.screens.dialog import Dialog
from minegap_tui.view.session import Row
from minegap_tui.widgets.choices import Choice, Choices
from minegap_tui.widgets.prompt_area import PromptArea

MOST_IMAGES = 4096


class PauseScreen(Dialog[After]):
    """After what to pause."""

    heading = "Pause"
    keys = (("⏎", "asks for it"), ("esc", "cancels"))

    def body(self) -> ComposeResult:
        """Lay out the three units."""
        yield Choices(
            (
                Choice("after the batch of images that is being drawn", "soonest", "image"),
                Choice("after all batches that the painter was given", "", "batch"),
                Choice("after this generation", "", "generation"),
            )
        )

    @on(Choices.Chosen)
    def _chosen(self, message: Choices.Chosen) -> None:
        chosen = message.value
        if chosen == "image" or chosen == "batch" or chosen == "generation":
            self.dismiss(chosen)


class StopScreen(Dialog[bool]):
    """Whether to stop; dismissed with True for at once, False for after the batch in flight.

    Args:
        stopping: whether a stop was asked for before.
        resume_hint: the command that goes on with the session.
    """

    BINDINGS = [  # noqa: RUF012  (Textual's)
        Binding("y", "stop", "stop"),
        Binding("n", "cancel", "no"),
    ]

    def __init__(self, *, stopping: bool, resume_hint: str) -> None:
        super().__init__()
        self.heading = "Stop at once?" if stopping else "Stop mining?"
        self.keys = (("y", "stops at once" if stopping else "stops"), ("n esc", "leaves it as it is"))
        self._stopping, self._hint = stopping, resume_hint

    def body(self) -> ComposeResult:
        """Say what is lost, and how to go on."""
        lost = (
            "The batch in flight is thrown away and drawn again on resuming; everything before it is stored."
            if self._stopping
            else "Nothing is lost: the batch in flight is stored first, then the models are let go."
        )
        yield Static(Content(lost))
        yield Static(Content(display_text(f"Go on later with R here, or with: {self._hint}")), classes="gap")
        if not self._stopping:
            yield Static(
                Content.styled("To leave and let it mine on, press q on the screen before.", "$muted"),
                classes="gap",
            )

    def action_stop(self) -> None:
        """Stop."""
        self.dismiss(self._stopping)


class RescoreScreen(Dialog[int]):
    """How many images more.

    Args:
        row: the candidate.
        images: what a generation paints for each prompt.
    """

    BINDINGS = [Binding("ctrl+s", "commit", "commit")]  # noqa: RUF012  (Textual's)
    keys = (("⏎", "measures again"), ("esc", "cancels"))

    def __init__(self, row: Row, images: int) -> None:
        super().__init__()
        self.heading = f"Measure candidate {row.candidate_id} again"
        self._prompt, self._images = row.prompt, images

    def body(self) -> ComposeResult:
        """Lay out the number."""
        yield Static(Content(display_text(self._prompt)))
        with Horizontal(classes="field gap"):
            yield Static("more images", classes="name")
            yield PromptArea(str(self._images), wrap=False)
            yield Static("painted now, on top of those it has", classes="meaning")

    def on_mount(self) -> None:
        """Begin with the number selected."""
        editor = self.query_one(PromptArea)
        editor.focus()
        editor.select_all()

    @on(PromptArea.Submitted)
    def action_commit(self) -> None:
        """Take the number."""
        text = self.query_one(PromptArea).exact.strip()
        if text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST_IMAGES:
            self.dismiss(int(text))
        else:
            self.say(f"{text!r} is no number from 1 to {MOST_IMAGES}: correct it.")
