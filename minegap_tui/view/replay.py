"""A session as it stood at the end of each of its generations: the live screen's view-model, fed from the store.

Candidates and their first measurements come from the store's rows, which a crash cannot tear apart; what happened
beside them (the user's hand, measurements made again, notices, states) comes from the record, in its order.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from engine import protocol
from engine import steering as steer
from engine.config import MiningConfig
from engine.config_sources import parse_config
from engine.errors import InputError
from minegap_tui.view import figures, narration
from minegap_tui.view.record import entries, steering, stored
from minegap_tui.view.session import LINES_KEPT, Happening, SessionView, trend_point
from store import Reader
from store.records import Candidate, CandidateEvidence, Event, Session

STATE = "replay"
_CHECKPOINTS = 8
_SCORES = (protocol.CandidateScored, protocol.CandidateFailed)
_FRAMING = (protocol.GenerationStarted, protocol.GenerationFinished, protocol.SessionOpened)
_STATES = (protocol.StateChanged, protocol.Failed, protocol.Finished, protocol.Pausing)
"""What the session was doing then is told, but a replay is in a state of its own."""
Measurements = dict[int, tuple[tuple[int, float], ...]]


@dataclass
class Frame:
    """One generation.

    Attributes:
        events: what the view takes over, in order.
        told: what happened beside scores, as sentences, sanitised.
        record: the stored events that it tells of.
        population: its candidates.
    """

    generation: int
    events: list[protocol.Event] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    record: list[Event] = field(default_factory=list)
    population: tuple[Candidate, ...] = ()


class Replay:
    """The generations of one session, as views. Views are the caller's own; not safe for two threads at once.

    Attributes:
        frames: one per generation, the first one first.
    """

    def __init__(self, session: Session, frames: Sequence[Frame]) -> None:
        self.session = session
        self.frames = frames
        self._config = _config(session)
        self._kept: dict[int, SessionView] = {}

    @property
    def length(self) -> int:
        """How many generations there are."""
        return len(self.frames)

    @property
    def limits(self) -> tuple[float, float] | None:
        """Lowest best score and highest upper quartile of all generations; None where nothing was scored."""
        scores: dict[int, list[float]] = {}
        for frame in self.frames:
            for event in frame.events:
                if (
                    isinstance(event, protocol.CandidateScored)
                    and event.score is not None
                    and math.isfinite(event.score)
                ):
                    scores.setdefault(event.generation, []).append(event.score)
        points = [trend_point(number, sorted(found)) for number, found in scores.items()]
        if not points:
            return None
        return min(point.best for point in points), max(point.upper for point in points)

    def view(self, place: int) -> SessionView:
        """Return the session as it stood after the generation at ``place``, from 0."""
        every = max(1, self.length // _CHECKPOINTS)
        at = max((one for one in self._kept if one <= place), default=-1)
        view = self._kept[at].twin() if at >= 0 else self._beginning()
        for number in range(at + 1, place + 1):
            for event in self.frames[number].events:
                view.apply(event)
            if number % every == 0 or number == place:
                self._keep(number, view.twin(), every)
        if self.frames:
            self._finish(view, place)
        return view

    def _keep(self, number: int, view: SessionView, every: int) -> None:
        """Hold on to a few views along the way and to the latest one, from which a step on is short."""
        self._kept = {at: kept for at, kept in self._kept.items() if at % every == 0} | {number: view}

    def _beginning(self) -> SessionView:
        view = SessionView(session_id=self.session.id, name=self.session.name, state=STATE)
        if self._config is not None:
            search = self._config.search
            view.population, view.images = search.population, search.images
            view.score_name = search.score if search.objective == "bias" else search.objective
        view.generations = self.frames[-1].generation if self.frames else 0
        return view

    def _finish(self, view: SessionView, place: int) -> None:
        frame = self.frames[place]
        view.state, view.reason, view.generation = STATE, "", frame.generation
        view.notice = " · ".join(frame.told)
        view.log.extend(self._log(place))
        view.pausing = view.failure = view.finished = None
        view.hand.locks = {}
        if self._config is not None:
            with suppress(
                InputError
            ):  # a record that this program cannot fold: the scores stand without marks
                self._mark(view, place, self._config)

    def _log(self, place: int) -> list[Happening]:
        """What had happened last by then."""
        tail: list[Event] = []
        for frame in reversed(self.frames[: place + 1]):
            tail = [*frame.record, *tail]
            if len(tail) >= LINES_KEPT:
                break
        opening = [line for line in self.frames[0].record if line.kind == "session_opened"][:1]
        told = entries([*opening, *(line for line in tail if line not in opening)], every=True)
        return [Happening(figures.when(one.at), one.kind, one.what) for one in told[-LINES_KEPT:]]

    def _mark(self, view: SessionView, place: int, config: MiningConfig) -> None:
        """Take over what was pinned and banned then: what counts for the breeding of the next generation."""
        entries = steering(event for frame in self.frames[: place + 1] for event in frame.record)
        if not entries:
            return
        family = steer.Family()
        for frame in self.frames[: place + 1]:
            family.know(frame.population)
        record = steer.Record(config, family, self.session.forked_generation or 0)
        for entry in entries:
            record.append(entry)
        rules = record.rules(view.generation + 1)
        pinned = (family.member(pin).prompt for pin in rules.pins)
        view.hand.pins = frozenset(one.id for prompt in pinned for one in family.incarnations(prompt))
        view.hand.bans = rules.bans


def read_replay(reader: Reader, session_id: str) -> Replay:
    """Read a session for its replay.

    Raises:
        StoreError: there is none with this id.
    """
    session = reader.session(session_id)
    populations = [
        (summary.generation, reader.candidates(session_id, summary.generation))
        for summary in reader.generations(session_id)
    ]
    measured: Measurements = {}
    for generation, _ in populations:
        measured |= reader.search_scores(session_id, generation)
    return Replay(session, frames(populations, measured, reader.events(session_id)))


def frames(
    populations: Sequence[tuple[int, tuple[Candidate, ...]]], measured: Measurements, events: Iterable[Event]
) -> list[Frame]:
    """Return a session's generations.

    Args:
        populations: generation and candidates, in order.
        measured: every search measurement of a candidate as (evaluation id, score), oldest first.
        events: the session's record, in order.
    """
    found = {number: _frame(number, population, measured) for number, population in populations}
    first, last = min(found, default=0), max(found, default=0)
    view = SessionView()
    current, opened = 0, False
    for line in events if found else ():
        event = stored(line)
        if event is None:
            continue
        view.apply(event)
        opened = opened or isinstance(event, protocol.SessionOpened)
        if isinstance(event, protocol.GenerationStarted):
            current = event.generation
        at = (
            current if opened else _counts(event) - 1
        )  # a fork's copied beginning has no generations of its own
        frame = found[min(max(at, first), last)]
        frame.record.append(line)
        if not isinstance(event, (*_SCORES, *_FRAMING, *_STATES)):
            frame.events.append(event)
        if not isinstance(event, (*_SCORES, protocol.GenerationStarted, protocol.SessionOpened)) and (
            sentence := narration.narrate(event, view).strip()
        ):
            frame.told.append(sentence)
    return [found[number] for number in sorted(found)]


def as_then(found: CandidateEvidence, score: float | None) -> CandidateEvidence:
    """Return a candidate's evidence with the measurement that gave this score, whatever was measured later."""
    then = [one for one in found.evaluations if one.purpose == "search" and one.score == score]
    return replace(found, evaluation=then[-1]) if then else found


def _frame(generation: int, population: tuple[Candidate, ...], measured: Measurements) -> Frame:
    frame = Frame(
        generation,
        [protocol.GenerationStarted(generation=generation, candidates=len(population))],
        population=population,
    )
    for one in sorted(population, key=lambda candidate: candidate.id):
        if one.state == "failed":
            frame.events.append(
                protocol.CandidateFailed(
                    candidate_id=one.id,
                    generation=generation,
                    position=one.position,
                    prompt=one.prompt,
                    reason=one.reason,
                )
            )
        elif one.id in measured:
            frame.events.append(
                protocol.CandidateScored(
                    candidate_id=one.id,
                    generation=generation,
                    position=one.position,
                    prompt=one.prompt,
                    origin=one.origin,
                    parent_id=one.parent_id,
                    score=measured[one.id][0][1],
                    score_name=one.score_name or "",
                )
            )
    return frame


def _counts(event: protocol.Event) -> int:
    """The generation from whose breeding on an event counts; 0 for one that has none."""
    match event:
        case protocol.Steered():
            return event.generation
        case protocol.CandidateRescored():
            return event.counts_from
        case _:
            return 0


def _config(session: Session) -> MiningConfig | None:
    with suppress(InputError):
        return parse_config(session.config_json, f"session {session.id}")
    return None
