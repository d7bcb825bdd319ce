"""The filter language of the history: ``score<.2 gen:12.. origin:human "exact phrase" word -word``.

Conditions stand beside each other and all of them hold. A text either parses, or is refused in one sentence
that names the place (from 1) and the remedy.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, NoReturn, get_args

from engine.errors import InputError
from store.search import Condition, InSession, OfModel, OneOf, Within, Words
from store.vocabulary import CandidateState, Origin

MOST_CHARACTERS = 2000
MOST_CONDITIONS = 32
SUMMARY = (
    'A filter: words that the prompt holds (nurs* for a beginning, "in a garden" for an exact phrase), score<.2, '
    "gen:3, gen:12.., origin:human,mutation, state:failed, session:01M…, model:sd-turbo; - before any of them excludes "
    "it."
)

_FIELD = re.compile(r"([A-Za-z]+)(:|<=|>=|<|>|=)")
_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)"
_BOUND = re.compile(_NUMBER)
_RANGE = re.compile(rf"({_NUMBER}?)\.\.({_NUMBER})?|({_NUMBER})\.\.")
_LARGEST = 1e9
_ORIGINS: tuple[str, ...] = get_args(Origin)
_STATES: tuple[str, ...] = get_args(CandidateState)
_FIELDS = "score, gen, origin, state, session or model"


class FilterError(InputError):
    """A text that is no filter; the message is one sentence that names place and remedy."""


@dataclass(frozen=True)
class Filter:
    """What is asked for; without conditions, every candidate."""

    conditions: tuple[Condition, ...] = ()

    def __str__(self) -> str:
        """Return the filter as it is written; it parses to an equal one."""
        return " ".join(_written(condition) for condition in self.conditions)


def parse(text: str) -> Filter:
    """Return the filter that ``text`` says.

    Raises:
        FilterError: it says none.
    """
    if len(text) > MOST_CHARACTERS:
        raise FilterError(
            f"The filter has {len(text)} characters and at most {MOST_CHARACTERS} are read: shorten it."
        )
    found: list[Condition] = []
    place = 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        if len(found) == MOST_CONDITIONS:
            _refuse(place, f"more than {MOST_CONDITIONS} conditions are not looked up at once", "shorten it")
        condition, place = _condition(text, place)
        found.append(condition)
    return Filter(tuple(found))


def _condition(text: str, place: int) -> tuple[Condition, int]:
    """Read the condition that begins at ``place``; return it and the place after it."""
    negated = text[place] == "-"
    begin = place + negated
    if begin == len(text) or text[begin].isspace():
        _refuse(place, "“-” excludes nothing", "write a word or a condition right after it")
    if text[begin] == '"':
        phrase, end = _quoted(text, begin)
        return _words(phrase, begin, beginning=False, negated=negated), end
    end = begin
    while end < len(text) and not text[end].isspace():
        end += 1
    token = text[begin:end]
    named = _FIELD.match(token)
    if named is not None:
        return _field(named[1], named[2], token[named.end() :], begin, negated), end
    if '"' in token:
        _refuse(begin + token.index('"'), "a quote stands inside a word", "put a space before it")
    beginning = token.endswith("*")
    return _words(token.removesuffix("*"), begin, beginning=beginning, negated=negated), end


def _quoted(text: str, begin: int) -> tuple[str, int]:
    """Read a phrase in quotes; two quotes in a row stand for one."""
    place = begin + 1
    while True:
        place = text.find('"', place)
        if place < 0:
            _refuse(begin, "this quote is never closed", 'add a " after the phrase')
        if text[place + 1 : place + 2] == '"':
            place += 2
            continue
        if text[place + 1 : place + 2].strip():
            _refuse(place + 1, "the phrase ended before this", "put a space after its quote")
        return text[begin + 1 : place].replace('""', '"'), place + 1


def _words(text: str, place: int, *, beginning: bool, negated: bool) -> Words:
    if not any(_is_searched(character) for character in text):
        _refuse(place, f"{_short(text)} has no letter and no digit", "write a word, only words are searched")
    return Words(text, beginning, negated)


def _field(name: str, sign: str, value: str, place: int, negated: bool) -> Condition:
    field = {"generation": "gen", "generations": "gen"}.get(name.lower(), name.lower())
    at = place + len(name) + len(sign)
    if field in {"score", "gen"}:
        return _within("score" if field == "score" else "gen", sign, value, at, negated)
    if field not in {"origin", "state", "session", "model"}:
        _refuse(
            place,
            f"{_short(name)} is no field",
            f"use {_FIELDS}, or put the text into quotes to search for it",
        )
    if sign not in ":=":
        _refuse(at - len(sign), f"{field} is no number", f"write {field}: and its value")
    if field == "model":
        if not value:
            _refuse(at, "the model is not named", "write a part of its name, as in model:sd-turbo")
        return OfModel(value, negated)
    if field == "session":
        if not (value.isascii() and value.isalnum()):
            _refuse(
                at,
                f"{_short(value)} begins no session's id",
                "write letters and digits of it, as in session:01M",
            )
        return InSession(value.upper(), negated)
    known = _ORIGINS if field == "origin" else _STATES
    values = tuple(dict.fromkeys(value.lower().split(",")))
    for one in values:
        if one not in known:
            _refuse(at, f"{_short(one)} is no {field}", f"use {', '.join(known[:-1])} or {known[-1]}")
    return OneOf("origin" if field == "origin" else "state", values, negated)


def _within(field: Literal["score", "gen"], sign: str, value: str, place: int, negated: bool) -> Within:
    example = "score<.2 or score:0.1..0.3" if field == "score" else "gen:3 or gen:12.."
    if sign in ":=" and (found := _RANGE.fullmatch(value)) is not None:
        first, last = found[1] or found[3], found[2]
        low, high = (_number(field, text, place) if text else None for text in (first, last))
        if low is None and high is None:
            _refuse(place, "the range has no bound", f"write for example {example}")
        if low is not None and high is not None and low > high:
            _refuse(place, "the range is empty", "write the smaller number first")
        return Within(field, low, high, negated=negated)
    if _BOUND.fullmatch(value) is None:
        _refuse(place, f"{_short(value)} is no number", f"write for example {example}")
    number = _number(field, value, place)
    if sign[0] == "<":
        return Within(field, high=number, below=sign == "<", negated=negated)
    if sign[0] == ">":
        return Within(field, low=number, above=sign == ">", negated=negated)
    if field == "score":
        _refuse(place, "hardly two scores are equal", f"write a bound or a range, as in {example}")
    return Within(field, number, number, negated=negated)


def _number(field: str, text: str, place: int) -> float:
    number = float(text)
    if abs(number) > _LARGEST:
        _refuse(place, "the number is too large", f"write one up to {_LARGEST:.0f}")
    if field == "gen" and number != int(number):
        _refuse(place, f"{_short(text)} is no generation", "write a whole number")
    return number


def _refuse(place: int, fault: str, remedy: str) -> NoReturn:
    raise FilterError(f"Place {place + 1} of the filter: {fault}; {remedy}.")


def _short(text: str) -> str:
    return f"“{text[:30]}…”" if len(text) > 30 else f"“{text}”"


def _is_searched(character: str) -> bool:
    """Whether the search index sees it (FTS5's ``unicode61``)."""
    category = unicodedata.category(character)
    return category[0] in "LN" or category == "Co"


def _written(condition: Condition) -> str:
    minus = "-" if condition.negated else ""
    match condition:
        case Words():
            return minus + _written_words(condition)
        case OneOf():
            return f"{minus}{condition.field}:{','.join(condition.values)}"
        case InSession():
            return f"{minus}session:{condition.beginning}"
        case OfModel():
            return f"{minus}model:{condition.text}"
        case Within():
            low, high, field = condition.low, condition.high, condition.field
            if low is not None and high is not None:
                same = field == "gen" and low == high
                return f"{minus}{field}:{_exact(low)}" + ("" if same else f"..{_exact(high)}")
            if low is not None:
                return f"{minus}{field}{'>' if condition.above else '>='}{_exact(low)}"
            assert high is not None, "the parser makes no range without a bound"
            return f"{minus}{field}{'<' if condition.below else '<='}{_exact(high)}"


def _written_words(words: Words) -> str:
    text = words.text
    if words.beginning:
        return f"{text}*"
    plain = not (
        any(character.isspace() or character == '"' for character in text)
        or text.startswith("-")
        or text.endswith("*")
        or _FIELD.match(text)
    )
    return text if plain else '"' + text.replace('"', '""') + '"'


def _exact(number: float) -> str:
    """Return the shortest decimal that reads back as the same number, without an exponent."""
    return str(int(number)) if number == int(number) else format(Decimal(repr(number)), "f")
