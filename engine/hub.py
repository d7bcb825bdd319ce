"""Who listens: every client's lines wait in an outbox of their own, and nobody's slowness reaches the mine.

Only the event loop's thread calls in here. Nothing waits: a line is put into the outbox, replaces an older one that it
makes pointless, or finds the outbox full; then the client is dropped, and attaches again when it is ready to listen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from itertools import count

import msgspec

from engine import protocol
from engine.journal import log
from engine.wire import ProtocolError, encode, speakable

MAX_LINES = 1000
MAX_BYTES = 8 << 20
CHUNK_BYTES = 1 << 16

_numbers = count(1)


class Outbox:
    """Lines that wait to be sent to one client.

    Progress, pausing and heartbeats replace the one of their kind that still waits. More than ``MAX_LINES`` lines, or
    ``MAX_BYTES`` in them, are thrown away, and the outbox closes for good.

    Args:
        drop: called once when that happens: cuts the client off.
    """

    def __init__(
        self, drop: Callable[[], None], max_lines: int = MAX_LINES, max_bytes: int = MAX_BYTES
    ) -> None:
        self.closed = False
        self._drop = drop
        self._lines: dict[Hashable, bytes] = {}
        self._bytes = 0
        self._limits = max_lines, max_bytes
        self._changed = asyncio.Event()

    def put(self, event: protocol.Event, line: bytes) -> None:
        """Add an event in its encoded form; a full outbox closes."""
        if self.closed:
            return
        key = _mergeable(event)
        self._bytes += len(line) - len(self._lines.pop(key, b""))
        self._lines[key] = line
        if len(self._lines) > self._limits[0] or self._bytes > self._limits[1]:
            self._lines.clear()
            self.close()
            self._drop()
        self._changed.set()

    def close(self) -> None:
        """Take no more lines; what waits can still be taken."""
        self.closed = True
        self._changed.set()

    async def take(self) -> bytes:
        """Wait for lines and remove some of them, the oldest first; empty when there will be no more."""
        while not self._lines:
            if self.closed:
                return b""
            self._changed.clear()
            await self._changed.wait()
        taken: list[bytes] = []
        size = 0
        while self._lines and size < CHUNK_BYTES:
            line = self._lines.pop(next(iter(self._lines)))
            taken.append(line)
            size += len(line)
        self._bytes -= size
        return b"".join(taken)


@dataclass(eq=False)
class Client:
    """One connection that said hello.

    Attributes:
        author: the user's name and what the client calls itself, as recorded with its commands.
        following: the session whose events it gets; empty for none.
        joined: when it said hello, on the event loop's clock.
        asked: whether it has sent a command yet.
    """

    author: str
    joined: float
    outbox: Outbox
    number: int = field(default_factory=lambda: next(_numbers))
    following: str = ""
    asked: bool = False


class Hub:
    """All clients, and the way to tell them."""

    def __init__(self) -> None:
        self.clients: set[Client] = set()

    def tell(self, client: Client, event: protocol.Event) -> None:
        """Send an event to one client."""
        client.outbox.put(event, _line(event))

    def publish(self, session_id: str, event: protocol.Event) -> None:
        """Send an event to all that follow a session."""
        followers = [client for client in self.clients if client.following == session_id]
        if followers:
            line = _line(event)
            for client in followers:
                client.outbox.put(event, line)

    def follow(self, client: Client, snapshot: protocol.Snapshot) -> None:
        """Send a session's snapshot, and from now on its events; another session is followed no longer."""
        client.following = snapshot.session_id
        self.tell(client, snapshot)


def _mergeable(event: protocol.Event) -> Hashable:
    match event:
        case protocol.Progress():
            return event.stage
        case protocol.Heartbeat() | protocol.Pausing():
            return type(event)
    return next(_numbers)


def _line(event: protocol.Event) -> bytes:
    try:
        return encode(event)
    except ProtocolError as error:
        log(f"{type(event).__name__}: {error}")
    event = speakable(event)
    while True:
        try:
            return encode(event)
        except ProtocolError:
            event = _shortened(event)


def _shortened(event: protocol.Event) -> protocol.Event:
    """An event that is too long for a line, without some of what a client can read in the store instead."""
    match event:
        case protocol.Snapshot(pending=pending) if pending:
            return msgspec.structs.replace(event, pending=pending[: len(pending) // 2])
        case protocol.Steered(command=command) if len(command) > 1:
            return msgspec.structs.replace(event, command={"type": command.get("type")})
    return protocol.Notice(
        seq=event.seq, message=f"An event ({type(event).__name__}) is too long to be sent."
    )
