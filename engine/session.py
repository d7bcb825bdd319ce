"""One session in the engine: its models, its course, its pauses, its end.

Commands come in by ``ask``, events go out by ``emit``. A fault of a model or of the disk does not end a
session: it pauses with the fault's sentence and goes on from what is stored when it is told to.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

from engine import protocol
from engine.bench import Emit, Log
from engine.brake import Brake
from engine.commands import Command, Confirm, EditBegin, EditCancel, Pause, Resume, Steering, Step, Stop
from engine.config import MiningConfig
from engine.config_sources import parse_config
from engine.confirm_orders import ConfirmOrders
from engine.course import Course, Deck
from engine.easel import Easel
from engine.errors import InputError, MachineError, MineGapError
from engine.gate import Gate
from engine.helm import Helm, entry_of, refusal
from engine.keeper import Keeper
from engine.portrait import portrait, score_name
from engine.rescoring import Rescores
from engine.roles import Models, Roles
from engine.states import States
from engine.steering import Family, Record
from store import StoreError
from store.vocabulary import SessionState

ROOM_SECONDS = 3.0
"""How often to see whether a full disk has room again."""

ROOM_BYTES = 1 << 20
"""So much more room than at the fault makes it worth trying again."""

ANSWERS = 1000
"""So many answers are remembered besides those that are recorded."""


class SessionRun:
    """One session's life in this process. The session is a row of the store already.

    Args:
        session_id: the session's id.
        store: the store's directory.
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
        self._emit = emit
        self._log = Log(session_id, keeper, self._tell)
        self._states = States(self._log)
        self._gate = Gate()
        self._brake = Brake(self._gate, self._tell, self._at_rest)
        self._roles = Roles(models, self._log, self._gate)
        self._config = MiningConfig()
        self._helm: Helm | None = None
        self._rescores: Rescores | None = None
        self._orders = ConfirmOrders(())
        self._ready = asyncio.Event()
        self._stop = asyncio.Event()
        self._now = asyncio.Event()
        self._go = asyncio.Event()
        self._stopped_by = ""
        self._over = False
        self._answers: dict[str, asyncio.Task[protocol.Acknowledged]] = {}
        self._seq = 0
        self._generation = 0
        self._progress: dict[str, protocol.Progress] = {}

    # ------------------------------------------------------------ what is seen of it

    def vitals(self) -> tuple[protocol.WorkerVitals, ...]:
        """How the worker processes are; empty before they are loaded."""
        return self._roles.vitals()

    def snapshot(self) -> protocol.Snapshot:
        """The session as it stands, beside what the store holds; ``seq`` is the last stored event told."""
        bare = protocol.Snapshot(
            seq=self._seq,
            session_id=self._session_id,
            name=self._config.session.name,
            store=str(self._store),
            state=self._states.state,
            reason=self._states.reason,
            exit_code=self._states.exit_code,
            generation=self._generation,
            score_name=score_name(self._config),
            painter=self._roles.studio.painter if self._roles.studio else "",
            scorer=self._roles.studio.scorer if self._roles.studio else "",
            writer=self._roles.pen.writer if self._roles.pen else "",
            pausing=self._brake.pausing,
            progress=tuple(self._progress.values()),
            workers=self.vitals(),
        )
        return portrait(bare, self._helm) if self._helm is not None else bare

    def _tell(self, event: protocol.Event) -> None:
        self._seq = max(self._seq, event.seq)
        if isinstance(event, protocol.Progress):
            if event.generation > self._generation:
                self._generation, self._progress = event.generation, {}
            self._progress[event.stage] = event
            if event.stage == "scoring":
                self._brake.scored(event.done, event.total)
        elif isinstance(event, protocol.GenerationStarted):
            self._generation, self._progress = event.generation, {}
            self._brake.scored(0, event.candidates)
        self._emit(event)

    # ------------------------------------------------------------ what is asked of it

    async def ask(self, command: Command, author: str, connection: int) -> protocol.Acknowledged:
        """Carry out a command for this session; a refusal is an answer, too.

        The answer to a command that was asked before is the same, and nothing is done again.
        """
        answer = self._answers.get(command.id)
        if answer is None:
            answer = asyncio.create_task(self._answer(command, author, connection))
            self._answers[command.id] = answer
            while len(self._answers) > ANSWERS and (oldest := next(iter(self._answers.items())))[1].done():
                del self._answers[oldest[0]]
        return await asyncio.shield(
            answer
        )  # whoever asked may vanish: the command is carried out all the same

    def disconnected(self, connection: int) -> None:
        """Give back what a connection that is gone had locked."""
        if self._helm is not None:
            self._helm.disconnected(connection)

    async def _answer(self, command: Command, author: str, connection: int) -> protocol.Acknowledged:
        try:
            if self._over:
                raise InputError(f"The session is {self._states.state}: resume or fork it first.")
            match command:
                case Pause() | Step() | Resume() | Stop():
                    sentence = self._move(command, author)
                case EditBegin():
                    sentence = (await self._steering()).begin_edit(command, author, connection)
                case EditCancel():
                    sentence = (await self._steering()).cancel_edit(command, connection)
                case Confirm():
                    helm = await self._steering()
                    sentence = await helm.confirm_at_end(command, author, only=self._orders.only)
                case _ if isinstance(command, Steering):
                    return await (await self._steering()).steer(command, author, connection)
                case _:
                    raise InputError("A running session does not take this command: ask the engine.")
        except (MineGapError, StoreError) as error:
            return refusal(command.id, error)
        return protocol.Acknowledged(id=command.id, accepted=True, sentence=sentence)

    async def _steering(self) -> Helm:
        await self._ready.wait()
        if self._helm is None:
            raise MachineError("The session could not be read: look at its state.")
        return self._helm

    def _move(self, command: Pause | Step | Resume | Stop, author: str) -> str:
        """Pause, go on or stop, at once; returns the sentence."""
        if isinstance(command, Stop):
            if command.at_once:
                self._now.set()
            self._stopped_by = self._stopped_by or author
            self._stop.set()
            return "The session is being stopped; it can be resumed."
        if self._stop.is_set():
            raise InputError("The session is being stopped: resume it when it has ended.")
        paused = self._states.state == "paused"
        if isinstance(command, Pause):
            if paused:
                return f"The session is paused already: {self._states.reason}."
            pausing = self._brake.pause(command.after, f"paused by {author}")
            return f"The session pauses after {_units(pausing)}."
        called_off = self._brake.release()
        if paused:
            self._states.enter("mining", f"resumed by {author}")
            self._go.set()
        if isinstance(command, Step):
            self._brake.pause("generation", f"paused by {author}")
            return "The session goes on and pauses after the next finished generation."
        if called_off:
            self._tell(protocol.Pausing(after=""))
            return "The pause is called off."
        return "The session goes on." if paused else "The session is being mined already."

    def _at_rest(self, reason: str) -> None:
        self._states.enter("paused", reason)

    # ------------------------------------------------------------ the course of it

    async def run(self) -> SessionState:
        """Mine to the end: finished, interrupted (stopped) or failed."""
        try:
            try:
                state, reason = await self._live()
            except (MineGapError, StoreError) as error:
                self.failure = error
                state, reason = "failed", str(error)
            self._over = True
            self._ready.set()
            self._brake.release()  # a pause that comes too late must not have the last word
            self._states.enter(state, reason, self.failure.exit_code if self.failure else 0)
            await self._states.written()
            await self._log.settle()
            if self.failure is not None:
                self._tell(protocol.Failed(sentence=reason, exit_code=self.failure.exit_code))
            else:
                await self._log.record_anyway(await self._last_word(state))
            return state
        finally:
            self._over = True
            self._ready.set()
            self._brake.release()
            await self._roles.close()

    async def _live(self) -> tuple[SessionState, str]:
        """Mine until the end or a stop; returns the last state and its reason."""
        await self._read()
        stop = asyncio.create_task(self._stop.wait())
        try:
            while True:
                course = asyncio.create_task(self._mine())
                try:
                    await asyncio.wait({course, stop}, return_when=asyncio.FIRST_COMPLETED)
                    if not course.done():
                        await self._wind_down(course)
                finally:
                    course.cancel()
                    await asyncio.wait({course})
                if course.cancelled():
                    return "interrupted", f"stopped by {self._stopped_by}"
                fault = course.exception()
                if fault is None:
                    return self._orders.end()
                if not isinstance(fault, MachineError | StoreError) or fault.exit_code != 3:
                    raise fault
                if not self._stop.is_set():
                    await self._wait_out(fault, stop)
                if self._stop.is_set():
                    return "interrupted", f"stopped by {self._stopped_by} ({fault})"
        finally:
            stop.cancel()

    async def _read(self) -> None:
        """Read what is stored of the session: its configuration, its candidates, its record."""
        keeper = self._keeper
        session = await keeper.call(keeper.store.session, self._session_id)
        self._config = parse_config(session.config_json, f"session {session.id}")
        family = Family()
        for generation in range(1, session.generations + 1):
            family.know(await keeper.call(keeper.store.candidates, session.id, generation))
        record = Record(self._config, family, session.forked_generation or 0)
        events = await keeper.call(keeper.store.steering, session.id)
        for event in events:
            if event.kind == "steered":
                record.append(entry_of(event))
        self._rescores = Rescores(record, events)
        self._orders = ConfirmOrders(await keeper.call(keeper.store.events, session.id))
        self._helm = Helm(self._log, record, self._rescores)
        self._generation = family.last_generation
        resumed = session.generations > 0
        self._states.enter("mining", "confirming" if self._orders.only else "resumed" if resumed else "")
        search = record.rules(self._helm.next_generation).config.search
        await self._log.record_anyway(
            protocol.SessionOpened(
                session_id=self._session_id,
                name=self._config.session.name,
                store=str(self._store),
                generations=search.generations,
                population=search.population,
                images=search.images,
                variations=search.variations,
                score_name=score_name(self._config),
                resumed=resumed,
                shares=search.shares,
                **json.loads(session.models_json or "{}"),
            )
        )
        self._ready.set()

    async def _mine(self) -> None:
        studio, pen = await self._roles.load(self._config)
        self._brake.studio = studio
        assert self._helm is not None
        assert self._rescores is not None
        easel = Easel(self._gate, self._brake.moved)
        self._brake.easel = easel
        deck = Deck(
            self._log,
            studio,
            self._roles.pen_for,
            self._helm,
            self._rescores,
            self._gate,
            easel,
            self._brake.finished,
            self._orders,
        )
        await Course(deck, pen).run()

    # ------------------------------------------------------------ stops and faults

    async def _wind_down(self, course: asyncio.Task[None]) -> None:
        """End after the batch in flight, or at once when that is asked for."""
        self._states.enter("stopping", "after the batch in flight")
        if self._roles.studio is None:
            return  # nothing is worth waiting for while models are loading
        rest = asyncio.create_task(self._brake.stop())
        now = asyncio.create_task(self._now.wait())
        await asyncio.wait({course, rest, now}, return_when=asyncio.FIRST_COMPLETED)
        rest.cancel()
        now.cancel()

    async def _wait_out(self, fault: MachineError | StoreError, stop: asyncio.Task[bool]) -> None:
        """Pause because of a fault, until somebody resumes or stops, or a full disk has room again."""
        assert self._helm is not None
        self._brake.release()
        self._brake.easel = None
        self._go.clear()
        # known before anything is waited for: a command that comes in now finds this pause and ends it
        self._states.enter("paused", str(fault), 3)
        await self._retreat()
        go = asyncio.create_task(self._go.wait())
        waits: set[asyncio.Task[object]] = {go, stop}
        if isinstance(fault, StoreError) and fault.full:
            waits.add(asyncio.create_task(self._room()))
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits - {stop}:
            wait.cancel()
        if not go.done() and not self._stop.is_set():
            self._states.enter("mining", "the disk has room again")

    async def _retreat(self) -> None:
        """Whatever was being bred is bred anew; what is stored of it counts as bred."""
        assert self._helm is not None
        try:
            for generation in (self._helm.next_generation - 1, self._helm.next_generation):
                found = await self._keeper.call(
                    self._keeper.store.candidates, self._session_id, max(1, generation)
                )
                self._helm.record.family.know(found)
        except StoreError:
            return  # unknown: then what was begun stays begun, and commands count from the generation after it
        self._helm.retreat()

    async def _room(self) -> None:
        """Wait until the disk has more room than it has now."""
        before = free_bytes(self._store)
        while free_bytes(self._store) < before + ROOM_BYTES:
            await asyncio.sleep(ROOM_SECONDS)

    async def _last_word(self, state: SessionState) -> protocol.Finished:
        try:
            session = await self._keeper.call(self._keeper.store.session, self._session_id)
        except StoreError:  # the end is told even where the disk is gone
            return protocol.Finished(
                session_id=self._session_id, state=state, generations=self._generation, scored=0, best=None
            )
        return protocol.Finished(
            session_id=self._session_id,
            state=state,
            generations=session.generations,
            scored=session.scored,
            best=session.best_score,
        )


def free_bytes(folder: Path) -> int:
    """Room on a directory's disk; 0 where that cannot be told."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0


def _units(pausing: protocol.Pausing) -> str:
    match pausing.after:
        case "image":
            return "the batch being drawn" if pausing.total else "the step under way"
        case "batch":
            return (
                f"{pausing.total} batches that the painter holds" if pausing.total else "the step under way"
            )
    return "the generation"
