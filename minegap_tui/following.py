"""The app's line to an engine: made, lost and made again, without the screen noticing more than a new snapshot."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from engine import protocol
from engine.client import EngineClient
from engine.commands import Command
from engine.errors import MachineError, MineGapError

CLIENT = "app"
_DUMB_LINES = 5
"""Connections in a row that may end without one event before the engine counts as gone."""


class Connection(Protocol):
    """What the app needs of a connection (``engine.client.EngineClient``)."""

    async def ask(self, command: Command) -> protocol.Acknowledged:
        """Send a command; a refusal is a ``MineGapError`` with the engine's sentence."""

    async def attach(self, session_id: str) -> protocol.Snapshot:
        """Follow a session."""

    def events(self) -> AsyncIterator[protocol.Event]:
        """Yield the session's events until the connection ends."""

    async def close(self) -> None:
        """Hang up; locks of this connection are given back."""


class Door(Protocol):
    """How connections are made."""

    async def start(self) -> Connection:
        """Connect; start an engine where none runs."""

    async def connect(self) -> Connection:
        """Connect to the engine that runs; ``InputError`` where none does."""


@dataclass(frozen=True)
class StoreDoor:
    """The door to the engine of a store."""

    store: Path

    async def start(self) -> Connection:
        """Connect; start an engine, detached from this process, where none runs."""
        return await EngineClient.connect_or_start(self.store, CLIENT)

    async def connect(self) -> Connection:
        """Connect to the engine that runs."""
        return await EngineClient.connect(self.store, CLIENT)


class EngineGone(MachineError):  # noqa: N818  (a state of affairs more than an error)
    """The connection was lost and no engine runs any more."""


class Following:
    """One session followed over as many connections as it takes.

    Attributes:
        session_id: the session; known once an engine opened it.
    """

    def __init__(self, door: Door, session_id: str = "") -> None:
        self.session_id = session_id
        self._door = door
        self._connection: Connection | None = None

    @property
    def attached(self) -> bool:
        """Whether an engine hears us."""
        return self._connection is not None

    async def events(self, begin: Command | None) -> AsyncIterator[protocol.Event]:
        """Yield a ``Snapshot`` and the session's events; after a lost connection again; to its last event.

        Args:
            begin: opens, forks or resumes the session, in an engine started for it if need be; None follows a
                session that an engine has already.

        Raises:
            MineGapError: there is no engine or it refuses; afterwards only as ``EngineGone``.
        """
        connection = await (self._door.start() if begin is not None else self._door.connect())
        try:
            if begin is not None:
                begun = await connection.ask(begin)
                self.session_id = begun.session_id or self.session_id
            snapshot = await connection.attach(self.session_id)
        except BaseException:
            await connection.close()
            raise
        dumb = 0
        while True:
            self._connection = connection
            try:
                yield snapshot
                async for event in connection.events():
                    dumb = 0
                    yield event
                    if isinstance(event, protocol.Finished | protocol.Failed):
                        return
            finally:
                self._connection = None
                await connection.close()
            dumb += 1
            connection, snapshot = await self._again(dumb)

    async def ask(self, command: Command) -> protocol.Acknowledged:
        """Send a command.

        Raises:
            MineGapError: it was refused or nobody hears us; the sentence says why.
        """
        if self._connection is None:
            raise MachineError("No engine is connected: wait for it, or press R if it is gone.")
        return await self._connection.ask(command)

    async def look_again(self) -> protocol.Snapshot | None:
        """Return how the session stands now, beside the events; None when the connection is being lost."""
        if self._connection is None:
            return None
        try:
            return await self._connection.attach(self.session_id)
        except MineGapError:
            return None

    async def _again(self, dumb: int) -> tuple[Connection, protocol.Snapshot]:
        if dumb > _DUMB_LINES:
            raise EngineGone("The engine hangs up on every connection: its last lines are in engine.log.")
        try:
            connection = await self._door.connect()
        except MineGapError as error:
            raise EngineGone(
                "The engine ended without a word: its last lines are in engine.log, in the store's directory."
            ) from error
        try:
            return connection, await connection.attach(self.session_id)
        except MineGapError as error:
            await connection.close()
            raise EngineGone(f"The engine does not take us back ({error}).") from error
