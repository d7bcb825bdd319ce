"""The record of a human's hand: what can be withdrawn, forks, and the session that the record gives again."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine import protocol
from engine.commands import (
    Ban,
    Command,
    EditBegin,
    EditCommit,
    Inject,
    Lift,
    Pause,
    Pin,
    Rescore,
    Resume,
    SetKnobs,
    Step,
    Stop,
    Undo,
    Unpin,
)
from engine.config import MiningConfig
from engine.errors import MachineError
from engine.helm import entry_of
from engine.keeper import Keeper
from engine.steering import effective_config
from store import open_reader
from tests.engine.fakes import FakeModels, FakePen, FakeStudio
from tests.engine.sessions import Mine, config, make, mined
from tests.engine.steered import best, paused_after, prompts, steered

# ---------------------------------------------------------------- undo, ids, record


async def test_a_command_can_be_withdrawn_until_its_generation_is_bred(tmp_path: Path) -> None:
    async def hand(mine: Mine) -> None:
        inject = await mine.accepted(Inject, prompts=("a cat at sea",))
        knobs = await mine.accepted(SetKnobs, knobs={"population": 9})
        pin = await mine.accepted(Pin, candidate_id=best(mine.population(1))[0].id)
        for answer in (inject, knobs):
            undone = await mine.accepted(Undo, command_id=answer.id)
            assert undone.sentence == f"Withdrawn: {answer.sentence}"
        assert "withdrawn already" in await mine.refused(Undo, command_id=inject.id)
        assert "no steering command nothing" in await mine.refused(Undo, command_id="nothing")
        await mine.accepted(Inject, prompts=("a cat at sea", "a dog at sea"))
        await mine.accepted(Step)
        await mine.state("paused", 2)
        assert "bred already" in await mine.refused(Undo, command_id=pin.id)

    mine = await steered(tmp_path, config(), 1, hand)
    assert len(mine.population(2)) == 5
    assert prompts(mine.population(2), "human") == ["a cat at sea", "a dog at sea"]


async def test_the_same_id_twice_is_answered_the_same_also_after_a_restart(tmp_path: Path) -> None:
    mine = await Mine.new(tmp_path, config())
    answers: list[protocol.Acknowledged] = []

    async def ask() -> None:
        assert mine.session is not None
        inject = make(Inject, mine.id, id="the-one", prompts=("a cat at sea",))
        both = await asyncio.gather(*(mine.session.ask(inject, "ann", 1) for _ in range(2)))
        answers.extend(both)

    async def first() -> None:
        await paused_after(mine, 1)
        await ask()
        refusal = make(Pin, mine.id, id="refused", candidate_id=999)
        assert mine.session is not None
        one = await mine.session.ask(refusal, "ann", 1)
        assert one == await mine.session.ask(refusal, "ann", 1)
        await mine.accepted(Stop)

    async def second() -> None:
        await ask()

    assert await mine.run(during=first) == "interrupted"
    state = await mine.run(during=second)
    assert state == "finished", mine.events[-1]
    assert len(answers) == 4
    assert len(set(map(repr, answers))) == 1
    assert answers[0].accepted
    assert answers[0].generation == 2
    with open_reader(tmp_path) as reader:
        assert [event.kind for event in reader.steering(mine.id)] == ["steered"]
    assert prompts(mine.population(2), "human") == ["a cat at sea"]


async def test_commands_are_recorded_with_author_and_generation_before_they_are_acknowledged(
    tmp_path: Path,
) -> None:
    async def hand(mine: Mine) -> None:
        answer = await mine.accepted(Inject, prompts=("a cat at sea",), author="bob (app)")
        with open_reader(mine.store) as reader:
            (event,) = reader.steering(mine.id)
        assert event.payload["author"] == "bob (app)"
        assert event.payload["generation"] == answer.generation == 2
        assert event.payload["sentence"] == answer.sentence
        assert event.payload["command_id"] == answer.id
        assert mine.session is not None
        assert mine.session.snapshot().seq == event.seq
        told = [one for one in mine.events if isinstance(one, protocol.Steered)]
        assert [one.seq for one in told] == [event.seq]

    await steered(tmp_path, config(), 1, hand)


async def test_what_is_said_while_a_generation_is_bred_counts_from_the_one_after_it(tmp_path: Path) -> None:
    begun, end = asyncio.Event(), asyncio.Event()

    class SlowPen(FakePen):
        async def write(self, task: Any) -> Any:
            if task.kind == "mutations" and not end.is_set():
                begun.set()
                await end.wait()
            return await super().write(task)

    mine = await Mine.new(tmp_path, config())

    async def during() -> None:
        await begun.wait()
        assert (await mine.accepted(Inject, prompts=("a cat at sea",))).generation == 3
        end.set()

    assert await mine.run(FakeModels(pen=SlowPen()), during=during) == "finished"
    assert prompts(mine.population(2), "human") == []
    assert prompts(mine.population(3), "human") == ["a cat at sea"]


# ---------------------------------------------------------------- forks


async def test_a_fork_goes_on_from_the_shared_generations_with_what_was_steered_by_then(
    tmp_path: Path,
) -> None:
    async def hand(mine: Mine) -> None:
        one, two = best(mine.population(1))[-2:]
        await mine.accepted(Pin, candidate_id=two.id)
        await mine.accepted(Rescore, candidate_id=one.id, images=3)
        await mine.accepted(Ban, what="lineage", candidate_id=one.id)
        await mine.accepted(SetKnobs, knobs={"images": 6})
        await mine.accepted(Inject, prompts=tuple(f"thought {number}" for number in range(7)))
        await mine.accepted(Step)
        await mine.state("paused", 2)
        await mine.accepted(Rescore, candidate_id=one.id, images=2)
        await mine.accepted(SetKnobs, knobs={"images": 3})

    source = await steered(tmp_path, config(generations=4), 1, hand)
    with open_reader(tmp_path) as reader:
        record = [entry_of(event) for event in reader.steering(source.id) if event.kind == "steered"]
    given = effective_config(config(generations=4), record, 2)
    assert given.search.images == 6
    keeper = Keeper()
    await keeper.open(tmp_path)
    number = await keeper.call(
        keeper.store.fork_session, source.id, 2, name="fork", seed=7, config_json=given.model_dump_json()
    )
    keeper.close()
    fork = Mine(tmp_path, number)
    assert await fork.run() == "finished"
    told = [event.generation for event in fork.events if isinstance(event, protocol.CandidateScored)]
    assert sorted(told) == [3] * 5 + [4] * 5, "what is shared was told where it was mined"
    for generation in (1, 2):
        shared = [(one.prompt, one.origin, one.state) for one in source.population(generation)]
        assert [(one.prompt, one.origin, one.state) for one in fork.population(generation)] == shared
    assert prompts(fork.population(3), "human") == ["thought 4", "thought 5", "thought 6"]
    assert [one.prompt for one in fork.population(3)] == [one.prompt for one in source.population(3)]
    with open_reader(tmp_path) as reader:
        for generation, images in ((3, 6), (4, 6)):
            for one in fork.population(generation):
                evaluation = reader.candidate(one.id).evaluation
                assert evaluation is not None
                assert len(evaluation.images) == images
        assert [event.kind for event in reader.steering(number)].count("candidate_rescored") == 1
    twin = await forked_twice(tmp_path, number, source, given)
    assert twin == mined(tmp_path, number)


async def forked_twice(store: Path, first: str, source: Mine, given: MiningConfig) -> list[tuple[Any, ...]]:
    """Fork the same generations again, and cut the fork off once."""
    keeper = Keeper()
    await keeper.open(store)
    number = await keeper.call(
        keeper.store.fork_session, source.id, 2, name="twin", seed=7, config_json=given.model_dump_json()
    )
    keeper.close()
    twin = Mine(store, number)
    await twin.cut(FakeModels(), lambda event: isinstance(event, protocol.CandidateScored))
    assert await twin.run() == "finished"
    assert number != first
    return twin.mined()


async def test_a_fork_of_half_a_generation_tells_of_it_whole_even_after_a_crash(tmp_path: Path) -> None:
    source = await Mine.new(tmp_path, config())
    await source.cut(
        FakeModels(),
        lambda e: isinstance(e, protocol.CandidateScored) and (e.generation, e.position) == (2, 1),
    )
    keeper = Keeper()
    await keeper.open(tmp_path)
    number = await keeper.call(
        keeper.store.fork_session, source.id, 2, name="", seed=7, config_json=config().model_dump_json()
    )
    keeper.close()
    fork = Mine(tmp_path, number)
    await fork.cut(FakeModels(), lambda e: isinstance(e, protocol.CandidateScored) and e.position == 4)
    assert {one.state for one in fork.population(2)} == {"scored"}
    assert await fork.run() == "finished"
    with open_reader(tmp_path) as reader:
        events = [(event.kind, event.payload.get("generation")) for event in reader.events(number)]
    for kind in ("generation_started", "generation_finished"):
        assert [generation for what, generation in events if what == kind] == [2, 3]


# ---------------------------------------------------------------- the record gives the session again


class Hand:
    """Gives random commands at random moments."""

    def __init__(self, mine: Mine, chance: random.Random) -> None:
        self.mine = mine
        self._chance = chance
        self._number = 0
        self._given: list[str] = []

    def hear(self, event: protocol.Event) -> None:
        chance = self._chance
        if isinstance(event, protocol.StateChanged):
            if event.state == "paused":
                self._soon(make(chance.choice([Resume, Step]), self.mine.id))
            return
        if event.seq and chance.random() < 0.4 and self._number < 60:
            self._number += 1
            self._soon(self._command())

    def _soon(self, command: Command) -> None:
        async def ask() -> None:
            assert self.mine.session is not None
            if isinstance(command, EditCommit):
                begin = make(EditBegin, self.mine.id, candidate_id=command.candidate_id)
                await self.mine.session.ask(begin, "ann", 1)
            answer = await self.mine.session.ask(command, "ann", 1)
            assert answer.sentence.endswith("."), answer
            if answer.generation:
                self._given.append(command.id)

        task = asyncio.ensure_future(ask())
        self.mine.tasks.add(task)
        task.add_done_callback(self.mine.tasks.discard)

    def _command(self) -> Command:
        chance, number = self._chance, self._number
        with open_reader(self.mine.store) as reader:
            last = len(reader.generations(self.mine.id))
            known = [
                one.id
                for n in range(max(1, last - 1), last + 1)
                for one in reader.candidates(self.mine.id, n)
            ]
        candidate = chance.choice(known or [1])
        word = chance.choice(["red", "blue", "cat", "dog", "sun"])
        knobs = chance.choice(
            [
                {"population": chance.randint(4, 8)},
                {"survivors": chance.randint(1, 3), "images": chance.randint(2, 6)},
                {"mutations": chance.randint(0, 3), "alpha": chance.random()},
                {"generations": chance.randint(3, 5), "theme": word},
            ]
        )
        what: dict[str, Any] = chance.choice(
            [{"what": "word", "text": word}, {"what": "lineage", "candidate_id": candidate}]
        )
        fields: list[tuple[type[Command], dict[str, Any]]] = [
            (Inject, {"prompts": tuple(f"thought {number} {n}" for n in range(chance.randint(1, 7)))}),
            (EditCommit, {"candidate_id": candidate, "prompt": f"an edited thought {number}"}),
            (Pin, {"candidate_id": candidate}),
            (Unpin, {"candidate_id": candidate}),
            (Ban, what),
            (Lift, what),
            (Rescore, {"candidate_id": candidate, "images": chance.randint(1, 9)}),
            (Rescore, {"candidate_id": candidate, "images": chance.randint(1, 9)}),
            (SetKnobs, {"knobs": knobs}),
            (Undo, {"command_id": (self._given or ["none"])[-1]}),
            (Pause, {"after": chance.choice(["image", "batch", "generation"])}),
            (Step, {}),
        ]
        kind, given = chance.choice(fields)
        return make(kind, self.mine.id, id=f"hand-{number}", **given)


class End:
    """Ends a run after so many steps, or stored events."""

    def __init__(self, hand: Hand, left: int) -> None:
        self._hand = hand
        self._left = left

    def dies(self, event: protocol.Event) -> bool:
        self._hand.hear(event)
        self._left -= bool(event.seq)
        return self._left <= 0

    def trip(self, step: str) -> None:
        self._left -= 1
        if self._left <= 0:
            raise MachineError(f"The step {step} failed: look into the log.")

    def hear(self, event: protocol.Event) -> None:
        if self._left <= 0:
            self._hand.mine.stops(event)
        else:
            self._hand.hear(event)


async def replayed(store: Path, given: MiningConfig, of: Mine) -> Mine:
    """Mine a new session in which the commands of another are recorded from the beginning."""
    mine = await Mine.new(store, given)
    with open_reader(of.store) as reader:
        events = [event for event in reader.steering(of.id) if event.kind == "steered"]
    keeper = Keeper()
    await keeper.open(store)
    for event in events:
        payload = msgspec.json.decode(
            msgspec.json.encode(event.payload).replace(of.id.encode(), mine.id.encode())
        )
        await keeper.call(keeper.store.append_event, mine.id, "steered", payload)
    keeper.close()
    assert await mine.run() == "finished"
    return mine


@pytest.mark.parametrize("seed", range(25))
async def test_any_hand_with_any_interruptions_gives_what_its_record_gives(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    given = config(generations=4, images=3, elitist=seed % 5 == 0, population=6)
    mine = await Mine.new(tmp_path / "hand", given)
    hand = Hand(mine, chance)
    for attempt in range(60):
        end = End(hand, chance.randint(1, 40) + 3 * attempt)
        if chance.random() < 0.5:  # the engine dies without a word
            await mine.cut(FakeModels(), end.dies)
            mine.tasks.clear()
        else:  # or a model fails for good, and the session is stopped
            await mine.run(FakeModels(FakeStudio(end.trip), FakePen(end.trip)), end.hear)
        with open_reader(mine.store) as reader:
            if reader.session(mine.id).state == "finished":
                break
    again = await replayed(tmp_path / "record", given, mine)
    assert again.mined() == mine.mined()


async def test_whoever_joins_at_the_moment_of_a_command_sees_it_in_force(tmp_path: Path) -> None:
    seen: list[int] = []

    def hear(event: protocol.Event) -> None:
        if isinstance(event, protocol.GenerationFinished) and event.generation == 1:
            mine.soon(Ban, what="word", text="robot")
        if isinstance(event, protocol.Steered):
            assert mine.session is not None
            snapshot = mine.session.snapshot()
            assert snapshot.seq == event.seq
            seen.append(len(snapshot.bans))

    mine = await Mine.new(tmp_path, config())
    assert await mine.run(hear=hear) == "finished"
    assert seen == [1]
