"""What one session works with: its store, its models, its configuration, and the way to tell of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from engine import protocol
from engine.config import MiningConfig
from engine.keeper import Keeper
from engine.seeds import derive_seed
from engine.services import Pen, Studio

Emit = Callable[[protocol.Event], None]


@dataclass(frozen=True)
class Bench:
    """One session's tools. ``emit`` must return at once; ``notices`` are sentences still to be recorded."""

    session_id: str
    config: MiningConfig
    keeper: Keeper
    studio: Studio
    pen: Pen
    emit: Emit
    notices: list[str]
    _said: set[str] = field(default_factory=set)

    async def record(self, event: protocol.Event) -> None:
        """Store an event as a row of the record, then ring the bell with the row's number."""
        while self.notices:
            await self._store(protocol.Notice(message=self.notices.pop(0)))
        await self._store(event)

    async def notice(self, *messages: str) -> None:
        """Record sentences for the user, each of them once in a run."""
        for message in messages:
            if message not in self._said:
                self._said.add(message)
                await self.record(protocol.Notice(message=message))

    def seed(self, purpose: str, prompt: str, index: int) -> int:
        """Return the seed of one draw of this session."""
        return derive_seed(self.config.session.seed, purpose, prompt, index)

    async def _store(self, event: protocol.Event) -> None:
        payload = msgspec.to_builtins(event)
        kind = payload.pop("type")
        del payload["v"], payload["seq"]
        number = await self.keeper.call(self.keeper.store.append_event, self.session_id, kind, payload)
        self.emit(msgspec.structs.replace(event, seq=number))
