"""Deleting a session from a store whose engine runs: when it may go, and what goes with it."""

from __future__ import annotations

import numpy as np
import pytest

from engine import commands, service
from engine.client import EngineClient, command_id
from engine.errors import InputError
from store import open_reader
from store.incoming import NewCandidate, NewImage
from tests.engine.serving import Serving, in_work, opened, state, until


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
