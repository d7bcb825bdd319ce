"""A new session: a form made of the configuration's own model, checked while it is written."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Container

from engine.errors import InputError
from engine.inventory import Inventory, Need, need_of, take_inventory
from engine.models.machine import Machine, read_machine
from minegap_tui.actions.registry import bindings
from minegap_tui.desk import StoreDesk
from minegap_tui.pace import pace_of, turn_of
from minegap_tui.screens.page import Page
from minegap_tui.screens.propose import LinesScreen, ProposeScreen
from minegap_tui.view import figures
from minegap_tui.view.newsession import Checked, Draft
from minegap_tui.view.outlook import Fact, Pace, Turn, facts
from minegap_tui.view.proposals import Proposal, proposals
from minegap_tui.view.settings_model import Setting
from minegap_tui.widgets.bars import TitleLine
from minegap_tui.widgets.choices import Choice
from minegap_tui.widgets.form import WRITTEN, FieldArea, FieldLine, FormKeys, FormRows, OutlookPanel
from minegap_tui.widgets.rows import Rows
from store.errors import StoreError

if TYPE_CHECKING:
    from engine.config import MiningConfig


class NewSessionScreen(Page):
    """The form, what it would take, and what there is to say of the field under the cursor.

    Args:
        draft: what was written before; it is written into.
        desk: where the store is read.
        begin: asks the engine; returns its refusal.
    """

    PLACE = "new"
    FOREIGN = True
    BINDINGS = bindings(PLACE)
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (156, "-wide")]  # noqa: RUF012  (Textual's)
    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-high")]  # noqa: RUF012  (Textual's)
    DEFAULT_CSS = """
    NewSessionScreen {
        #body { height: 1fr; layout: vertical; }
        #form { height: 1fr; layers: base above; }
        FormRows { height: 1fr; }
        OutlookPanel { height: 9; margin-top: 1; }
        &.-low OutlookPanel { height: 3; margin-top: 0; }
        &.-high #body { margin-top: 1; }
        &.-wide #body { layout: horizontal; }
        &.-wide #form { width: 1fr; margin-right: 3; }
        &.-wide OutlookPanel { width: 44; height: 1fr; margin-top: 0; }
    }
    """

    def __init__(
        self, draft: Draft, desk: StoreDesk, begin: Callable[[MiningConfig], Awaitable[str]]
    ) -> None:
        super().__init__()
        self.keys = FormKeys(self.PLACE, id="keys")
        self._draft, self._desk, self._begin = draft, desk, begin
        self._title = TitleLine("New session")
        self._rows = FormRows(draft)
        self._area = FieldArea(wrap=False)
        self._field = FieldLine()
        self._outlook = OutlookPanel()
        self._edited: Setting | None = None
        self._checked = Checked(None, "", {})
        self._inventory: Inventory | None = None
        self._machine: Machine | None = None
        self._studied: object = None
        self._need: Need | None = None
        self._missing = ""
        self._pace: Pace | None = None
        self._turn = Turn()
        self._asking = False

    def compose(self) -> ComposeResult:
        """Lay out form and outlook, the field's line below."""
        yield self._title
        with Container(id="body"):
            with Container(id="form"):
                yield self._rows
                yield self._area
            yield self._outlook
        yield self._field
        yield self.message
        yield self.keys

    def on_mount(self) -> None:
        """Look what is on this machine, and what the store knows."""
        self._rows.focus()
        self._check()
        self.run_worker(self._look_around(), group="inventory")

    # ------------------------------------------------------------ what is known

    async def _look_around(self) -> None:
        machine = await asyncio.to_thread(read_machine)
        free = figures.memory(machine.free_bytes / (1 << 20))
        total = figures.memory(machine.total_bytes / (1 << 20))
        gpus = ", ".join(
            f"{gpu.name}, {figures.memory(gpu.free_bytes / (1 << 20))} free" for gpu in machine.gpus
        )
        self._title.say(f"{free} of {total} memory free · {gpus or 'no GPU'}")
        self._machine = machine
        self._check()
        self._inventory = await asyncio.to_thread(take_inventory, machine)
        self._rows.proposing = frozenset(
            line.setting.name
            for line in self._draft.lines()
            if line.setting and self._proposals(line.setting)
        )
        self._rows.refresh()

    def _check(self) -> None:
        """Validate the form; what only a thread can find out is asked for where its cause has changed."""
        self._checked = self._draft.check()
        self._show()
        config = self._checked.config
        if config is not None and self._machine is not None:
            cause = (config.models, config.painter, config.writer.prompts)
            if cause != self._studied:
                self._studied = cause
                self.run_worker(self._study(config, self._machine), group="study", exclusive=True)

    async def _study(self, config: MiningConfig, machine: Machine) -> None:
        try:
            self._need, self._missing = await asyncio.to_thread(need_of, config, machine), ""
        except InputError as error:
            self._need, self._missing = None, str(error)
        try:
            self._pace = await self._desk.ask(lambda reader: pace_of(reader, config))
            self._turn = await self._desk.ask(turn_of)
        except StoreError:  # there is none yet, which is no fault of a first session
            self._pace, self._turn = None, Turn()
        self._show()

    def _show(self) -> None:
        checked = self._checked
        faults = dict(checked.faults)
        if checked.config is not None and self._missing:
            faults["models"] = self._missing
        self._rows.faults = faults
        known: Sequence[Fact] = ()
        if checked.config is not None:
            known = facts(checked.config, self._pace, self._need, self._turn)
        self._outlook.show_facts(known, self._draft.command(), whole=not faults and not checked.fault)
        self._rows.refresh()
        self._say_of_the_field()

    def _say_of_the_field(self) -> None:
        line = self._rows.line
        faults = self._rows.faults
        name = line.setting.name if line.setting else line.section.name if line.section else ""
        section = line.section.name if line.section else ""
        wrong = faults.get(name) or faults.get(section) or self._checked.fault
        if wrong:
            self._field.say(wrong, "error")
        elif line.setting is not None:
            one = line.setting
            kind = " or ".join(one.choices) if one.kind == "choice" else one.kind
            bounds = f", {one.bounds}" if one.bounds else ""
            usual = self._draft.usual(one).replace("\n", " ") or "nothing"
            self._field.say(
                f"{one.name} · {one.meaning} · {kind}{bounds} · usually {usual} {self._area.legend}"
            )
        elif line.section is not None:
            self._field.say(f"[{section}] {line.section.meaning} · ⏎ folds and unfolds it")
        else:
            preset = self._draft.preset
            size = f"{preset.images:,} images. {preset.summary}" if preset else "← → takes one over"
            self._field.say(f"preset · {size}")

    def _proposals(self, setting: Setting) -> Sequence[Proposal]:
        return proposals(setting, self._inventory)

    # ------------------------------------------------------------ writing

    @on(Rows.Moved)
    def _moved(self) -> None:
        """Bring the editor to the value under the cursor, or put it away."""
        setting = self._rows.line.setting
        if setting is None or setting.kind not in WRITTEN:
            self._edited = None
            self._area.display = False
            self._rows.focus()
        else:
            column, line, width = self._rows.field
            self._area.styles.offset = (column, line)
            self._area.styles.width = width
            self._area.display = True
            if setting != self._edited:
                self._edited = setting
                self._area.load_text(self._draft.text(setting))
                self._area.select_all()
            self._area.focus()
        self._say_of_the_field()

    @on(FieldArea.Changed)
    def _written(self) -> None:
        if self._edited is not None:
            self._draft.write(self._edited, self._area.exact)
            self._check()

    @on(FieldArea.Left)
    def _left(self, message: FieldArea.Left) -> None:
        key = message.key
        if key == "escape":
            self.action_back()
        elif key in {"pageup", "pagedown"}:
            self.action_page(1 if key == "pagedown" else -1)
        elif key == "enter" and self._edited is not None and self._proposals(self._edited):
            self.action_choose()
        else:
            (self.action_previous if key in {"up", "shift+tab"} else self.action_next)()

    def _changed(self) -> None:
        self._edited = None
        self._rows.show_draft()
        self._check()

    # ------------------------------------------------------------ actions

    def action_next(self) -> None:
        """Go to the next field."""
        self._rows.move(1)

    def action_previous(self) -> None:
        """Go to the field before."""
        self._rows.move(-1)

    def action_page(self, by: int) -> None:
        """Move by pages."""
        self._rows.page(by)

    @on(Rows.Opened)
    def action_choose(self) -> None:
        """Show what the field can be, or fold the section."""
        line = self._rows.line
        if line.setting is not None and line.setting.kind == "lines":
            self._ask_for_lines(line.setting)
        elif line.setting is not None:
            self._propose(line.setting.name, self._proposals(line.setting), line.setting)
        elif line.section is not None:
            self._draft.fold(line.section)
            self._changed()
        else:
            sizes = [(one.name, f"{one.images:,} images", one.name) for one in self._draft.presets]
            self._propose("preset", sizes, None)

    def action_change(self, by: int) -> None:
        """Take the next of the field's choices."""
        line = self._rows.line
        if line.kind == "presets":
            self._draft.step_preset(by)
        elif line.setting is not None and line.setting.kind == "choice":
            self._draft.step(line.setting, by)
        else:
            return
        self._changed()

    def action_reset(self) -> None:
        """Put the field back to what is usual."""
        setting = self._rows.line.setting
        if setting is not None:
            self._draft.write(setting, self._draft.usual(setting))
            self._changed()

    def action_start(self) -> None:
        """Begin the session, or go to what is wrong."""
        checked = self._checked
        if self._asking:
            return
        if checked.config is None:
            wrong = next(iter(checked.faults), "")
            if wrong:
                self._rows.find(wrong)
            return
        self._asking = True
        self.run_worker(self._start(checked.config), group="ask")

    async def _start(self, config: MiningConfig) -> None:
        refusal = await self._begin(config)
        self._asking = False
        if refusal and self.is_attached:
            self._field.say(refusal, "error")

    def _propose(self, name: str, choices: Sequence[Proposal], setting: Setting | None) -> None:
        def chosen(value: str | None) -> None:
            if value is None:
                return
            if setting is None:
                self._draft.take_preset(value)
            else:
                self._draft.write(setting, value)
            self._changed()

        if choices:
            self.app.push_screen(ProposeScreen(name, [Choice(*one) for one in choices]), chosen)

    def _ask_for_lines(self, setting: Setting) -> None:
        def written(text: str | None) -> None:
            if text is not None:
                self._draft.write(setting, text)
                self._changed()

        self.app.push_screen(LinesScreen(setting.name, self._draft.text(setting)), written)
