"""One session in the engine: its models, its course, its pauses, its end.

Commands come in by ``ask``, events go out by ``emit``. A fault of a model or of the disk does not end a
session: it pauses with the fault's sentence and goes on from what is stored when it is told to.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from engine import protocol
from engine.bench import Bench, Emit, Log
from engine.commands import Command, Stop
from engine.config import MiningConfig, parse_config
from engine.course import Course
from engine.easel import Easel
from engine.errors import InputError, MineGapError
from engine.gate import Gate
from engine.keeper import Keeper
from engine.services import Pen, Studio
from store import StoreError
from store.records import SessionState


class Models(Protocol):
    """Loads the three roles; workers in production, in-process fakes in tests."""

    async def open(self, config: MiningConfig, notify: Callable[[str], None]) -> tuple[Studio, Pen]:
        """Load painter, scorer and writer at the same time.

        Raises:
            InputError, MachineError: one of them cannot be used.
        """

    async def reopen_pen(self, config: MiningConfig, notify: Callable[[str], None]) -> Pen:
        """Let the writer go and load it anew: its meta-prompts changed.

        Raises:
            InputError, MachineError: it cannot be used.
        """

    async def close(self) -> None:
        """Let all of them go; what is closed can be opened again."""


class SessionRun:
    """One session's life in this process. The session is a row of the store already.

    Args:
        session_id: the session's id.
        store: the store's directory, for people.
        keeper: the way to the open store; stays open.
        models: not open yet; closed at the end.
        emit: receives every event; must return at once.

    Attributes:
        failure: why the session failed; None for every other end.
    """

    def __init__(self, session_id: str, store: Path, keeper: Keeper, models: Models, emit: Emit) -> None:
        self.failure: MineGapError | StoreError | None = None
        self._session_id = session_id
        self._store = store
        self._keeper = keeper
        self._models = models
        self._emit = emit
        self._log = Log(session_id, keeper, self._tell)
        self._gate = Gate()
        self._easel = Easel(self._gate, lambda: None)
        self._config = MiningConfig()
        self._studio: Studio | None = None
        self._pen: Pen | None = None
        self._state: SessionState = "queued"
        self._reason = ""
        self._exit_code = 0
        self._seq = 0
        self._stop = asyncio.Event()
        self._now = asyncio.Event()

    async def run(self) -> SessionState:
        """Mine to the end: finished, interrupted (stopped) or failed."""
        try:
            state = await self._live()
        except (MineGapError, StoreError) as error:
            self.failure = error
            await self._enter("failed", str(error), error.exit_code)
            self._tell(protocol.Failed(sentence=str(error), exit_code=error.exit_code))
            state = "failed"
        finally:
            await self._models.close()
            await self._log.settle()
        return state

    async def ask(self, command: Command, author: str, connection: int) -> protocol.Acknowledged:
        """Carry out a command for this session; never raises for what the command says."""
        if isinstance(command, Stop):
            self._stop.set()
            if command.at_once:
                self._now.set()
            return protocol.Acknowledged(
                id=command.id, accepted=True, sentence="The session is being stopped."
            )
        return protocol.Acknowledged(
            id=command.id, accepted=False, sentence="This command is not known yet.", exit_code=2
        )

    def disconnected(self, connection: int) -> None:
        """Give back what a connection that is gone had locked."""

    def vitals(self) -> tuple[protocol.WorkerVitals, ...]:
        """How the worker processes are; empty before they are loaded."""
        return tuple(role.vitals() for role in (self._studio, self._pen) if role is not None)

    def snapshot(self) -> protocol.Snapshot:
        """The session as it stands, beside what the store holds; ``seq`` is the last stored event told."""
        search = self._config.search
        return protocol.Snapshot(
            seq=self._seq,
            session_id=self._session_id,
            name=self._config.session.name,
            store=str(self._store),
            state=self._state,
            reason=self._reason,
            exit_code=self._exit_code,
            generations=search.generations,
            population=search.population,
            images=search.images,
            variations=search.variations,
            score_name=_score_name(self._config),
            painter=self._studio.painter if self._studio else "",
            scorer=self._studio.scorer if self._studio else "",
            writer=self._pen.writer if self._pen else "",
            workers=self.vitals(),
        )

    # ------------------------------------------------------------ the course of it

    async def _live(self) -> SessionState:
        keeper = self._keeper
        session = await keeper.call(keeper.store.session, self._session_id)
        self._config = parse_config(session.config_json, f"session {session.id}")
        search = self._config.search
        resumed = session.generations > 0
        await self._log.record(
            protocol.SessionOpened(
                session_id=self._session_id,
                name=self._config.session.name,
                store=str(self._store),
                generations=search.generations,
                population=search.population,
                images=search.images,
                variations=search.variations,
                score_name=_score_name(self._config),
                resumed=resumed,
                **json.loads(session.models_json or "{}"),
            )
        )
        await self._enter("mining", "resumed" if resumed else "")
        course = asyncio.create_task(self._mine())
        stop = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({course, stop}, return_when=asyncio.FIRST_COMPLETED)
            if not course.done():
                await self._enter("stopping", "after the images in flight")
                self._gate.close()
                waits = [asyncio.create_task(self._easel.empty()), asyncio.create_task(self._now.wait())]
                await asyncio.wait({course, *waits}, return_when=asyncio.FIRST_COMPLETED)
                for wait in waits:
                    wait.cancel()
        finally:
            stop.cancel()
            course.cancel()
            await asyncio.wait({course})
        state: SessionState = "interrupted"
        if not course.cancelled():
            course.result()
            state = "finished"
        await self._enter(state, "stopped" if state == "interrupted" else "")
        session = await keeper.call(keeper.store.session, self._session_id)
        await self._log.record_anyway(
            protocol.Finished(
                session_id=self._session_id,
                state=state,
                generations=session.generations,
                scored=session.scored,
                best=session.best_score,
            )
        )
        return state

    async def _mine(self) -> None:
        if self._studio is None or self._pen is None:
            self._tell(protocol.Progress(stage="loading", generation=0, done=0, total=1))
            self._studio, self._pen = await self._models.open(self._config, self._log.later)
            self._tell(protocol.Progress(stage="loading", generation=0, done=1, total=1))
            await self._same_models(self._studio, self._pen)
        bench = Bench(self._log, self._config, self._studio, self._pen)
        await Course(bench, self._gate, self._easel).run()

    async def _same_models(self, studio: Studio, pen: Pen) -> None:
        """Keep the models' fingerprints, or make sure that the session meets those it was mined with."""
        keeper = self._keeper
        session = await keeper.call(keeper.store.session, self._session_id)
        models = {"painter": studio.painter, "scorer": studio.scorer, "writer": pen.writer}
        if not session.models_json:
            await keeper.call(keeper.store.set_session_models, self._session_id, json.dumps(models))
            return
        for role, before in json.loads(session.models_json).items():
            if models.get(role) != before:
                raise InputError(
                    f"Session {session.id} was mined with the {role} {before} and its files or settings now "
                    f"give {models.get(role)}: put the old ones back, or start a new session."
                )

    async def _enter(self, state: SessionState, reason: str = "", exit_code: int = 0) -> None:
        self._state, self._reason, self._exit_code = state, reason, exit_code
        with suppress(StoreError):  # a full disk: the row follows when there is room
            await self._keeper.call(self._keeper.store.set_session_state, self._session_id, state, reason)
        await self._log.record_anyway(protocol.StateChanged(state=state, reason=reason, exit_code=exit_code))

    def _tell(self, event: protocol.Event) -> None:
        self._seq = max(self._seq, event.seq)
        self._emit(event)


def _score_name(config: MiningConfig) -> str:
    search = config.search
    return search.score if search.objective == "bias" else search.objective
