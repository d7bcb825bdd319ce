"""What followers of a session are told by the engine of a store, to the session's last word and after it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from engine import protocol
from engine.client import EngineClient, follow
from engine.errors import InputError
from store import Store, open_store
from tests.engine.serving import ScriptedRun, Serving, followed, in_work, opened, serving, stored, until


async def test_however_long_a_record_is_only_its_end_is_read_for_a_follower(
    engine: Serving, client: EngineClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = await opened(client)
    (await in_work(engine, session_id)).finish()
    await until(lambda: not engine.service._sessions.tickets)
    monkeypatch.setattr(Store, "events", None)
    assert (await client.attach(session_id)).state == "finished"


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
    following = asyncio.create_task(followed(engine.store, run.session_id))
    await until(lambda: any(who.following for who in engine.hub.clients))
    run.finish(end)  # type: ignore[arg-type]
    events = await following
    assert isinstance(events[0], protocol.Snapshot)
    assert isinstance(events[-1], protocol.Finished)
    assert events[-1].state == end
    late = await followed(engine.store, run.session_id)
    assert [type(event) for event in late] == [protocol.Snapshot, protocol.Finished]
    assert late[0].seq == events[-1].seq


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
    last = [(await followed(tmp_path, session_id))[-1] for session_id in ids]
    assert [event.state for event in last[:2] if isinstance(event, protocol.Finished)] == [
        "finished",
        "interrupted",
    ]
    assert isinstance(last[2], protocol.Failed)
    assert (last[2].sentence, last[2].exit_code) == ("The painter is no painter.", 2)
    assert isinstance(last[3], protocol.Failed)
    assert "queued still" in last[3].sentence
    with pytest.raises(InputError, match="no session"):
        await followed(tmp_path, "nothing")


async def test_a_session_that_nobody_works_on_is_shown_as_it_ended(tmp_path: Path) -> None:
    (failed,) = stored(tmp_path, "failed")
    with open_store(tmp_path) as writer:
        writer.set_session_state(failed, "failed", "No disk.")
        seq = writer.append_event(failed, "state_changed", {"state": "failed", "exit_code": 3})
    async with serving(tmp_path):
        snapshot, last = await followed(tmp_path, failed)
    assert isinstance(snapshot, protocol.Snapshot)
    assert (snapshot.seq, snapshot.state, snapshot.reason, snapshot.name) == (
        seq,
        "failed",
        "No disk.",
        "left 0",
    )
    assert last == protocol.Failed(sentence="No disk.", exit_code=3)
