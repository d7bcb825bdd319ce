"""How the engine of a store waits for its turn on a device, and gives it back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import commands, session_queue
from engine.client import EngineClient, command_id
from engine.turn import Turn
from tests.engine.serving import Serving, in_work, opened, state, until


@pytest.fixture
def other_store() -> Iterator[Turn]:
    """An engine elsewhere that draws on the CPU."""
    turn = Turn("cpu", Path("/another/store"))
    assert turn.take_at_once()
    yield turn
    turn.release()


async def test_a_session_waits_for_another_stores_engine_and_says_so(
    engine: Serving, client: EngineClient, other_store: Turn
) -> None:
    session_id = await opened(client)
    await until(lambda: "/another/store" in state(engine, session_id)[1])
    assert state(engine, session_id)[0] == "queued"
    snapshot = await client.attach(session_id)
    assert "/another/store" in snapshot.reason
    other_store.release()
    await in_work(engine, session_id)
    assert other_store.holder() == str(engine.store)


async def test_a_session_that_waits_for_a_device_can_be_stopped(
    engine: Serving, client: EngineClient, other_store: Turn
) -> None:
    session_id = await opened(client)
    await until(lambda: "/another/store" in state(engine, session_id)[1])
    await client.ask(commands.Stop(id=command_id(), session_id=session_id))
    assert state(engine, session_id)[0] == "interrupted"
    other_store.release()
    second = await opened(client)
    await in_work(engine, second)
    assert session_id not in engine.runs


async def test_a_session_that_leaves_the_queue_just_as_its_turn_comes_is_not_mined(
    engine: Serving, client: EngineClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions = engine.service._sessions
    left: list[str] = []

    class LeavesWhenTheTurnIsTaken(asyncio.Event):
        async def wait(self) -> bool:  # type: ignore[override]
            try:
                return bool(await super().wait())
            finally:
                (ticket,) = sessions.tickets.values()
                left.append(ticket.session_id)
                await sessions.withdraw(ticket, "stopped")

    def not_at_once(turn: Turn) -> bool:
        (ticket,) = sessions.tickets.values()
        ticket.withdrawn = LeavesWhenTheTurnIsTaken()
        return False

    async def take(turn: Turn) -> None:
        await asyncio.sleep(0.01)

    monkeypatch.setattr(Turn, "take_at_once", not_at_once)
    monkeypatch.setattr(Turn, "take", take)
    session_id = await opened(client)
    await until(lambda: bool(left) and not sessions.tickets)
    assert session_id not in engine.runs
    assert state(engine, session_id)[0] == "interrupted"


async def test_the_turn_is_given_back_between_two_sessions(
    engine: Serving, client: EngineClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_queue, "YIELD_SECONDS", 0.2)
    first, second = await opened(client), await opened(client)
    run = await in_work(engine, first)
    turn = Turn("cpu", Path("/patient"))
    waiting = asyncio.create_task(turn.take())
    await until(lambda: turn._thread is not None)
    await asyncio.sleep(0.05)
    run.finish()
    await waiting
    await until(lambda: "/patient" in state(engine, second)[1])
    turn.release()
    await in_work(engine, second)
