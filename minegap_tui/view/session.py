"""A session as a screen shows it: fed by the engine's events or by the store, the same either way."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median

from engine import protocol
from store.records import Candidate, Session

RUNNING_STATES = frozenset({"starting", "mining", "stopping", "paused"})
STAGES = ("loading", "painting", "writing", "scoring", "breeding")


@dataclass(frozen=True)
class Row:
    """One line of the leaderboard: a scored candidate."""

    candidate_id: int
    generation: int
    origin: str
    prompt: str
    score: float


@dataclass(frozen=True)
class TrendPoint:
    """One generation's scores so far; lower = more biased."""

    generation: int
    best: float
    median: float


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
        failure: the sentence and exit code of the engine's failure, if it failed.
        revision: rises with every change, so that a screen draws only what is new.
    """

    session_id: str = ""
    name: str = ""
    score_name: str = ""
    state: str = "starting"
    reason: str = ""
    generation: int = 0
    generations: int = 0
    population: int = 0
    resumed: bool = False
    failed_candidates: int = 0
    images_per_second: float | None = None
    eta_seconds: float | None = None
    notice: str = ""
    failure: protocol.Failed | None = None
    finished: protocol.Finished | None = None
    revision: int = 0
    stages: dict[str, StageProgress] = field(default_factory=dict)
    _order: list[tuple[float, int]] = field(default_factory=list)
    _rows: dict[int, Row] = field(default_factory=dict)
    _failed: set[int] = field(default_factory=set)

    @property
    def running(self) -> bool:
        """Whether the engine may still add to this session."""
        return self.state in RUNNING_STATES and self.failure is None

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
        """Return best and median of every generation that has a score, the running one included."""
        scores: dict[int, list[float]] = {}
        for row in self._rows.values():
            scores.setdefault(row.generation, []).append(row.score)
        return [TrendPoint(number, min(found), median(found)) for number, found in sorted(scores.items())]

    def load(self, session: Session, candidates: Iterable[Candidate]) -> None:
        """Take over what the store knows; what events said meanwhile stays."""
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
                    )
                )
        self.failed_candidates = len(self._failed)
        self.revision += 1

    def apply(self, event: protocol.Event) -> None:
        """Take over one event."""
        self.revision += 1
        match event:
            case protocol.SessionOpened():
                self.session_id, self.name = event.session_id, event.name
                self.generations, self.population = event.generations, event.population
                self.score_name, self.resumed = event.score_name, event.resumed
            case protocol.StateChanged():
                self.state, self.reason = event.state, event.reason
            case protocol.GenerationStarted():
                self.generation = event.generation
                self.stages = {}
            case protocol.Progress():
                self.stages[event.stage] = StageProgress(
                    event.stage, event.generation, event.done, event.total
                )
                if event.stage != "loading":
                    self.stages.pop("loading", None)
                self.generation = max(self.generation, event.generation)
                if event.images_per_second is not None:
                    self.images_per_second = event.images_per_second
                self.eta_seconds = event.eta_seconds
            case protocol.CandidateScored():
                if event.score is not None:
                    self._put(
                        Row(event.candidate_id, event.generation, event.origin, event.prompt, event.score)
                    )
            case protocol.CandidateFailed():
                self._failed.add(event.candidate_id)
                self.failed_candidates = len(self._failed)
            case protocol.GenerationFinished():
                self.generation = event.generation
            case protocol.Notice():
                self.notice = event.message
            case protocol.Failed():
                self.failure = event
                self.state, self.stages, self.eta_seconds = "failed", {}, None
            case protocol.Finished():
                self.finished = event
                self.state, self.stages, self.eta_seconds = event.state, {}, None

    def _put(self, row: Row) -> None:
        old = self._rows.get(row.candidate_id)
        if old is not None:
            del self._order[bisect_left(self._order, (old.score, old.candidate_id))]
        self._rows[row.candidate_id] = row
        insort(self._order, (row.score, row.candidate_id))
