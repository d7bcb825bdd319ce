"""A human's hand on what is mined: prompts, pins and bans have their effect from the generation they announce."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import protocol
from engine.commands import (
    Ban,
    EditBegin,
    EditCancel,
    EditCommit,
    Inject,
    Lift,
    Pin,
    SetKnobs,
    Step,
    Stop,
    Unpin,
)
from engine.genetic import normalise
from engine.wire import encode
from store import open_reader
from tests.engine.fakes import FakeModels, FakePen
from tests.engine.sessions import Mine, config
from tests.engine.steered import best, paused_after, prompts, steered

# ---------------------------------------------------------------- human prompts


async def test_an_edited_prompt_is_a_child_of_origin_human_in_the_generation_announced(
    tmp_path: Path,
) -> None:
    async def hand(mine: Mine) -> None:
        parent = mine.population(1)[3]
        await mine.accepted(EditBegin, candidate_id=parent.id)
        answer = await mine.accepted(EditCommit, candidate_id=parent.id, prompt="a nurse at the sea")
        assert answer.generation == 2
        assert (
            answer.sentence == f"The edited prompt enters generation 2 as a child of candidate {parent.id}."
        )

    mine = await steered(tmp_path, config(), 1, hand)
    first = mine.population(2)[0]
    assert (first.prompt, first.origin, first.parent_id) == (
        "a nurse at the sea",
        "human",
        mine.population(1)[3].id,
    )
    assert first.state == "scored"
    assert len(mine.population(2)) == 5
    assert prompts(mine.population(3), "human") == []


async def test_injected_prompts_displace_randoms_then_mutations_of_the_weakest(tmp_path: Path) -> None:
    texts = tuple(f"a human thought number {word}" for word in ("one", "two", "three", "four"))

    async def hand(mine: Mine) -> None:
        await mine.accepted(Inject, prompts=texts)

    mine = await steered(tmp_path, config(survivors=2, mutations=2), 1, hand)
    population = mine.population(2)
    assert [one.prompt for one in population[:4]] == list(texts)
    assert [one.parent_id for one in population[:4]] == [None] * 4
    assert [(one.origin, one.parent_id) for one in population[4:]] == [
        ("mutation", best(mine.population(1))[0].id)
    ]


async def test_more_prompts_than_places_wait_for_the_generations_announced(tmp_path: Path) -> None:
    texts = tuple(
        f"thought {word}" for word in ["one", "two", "three", "four", "five", "six", "seven", "eight"]
    )

    async def hand(mine: Mine) -> None:
        answer = await mine.accepted(Inject, prompts=(*texts, texts[0], mine.population(1)[0].prompt.upper()))
        assert answer.sentence == (
            "5 prompts enter generation 2, 3 prompts enter generation 3; "
            "2 prompts left out (in the session already)."
        )
        assert answer.generation == 2
        assert mine.session is not None
        assert [(one.prompt, one.generation) for one in mine.session.snapshot().pending] == [
            *((text, 2) for text in texts[:5]),
            *((text, 3) for text in texts[5:]),
        ]
        assert "in the session already" in await mine.refused(Inject, prompts=(texts[6],))
        more = tuple(f"another thought {number}" for number in range(9))
        assert "undo them or raise generations" in await mine.refused(Inject, prompts=more)

    mine = await steered(tmp_path, config(), 1, hand)
    assert prompts(mine.population(2), "human") == list(texts[:5])
    assert prompts(mine.population(3), "human") == list(texts[5:])


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        (("",), "Prompt 1 of 1 is empty"),
        (("a cat", "a\x1b[2J dog"), "Prompt 2 of 2 holds the control character U+001B"),
        (("x" * 3000,), "has 3000 characters"),
    ],
)
async def test_prompts_that_cannot_be_drawn_are_refused(
    tmp_path: Path, texts: tuple[str, ...], why: str
) -> None:
    async def hand(mine: Mine) -> None:
        assert why in await mine.refused(Inject, prompts=texts)

    mine = await steered(tmp_path, config(), 1, hand)
    assert not any(isinstance(event, protocol.Steered) for event in mine.events)


async def test_an_edit_needs_its_lock_and_a_lock_goes_with_its_connection(tmp_path: Path) -> None:
    async def hand(mine: Mine) -> None:
        number = mine.population(1)[0].id
        assert "begin the edit first" in await mine.refused(EditCommit, candidate_id=number, prompt="a cat")
        await mine.accepted(EditBegin, candidate_id=number, connection=7)
        assert mine.session is not None
        assert mine.session.snapshot().locks == (protocol.Lock(candidate_id=number, author="ann"),)
        await mine.accepted(EditBegin, candidate_id=number, connection=7)
        for kind, more in ((EditBegin, {}), (EditCancel, {}), (EditCommit, {"prompt": "a cat"})):
            sentence = await mine.refused(kind, candidate_id=number, connection=8, author="bob", **more)
            assert "being rewritten by ann" in sentence
        mine.session.disconnected(7)
        await mine.accepted(EditBegin, candidate_id=number, connection=8, author="bob")
        await mine.accepted(EditCancel, candidate_id=number, connection=8, author="bob")
        await mine.accepted(EditBegin, candidate_id=number, connection=7)
        same = mine.population(1)[1].prompt
        assert "in the session already" in await mine.refused(
            EditCommit, candidate_id=number, prompt=f" {same.upper()}!", connection=7
        )
        await mine.accepted(EditCommit, candidate_id=number, prompt="a cat at sea", connection=7)
        assert mine.session.snapshot().locks == ()
        assert "no candidate 999" in await mine.refused(EditBegin, candidate_id=999)

    mine = await steered(tmp_path, config(), 1, hand)
    told = [
        type(event).__name__
        for event in mine.events
        if isinstance(event, protocol.CandidateLocked | protocol.CandidateUnlocked)
    ]
    assert told == ["CandidateLocked", "CandidateUnlocked"] * 3


async def test_no_amount_of_steering_makes_a_line_too_long(tmp_path: Path) -> None:
    """What is recorded, and a snapshot of it, are lines of the protocol."""

    async def hand(mine: Mine) -> None:
        assert mine.session is not None
        many = tuple(f"{number} {'漢' * 1990}" for number in range(100))
        assert "inject at most" in await mine.refused(Inject, prompts=many)
        for start in range(0, 100, 50):
            await mine.accepted(Inject, prompts=many[start : start + 50])
        snapshot = mine.session.snapshot()
        encode(snapshot)
        assert [one.prompt for one in snapshot.pending] == list(many[: len(snapshot.pending)])
        assert len(snapshot.pending) > 10
        for number in range(100):
            await mine.accepted(Ban, what="prompt", text=f"{number} {'語' * 1990}")
        encode(mine.session.snapshot())
        assert "lift one" in await mine.refused(Ban, what="word", text="cat")
        assert "characters" in await mine.refused(Ban, what="prompt", text="x" * 5000)
        await mine.accepted(Stop)

    mine = await Mine.new(tmp_path, config(generations=100))

    async def during() -> None:
        await paused_after(mine, 1)
        await hand(mine)

    assert await mine.run(during=during) == "interrupted"


async def test_a_connection_locks_no_more_than_a_handful(tmp_path: Path) -> None:
    async def hand(mine: Mine) -> None:
        numbers = [one.id for one in mine.population(1)]
        for number in numbers[:16]:
            await mine.accepted(EditBegin, candidate_id=number)
        assert "commit or cancel" in await mine.refused(EditBegin, candidate_id=numbers[16])
        await mine.accepted(EditBegin, candidate_id=numbers[16], connection=2)

    await steered(tmp_path, config(population=17, generations=1), 1, hand)


# ---------------------------------------------------------------- pins


async def test_a_pinned_candidate_survives_breeds_and_is_measured_anew_in_every_generation(
    tmp_path: Path,
) -> None:
    async def hand(mine: Mine) -> None:
        worst = best(mine.population(1))[-1]
        answer = await mine.accepted(Pin, candidate_id=worst.id)
        assert answer.generation == 2
        assert "pinned already" in await mine.refused(Pin, candidate_id=worst.id)

    mine = await steered(tmp_path, config(generations=4), 1, hand)
    worst = best(mine.population(1))[-1]
    seeds: set[int] = set()
    before = worst
    for generation in (2, 3, 4):
        (elite,) = [one for one in mine.population(generation) if one.origin == "elite"]
        assert (elite.prompt, elite.parent_id) == (worst.prompt, before.id)
        with open_reader(tmp_path) as reader:
            evaluation = reader.candidate(elite.id).evaluation
        assert evaluation is not None
        now = {image.seed for image in evaluation.images}
        assert not now & seeds
        seeds |= now
        parents = [one.parent_id for one in mine.population(generation) if one.origin == "mutation"]
        assert before.id in parents
        assert len(parents) == 2, "the pinned one counts towards the survivors"
        before = elite


async def test_a_pin_of_an_older_generation_re_enters_and_unpinning_ends_it(tmp_path: Path) -> None:
    async def pin(mine: Mine) -> None:
        await mine.accepted(Pin, candidate_id=best(mine.population(1))[-1].id)
        await mine.accepted(Step)
        await mine.state("paused", 3)
        assert mine.session is not None
        incarnation, older = mine.session.snapshot().pins
        assert incarnation in {one.id for one in mine.population(3) if one.origin == "elite"}
        assert older == best(mine.population(1))[-1].id
        assert (await mine.accepted(Unpin, candidate_id=incarnation)).generation == 4
        assert "not pinned" in await mine.refused(Unpin, candidate_id=incarnation)

    mine = await steered(tmp_path, config(generations=4), 2, pin)
    old = best(mine.population(1))[-1]
    assert old.prompt not in [one.prompt for one in mine.population(2)]
    (elite,) = [one for one in mine.population(3) if one.origin == "elite"]
    assert (elite.prompt, elite.parent_id) == (old.prompt, old.id)
    assert not any(one.origin == "elite" for one in mine.population(4))


async def test_pins_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    async def hand(mine: Mine) -> None:
        one, two, three, failed = mine.population(1)[:4]
        for candidate in (one, two):
            await mine.accepted(Pin, candidate_id=candidate.id)
        assert "exceed survivors = 2" in await mine.refused(Pin, candidate_id=three.id)
        assert "exceeds population" in await mine.refused(SetKnobs, knobs={"mutations": 2})
        assert "exceed survivors" in await mine.refused(SetKnobs, knobs={"survivors": 1})
        assert failed.state == "failed"
        assert "cannot be pinned" in await mine.refused(Pin, candidate_id=failed.id)

    given = config(prompts=["one", "two", "three", "four"])
    models = FakeModels(pen=FakePen(scarce=frozenset({"four"})))
    await steered(tmp_path, given, 1, hand, models)


# ---------------------------------------------------------------- bans


async def test_a_banned_lineage_neither_survives_nor_is_edited(tmp_path: Path) -> None:
    async def hand(mine: Mine) -> None:
        first = best(mine.population(1))[0]
        child = next(one for one in mine.population(2) if one.parent_id == first.id)
        assert (await mine.accepted(Ban, what="lineage", candidate_id=child.id)).generation == 3
        assert "banned already" in await mine.refused(Ban, what="lineage", candidate_id=first.id)
        assert "lift the ban" in await mine.refused(Pin, candidate_id=child.id)
        await mine.accepted(EditBegin, candidate_id=child.id)
        assert "lift the ban" in await mine.refused(EditCommit, candidate_id=child.id, prompt="a new one")

    mine = await steered(tmp_path, config(generations=4, mutations=1), 2, hand)
    first = best(mine.population(1))[0]
    with open_reader(tmp_path) as reader:
        for generation in (3, 4):
            for one in mine.population(generation):
                assert first.id not in {parent.id for parent in reader.candidate(one.id).parents}


async def test_a_banned_word_is_kept_out_until_it_is_lifted(tmp_path: Path) -> None:
    words = ("red", "blue", "old", "young", "small")

    async def hand(mine: Mine) -> None:
        for word in words:
            await mine.accepted(Ban, what="word", text=word.upper())
        assert "is banned" in await mine.refused(Inject, prompts=("a very RED cat",))
        await mine.accepted(Inject, prompts=("a redder cat",))
        assert "one word" in await mine.refused(Ban, what="word", text="two words")
        assert "needs its text" in await mine.refused(Ban, what="word", text="!")
        assert "not banned" in await mine.refused(Lift, what="word", text="sun")
        assert mine.session is not None
        assert len(mine.session.snapshot().bans) == 5
        await mine.accepted(Step)
        await mine.state("paused", 2)
        for word in words:
            await mine.accepted(Lift, what="word", text=word)
        await mine.accepted(Inject, prompts=("a very red cat",))

    mine = await steered(tmp_path, config(population=12, generations=3), 1, hand)
    for one in mine.population(2):
        assert not set(normalise(one.prompt).split()) & set(words)
    assert "a redder cat" in prompts(mine.population(2), "human")
    assert "a very red cat" in prompts(mine.population(3), "human")


async def test_a_banned_prompt_does_not_survive_and_a_waiting_one_is_kept_out(tmp_path: Path) -> None:
    async def hand(mine: Mine) -> None:
        await mine.accepted(Inject, prompts=("a cat at sea", "a dog at sea"))
        answer = await mine.accepted(Ban, what="prompt", text="A Cat, at sea")
        assert "keeps 1 prompt out that you gave" in answer.sentence
        assert mine.session is not None
        assert [one.prompt for one in mine.session.snapshot().pending] == ["a dog at sea"]
        unrelated = await mine.accepted(Ban, what="word", text="rocket")
        assert "that you gave" not in unrelated.sentence
        await mine.accepted(Ban, what="prompt", text=best(mine.population(1))[0].prompt)
        await mine.accepted(Pin, candidate_id=best(mine.population(1))[1].id)
        sentence = await mine.refused(Ban, what="prompt", text=best(mine.population(1))[1].prompt)
        assert "unpin it first" in sentence

    mine = await steered(tmp_path, config(), 1, hand)
    assert prompts(mine.population(2), "human") == ["a dog at sea"]
    assert best(mine.population(1))[0].id not in {one.parent_id for one in mine.population(2)}
