"""Filters that a user keeps under names: one small JSON file among the user's settings."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import msgspec
from platformdirs import user_config_path

from engine.errors import InputError, MachineError
from minegap_tui.view.filters import FilterError, parse
from store.search import Order

MOST_BYTES = 1 << 20
MOST_NAME = 60
_VERSION = 1


class SavedView(msgspec.Struct, frozen=True):
    """A filter, the order of what it finds, and its name."""

    name: str
    filter: str
    order: Order = "biased"


class _Content(msgspec.Struct):
    version: int = _VERSION
    views: list[SavedView] = []


class ViewsFile:
    """Reads the file at every question, so that two programs see each other's views.

    Args:
        path: default ``views.json`` in MineGap's XDG configuration directory.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or user_config_path("minegap") / "views.json"

    def all(self) -> list[SavedView]:
        """Return the views, by name.

        Raises:
            InputError: the file cannot be read as views; it is left as it is.
        """
        try:
            with self.path.open("rb") as file:
                raw = file.read(MOST_BYTES + 1)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise InputError(f"The saved views {self.path} cannot be read ({error.strerror}).") from error
        try:
            if len(raw) > MOST_BYTES:
                raise ValueError("it is larger than 1 MiB")
            content = msgspec.json.decode(raw, type=_Content)
            if content.version != _VERSION:
                raise ValueError(f"its version is {content.version}")
        except (ValueError, RecursionError) as error:
            raise InputError(
                f"The file of saved views {self.path} is not one that this program reads ({error}): correct it or "
                "move it away."
            ) from error
        return sorted(content.views, key=lambda view: view.name.casefold())

    def find(self, name: str) -> SavedView:
        """Return a view.

        Raises:
            InputError: there is none of this name.
        """
        for view in self.all():
            if view.name == name:
                return view
        raise InputError(f"No view is saved as {name[:80]!r}: 'minegap find --views' lists them.")

    def save(self, view: SavedView) -> None:
        """Keep a view; one of the same name is replaced.

        Raises:
            InputError: it has no usable name or filter, or the file cannot be read.
            MachineError: the file cannot be written.
        """
        if fault := name_fault(view.name):
            raise InputError(fault)
        try:
            parse(view.filter)
            msgspec.json.encode(view)
        except FilterError:
            raise
        except UnicodeEncodeError as error:
            raise InputError("The view holds half a character and cannot be saved: remove it.") from error
        self._write([*(one for one in self.all() if one.name != view.name), view])

    def remove(self, name: str) -> None:
        """Forget a view; one that is not there is no fault.

        Raises:
            InputError: the file cannot be read.
            MachineError: it cannot be written.
        """
        self._write([one for one in self.all() if one.name != name])

    def _write(self, views: list[SavedView]) -> None:
        """Replace the file as a whole, so that no reader and no power cut ever sees half of it."""
        content = msgspec.json.format(msgspec.json.encode(_Content(views=views)), indent=2)
        folder = self.path.parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            number, name = tempfile.mkstemp(prefix=".views-", dir=folder)
            try:
                with os.fdopen(number, "wb") as file:
                    file.write(content + b"\n")
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(name, self.path)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise MachineError(
                f"The saved views {self.path} cannot be written ({error.strerror})."
            ) from error


def name_fault(name: str) -> str:
    """Return why this cannot name a view; empty when it can."""
    if not name.strip():
        return "A view needs a name: write one."
    if len(name) > MOST_NAME:
        return f"The name has {len(name)} characters and at most {MOST_NAME} fit: shorten it."
    return ""
