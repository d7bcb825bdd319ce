"""An engine in this process: the real store, socket, hub and service; only the work on a session is scripted."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from engine import commands, protocol
from engine.bench import Emit
from engine.client import EngineClient, command_id, follow
from engine.commands import Command, Stop
from engine.config import MiningConfig
from engine.config_sources import load_config
from engine.hub import Hub
from engine.keeper import Keeper
from engine.listener import Listener
from engine.places import socket_path
from engine.service import Service
from engine.wire import MAX_EVENT_BYTES, decode_event
from store import Store, open_reader, open_store
from store.vocabulary import SessionState


def small(name: str = "test", device: str = "cpu") -> MiningConfig:
    """A configuration whose models are there without being loaded."""
    return load_config(
        None,
        {
            "session": {"name": name, "seed": 1},
            "models": {"painter": "drawing:planted", "scorer": "a scorer", "writer": "a writer"},
            "painter": {"device": device},
        },
    )


class ScriptedRun:
    """Work that a test ends by ``finish``; acknowledges every command and remembers it.

    Attributes:
        asked: command, author and connection of each command.
        gone: connections that were told to be gone.
        ready: its first events have been told.
        models_gone: cleared by a test, it keeps the work from returning after its last word.
    """

    def __init__(self, session_id: str, emit: Emit, keeper: Keeper) -> None:
        self.session_id = session_id
        self.emit = emit
        self.asked: list[tuple[Command, str, int]] = []
        self.gone: list[int] = []
        self.seq = 0
        self.ready = False
        self.models_gone = asyncio.Event()
        self.models_gone.set()
        self.state: SessionState = "queued"
        self._keeper = keeper
        self._end: asyncio.Future[SessionState] = asyncio.get_running_loop().create_future()

    async def run(self) -> SessionState:
        await self.record(protocol.Notice(message="begun"))
        await self._enter("mining")
        self.ready = True
        state = await self._end
        await self._enter(state)
        await self.record(
            protocol.Finished(session_id=self.session_id, state=state, generations=0, scored=0, best=None)
        )
        await self.models_gone.wait()
        return state

    async def ask(self, command: Command, author: str, connection: int) -> protocol.Acknowledged:
        self.asked.append((command, author, connection))
        if isinstance(command, Stop):
            self.finish("interrupted")
        return protocol.Acknowledged(id=command.id, accepted=True, sentence=f"done, {len(self.asked)}")

    def disconnected(self, connection: int) -> None:
        self.gone.append(connection)

    def snapshot(self) -> protocol.Snapshot:
        return protocol.Snapshot(
            seq=self.seq, session_id=self.session_id, name="test", store="", state=self.state
        )

    def vitals(self) -> tuple[protocol.WorkerVitals, ...]:
        return (protocol.WorkerVitals(role="painter", pid=1, memory_mib=2.0, busy_seconds=3.0, restarts=4),)

    def finish(self, state: SessionState = "finished") -> None:
        """Let the work end."""
        if not self._end.done():
            self._end.set_result(state)

    def crash(self, error: Exception) -> None:
        """Let the work end by a mistake in the program."""
        self._end.set_exception(error)

    async def record(self, event: protocol.Notice | protocol.Finished | protocol.StateChanged) -> None:
        """Store an event and tell of it."""
        self.seq = await self._keeper.call(
            self._keeper.store.append_event, self.session_id, event.__struct_config__.tag, {}
        )
        self.emit(
            type(event)(
                **{name: getattr(event, name) for name in event.__struct_fields__ if name != "seq"},
                seq=self.seq,
            )
        )

    async def _enter(self, state: SessionState) -> None:
        self.state = state
        await self._keeper.call(self._keeper.store.set_session_state, self.session_id, state)
        await self.record(protocol.StateChanged(state=state))


class Serving:
    """An engine that runs; ``runs`` holds the work on each session that has begun."""

    def __init__(self, store: Path) -> None:
        self.store = store
        self.keeper = Keeper()
        self.hub = Hub()
        self.runs: dict[str, ScriptedRun] = {}
        self.service = Service(store, self.keeper, self.hub, self._begin)
        self.listener = Listener(store, self.hub, self.service)
        self.ended: asyncio.Task[None]

    def _begin(self, session_id: str, emit: Emit) -> ScriptedRun:
        self.runs[session_id] = ScriptedRun(session_id, emit, self.keeper)
        return self.runs[session_id]


@asynccontextmanager
async def serving(store: Path) -> AsyncIterator[Serving]:
    """Serve ``store`` in this process until the block ends."""
    engine = Serving(store)
    await engine.keeper.open(store)
    try:
        await engine.listener.open()
        engine.ended = asyncio.create_task(engine.service.run())
        try:
            yield engine
        finally:
            if not engine.ended.done():
                engine.service.end("the test is over")
            await engine.ended
            await engine.listener.close(engine.service.last_word)
    finally:
        engine.keeper.close()


async def until(condition: Callable[[], bool]) -> None:
    """Let everything else go on until ``condition`` holds."""
    while not condition():
        await asyncio.sleep(0.001)


async def opened(client: EngineClient, name: str = "test") -> str:
    """Begin a session that works on a ``small`` configuration."""
    begun = await client.ask(commands.Open(id=command_id(), config=small(name).model_dump_json()))
    return begun.session_id


async def in_work(engine: Serving, session_id: str) -> ScriptedRun:
    """The work on a session, once it has begun."""
    await until(lambda: session_id in engine.runs and engine.runs[session_id].ready)
    return engine.runs[session_id]


def state(engine: Serving, session_id: str) -> tuple[str, str]:
    """The state of a session as it is stored, and the reason for it."""
    with open_reader(engine.store) as reader:
        session = reader.session(session_id)
    return session.state, session.reason


def told(engine: Serving, session_id: str, kind: str = "state_changed") -> list[dict[str, object]]:
    """The payloads of a session's events of one kind, in order."""
    with open_reader(engine.store) as reader:
        return [event.payload for event in reader.events(session_id) if event.kind == kind]


async def followed(store: Path, session_id: str) -> list[protocol.Event]:
    """Follow a session until its last word: all that was said."""
    return [event async for event in follow(store, session_id, "test")]


def stored(store: Path, *states: str) -> list[str]:
    """Sessions as an engine before this one left them."""
    with open_store(store) as writer:
        ids = [created(writer, number) for number, _ in enumerate(states)]
        for session_id, left in zip(ids, states, strict=True):
            writer.set_session_state(session_id, left)  # type: ignore[arg-type]
    return ids


def created(writer: Store, number: int) -> str:
    """A session in a store that no engine serves."""
    config = small(f"left {number}").model_dump_json()
    return writer.create_session(name=f"left {number}", seed=1, config_json=config, models_json="")


class RawClient:
    """A client that says whatever bytes a test wants."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, store: Path) -> RawClient:
        return cls(*await asyncio.open_unix_connection(socket_path(store), limit=MAX_EVENT_BYTES + 2))

    @property
    def socket(self) -> socket.socket:
        found: socket.socket = self._writer.get_extra_info("socket")
        return found

    def say(self, data: bytes) -> None:
        self._writer.write(data)

    async def said(self) -> None:
        """Wait until the engine has read enough for more to be said."""
        await self._writer.drain()

    async def hear(self) -> protocol.Event | None:
        """The next event; None when the engine has hung up."""
        try:
            line = await self._reader.readline()
        except ConnectionResetError:
            return None
        return decode_event(line) if line else None

    def stop_reading(self) -> None:
        """Let the engine's lines pile up, as a suspended terminal does."""
        self._writer.transport.pause_reading()  # type: ignore[attr-defined]

    def half_close(self) -> None:
        self._writer.write_eof()

    def close(self) -> None:
        self._writer.close()
