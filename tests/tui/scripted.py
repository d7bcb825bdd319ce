"""An engine that says what a test tells it to, and writes down what it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from engine import protocol
from engine.commands import Command
from engine.errors import InputError, MachineError
from minegap_tui.app import MineApp
from store import open_reader
from store.records import Candidate


class ScriptedEngine:
    """The door and the engine behind it.

    Attributes:
        snapshot: what every attachment gets.
        asked: every command, in order.
        connections: how many were made.
        runs: whether anything answers the door.
    """

    def __init__(self, snapshot: protocol.Snapshot, *events: protocol.Event) -> None:
        self.snapshot = snapshot
        self.asked: list[Command] = []
        self.connections = 0
        self.runs = True
        self._early = list(events)
        self._lines: list[ScriptedConnection] = []
        self._refusals: dict[str, str] = {}
        self._held: asyncio.Event | None = None

    async def start(self) -> ScriptedConnection:
        self.runs = True
        return await self.connect()

    async def connect(self) -> ScriptedConnection:
        if not self.runs:
            raise InputError("No engine runs for this store: resume the session.")
        self.connections += 1
        line = ScriptedConnection(self)
        self._lines.append(line)
        line.say(*self._early)
        self._early = []
        return line

    def say(self, *events: protocol.Event) -> None:
        for line in self._lines:
            line.say(*events)

    def drop(self) -> None:
        """Hang up on everybody."""
        for line in self._lines:
            line.end()
        self._lines = []

    def die(self) -> None:
        self.runs = False
        self.drop()

    def refuse(self, kind: str, sentence: str) -> None:
        self._refusals[kind] = sentence

    def hold(self) -> None:
        """Answer nothing until ``release``."""
        self._held = asyncio.Event()

    def release(self) -> None:
        assert self._held is not None
        self._held.set()

    async def answer(self, command: Command) -> protocol.Acknowledged:
        self.asked.append(command)
        if self._held is not None:
            await self._held.wait()
        kind = kind_of(command)
        if kind in self._refusals:
            raise InputError(self._refusals[kind])
        return protocol.Acknowledged(
            id=command.id, accepted=True, sentence=f"{kind} counts from generation 3 on.", generation=3
        )

    def last(self) -> dict[str, Any]:
        """The last command, as builtins, without what every command has."""
        fields: dict[str, Any] = msgspec.to_builtins(self.asked[-1])
        return {key: value for key, value in fields.items() if key not in {"v", "id", "session_id"}}


class ScriptedConnection:
    """One line to it."""

    def __init__(self, engine: ScriptedEngine) -> None:
        self._engine = engine
        self._queue: asyncio.Queue[protocol.Event | None] = asyncio.Queue()
        self.closed = False

    def say(self, *events: protocol.Event) -> None:
        for event in events:
            self._queue.put_nowait(event)

    def end(self) -> None:
        self._queue.put_nowait(None)

    async def ask(self, command: Command) -> protocol.Acknowledged:
        if not self._engine.runs:
            raise MachineError("The engine hung up before it answered.")
        return await self._engine.answer(command)

    async def attach(self, session_id: str) -> protocol.Snapshot:
        return self._engine.snapshot

    async def events(self) -> AsyncIterator[protocol.Event]:
        while (event := await self._queue.get()) is not None:
            yield event

    async def close(self) -> None:
        self.closed = True


def kind_of(command: Command) -> str:
    kind = msgspec.to_builtins(command)["type"]
    assert isinstance(kind, str)
    return kind


def snapshot(session: str, state: str = "mining", **fields: Any) -> protocol.Snapshot:
    values: dict[str, Any] = {
        "name": "demo",
        "store": "",
        "generation": 2,
        "generations": 4,
        "population": 12,
        "images": 16,
        "variations": 16,
        "score_name": "information",
        "next_generation": 3,
        "knobs": {
            "population": 12,
            "survivors": 4,
            "mutations": 2,
            "images": 16,
            "variations": 16,
            "alpha": 0.5,
            "generations": 4,
            "axis": "",
            "theme": "",
            "prompts": None,
        },
    }
    return protocol.Snapshot(session_id=session, state=state, **(values | fields))


def stored(directory: Path, session: str) -> Sequence[Candidate]:
    """All scored candidates in the order of their making."""
    with open_reader(directory) as reader:
        return sorted(reader.leaderboard(session, 1000), key=lambda candidate: candidate.id)


def scored(candidate: Candidate, score: float | None = None) -> protocol.CandidateScored:
    return protocol.CandidateScored(
        candidate_id=candidate.id,
        generation=candidate.generation,
        position=candidate.position,
        prompt=candidate.prompt,
        origin=candidate.origin,
        parent_id=candidate.parent_id,
        score=candidate.score if score is None else score,
        score_name="information",
    )


def finished(session: str, state: str = "finished") -> protocol.Finished:
    return protocol.Finished(session_id=session, state=state, generations=4, scored=1, best=0.1)


def app_on(directory: Path, engine: ScriptedEngine) -> MineApp:
    return MineApp(directory, engine.snapshot.session_id, engine)


def shown(app: MineApp) -> str:
    """The screen's text, line by line."""
    width, height = app.size
    lines = app.screen._compositor.render_strips()[:height]
    return "\n".join("".join(segment.text for segment in strip).ljust(width) for strip in lines)
