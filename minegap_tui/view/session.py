"""A session as a screen shows it: fed by the engine's events or by the store, the same either way."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from engine import protocol
from minegap_tui.view.steering import BanList, Hand
from store.records import Candidate, Confirmation, Finding, Session

VITALS_KEPT = 150
"""Five minutes of heartbeats."""
LINES_KEPT = 100
RUNNING_STATES = frozenset({"starting", "queued", "mining", "paused", "stopping"})


@dataclass(frozen=True)
class Row:
    """One line of the leaderboard: a scored candidate."""

    candidate_id: int
    generation: int
    origin: str
    prompt: str
    score: float
    parent_id: int | None = None


@dataclass(frozen=True)
class Marks:
    """What the user's hand did to a candidate."""

    pinned: bool = False
    human: bool = False
    locked: bool = False
    banned: bool = False


@dataclass(frozen=True)
class TrendPoint:
    """One generation's scores so far; lower = more biased. The middle half of them lies from lower to upper."""

    generation: int
    best: float
    median: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Happening:
    """One line of the log.

    Attributes:
        at: the hour.
        kind: the event's name in the protocol.
        what: a sentence, sanitised.
    """

    at: str
    kind: str
    what: str


@dataclass(frozen=True)
class StageProgress:
    """How far one stage of a generation is."""

    stage: str
    generation: int
    done: int
    total: int


@dataclass
class SessionView:
    """Everything the live screen shows of a session but the selected candidate's evidence.

    Attributes:
        state: the engine's last word on its state, ``starting`` until it spoke.
        exit_code: of the fault that paused or failed it, else 0.
        pausing: the pause that was asked for, while it has not come yet.
        workers: the engine's worker processes, as of the last heartbeat.
        vitals: how the machine was at the last heartbeats, oldest first.
        log: what happened last, oldest first.
        hand: what steering is in force.
        confirmed: what fresh draws found, by candidate, in the latest confirmation.
        reliability: of one search score: as that confirmation measured it, else so far, from survivors measured again.
        gone: why there is no engine any more, if it vanished.
        failure: the sentence and exit code of the engine's failure, if it failed.
        revision: rises with every change, so that a screen draws only what is new.
    """

    session_id: str = ""
    name: str = ""
    score_name: str = ""
    state: str = "starting"
    reason: str = ""
    exit_code: int = 0
    pausing: protocol.Pausing | None = None
    generation: int = 0
    generations: int = 0
    population: int = 0
    images: int = 0
    resumed: bool = False
    failed_candidates: int = 0
    images_per_second: float | None = None
    eta_seconds: float | None = None
    notice: str = ""
    workers: tuple[protocol.WorkerVitals, ...] = ()
    vitals: deque[protocol.MachineVitals] = field(default_factory=lambda: deque(maxlen=VITALS_KEPT))
    log: deque[Happening] = field(default_factory=lambda: deque(maxlen=LINES_KEPT))
    gone: str = ""
    failure: protocol.Failed | None = None
    finished: protocol.Finished | None = None
    revision: int = 0
    hand: Hand = field(default_factory=Hand)
    confirmed: Mapping[int, Finding] = field(default_factory=dict)
    reliability: float | None = None
    stages: dict[str, StageProgress] = field(default_factory=dict)
    _order: list[tuple[float, int]] = field(default_factory=list)
    _rows: dict[int, Row] = field(default_factory=dict)
    _scores: dict[int, list[float]] = field(default_factory=dict)
    _failed: set[int] = field(default_factory=set)
    _banned: tuple[tuple[protocol.BanEntry, ...], int, BanList] | None = None

    @property
    def running(self) -> bool:
        """Whether the engine may still add to this session."""
        return self.state in RUNNING_STATES and self.failure is None and not self.gone

    @property
    def scored(self) -> int:
        """How many candidates have a score."""
        return len(self._rows)

    def leaderboard(self, limit: int) -> list[Row]:
        """Return the most biased candidates, lowest score first, older first among equals."""
        return [self._rows[candidate_id] for _, candidate_id in self._order[:limit]]

    def rank(self, candidate_id: int) -> int | None:
        """Return a candidate's place on the leaderboard, from 0; None while it has no score."""
        row = self._rows.get(candidate_id)
        return None if row is None else bisect_left(self._order, (row.score, candidate_id))

    def row(self, candidate_id: int) -> Row | None:
        """Return a scored candidate."""
        return self._rows.get(candidate_id)

    def trend(self) -> list[TrendPoint]:
        """Return best, median and spread of every generation that has a score, the running one included."""
        return [trend_point(number, found) for number, found in sorted(self._scores.items()) if found]

    def marks(self, row: Row) -> Marks:
        """Return what the user's hand did to a candidate."""
        return Marks(
            row.candidate_id in self.hand.pins,
            row.origin == "human",
            row.candidate_id in self.hand.locks,
            (row.candidate_id, row.prompt) in self._ban_list(),
        )

    def prompts(self) -> dict[int, str]:
        """Return the prompts of all scored candidates; not safe to print."""
        return {number: row.prompt for number, row in self._rows.items()}

    def load(self, session: Session, candidates: Iterable[Candidate]) -> None:
        """Take over what the store knows; what the engine said of the session's state stays."""
        self.session_id = session.id
        self.name = session.name
        if self.state == "starting":
            self.state, self.reason = session.state, session.reason
        self.generation = max(self.generation, session.generations)
        for candidate in candidates:
            if candidate.state == "failed":
                self._failed.add(candidate.id)
            elif candidate.score is not None:
                self.score_name = self.score_name or candidate.score_name or ""
                self._put(
                    Row(
                        candidate.id,
                        candidate.generation,
                        candidate.origin,
                        candidate.prompt,
                        candidate.score,
                        candidate.parent_id,
                    )
                )
        self.failed_candidates = len(self._failed)
        self.revision += 1

    def twin(self) -> SessionView:
        """Return a view that says the same and changes by itself."""
        return replace(
            self,
            hand=replace(
                self.hand,
                locks=dict(self.hand.locks),
                given=dict(self.hand.given),
                _undone=set(self.hand._undone),
            ),
            vitals=self.vitals.copy(),
            log=self.log.copy(),
            stages=dict(self.stages),
            _order=list(self._order),
            _rows=dict(self._rows),
            _scores={generation: list(scores) for generation, scores in self._scores.items()},
            _failed=set(self._failed),
        )

    def measured_again(self) -> list[tuple[float, float, float]]:
        """Return of each survivor measured again the score that selected it, the new one, and its generation's mean.

        Only of the first time: what is measured a third time survived by more than one score.
        """
        means = {number: sum(found) / len(found) for number, found in self._scores.items() if found}
        known = [
            (self._rows.get(row.parent_id or 0), row) for row in self._rows.values() if row.origin == "elite"
        ]
        return [
            (first.score, second.score, means[first.generation])
            for first, second in known
            if first is not None
            and first.origin != "elite"
            and math.isfinite(first.score)
            and math.isfinite(second.score)
        ]

    def take_confirmation(self, found: Confirmation | None) -> None:
        """Take over the session's latest confirmation; None where there is none."""
        members = (*found.findings, *found.randoms) if found is not None else ()
        self.confirmed = {one.candidate_id: one for one in members}
        self.reliability = found.reliability if found is not None else None
        self.revision += 1

    def lose(self, sentence: str) -> None:
        """The engine is gone, and why."""
        self.gone = sentence
        self._rest()
        self.revision += 1

    def apply(self, event: protocol.Event) -> None:
        """Take over one event; one that was seen before changes nothing."""
        self.revision += 1
        match event:
            case protocol.Snapshot():
                self._take(event)
            case protocol.Heartbeat():
                self.workers = event.workers
                if event.machine is not None:
                    self.vitals.append(event.machine)
            case protocol.SessionOpened():
                self.session_id, self.name = event.session_id, event.name
                self.generations, self.population = event.generations, event.population
                self.score_name, self.resumed, self.images = event.score_name, event.resumed, event.images
            case protocol.StateChanged():
                self.state, self.reason, self.exit_code = event.state, event.reason, event.exit_code
                self.pausing = None
                self.notice = ""  # it was about what went on before
                if event.state not in {"mining", "stopping"}:
                    self.eta_seconds = None
            case protocol.Pausing():
                self.pausing = event if event.after else None
            case protocol.GenerationStarted():
                self.generation = event.generation
                self.stages = {}
            case protocol.Progress():
                self._progress(event)
            case protocol.CandidateScored():
                if event.score is not None:
                    self._put(
                        Row(
                            event.candidate_id,
                            event.generation,
                            event.origin,
                            event.prompt,
                            event.score,
                            event.parent_id,
                        )
                    )
            case protocol.CandidateRescored():
                if (row := self._rows.get(event.candidate_id)) is not None:
                    self._put(replace(row, score=event.score))
            case protocol.CandidateFailed():
                self._failed.add(event.candidate_id)
                self.failed_candidates = len(self._failed)
            case protocol.CandidateLocked():
                self.hand.locks[event.candidate_id] = event.author
            case protocol.CandidateUnlocked():
                self.hand.locks.pop(event.candidate_id, None)
            case protocol.Steered():
                self.hand.record([event])
            case protocol.GenerationFinished():
                self.generation = event.generation
                self.notice = ""
            case protocol.Notice():
                self.notice = event.message
            case protocol.Failed():
                self.failure = event
                self.state, self.exit_code = "failed", event.exit_code
                self._rest()
            case protocol.Finished():
                self.finished = event
                self.state = event.state
                self._rest()

    def _take(self, snapshot: protocol.Snapshot) -> None:
        self.session_id, self.name = snapshot.session_id, snapshot.name
        self.state, self.reason, self.exit_code = snapshot.state, snapshot.reason, snapshot.exit_code
        self.generation, self.generations = snapshot.generation, snapshot.generations
        self.population, self.images = snapshot.population, snapshot.images
        self.score_name = snapshot.score_name
        self.pausing, self.workers = snapshot.pausing, snapshot.workers
        self.gone, self.failure, self.finished = "", None, None
        self.stages, self.eta_seconds, self.images_per_second = {}, None, None
        for progress in snapshot.progress:
            self._progress(progress)
        self.hand.take(snapshot)

    def _progress(self, event: protocol.Progress) -> None:
        self.stages[event.stage] = StageProgress(event.stage, event.generation, event.done, event.total)
        if event.stage != "loading":
            self.stages.pop("loading", None)
        self.generation = max(self.generation, event.generation)
        if event.images_per_second is not None:
            self.images_per_second = event.images_per_second
        self.eta_seconds = event.eta_seconds

    def _rest(self) -> None:
        self.stages, self.eta_seconds, self.pausing, self.workers = {}, None, None, ()
        self.hand.locks = {}

    def _ban_list(self) -> BanList:
        bans, known = self.hand.bans, self._banned
        if known is None or known[0] is not bans or known[1] != len(self._rows):
            known = self._banned = bans, len(self._rows), BanList(bans, self._oldest() if bans else {})
        return known[2]

    def _oldest(self) -> dict[int, int]:
        """The oldest known ancestor of every scored candidate; parents have smaller ids than their children."""
        oldest: dict[int, int] = {}
        for number, row in sorted(self._rows.items()):
            oldest[number] = number if row.parent_id is None else oldest.get(row.parent_id, row.parent_id)
        return oldest

    def _put(self, row: Row) -> None:
        if math.isnan(row.score):
            return  # no score at all: it has no place on a leaderboard
        old = self._rows.get(row.candidate_id)
        if old is not None:
            del self._order[bisect_left(self._order, (old.score, old.candidate_id))]
            if math.isfinite(old.score):
                scores = self._scores[old.generation]
                del scores[bisect_left(scores, old.score)]
        self._rows[row.candidate_id] = row
        insort(self._order, (row.score, row.candidate_id))
        if math.isfinite(row.score):
            insort(self._scores.setdefault(row.generation, []), row.score)


def trend_point(generation: int, ordered: list[float]) -> TrendPoint:
    """Return a generation's point from its scores, which rise."""
    lower, middle, upper = (_quantile(ordered, share) for share in (0.25, 0.5, 0.75))
    return TrendPoint(generation, ordered[0], middle, lower, upper)


def _quantile(ordered: list[float], share: float) -> float:
    """Return a quantile of numbers that rise, between two of them as far as it lies between."""
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
