"""How a session is confirmed: which prompts, how many images, and what that takes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from minegap_tui.sanitise import display_text
from minegap_tui.screens.dialog import Form
from minegap_tui.view.confirming import Confirmable, facts, read
from minegap_tui.widgets.prompt_area import PromptArea

_LOOKS = {"strong": "bold", "muted": "$muted", "error": "$error"}


class ConfirmScreen(Form):
    """Asks the engine for a confirmation; the plan follows what is written.

    Args:
        one: the session.
        commit: asks for so many prompts and images; returns the engine's refusal.
    """

    BINDINGS = [  # noqa: RUF012  (Textual's)
        Binding("up", "step(-1)", "field above", priority=True),
        Binding("down", "step(1)", "field below", priority=True),
    ]
    keys = (("⏎", "confirms"), ("↑↓", "field"), ("esc", "cancels"))

    def __init__(self, one: Confirmable, commit: Callable[[int, int], Awaitable[str]]) -> None:
        super().__init__()
        self.heading = f"Confirm “{display_text(one.name or one.session_id, 40)}”"
        self._one, self._ask = one, commit

    def body(self) -> ComposeResult:
        """Say what a confirmation is; lay out its two numbers and the plan."""
        yield Static(
            Content.styled(
                "The lowest of many noisy scores are too good: fresh images and variations, beside unselected "
                "prompts, say which prompts are findings.",
                "$muted",
            )
        )
        top, images = self._one.usual
        for name, number, meaning in (
            ("prompts", top, "the most biased, and as many unselected"),
            ("images", images, "of each, behind its confirmed score"),
        ):
            with Horizontal(classes="field gap" if name == "prompts" else "field"):
                yield Static(Content(name), classes="name")
                yield PromptArea(str(number), wrap=False, id=name)
                yield Static(Content(meaning), classes="meaning")
        yield Static(classes="gap", id="plan")

    def on_mount(self) -> None:
        """Show the usual plan, and begin in the first field."""
        self.query(PromptArea).first().focus()
        self._check()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """What is written first replaces the number."""
        if isinstance(event.widget, PromptArea):
            event.widget.select_all()

    @on(PromptArea.Changed)
    def _check(self) -> None:
        top, images, wrong = self._read()
        self.say(wrong)
        plan = self.query_one("#plan", Static)
        if not wrong:
            parts: list[tuple[str, str]] = []
            for name, fact, look in facts(self._one, top, images):
                parts += [(f"{name:<9}", "$muted"), (f"{fact}\n", _LOOKS.get(look, ""))]
            plan.update(Content.assemble(*parts).rstrip())

    @on(PromptArea.Submitted)
    def _submitted(self) -> None:
        self.action_commit()

    def action_step(self, by: int) -> None:
        """Go to the other field."""
        (self.focus_next if by > 0 else self.focus_previous)()

    def fault(self) -> str:
        """Say which number cannot be."""
        return self._read()[2]

    async def submit(self) -> str:
        """Ask for it."""
        top, images, _ = self._read()
        return await self._ask(top, images)

    def _read(self) -> tuple[int, int, str]:
        written = [self.query_one(f"#{name}", PromptArea).exact.strip() for name in ("prompts", "images")]
        return read(*written)
