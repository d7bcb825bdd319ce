"""What the filter that is being typed may go on as: its fields, their values, and words that prompts hold. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import get_args

from store.vocabulary import CandidateState, Origin

FIELDS = ("score<", "gen:", "origin:", "state:", "session:", "model:")
SHORTEST_WORD = 2
"""Characters from which on words are looked up: one letter begins too many."""
MOST_OFFERED = 8
_FIELD = re.compile(r"(origin|state|session|model):(.*)", re.IGNORECASE | re.DOTALL)
_VALUES: dict[str, tuple[str, ...]] = {"origin": get_args(Origin), "state": get_args(CandidateState)}


@dataclass(frozen=True)
class Stem:
    """What is being typed: the beginning of a field, of a value or of a word.

    Attributes:
        begin: its place in the filter.
        text: as far as it is typed.
        field: whose value it is; empty for a field or a word.
        whole: place of the condition that it belongs to.
    """

    begin: int
    text: str
    field: str = ""
    whole: int = 0

    @property
    def word(self) -> str:
        """The beginning of a word to look up in the prompts; empty where none is wanted."""
        wanted = not self.field and len(self.text) >= SHORTEST_WORD and self.text.isalnum()
        return self.text if wanted else ""


@dataclass(frozen=True)
class Known:
    """Ids of sessions, the newest first, and names of models."""

    sessions: Sequence[str] = ()
    models: Sequence[str] = ()


def stem(text: str, cursor: int) -> Stem | None:
    """Return what is being typed before the cursor; None inside a phrase, or where nothing is begun."""
    before = text[:cursor]
    if before.count('"') % 2 or text[cursor : cursor + 1].strip():
        return None
    begin = max((place + 1 for place, one in enumerate(before) if one.isspace()), default=0)
    begin += before.startswith("-", begin)
    typed = before[begin:]
    if not typed or '"' in typed:
        return None
    found = _FIELD.fullmatch(typed)
    if found is None:
        return Stem(begin, typed, whole=begin)
    value = found[2].rsplit(",", 1)[-1] if found[1].lower() in _VALUES else found[2]
    return Stem(cursor - len(value), value, found[1].lower(), begin)


def offers(typed: Stem, known: Known, words: Iterable[str] = ()) -> tuple[str, ...]:
    """Return what may stand in the stem's place, the most likely first; never what is there already."""
    pool: Iterable[str]
    match typed.field:
        case "":
            pool = (*(field for field in FIELDS), *words)
        case "session":
            pool = known.sessions
        case "model":
            pool = known.models
        case field:
            pool = _VALUES[field]
    begun = typed.text.casefold()
    found = (one for one in dict.fromkeys(pool) if one.casefold().startswith(begun) and one != typed.text)
    return tuple(found)[:MOST_OFFERED]
