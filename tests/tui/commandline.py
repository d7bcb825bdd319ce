"""How tests call the command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


class Minegap(Protocol):
    """Runs ``minegap`` with these arguments, on ``store`` where one is given."""

    def __call__(self, *arguments: str | Path, store: Path | None = None) -> Done: ...
