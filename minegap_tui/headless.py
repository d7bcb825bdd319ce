"""Follows a session without an app: events go to a sink, signals become requests to the engine.

The engine lives on its own. ``run_engine`` begins a session and owns it: an interrupt stops it. ``watch`` only
looks on. A terminal that hangs up never stops anything.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING

from engine import protocol
from engine.client import EngineClient, command_id, follow
from engine.commands import Confirm, Open, Resume, Stop
from engine.errors import InputError, MachineError, MineGapError
from minegap_tui.view.record import stored
from minegap_tui.view.session import SessionView
from minegap_tui.view.steering import FINAL_STATES
from store import open_reader
from store.records import Candidate, Event, Session

if TYPE_CHECKING:
    from engine.config import MiningConfig

INTERRUPTED = 130
CLIENT = "command line"
EVERYTHING = 1_000_000_000
Sink = Callable[[protocol.Event, SessionView], None]
Tell = Callable[[str], None]


@dataclass
class Outcome:
    """How following a session ended.

    Attributes:
        view: the session as last seen.
        exit_code: of the command.
        sentence: why it did not come to its end, for people; empty where it did or was stopped.
        detached: the session goes on without this process.
        unread: because nobody reads its lines any more.
    """

    view: SessionView
    exit_code: int
    sentence: str = ""
    detached: bool = False
    unread: bool = False


class Left(Enum):
    """Why a follower left a session that goes on: a signal told it, or its output is closed."""

    TOLD = auto()
    UNREAD = auto()


class _Signals:
    """What the user and the system asked of this process."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.now = asyncio.Event()
        self.leave = asyncio.Event()


async def run_engine(
    store: Path,
    sink: Sink,
    tell: Tell,
    *,
    config: MiningConfig | None = None,
    resume: str | None = None,
    order: Confirm | None = None,
) -> Outcome:
    """Begin a new session, go on with a stored one or confirm it, and follow it to its end.

    The engine is started if need be. Give exactly one of ``config``, ``resume`` and ``order``.

    The first SIGINT or SIGTERM asks for a clean stop, a second one for an end at once, a third leaves; SIGHUP
    leaves. A session that was stopped or left can be resumed. A fault that pauses the session stops it, since
    nobody is here who could mend it.

    Args:
        sink: gets every event with the view that already holds it, stored ones exactly once.
        tell: gets sentences for the user.

    Raises:
        MineGapError: the engine could not be started, refused, or broke the protocol.
        StoreError: the store cannot be read.
    """
    if [config, resume, order].count(None) != 2:
        raise InputError("Give the engine either a configuration, or a session to resume or to confirm.")
    signals = _Signals()
    with _heard(
        {signal.SIGINT: _stopping, signal.SIGTERM: _stopping, signal.SIGHUP: _leaving}, signals, tell
    ):
        client = await EngineClient.connect_or_start(store, CLIENT)
        try:
            if signals.stop.is_set():
                return Outcome(SessionView(), INTERRUPTED)
            seen = 0
            if config is not None:
                begun = await client.ask(Open(id=command_id(), config=config.model_dump_json()))
                session_id = begun.session_id
            else:
                asked = order or Resume(id=command_id(), session_id=str(resume))
                session_id = asked.session_id
                seen = await asyncio.to_thread(_last_seq, store, session_id)
                begun = await client.ask(asked)
            tell(begun.sentence)
            owner = _Owner(client, session_id, signals, tell)
            return await owner.run(_Follower(store, session_id, sink, seen, owner.fault))
        finally:
            await client.close()


async def watch(store: Path, session_id: str, sink: Sink, tell: Tell) -> Outcome:
    """Look on until the session ends, from a snapshot of how it stands; SIGINT, SIGTERM and SIGHUP leave it to itself.

    Raises:
        MineGapError: no engine runs, or it broke the protocol.
        StoreError: the store cannot be read.
    """
    signals = _Signals()
    handlers = dict.fromkeys((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), _leaving)
    with _heard(handlers, signals, tell):
        follower = _Follower(store, session_id, sink, None, lambda _: None)
        left = await _until_left(follower, signals)
    if left is not None:
        return Outcome(follower.view, 0, detached=True, unread=left is Left.UNREAD)
    return _ended(follower.view)


class _Follower:
    """Feeds a sink with a session's events: whatever a lost connection swallowed is read from the store.

    Args:
        seen: the last event that is not to be told any more; None: all that the first snapshot holds.
    """

    def __init__(
        self,
        store: Path,
        session_id: str,
        sink: Sink,
        seen: int | None,
        fault: Callable[[protocol.StateChanged], None],
    ) -> None:
        self.view = SessionView(session_id=session_id)
        self._store = store
        self._session_id = session_id
        self._sink = sink
        self._seen = seen
        self._fault = fault

    async def run(self) -> None:
        async with aclosing(follow(self._store, self._session_id, CLIENT)) as events:
            async for event in events:
                state = event if isinstance(event, protocol.StateChanged) else None
                if isinstance(event, protocol.Snapshot):
                    await self._catch_up(event)
                    if event.state in FINAL_STATES:
                        return
                    state = protocol.StateChanged(
                        state=event.state, reason=event.reason, exit_code=event.exit_code
                    )
                self._pass(event)
                if state is not None and state.state == "paused" and state.exit_code:
                    self._fault(state)

    async def _catch_up(self, snapshot: protocol.Snapshot) -> None:
        seen = snapshot.seq if self._seen is None else self._seen
        session, candidates, missed = await asyncio.to_thread(_read, self._store, self._session_id, seen)
        for line in missed:
            event = stored(line)
            if event is not None and line.seq <= snapshot.seq:
                self._pass(event)
        self.view.load(session, candidates)
        if snapshot.state in FINAL_STATES and self.view.finished is None and self.view.failure is None:
            self._pass(_end_of(session))

    def _pass(self, event: protocol.Event) -> None:
        self._seen = max(self._seen or 0, event.seq)
        self.view.apply(event)
        self._sink(event, self.view)


class _Owner:
    """Whoever began a session: hands interrupts to the engine and ends what a fault has paused."""

    def __init__(self, client: EngineClient, session_id: str, signals: _Signals, tell: Tell) -> None:
        self._client = client
        self._session_id = session_id
        self._signals = signals
        self._tell = tell
        self._paused_by: protocol.StateChanged | None = None

    def fault(self, event: protocol.StateChanged) -> None:
        """Take a pause that a fault made for the end of this run."""
        if self._paused_by is None:
            self._paused_by = event
            self._signals.stop.set()

    async def run(self, follower: _Follower) -> Outcome:
        passing_on = asyncio.create_task(self._pass_on(), name="pass interrupts on")
        try:
            left = await _until_left(follower, self._signals)
        finally:
            passing_on.cancel()
            with suppress(asyncio.CancelledError):
                await passing_on
        view = follower.view
        if left is not None:
            return Outcome(view, INTERRUPTED, detached=True, unread=left is Left.UNREAD)
        if self._paused_by is not None and (view.finished is None or view.finished.state != "finished"):
            return Outcome(view, self._paused_by.exit_code, self._paused_by.reason)
        return _ended(view, interrupted=self._signals.stop.is_set())

    async def _pass_on(self) -> None:
        await self._signals.stop.wait()
        await self._stop(at_once=False)
        await self._signals.now.wait()
        await self._stop(at_once=True)

    async def _stop(self, *, at_once: bool) -> None:
        try:
            await self._client.ask(Stop(id=command_id(), session_id=self._session_id, at_once=at_once))
        except MineGapError as error:
            self._tell(str(error))


async def _until_left(follower: _Follower, signals: _Signals) -> Left | None:
    """Follow to the end; returns why this process left before that, or None."""
    following = asyncio.create_task(follower.run(), name="follow the session")
    leaving = asyncio.create_task(signals.leave.wait(), name="hear the hang-up")
    try:
        await asyncio.wait((following, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not following.done():
            return Left.TOLD
        try:
            following.result()
        except BrokenPipeError:
            return Left.UNREAD
        return None
    finally:
        for task in (following, leaving):
            task.cancel()
            with suppress(asyncio.CancelledError, BrokenPipeError):
                await task


def _end_of(session: Session) -> protocol.Finished | protocol.Failed:
    """The last word on a session that ended before anybody listened."""
    if session.state == "failed":
        return protocol.Failed(sentence=session.reason, exit_code=MachineError.exit_code)
    return protocol.Finished(
        session_id=session.id,
        state=session.state,
        generations=session.generations,
        scored=session.scored,
        best=session.best_score,
    )


def _ended(view: SessionView, *, interrupted: bool = False) -> Outcome:
    if view.finished is not None:
        return Outcome(view, 0 if view.finished.state == "finished" else INTERRUPTED)
    if interrupted:
        return Outcome(view, INTERRUPTED)
    if view.failure is not None:
        return Outcome(view, view.failure.exit_code, view.failure.sentence)
    raise MachineError("The engine ended without a result: see engine.log in the store's directory.")


def _stopping(signals: _Signals, tell: Tell) -> None:
    if signals.now.is_set():
        signals.leave.set()
    elif signals.stop.is_set():
        signals.now.set()
    else:
        tell("stopping after the batch in flight; Ctrl-C again ends it at once")
        signals.stop.set()


def _leaving(signals: _Signals, tell: Tell) -> None:
    signals.leave.set()


@contextmanager
def _heard(
    handlers: Mapping[signal.Signals, Callable[[_Signals, Tell], None]], signals: _Signals, tell: Tell
) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler, signals, tell)
    try:
        yield
    finally:
        for number in handlers:
            loop.remove_signal_handler(number)


def _last_seq(store: Path, session_id: str) -> int:
    with open_reader(store) as reader:
        events = reader.events(session_id)
    return events[-1].seq if events else 0


def _read(
    store: Path, session_id: str, after: int
) -> tuple[Session, tuple[Candidate, ...], tuple[Event, ...]]:
    with open_reader(store) as reader:
        return (
            reader.session(session_id),
            reader.leaderboard(session_id, EVERYTHING),
            reader.events(session_id, after),
        )
