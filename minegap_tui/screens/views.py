"""Saved views of the history: choose one, forget one, save one."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from engine.errors import MineGapError
from minegap_tui.sanitise import display_text
from minegap_tui.screens.dialog import Dialog
from minegap_tui.view.history import ORDERS
from minegap_tui.views_file import SavedView, ViewsFile, name_fault
from minegap_tui.widgets.choices import Choice, Choices
from minegap_tui.widgets.prompt_area import PromptArea
from store.search import Order


class ViewsScreen(Dialog[SavedView]):
    """Dismissed with the view that was chosen."""

    BINDINGS = [Binding("x", "forget", "forget")]  # noqa: RUF012  (Textual's)
    heading = "Saved views"
    keys = (("⏎", "shows it"), ("x", "forgets it"), ("esc", "cancels"))

    def __init__(self, file: ViewsFile) -> None:
        super().__init__()
        self._file = file
        self._asked: SavedView | None = None
        self._fault = ""
        try:
            self._views = file.all()
        except MineGapError as error:
            self._views, self._fault = [], str(error)

    def body(self) -> ComposeResult:
        """Lay out one line per view."""
        yield Static(Content("None yet: w on the history saves the filter that is there."), id="none")
        yield Choices(self._choices())

    def on_mount(self) -> None:
        """Say what is wrong with the file."""
        self._show()
        if self._fault:
            self.say(self._fault)

    @on(Choices.Chosen)
    def _chosen(self, message: Choices.Chosen) -> None:
        if isinstance(message.value, SavedView):
            self.dismiss(message.value)

    async def action_forget(self) -> None:
        """Ask once, then forget the view under the cursor."""
        chosen = self.query_one(Choices).value
        if not isinstance(chosen, SavedView):
            return
        if chosen != self._asked:
            self._asked = chosen
            self.say(f"Press x again to forget “{chosen.name}”.", wrong=False)
            return
        try:
            self._file.remove(chosen.name)
            self._views = self._file.all()
        except MineGapError as error:
            self.say(str(error))
            return
        await self.query_one(Choices).remove()
        choices = Choices(self._choices())
        await self.query_one(".body").mount(choices)
        choices.focus()
        self._show()
        self.say(f"“{chosen.name}” is forgotten.", wrong=False)

    def _choices(self) -> tuple[Choice, ...]:
        return tuple(Choice(f"{view.name}   {view.filter}", ORDERS[view.order], view) for view in self._views)

    def _show(self) -> None:
        self.query_one("#none").display = not self._views and not self._fault


class NameViewScreen(Dialog[str]):
    """Saves a filter under a name; dismissed with what was done."""

    BINDINGS = [Binding("ctrl+s", "commit", "commit")]  # noqa: RUF012  (Textual's)
    heading = "Save this view"
    keys = (("⏎", "saves it"), ("esc", "cancels"))

    def __init__(self, file: ViewsFile, text: str, order: Order) -> None:
        super().__init__()
        self._file, self._filter, self._order = file, text, order
        self._replacing = ""

    def body(self) -> ComposeResult:
        """Lay out the filter and the name."""
        shown = self._filter or "every candidate"
        yield Static(Content(display_text(f"{shown}   ({ORDERS[self._order]})")))
        with Horizontal(classes="field gap"):
            yield Static("name", classes="name")
            yield PromptArea(wrap=False)

    def on_mount(self) -> None:
        """Begin with the name."""
        self.query_one(PromptArea).focus()

    @on(PromptArea.Submitted)
    def action_commit(self) -> None:
        """Save; a name that is taken is asked about once."""
        name = self.query_one(PromptArea).exact.strip()
        if fault := name_fault(name):
            self.say(fault)
            return
        try:
            if name != self._replacing and any(view.name == name for view in self._file.all()):
                self._replacing = name
                self.say(f"There is a view “{name}” already: press ⏎ again to replace it.", wrong=False)
                return
            self._file.save(SavedView(name, self._filter, self._order))
        except MineGapError as error:
            self.say(str(error))
            return
        self.dismiss(f"Saved as “{name}”: v shows it again, and so does minegap find --view.")
