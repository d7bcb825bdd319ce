"""What the commands that validate share: a document whose sections they write, each its own, and how they end."""

from __future__ import annotations

import functools
import os
import platform
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from engine.errors import InputError, MineGapError

DOCUMENT: Final = Path("docs/validity.md")
_HEAD = "# Validity: what the scores were tested on\n"
Main = Callable[[Sequence[str] | None], int]


def says_faults(main: Main) -> Callable[..., int]:
    """Let a command end with its fault's sentence and exit code instead of a traceback."""

    @functools.wraps(main)
    def guarded(arguments: Sequence[str] | None = None) -> int:
        try:
            return main(arguments)
        except MineGapError as error:
            narrate(str(error))
            return error.exit_code

    return guarded


def narrate(line: str) -> None:
    """Tell how far a command is, beside what it prints."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def publish(section: str, text: str, *, write: bool) -> None:
    """Print a section, and put it into docs/validity.md where that is wanted.

    Raises:
        InputError: the document cannot be read or written.
    """
    sys.stdout.write(text)
    if write:
        replace_section(DOCUMENT, section, text)


def machine() -> str:
    """When and on what something is measured: what every section says."""
    return f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} CPU cores ({platform.machine()})"


def replace_section(document: Path, name: str, text: str) -> None:
    """Put ``text`` between the section's marks; a missing section is appended, a missing document begun.

    Raises:
        InputError: the document cannot be read or written, or its marks are damaged.
    """
    begin, end = f"<!-- {name}: begin (written by a command) -->\n", f"<!-- {name}: end -->\n"
    try:
        old = document.read_text(encoding="utf-8") if document.exists() else _HEAD
        if begin in old:
            before, _, rest = old.partition(begin)
            _, found, after = rest.partition(end)
            if not found:
                raise InputError(
                    f"{document} has no line {end.strip()!r}: restore it, or delete the section."
                )
            new = before + begin + text + end + after
        else:
            new = f"{old.rstrip()}\n\n{begin}{text}{end}"
        document.parent.mkdir(parents=True, exist_ok=True)
        document.write_text(new, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{document} cannot be written ({error.strerror}): run this in the repository."
        ) from error
