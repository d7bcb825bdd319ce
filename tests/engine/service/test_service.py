"""What becomes of commands to the engine of a store, and of the sessions in its queue."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from engine import commands, protocol
from engine.client import EngineClient, command_id
from engine.errors import InputError, MachineError
from store import open_reader, open_store
from store.incoming import NewCandidate
from store.vocabulary import SessionState
from tests.engine.serving import Serving, followed, in_work, opened, serving, small, state, told, until


async def test_a_new_session_is_stored_queued_and_then_mined(engine: Serving, client: EngineClient) -> None:
    session_id = await opened(client)
    run = await in_work(engine, session_id)
    assert state(engine, session_id)[0] == "mining"
    with open_reader(engine.store) as reader:
        session = reader.session(session_id)
    assert (session.name, session.seed, session.models_json) == ("test", 1, "")
    assert "begun by" in str(told(engine, session_id)[0])
    run.finish()
    await until(lambda: state(engine, session_id)[0] == "finished")


async def test_sessions_are_mined_one_after_another_and_told_how_many_come_before(
    engine: Serving, client: EngineClient
) -> None:
    first = await opened(client)
    await in_work(engine, first)
    second = await client.ask(commands.Open(id=command_id(), config=small().model_dump_json()))
    third = await client.ask(commands.Open(id=command_id(), config=small().model_dump_json()))
    assert second.sentence.endswith("is queued, 1 before it.")
    assert "2 before it" in third.sentence
    assert state(engine, third.session_id) == ("queued", "")
    assert set(engine.runs) == {first}
    for session_id in (first, second.session_id, third.session_id):
        (await in_work(engine, session_id)).finish()
    await until(lambda: state(engine, third.session_id)[0] == "finished")
    assert list(engine.runs) == [first, second.session_id, third.session_id]


async def test_who_queues_behind_a_paused_session_is_told_so(engine: Serving, client: EngineClient) -> None:
    first = await opened(client)
    (await in_work(engine, first)).state = "paused"
    second = await client.ask(commands.Open(id=command_id(), config=small().model_dump_json()))
    assert f"1 before it, and {first} is paused: 'minegap resume' lets it go on." in second.sentence


@pytest.mark.parametrize(
    ("config", "match"),
    [
        ("", "not a valid|json|JSON"),
        ('{"search": {"population": 0}}', "search.population"),
        ('{"models": {"pack": "/not/here"}}', "/not/here"),
        ('{"writer": {"prompts": "/not/here"}}', "/not/here"),
    ],
)
async def test_what_cannot_be_mined_is_refused_and_leaves_nothing(
    engine: Serving, client: EngineClient, config: str, match: str
) -> None:
    with pytest.raises(InputError, match=match):
        await client.ask(commands.Open(id=command_id(), config=config))
    with open_reader(engine.store) as reader:
        assert reader.sessions() == ()


async def test_a_command_that_is_repeated_is_carried_out_once(engine: Serving, client: EngineClient) -> None:
    command = commands.Open(id=command_id(), config=small().model_dump_json())
    other = await EngineClient.connect(engine.store, "test")
    answers = await asyncio.gather(client.ask(command), other.ask(command))
    answers.append(await other.ask(command))
    assert answers[0] == answers[1] == answers[2]
    with open_reader(engine.store) as reader:
        assert len(reader.sessions()) == 1
    run = await in_work(engine, answers[0].session_id)
    pause = commands.Pause(id=command_id(), session_id=run.session_id)
    assert await client.ask(pause) == await other.ask(pause)
    assert [asked for asked, _, _ in run.asked] == [pause]
    await other.close()


async def test_a_queued_session_can_leave_the_queue_and_come_back(
    engine: Serving, client: EngineClient
) -> None:
    first, second = await opened(client), await opened(client)
    await in_work(engine, first)
    snapshot = await client.attach(second)
    assert (snapshot.state, snapshot.name, snapshot.generations) == ("queued", "test", 8)
    with pytest.raises(InputError, match="queued"):
        await client.ask(commands.Pause(id=command_id(), session_id=second))
    await client.ask(commands.Stop(id=command_id(), session_id=second))
    assert state(engine, second)[0] == "interrupted"
    assert "before its turn" in state(engine, second)[1]
    heard = [event async for event in _until_end(client)]
    assert isinstance(heard[-1], protocol.Finished)
    again = await client.ask(commands.Resume(id=command_id(), session_id=second))
    assert "1 before it" in again.sentence
    (await in_work(engine, first)).finish()
    assert (await in_work(engine, second)).asked == []


async def _until_end(client: EngineClient) -> AsyncIterator[protocol.Event]:
    async for event in client.events():
        yield event
        if isinstance(event, protocol.Finished | protocol.Failed):
            return


async def test_commands_for_a_session_in_work_go_there_with_their_author(
    engine: Serving, client: EngineClient
) -> None:
    run = await in_work(engine, await opened(client))
    asked = [
        commands.Pin(id=command_id(), session_id=run.session_id, candidate_id=1),
        commands.Resume(id=command_id(), session_id=run.session_id),
        commands.Undo(id=command_id(), session_id=run.session_id, command_id="x"),
    ]
    for command in asked:
        await client.ask(command)
    assert [command for command, _, _ in run.asked] == asked
    assert {author.endswith(" (test)") for _, author, _ in run.asked} == {True}


async def test_commands_for_a_session_that_is_not_running_are_refused(
    engine: Serving, client: EngineClient
) -> None:
    run = await in_work(engine, await opened(client))
    run.finish()
    await until(lambda: not engine.service._sessions.tickets)
    with pytest.raises(InputError, match="finished"):
        await client.ask(commands.Pause(id=command_id(), session_id=run.session_id))
    with pytest.raises(InputError, match="fork"):
        await client.ask(commands.Resume(id=command_id(), session_id=run.session_id))
    with pytest.raises(InputError, match="no session"):
        await client.ask(commands.Resume(id=command_id(), session_id="nothing"))


async def test_a_confirmation_waits_for_the_end_of_mining_only_where_that_is_asked_for(
    engine: Serving, client: EngineClient
) -> None:
    run = await in_work(engine, await opened(client))
    waiting = await opened(client, "waiting")
    for session_id, at_end in ((run.session_id, False), (waiting, True), (waiting, False)):
        with pytest.raises(InputError, match="at the end of mining"):
            await client.ask(commands.Confirm(id=command_id(), session_id=session_id, at_end=at_end))
    order = commands.Confirm(id=command_id(), session_id=run.session_id, top=3, at_end=True)
    await client.ask(order)
    assert [command for command, _, _ in run.asked] == [order]
    await client.ask(commands.Stop(id=command_id(), session_id=waiting))
    run.finish()
    await until(lambda: not engine.service._sessions.tickets)
    with pytest.raises(InputError, match="finished, not in work"):
        await client.ask(commands.Confirm(id=command_id(), session_id=run.session_id, at_end=True))


async def test_a_session_that_lets_its_models_go_is_over_for_everybody(
    engine: Serving, client: EngineClient
) -> None:
    run = await in_work(engine, await opened(client))
    run.models_gone.clear()
    run.finish("interrupted")
    await until(lambda: bool(told(engine, run.session_id, "finished")))
    late = await followed(engine.store, run.session_id)
    assert [type(event) for event in late] == [protocol.Snapshot, protocol.Finished]
    resuming = asyncio.create_task(client.ask(commands.Resume(id=command_id(), session_id=run.session_id)))
    await asyncio.sleep(0.05)
    assert (resuming.done(), run.asked) == (False, [])
    run.models_gone.set()
    assert "begins" in (await resuming).sentence
    await until(lambda: engine.runs[run.session_id] is not run)


async def test_a_fork_is_refused_where_nothing_would_be_left_to_mine(
    engine: Serving, client: EngineClient
) -> None:
    run = await in_work(engine, await opened(client))
    fork = commands.Fork(
        id=command_id(), session_id=run.session_id, generation=8, config=small().model_dump_json()
    )
    with pytest.raises(InputError, match="generations = 8"):
        await client.ask(fork)
    with pytest.raises(InputError, match="generation 3"):
        await client.ask(
            commands.Fork(
                id=command_id(), session_id=run.session_id, generation=3, config=small().model_dump_json()
            )
        )


@pytest.mark.parametrize("left", ["queued", "mining", "finished"])
async def test_a_session_whose_engine_died_before_it_answered_is_begun_once(
    tmp_path: Path, left: SessionState
) -> None:
    config = small().model_dump_json()
    with open_store(tmp_path) as writer:
        session_id = writer.create_session(name="", seed=1, config_json=config, command_id="the-one")
        writer.set_session_state(session_id, left)
    async with serving(tmp_path) as engine:
        client = await EngineClient.connect(tmp_path, "test")
        for command in (
            commands.Open(id="the-one", config=config),
            commands.Open(id="the-one", config="whatever it says now"),
        ):
            assert (await client.ask(command)).session_id == session_id
        await client.close()
        with open_reader(tmp_path) as reader:
            assert [one.id for one in reader.sessions()] == [session_id]
        if left == "queued":
            await until(lambda: session_id in engine.runs)
    assert list(engine.runs) == [session_id] * (left == "queued")


async def test_a_command_that_was_recorded_by_an_engine_that_died_is_answered_as_recorded(
    tmp_path: Path,
) -> None:
    with open_store(tmp_path) as writer:
        session_id = writer.create_session(name="", seed=1, config_json=small().model_dump_json())
        writer.set_session_state(session_id, "interrupted")
        ban = commands.Ban(id="the-one", session_id=session_id, what="word", text="robot")
        said = {"command_id": ban.id, "author": "ann", "generation": 3, "sentence": "It is banned."}
        writer.append_event(session_id, "steered", {**said, "command": msgspec.to_builtins(ban)})
    async with serving(tmp_path):
        client = await EngineClient.connect(tmp_path, "test")
        answer = await client.ask(ban)
        assert (answer.sentence, answer.generation) == ("It is banned.", 3)
        with pytest.raises(InputError, match="resume it first"):
            await client.ask(msgspec.structs.replace(ban, id="another"))
        await client.close()


async def test_a_fork_may_have_other_meta_prompts_but_no_other_painter(
    engine: Serving, client: EngineClient, tmp_path_factory: pytest.TempPathFactory
) -> None:
    source = await opened(client)
    store, call = engine.keeper.store, engine.keeper.call
    models = {"painter": "a", "scorer": "b", "writer": "c"}
    await call(store.set_session_models, source, json.dumps(models))
    await call(store.add_candidates, source, 1, [NewCandidate(0, "a cat", "initial")])
    prompts = str(tmp_path_factory.mktemp("prompts"))
    same = small()
    other = same.model_copy(update={"writer": same.writer.model_copy(update={"prompts": prompts})})
    for config, kept in ((same, models), (other, {"painter": "a", "scorer": "b"})):
        fork = commands.Fork(
            id=command_id(), session_id=source, generation=1, config=config.model_dump_json()
        )
        answer = await client.ask(fork)
        found = await call(store.session, answer.session_id)
        assert json.loads(found.models_json) == kept


async def test_a_mistake_of_the_programs_is_answered_and_does_not_end_the_engine(
    engine: Serving, client: EngineClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = await in_work(engine, await opened(client))

    async def broken(*_: object) -> protocol.Acknowledged:
        raise KeyError("oops")

    monkeypatch.setattr(run, "ask", broken)
    with pytest.raises(MachineError, match="oops"):
        await client.ask(commands.Pause(id=command_id(), session_id=run.session_id))
    second = await opened(client)
    run.crash(ZeroDivisionError("half a session"))
    await in_work(engine, second)
    assert state(engine, run.session_id)[0] == "failed"
    assert "half a session" in state(engine, run.session_id)[1]
    assert "ZeroDivisionError" in capsys.readouterr().err
