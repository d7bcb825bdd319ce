"""An engine that says what a test tells it to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from engine import protocol
from minegap_tui.app import MineApp
from store import open_reader
from store.records import Candidate


class ScriptedEngine:
    """Yields what is put into it; ``None`` ends it."""

    def __init__(self, *events: protocol.Event) -> None:
        self._queue: asyncio.Queue[protocol.Event | None] = asyncio.Queue()
        self.stops = 0
        self.say(*events)

    def say(self, *events: protocol.Event) -> None:
        for event in events:
            self._queue.put_nowait(event)

    def end(self) -> None:
        self._queue.put_nowait(None)

    async def events(self) -> AsyncIterator[protocol.Event]:
        while (event := await self._queue.get()) is not None:
            yield event

    async def stop(self) -> None:
        self.stops += 1

    async def wait(self) -> int:
        return 0


def opened(session: str, generations: int = 4) -> protocol.SessionOpened:
    return protocol.SessionOpened(
        session_id=session,
        name="demo",
        store="",
        generations=generations,
        population=12,
        images=16,
        variations=16,
        score_name="information",
        resumed=False,
    )


def stored(directory: Path, session: str) -> Sequence[Candidate]:
    """All scored candidates in the order of their making."""
    with open_reader(directory) as reader:
        return sorted(reader.leaderboard(session, 1000), key=lambda candidate: candidate.id)


def scored(candidate: Candidate) -> protocol.CandidateScored:
    return protocol.CandidateScored(
        candidate_id=candidate.id,
        generation=candidate.generation,
        position=candidate.position,
        prompt=candidate.prompt,
        origin=candidate.origin,
        parent_id=candidate.parent_id,
        score=candidate.score,
        score_name="information",
    )


def finished(session: str, state: str = "finished") -> protocol.Finished:
    return protocol.Finished(session_id=session, state=state, generations=4, scored=1, best=0.1)


def app_on(directory: Path, engine: ScriptedEngine) -> MineApp:
    async def start() -> ScriptedEngine:
        return engine

    return MineApp(directory, start)


def shown(app: MineApp) -> str:
    """The screen's text, line by line."""
    width, height = app.size
    lines = app.screen._compositor.render_strips()[:height]
    return "\n".join("".join(segment.text for segment in strip).ljust(width) for strip in lines)
