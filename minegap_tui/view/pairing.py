"""The compare screen's table: the shared prompts, or those of one side only, in an order. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from minegap_tui.view.compare import COLUMNS, Column, Comparison, Pair, arranged, score_of
from store.comparing import Measured

Part = Literal["shared", "a", "b"]
PARTS: tuple[Part, ...] = ("shared", "a", "b")
TITLES: dict[Part, str] = {"shared": "Shared prompts", "a": "Only in A", "b": "Only in B"}
NAMES: dict[Column, str] = {"difference": "A−B", "a": "A", "b": "B", "prompt": "prompt"}


@dataclass(frozen=True, slots=True)
class Line:
    """One prompt; a side that did not measure it has no measurement and no score."""

    prompt: str
    a: Measured | None
    b: Measured | None
    score_a: float | None
    score_b: float | None
    pair: Pair | None = None

    @property
    def difference(self) -> float | None:
        """Below zero where A is more biased."""
        return self.pair.difference if self.pair is not None else None

    @property
    def mark(self) -> str:
        """``=`` one measurement on both sides, ``≈`` texts that differ in case, spaces or punctuation."""
        if self.pair is None:
            return " "
        return "=" if self.pair.same else "≈" if self.pair.reworded else " "

    @property
    def confirmed(self) -> bool:
        """Whether confirmed scores are compared."""
        return self.pair is not None and self.pair.confirmed


@dataclass(frozen=True)
class Arrangement:
    """Which prompts are listed, and in which order."""

    part: Part = "shared"
    column: Column = "difference"
    descending: bool = False

    def columns(self) -> tuple[Column, ...]:
        """Return the columns that this part can be ordered by."""
        return COLUMNS if self.part == "shared" else (self.part, "prompt")

    def order(self) -> Column:
        """Return the column that it is ordered by."""
        return self.column if self.column in self.columns() else self.columns()[0]

    def next_part(self, by: int = 1) -> Arrangement:
        """Return the same with the next prompts."""
        return Arrangement(PARTS[(PARTS.index(self.part) + by) % len(PARTS)], self.column, self.descending)

    def next_column(self) -> Arrangement:
        """Return the same by the next column, in its natural direction."""
        columns = self.columns()
        return Arrangement(self.part, columns[(columns.index(self.order()) + 1) % len(columns)])

    def turned(self) -> Arrangement:
        """Return the same the other way round."""
        return Arrangement(self.part, self.column, not self.descending)

    def said(self) -> str:
        """Return the order in a few words."""
        return f"by {NAMES[self.order()]} {'↓' if self.descending else '↑'}"


def lines(found: Comparison, how: Arrangement) -> list[Line]:
    """Return the table."""
    if how.part == "shared":
        return [
            Line(pair.a.prompt, pair.a, pair.b, pair.score_a, pair.score_b, pair)
            for pair in arranged(found.pairs, how.order(), descending=how.descending)
        ]
    alone = list(found.only_a if how.part == "a" else found.only_b)
    if how.order() == "prompt":
        alone.sort(key=lambda one: (one.prompt, one.candidate_id))
    if how.descending:
        alone.reverse()
    return [_alone(one, how.part, found.metric) for one in alone]


def counts(found: Comparison) -> Sequence[tuple[Part, int]]:
    """Return how many prompts each part has."""
    return (("shared", len(found.pairs)), ("a", len(found.only_a)), ("b", len(found.only_b)))


def _alone(one: Measured, part: Part, metric: str) -> Line:
    score = score_of(one, metric) if metric else score_of(one, one.score_name)
    if part == "a":
        return Line(one.prompt, one, None, score, None)
    return Line(one.prompt, None, one, None, score)
