"""Sessions through the real store: run, steered while they run, cut off and run again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from engine import protocol
from engine.commands import Command, Resume, Stop
from engine.config import MiningConfig
from engine.config_sources import load_config
from engine.keeper import Keeper
from engine.session import SessionRun
from engine.wire import decode_event, encode
from store import open_reader
from store.records import Candidate
from store.vocabulary import SessionState
from tests.engine.fakes import FakeModels

SMALL: dict[str, dict[str, Any]] = {
    "session": {"seed": 7, "name": "test"},
    "painter": {"batch_size": 5},
    "search": {
        "population": 5,
        "survivors": 2,
        "mutations": 1,
        "generations": 3,
        "images": 4,
        "variations": 3,
        "budget": "uniform",  # so that images can be counted beforehand; races are in test_racing
    },
    "confirm": {"enabled": False},
}


def config(**search: Any) -> MiningConfig:
    """A small session; nothing is confirmed at its end."""
    return load_config(None, SMALL | {"search": SMALL["search"] | search})


def confirming(**search: Any) -> MiningConfig:
    """A small session whose two best prompts are confirmed at its end."""
    given = {"search": SMALL["search"] | search, "confirm": {"top": 2, "ceiling_images": 2}}
    return load_config(None, SMALL | given)


_numbers = count()


def make(kind: type[Command], session: str, **fields: Any) -> Any:
    """A command with an id of its own."""
    return kind(**({"id": f"c{next(_numbers)}", "session_id": session} | fields))  # type: ignore[operator]


@dataclass
class Mine:
    """One session in one store; every ``run`` is another engine's life.

    ``hear`` is called with each event while the session runs; ``ask`` then asks the running session.
    """

    store: Path
    id: str
    session: SessionRun | None = None
    events: list[protocol.Event] = field(default_factory=list)
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    @staticmethod
    async def new(store: Path, given: MiningConfig) -> Mine:
        keeper = Keeper()
        await keeper.open(store)
        try:
            session = await keeper.call(
                keeper.store.create_session,
                name=given.session.name,
                seed=given.session.seed,
                config_json=given.model_dump_json(),
            )
        finally:
            keeper.close()
        return Mine(store, session)

    async def run(
        self,
        models: FakeModels | None = None,
        hear: Callable[[protocol.Event], None] | None = None,
        during: Callable[[], Awaitable[None]] | None = None,
    ) -> SessionState:
        """Run to the end; ``during`` runs beside it and is waited for."""
        self.events = []
        keeper = Keeper()

        def emit(event: protocol.Event) -> None:
            self.events.append(decode_event(encode(event)))
            if hear is not None:
                hear(event)

        await keeper.open(self.store)
        try:
            self.session = SessionRun(self.id, self.store, keeper, models or FakeModels(), emit)
            running = asyncio.ensure_future(self.session.run())
            beside = asyncio.ensure_future(during()) if during is not None else running
            await asyncio.wait({running, beside}, return_when=asyncio.FIRST_EXCEPTION)
            if not running.done():
                running.cancel()
                await asyncio.wait({running})
            await beside
            if self.tasks:
                await asyncio.gather(*self.tasks)
            return await running
        finally:
            keeper.close()

    async def cut(self, models: FakeModels, after: Callable[[protocol.Event], bool]) -> None:
        """Run until ``after`` says so of an event, then die without a word: nothing is told the session."""
        over = asyncio.Event()
        keeper = Keeper()
        await keeper.open(self.store)
        session = SessionRun(
            self.id, self.store, keeper, models, lambda event: over.set() if after(event) else None
        )
        self.session = session
        running = asyncio.create_task(session.run())
        waiting = asyncio.create_task(over.wait())
        await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
        running.cancel()
        waiting.cancel()
        await asyncio.wait({running})
        # whoever still asks or tells has the store until it is closed: no thread outlives its test
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await asyncio.gather(*session._answers.values(), return_exceptions=True)
        await asyncio.gather(session._states.written(), session._log.settle())
        keeper.close()

    async def ask(self, kind: type[Command], **fields: Any) -> protocol.Acknowledged:
        """Ask the running session; the answer may be a refusal."""
        assert self.session is not None
        connection = fields.pop("connection", 1)
        author = fields.pop("author", "ann")
        return await self.session.ask(make(kind, self.id, **fields), author, connection)

    async def accepted(self, kind: type[Command], **fields: Any) -> protocol.Acknowledged:
        """As ``ask``, for a command that must be carried out."""
        answer = await self.ask(kind, **fields)
        assert answer.accepted, answer.sentence
        return answer

    async def refused(self, kind: type[Command], **fields: Any) -> str:
        """As ``ask``, for a command that must not be; returns the sentence."""
        answer = await self.ask(kind, **fields)
        assert not answer.accepted, answer.sentence
        assert answer.exit_code in (2, 3)
        assert answer.sentence.endswith(".")
        return answer.sentence

    def soon(self, kind: type[Command], **fields: Any) -> None:
        """Ask from within ``hear``; the answer is waited for at the end of ``run``."""
        task = asyncio.ensure_future(self.accepted(kind, **fields))
        self.tasks.add(task)

    async def until(self, is_it: Callable[[protocol.Event], bool]) -> protocol.Event:
        """Wait for an event that has not been seen by this call before; looks at past ones, too."""
        seen = 0
        while True:
            for event in self.events[seen:]:
                if is_it(event):
                    return event
            seen = len(self.events)
            await asyncio.sleep(0)

    async def state(self, state: str, times: int = 1) -> protocol.StateChanged:
        """Wait until the session has entered a state so often in this run."""
        while True:
            entered = [e for e in self.events if isinstance(e, protocol.StateChanged) and e.state == state]
            if len(entered) >= times:
                return entered[times - 1]
            await asyncio.sleep(0)

    async def a_while(self) -> None:
        """Give everything that could go on the time to do so: turns of the loop and of the store."""
        assert self.session is not None
        for _ in range(50):
            await self.session._keeper.call(int)

    def population(self, generation: int) -> tuple[Candidate, ...]:
        with open_reader(self.store) as reader:
            return reader.candidates(self.id, generation)

    def stops(self, event: protocol.Event) -> None:
        """A ``hear`` that stops the session when it pauses; a second pause may come too late for that."""
        if isinstance(event, protocol.StateChanged) and event.state == "paused":
            self.tasks.add(asyncio.ensure_future(self.ask(Stop)))

    def resumes(self, event: protocol.Event) -> None:
        """A ``hear`` that resumes the session whenever it pauses."""
        if isinstance(event, protocol.StateChanged) and event.state == "paused":
            self.soon(Resume)

    def mined(self) -> list[tuple[Any, ...]]:
        return mined(self.store, self.id)


def mined(store: Path, session_id: str | None = None) -> list[tuple[Any, ...]]:
    """Everything that two equal runs must agree on, to the last bit."""
    with open_reader(store) as reader:
        session = session_id or reader.sessions()[0].id
        rows: list[tuple[Any, ...]] = []
        for generation in reader.generations(session):
            for candidate in reader.candidates(session, generation.generation):
                evidence = reader.candidate(candidate.id)
                parent = evidence.parents[0].prompt if evidence.parents else None
                row = (candidate.generation, candidate.position, candidate.prompt, candidate.origin, parent)
                rows.append((*row, candidate.state, candidate.reason))
                rows += [
                    (
                        tuple(sorted(evaluation.scores.items())),
                        evaluation.similarity.tobytes(),
                        tuple(image.seed for image in evaluation.images),
                        tuple(image.sha256 for image in evaluation.images),
                        tuple(variation.text for variation in evaluation.variations),
                    )
                    for evaluation in evidence.evaluations
                ]
        board = tuple((one.prompt, one.score) for one in reader.leaderboard(session, 100))
        return [*rows, board]
