"""The form of a new session: one line per setting, written in place; and what it would take, beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from rich.cells import cell_len
from textual import events
from textual.message import Message
from textual.strip import Strip

from minegap_tui.actions.action import Action
from minegap_tui.keymap import key_word
from minegap_tui.sanitise import display_text, fit, wrap
from minegap_tui.view.newsession import OWN, Draft, Line
from minegap_tui.view.outlook import Fact
from minegap_tui.view.settings_model import Setting
from minegap_tui.widgets.bars import KeyLine
from minegap_tui.widgets.panel import Panel, Part
from minegap_tui.widgets.prompt_area import PromptArea
from minegap_tui.widgets.rows import Rows

_NAMES = 16
_ROOMY, _WIDE, _WIDEST = 64, 90, 116
_FACTS = 9
WRITTEN = frozenset({"text", "whole number", "number"})
"""Kinds of settings that are written; the others are chosen."""


class FormRows(Rows):
    """The lines of a draft; the value under the cursor is written by an editor that lies above it.

    Attributes:
        faults: what is wrong, by setting or section.
        proposing: names of the settings that have something to choose from.
    """

    def __init__(self, draft: Draft) -> None:
        super().__init__()
        self.faults: Mapping[str, str] = {}
        self.proposing: frozenset[str] = frozenset()
        self._draft = draft
        self._lines = draft.lines()

    @property
    def heading(self) -> str:
        """The title."""
        return "What to mine, and how"

    def aside(self) -> str:
        """Say how many fields differ from what is usual."""
        own = sum(
            self._draft.own(line.section) for line in self._lines if line.kind == "head" and line.section
        )
        return f"{own} changed" if own else "all as usual"

    @property
    def length(self) -> int:
        """How many lines there are."""
        return len(self._lines)

    @property
    def line(self) -> Line:
        """The line under the cursor."""
        return self._lines[self.cursor]

    @property
    def field(self) -> tuple[int, int, int]:
        """Column, line and width of the value under the cursor."""
        return _NAMES + 2, self.cursor - self.in_sight.start + 2, self._values

    def show_draft(self) -> None:
        """Draw the draft as it is now; the cursor stays on its line where that is still there."""
        before = self.line
        self._lines = self._draft.lines()
        self.go(self._lines.index(before) if before in self._lines else self.cursor)

    def find(self, name: str) -> None:
        """Put the cursor on a setting (``section.key``) or a section, unfolded if need be."""
        section = next(
            (
                line.section
                for line in self._draft.lines()
                if line.section and line.section.name == name.partition(".")[0]
            ),
            None,
        )
        if section is not None and section.name not in self._draft.open:
            self._draft.fold(section)
        self._lines = self._draft.lines()
        for place, line in enumerate(self._lines):
            found = line.setting.name if line.setting else line.section.name if line.section else ""
            if found == name:
                self.go(place)

    def head(self) -> str:
        """Return the columns' names."""
        meaning = "meaning" if self._meanings else ""
        return f"{'setting':<{_NAMES}}{'value':<{self._values}}  {meaning}"

    def row(self, place: int, *, chosen: bool) -> list[Part]:
        """Return a line."""
        line = self._lines[place]
        if line.setting is not None:
            return self._setting(line.setting, chosen=chosen)
        if line.section is None:
            return self._presets(chosen=chosen)
        section = line.section
        shown = section.name in self._draft.open
        own = self._draft.own(section)
        note = section.meaning if shown or not own else f"{own} changed · {section.meaning}"
        name = fit(f"{'▾' if shown else '▸'} {section.name}", _NAMES)
        bad = any(fault.partition(".")[0] == section.name for fault in self.faults)
        room = max(self.size.width - 2 - _NAMES, 0)
        return [(name, "error" if bad else "strong"), (fit(note, room), "faint")]

    def _named(self, section: str) -> set[str]:
        """The words of what is wrong with a section as a whole: its settings among them do not fit together."""
        return set(re.findall(r"\w+", self.faults.get(section, "")))

    @property
    def _values(self) -> int:
        width = self.size.width
        if width < _ROOMY:
            return max(width - _NAMES - 3, 8)
        return 36 if width >= _WIDEST else 26 if width >= _WIDE else 20

    @property
    def _meanings(self) -> bool:
        return self.size.width >= _ROOMY

    def _presets(self, *, chosen: bool) -> list[Part]:
        preset = self._draft.preset
        value = _chosen(preset.name if preset else OWN, chosen=chosen)
        return self._parts("  preset", value, preset.summary if preset else "", "strong" if chosen else "")

    def _setting(self, setting: Setting, *, chosen: bool) -> list[Part]:
        text, own = self._draft.text(setting), self._draft.is_own(setting)
        if setting.kind == "lines":
            count = sum(bool(line.strip()) for line in text.split("\n"))
            value = f"{count} written" if count else "none"
        elif setting.kind == "choice":
            value = _chosen(text, chosen=chosen)
        else:
            value = _end_of(text, self._values) if text else "–"
        wrong = setting.name in self.faults or setting.key in self._named(setting.section)
        look = "error" if wrong else "" if own else "muted"
        mark = "✗ " if wrong else "• " if own else "  "
        more = " ▾" if chosen and setting.name in self.proposing else ""
        return self._parts(f"{mark}{setting.key}", value, setting.meaning, look, more)

    def _parts(self, name: str, value: str, meaning: str, look: str, more: str = "") -> list[Part]:
        parts = [(fit(name, _NAMES), look), (fit(value, self._values), look)]
        used = 2 + _NAMES + self._values
        if self._meanings:
            parts.append((f"{more:<2}{fit(meaning, max(self.size.width - used - 2, 0))}", "faint"))
        return parts


class FieldArea(PromptArea):
    """The editor above the value under the cursor; keys that lead elsewhere are passed on."""

    DEFAULT_CSS = """
    FieldArea { position: absolute; layer: above; height: 1; padding: 0; display: none; }
    """

    class Left(Message):
        """The field is to be left.

        Attributes:
            key: by which key.
        """

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def on_key(self, event: events.Key) -> None:
        """Keys that mean nothing in a single line lead elsewhere."""
        if event.key in {"tab", "shift+tab", "enter", "escape", "up", "down", "pageup", "pagedown"}:
            event.prevent_default()
            event.stop()
            self.post_message(self.Left(event.key))


class FormKeys(KeyLine):
    """Shows those of everywhere's keys that are no letters: in a form letters are written."""

    def _key(self, action: Action) -> list[Part]:
        if action.place != "app":
            return super()._key(action)
        return [(key_word(action.keys[-1]), ""), (f" {action.label}", "muted")]


class OutlookPanel(Panel):
    """What the session would take."""

    def __init__(self) -> None:
        super().__init__()
        self._facts: Sequence[Fact] = ()
        self._command = ""
        self._whole = True

    @property
    def heading(self) -> str:
        """The title."""
        return "What it takes"

    def aside(self) -> str:
        """Say what the numbers are worth."""
        return "estimates"

    def show_facts(self, facts: Sequence[Fact], command: str, *, whole: bool) -> None:
        """Take over the facts.

        Args:
            command: that begins the same session without the form.
            whole: whether the form can be begun as it stands.
        """
        if (facts, command, whole) != (self._facts, self._command, self._whole):
            self._facts, self._command, self._whole = facts, command, whole
            self.refresh()

    def body_line(self, y: int) -> Strip:
        """Draw one line."""
        lines = self._drawn()
        return self.strip(lines[y] if y < len(lines) else [])

    def _drawn(self) -> list[list[Part]]:
        width, height = max(self.size.width - _FACTS - 2, 10), self.body_height
        lines: list[list[Part]] = []
        facts = [fact for fact in self._facts if fact[0]] if height < len(self._facts) else self._facts
        for name, text, look in facts:
            for place, part in enumerate(wrap(text, width, 4 if look == "error" else 2)):
                label = name if place == 0 else ""
                lines.append([(f"  {label:<{_FACTS}}", "muted"), (part, look if self._whole else "faint")])
        if not self._whole:
            lines.insert(0, [("  correct what is marked ✗", "error")])
        room = height - len(lines) - 1
        if self._command and room > 0:
            lines.append([])
            for place, part in enumerate(wrap(self._command, width, room)):
                lines.append([(f"  {'command' if place == 0 else '':<{_FACTS}}", "muted"), (part, "muted")])
        return lines


class FieldLine(Panel):
    """All there is to say of the field under the cursor, or what is wrong; as high as that needs, up to three lines."""

    DEFAULT_CSS = """
    FieldLine { height: 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._text, self._look = "", "muted"
        self._lines: list[str] = []

    def say(self, text: str, look: str = "muted") -> None:
        """Take over what there is to say; foreign text is safe here."""
        self._text, self._look = text, look
        self._layout()

    def on_resize(self) -> None:
        """Break the lines anew."""
        self._layout()

    def render_line(self, y: int) -> Strip:
        """Draw one line."""
        return self.strip([(self._lines[y], self._look)] if y < len(self._lines) else [])

    def _layout(self) -> None:
        self._lines = wrap(self._text, max(self.size.width, 20), 3)
        self.styles.height = len(self._lines)
        self.refresh()


def _chosen(text: str, *, chosen: bool) -> str:
    return f"{display_text(text, 60)}  ← →" if chosen else display_text(text, 60)


def _end_of(text: str, cells: int) -> str:
    """The end of a path says more than its beginning."""
    shown = display_text(text, 400)
    if cell_len(shown) <= cells or not shown.startswith(("/", "~")):
        return shown
    while cell_len(shown) >= cells:
        shown = shown[1:]
    return f"…{shown}"
