"""The sessions of one engine: they wait for each other, and for other stores' engines on the same device.

What waits is ``queued`` in the store, too, so that another engine takes it up should this one die.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from engine import protocol
from engine.bench import Emit
from engine.commands import Stop
from engine.errors import MineGapError
from engine.hub import Hub
from engine.journal import log, log_mistake
from engine.keeper import Keeper
from engine.ticket import Run, Ticket, last_word_on
from engine.turn import Turn
from store import StoreError
from store.vocabulary import SessionState

YIELD_SECONDS = 0.2
"""How long a device is left alone between two sessions, so that another store's engine can have its turn."""

LOOK_SECONDS = 2.0
"""How often to see who has the turn that is waited for."""


Begin: TypeAlias = Callable[[str, Emit], Run]


class SessionQueue:
    """Sessions that are queued or in work, one of them at a time.

    Args:
        store: the store's directory, absolute.
        keeper: the way to the store, open.
        hub: everybody who listens.
        begin: makes the work on one session, given its id and the way to tell of it.

    Attributes:
        tickets: by session, in the order of their turn; the one in work is the first.
        changed: set whenever something was queued or the end was asked for.
        ending: the engine is to end.
    """

    def __init__(self, store: Path, keeper: Keeper, hub: Hub, begin: Begin) -> None:
        self.tickets: dict[str, Ticket] = {}
        self.changed = asyncio.Event()
        self.ending = asyncio.Event()
        self._store = store
        self._keeper = keeper
        self._hub = hub
        self._begin = begin
        self._waiting: deque[Ticket] = deque()
        self._turns: dict[str, Turn] = {}
        self._stops: set[asyncio.Task[protocol.Acknowledged]] = set()

    def pop(self) -> Ticket | None:
        """Take the next session out of the queue, for ``attend``; None where none waits."""
        return self._waiting.popleft() if self._waiting else None

    def before(self, ticket: Ticket) -> int:
        """Return how many sessions come before this one; 0 when it is in work."""
        return list(self.tickets).index(ticket.session_id) if ticket.session_id in self.tickets else 0

    async def take_up(self) -> None:
        """Queue what an engine before this one left queued, in its order.

        Raises:
            StoreError: the store cannot be read.
        """
        left = [
            session
            for session in await self._keeper.call(self._keeper.store.sessions)
            if session.state == "queued"
        ]
        for session in sorted(left, key=lambda session: (session.updated_at, session.id)):
            try:
                await self.enqueue(session.id, "taken up by a new engine")
            except (MineGapError, StoreError) as error:
                if error.exit_code == 3:  # the disk, not the session: the next engine takes it up
                    log(error)
                else:
                    await self._set_state(session.id, "failed", str(error))

    async def enqueue(self, session_id: str, why: str) -> Ticket:
        """Put a stored session at the queue's end; one that is there already stays where it is.

        Raises:
            InputError: its configuration cannot be used.
            StoreError: there is no such session, or the store cannot be written.
        """
        store = self._keeper.store
        session = await self._keeper.call(store.session, session_id)
        event = await self._keeper.call(store.last_event, session_id)
        if session_id in self.tickets:
            return self.tickets[session_id]
        seq = event.seq if event is not None else 0
        ticket = self.tickets[session_id] = Ticket(session, seq, self._store, self._keeper, self._hub)
        try:
            if (session.state, session.reason) != ("queued", ""):
                await self._keeper.call(store.set_session_state, session_id, "queued")
            # a new session is there now, and would be mined: a full disk does not make that a refusal
            await ticket.log.record_anyway(protocol.StateChanged(state="queued", reason=why))
        except BaseException:
            self._forget(ticket)
            raise
        if not ticket.withdrawn.is_set():
            self._waiting.append(ticket)
            self.changed.set()
        return ticket

    async def withdraw(self, ticket: Ticket, reason: str) -> None:
        """Take a session out of the queue that has not begun; it can be resumed."""
        ticket.withdrawn.set()
        if ticket in self._waiting:
            self._waiting.remove(ticket)
        await self._give_up(ticket, "interrupted", reason)

    def end(self, why: str) -> None:
        """Stop what is in work and leave the queue as it is; a second call is urgent.

        Args:
            why: for people; becomes part of the reason in the store.
        """
        urgent = self.ending.is_set()
        self.ending.set()
        self.changed.set()
        for ticket in self.tickets.values():
            if ticket.run is not None:
                stop = Stop(id=os.urandom(16).hex(), session_id=ticket.session_id, at_once=urgent)
                task = asyncio.create_task(ticket.run.ask(stop, f"the system ({why})", 0))
                self._stops.add(task)
                task.add_done_callback(self._stops.discard)

    async def attend(self, ticket: Ticket) -> None:
        """Mine one session as soon as its device is free; returns when it has ended, or is no longer wanted."""
        try:
            turn = self._turns.get(ticket.device)
            if turn is None:
                turn = self._turns[ticket.device] = Turn(ticket.device, self._store)
            if not await self._has_turn(turn, ticket):
                return
        except MineGapError as error:
            await self._give_up(ticket, "interrupted", str(error))
            return
        try:
            await self._mine(ticket)
        finally:
            self._forget(ticket)
            turn.release()
        if self._waiting:
            await asyncio.sleep(YIELD_SECONDS)

    async def _has_turn(self, turn: Turn, ticket: Ticket) -> bool:
        """Wait for the turn on a device; False when the session left the queue or the engine is to end."""
        if turn.take_at_once():
            return True
        taking = asyncio.create_task(turn.take())
        leaving = {
            asyncio.create_task(ticket.withdrawn.wait()),
            asyncio.create_task(self.ending.wait()),
        }
        try:
            while not taking.done() and not any(task.done() for task in leaving):
                await self._tell_whom_it_waits_for(ticket, turn.holder())
                await asyncio.wait(
                    {taking, *leaving}, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
        finally:
            for task in (taking, *leaving):
                task.cancel()
            await asyncio.wait({taking, *leaving})
        if taking.cancelled():
            return False
        taking.result()
        wanted = not (ticket.withdrawn.is_set() or self.ending.is_set())
        if not wanted:
            turn.release()
        return wanted

    async def _tell_whom_it_waits_for(self, ticket: Ticket, holder: str) -> None:
        reason = f"waits for {ticket.device}, where the store {holder or 'of another engine'} is being mined"
        if reason != ticket.reason and not ticket.withdrawn.is_set():
            ticket.reason = reason
            await self._set_state(ticket.session_id, "queued", reason)
            await ticket.log.record_anyway(protocol.StateChanged(state="queued", reason=reason))

    async def _mine(self, ticket: Ticket) -> None:
        ticket.run = self._begin(ticket.session_id, ticket.tell)
        work = asyncio.create_task(ticket.run.run(), name=f"session {ticket.session_id}")
        await asyncio.wait({work})
        ticket.begun.set()
        error = work.exception()
        if error is not None:
            log_mistake(error)
            await self._give_up(
                ticket, "failed", f"The engine made a mistake ({error!r}): see engine.log in {self._store}."
            )

    async def _give_up(self, ticket: Ticket, state: SessionState, reason: str) -> None:
        """End a session that no work of its own ends."""
        try:
            await self._set_state(ticket.session_id, state, reason)
            await ticket.log.record_anyway(protocol.StateChanged(state=state, reason=reason))
            session = await self._keeper.call(self._keeper.store.session, ticket.session_id)
            await ticket.log.record_anyway(last_word_on(session, 3))
        finally:
            self._forget(ticket)

    def _forget(self, ticket: Ticket) -> None:
        self.tickets.pop(ticket.session_id, None)
        ticket.gone.set()

    async def _set_state(self, session_id: str, state: SessionState, reason: str) -> None:
        try:
            await self._keeper.call(self._keeper.store.set_session_state, session_id, state, reason)
        except StoreError as error:  # a full disk: what clients are told does not depend on it
            log(error)
