"""Takes a running session's steering commands: ruled on, recorded, acknowledged; and who rewrites what.

A command counts from the first generation whose breeding has not begun. What that is cannot change between the
ruling and the record, nor can a breeding begin without what is being recorded: both take the same lock.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from engine import protocol
from engine.bench import Log
from engine.commands import Confirm, EditBegin, EditCancel, EditCommit, Steering
from engine.confirm_orders import Order
from engine.errors import InputError, MineGapError
from engine.rescoring import Rescores
from engine.ruling import rule
from engine.steering import Entry, Record
from store import StoreError
from store.records import Event
from store.vocabulary import CandidateState

MAX_LOCKS = 16
"""Candidates that one connection may be rewriting at once."""


def entry_of(event: Event) -> Entry:
    """Read a stored ``steered`` event.

    Raises:
        InputError: a newer program wrote it.
    """
    payload = event.payload
    try:
        return Entry(
            command_id=str(payload["command_id"]),
            author=str(payload["author"]),
            generation=msgspec.convert(payload["generation"], int),
            command=msgspec.convert(payload["command"], Steering),
            sentence=str(payload["sentence"]),
        )
    except (msgspec.ValidationError, KeyError) as error:
        raise InputError(
            f"Event {event.seq} of session {event.session_id} records a command that this program does not know "
            f"({error}): use the program that mined the session."
        ) from error


class Helm:
    """The steering of one session.

    Args:
        log: where commands are recorded.
        record: the commands so far.
        rescores: the measurements that were ordered.
    """

    def __init__(self, log: Log, record: Record, rescores: Rescores) -> None:
        self.record = record
        self._log = log
        self._rescores = rescores
        self._bred = record.family.last_generation
        self._over = False
        self._lock = asyncio.Lock()
        self._locks: dict[int, tuple[str, int]] = {}

    @property
    def next_generation(self) -> int:
        """The first generation whose breeding has not begun: from it on a command given now would count."""
        return self._bred + 1

    @property
    def locks(self) -> tuple[protocol.Lock, ...]:
        """The candidates that are being rewritten."""
        return tuple(
            protocol.Lock(candidate_id=number, author=author) for number, (author, _) in self._locks.items()
        )

    # ------------------------------------------------------------ what the course needs

    @asynccontextmanager
    async def still(self) -> AsyncIterator[None]:
        """No command is recorded meanwhile."""
        async with self._lock:
            yield

    def begin(self, generation: int) -> None:
        """The breeding of a generation begins; only within ``still``."""
        self._bred = generation

    def retreat(self) -> None:
        """Nothing is being bred any more: what was begun and is not stored is begun anew, by newer rules."""
        self._bred = self.record.family.last_generation

    def close(self) -> None:
        """The last generation is mined: nothing can be steered any more."""
        self._over = True

    # ------------------------------------------------------------ commands

    async def steer(self, command: Steering, author: str, connection: int) -> protocol.Acknowledged:
        """Record one command; asked again with its id, the answer is the same.

        Raises:
            InputError: it cannot be carried out.
            StoreError: it cannot be recorded, and so is not carried out.
        """
        async with self._lock:
            entry = self.record.find(command.id)
            if entry is None:
                entry = await self._take(command, author, connection)
        if isinstance(command, EditCommit):
            self._unlock(command.candidate_id)
        await self._rescores.changed()
        return acknowledgement(entry)

    async def _take(self, command: Steering, author: str, connection: int) -> Entry:
        if self._over:
            raise InputError("The session has mined its last generation: fork it to go on in another way.")
        if isinstance(command, EditCommit):
            self._held(command.candidate_id, connection)
        states = await self._states(command)
        generation = self.next_generation
        ruling = rule(command, self.record, generation, states.__getitem__, self._rescores.begun)
        entry = Entry(command.id, author, generation, ruling.command, ruling.sentence)
        await self._log.record(
            protocol.Steered(
                command_id=entry.command_id,
                author=author,
                generation=generation,
                command=msgspec.to_builtins(ruling.command),
                sentence=ruling.sentence,
            ),
            lambda: self.record.append(entry),
        )
        return entry

    async def _states(self, command: Steering) -> dict[int, CandidateState]:
        """States of the candidates of the generation that a command is about; it may be unknown."""
        number = getattr(command, "candidate_id", None)
        if number is None:
            return {}
        generation = self.record.family.member(number).generation
        keeper = self._log.keeper
        population = await keeper.call(keeper.store.candidates, self._log.session_id, generation)
        return {one.id: one.state for one in population}

    async def confirm_at_end(self, command: Confirm, author: str, *, only: bool) -> str:
        """Record how the session is to be confirmed when its last generation is mined; returns the sentence.

        Args:
            only: whether nothing is mined, as something else is being confirmed.

        Raises:
            InputError: it is being confirmed already.
            StoreError: it cannot be recorded, and so is not done.
        """
        async with self._lock:
            if self._over or only:
                raise InputError("The session is being confirmed already: ask again when it is finished.")
            await self._log.record(
                protocol.ConfirmOrdered(
                    command_id=command.id,
                    author=author,
                    top=command.top,
                    images=command.images,
                    at_end=True,
                )
            )
            config = self.record.rules(self.next_generation).config
        top, images = Order(command.id, command.top, command.images).size(config)
        return (
            f"The session is confirmed when generation {config.search.generations} is mined: its {top} most biased "
            f"prompts, by at least {images} fresh images each."
        )

    # ------------------------------------------------------------ locks

    def begin_edit(self, command: EditBegin, author: str, connection: int) -> str:
        """Lock a candidate for a connection; returns the sentence.

        Raises:
            InputError: there is none, or another connection rewrites it.
        """
        number = self.record.family.member(command.candidate_id).id
        holder, owner = self._locks.get(number, (author, connection))
        if owner != connection:
            raise InputError(
                f"Candidate {number} is being rewritten by {holder}: wait, or choose another one."
            )
        if number not in self._locks:
            if sum(one == connection for _, one in self._locks.values()) >= MAX_LOCKS:
                raise InputError(
                    f"You are rewriting {MAX_LOCKS} candidates: commit or cancel one of them first."
                )
            self._locks[number] = (author, connection)
            self._log.emit(protocol.CandidateLocked(candidate_id=number, author=author))
        return f"Candidate {number} is yours to rewrite."

    def cancel_edit(self, command: EditCancel, connection: int) -> str:
        """Give a lock back; returns the sentence.

        Raises:
            InputError: it is another connection's, or there is none.
        """
        self._held(command.candidate_id, connection)
        self._unlock(command.candidate_id)
        return f"Candidate {command.candidate_id} is as it was."

    def disconnected(self, connection: int) -> None:
        """Give back what a connection that is gone had locked."""
        for number in [one for one, (_, owner) in self._locks.items() if owner == connection]:
            self._unlock(number)

    def _held(self, number: int, connection: int) -> None:
        holder, owner = self._locks.get(number, ("", connection))
        if owner != connection:
            raise InputError(
                f"Candidate {number} is being rewritten by {holder}: wait, or choose another one."
            )
        if not holder:
            raise InputError(f"Candidate {number} is not locked by you: begin the edit first.")

    def _unlock(self, number: int) -> None:
        if self._locks.pop(number, None) is not None:
            self._log.emit(protocol.CandidateUnlocked(candidate_id=number))


def acknowledgement(entry: Entry) -> protocol.Acknowledged:
    """Answer a recorded command; asked again, in the same words."""
    return protocol.Acknowledged(
        id=entry.command_id, accepted=True, sentence=entry.sentence, generation=entry.generation
    )


def refusal(command_id: str, error: MineGapError | StoreError) -> protocol.Acknowledged:
    """Say that a command is not carried out, and why."""
    return protocol.Acknowledged(
        id=command_id, accepted=False, sentence=str(error), exit_code=error.exit_code
    )
