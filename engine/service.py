"""What the engine of one store does: it answers clients, and mines the store's sessions one after another.

When nothing is left to do, the engine ends: a little later, so that everybody hears the last word.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import OrderedDict
from collections.abc import Coroutine
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import msgspec

from engine import protocol
from engine.bench import Log
from engine.commands import Attach, Command, Confirm, Delete, Fork, Open, Resume, Steering, Stop
from engine.config import MiningConfig
from engine.config_sources import parse_config
from engine.confirm_orders import ConfirmOrders
from engine.errors import InputError, MineGapError
from engine.helm import acknowledgement, entry_of
from engine.hub import Client, Hub
from engine.journal import log_mistake, watched
from engine.keeper import Keeper
from engine.packs import resolve_pack
from engine.session_queue import Begin, SessionQueue
from engine.ticket import ENDED, Ticket, last_word_on, snapshot_of
from engine.vitals import Vitals
from store import StoreError
from store.records import Session

HEARTBEAT_SECONDS = 2.0
LINGER_SECONDS = 2.0
"""How long an engine stays when it has nothing left to do."""

FIRST_COMMAND_SECONDS = 10.0
"""How long it stays for a client, or right after its start, before anything was asked."""

ANSWERS = 1000
"""Acknowledgements that are kept, so that a repeated command is answered in the same words."""

FILES_AT_ONCE = 200
"""Files of a deleted session that are removed before the store is free for others again."""


class Service:
    """The engine of one store.

    Args:
        store: the store's directory, absolute.
        keeper: the way to the store, open.
        hub: everybody who listens.
        begin: makes the work on one session, given its id and the way to tell of it.

    Attributes:
        last_word: why the engine ends, where it was told to.
    """

    def __init__(self, store: Path, keeper: Keeper, hub: Hub, begin: Begin) -> None:
        self.last_word = ""
        self._store = store
        self._keeper = keeper
        self._hub = hub
        self._sessions = SessionQueue(store, keeper, hub, begin)
        self._vitals = Vitals()
        self._answers: OrderedDict[str, asyncio.Task[protocol.Acknowledged]] = OrderedDict()
        self._answering = 0
        self._stay_until = 0.0
        self._visited = False
        self._closed = False

    async def run(self) -> None:
        """Take up what the store has queued, and mine until nothing is left or ``end`` was called.

        Raises:
            MineGapError, StoreError: the queue cannot be read, or a device's turn not be taken.
        """
        self._stay(FIRST_COMMAND_SECONDS)
        heart = watched(asyncio.create_task(self._beat(), name="heartbeat"))
        try:
            await self._sessions.take_up()
            while (ticket := await self._next()) is not None:
                await self._sessions.attend(ticket)
                self._stay(LINGER_SECONDS)
        finally:
            heart.cancel()

    def end(self, why: str) -> None:
        """Stop what is mined, leave the queue as it is and return from ``run``; a second call is urgent.

        Args:
            why: for people; becomes part of the reason in the store.
        """
        self.last_word = f"The engine was told to end ({why})."
        self._sessions.end(why)

    async def _next(self) -> Ticket | None:
        """Wait for a session to mine; None, and no command is accepted any more, when the engine has to end."""
        sessions, loop = self._sessions, asyncio.get_running_loop()
        while not sessions.ending.is_set():
            if (ticket := sessions.pop()) is not None:
                return ticket
            if not self._answering and loop.time() >= self._stays_until():
                break
            sessions.changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(None if self._answering else self._stays_until()):
                    await sessions.changed.wait()
        self._closed = True
        return None

    def _stay(self, seconds: float) -> None:
        self._stay_until = max(self._stay_until, asyncio.get_running_loop().time() + seconds)

    def _stays_until(self) -> float:
        silent = (client.joined + FIRST_COMMAND_SECONDS for client in self._hub.clients if not client.asked)
        return max(self._stay_until, *silent, 0.0)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            runs = [ticket.run for ticket in self._sessions.tickets.values() if ticket.run is not None]
            followed = {client.following for client in self._hub.clients if client.following}
            if not followed:
                continue
            beat = protocol.Heartbeat(workers=runs[0].vitals() if runs else (), machine=self._vitals.newest())
            for session_id in followed:
                self._hub.publish(session_id, beat)

    # ------------------------------------------------------------ clients

    def welcome(self) -> protocol.Welcome:
        """Say who answers here."""
        return protocol.Welcome(engine=_version(), pid=os.getpid(), store=str(self._store))

    def joined(self, client: Client) -> None:
        """Give a new client time for its first command."""
        if not self._visited:
            self._visited = True
            self._stay_until = asyncio.get_running_loop().time() + LINGER_SECONDS

    def left(self, client: Client) -> None:
        """Give back what a client that is gone had locked."""
        for ticket in self._sessions.tickets.values():
            if ticket.run is not None:
                ticket.run.disconnected(client.number)
        self._sessions.changed.set()

    async def answer(self, command: Command, client: Client) -> None:
        """Carry out a command and tell the client what became of it; a repeated one is only answered."""
        if self._closed:
            return  # about to hang up: the client asks the next engine
        self._answering += 1
        try:
            if isinstance(command, Attach):
                answer = await self._outcome(command, self._attach(command, client))
                if not answer.accepted:
                    self._hub.tell(client, answer)
                return
            task = self._answers.get(command.id)
            if task is None:
                task = asyncio.create_task(self._outcome(command, self._carry_out(command, client)))
                self._answers[command.id] = task
                if len(self._answers) > ANSWERS:
                    self._answers.popitem(last=False)
            await asyncio.wait({task})
            self._hub.tell(client, task.result())
        finally:
            self._answering -= 1
            self._stay(LINGER_SECONDS)
            self._sessions.changed.set()

    async def _outcome(
        self, command: Command, doing: Coroutine[Any, Any, protocol.Acknowledged]
    ) -> protocol.Acknowledged:
        """Await an acknowledgement; every fault becomes one, too."""
        task = asyncio.create_task(doing)
        await asyncio.wait({task})
        error = task.exception()
        if error is None:
            return task.result()
        if isinstance(error, MineGapError | StoreError):
            return _refused(command, str(error), error.exit_code)
        log_mistake(error)
        return _refused(command, f"The engine made a mistake over this command ({error!r}): see its log.", 3)

    async def _carry_out(self, command: Command, client: Client) -> protocol.Acknowledged:
        if self._sessions.ending.is_set():
            raise InputError(f"{self.last_word} Ask again when it has.")
        match command:
            case Open():
                return await self._open(command, client.author)
            case Fork():
                return await self._fork(command, client.author)
            case Attach():
                raise AssertionError("attaching is not repeated but done again")
        ticket = self._sessions.tickets.get(command.session_id)
        if ticket is not None and ticket.last is not None:
            await ticket.gone.wait()
            ticket = self._sessions.tickets.get(command.session_id)
        if isinstance(command, Delete):
            return await self._delete(command, ticket)
        in_work = ticket is not None and ticket.run is not None
        if isinstance(command, Confirm) and not (command.at_end and in_work):
            return await self._confirm(command, ticket, client.author)
        if ticket is None and isinstance(command, Resume):
            return await self._resume(command, client.author)
        steers = isinstance(command, Steering) and (ticket is None or ticket.run is None)
        if steers and (recorded := await self._recorded(command.session_id, command.id)) is not None:
            return recorded
        if ticket is None:
            session = await self._keeper.call(self._keeper.store.session, command.session_id)
            raise InputError(f"Session {session.id} is {session.state}, not running: resume it first.")
        if ticket.run is not None:
            if not isinstance(command, Stop):
                await ticket.begun.wait()
            return await ticket.run.ask(command, client.author, client.number)
        if isinstance(command, Stop):
            await self._sessions.withdraw(ticket, f"stopped by {client.author} before its turn came")
            return _accepted(command, ticket.session_id, f"Session {ticket.session_id} left the queue.")
        if isinstance(command, Resume):
            return self._queued(command, ticket)
        raise InputError(f"Session {ticket.session_id} is queued: it can be steered as soon as it is mined.")

    async def _recorded(self, session_id: str, command_id: str) -> protocol.Acknowledged | None:
        """Answer a steering command that was recorded in another life of its session."""
        for event in await self._keeper.call(self._keeper.store.steering, session_id):
            if event.kind == "steered" and event.payload.get("command_id") == command_id:
                return acknowledgement(entry_of(event))
        return None

    async def _attach(self, command: Attach, client: Client) -> protocol.Acknowledged:
        session_id = command.session_id
        accepted = _accepted(command, session_id, f"Session {session_id} is followed from now on.")
        if session_id not in self._sessions.tickets:
            keeper = self._keeper
            session = await keeper.call(keeper.store.session, session_id)
            event = await keeper.call(keeper.store.last_event, session_id)
            change = await keeper.call(keeper.store.last_event, session_id, "state_changed")
            config = parse_config(session.config_json, f"session {session_id}")
        # No waiting from here on: between the snapshot and the first event nothing may be missed.
        self._hub.tell(client, accepted)
        if (ticket := self._sessions.tickets.get(session_id)) is not None:
            self._hub.follow(client, ticket.snapshot())
            if ticket.last is not None:
                self._hub.tell(client, ticket.last)
            return accepted
        seq = event.seq if event is not None else 0
        self._hub.follow(
            client, snapshot_of(session, config, self._store, seq, session.state, session.reason)
        )
        if session.state in ENDED:
            code = change.payload.get("exit_code") if change is not None else 0
            self._hub.tell(client, last_word_on(session, code if isinstance(code, int) else 0))
        return accepted

    async def _begun_before(self, command: Open | Fork, author: str) -> protocol.Acknowledged | None:
        """Answer a command that began its session already, in an engine that died before it could say so."""
        session_id = await self._keeper.call(self._keeper.store.session_begun_by, command.id)
        if session_id is None:
            return None
        session = await self._keeper.call(self._keeper.store.session, session_id)
        if session.state == "queued" or session_id in self._sessions.tickets:
            return self._queued(command, await self._sessions.enqueue(session_id, f"begun by {author}"))
        sentence = f"Session {session_id} was begun by this command already: it is {session.state}."
        return _accepted(command, session_id, sentence)

    async def _open(self, command: Open, author: str) -> protocol.Acknowledged:
        if (before := await self._begun_before(command, author)) is not None:
            return before
        config = await _usable(command.config)
        session_id = await self._keeper.call(
            self._keeper.store.create_session,
            name=config.session.name,
            seed=config.session.seed,
            config_json=config.model_dump_json(),
            state="queued",
            command_id=command.id,
        )
        return self._queued(command, await self._sessions.enqueue(session_id, f"begun by {author}"))

    async def _fork(self, command: Fork, author: str) -> protocol.Acknowledged:
        if (before := await self._begun_before(command, author)) is not None:
            return before
        config = await _usable(command.config)
        if config.search.generations <= command.generation:
            raise InputError(
                f"search.generations = {config.search.generations} leaves nothing to mine after generation "
                f"{command.generation}: raise it."
            )
        source = await self._keeper.call(self._keeper.store.session, command.session_id)
        session_id = await self._keeper.call(
            self._keeper.store.fork_session,
            command.session_id,
            command.generation,
            name=config.session.name,
            seed=config.session.seed,
            config_json=config.model_dump_json(),
            models_json=_models_of_a_fork(source, config),
            command_id=command.id,
        )
        why = f"forked by {author} from generation {command.generation} of session {command.session_id}"
        return self._queued(command, await self._sessions.enqueue(session_id, why))

    async def _resume(self, command: Resume, author: str) -> protocol.Acknowledged:
        session = await self._keeper.call(self._keeper.store.session, command.session_id)
        pending = ConfirmOrders(await self._keeper.call(self._keeper.store.events, session.id)).pending
        if pending and pending[-1].rest not in ("", "finished"):  # mined on when that is confirmed
            onwards = msgspec.structs.replace(pending[-1], rest="")
            await Log(session.id, self._keeper, lambda event: None).record(onwards)
        if session.state == "finished" and not pending:
            raise InputError(
                f"Session {session.id} is finished: fork it to go on from one of its generations."
            )
        return self._queued(command, await self._sessions.enqueue(session.id, f"resumed by {author}"))

    async def _confirm(self, command: Confirm, ticket: Ticket | None, author: str) -> protocol.Acknowledged:
        """Queue a session that nobody mines, to confirm what it found."""
        session = await self._keeper.call(self._keeper.store.session, command.session_id)
        if ticket is not None:
            raise InputError(
                f"Session {session.id} is {ticket.snapshot().state}: what it finds is confirmed at the end of mining; "
                "stop it first to confirm what it has found so far, or ask for its end (minegap confirm --at-end)."
            )
        if command.at_end:
            raise InputError(f"Session {session.id} is {session.state}, not in work: leave at_end out.")
        if session.scored == 0:
            raise InputError(f"Session {session.id} has no scored candidate to confirm: resume it first.")
        order = protocol.ConfirmOrdered(
            command_id=command.id, author=author, top=command.top, images=command.images, rest=session.state
        )
        known = await self._keeper.call(self._keeper.store.events, session.id, 0, "confirm_ordered")
        if not any(event.payload.get("command_id") == command.id for event in known):
            await Log(session.id, self._keeper, lambda event: None).record(order)
        return self._queued(
            command, await self._sessions.enqueue(session.id, f"to be confirmed for {author}")
        )

    async def _delete(self, command: Delete, ticket: Ticket | None) -> protocol.Acknowledged:
        """Delete a session; the store itself refuses one that is queued or in work."""
        if ticket is not None and ticket.snapshot().state in ENDED:
            await ticket.gone.wait()  # it still has its last word to record
        store = self._keeper.store
        deleted = await self._keeper.call(store.delete_session, command.session_id)
        # Piece by piece, so that what another session has drawn is stored in between.
        for place in range(0, len(deleted.files), FILES_AT_ONCE):
            await self._keeper.call(store.remove_files, deleted.files[place : place + FILES_AT_ONCE])
        return _accepted(
            command,
            command.session_id,
            f"Session {command.session_id} is deleted, and with it {deleted.candidates:,} candidates and "
            f"{deleted.images:,} images ({deleted.bytes / (1 << 20):,.1f} MiB) that no other session has.",
        )

    def _queued(self, command: Command, ticket: Ticket) -> protocol.Acknowledged:
        before = self._sessions.before(ticket)
        place = f"is queued, {before} before it" if before else "begins as soon as its device is free"
        first = next(iter(self._sessions.tickets.values()), ticket)
        if first is not ticket and first.snapshot().state == "paused":
            place += f", and {first.session_id} is paused: 'minegap resume' lets it go on"
        return _accepted(command, ticket.session_id, f"Session {ticket.session_id} {place}.")


def _version() -> str:
    try:
        return version("minegap")
    except PackageNotFoundError:  # run from its source, without an installation
        return "unknown"


async def _usable(text: str) -> MiningConfig:
    """Read a configuration and look whether its models are where it says."""
    config = parse_config(text, "the command")
    await asyncio.to_thread(resolve_pack, config)
    return config


def _models_of_a_fork(source: Session, config: MiningConfig) -> str:
    """The fingerprints a fork must meet: its source's, but the writer's where other meta-prompts change that."""
    models = json.loads(source.models_json or "{}")
    before = parse_config(source.config_json, f"session {source.id}")
    if config.writer.prompts != before.writer.prompts:
        models.pop("writer", None)
    return json.dumps(models) if models else ""


def _accepted(command: Command, session_id: str, sentence: str) -> protocol.Acknowledged:
    return protocol.Acknowledged(id=command.id, accepted=True, sentence=sentence, session_id=session_id)


def _refused(command: Command, sentence: str, exit_code: int) -> protocol.Acknowledged:
    return protocol.Acknowledged(id=command.id, accepted=False, sentence=sentence, exit_code=exit_code)
