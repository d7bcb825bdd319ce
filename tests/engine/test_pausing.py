"""Pauses: acknowledged at once, reached where announced, told honestly, without a trace in what is mined."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from engine import protocol
from engine.commands import Pause, Resume, Step, Stop
from store import Store, open_reader
from tests.engine.fakes import FakeModels, FakePen, FakeStudio
from tests.engine.sessions import Mine, config, mined


class Busy:
    """Work that takes until it is let go."""

    def __init__(self) -> None:
        self.begun = asyncio.Semaphore(0)
        self._may_end = asyncio.Semaphore(0)
        self._free = False

    async def __call__(self) -> None:
        self.begun.release()
        if not self._free:
            await self._may_end.acquire()

    def let_one_go(self) -> None:
        self._may_end.release()

    def let_go(self) -> None:
        self._free = True
        for _ in range(10):
            self._may_end.release()


@pytest.fixture
def whole(tmp_path: Path) -> Callable[[], Awaitable[list[tuple[Any, ...]]]]:
    async def mine_it() -> list[tuple[Any, ...]]:
        mine = await Mine.new(tmp_path / "whole", config())
        await mine.run()
        return mine.mined()

    return mine_it


def stored_images(store: Path) -> int:
    with open_reader(store) as reader:
        return int(reader._rows("SELECT count(*) FROM images")[0][0])


def pausings(mine: Mine) -> list[tuple[str, int, int]]:
    return [(e.after, e.done, e.total) for e in mine.events if isinstance(e, protocol.Pausing)]


@pytest.mark.parametrize(("after", "kept", "told"), [("image", 1, (5, 5)), ("batch", 2, (2, 2))])
async def test_a_pause_is_acknowledged_while_the_painter_is_busy_and_comes_after_its_unit(
    tmp_path: Path,
    whole: Callable[[], Awaitable[list[tuple[Any, ...]]]],
    after: str,
    kept: int,
    told: tuple[int, int],
) -> None:
    busy = Busy()
    models = FakeModels(FakeStudio(work=busy))
    mine = await Mine.new(tmp_path / "paused", config())

    async def during() -> None:
        await busy.begun.acquire()
        # the second unit waits at the painter while the first one is drawn
        await mine.until(lambda e: isinstance(e, protocol.Progress) and e.stage == "writing" and e.done == 5)
        answer = await mine.accepted(Pause, after=after)
        assert "pauses after" in answer.sentence
        assert stored_images(mine.store) == 0
        assert pausings(mine) == [(after, 0, told[1])]
        snapshot = mine.session.snapshot() if mine.session else None
        assert snapshot is not None
        assert snapshot.state == "mining"
        assert snapshot.pausing is not None
        assert snapshot.pausing.after == after
        for _ in range(kept):
            busy.let_one_go()
        changed = await mine.state("paused")
        assert changed.reason == "paused by ann"
        assert pausings(mine)[-1] == (after, *told)
        assert len(models.studio.units) == kept
        assert stored_images(mine.store) == 5 * kept
        with open_reader(mine.store) as reader:
            assert reader.session(mine.id).state == "paused"
        busy.let_go()
        await mine.a_while()
        assert len(models.studio.units) == kept, "something was drawn in a pause"
        assert (await mine.accepted(Pause)).sentence == "The session is paused already: paused by ann."
        await mine.accepted(Resume, author="bob")

    assert await mine.run(models, during=during) == "finished"
    assert "resumed by bob" in [e.reason for e in mine.events if isinstance(e, protocol.StateChanged)]
    assert mine.mined() == await whole()


async def test_the_writer_pauses_after_its_task(tmp_path: Path) -> None:
    busy = Busy()
    models = FakeModels(pen=FakePen(work=busy))
    mine = await Mine.new(tmp_path, config())

    async def during() -> None:
        await busy.begun.acquire()
        await mine.accepted(Pause)
        assert pausings(mine) == [("image", 0, 0)]
        busy.let_one_go()
        await mine.state("paused")
        busy.let_go()
        await mine.a_while()
        assert len(models.pen.tasks) == 1
        with open_reader(mine.store) as reader:
            assert reader._rows("SELECT count(*) FROM writings") == [(1,)]
        await mine.accepted(Resume)

    assert await mine.run(models, during=during) == "finished"


async def test_a_pause_after_the_generation_and_steps_from_there(
    tmp_path: Path, whole: Callable[[], Awaitable[list[tuple[Any, ...]]]]
) -> None:
    mine = await Mine.new(tmp_path / "stepped", config())

    async def during() -> None:
        await mine.accepted(Pause, after="generation")
        for generation in (1, 2):
            changed = await mine.state("paused", generation)
            assert changed.reason == f"paused by ann after generation {generation}"
            assert {one.state for one in mine.population(generation)} == {"scored"}
            assert mine.population(generation + 1) == ()
            assert pausings(mine)[-1] == ("generation", 5, 5)
            assert mine.session is not None
            assert mine.session.snapshot().next_generation == generation + 1
            await mine.accepted(Step)
        await mine.state("paused", 3)
        await mine.accepted(Resume)

    assert await mine.run(during=during) == "finished"
    assert mine.mined() == await whole()


async def test_a_pause_can_be_called_off_and_replaced(tmp_path: Path) -> None:
    busy = Busy()
    mine = await Mine.new(tmp_path, config(generations=2))

    async def during() -> None:
        await busy.begun.acquire()
        await mine.accepted(Pause, after="image")
        assert (await mine.accepted(Resume)).sentence == "The pause is called off."
        assert pausings(mine)[-1] == ("", 0, 0)
        assert (await mine.accepted(Resume)).sentence == "The session is being mined already."
        await mine.accepted(Pause, after="image")
        await mine.accepted(Pause, after="generation")  # later than asked first: the painter goes on
        busy.let_go()
        await mine.state("paused")
        assert {one.state for one in mine.population(1)} == {"scored"}
        await mine.accepted(Resume)

    assert await mine.run(FakeModels(FakeStudio(work=busy)), during=during) == "finished"
    assert [e.state for e in mine.events if isinstance(e, protocol.StateChanged)] == [
        "mining",
        "paused",
        "mining",
        "finished",
    ]


async def test_a_pause_while_models_load_comes_before_anything_is_drawn(tmp_path: Path) -> None:
    models = FakeModels()
    mine = await Mine.new(tmp_path, config(generations=1))

    async def during() -> None:
        await mine.until(lambda e: isinstance(e, protocol.Progress) and e.stage == "loading")
        await mine.accepted(Pause)
        await mine.state("paused")
        assert models.opened
        assert (models.studio.units, models.pen.tasks) == ([], [])
        await mine.accepted(Resume)

    assert await mine.run(models, during=during) == "finished"


@pytest.mark.parametrize(
    "moment", ["loading", "writing", "painting", "pausing", "paused", "fault", "stopping"]
)
async def test_a_session_can_be_stopped_in_every_state(
    tmp_path: Path, whole: Callable[[], Awaitable[list[tuple[Any, ...]]]], moment: str
) -> None:
    busy = Busy()
    models = FakeModels(FakeStudio(work=busy))
    mine = await Mine.new(tmp_path / moment, config())

    async def during() -> None:
        match moment:
            case "loading":
                await mine.until(lambda e: isinstance(e, protocol.Progress) and e.stage == "loading")
            case "writing":
                await mine.until(lambda e: isinstance(e, protocol.GenerationStarted))
                busy.let_go()
            case "fault":
                models.studio.trip = _broken
                busy.let_go()
                await mine.state("paused")
            case _:
                await busy.begun.acquire()
                if moment in ("pausing", "paused"):
                    await mine.accepted(Pause)
                if moment == "paused":
                    busy.let_go()
                    await mine.state("paused")
        await mine.accepted(Stop, at_once=moment == "pausing")
        if moment == "stopping":
            await mine.state("stopping")
            assert "being stopped" in await mine.refused(Resume)
            assert "being stopped" in await mine.refused(Pause)
            await mine.accepted(Stop, at_once=True)
        elif moment == "painting":
            busy.let_go()

    assert await mine.run(models, during=during) == "interrupted"
    assert models.closed
    last = mine.events[-1]
    assert isinstance(last, protocol.Finished)
    assert last.state == "interrupted"
    with open_reader(mine.store) as reader:
        session = reader.session(mine.id)
    assert session.state == "interrupted"
    assert "stopped by ann" in session.reason
    assert "resume" in await mine.refused(Pause)
    assert await mine.run() == "finished"
    assert mine.mined() == await whole()


def _broken(step: str) -> None:
    from engine.errors import MachineError

    raise MachineError(f"The {step} step is broken: mend it.")


async def test_a_pause_waits_for_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = threading.Event()
    blocked = threading.Event()
    original = Store.save_images

    def slow(self: Store, images: Any) -> list[int]:
        blocked.set()
        assert disk.wait(60)
        return original(self, images)

    monkeypatch.setattr(Store, "save_images", slow)
    mine = await Mine.new(tmp_path, config(generations=1))

    async def during() -> None:
        while not blocked.is_set():
            await asyncio.sleep(0)
        await mine.accepted(Pause)
        assert not disk.is_set()
        assert not any(isinstance(e, protocol.StateChanged) and e.state == "paused" for e in mine.events)
        disk.set()
        await mine.state("paused")
        await mine.accepted(Resume)

    assert await mine.run(during=during) == "finished"


@pytest.mark.parametrize("seed", range(8))
async def test_pauses_at_any_moment_change_nothing(
    tmp_path: Path, whole: Callable[[], Awaitable[list[tuple[Any, ...]]]], seed: int
) -> None:
    chance = random.Random(seed)
    mine = await Mine.new(tmp_path / "disturbed", config())

    def hear(event: protocol.Event) -> None:
        if isinstance(event, protocol.StateChanged) and event.state == "paused":
            mine.soon(chance.choice([Resume, Resume, Step]))
        elif event.seq and chance.random() < 0.2 and not isinstance(event, protocol.StateChanged):
            after = chance.choice(["image", "batch", "generation"])
            asked = mine.ask(Step) if chance.random() < 0.1 else mine.ask(Pause, after=after)
            task = asyncio.ensure_future(asked)
            mine.tasks.add(task)

    assert await mine.run(hear=hear) == "finished"
    assert mine.mined() == await whole()
    assert mined(mine.store) == mine.mined()
