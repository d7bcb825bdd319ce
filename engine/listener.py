"""The engine's socket: who may connect, what may be said, and what becomes of those who say anything else.

The socket is the user's alone: by the mode of its directory (0700) and its own (0600), and once more by the kernel's
word on who connects. A client that says anything but this protocol gets one sentence and is hung up on. Each client's
commands are carried out one after another, and after each of them everybody else has a turn.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import socket
import struct
from pathlib import Path
from typing import Protocol

from engine import protocol
from engine.commands import Command
from engine.errors import MachineError
from engine.hub import Client, Hub, Outbox
from engine.places import socket_path
from engine.wire import MAX_LINE_BYTES, ProtocolError, decode_command, encode

MAX_CONNECTIONS = 64
GREETING_SECONDS = 10.0
LAST_WORD_SECONDS = 2.0
"""How long clients may take, when they are hung up on, to read what waits for them."""

BUFFER_BYTES = 1 << 16
"""How much waits in the transport, outside a client's outbox, before sending stops."""

_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid


class Service(Protocol):
    """What carries commands out."""

    def welcome(self) -> protocol.Welcome:
        """Say who answers here."""

    def joined(self, client: Client) -> None:
        """A client has said hello."""

    async def answer(self, command: Command, client: Client) -> None:
        """Carry out a command and tell the client what became of it."""

    def left(self, client: Client) -> None:
        """A client is gone."""


class Listener:
    """Accepts clients for one store.

    Args:
        store: the store's directory; the engine must hold its writer's lock.
        hub: gets every client that said hello.
        service: gets their commands.
    """

    def __init__(self, store: Path, hub: Hub, service: Service) -> None:
        self._store = store
        self._hub = hub
        self._service = service
        self._path = Path()
        self._file: os.stat_result | None = None
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Listen. A socket that is there already is a dead engine's: only the lock's holder listens.

        Raises:
            InputError, MachineError: the socket cannot be made.
        """
        self._path = socket_path(self._store)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._path.unlink(missing_ok=True)
            listening.bind(str(self._path))
            self._path.chmod(0o600)
            self._file = self._path.lstat()
            self._server = await asyncio.start_unix_server(
                self._accept, sock=listening, limit=MAX_LINE_BYTES + 2
            )
        except OSError as error:
            listening.close()
            raise MachineError(
                f"The engine's socket {str(self._path)!r} cannot be made ({error.strerror or error}): free some "
                "space there, or set XDG_RUNTIME_DIR to a directory of your own."
            ) from error

    async def tend(self) -> None:
        """Listen anew where the socket's file is gone (a cleaner of old files, a hasty hand).

        Raises:
            InputError, MachineError: as ``open``.
        """
        try:
            found = self._path.lstat()
        except OSError:
            found = None
        if found is None or self._file is None or not os.path.samestat(found, self._file):
            self._stop_accepting()
            await self.open()

    async def close(self, sentence: str = "") -> None:
        """Stop accepting, let every client read what waits for it, then hang up.

        Args:
            sentence: a last word to everybody; empty for none.
        """
        self._stop_accepting()
        self._path.unlink(missing_ok=True)
        for client in self._hub.clients:
            if sentence:
                self._hub.tell(client, protocol.Refused(sentence=sentence))
            client.outbox.close()
        if self._connections:
            _, late = await asyncio.wait(self._connections, timeout=LAST_WORD_SECONDS)
            for connection in late:
                connection.cancel()
            if late:
                await asyncio.wait(late)

    def _stop_accepting(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.current_task()
        assert connection is not None
        self._connections.add(connection)
        try:
            self._refuse_at_the_door(writer)
            try:
                await self._attend(reader, writer)
            except ProtocolError as error:
                writer.write(_refusal(error))
                await _hang_up(reader, writer)
        except ProtocolError as error:
            # into the kernel's buffer at once; not even a file descriptor is spent on waiting
            writer.write(_refusal(error))
        except ConnectionError:
            return
        except asyncio.CancelledError:
            writer.transport.abort()
            raise
        finally:
            self._connections.discard(connection)
            writer.close()

    def _refuse_at_the_door(self, writer: asyncio.StreamWriter) -> None:
        if _uid(writer) != os.geteuid():
            raise ProtocolError(
                "This engine belongs to another user: each user mines in stores of their own."
            )
        if len(self._connections) > MAX_CONNECTIONS:
            raise ProtocolError(f"The engine has {MAX_CONNECTIONS} clients already: close one of them first.")

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hello = await _greeting(reader)
        writer.transport.set_write_buffer_limits(high=BUFFER_BYTES)
        client = Client(
            f"{_user_name()} ({_printable(hello.client)})",
            asyncio.get_running_loop().time(),
            Outbox(writer.transport.abort),
        )
        self._hub.clients.add(client)
        self._hub.tell(client, self._service.welcome())
        self._service.joined(client)
        sending = asyncio.create_task(_send(client, writer), name="client's events")
        hearing = asyncio.create_task(self._hear(reader, client), name="client's commands")
        try:
            await asyncio.wait({sending, hearing}, return_when=asyncio.FIRST_COMPLETED)
            if hearing.done():
                hearing.result()
        finally:
            self._hub.clients.discard(client)
            self._service.left(client)
            await _end(sending, hearing)

    async def _hear(self, reader: asyncio.StreamReader, client: Client) -> None:
        while line := await _line(reader):
            command = decode_command(line)
            if isinstance(command, protocol.Hello):
                raise ProtocolError("A client said hello twice: it has to say it once, first.")
            client.asked = True
            await self._service.answer(command, client)
            await asyncio.sleep(0)  # whatever a flood has put into the buffer: the others have a turn


async def _greeting(reader: asyncio.StreamReader) -> protocol.Hello:
    try:
        async with asyncio.timeout(GREETING_SECONDS):
            line = await _line(reader)
    except TimeoutError as error:
        raise ProtocolError(
            f"A client has said nothing for {GREETING_SECONDS:.0f} s: begin with hello."
        ) from error
    if not line:
        raise ConnectionResetError
    hello = decode_command(line)
    if not isinstance(hello, protocol.Hello):
        raise ProtocolError("A client's first line is a command: begin with hello.")
    return hello


async def _line(reader: asyncio.StreamReader) -> bytes:
    """Read one line; empty at the end, where half a line means nothing."""
    try:
        line = await reader.readline()
    except ValueError as error:
        raise ProtocolError(
            f"A line exceeds the limit of {MAX_LINE_BYTES} bytes: send less at once."
        ) from error
    return line if line.endswith(b"\n") else b""


async def _send(client: Client, writer: asyncio.StreamWriter) -> None:
    """Send what is put into the outbox until that closes."""
    with contextlib.suppress(ConnectionError):
        while lines := await client.outbox.take():
            writer.write(lines)
            await writer.drain()


async def _end(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def _hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say no more, and let the client say what it was about to: cut off, it could not read why."""
    with contextlib.suppress(OSError, TimeoutError):
        writer.write_eof()
        async with asyncio.timeout(LAST_WORD_SECONDS):
            while await reader.read(BUFFER_BYTES):
                pass


def _uid(writer: asyncio.StreamWriter) -> int:
    """Return the user who connected, as the kernel knows it."""
    connection: socket.socket = writer.get_extra_info("socket")
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    uid: int = _CREDENTIALS.unpack(raw)[1]
    return uid


def _user_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"user {os.geteuid()}"


def _printable(name: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in name) or "unnamed client"


def _refusal(error: ProtocolError) -> bytes:
    """One sentence for a client, however much of its own line the error quotes."""
    sentence = str(error)
    short = sentence if len(sentence) <= 500 else f"{sentence[:499]}…"
    return encode(protocol.Refused(sentence=short))
