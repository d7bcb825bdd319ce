"""Meta-prompts: the instructions the LLM is given, as files that a user can read and override.

A file is plain text. Lines that start with ``#`` are comments. ``{prompt}``, ``{axis}``, ``{theme}`` and
``{avoid}`` are filled in; a stretch in double square brackets is left out where one of its placeholders is
empty. Text is filled in once and never read again, so a prompt that contains ``{axis}`` or ``[[`` stays text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

from engine.errors import InputError

PLACEHOLDERS: Final = ("prompt", "axis", "theme", "avoid")
REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "variations": ("prompt", "axis"),
    "mutations": ("prompt", "axis", "theme"),
    "random": ("axis", "theme"),
}
"""Placeholders a file must have, by kind: without them the search's request would be silently ignored."""

MAX_BYTES: Final = 32 * 1024
_OPTIONAL = re.compile(r"\[\[(.*?)\]\]", re.DOTALL)
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class MetaPrompt:
    """One template, checked.

    ``pieces`` alternates stretches that always stay with those that may be left out.
    """

    kind: str
    text: str
    pieces: tuple[str, ...]

    @staticmethod
    def parse(kind: str, source: str, origin: str) -> MetaPrompt:
        """Read and check one template.

        Args:
            kind: ``variations``, ``mutations`` or ``random``.
            source: the file's text.
            origin: what to call the file in an error.

        Raises:
            InputError: it is empty, a required placeholder is missing or one is not known.
        """
        text = "\n".join(line for line in source.splitlines() if not line.startswith("#")).strip()
        names = _PLACEHOLDER.findall(text)
        if not text:
            raise InputError(f"The meta-prompt {origin} is empty; write an instruction or remove the file.")
        for name in names:
            if name not in PLACEHOLDERS:
                raise InputError(
                    f"The meta-prompt {origin} has the unknown placeholder {{{name}}}; "
                    "only {prompt}, {axis}, {theme} and {avoid} are filled in."
                )
        for name in REQUIRED[kind]:
            if name not in names:
                raise InputError(f"The meta-prompt {origin} lacks the placeholder {{{name}}}; add it.")
        pieces = tuple(_OPTIONAL.split(text))
        if any(not _PLACEHOLDER.search(optional) for optional in pieces[1::2]):
            raise InputError(
                f"The meta-prompt {origin} has a stretch in [[ ]] without a placeholder; "
                "put one in, or take the brackets away."
            )
        return MetaPrompt(kind, text, pieces)

    def fill(self, *, prompt: str = "", axis: str = "", theme: str = "", avoid: str = "") -> str:
        """Put the values in; stretches in ``[[ ]]`` that hold an empty value are left out."""
        values = {"prompt": prompt, "axis": axis, "theme": theme, "avoid": avoid}

        def stays(number: int, piece: str) -> bool:
            return number % 2 == 0 or all(values[name] for name in _PLACEHOLDER.findall(piece))

        kept = "".join(piece for number, piece in enumerate(self.pieces) if stays(number, piece))
        return _PLACEHOLDER.sub(lambda match: values[match.group(1)], kept).strip()


def load_metaprompts(directory: Path | None) -> dict[str, MetaPrompt]:
    """Read the three templates; a file missing from ``directory`` falls back to the default.

    Raises:
        InputError: the directory or a file cannot be read, or a template is not usable.
    """
    if directory is not None and not directory.is_dir():
        raise InputError(
            f"There is no directory of meta-prompts at {directory}; check the path, or leave it out."
        )
    return {kind: MetaPrompt.parse(kind, *_source(kind, directory)) for kind in REQUIRED}


def _source(kind: str, directory: Path | None) -> tuple[str, str]:
    path = directory / f"{kind}.txt" if directory is not None else None
    if path is None or not path.exists():
        default = resources.files("engine").joinpath("prompts").joinpath(f"{kind}.txt")
        return default.read_text(encoding="utf-8"), f"prompts/{kind}.txt"
    if not path.is_file():  # a pipe would keep whoever reads it waiting for ever
        raise InputError(f"The meta-prompt {path} cannot be read (it is not a file); write one or remove it.")
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise InputError(f"The meta-prompt {path} is longer than {MAX_BYTES} bytes; shorten it.")
        return raw.decode("utf-8"), str(path)
    except OSError as error:
        raise InputError(f"The meta-prompt {path} cannot be read ({error.strerror}); check it.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"The meta-prompt {path} is not UTF-8 text; save it as UTF-8.") from error
