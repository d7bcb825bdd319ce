"""The settings that can be changed while it mines, as a form: written by people, read as the engine takes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from engine.commands import Knob


@dataclass(frozen=True)
class Field:
    """One setting of the generations to come."""

    name: str
    kind: Literal["whole number", "number", "text"]
    meaning: str


FIELDS: tuple[Field, ...] = (
    Field("population", "whole number", "b: prompts in a generation"),
    Field("survivors", "whole number", "s: prompts that are mutated"),
    Field("mutations", "whole number", "m: children of each survivor"),
    Field("images", "whole number", "N: images for each prompt"),
    Field("variations", "whole number", "T: variations for each prompt"),
    Field("alpha", "number", "weight of the missed concepts"),
    Field("generations", "whole number", "after this one mining ends"),
    Field("axis", "text", "of mutations; may be empty"),
    Field("theme", "text", "of random prompts; may be empty"),
    Field("prompts", "text", "folder of meta-prompts, or empty"),
)


def written(value: Knob) -> str:
    """Return a setting as it stands in the form."""
    return "" if value is None else str(value)


def read(form: Mapping[str, str], present: Mapping[str, Knob]) -> tuple[dict[str, Knob], list[str]]:
    """Return the settings that were changed, and a sentence for each that cannot be read.

    Args:
        form: what stands in the fields, by name.
        present: the settings in force.
    """
    changed: dict[str, Knob] = {}
    faults: list[str] = []
    for field in FIELDS:
        text = form.get(field.name)
        if text is None or text == written(present.get(field.name)):
            continue
        try:
            changed[field.name] = _value(field, text)
        except ValueError:
            faults.append(f"{field.name} = {text!r} is no {field.kind}: correct it.")
    return changed, faults


def _value(field: Field, text: str) -> Knob:
    if field.kind == "whole number":
        return int(text)
    if field.kind == "number":
        return float(text)
    return text or None if field.name == "prompts" else text
