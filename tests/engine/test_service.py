"""The engine of a store: its queue, what becomes of commands, and when it ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from engine import commands, protocol, service, session_queue
from engine.client import EngineClient, command_id, follow
from engine.errors import InputError, MachineError
from engine.turn import Turn
from store import Store, StoreError, open_reader, open_store
from store.incoming import NewCandidate, NewImage
from store.vocabulary import SessionState
from tests.engine.serving import ScriptedRun, Serving, serving, small, until


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_queue, "YIELD_SECONDS", 0.001)
    monkeypatch.setattr(service, "HEARTBEAT_SECONDS", 0.02)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Serving]:
    async with serving(tmp_path) as running:
        yield running


@pytest.fixture
async def client(engine: Serving) -> AsyncIterator[EngineClient]:
    connected = await EngineClient.connect(engine.store, "test")
    yield connected
    await connected.close()


@pytest.fixture
def other_store() -> Iterator[Turn]:
    """An engine elsewhere that draws on the CPU."""
    turn = Turn("cpu", Path("/another/store"))
    assert turn.take_at_once()
    yield turn
    turn.release()


async def opened(client: EngineClient, name: str = "test") -> str:
    begun = await client.ask(commands.Open(id=command_id(), config=small(name).model_dump_json()))
    return begun.session_id


async def in_work(engine: Serving, session_id: str) -> ScriptedRun:
    await until(lambda: session_id in engine.runs and engine.runs[session_id].ready)
    return engine.runs[session_id]


def state(engine: Serving, session_id: str) -> tuple[str, str]:
    with open_reader(engine.store) as reader:
        session = reader.session(session_id)
    return session.state, session.reason


def told(engine: Serving, session_id: str, kind: str = "state_changed") -> list[dict[str, object]]:
    with open_reader(engine.store) as reader:
        return [event.payload for event in reader.events(session_id) if event.kind == kind]


def stored(store: Path, *states: str) -> list[str]:
    """Sessions as an engine before this one left them."""
    with open_store(store) as writer:
        ids = [_one(writer, number) for number, _ in enumerate(states)]
        for session_id, left in zip(ids, states, strict=True):
            writer.set_session_state(session_id, left)  # type: ignore[arg-type]
    return ids


def _one(writer: Store, number: int) -> str:
    config = small(f"left {number}").model_dump_json()
    return writer.create_session(name=f"left {number}", seed=1, config_json=config, models_json="")


# ---------------------------------------------------------------- opening, the queue


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
    late = await _all(engine.store, run.session_id)
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


async def test_however_long_a_record_is_only_its_end_is_read_for_a_follower(
    engine: Serving, client: EngineClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = await opened(client)
    (await in_work(engine, session_id)).finish()
    await until(lambda: not engine.service._sessions.tickets)
    monkeypatch.setattr(Store, "events", None)
    assert (await client.attach(session_id)).state == "finished"


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


# ---------------------------------------------------------------- following


async def test_the_snapshot_and_the_events_after_it_leave_no_gap(
    engine: Serving, client: EngineClient
) -> None:
    run = await in_work(engine, await opened(client))
    telling = asyncio.create_task(_tell(run))
    try:
        for _ in range(10):
            follower = await EngineClient.connect(engine.store, "test")
            snapshot = await follower.attach(run.session_id)
            heard = [snapshot.seq]
            async for event in follower.events():
                if isinstance(event, protocol.Notice):
                    heard.append(event.seq)
                    if len(heard) > 3:
                        break
            assert heard == list(range(snapshot.seq, snapshot.seq + len(heard)))
            await follower.close()
    finally:
        telling.cancel()
        await asyncio.wait({telling})


async def _tell(run: ScriptedRun) -> None:
    while True:
        await run.record(protocol.Notice(message=""))


async def test_heartbeats_tell_how_the_workers_are(engine: Serving, client: EngineClient) -> None:
    run = await in_work(engine, await opened(client))
    other = await EngineClient.connect(engine.store, "test")
    await other.attach(run.session_id)
    async for event in other.events():
        if isinstance(event, protocol.Heartbeat):
            assert event.workers == run.vitals()
            break
    await other.close()


@pytest.mark.parametrize("end", ["finished", "interrupted"])
async def test_following_ends_with_the_sessions_own_last_word(
    engine: Serving, client: EngineClient, end: str
) -> None:
    run = await in_work(engine, await opened(client))
    following = asyncio.create_task(_all(engine.store, run.session_id))
    await until(lambda: any(who.following for who in engine.hub.clients))
    run.finish(end)  # type: ignore[arg-type]
    events = await following
    assert isinstance(events[0], protocol.Snapshot)
    assert isinstance(events[-1], protocol.Finished)
    assert events[-1].state == end
    late = await _all(engine.store, run.session_id)
    assert [type(event) for event in late] == [protocol.Snapshot, protocol.Finished]
    assert late[0].seq == events[-1].seq


async def _all(store: Path, session_id: str) -> list[protocol.Event]:
    return [event async for event in follow(store, session_id, "test")]


async def test_a_follower_that_was_dropped_begins_again_with_a_snapshot(
    engine: Serving, client: EngineClient
) -> None:
    run = await in_work(engine, await opened(client))
    events: list[protocol.Event] = []

    async def listen() -> None:
        async for event in follow(engine.store, run.session_id, "test"):
            events.append(event)  # noqa: PERF401 - the others look at it meanwhile

    def snapshots() -> int:
        return sum(isinstance(event, protocol.Snapshot) for event in events)

    following = asyncio.create_task(listen())
    for count in (1, 2):
        await until(lambda count=count: snapshots() == count)
        (follower,) = [who for who in engine.hub.clients if who.following]
        follower.outbox._drop()
    await until(lambda: snapshots() == 3)
    run.finish()
    await following
    assert snapshots() == 3
    assert isinstance(events[-1], protocol.Finished)


async def test_following_without_an_engine_tells_what_the_store_says(tmp_path: Path) -> None:
    ids = stored(tmp_path, "finished", "interrupted", "failed", "queued")
    with open_store(tmp_path) as writer:
        writer.set_session_state(ids[2], "failed", "The painter is no painter.")
        writer.append_event(ids[2], "state_changed", {"state": "failed", "exit_code": 2})
    last = [(await _all(tmp_path, session_id))[-1] for session_id in ids]
    assert [event.state for event in last[:2] if isinstance(event, protocol.Finished)] == [
        "finished",
        "interrupted",
    ]
    assert isinstance(last[2], protocol.Failed)
    assert (last[2].sentence, last[2].exit_code) == ("The painter is no painter.", 2)
    assert isinstance(last[3], protocol.Failed)
    assert "queued still" in last[3].sentence
    with pytest.raises(InputError, match="no session"):
        await _all(tmp_path, "nothing")


async def test_a_session_that_nobody_works_on_is_shown_as_it_ended(tmp_path: Path) -> None:
    (failed,) = stored(tmp_path, "failed")
    with open_store(tmp_path) as writer:
        writer.set_session_state(failed, "failed", "No disk.")
        seq = writer.append_event(failed, "state_changed", {"state": "failed", "exit_code": 3})
    async with serving(tmp_path):
        snapshot, last = await _all(tmp_path, failed)
    assert isinstance(snapshot, protocol.Snapshot)
    assert (snapshot.seq, snapshot.state, snapshot.reason, snapshot.name) == (
        seq,
        "failed",
        "No disk.",
        "left 0",
    )
    assert last == protocol.Failed(sentence="No disk.", exit_code=3)


# ---------------------------------------------------------------- the turn on a device


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


# ---------------------------------------------------------------- the beginning and the end


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
        good = _one(writer, 1)
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
        following = asyncio.create_task(_all(tmp_path, second))
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


# ---------------------------------------------------------------- deleting


async def test_a_session_is_deleted_once_nobody_mines_it(engine: Serving, client: EngineClient) -> None:
    mined, waiting = await opened(client, "mined"), await opened(client, "waiting")
    run = await in_work(engine, mined)
    for session_id, now in ((mined, "mining"), (waiting, "queued")):
        with pytest.raises(
            InputError, match=f"{session_id} is {now}, so it cannot be deleted: stop it first"
        ):
            await client.ask(commands.Delete(id=command_id(), session_id=session_id))
    await client.ask(commands.Stop(id=command_id(), session_id=waiting))
    order = commands.Delete(id=command_id(), session_id=waiting)
    answer = await client.ask(order)
    assert f"Session {waiting} is deleted" in answer.sentence
    assert (await client.ask(order)).sentence == answer.sentence  # the same command again
    with pytest.raises(InputError, match="There is no session"):
        await client.ask(commands.Delete(id=command_id(), session_id=waiting))
    with open_reader(engine.store) as reader:
        assert [one.id for one in reader.sessions()] == [mined]
    run.finish("interrupted")
    await until(lambda: state(engine, mined)[0] == "interrupted")
    await client.ask(commands.Delete(id=command_id(), session_id=mined))
    with open_reader(engine.store) as reader:
        assert reader.sessions() == ()
    with pytest.raises(InputError, match="There is no session"):
        await client.ask(commands.Resume(id=command_id(), session_id=mined))


async def test_the_files_of_a_deleted_session_go_while_others_are_stored(
    engine: Serving, client: EngineClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "FILES_AT_ONCE", 1)
    call, store = engine.keeper.call, engine.keeper.store
    (session_id,) = await _ended(engine)
    (candidate,) = await call(store.add_candidates, session_id, 1, [NewCandidate(0, "a cat", "initial")])
    await call(store.save_images, [_image(seed) for seed in range(3)])
    removed: list[int] = []
    remove = store.remove_files

    def counted(names: tuple[str, ...]) -> None:
        removed.append(len(names))
        remove(names)

    monkeypatch.setattr(store, "remove_files", counted)
    answer = await client.ask(commands.Delete(id=command_id(), session_id=session_id))
    assert "1 candidates and 3 images" in answer.sentence
    assert candidate
    assert removed == [1, 1, 1]
    assert not list((engine.store / "images").glob("??/??/*"))


async def _ended(engine: Serving) -> list[str]:
    store = engine.keeper.store
    number = await engine.keeper.call(
        store.create_session, name="", seed=1, config_json="{}", models_json="{}", state="interrupted"
    )
    return [number]


def _image(seed: int) -> NewImage:
    return NewImage(
        prompt="a cat", seed=seed, pipeline="p", png=b"PNG%d" % seed, width=8, height=8, blank=False,
        mean_rgb=(0.5, 0.5, 0.5), batch_size=1, scorer="s", embedding=np.ones(2, np.float32),
    )  # fmt: skip
