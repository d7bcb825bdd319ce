"""The three roles of a running session: loaded once, known again by their fingerprints, the writer exchanged."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Protocol, cast

from engine import protocol
from engine.bench import Log
from engine.config import MiningConfig
from engine.errors import InputError
from engine.gate import Gate
from engine.services import Pen, Studio


class Models(Protocol):
    """Loads the three roles; workers in production, in-process fakes in tests."""

    async def open(self, config: MiningConfig, notify: Callable[[str], None]) -> tuple[Studio, Pen]:
        """Load painter, scorer and writer at the same time.

        Raises:
            InputError, MachineError: one of them cannot be used.
        """

    async def reopen_pen(self, config: MiningConfig, notify: Callable[[str], None]) -> Pen:
        """Let the writer go and load it anew: its meta-prompts changed.

        Raises:
            InputError, MachineError: it cannot be used.
        """

    async def close(self) -> None:
        """Let all of them go; what is closed can be opened again."""


class Roles:
    """One session's models; they stay loaded through pauses and faults.

    Args:
        models: not open yet.
        log: the session's log.
        gate: a writer is exchanged as one step.

    Attributes:
        studio, pen: None until they are loaded.
    """

    def __init__(self, models: Models, log: Log, gate: Gate) -> None:
        self.studio: Studio | None = None
        self.pen: Pen | None = None
        self._models = models
        self._log = log
        self._gate = gate
        self._prompts: str | None = None
        self._writers: dict[str | None, str] = {}  # by their meta-prompts, as the session was mined with them
        self._pen_usable = False
        self._known = False

    def vitals(self) -> tuple[protocol.WorkerVitals, ...]:
        """How the worker processes are; empty before they are loaded."""
        return tuple(role.vitals() for role in (self.studio, self.pen) if role is not None)

    async def load(self, config: MiningConfig) -> tuple[Studio, Pen]:
        """Load all three, or return what is loaded.

        Raises:
            InputError: one of them cannot be used, or is another than the session was mined with.
            MachineError: one of them failed.
            StoreError: the store failed.
        """
        if self.studio is None or self.pen is None:
            with self._gate.ending():
                self._log.emit(protocol.Progress(stage="loading", generation=0, done=0, total=1))
                self.studio, self.pen = await self._models.open(config, self._log.later)
                self._prompts, self._pen_usable = config.writer.prompts, True
                self._log.emit(protocol.Progress(stage="loading", generation=0, done=1, total=1))
        if not self._known:
            await self._know(config, self.studio, self.pen)
            self._known = True
        return self.studio, self.pen

    async def pen_for(self, config: MiningConfig) -> Pen:
        """Return the writer with a configuration's meta-prompts; only after ``load``.

        Raises:
            InputError, MachineError: it cannot be used.
            StoreError: the store failed.
        """
        prompts = config.writer.prompts
        assert self.pen is not None
        if self._prompts != prompts or not self._pen_usable:
            async with self._gate.step():
                self._pen_usable = False  # it is let go before the other is there
                self.pen = await self._models.reopen_pen(config, self._log.later)
                await self._recognise(prompts, self.pen.writer)
                self._prompts, self._pen_usable = prompts, True
            await self._log.notice(f"The writer is now {self.pen.writer}.")
        return self.pen

    async def close(self) -> None:
        """Let all of them go."""
        await self._models.close()

    async def _recognise(self, prompts: str | None, writer: str) -> None:
        """Keep the fingerprint of a writer with other meta-prompts, or make sure that it is the one of before."""
        before = self._writers.get(prompts)
        if before is None:
            changed = protocol.WriterChanged(prompts=prompts, writer=writer)
            await self._log.record(changed, lambda: self._writers.update({prompts: writer}))
        elif before != writer:
            where = f"the meta-prompts in {prompts!r}" if prompts else "the built-in meta-prompts"
            raise InputError(
                f"Session {self._log.session_id} was mined with the writer {before} by {where} and these now give "
                f"{writer}: put the old ones back, or fork the session."
            )

    async def _know(self, config: MiningConfig, studio: Studio, pen: Pen) -> None:
        """Keep the fingerprints, or make sure that the session meets the models it was mined with."""
        keeper, session_id = self._log.keeper, self._log.session_id
        session = await keeper.call(keeper.store.session, session_id)
        now = {"painter": studio.painter, "scorer": studio.scorer, "writer": pen.writer}
        for role, before in json.loads(session.models_json or "{}").items():
            if now.get(role) != before:
                raise InputError(
                    f"Session {session_id} was mined with the {role} {before} and its files or settings now give "
                    f"{now.get(role)}: put the old ones back, or start a new session."
                )
        if (models := json.dumps(now)) != session.models_json:
            await keeper.call(keeper.store.set_session_models, session_id, models)
        self._writers[config.writer.prompts] = pen.writer
        for event in await keeper.call(keeper.store.events, session_id, 0, "writer_changed"):
            self._writers[cast(str | None, event.payload["prompts"])] = str(event.payload["writer"])
