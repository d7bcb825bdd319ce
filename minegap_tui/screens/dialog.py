"""What all dialogs share: a heading, a body that scrolls, one line for what is wrong, and the keys."""

from __future__ import annotations

from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from minegap_tui.sanitise import display_text

Result = TypeVar("Result")


class Dialog(ModalScreen[Result], Generic[Result]):
    """Dismissed with what was decided, or with None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel"),
        Binding("ctrl+up", "scroll(-1)", "scroll up"),
        Binding("ctrl+down", "scroll(1)", "scroll down"),
    ]

    heading: str
    keys: tuple[tuple[str, str], ...] = (("esc", "cancels"),)

    def body(self) -> ComposeResult:
        """Yield what stands between heading and keys."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """Lay out the dialog."""
        with Vertical(classes="dialog"):
            yield Static(Content.styled(display_text(self.heading), "bold $accent"), classes="heading")
            with VerticalScroll(classes="body", can_focus=False):
                yield from self.body()
            yield Static(classes="fault")
            yield Static(_keys(self.keys), classes="keys")

    def say(self, sentence: str, *, wrong: bool = True) -> None:
        """Show a sentence below the body; an empty one takes it away."""
        style = "$error" if wrong else "$muted"
        self.query_one(".fault", Static).update(Content.styled(display_text(sentence), style))

    def action_cancel(self) -> None:
        """Leave without doing anything."""
        self.dismiss(None)

    def action_scroll(self, by: int) -> None:
        """Scroll the body."""
        self.query_one(".body", VerticalScroll).scroll_relative(y=by, animate=False)


class Form(Dialog[None]):
    """A dialog that stays open until the engine took what it holds."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+s", "commit", "commit")]

    def __init__(self) -> None:
        super().__init__()
        self._asking = False

    @property
    def asking(self) -> bool:
        """Whether the engine still owes an answer."""
        return self._asking

    async def submit(self) -> str:
        """Ask the engine; return why it refuses."""
        raise NotImplementedError

    def fault(self) -> str:
        """Return why the form cannot be committed as it stands; empty when it can."""
        raise NotImplementedError

    def action_commit(self) -> None:
        """Ask the engine for what the form holds."""
        if self._asking:
            return
        fault = self.fault()
        if fault:
            self.say(fault)
            return
        self._asking = True
        self.say("asked the engine …", wrong=False)
        self.run_worker(self._commit(), group="ask", name="commit a form")

    async def _commit(self) -> None:
        refusal = await self.submit()
        self._asking = False
        if self not in self.app.screen_stack:  # what was asked for led to another screen
            return
        if refusal:
            self.say(refusal)
        else:
            self.dismiss(None)


def _keys(keys: tuple[tuple[str, str], ...]) -> Content:
    parts: list[tuple[str, str]] = []
    for key, what in keys:
        parts += [(key, "bold"), (f" {what}   ", "$muted")]
    return Content.assemble(*parts)
