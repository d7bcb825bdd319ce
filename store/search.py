"""Candidates of all sessions by what they are like: one question with parameters, answered page by page."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from store.queries import CANDIDATES, Queries, known_text
from store.records import Candidate

Order: TypeAlias = Literal["biased", "confirmed", "newest"]
"""``biased``: lowest search score first, candidates without one last. ``confirmed``: those that their session's latest
finished confirmation measured, lowest confirmed score first; then the others as ``biased``. ``newest``: the latest made
first."""


@dataclass(frozen=True)
class Words:
    """The prompt holds these words next to each other, whatever their case, accents and punctuation.

    Attributes:
        beginning: the last word may go on (``nurs`` finds nurses).
        negated: on every kind of condition: exactly the other candidates.
    """

    text: str
    beginning: bool = False
    negated: bool = False


@dataclass(frozen=True)
class Within:
    """A number lies between two bounds; None is no bound. A candidate without a score is in no range of scores.

    Attributes:
        above, below: whether the bound itself is outside.
    """

    field: Literal["score", "gen"]
    low: float | None = None
    high: float | None = None
    above: bool = False
    below: bool = False
    negated: bool = False


@dataclass(frozen=True)
class OneOf:
    """The candidate's origin or state is one of these."""

    field: Literal["origin", "state"]
    values: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True)
class InSession:
    """The id of its session begins like this (upper case)."""

    beginning: str
    negated: bool = False


@dataclass(frozen=True)
class OfModel:
    """A model of its session has this in its name, whatever the case, or its fingerprint begins like this.

    A name is what the configuration says, of a path the last part.
    """

    text: str
    negated: bool = False


Condition: TypeAlias = Words | Within | OneOf | InSession | OfModel


@dataclass(frozen=True)
class Find:
    """A candidate that was found, by what it takes to go on after it.

    Attributes:
        score: its search score.
        confirmed: its confirmed score, where that is what is sorted by.
    """

    id: int
    score: float | None
    confirmed: float | None = None


@dataclass(frozen=True)
class _Stretch:
    """A part of an order in which one key sorts, so that the place after a candidate is sought by an index.

    Attributes:
        holds: whether the place after this candidate lies in it; else in a later stretch.
        rows: where they come from and what all of them have in common.
        after: the test for those after a place.
        key: what sorts them.
        confirmed: their confirmed scores.
    """

    holds: Callable[[Find], bool]
    rows: str
    after: str
    key: str
    confirmed: str = "NULL"


_WORDS_LOOKED_AT = 1000
_COLUMNS = {
    "score": "c.score",
    "gen": "c.generation",
    "origin": "c.origin",
    "state": "c.state",
}
_OF_MODEL = """
SELECT s.id FROM sessions s,
    json_each(CASE WHEN json_valid(s.config_json) THEN s.config_json ELSE '{{}}' END, '$.models') m
WHERE m.type = 'text' AND instr(
    lower(replace(rtrim(m.value, '/'), rtrim(rtrim(m.value, '/'), replace(m.value, '/', '')), '')), lower(:{name}))
UNION
SELECT s.id FROM sessions s,
    json_each(CASE WHEN json_valid(s.models_json) THEN s.models_json ELSE '{{}}' END) m
WHERE m.type = 'text' AND substr(m.value, 1, length(:{name})) = :{name}
"""
_CONFIRMED = """
SELECT candidate_id, score FROM confirmed_scores WHERE confirmation_id IN (
    SELECT max(o.id) FROM confirmations o JOIN confirmation_results r ON r.confirmation_id = o.id
    GROUP BY o.session_id)
"""
_OTHERS = f" AND c.id NOT IN (SELECT candidate_id FROM ({_CONFIRMED}))"
_SCORED = _Stretch(
    lambda find: find.confirmed is None and find.score is not None,
    "candidates c WHERE c.score IS NOT NULL",
    "(c.score, c.id) > (:score, :id)",
    "c.score, c.id",
)
_UNSCORED = _Stretch(
    lambda find: find.confirmed is None, "candidates c WHERE c.score IS NULL", "c.id > :id", "c.id"
)
_ORDERS: dict[Order, tuple[_Stretch, ...]] = {
    "biased": (_SCORED, _UNSCORED),
    "confirmed": (
        _Stretch(
            lambda find: find.confirmed is not None,
            f"({_CONFIRMED}) f CROSS JOIN candidates c ON c.id = f.candidate_id WHERE 1",
            "(f.score, c.id) > (:confirmed, :id)",
            "f.score, c.id",
            "f.score",
        ),
        replace(_SCORED, rows=_SCORED.rows + _OTHERS),
        replace(_UNSCORED, rows=_UNSCORED.rows + _OTHERS),
    ),
    "newest": (_Stretch(lambda _: True, "candidates c WHERE 1", "c.id < :id", "c.id DESC"),),
}


class SearchQueries(Queries):
    """The questions behind history and home."""

    def find(
        self,
        conditions: Sequence[Condition],
        order: Order = "biased",
        *,
        after: Find | None = None,
        limit: int = 200,
    ) -> tuple[Find, ...]:
        """Candidates that meet all conditions; those after ``after`` where one is given.

        A page is found by its place in the order, never by counting off the ones before it.
        """
        tests, named = _tests(conditions)
        stretches = _ORDERS[order]
        if after is not None:
            begin = next(number for number, one in enumerate(stretches) if one.holds(after))
            stretches = stretches[begin:]
            named |= {"score": after.score, "confirmed": after.confirmed, "id": after.id}
        found: list[Find] = []
        with self._snapshot():
            for stretch in stretches:
                if len(found) < limit:
                    rows = self._rows(
                        f"SELECT c.id, c.score, {stretch.confirmed} FROM {stretch.rows}"
                        + "".join(f" AND {test}" for test in (*tests, *([stretch.after] if after else [])))
                        + f" ORDER BY {stretch.key} LIMIT :limit",
                        **named,
                        limit=limit - len(found),
                    )
                    found += [Find(*row) for row in rows]
                after = None  # a later stretch is read from its beginning
        return tuple(found)

    def count(self, conditions: Sequence[Condition]) -> int:
        """How many candidates meet all conditions."""
        tests, named = _tests(conditions)
        ((found,),) = self._rows(
            "SELECT count(*) FROM candidates c WHERE " + (" AND ".join(tests) or "1"), **named
        )
        return int(found)

    def found(self, ids: Sequence[int]) -> tuple[Candidate, ...]:
        """The candidates with these ids, in the order of ``ids``; ids that the store does not have are left out."""
        rows = self._rows(
            CANDIDATES + "WHERE c.id IN (SELECT value FROM json_each(?))",
            json.dumps([int(one) for one in ids]),
        )
        candidates = {row[0]: Candidate(*row) for row in rows}
        return tuple(candidates[one] for one in ids if one in candidates)

    def words(self, beginning: str, limit: int = 8) -> tuple[str, ...]:
        """Words of prompts that begin like this, without case and accents, those in most prompts first.

        Of very many, only the first ones of the alphabet are looked at.
        """
        bare = unicodedata.normalize("NFD", known_text(beginning).lower())
        first = "".join(character for character in bare if not unicodedata.combining(character))
        rows = self._rows(
            "SELECT term FROM (SELECT term, doc FROM temp.words WHERE term >= ? AND term < ? LIMIT ?) "
            "ORDER BY doc DESC, term LIMIT ?",
            first,
            first + "\U0010ffff",
            _WORDS_LOOKED_AT,
            limit,
        )
        return tuple(word for (word,) in rows)


def _tests(conditions: Sequence[Condition]) -> tuple[list[str], dict[str, Any]]:
    """Return SQL tests and their parameters; the SQL holds nothing that came from outside.

    A plus keeps SQLite from another index than that of the order: many candidates may have the word or the session.
    """
    tests: list[str] = []
    named: dict[str, Any] = {}
    for number, condition in enumerate(conditions):
        name = f"p{number}"
        match condition:
            case Words():
                test = f"+c.prompt_id IN (SELECT rowid FROM prompts_fts WHERE prompts_fts MATCH :{name})"
                named[name] = _phrase(condition)
            case Within():
                column = _COLUMNS[condition.field]
                bounds = []
                for side, sign, bound, outside in (
                    ("low", ">", condition.low, condition.above),
                    ("high", "<", condition.high, condition.below),
                ):
                    if bound is not None:
                        bounds.append(f"{column} {sign}{'' if outside else '='} :{name}{side}")
                        named[name + side] = bound
                test = f"coalesce({' AND '.join(bounds) or f'{column} IS NOT NULL'}, 0)"
            case OneOf():
                test = f"{_COLUMNS[condition.field]} IN (SELECT value FROM json_each(:{name}))"
                named[name] = json.dumps(condition.values)
            case InSession():
                test = (
                    "+c.session_id IN (SELECT id FROM sessions "
                    f"WHERE substr(id, 1, length(:{name})) = :{name})"
                )
                named[name] = known_text(condition.beginning)
            case OfModel():
                test = "+c.session_id IN (" + _OF_MODEL.format(name=name) + ")"
                named[name] = known_text(condition.text)
        tests.append(f"NOT ({test})" if condition.negated else test)
    return tests, named


def _phrase(words: Words) -> str:
    """Return FTS5's way to write words next to each other; a NUL would end the query in the middle."""
    text = known_text(words.text).replace("\0", " ").replace('"', '""')
    return f'"{text}"' + ("*" if words.beginning else "")
