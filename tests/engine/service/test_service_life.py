"""The beginning and the end of the engine of a store: what it takes up, and what it leaves."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from engine import commands, protocol, service
from engine.client import EngineClient, command_id
from engine.errors import MachineError
from store import Store, StoreError, open_store
from tests.engine.serving import Serving, created, followed, in_work, opened, serving, state, stored, until


async def test_what_an_engine_left_queued_is_taken_up_in_its_order(tmp_path: Path) -> None:
    ids = stored(tmp_path, "queued", "mining", "queued", "interrupted", "finished")
    async with serving(tmp_path) as engine:
        (await in_work(engine, ids[0])).finish()
        await in_work(engine, ids[2])
        assert list(engine.runs) == [ids[0], ids[2]]
        assert state(engine, ids[1])[0] == "interrupted"


async def test_a_disk_that_fails_as_the_queue_is_taken_up_leaves_it_to_the_next_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (left,) = stored(tmp_path, "queued")
    tried = asyncio.Event()
    loop = asyncio.get_running_loop()

    def broken(*_: object) -> None:
        loop.call_soon_threadsafe(tried.set)
        raise StoreError("The disk could not be read: check it.", 3)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "last_event", broken)
        async with serving(tmp_path) as engine:
            await tried.wait()
    assert state(engine, left) == ("queued", "")
    async with serving(tmp_path) as engine:
        await in_work(engine, left)


async def test_a_session_whose_configuration_this_program_does_not_know_fails_alone(tmp_path: Path) -> None:
    with open_store(tmp_path) as writer:
        odd = writer.create_session(name="", seed=1, config_json='{"from": "the future"}')
        good = created(writer, 1)
    async with serving(tmp_path) as engine:
        await in_work(engine, good)
        assert state(engine, odd)[0] == "failed"


async def test_an_engine_with_nothing_left_to_do_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "LINGER_SECONDS", 0.01)
    async with serving(tmp_path) as engine:
        client = await EngineClient.connect(tmp_path, "test")
        run = await in_work(engine, await opened(client))
        await client.attach(run.session_id)
        assert not engine.ended.done()
        run.finish()
        await engine.ended
    assert protocol.Finished in [type(event) async for event in client.events()]
    with pytest.raises(MachineError, match="hung up"):
        await client.ask(commands.Stop(id=command_id(), session_id=run.session_id))
    await client.close()


async def test_an_engine_waits_for_a_clients_first_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "LINGER_SECONDS", 0.01)
    monkeypatch.setattr(service, "FIRST_COMMAND_SECONDS", 0.2)
    async with serving(tmp_path) as engine:
        client = await EngineClient.connect(tmp_path, "test")
        await asyncio.sleep(0.05)
        assert not engine.ended.done()
        await engine.ended
    await client.close()


async def test_told_to_end_it_stops_what_is_mined_and_keeps_the_queue(tmp_path: Path) -> None:
    async with serving(tmp_path) as engine:
        client = await EngineClient.connect(tmp_path, "test")
        first, second = await opened(client), await opened(client)
        await in_work(engine, first)
        following = asyncio.create_task(followed(tmp_path, second))
        await until(lambda: any(who.following for who in engine.hub.clients))
        engine.service.end("SIGTERM")
        await engine.ended
    assert (state(engine, first)[0], state(engine, second)[0]) == ("interrupted", "queued")
    (command, author, _) = engine.runs[first].asked[0]
    assert isinstance(command, commands.Stop)
    assert (command.at_once, author) == (False, "the system (SIGTERM)")
    last = (await following)[-1]
    assert isinstance(last, protocol.Failed)
    assert "SIGTERM" in last.sentence
    assert "queued still" in last.sentence
    await client.close()


async def test_told_twice_it_does_not_wait(engine: Serving, client: EngineClient) -> None:
    run = await in_work(engine, await opened(client))
    engine.service.end("SIGINT")
    engine.service.end("SIGINT")
    await engine.ended
    assert [command.at_once for command, _, _ in run.asked if isinstance(command, commands.Stop)] == [
        False,
        True,
    ]


async def test_a_store_that_cannot_be_written_is_one_sentence(
    engine: Serving, client: EngineClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_: object) -> str:
        raise StoreError("The disk is full.", 3)

    monkeypatch.setattr(engine.keeper.store, "create_session", full)
    with pytest.raises(MachineError, match="disk is full"):
        await opened(client)
