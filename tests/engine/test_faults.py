"""Faults of models and of the disk: the session pauses with the reason, and goes on to the very same result."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine import protocol, session
from engine.commands import Ban, Inject, Pause, Rescore, Resume, SetKnobs, Stop
from engine.errors import InputError, MachineError
from store import Store, StoreError, open_reader
from tests.engine.fakes import FakeModels, FakePen, FakeStudio
from tests.engine.sessions import Mine, config


class Wire:
    """Raises once, at the n-th step over models, studio, pen and store together."""

    def __init__(self, at: int, error: Callable[[str], Exception]) -> None:
        self.left = at
        self.steps: list[str] = []
        self._error = error

    def __call__(self, step: str) -> None:
        self.steps.append(step)
        self.left -= 1
        if self.left == 0:
            raise self._error(step)

    def models(self) -> FakeModels:
        return FakeModels(FakeStudio(self), FakePen(self), self)


def broken(step: str) -> Exception:
    return MachineError(f"The step {step} failed: try it again.")


def faults(mine: Mine) -> list[protocol.StateChanged]:
    return [e for e in mine.events if isinstance(e, protocol.StateChanged) and e.exit_code]


SMALLEST: dict[str, Any] = {"population": 3, "survivors": 1, "generations": 2}


async def test_a_model_that_fails_at_any_step_pauses_the_session_and_resume_goes_on(tmp_path: Path) -> None:
    mine = await Mine.new(tmp_path / "whole", config(**SMALLEST))
    wire = Wire(0, broken)
    await mine.run(wire.models())
    whole, steps = mine.mined(), len(wire.steps)
    assert set(wire.steps) == {"load", "random", "variations", "embed", "paint", "mutations"}
    for at in range(1, steps + 1):
        mine = await Mine.new(tmp_path / f"fault {at}", config(**SMALLEST))
        wire = Wire(at, broken)
        models = wire.models()
        assert await mine.run(models, mine.resumes) == "finished"
        (fault,) = faults(mine)
        assert fault.state == "paused"
        assert fault.exit_code == 3
        assert fault.reason == f"The step {wire.steps[at - 1]} failed: try it again."
        assert len(models.opened) == 1, "models stay loaded"
        told = [e.candidate_id for e in mine.events if isinstance(e, protocol.CandidateScored)]
        assert sorted(told) == [1, 2, 3, 4, 5, 6], "an event was lost, or told twice"
        assert mine.mined() == whole, f"fault at step {at}"


WRITES = (
    "save_images",
    "save_text_embeddings",
    "save_evaluation",
    "save_writing",
    "add_candidates",
    "append_event",
)


@pytest.mark.parametrize("write", [*WRITES, "set_session_state"])
async def test_a_disk_that_fails_at_any_write_pauses_the_session_and_resume_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: str
) -> None:
    original = getattr(Store, write)
    fail_at = 0
    calls = 0

    def failing(self: Store, *args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == fail_at:
            raise StoreError("The store cannot be written: make it writable.", 3)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(Store, write, failing)
    mine = await Mine.new(tmp_path / "whole", config(**SMALLEST))
    await mine.run()
    whole, total = mine.mined(), calls
    assert total
    for at in sorted({1, 2, total // 2, total}):
        mine = await Mine.new(tmp_path / f"fault {at}", config(**SMALLEST))
        calls, fail_at = 0, at
        assert await mine.run(hear=mine.resumes) == "finished"
        fail_at = 0
        assert mine.mined() == whole, f"fault at {write} {at}"
        with open_reader(mine.store) as reader:
            assert reader.session(mine.id).state == "finished" or (write, at) == ("set_session_state", total)
        if write not in ("append_event", "set_session_state"):  # those of a state change hold nothing up
            assert "make it writable" in faults(mine)[0].reason


class Disk:
    """A disk that is full for every write until room is made."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = False
        self.free = 10_000
        for write in (*WRITES, "set_session_state"):
            self._guard(monkeypatch, write, getattr(Store, write))
        monkeypatch.setattr(session, "free_bytes", lambda folder: self.free)
        monkeypatch.setattr(session, "ROOM_SECONDS", 0)

    def _guard(self, monkeypatch: pytest.MonkeyPatch, name: str, original: Any) -> None:
        def guarded(store: Store, *args: Any, **kwargs: Any) -> Any:
            if self.full:
                raise StoreError("The disk is full: free some space.", 3, full=True)
            return original(store, *args, **kwargs)

        monkeypatch.setattr(Store, name, guarded)


async def test_a_full_disk_is_told_once_and_mining_goes_on_by_itself_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = await Mine.new(tmp_path / "whole", config())
    await mine.run()
    whole = mine.mined()
    disk = Disk(monkeypatch)
    mine = await Mine.new(tmp_path / "full", config())

    async def during() -> None:
        await mine.until(lambda e: isinstance(e, protocol.CandidateScored))
        disk.full = True
        changed = await mine.state("paused")
        assert changed.seq == 0, "the row cannot be written and is told all the same"
        assert "disk is full" in changed.reason
        snapshot = mine.session.snapshot() if mine.session else None
        assert snapshot is not None
        assert (snapshot.state, snapshot.exit_code) == ("paused", 3)
        for _ in range(100):
            await asyncio.sleep(0)
        assert len(faults(mine)) == 1, "nothing is tried while the disk is full"
        assert "disk is full" in await mine.refused(Inject, prompts=("a cat on the moon",))
        disk.full = False
        disk.free += session.ROOM_BYTES

    assert await mine.run(during=during) == "finished"
    assert [(e.state, e.reason) for e in mine.events if isinstance(e, protocol.StateChanged) and e.seq] == [
        ("mining", ""),
        ("paused", "The disk is full: free some space."),
        ("mining", "the disk has room again"),
        ("finished", ""),
    ]
    assert mine.mined() == whole


async def test_a_full_disk_can_be_resumed_or_stopped_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)
    mine = await Mine.new(tmp_path, config())

    async def during() -> None:
        await mine.until(lambda e: isinstance(e, protocol.CandidateScored))
        disk.full = True
        await mine.state("paused")
        await mine.accepted(Resume)
        await mine.state("paused", 2)
        await mine.accepted(Stop)

    assert await mine.run(during=during) == "interrupted"
    disk.full = False
    assert await mine.run() == "finished"
    with sqlite3.connect(mine.store / "minegap.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_an_input_that_cannot_be_used_fails_the_session(tmp_path: Path) -> None:
    def refuse(step: str) -> Exception:
        return InputError("The painter 'x' is no model: choose another one.")

    mine = await Mine.new(tmp_path, config())
    assert await mine.run(Wire(1, refuse).models()) == "failed"
    last = mine.events[-1]
    assert isinstance(last, protocol.Failed)
    assert (last.exit_code, last.sentence) == (2, "The painter 'x' is no model: choose another one.")
    with open_reader(tmp_path) as reader:
        assert (reader.session(mine.id).state, reader.session(mine.id).reason) == ("failed", last.sentence)


async def test_a_fault_during_a_pause_is_the_reason_that_counts(tmp_path: Path) -> None:
    begun, end = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await end.wait()
        raise MachineError("The painter died: look into its log.")

    models = FakeModels(FakeStudio(work=work))
    mine = await Mine.new(tmp_path, config(generations=1))

    async def during() -> None:
        await begun.wait()
        await mine.accepted(Pause)
        end.set()
        changed = await mine.until(lambda e: isinstance(e, protocol.StateChanged) and e.exit_code == 3)
        assert isinstance(changed, protocol.StateChanged)
        assert (changed.state, changed.reason) == ("paused", "The painter died: look into its log.")

        async def mended() -> None:
            return None

        models.studio.work = mended
        await mine.accepted(Resume)

    assert await mine.run(models, during=during) == "finished"


async def test_what_is_steered_in_a_faults_pause_counts_from_the_breeding_that_failed(tmp_path: Path) -> None:
    """A writer that finds nothing to say is helped by another theme: it must count at once."""

    class Speechless(FakePen):
        async def write(self, task: Any) -> Any:
            if task.kind == "mutations" and not task.theme:
                raise MachineError("The writer wrote no new prompt: use another theme.")
            return await super().write(task)

    mine = await Mine.new(tmp_path, config(generations=2))

    async def during() -> None:
        await mine.state("paused")
        answer = await mine.accepted(SetKnobs, knobs={"theme": "the sea"})
        assert answer.generation == 2
        await mine.accepted(Resume)

    assert await mine.run(FakeModels(pen=Speechless()), during=during) == "finished"
    assert len(mine.population(2)) == 5


async def test_a_generation_without_any_score_pauses_once(tmp_path: Path) -> None:
    given = config(prompts=["a", "b"], population=2, survivors=1, generations=2)
    pen = FakePen(scarce=frozenset({"a", "b"}))
    mine = await Mine.new(tmp_path, given)
    assert await mine.run(FakeModels(pen=pen), mine.resumes) == "finished"
    (fault,) = faults(mine)
    assert fault.reason.startswith("Not one of 2 candidates of generation 1 could be scored")
    assert {one.origin for one in mine.population(2)} == {"random"}


async def test_a_measurement_that_fails_is_done_again(tmp_path: Path) -> None:
    async def rescored(at: int, where: str) -> list[tuple[Any, ...]]:
        mine = await Mine.new(tmp_path / where, config())
        wire = Wire(at, broken)

        def hear(event: protocol.Event) -> None:
            mine.resumes(event)
            if isinstance(event, protocol.CandidateScored) and event.position == 0 and event.generation == 1:
                mine.soon(Rescore, candidate_id=event.candidate_id, images=7)
                mine.soon(Ban, what="word", text="robot")

        assert await mine.run(FakeModels(FakeStudio(wire)), hear) == "finished"
        assert sum(isinstance(e, protocol.CandidateRescored) for e in mine.events) == 1
        return mine.mined()

    whole = await rescored(0, "whole")
    for at in range(3, 16, 2):
        assert await rescored(at, f"fault {at}") == whole


# ---------------------------------------------------------------- what happens while the store is busy


def beside(
    monkeypatch: pytest.MonkeyPatch, call: str, when: Callable[..., bool], do: Callable[[], object]
) -> None:
    """The first fitting call of the store takes as long as ``do`` and all that follows from it in the loop."""
    loop, original, waiting = asyncio.get_running_loop(), getattr(Store, call), [True]

    async def turns() -> None:
        do()
        for _ in range(50):
            await asyncio.sleep(0)

    def slow(store: Store, *args: Any, **kwargs: Any) -> Any:
        if waiting and when(*args):
            waiting.clear()
            asyncio.run_coroutine_threadsafe(turns(), loop).result(30)
        return original(store, *args, **kwargs)

    monkeypatch.setattr(Store, call, slow)


async def test_a_measurement_that_is_recorded_while_another_chain_fails_is_not_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails = asyncio.Event()
    randoms = 0

    class Failing(FakePen):
        async def write(self, task: Any) -> Any:
            nonlocal randoms
            randoms += task.kind == "random"
            if randoms == 2 and not fails.is_set():
                await fails.wait()
                raise MachineError("The writer died: look into its log.")
            return await super().write(task)

    def hear(event: protocol.Event) -> None:
        mine.resumes(event)
        if isinstance(event, protocol.CandidateScored) and (event.generation, event.position) == (1, 0):
            mine.soon(Rescore, candidate_id=event.candidate_id, images=2)

    beside(monkeypatch, "append_event", lambda _, kind, __: kind == "candidate_rescored", fails.set)
    mine = await Mine.new(tmp_path, config())
    assert await mine.run(FakeModels(pen=Failing()), hear) == "finished"
    assert len(faults(mine)) == 1
    with open_reader(tmp_path) as reader:
        kinds = [event.kind for event in reader.steering(mine.id)]
    assert kinds == ["steered", "candidate_rescored"]


async def test_a_pause_that_comes_too_late_does_not_have_the_last_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settles = asyncio.Event()

    class Late(FakeStudio):
        async def settled(self) -> None:
            await settles.wait()

    class Failing(FakePen):
        async def write(self, task: Any) -> Any:
            if task.kind == "mutations":
                await mine.accepted(Pause)
                raise InputError("The grammar is broken: choose another writer.")
            return await super().write(task)

    beside(monkeypatch, "set_session_state", lambda _, state, *__: state == "failed", settles.set)
    mine = await Mine.new(tmp_path, config())
    assert await mine.run(FakeModels(Late(), Failing())) == "failed"
    with open_reader(tmp_path) as reader:
        assert reader.session(mine.id).state == "failed"
        assert [e.payload["state"] for e in reader.events(mine.id) if e.kind == "state_changed"][
            -1
        ] == "failed"


async def test_a_pause_that_is_ended_just_when_a_fault_comes_shows_the_state_that_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dies = asyncio.Event()

    class Dying(FakeStudio):
        async def paint(self, jobs: Any) -> Any:
            if len(self.units) == 1 and not dies.is_set():  # held, as the next unit is
                await dies.wait()
                raise MachineError("The painter died: look into its log.")
            return await super().paint(jobs)

    mine = await Mine.new(tmp_path, config(generations=1))

    def hear(event: protocol.Event) -> None:
        drawn = isinstance(event, protocol.Progress) and (event.stage, event.done) == ("painting", 5)
        if drawn and not dies.is_set():
            mine.soon(Pause)

    async def during() -> None:
        await mine.state("paused")
        beside(monkeypatch, "candidates", lambda *_: True, lambda: mine.soon(Resume))
        dies.set()

    assert await mine.run(FakeModels(Dying()), hear, during) == "finished"
    states = [(e.state, e.exit_code) for e in mine.events if isinstance(e, protocol.StateChanged)]
    assert ("paused", 3) in states
    assert states[-2:] == [("mining", 0), ("finished", 0)]
