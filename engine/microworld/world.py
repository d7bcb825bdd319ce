"""The grammar of the micro world: what a prompt can say, and what it leaves open.

A prompt names one of 32 subjects (or only its group: a person, an animal, an object) and states any of its
attributes. What it does not state is *open*; what the embedded painter then shows is planted by a table of
skews (``skews.py``). Nothing here draws or needs a model, so the truth about a prompt costs microseconds.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True)
class Attribute:
    """One thing a prompt may state. ``phrases`` maps each value to its words, in the order of the values."""

    name: str
    phrases: Mapping[str, str]
    people_only: bool = False

    @property
    def values(self) -> tuple[str, ...]:
        """The values, in the order every table and probability vector uses."""
        return tuple(self.phrases)


def _same(*values: str) -> Mapping[str, str]:
    return MappingProxyType({value: value for value in values})


ATTRIBUTES: Final[Mapping[str, Attribute]] = MappingProxyType(
    {
        a.name: a
        for a in (
            Attribute("size", _same("small", "large", "huge")),
            Attribute("gender", _same("female", "male"), people_only=True),
            Attribute(
                "skin",
                MappingProxyType(
                    {"light": "with light skin", "tan": "with tan skin", "dark": "with dark skin"}
                ),
                people_only=True,
            ),
            Attribute("colour", _same("red", "yellow", "green", "blue", "purple", "white")),
            Attribute(
                "place",
                MappingProxyType(
                    {
                        "beach": "on a beach",
                        "forest": "in a forest",
                        "city": "in a city",
                        "desert": "in a desert",
                        "mountains": "in the mountains",
                        "meadow": "in a meadow",
                    }
                ),
            ),
            Attribute(
                "time", MappingProxyType({"day": "by day", "sunset": "at sunset", "night": "at night"})
            ),
            Attribute(
                "weather",
                MappingProxyType(
                    {
                        "clear": "under a clear sky",
                        "rain": "in the rain",
                        "snow": "in the snow",
                        "fog": "in the fog",
                    }
                ),
            ),
        )
    }
)

GROUPS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "person": (
            "doctor", "chef", "firefighter", "farmer", "astronaut", "builder",
            "artist", "teacher", "musician", "judge", "waiter", "clown",
        ),
        "animal": (
            "cat", "rabbit", "elephant", "giraffe", "snake", "turtle", "butterfly", "fish", "duck", "octopus",
        ),
        "object": (
            "car", "house", "boat", "umbrella", "chair", "mug", "balloon", "clock", "rocket", "key",
        ),
    }
)  # fmt: skip
SUBJECTS: Final[tuple[str, ...]] = tuple(itertools.chain(*GROUPS.values()))
GROUP_OF: Final[Mapping[str, str]] = MappingProxyType(
    {subject: group for group, members in GROUPS.items() for subject in members}
    | {group: group for group in GROUPS}
)
ATTRIBUTE_OF: Final[Mapping[str, str]] = MappingProxyType(
    {value: attribute.name for attribute in ATTRIBUTES.values() for value in attribute.values}
)


@cache
def attributes_of(subject: str) -> tuple[str, ...]:
    """Names of the attributes that ``subject`` (or group) has, in canonical order."""
    person = GROUP_OF[subject] == "person"
    return tuple(a.name for a in ATTRIBUTES.values() if person or not a.people_only)


@dataclass(frozen=True)
class Meaning:
    """What a prompt says: its subject (or group word) and the attribute values it states, in canonical order."""

    subject: str
    stated: tuple[tuple[str, str], ...] = ()

    @staticmethod
    def of(subject: str, stated: Mapping[str, str]) -> Meaning:
        """Build a meaning; attributes the subject does not have are left out."""
        return Meaning(subject, tuple((n, stated[n]) for n in attributes_of(subject) if n in stated))

    @property
    def values(self) -> dict[str, str]:
        """The stated values by attribute."""
        return dict(self.stated)

    @property
    def open(self) -> tuple[str, ...]:
        """Attributes left open, in canonical order; ``"subject"`` first where only a group is named."""
        stated = self.values
        rest = tuple(n for n in attributes_of(self.subject) if n not in stated)
        return ("subject", *rest) if self.subject in GROUPS else rest

    def keeps(self, other: Meaning) -> bool:
        """Whether this meaning says everything that ``other`` says (and perhaps more)."""
        same = self.subject == other.subject or GROUP_OF[self.subject] == other.subject
        mine = self.values
        return same and all(mine.get(n) == v for n, v in other.stated)

    def text(self) -> str:
        """The meaning as a prompt in the canonical word order."""
        values = self.values

        def said(name: str) -> str:
            return ATTRIBUTES[name].phrases[values[name]] if name in values else ""

        if GROUP_OF[self.subject] == "person":
            colour = f"in {values['colour']}" if "colour" in values else ""
            words = [said("size"), said("gender"), self.subject, said("skin"), colour]
        else:
            words = [said("size"), said("colour"), self.subject]
        words += [said("place"), said("time"), said("weather")]
        phrase = " ".join(word for word in words if word)
        return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"


_SUBJECT = re.compile(r"\b(" + "|".join((*SUBJECTS, *GROUPS)) + r")\b")
_VALUES: Final = tuple(
    (
        attribute.name,
        re.compile(r"\b(" + "|".join(re.escape(phrase) for phrase in attribute.phrases.values()) + r")\b"),
        {phrase: value for value, phrase in attribute.phrases.items()},
    )
    for attribute in ATTRIBUTES.values()
)


def parse(text: str) -> Meaning | None:
    """Read a prompt, in any word order; words outside the grammar are passed over.

    Returns:
        What it says, or None where no subject is named, two subjects are, or an attribute is stated twice
        with different values.
    """
    lowered = text.lower()
    subjects = set(_SUBJECT.findall(lowered))
    if len(subjects) != 1:
        return None
    stated: dict[str, str] = {}
    for name, pattern, value_of in _VALUES:
        found = {value_of[phrase] for phrase in pattern.findall(lowered)}
        if len(found) > 1:
            return None
        if found:
            stated[name] = found.pop()
    return Meaning.of(subjects.pop(), stated)


def all_meanings(subject: str, max_stated: int) -> Iterator[Meaning]:
    """Every meaning of ``subject`` that states at most ``max_stated`` attributes."""
    for count in range(max_stated + 1):
        for names in itertools.combinations(attributes_of(subject), count):
            for values in itertools.product(*(ATTRIBUTES[n].values for n in names)):
                yield Meaning(subject, tuple(zip(names, values, strict=True)))
