"""A session's record, told to a fresh store from the beginning, is whole: nothing else was needed to mine it."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.commands import Ban, EditBegin, EditCommit, Inject, Pin, Rescore, Resume, SetKnobs, Undo
from engine.errors import InputError
from engine.validation import replay
from engine.validation.sameness import first_difference
from store import open_reader, open_store
from tests.engine.sessions import Mine, config, make
from tests.engine.steered import paused_after


async def steered_beside_another(store: Path) -> Mine:
    """A steered session whose candidates do not have the first numbers of their store."""
    first = await Mine.new(store, config(generations=1))
    assert await first.run() == "finished"
    mine = await Mine.new(store, config(generations=4))

    async def hand() -> None:
        await paused_after(mine, 1)
        one, two, three, *_ = mine.population(1)
        await mine.accepted(Pin, candidate_id=two.id)
        await mine.accepted(Rescore, candidate_id=one.id, images=3)
        await mine.accepted(EditBegin, candidate_id=three.id)
        await mine.accepted(EditCommit, candidate_id=three.id, prompt="a cat by hand")
        await mine.accepted(Ban, what="word", text="robot")
        await mine.accepted(SetKnobs, knobs={"images": 6, "generations": 3})
        inject = make(Inject, mine.id, prompts=("a thought that is withdrawn",))
        assert mine.session is not None
        assert (await mine.session.ask(inject, "ann", 1)).accepted
        await mine.accepted(Undo, command_id=inject.id)
        await mine.accepted(Resume)

    assert await mine.run(during=hand) == "finished"
    assert min(one.id for one in mine.population(1)) > 1
    return mine


async def test_a_fresh_store_with_the_record_alone_mines_the_same_session(tmp_path: Path) -> None:
    mine = await steered_beside_another(tmp_path / "old")
    again = Mine(tmp_path / "new", replay.prepare(mine.store, mine.id, tmp_path / "new"))
    assert await again.run() == "finished"
    assert first_difference((mine.store, mine.id), (again.store, again.id)) == ""


async def test_a_record_that_lacks_a_command_is_found_out(tmp_path: Path) -> None:
    mine = await steered_beside_another(tmp_path / "old")
    again = Mine(tmp_path / "new", replay.prepare(mine.store, mine.id, tmp_path / "new"))
    with open_store(again.store) as store:
        bare = store.create_session(
            name="test", seed=7, config_json=store.session(again.id).config_json, models_json=""
        )
        for event in store.steering(again.id)[:-1]:
            if event.payload["command"]["type"] != "edit_commit":  # type: ignore[index]
                store.append_event(bare, "steered", event.payload)
    other = Mine(again.store, bare)
    assert await other.run() == "finished"
    assert "place" in first_difference((mine.store, mine.id), (other.store, other.id))


async def test_what_cannot_be_replayed_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = await Mine.new(tmp_path / "old", config(generations=1))
    with pytest.raises(InputError, match="queued"):
        replay.prepare(mine.store, mine.id, tmp_path / "new")
    assert await mine.run() == "finished"
    with open_store(mine.store) as store:
        given = store.session(mine.id).config_json
        fork = store.fork_session(mine.id, 1, name="", seed=7, config_json=given)
        store.set_session_state(fork, "finished")
    with pytest.raises(InputError, match="replay that one"):
        replay.prepare(mine.store, fork, tmp_path / "new")
    assert replay.main([str(mine.store), mine.id, "--into", str(mine.store)]) == 2
    assert "holds sessions" in capsys.readouterr().err
    with open_reader(mine.store) as reader:
        assert len(reader.sessions()) == 2
