"""The engine as its clients see it: found or started, asked, followed. Knows the socket, and nothing of models.

An engine is a process of its own (``engine.serve``), one per store, which outlives the terminal that started it.
Importing this module loads no model library.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

from engine import protocol
from engine.commands import Attach, Command
from engine.errors import InputError, MachineError
from engine.places import LOG_NAME, socket_path
from engine.starting import ENGINE_MODULE, start_engine
from engine.wire import MAX_EVENT_BYTES, ProtocolError, decode_event, encode
from store import StoreError, open_reader
from store.lock import holder

WELCOME_SECONDS = 20.0
"""How long an engine may take to answer a greeting before it counts as hung."""

ANSWER_SECONDS = 60.0
"""How long it may take to carry a command out."""

START_SECONDS = 60.0
"""How long to try, while engines come and go, before giving up."""

AGAIN_SECONDS = 0.1


def command_id() -> str:
    """Return a fresh id for one command; repeat a command with its own id, never another one with it."""
    return secrets.token_hex(16)


class _GoneError(MachineError):
    """The connection ended; the engine may have, too."""


class EngineClient:
    """One connection to the engine of a store.

    Attributes:
        pid: the engine's process id.
        log: the file that takes its standard error.
        last_word: why the engine hung up, where it said so.
    """

    def __init__(
        self,
        store: Path,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        welcome: protocol.Welcome,
    ) -> None:
        self.pid = welcome.pid
        self.log = store / LOG_NAME
        self.last_word = ""
        self._reader = reader
        self._writer = writer
        self._answers: dict[str, asyncio.Future[protocol.Acknowledged]] = {}
        self._snapshots: asyncio.Queue[protocol.Snapshot | None] = asyncio.Queue()
        self._events: asyncio.Queue[protocol.Event | None] = asyncio.Queue()
        self._receiving = asyncio.create_task(self._receive(), name="engine's lines")

    @classmethod
    async def connect(cls, store: Path, name: str) -> EngineClient:
        """Connect to the engine that runs for ``store``.

        Args:
            name: what this client is, for people (``app``, ``command line``); part of the author of its commands.

        Raises:
            InputError: no engine runs there.
            MachineError: it does not answer, or refuses this client.
        """
        client = await cls._connect(store, name)
        if client is None:
            raise InputError(
                f"No engine runs for the store {str(store)!r}: begin or resume a session there first."
            )
        return client

    @classmethod
    async def connect_or_start(cls, store: Path, name: str) -> EngineClient:
        """Connect to the engine of ``store``; start one, detached from this process, where none runs.

        Raises:
            InputError: the store cannot be used, or another program writes there.
            MachineError: the engine cannot be started, does not answer or refuses this client.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + START_SECONDS
        while True:
            client = await cls._connect(store, name)
            if client is not None:
                return client
            refusal = await start_engine(store)
            if not refusal:
                continue
            # Another client's engine may have been faster, or the last one is about to end: look again.
            writer = await asyncio.to_thread(holder, store)
            stranger = writer is not None and ENGINE_MODULE not in writer.text
            if stranger or loop.time() > deadline:
                raise InputError(refusal)
            await asyncio.sleep(AGAIN_SECONDS)

    @classmethod
    async def _connect(cls, store: Path, name: str) -> EngineClient | None:
        """Connect and greet; None where nobody listens, or the engine ends just now."""
        try:
            reader, writer = await asyncio.open_unix_connection(socket_path(store), limit=MAX_EVENT_BYTES + 2)
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        except OSError as error:
            raise MachineError(
                f"The engine of {str(store)!r} cannot be reached ({error.strerror or error}): try again."
            ) from error
        try:
            answer = await _greet(reader, writer, store, name)
            if isinstance(answer, protocol.Welcome):
                return cls(store, reader, writer, answer)
        except BaseException:
            writer.close()
            raise
        writer.close()
        if isinstance(answer, protocol.Refused):
            raise MachineError(answer.sentence)
        return None

    async def ask(self, command: Command) -> protocol.Acknowledged:
        """Send a command and return its acknowledgement.

        A command whose answer was lost may be asked again, with the same id: it is carried out once.

        Raises:
            InputError: the engine refuses it; the sentence says why.
            MachineError: the machine does not allow it, or the engine ended or hangs.
        """
        answer: asyncio.Future[protocol.Acknowledged] = asyncio.get_running_loop().create_future()
        self._answers[command.id] = answer
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                if self._receiving.done():
                    raise self._gone()
                self._writer.write(encode(command))
                with contextlib.suppress(ConnectionError):  # the end of its lines tells
                    await self._writer.drain()
                acknowledged = await answer
        except TimeoutError as error:
            raise MachineError(
                f"The engine (process {self.pid}) has not answered for {ANSWER_SECONDS:.0f} s: it may be "
                f"suspended; see {str(self.log)!r}."
            ) from error
        finally:
            self._answers.pop(command.id, None)
        if not acknowledged.accepted:
            kind = InputError if acknowledged.exit_code == InputError.exit_code else MachineError
            raise kind(acknowledged.sentence)
        return acknowledged

    async def attach(self, session_id: str) -> protocol.Snapshot:
        """Follow a session: return how it stands; ``events`` gives what happens from there on.

        Raises:
            InputError: the store has no such session.
            MachineError: the engine ended or hangs.
        """
        await self.ask(Attach(id=command_id(), session_id=session_id))
        snapshot = await self._snapshots.get()
        if snapshot is None:
            raise self._gone()
        return snapshot

    async def events(self) -> AsyncIterator[protocol.Event]:
        """Yield the events of the session that is followed, until the connection ends."""
        while (event := await self._events.get()) is not None:
            yield event

    async def close(self) -> None:
        """Hang up; the engine goes on, and gives back what this connection had locked."""
        self._receiving.cancel()
        await asyncio.wait({self._receiving})
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()

    async def _receive(self) -> None:
        try:
            while line := await self._reader.readline():
                self._sort(decode_event(line))
        except (ConnectionError, ValueError, ProtocolError) as error:
            # an overlong line or one of another version: nothing that follows could be understood
            self.last_word = self.last_word or str(error)
        finally:
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(self._gone())
            self._snapshots.put_nowait(None)
            self._events.put_nowait(None)

    def _sort(self, event: protocol.Event) -> None:
        match event:
            case protocol.Acknowledged():
                answer = self._answers.get(event.id)
                if answer is not None and not answer.done():
                    answer.set_result(event)
            case protocol.Snapshot():
                self._snapshots.put_nowait(event)
            case protocol.Refused():
                self.last_word = event.sentence
            case _:
                self._events.put_nowait(event)

    def _gone(self) -> _GoneError:
        return _GoneError(
            self.last_word
            or f"The engine (process {self.pid}) hung up before it answered: its last lines are in "
            f"{str(self.log)!r}."
        )


async def follow(store: Path, session_id: str, name: str) -> AsyncGenerator[protocol.Event, None]:
    """Follow a session whatever happens to the connection: a ``Snapshot``, its events, another ``Snapshot`` …

    A client that was dropped because it did not keep up connects again, and begins again with a ``Snapshot``. The
    last event is ``Finished`` or ``Failed``: the session's own, or, when no engine runs (any more), what the store
    says of it.

    Raises:
        InputError: there is no such session.
        MachineError: the engine does not answer, or refuses this client.
    """
    last_word = ""
    while (client := await EngineClient._connect(store, name)) is not None:
        try:
            yield await client.attach(session_id)
            async for event in client.events():
                yield event
                if isinstance(event, protocol.Failed | protocol.Finished):
                    return
        except _GoneError:
            pass
        finally:
            await client.close()
        last_word = client.last_word
    yield await asyncio.to_thread(_stored_end, store, session_id, last_word)


async def _greet(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, store: Path, name: str
) -> protocol.Event | None:
    try:
        async with asyncio.timeout(WELCOME_SECONDS):
            writer.write(encode(protocol.Hello(client=name[:64])))
            line = await reader.readline()
    except TimeoutError as error:
        raise MachineError(
            f"The engine of {str(store)!r} does not answer: it may be suspended; see {LOG_NAME} there."
        ) from error
    except (ConnectionError, ValueError):
        return None
    return decode_event(line) if line else None


def _stored_end(store: Path, session_id: str, last_word: str) -> protocol.Finished | protocol.Failed:
    """Tell from the store how a session ended that no engine runs."""
    try:
        with open_reader(store) as reader:
            session = reader.session(session_id)
            told = reader.last_event(session_id, "state_changed")
    except StoreError as error:
        raise (InputError if error.exit_code == InputError.exit_code else MachineError)(str(error)) from error
    if session.state in ("finished", "interrupted"):
        return protocol.Finished(
            session_id=session_id,
            state=session.state,
            generations=session.generations,
            scored=session.scored,
            best=session.best_score,
        )
    if session.state == "failed":
        code = told.payload.get("exit_code") if told is not None else None
        return protocol.Failed(
            sentence=session.reason, exit_code=code if isinstance(code, int) and code else 3
        )
    if session.state == "queued":
        kept = "the session is queued still and is taken up by the next engine of this store"
    else:
        kept = "everything mined is stored, resume the session"
    said = last_word or f"The engine ended without a word (its last lines are in {str(store / LOG_NAME)!r})"
    return protocol.Failed(sentence=f"{said.rstrip('.')}: {kept}.", exit_code=3)
