"""What one session works with: its store, its models, its configuration, and the way to tell of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from engine import protocol
from engine.config import MiningConfig
from engine.keeper import Keeper
from engine.seeds import derive_seed
from engine.services import Pen, Studio
from store import StoreError

Emit = Callable[[protocol.Event], None]


class Log:
    """One session's record: every event is a stored row first, then a bell with the row's number.

    ``emit`` must return at once.
    """

    def __init__(self, session_id: str, keeper: Keeper, emit: Emit) -> None:
        self.session_id = session_id
        self.keeper = keeper
        self.emit = emit
        self._said: set[str] = set()
        self._unwritten: list[protocol.Event] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def record(self, event: protocol.Event, heed: Callable[[], None] | None = None) -> None:
        """Store an event and tell of it, after all that could not be stored before.

        Args:
            heed: called between the two, even if whoever records is cancelled meanwhile: so nobody hears of what
                this process does not heed, nor does it forget what is stored.

        Raises:
            StoreError: the event is neither stored nor told.
        """
        await self._catch_up()
        await self._store(event, heed)

    async def record_anyway(self, event: protocol.Event) -> None:
        """As ``record``; what a full or broken disk refuses is told at once and stored with the next event."""
        try:
            await self.record(event)
        except StoreError:
            self._unwritten.append(event)
            self.emit(event)

    async def notice(self, *messages: str) -> None:
        """Record sentences for the user, each of them once in a run."""
        for message in messages:
            if message not in self._said:
                self._said.add(message)
                await self.record(protocol.Notice(message=message))

    def later(self, message: str) -> None:
        """Record a sentence as soon as the store has time for it, as often as it is said."""
        task = asyncio.get_running_loop().create_task(self.record_anyway(protocol.Notice(message=message)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settle(self) -> None:
        """Return when nothing is waiting to be recorded."""
        await asyncio.shield(asyncio.gather(*self._tasks, return_exceptions=True))

    async def _catch_up(self) -> None:
        while self._unwritten:
            event = self._unwritten.pop(0)
            try:
                await self._store(event)
            except StoreError:
                self._unwritten.insert(0, event)
                raise

    async def _store(self, event: protocol.Event, heed: Callable[[], None] | None = None) -> None:
        # whoever records may be cancelled by a fault elsewhere: what is stored is told all the same
        task = asyncio.create_task(self._append(event, heed))
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        await asyncio.shield(task)

    async def _append(self, event: protocol.Event, heed: Callable[[], None] | None) -> None:
        payload = msgspec.to_builtins(event)
        kind = payload.pop("type")
        del payload["v"], payload["seq"]
        number = await self.keeper.call(self.keeper.store.append_event, self.session_id, kind, payload)
        if heed is not None:
            heed()
        self.emit(msgspec.structs.replace(event, seq=number))

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # seen by whoever waits; nobody may


@dataclass(frozen=True)
class Bench:
    """The tools for one generation; ``config`` is the configuration in force for it."""

    log: Log
    config: MiningConfig
    studio: Studio
    pen: Pen

    @property
    def session_id(self) -> str:
        """The session's id in the store."""
        return self.log.session_id

    @property
    def keeper(self) -> Keeper:
        """The way to the store."""
        return self.log.keeper

    def seed(self, purpose: str, prompt: str, index: int) -> int:
        """Return the seed of one draw of this session."""
        return derive_seed(self.config.session.seed, purpose, prompt, index)
