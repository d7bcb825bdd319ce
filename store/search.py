"""Candidates of all sessions by what they are like: one question with parameters, answered page by page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from store.queries import CANDIDATES, SCORED, Queries, known_text
from store.records import Candidate

Order: TypeAlias = Literal["biased", "newest"]
"""``biased``: lowest search score first, candidates without one last. ``newest``: the latest made first."""


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


Condition: TypeAlias = Words | Within | OneOf | InSession


@dataclass(frozen=True)
class Find:
    """A candidate that was found, by what it takes to go on after it: its id and its search score."""

    id: int
    score: float | None


@dataclass(frozen=True)
class Weight:
    """What a session has drawn. Images that it shares with a fork or its source count in both.

    Attributes:
        images: how many different ones.
        bytes: size of their files.
    """

    images: int
    bytes: int


_COLUMNS = {
    "score": "s.value",
    "gen": "c.generation",
    "origin": "c.origin",
    "state": "c.state",
}
_ORDERS: dict[Order, str] = {
    "biased": " ORDER BY s.value IS NULL, s.value, c.id",
    "newest": " ORDER BY c.id DESC",
}
_AFTER: dict[Order, str] = {
    "biased": "(s.value IS NULL, coalesce(s.value, 0), c.id) > (:no_score, :score, :id)",
    "newest": "c.id < :id",
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
        if after is not None:
            tests.append(_AFTER[order])
            named |= {"no_score": after.score is None, "score": after.score or 0, "id": after.id}
        rows = self._rows(
            "SELECT c.id, s.value "
            + SCORED
            + "WHERE "
            + (" AND ".join(tests) or "1")
            + _ORDERS[order]
            + " LIMIT :limit",
            **named,
            limit=limit,
        )
        return tuple(Find(*row) for row in rows)

    def count(self, conditions: Sequence[Condition]) -> int:
        """How many candidates meet all conditions."""
        tests, named = _tests(conditions)
        ((found,),) = self._rows(
            "SELECT count(*) " + SCORED + "WHERE " + (" AND ".join(tests) or "1"), **named
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

    def weight(self, session_id: str) -> Weight:
        """How many images the candidates of a session rest on, and how much room their files take."""
        ((images, size),) = self._rows(
            "SELECT count(*), coalesce(sum(bytes), 0) FROM images WHERE id IN ("
            "SELECT i.image_id FROM candidates c JOIN evaluations e ON e.candidate_id = c.id "
            "JOIN evaluation_images i ON i.evaluation_id = e.id WHERE c.session_id = ?)",
            known_text(session_id),
        )
        return Weight(images, size)


def _tests(conditions: Sequence[Condition]) -> tuple[list[str], dict[str, Any]]:
    """Return SQL tests and their parameters; the SQL holds nothing that came from outside."""
    tests: list[str] = []
    named: dict[str, Any] = {}
    for number, condition in enumerate(conditions):
        name = f"p{number}"
        match condition:
            case Words():
                test = f"c.prompt_id IN (SELECT rowid FROM prompts_fts WHERE prompts_fts MATCH :{name})"
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
                    "c.session_id IN (SELECT id FROM sessions "
                    f"WHERE substr(id, 1, length(:{name})) = :{name})"
                )
                named[name] = known_text(condition.beginning)
        tests.append(f"NOT ({test})" if condition.negated else test)
    return tests, named


def _phrase(words: Words) -> str:
    """Return FTS5's way to write words next to each other; a NUL would end the query in the middle."""
    text = known_text(words.text).replace("\0", " ").replace('"', '""')
    return f'"{text}"' + ("*" if words.beginning else "")
