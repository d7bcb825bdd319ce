"""One session from its first prompt to its last generation: begun, stopped, resumed, finished.

A session is run by running it again: whatever is stored is found, whatever is missing is made. So there is no
difference between a new session, a resumed one and one that is already finished.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any, Protocol, TypeVar

from engine import protocol
from engine.bench import Bench, Emit
from engine.breeding import Breeder
from engine.config import MiningConfig, parse_config
from engine.errors import InputError, MachineError, MineGapError
from engine.keeper import Keeper
from engine.meter import Meter
from engine.mining import GenerationWork
from engine.services import Pen, Studio
from store import StoreError
from store.records import Candidate, Session, SessionState

_T = TypeVar("_T")


class Models(Protocol):
    """Loads the three roles; workers in production, in-process fakes in tests."""

    async def open(self, config: MiningConfig, notify: Callable[[str], None]) -> tuple[Studio, Pen]:
        """Load painter, scorer and writer at the same time.

        Raises:
            InputError, MachineError: one of them cannot be used.
        """

    async def close(self) -> None:
        """Let all of them go."""


class Stop:
    """How a running session is told to stop: once to end after the unit in flight, twice to end at once."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.now = asyncio.Event()

    def ask(self) -> None:
        """Ask for an end; asking again is urgent."""
        if self.asked.is_set():
            self.now.set()
        self.asked.set()


async def run_session(
    store: Path, config: MiningConfig | None, resume: str | None, models: Models, emit: Emit, stop: Stop
) -> str:
    """Run a new session (``config``) or go on with a stored one (``resume``); returns its last state.

    The state is ``finished`` or, when it was stopped, ``interrupted``.

    Raises:
        InputError: the configuration, a model or the session's id cannot be used.
        MachineError: a model failed; the session can be resumed.
        StoreError: the store failed; everything stored before stays.
    """
    keeper = Keeper()
    try:
        await keeper.open(store)
        session = await keeper.call(keeper.store.session, resume) if resume is not None else None
        if session is not None:
            config = parse_config(session.config_json, f"session {session.id}")
        assert config is not None
        emit(protocol.Progress(stage="loading", generation=0, done=0, total=1))
        notices: list[str] = []
        studio_and_pen = await _unless_stopped(models.open(config, notices.append), stop)
        if studio_and_pen is None:
            last = protocol.Finished(
                session_id=resume or "", state="interrupted", generations=0, scored=0, best=None
            )
            emit(last)
            return last.state
        emit(protocol.Progress(stage="loading", generation=0, done=1, total=1))
        session_id = await _open_session(keeper, config, session, *studio_and_pen)
        bench = Bench(session_id, config, keeper, *studio_and_pen, emit, notices)
        return await _Run(bench, stop).run(store, resumed=session is not None)
    finally:
        await models.close()
        keeper.close()


class _Run:
    """The course of one session in this process."""

    def __init__(self, bench: Bench, stop: Stop) -> None:
        self._bench = bench
        self._stop = stop
        self._painter_free = asyncio.Event()
        self._painter_free.set()

    async def run(self, store: Path, *, resumed: bool) -> str:
        bench, search = self._bench, self._bench.config.search
        await bench.record(
            protocol.SessionOpened(
                session_id=bench.session_id,
                name=bench.config.session.name,
                store=str(store),
                generations=search.generations,
                population=search.population,
                images=search.images,
                variations=search.variations,
                score_name=search.score if search.objective == "bias" else search.objective,
                resumed=resumed,
                painter=bench.studio.painter,
                scorer=bench.studio.scorer,
                writer=bench.pen.writer,
            )
        )
        await self._state("mining", "resumed" if resumed else "")
        try:
            state = await self._until_stopped()
        except (MineGapError, StoreError) as error:
            with suppress(StoreError):  # on a full disk not even this can be written: the first error counts
                await self._state("failed", str(error))
            raise
        await self._state(state, "stopped by the user" if state == "interrupted" else "")
        session = await bench.keeper.call(bench.keeper.store.session, bench.session_id)
        last = protocol.Finished(
            session_id=bench.session_id,
            state=state,
            generations=session.generations,
            scored=session.scored,
            best=session.best_score,
        )
        await bench.record(last)
        return state

    async def _state(self, state: SessionState, reason: str = "") -> None:
        bench = self._bench
        await bench.keeper.call(bench.keeper.store.set_session_state, bench.session_id, state, reason)
        await bench.record(protocol.StateChanged(state=state, reason=reason))

    async def _until_stopped(self) -> SessionState:
        mining = asyncio.create_task(self._mine())
        asked = asyncio.create_task(self._stop.asked.wait())
        try:
            await asyncio.wait({mining, asked}, return_when=asyncio.FIRST_COMPLETED)
            if not mining.done():
                await self._state("stopping", "after the images in flight")
                waits = {
                    asyncio.create_task(self._painter_free.wait()),
                    asyncio.create_task(self._stop.now.wait()),
                }
                await asyncio.wait({mining, *waits}, return_when=asyncio.FIRST_COMPLETED)
                for wait in waits:
                    wait.cancel()
        finally:
            asked.cancel()
            mining.cancel()
            await asyncio.wait({mining})
        if mining.cancelled():
            return "interrupted"
        mining.result()
        return "finished"

    async def _mine(self) -> None:
        bench, search = self._bench, self._bench.config.search
        keeper = bench.keeper
        told = {
            (event.kind, event.payload.get("generation"))
            for event in await keeper.call(keeper.store.events, bench.session_id)
        }
        total = search.generations * search.population
        meter = Meter(total * search.images, total, time.monotonic)
        breeder = Breeder(bench)
        for generation in range(1, search.generations + 1):
            candidates = await self._population(breeder, generation)
            if ("generation_started", generation) not in told:
                await bench.record(
                    protocol.GenerationStarted(generation=generation, candidates=len(candidates))
                )
            if any(candidate.state == "waiting" for candidate in candidates):
                work = GenerationWork(
                    bench,
                    candidates,
                    breeder.measurements(candidates),
                    breeder.next_randoms(generation),
                    meter,
                    self._stop.asked,
                    self._painter_free,
                )
                await work.run()
                candidates = await keeper.call(keeper.store.candidates, bench.session_id, generation)
            else:
                meter.found(images=len(candidates) * search.images, candidates=len(candidates))
            archived = breeder.tell(candidates)
            if ("generation_finished", generation) not in told:
                await bench.record(_summary(generation, candidates, archived))
            if not any(candidate.state == "scored" for candidate in candidates):
                raise MachineError(
                    f"Not one of {len(candidates)} candidates of generation {generation} could be scored "
                    f"(the first one: {candidates[0].reason}): check the models or use larger ones."
                )

    async def _population(self, breeder: Breeder, generation: int) -> tuple[Candidate, ...]:
        """Return a generation's candidates, bred and stored if they are not there yet."""
        bench = self._bench
        keeper = bench.keeper
        found = await keeper.call(keeper.store.candidates, bench.session_id, generation)
        if not found:

            def progress(done: int, total: int) -> None:
                bench.emit(protocol.Progress(stage="breeding", generation=generation, done=done, total=total))

            new = await breeder.breed(generation, progress)
            await keeper.call(keeper.store.add_candidates, bench.session_id, generation, new)
            found = await keeper.call(keeper.store.candidates, bench.session_id, generation)
        breeder.know(found)
        return found


def _summary(
    generation: int, candidates: tuple[Candidate, ...], archived: tuple[int, ...]
) -> protocol.GenerationFinished:
    scores = [candidate.score for candidate in candidates if candidate.score is not None]
    return protocol.GenerationFinished(
        generation=generation,
        scored=len(scores),
        failed=sum(candidate.state == "failed" for candidate in candidates),
        best=min(scores, default=None),
        median=median(scores) if scores else None,
        archived=archived,
    )


async def _open_session(
    keeper: Keeper, config: MiningConfig, session: Session | None, studio: Studio, pen: Pen
) -> str:
    """Create the session, or make sure that a stored one meets the models it was mined with."""
    models = {"painter": studio.painter, "scorer": studio.scorer, "writer": pen.writer}
    if session is None:
        return await keeper.call(
            keeper.store.create_session,
            name=config.session.name,
            seed=config.session.seed,
            config_json=config.model_dump_json(),
            models_json=json.dumps(models),
        )
    for role, before in json.loads(session.models_json).items():
        if models.get(role) != before:
            raise InputError(
                f"Session {session.id} was mined with the {role} {before} and its files or settings now give "
                f"{models.get(role)}: put the old ones back, or start a new session."
            )
    return session.id


async def _unless_stopped(work: Coroutine[Any, Any, _T], stop: Stop) -> _T | None:
    """Await ``work``; None when a stop is asked for first."""
    task = asyncio.create_task(work)
    asked = asyncio.create_task(stop.asked.wait())
    try:
        await asyncio.wait({task, asked}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        asked.cancel()
        task.cancel()
        await asyncio.wait({task})
