"""Where a configuration is read: TOML file < environment (``MINEGAP_SECTION_KEY``) < flags, validated once; or JSON.

The JSON is whole, as the store keeps it and messages carry it.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from engine.config import MiningConfig
from engine.config_faults import SettingsFault, sentence_on
from engine.errors import InputError


def load_config(path: Path | None = None, overrides: dict[str, dict[str, Any]] | None = None) -> MiningConfig:
    """Read the layers and validate their sum.

    Args:
        path: a TOML file; None starts from the defaults, which are the demo on the embedded pack.
        overrides: flags as ``{section: {key: value}}``; a value of None means "not given".

    Raises:
        InputError: the file cannot be read, or a key or value is not allowed (``SettingsFault``); names key,
            value and remedy.
    """
    flags = {
        section: {key: value for key, value in given.items() if value is not None}
        for section, given in (overrides or {}).items()
    }
    return _merge(_read_toml(path) if path else {}, flags, str(path) if path else "the configuration")


def parse_config(text: str | bytes, origin: str) -> MiningConfig:
    """Read a whole configuration back from JSON (as the store keeps it); no file or environment is consulted.

    Raises:
        InputError: the JSON is not a valid configuration.
    """
    try:
        return MiningConfig.model_validate_json(text)
    except ValidationError as error:
        raise InputError(sentence_on(error, origin)) from error


def _merge(file: dict[str, Any], flags: dict[str, Any], origin: str) -> MiningConfig:
    class Layers(BaseSettings, MiningConfig):
        model_config = SettingsConfigDict(
            extra="forbid", env_prefix="MINEGAP_", env_nested_delimiter="_", env_nested_max_split=1
        )

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            flag_layer = InitSettingsSource(settings_cls, init_kwargs=flags)
            return flag_layer, env_settings, InitSettingsSource(settings_cls, init_kwargs=file)

    try:
        layered = Layers()
    except ValidationError as error:
        raise SettingsFault(error, origin) from error
    except SettingsError as error:
        raise InputError(
            f"An environment variable MINEGAP_… cannot be read ({error}): write it as JSON."
        ) from error
    # The engine stands in another directory: what the flags and the environment name is found from this one.
    values = layered.model_dump() | {"store": {"path": layered.store.path.absolute()}}
    _anchor_paths(values, Path.cwd())
    return MiningConfig.model_validate(values)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"Configuration {str(path)!r} cannot be read ({error.strerror or error}): check the path."
        ) from error
    try:
        values = tomllib.loads(raw.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(
            f"Configuration {str(path)!r} is not valid TOML ({error}): correct that line."
        ) from error
    _anchor_paths(values, path.resolve().parent)
    return values


_PATH_KEYS = {"models": ("pack", "painter", "scorer", "writer"), "writer": ("prompts",), "store": ("path",)}


def _anchor_paths(values: dict[str, Any], directory: Path) -> None:
    """Make paths that are relative to ``directory`` absolute; a repo id or ``micro`` stays what it is."""
    for section, keys in _PATH_KEYS.items():
        given = values.get(section)
        if not isinstance(given, dict):
            continue
        for key in keys:
            value = given.get(key)
            if isinstance(value, str) and "\0" not in value and value != "micro":
                if value.startswith("~"):
                    given[key] = str(Path(value).expanduser())
                elif section == "store" or (directory / value).exists():
                    given[key] = str(directory / value)
