"""A session that is not begun yet: what was written into its form, what is wrong with it, what it would take."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from engine.config import MiningConfig, StoreSection
from engine.config_faults import SettingsFault
from engine.config_sources import load_config
from engine.errors import InputError
from engine.preset_files import Preset
from minegap_tui.commands.options import written_value
from minegap_tui.view.settings_model import YES, Section, Setting, sections, written

OWN = "own values"
"""What the presets' line says where the form is none of them."""

FIXED = "store"
"""The section that a form leaves out: the session is begun in the store that is shown."""


@dataclass(frozen=True)
class Line:
    """One line of the form: the presets, a section's head, or a setting of an open section.

    Attributes:
        section: None for the presets.
        setting: None for a head.
    """

    section: Section | None = None
    setting: Setting | None = None

    @property
    def kind(self) -> Literal["presets", "head", "setting"]:
        """Which of the three."""
        return "presets" if self.section is None else "head" if self.setting is None else "setting"


@dataclass(frozen=True)
class Checked:
    """What became of a form.

    Attributes:
        config: what would be mined; None while something is wrong.
        fault: the sentence that the command line would say; empty where nothing is wrong.
        faults: the same for each wrong setting, or for a section whose settings do not fit together.
    """

    config: MiningConfig | None
    fault: str
    faults: Mapping[str, str]


class Draft:
    """What was written so far; whatever was not is as the environment and the defaults have it.

    Args:
        store: where the session will be kept.
        presets: sizes to choose from.

    Attributes:
        open: names of the sections that are unfolded.
    """

    def __init__(self, store: Path, presets: Sequence[Preset] = ()) -> None:
        self.presets = tuple(presets)
        self.open = {part.name for part in sections() if not part.advanced}
        self._store = store
        self._given: dict[str, str] = {}
        self._base = self._below()

    # ------------------------------------------------------------ lines and values

    def lines(self) -> list[Line]:
        """Return the form's lines, those that everybody needs first."""
        lines = [Line()] if self.presets else []
        for part in sorted(sections(), key=lambda part: part.advanced):
            if part.name != FIXED:
                lines.append(Line(part))
                lines += [Line(part, one) for one in part.settings if part.name in self.open]
        return lines

    def fold(self, section: Section) -> None:
        """Fold or unfold a section."""
        self.open ^= {section.name}

    def text(self, setting: Setting) -> str:
        """Return what stands in a setting's field; foreign text in it is not safe to print."""
        return self._given.get(setting.name, self.usual(setting))

    def usual(self, setting: Setting) -> str:
        """Return what stands there before anything is written."""
        return written(getattr(getattr(self._base, setting.section), setting.key))

    def is_own(self, setting: Setting) -> bool:
        """Whether the field says something else than usual."""
        return self._given.get(setting.name, self.usual(setting)) != self.usual(setting)

    def own(self, section: Section) -> int:
        """How many of a section's settings do."""
        return sum(self.is_own(one) for one in section.settings)

    def write(self, setting: Setting, text: str) -> None:
        """Write into a field; an emptied number is as usual again."""
        if text == self.usual(setting) or (text == "" and setting.kind not in ("text", "lines")):
            self._given.pop(setting.name, None)
        else:
            self._given[setting.name] = text

    def step(self, setting: Setting, by: int) -> None:
        """Take the next of a setting's choices."""
        choices = setting.choices
        if choices:
            now = self.text(setting)
            place = choices.index(now) + by if now in choices else 0
            self.write(setting, choices[place % len(choices)])

    # ------------------------------------------------------------ presets

    @property
    def preset(self) -> Preset | None:
        """The preset that the form equals."""
        return next((one for one in self.presets if self._equals(one)), None)

    def step_preset(self, by: int) -> None:
        """Take over the next preset; what it says nothing about stays."""
        now = self.preset
        place = self.presets.index(now) + by if now is not None else 0
        self.take_preset(self.presets[place % len(self.presets)].name)

    def take_preset(self, name: str) -> None:
        """Take over a preset by its name."""
        for preset in self.presets:
            for setting, text in _settings_of(preset) if preset.name == name else ():
                self.write(setting, text)

    def _equals(self, preset: Preset) -> bool:
        return all(self.text(setting) == text for setting, text in _settings_of(preset))

    # ------------------------------------------------------------ what comes of it

    def check(self) -> Checked:
        """Validate all of it as the command line would."""
        try:
            return Checked(load_config(None, self._flags()), "", {})
        except SettingsFault as fault:
            return Checked(None, str(fault), dict(fault.faults))
        except InputError as error:  # the environment cannot even be read
            return Checked(None, str(error), {})

    def command(self) -> str:
        """Return the command that begins the same session without this form; not safe to print."""
        flags = []
        for name, text in self._given.items():
            section, _, key = name.partition(".")
            setting = next(
                one for part in sections() if part.name == section for one in part.settings if one.key == key
            )
            flags.append(f" --set {shlex.quote(f'{name}={_on_the_command_line(setting, text)}')}")
        place = "" if self._store == StoreSection().path else f" --store {shlex.quote(str(self._store))}"
        return f"minegap mine{''.join(flags)}{place}"

    def _flags(self) -> dict[str, dict[str, Any]]:
        flags: dict[str, dict[str, Any]] = {FIXED: {"path": str(self._store)}}
        for part in sections():
            for one in part.settings:
                if one.name in self._given:
                    flags.setdefault(part.name, {})[one.key] = _value(one, self._given[one.name])
        return flags

    def _below(self) -> MiningConfig:
        try:
            return load_config(None, {FIXED: {"path": str(self._store)}})
        except InputError:
            return MiningConfig()  # what is wrong below is said by every check


def _value(setting: Setting, text: str) -> Any:
    """Read a field as ``--set`` reads its value."""
    if setting.kind == "lines":
        return tuple(line for line in text.split("\n") if line.strip())
    if setting.kind == "text":
        return text if text or not setting.optional else None
    if setting.kind == "choice" and set(setting.choices) == {"no", "yes"}:
        return text == YES
    return text if setting.kind == "choice" else written_value(text.strip())


def _on_the_command_line(setting: Setting, text: str) -> str:
    value = _value(setting, text)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(_quoted(one) for one in value)}]"
    if isinstance(value, str) and written_value(value) != value:
        return _quoted(value)
    return str(value)


def _quoted(text: str) -> str:
    """A TOML string."""
    escaped = "".join(
        f"\\u{ord(one):04x}" if ord(one) < 32 or ord(one) == 127 else f"\\{one}" if one in '"\\' else one
        for one in text
    )
    return f'"{escaped}"'


def _settings_of(preset: Preset) -> list[tuple[Setting, str]]:
    return [
        (one, written(preset.settings[part.name][one.key]))
        for part in sections()
        for one in part.settings
        if one.key in preset.settings.get(part.name, {})
    ]
