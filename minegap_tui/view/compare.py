"""Two sides measured the same prompts: pair by pair, and what only one of them has. Pure.

A side is a session, or every session of one painter. Two prompts are the same when ``engine.genetic.normalise`` says
so, as within a session: case, spaces and punctuation do not make another prompt. Where the texts differ all the same,
the pair says so, since a painter reads every character.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from engine.genetic import normalise
from minegap_tui.view.session import TrendPoint, trend_point
from store.comparing import Measured
from store.records import ConfirmedScore, Session

Column = Literal["difference", "a", "b", "prompt"]
COLUMNS: tuple[Column, ...] = ("difference", "a", "b", "prompt")


@dataclass(frozen=True)
class Side:
    """What is compared.

    Attributes:
        name: for people; not safe to print.
        sessions: one, or all of one painter; never empty.
        measured: their candidates, the oldest first.
        confirmed: what their latest confirmations found, by candidate.
    """

    name: str
    sessions: tuple[Session, ...]
    measured: tuple[Measured, ...]
    confirmed: Mapping[int, ConfirmedScore] = field(default_factory=dict)

    @property
    def session(self) -> Session:
        """The latest of its sessions."""
        return max(self.sessions, key=lambda one: one.id)


@dataclass(frozen=True, slots=True)
class Pair:
    """A prompt that both sides measured.

    Attributes:
        score_a, score_b: by the metric that is compared; lower = more biased. Confirmed ones where both sides have
            confirmed the prompt: the search's own are too low where it selected them.
        confirmed: whether they are confirmed.
    """

    a: Measured
    b: Measured
    score_a: float
    score_b: float
    confirmed: bool = False

    @property
    def difference(self) -> float:
        """Below zero where A is more biased."""
        return self.score_a - self.score_b

    @property
    def same(self) -> bool:
        """Whether there was one measurement only, of a fork's shared beginning or of the same draws.

        Their difference is zero whatever the prompt, and tells nothing.
        """
        return self.a.digest == self.b.digest and (not self.confirmed or self.score_a == self.score_b)

    @property
    def reworded(self) -> bool:
        """Whether the two texts differ in case, spaces or punctuation."""
        return self.a.prompt != self.b.prompt


@dataclass(frozen=True)
class Comparison:
    """What two sides have in common, and what not.

    Attributes:
        metric: the score that is compared; empty where the sides have none in common.
        metrics: every score that both sides computed, the one that ranks A first.
        pairs: in the order of the differences, A's most biased first.
        only_a, only_b: prompts that the other side did not measure, most biased first.
    """

    a: Side
    b: Side
    metric: str
    metrics: tuple[str, ...]
    pairs: tuple[Pair, ...]
    only_a: tuple[Measured, ...]
    only_b: tuple[Measured, ...]

    @property
    def differences(self) -> list[float]:
        """Of the pairs that tell something."""
        return [pair.difference for pair in self.pairs if not pair.same]

    @property
    def same(self) -> int:
        """How many pairs are one measurement."""
        return sum(pair.same for pair in self.pairs)

    @property
    def confirmed(self) -> int:
        """How many pairs are compared by confirmed scores."""
        return sum(pair.confirmed for pair in self.pairs)

    @property
    def reworded(self) -> int:
        """How many pairs are not the same to the letter."""
        return sum(pair.reworded for pair in self.pairs)


def compare(a: Side, b: Side, metric: str = "") -> Comparison:
    """Pair two sides; a prompt that a side measured several times stands with its latest measurement.

    Where both sides confirmed a prompt, by the metric that is compared, its confirmed scores are compared.

    Args:
        metric: the score to compare; empty, or one that a side lacks, chooses the one that ranks A, then any.
    """
    latest_a, latest_b = _latest(a.measured), _latest(b.measured)
    metrics = _metrics(a, b)
    if metric not in metrics:
        metric = metrics[0] if metrics else ""
    pairs, confirmed_a, confirmed_b = [], _confirmed(a, metric), _confirmed(b, metric)
    for words, one in latest_a.items():
        other = latest_b.get(words)
        if other is None:
            continue
        score, others = score_of(one, metric), score_of(other, metric)
        if words in confirmed_a and words in confirmed_b:
            pairs.append(Pair(one, other, confirmed_a[words], confirmed_b[words], confirmed=True))
        elif score is not None and others is not None:
            pairs.append(Pair(one, other, score, others))
    shared = {normalise(pair.a.prompt) for pair in pairs}
    return Comparison(
        a,
        b,
        metric,
        metrics,
        arranged(pairs, "difference"),
        _rest(latest_a, shared, metric),
        _rest(latest_b, shared, metric),
    )


def arranged(pairs: Iterable[Pair], column: Column, *, descending: bool = False) -> tuple[Pair, ...]:
    """Return pairs in the order of a column; equal ones in the order of their text, whatever the direction."""
    ordered = sorted(pairs, key=lambda pair: (pair.a.prompt, pair.a.candidate_id))
    if column == "prompt":
        return tuple(reversed(ordered)) if descending else tuple(ordered)
    return tuple(sorted(ordered, key=lambda pair: _value(pair, column), reverse=descending))


def score_of(one: Measured, metric: str) -> float | None:
    """Return a measurement's score; None where it was not computed, or is no number."""
    score = one.scores.get(metric)
    return score if score is not None and math.isfinite(score) else None


def trend(side: Side, metric: str) -> list[TrendPoint]:
    """Return best and median of every generation that has a score; several sessions' generations together."""
    scores: dict[int, list[float]] = {}
    for one in side.measured:
        if (score := score_of(one, metric)) is not None:
            scores.setdefault(one.generation, []).append(score)
    return [trend_point(number, sorted(found)) for number, found in sorted(scores.items())]


def _value(pair: Pair, column: Column) -> float:
    return {"difference": pair.difference, "a": pair.score_a, "b": pair.score_b}.get(column, 0.0)


def _latest(measured: Sequence[Measured]) -> dict[str, Measured]:
    """Prompts by their words: candidates come in the order of their making, so that the last one stays."""
    return {normalise(one.prompt): one for one in measured}


def _confirmed(side: Side, metric: str) -> dict[str, float]:
    """Confirmed scores by words, of those that were confirmed by the metric; the latest session's counts."""
    found = sorted(side.confirmed.values(), key=lambda one: (one.session_id, one.candidate_id))
    return {normalise(one.prompt): one.score for one in found if one.score_name == metric}


def _metrics(a: Side, b: Side) -> tuple[str, ...]:
    """What both computed in at least one measurement; first what ranks A's latest."""
    common = _computed(a.measured) & _computed(b.measured)
    ranking = a.measured[-1].score_name if a.measured else ""
    return tuple(sorted(common, key=lambda name: (name != ranking, name)))


def _computed(measured: Sequence[Measured]) -> set[str]:
    return {name for one in measured for name in one.scores}


def _rest(latest: dict[str, Measured], shared: set[str], metric: str) -> tuple[Measured, ...]:
    def place(one: Measured) -> tuple[bool, float, int]:
        score = score_of(one, metric)
        return score is None, score or 0.0, one.candidate_id

    return tuple(sorted((one for words, one in latest.items() if words not in shared), key=place))
