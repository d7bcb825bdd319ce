"""Sizes of a search that are worth a name: TOML files beside this one, each with a comment that says what it is for.

They are ordinary configurations: ``minegap mine engine/presets/look.toml`` works, too.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.config import MiningConfig

DIRECTORY = Path(__file__).with_name("presets")


@dataclass(frozen=True)
class Preset:
    """One file.

    Attributes:
        summary: its first comment.
        settings: section -> key -> value.
    """

    name: str
    summary: str
    settings: Mapping[str, Mapping[str, Any]]

    @property
    def images(self) -> int:
        """How many images it draws at most."""
        return MiningConfig.model_validate(self.settings).search.planned


def read_presets() -> tuple[Preset, ...]:
    """Return all presets, the smallest search first."""
    found = [_read(path) for path in DIRECTORY.glob("*.toml")]
    return tuple(sorted(found, key=lambda preset: preset.images))


def _read(path: Path) -> Preset:
    text = path.read_text("utf-8")
    return Preset(path.stem, text.partition("\n")[0].lstrip("# "), tomllib.loads(text))
