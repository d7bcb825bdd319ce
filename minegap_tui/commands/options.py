"""Options that several commands share, and how flags become a configuration."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from engine.errors import InputError
from engine.places import default_store
from store.records import Session

if TYPE_CHECKING:
    from engine.config import MiningConfig

_Function = TypeVar("_Function", bound=Callable[..., Any])

store_option = click.option(
    "--store", type=click.Path(path_type=Path), help="Directory of the store (default: the configuration's)."
)
json_option = click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")


def config_options(command: _Function) -> _Function:
    """Add ``--set`` and ``--seed``."""
    command = click.option("--seed", type=int, help="Master seed of every draw.")(command)
    return click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="SECTION.KEY=VALUE",
        help="Set one key, e.g. search.images=8.",
    )(command)


def configured(
    path: Path | None,
    settings: tuple[str, ...] = (),
    *,
    seed: int | None = None,
    generations: int | None = None,
    store: Path | None = None,
    more: tuple[tuple[str, str, Any], ...] = (),
) -> MiningConfig:
    """Return the configuration: file < environment < ``--set`` < named flags < ``more``.

    Args:
        more: section, key and value of what the command itself decides.

    Raises:
        InputError: a setting is not SECTION.KEY=VALUE, or the sum is not valid.
    """
    from engine.config_sources import load_config  # here: commands that only look start without it

    named: tuple[tuple[str, str, Any], ...] = (
        ("session", "seed", seed),
        ("search", "generations", generations),
        ("store", "path", str(store.absolute()) if store is not None else None),
        *more,
    )
    return load_config(path, flags(settings, named))


def flags(settings: tuple[str, ...], named: tuple[tuple[str, str, Any], ...]) -> dict[str, dict[str, Any]]:
    """Return flags as ``{section: {key: value}}``: ``--set`` and, stronger, those with a name of their own.

    Args:
        named: section, key and value of each; None = not given.

    Raises:
        InputError: a setting is not SECTION.KEY=VALUE.
    """
    found: dict[str, dict[str, Any]] = {}
    for section, key, value in (*map(_split, settings), *named):
        if value is not None:
            found.setdefault(section, {})[key] = value
    return found


def store_directory(store: Path | None) -> Path:
    """Return the directory of the store: the flag's, the environment's or the default."""
    if store is not None:
        return store
    return Path(named) if (named := os.environ.get("MINEGAP_STORE_PATH")) else default_store()


def find_session(sessions: list[Session], given: str, store: Path) -> Session:
    """Return the session whose id is ``given`` or begins with it; ``last`` is the newest.

    Raises:
        InputError: none or several match.
    """
    if given == "last" and sessions:
        return max(sessions, key=lambda session: session.id)
    matching = [session for session in sessions if session.id.startswith(given.upper())] if given else []
    exact = [session for session in matching if session.id == given.upper()]
    if len(exact or matching) == 1:
        return (exact or matching)[0]
    if matching:
        raise InputError(
            f"Session {given!r} is ambiguous ({len(matching)} begin with it): write more of its id."
        )
    raise InputError(
        f"Session {given!r} is not in the store {str(store)!r}: see 'minegap ls' for those that are."
    )


def _split(setting: str) -> tuple[str, str, Any]:
    name, equals, value = setting.partition("=")
    section, dot, key = name.strip().partition(".")
    if not (equals and dot and section and key) or "." in key:
        raise InputError(
            f"Setting {setting[:80]!r} is not SECTION.KEY=VALUE: write for example search.images=8."
        )
    return section, key, written_value(value.strip())


def written_value(written: str) -> Any:
    """Return a TOML value; what is none (``cuda:0``, ``a theme``) is a string."""
    try:
        parsed = tomllib.loads(f"value = {written}")
    except (tomllib.TOMLDecodeError, RecursionError):
        return written
    return parsed["value"] if parsed.keys() == {"value"} else written
