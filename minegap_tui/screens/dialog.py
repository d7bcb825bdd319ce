"""What all dialogs share: a heading, a body that scrolls, one line for what is wrong, and the keys."""

from __future__ import annotations

from typing import ClassVar, Generic, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from minegap_tui.sanitise import display_text
from minegap_tui.widgets.prompt_area import PromptArea

Result = TypeVar("Result")
_SHARE = 0.94
"""Of the terminal's lines, as in the style sheet."""


class Dialog(ModalScreen[Result], Generic[Result]):
    """Dismissed with what was decided, or with None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel"),
        Binding("ctrl+up", "scroll(-1)", "scroll up"),
        Binding("ctrl+down", "scroll(1)", "scroll down"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (18, "-tall")]  # noqa: RUF012  (Textual's)

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

    def on_resize(self) -> None:
        """Keep the line of keys in sight."""
        self.call_after_refresh(self._make_room)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Bring the field that is written in into sight."""
        self.call_after_refresh(self._make_room)

    def _make_room(self) -> None:
        """Give the body what heading, fault and keys leave of the terminal."""
        sheet, body = self.query_one(".dialog"), self.query_one(".body")
        others = [child for child in sheet.children if child is not body]
        taken = sum(child.outer_size.height + child.styles.margin.height for child in others)
        share = 1.0 if self.has_class("-short") else _SHARE
        body.styles.max_height = max(1, int(self.size.height * share) - sheet.gutter.height - taken)
        if isinstance(self.focused, PromptArea):
            self.call_after_refresh(self.focused.scroll_visible, animate=False)

    def say(self, sentence: str, *, wrong: bool = True) -> None:
        """Show a sentence below the body; an empty one takes it away."""
        style = "$error" if wrong else "$muted"
        self.query_one(".fault", Static).update(Content.styled(display_text(sentence), style))
        self.call_after_refresh(self._make_room)

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
