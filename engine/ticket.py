"""One session's place in an engine: first in the queue, then in work."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Protocol

from engine import protocol
from engine.bench import Log
from engine.commands import Command
from engine.config import MiningConfig
from engine.config_sources import parse_config
from engine.hub import Hub
from engine.keeper import Keeper
from engine.turn import device_of
from store.records import Session
from store.vocabulary import SessionState

ENDED = ("finished", "interrupted", "failed")


class Run(Protocol):
    """The work on a session (``engine.session.SessionRun``)."""

    async def run(self) -> SessionState:
        """Mine to the end; faults are told as events."""

    async def ask(self, command: Command, author: str, connection: int) -> protocol.Acknowledged:
        """Carry out a command."""

    def disconnected(self, connection: int) -> None:
        """Give back what a connection that is gone had locked."""

    def snapshot(self) -> protocol.Snapshot:
        """The session as it stands."""

    def vitals(self) -> tuple[protocol.WorkerVitals, ...]:
        """How its worker processes are."""


class Ticket:
    """A session that is queued or in work.

    Args:
        session: its row; the state there is ``queued``.
        seq: the number of its last stored event; 0 for none.

    Attributes:
        log: its record, while nobody works on it.
        reason: why it waits, beside its place in the queue.
        run: the work; None while it is queued.
        begun: the work has told its first event, or is over.
        withdrawn: it is to leave the queue.
        last: its last word, once it was told: the session is over, and what remains is to let its models go.
        gone: its place in the engine is free again.

    Raises:
        InputError: its stored configuration cannot be used.
    """

    def __init__(self, session: Session, seq: int, store: Path, keeper: Keeper, hub: Hub) -> None:
        self.session_id = session.id
        self.log = Log(session.id, keeper, self.tell)
        self.reason = ""
        self.run: Run | None = None
        self.begun = asyncio.Event()
        self.withdrawn = asyncio.Event()
        self.last: protocol.Finished | protocol.Failed | None = None
        self.gone = asyncio.Event()
        self._config = parse_config(session.config_json, f"session {session.id}")
        self._session = session
        self._seq = seq
        self._store = store
        self._hub = hub

    @property
    def device(self) -> str:
        """The device on which its painter draws."""
        return device_of(self._config.painter.device)

    def tell(self, event: protocol.Event) -> None:
        """Pass an event on to all that follow; returns at once."""
        self._seq = max(self._seq, event.seq)
        if self.run is not None:
            self.begun.set()
        if isinstance(event, protocol.Finished | protocol.Failed):
            self.last = event
        self._hub.publish(self.session_id, event)

    def snapshot(self) -> protocol.Snapshot:
        """The session as it stands."""
        if self.run is not None and self.begun.is_set():
            return self.run.snapshot()
        return snapshot_of(self._session, self._config, self._store, self._seq, "queued", self.reason)


def snapshot_of(
    session: Session, config: MiningConfig, store: Path, seq: int, state: str, reason: str
) -> protocol.Snapshot:
    """Describe a session that nobody works on."""
    search = config.search
    return protocol.Snapshot(
        seq=seq,
        session_id=session.id,
        name=session.name,
        store=str(store),
        state=state,
        reason=reason,
        generation=session.generations,
        generations=search.generations,
        population=search.population,
        images=search.images,
        variations=search.variations,
        score_name=search.score if search.objective == "bias" else search.objective,
        next_generation=session.generations + 1,
        **json.loads(session.models_json or "{}"),
    )


def last_word_on(session: Session, exit_code: int) -> protocol.Finished | protocol.Failed:
    """Return how an ended session ended."""
    if session.state == "failed":
        return protocol.Failed(sentence=session.reason, exit_code=exit_code or 3)
    return protocol.Finished(
        session_id=session.id,
        state=session.state,
        generations=session.generations,
        scored=session.scored,
        best=session.best_score,
    )
