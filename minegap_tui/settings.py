"""How the app looks and behaves for this user: a TOML file < environment. Nothing here changes what is mined.

The file is ``ui.toml`` in the user's configuration directory (``~/.config/minegap/ui.toml`` on Linux), or the one
that ``MINEGAP_UI_FILE`` names. Every key also has a variable ``MINEGAP_UI_SECTION_KEY``; an action of ``[keys]``
has ``MINEGAP_UI_KEYS_PLACE_ACTION``, such as ``MINEGAP_UI_KEYS_SESSION_PAUSE_AFTER`` for ``session.pause-after``.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args, get_type_hints

import msgspec
from platformdirs import user_config_path

from engine.errors import InputError

PREFIX: Final = "MINEGAP_UI_"
FILE: Final = f"{PREFIX}FILE"
ThemeName = Literal["minegap", "light", "safe", "ansi"]
THEME_NAMES: Final = frozenset(get_args(ThemeName))


class ImagesSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[images]``: how pictures are drawn, and how much of the link they may take.

    ``protocol`` is auto (the best that the terminal is found to draw), kitty, sixel, half (half-blocks) or off.
    ``max_kb_per_second`` holds for pictures; without it they take 100 over SSH and 8000 elsewhere.
    """

    protocol: Literal["auto", "kitty", "sixel", "half", "off"] = "auto"
    max_kb_per_second: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None


class LookSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[look]``: colours and characters.

    ``theme`` is auto (dark or light, as the terminal's background is), minegap (dark), light, safe (dark, for any kind
    of colour vision) or ansi (the terminal's own sixteen colours); without it, the one that was chosen last, or auto.
    ``ascii`` draws nothing but ASCII; without it, that is so where the terminal or the locale has no more.
    """

    theme: Literal["auto", ThemeName] | None = None
    ascii: bool | None = None


class UiSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All settings of the terminal.

    ``[keys]`` gives actions other keys: ``live.follow = "f"``, several with commas between.
    """

    images: ImagesSection = ImagesSection()
    look: LookSection = LookSection()
    keys: dict[str, str | dict[str, str]] = {}


def load_settings(environment: Mapping[str, str] = os.environ) -> UiSettings:
    """Read the file and the environment.

    Raises:
        InputError: the file cannot be read, or a key or value is not allowed; names origin, key and remedy.
    """
    path = Path(environment.get(FILE) or user_config_path("minegap") / "ui.toml")
    given = _read(path, wanted=FILE in environment)
    for name, value in environment.items():
        if name.startswith(PREFIX) and name != FILE:
            section, _, key = name.removeprefix(PREFIX).lower().partition("_")
            if section == "keys":
                place, _, action = key.partition("_")
                key = f"{place}.{action.replace('_', '-')}"
            part = given.setdefault(section, {})
            if isinstance(part, dict):
                part[key] = value
    try:
        return msgspec.convert(given, UiSettings, strict=False)  # not strict: the environment has only texts
    except msgspec.ValidationError as error:
        raise InputError(_sentence(str(error), path, environment)) from error


def _read(path: Path, *, wanted: bool) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if wanted:
            raise InputError(f"{FILE} names {str(path)!r}, which does not exist: create it.") from None
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"Settings file {str(path)!r} cannot be read ({error}): correct it.") from error


def _sentence(fault: str, path: Path, environment: Mapping[str, str]) -> str:
    """Return msgspec's words (``Expected `int` >= 1 - at `$.images.max_kb_per_second```) for people."""
    what, _, at = fault.partition(" - at `$")
    place = at.removesuffix("`").strip(".")
    unknown = what.startswith("Object contains unknown field")
    if unknown:
        place = f"{place}.{what.split('`')[1]}".strip(".")
    variable = PREFIX + place.replace(".", "_").upper()
    origin = f"{variable} = {environment[variable]!r}" if variable in environment else f"{place} in {path}"
    if unknown:
        return f"There is no setting {origin}: remove it."
    words = _words(place)
    wanted = f"it is {', '.join(words[:-1])} or {words[-1]}" if words else f"{what[0].lower()}{what[1:]}"
    return f"The setting {origin} is not allowed: {wanted}."


def _words(place: str) -> list[str]:
    """Return what may be written there, where that is one of a few words."""
    hint: Any = UiSettings
    for name in place.split("."):
        if name not in getattr(hint, "__struct_fields__", ()):
            return []
        hint = get_type_hints(hint)[name]
    return [repr(word) for word in get_args(hint) if isinstance(word, str)]
