"""An engine that does what a test tells it to: the real protocol, over a real socket, holding the real store."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from engine import protocol
from engine.commands import (
    Attach,
    Command,
    EditBegin,
    EditCancel,
    EditCommit,
    Fork,
    Knob,
    Open,
    Resume,
    Steering,
    Stop,
)
from engine.places import socket_path
from engine.wire import decode_command, encode
from store import open_store

KNOBS: dict[str, Knob] = {
    "population": 12,
    "survivors": 4,
    "mutations": 2,
    "images": 16,
    "variations": 16,
    "alpha": 0.5,
    "generations": 4,
    "axis": "",
    "theme": "",
    "prompts": None,
}
Answer = Callable[[Command], protocol.Acknowledged | None]


class EngineDouble:
    """Listens in a thread of its own.

    Attributes:
        asked: every command it was given but ``attach``, in order.
        locks: candidates that a connection holds now.
        greeted: the names that clients gave.
        answer: what it says to a command; None leaves the answer to the double.
    """

    def __init__(self, folder: Path, script: Sequence[protocol.Event] = ()) -> None:
        self.folder = folder
        self.asked: list[Command] = []
        self.locks: dict[int, object] = {}
        self.greeted: list[str] = []
        self.answer: Answer = lambda _: None
        self.unlocked = threading.Event()
        self.attached = threading.Event()
        self.script = list(script)
        self._store = open_store(folder)
        self._loop = asyncio.new_event_loop()
        self._writers: list[tuple[asyncio.StreamWriter, str]] = []
        self._state = "mining"
        self._last = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._listening = threading.Event()

    # ------------------------------------------------------------ for tests

    def session(self, name: str = "", state: str = "mining", config_json: str = "{}") -> str:
        """Put a session into the store."""
        session = self._store.create_session(name=name, seed=1, config_json=config_json, models_json="{}")
        self._store.set_session_state(session, state)  # type: ignore[arg-type]
        return session

    def resumed(self, session_id: str) -> None:
        """Have a session that is in the store already mined on."""
        self._store.set_session_state(session_id, "mining")

    def record(self, session_id: str, *events: protocol.Event) -> None:
        """Store events and tell those who follow, as the engine does."""
        for event in events:
            self.say(session_id, self.keep(session_id, event))

    def keep(self, session_id: str, event: protocol.Event) -> protocol.Event:
        """Store an event, and return it as it is told."""
        if isinstance(event, protocol.SessionOpened | protocol.Finished):
            event = msgspec.structs.replace(event, session_id=session_id)
        payload = msgspec.to_builtins(event)
        kind = payload.pop("type")
        del payload["v"], payload["seq"]
        self._last = self._store.append_event(session_id, kind, payload)
        if isinstance(event, protocol.StateChanged):
            self._state = event.state
            self._store.set_session_state(session_id, event.state, event.reason)  # type: ignore[arg-type]
        return msgspec.structs.replace(event, seq=self._last)

    def say(self, session_id: str, *events: protocol.Event) -> None:
        """Tell those who follow a session something that is not stored."""
        self._loop.call_soon_threadsafe(self._send, session_id, events)

    def hang_up(self) -> None:
        """Drop everyone who follows, as one that cannot keep up."""
        dropped, self._writers = self._writers, []
        self._loop.call_soon_threadsafe(lambda: [writer.close() for writer, _ in dropped])

    # ------------------------------------------------------------ the engine's side

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        path = socket_path(self.folder)
        with suppress(FileNotFoundError):
            path.unlink()
        self._server = self._loop.run_until_complete(asyncio.start_unix_server(self._serve, path))
        self._listening.set()
        self._loop.run_forever()
        self._server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        path.unlink()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            hello = decode_command(await reader.readline())
            assert isinstance(hello, protocol.Hello)
            self.greeted.append(hello.client)
            writer.write(encode(protocol.Welcome(engine="double", pid=os.getpid(), store=str(self.folder))))
            while line := await reader.readline():
                command = decode_command(line)
                assert not isinstance(command, protocol.Hello)
                self._obey(command, writer)
        except (ConnectionError, asyncio.CancelledError):
            return
        finally:
            self._writers = [one for one in self._writers if one[0] is not writer]
            for candidate in [c for c, owner in self.locks.items() if owner is writer]:
                del self.locks[candidate]
                self.unlocked.set()
            writer.close()

    def _obey(self, command: Command, writer: asyncio.StreamWriter) -> None:
        if not isinstance(command, Attach):
            self.asked.append(command)
        answer = self.answer(command) or self._usual(command, writer)
        writer.write(encode(answer))
        if not answer.accepted:
            return
        match command:
            case Attach():
                self._attach(command.session_id, writer)
            case Stop():
                self._state = "interrupted"
                self.record(
                    command.session_id,
                    protocol.StateChanged(state="stopping"),
                    protocol.StateChanged(state="interrupted"),
                    finished(command.session_id, "interrupted"),
                )

    def _usual(self, command: Command, writer: asyncio.StreamWriter) -> protocol.Acknowledged:
        session_id, generation = "", 0
        match command:
            case Open() | Fork():
                session_id = self.session(config_json=command.config)
            case Resume() if self._state != "finished":
                self._state = "mining"
            case EditBegin():
                self.locks[command.candidate_id] = writer
            case EditCommit() | EditCancel():
                del self.locks[command.candidate_id]
        if isinstance(command, Steering):
            generation = 4
        return protocol.Acknowledged(
            id=command.id,
            accepted=True,
            sentence=f"Done: {type(command).__name__}.",
            session_id=session_id,
            generation=generation,
        )

    def _attach(self, session_id: str, writer: asyncio.StreamWriter) -> None:
        if (writer, session_id) not in self._writers:  # who looks again is told of everything once, as before
            self._writers.append((writer, session_id))
        writer.write(
            encode(
                protocol.Snapshot(
                    seq=self._last,
                    session_id=session_id,
                    name="demo",
                    store=str(self.folder),
                    state=self._state,
                    generation=1,
                    generations=4,
                    knobs=KNOBS,
                )
            )
        )
        script, self.script = self.script, []
        for event in script:
            if isinstance(event, protocol.Progress | protocol.Pausing | protocol.Failed | protocol.Heartbeat):
                self.say(session_id, event)
            else:
                self.record(session_id, event)
        self.attached.set()

    def _send(self, session_id: str, events: Sequence[protocol.Event]) -> None:
        for writer, followed in self._writers:
            if followed == session_id:
                for event in events:
                    writer.write(encode(event))


@contextmanager
def listening(folder: Path, script: Sequence[protocol.Event] = ()) -> Iterator[EngineDouble]:
    """Run a double for the store in ``folder``; the store is closed and the socket gone afterwards."""
    double = EngineDouble(folder, script)
    double._thread.start()
    assert double._listening.wait(30)
    try:
        yield double
    finally:
        double._loop.call_soon_threadsafe(double._loop.stop)
        double._thread.join(30)
        double._store.close()


def finished(session: str = "", state: str = "finished") -> protocol.Finished:
    return protocol.Finished(session_id=session, state=state, generations=4, scored=1, best=0.1)
