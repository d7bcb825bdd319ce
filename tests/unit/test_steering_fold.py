"""The record of steering, folded: what counts when, where a human's prompts go, what is refused."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.commands import Ban, EditCommit, Inject, Lift, Pin, Rescore, SetKnobs, Steering, Undo, Unpin
from engine.config import MiningConfig, SearchSection
from engine.errors import InputError
from engine.genetic import Bans, Breeding, GeneticSearch, Individual, select
from engine.ruling import rule
from engine.steering import Entry, Family, Record, effective_config
from store.records import Candidate

SEARCH = {"population": 6, "survivors": 2, "mutations": 2, "generations": 20, "images": 4, "variations": 4}


def config(**search: Any) -> MiningConfig:
    return MiningConfig(search=SearchSection.model_validate(SEARCH | search))


def candidate(number: int, generation: int, prompt: str = "", parent: int | None = None) -> Candidate:
    text = prompt or f"prompt {number}"
    return Candidate(
        number, "s", generation, number, text, "random", parent, None, "scored", "", "paper", 0.5
    )


def family() -> Family:
    """Three generations of six; 7 and 13 descend from 1, and 13 repeats its prompt."""
    known = Family()
    for generation in (1, 2, 3):
        numbers = range(6 * generation - 5, 6 * generation + 1)
        known.know(
            candidate(n, generation, "prompt 7" if n == 13 else "", {7: 1, 13: 7}.get(n)) for n in numbers
        )
    return known


def command(kind: type[Any], number: int, **fields: Any) -> Any:
    return kind(id=f"c{number}", session_id="s", **fields)


class Desk:
    """Takes commands one after another, as a running session does."""

    def __init__(self, **search: Any) -> None:
        self.record = Record(config(**search), family())
        self.number = 0
        self.sentences: list[str] = []

    def take(self, asked: Steering, generation: int) -> bool:
        try:
            ruling = rule(asked, self.record, generation, lambda number: "scored", lambda number: False)
        except InputError:
            return False
        self.record.append(Entry(asked.id, "ann", generation, ruling.command, ruling.sentence))
        self.sentences.append(ruling.sentence)
        return True


def commands(number: int) -> st.SearchStrategy[Steering]:
    some = st.integers(1, 18)
    words = st.sampled_from(["prompt", "7", "9", "thought", "red"])
    knobs = st.fixed_dictionaries(
        {},
        optional={
            "population": st.integers(1, 12),
            "survivors": st.integers(1, 4),
            "mutations": st.integers(0, 3),
            "generations": st.integers(3, 30),
        },
    ).filter(bool)
    injected = st.integers(1, 20).map(lambda n: tuple(f"thought {number} {i}" for i in range(n)))
    return st.one_of(
        st.builds(lambda c: command(Pin, number, candidate_id=c), some),
        st.builds(lambda c: command(Unpin, number, candidate_id=c), some),
        st.builds(lambda w: command(Ban, number, what="word", text=w), words),
        st.builds(lambda w: command(Lift, number, what="word", text=w), words),
        st.builds(lambda c: command(Ban, number, what="lineage", candidate_id=c), some),
        st.builds(lambda c: command(Rescore, number, candidate_id=c, images=3), some),
        st.builds(lambda c: command(EditCommit, number, candidate_id=c, prompt=f"an edit {number}"), some),
        st.builds(lambda p: command(Inject, number, prompts=p), injected),
        st.builds(lambda k: command(SetKnobs, number, knobs=k), knobs),
        st.builds(lambda n: command(Undo, number, command_id=f"c{n}"), st.integers(0, max(0, number - 1))),
    )


@st.composite
def desks(draw: st.DrawFn) -> Desk:
    """A desk that has taken commands; generations are bred between them, but for a crash never backwards."""
    desk = Desk(elitist=draw(st.booleans()), mutations=1)
    generation = 4
    for number in range(draw(st.integers(1, 12))):
        generation = max(4, generation + draw(st.sampled_from([0, 0, 0, 1, -1])))
        if desk.record.entries:
            generation = max(generation, desk.record.entries[-1].generation - 1)
        desk.take(draw(commands(number)), generation)
    return desk


@given(desks(), st.integers(4, 12))
def test_what_counts_later_changes_no_earlier_rules(desk: Desk, generation: int) -> None:
    fewer = Record(config(elitist=desk.record.rules(4).config.search.elitist, mutations=1), family())
    undone = {e.command.command_id for e in desk.record.entries if isinstance(e.command, Undo)}
    for entry in desk.record.entries:
        if entry.generation <= generation or entry.command_id in undone:
            fewer.append(entry)
    # a withdrawn command leaves a trace only in where the prompts after it went
    now, then = desk.record.rules(generation), fewer.rules(generation)
    assert (now.config, now.pins, now.bans) == (then.config, then.pins, then.bans)


@given(desks())
def test_prompts_stay_where_they_were_announced_and_every_population_has_room(desk: Desk) -> None:
    replayed = Record(config(elitist=desk.record.rules(4).config.search.elitist, mutations=1), family())
    announced: dict[str, list[tuple[str, int]]] = {}
    for entry in desk.record.entries:
        replayed.append(entry)
        for one in replayed.humans():
            if one.command_id == entry.command_id:
                announced.setdefault(entry.command_id, []).append((one.prompt, one.generation))
    humans = desk.record.humans()
    for key in {one.command_id for one in humans}:
        placed = [(one.prompt, one.generation) for one in humans if one.command_id == key]
        assert placed == announced[key]
    assert len({one.prompt for one in humans}) == len(humans)
    last = max((one.generation for one in desk.record.entries), default=4)
    for generation, count in Counter(one.generation for one in humans).items():
        if generation >= last:  # earlier ones may have been bred before the knobs were turned
            rules = desk.record.rules(generation)
            assert count + rules.elites <= rules.config.search.population
            assert generation <= rules.config.search.generations


@given(desks())
def test_whatever_was_accepted_fits_together(desk: Desk) -> None:
    last = max((one.generation for one in desk.record.entries), default=4)
    rules = desk.record.rules(last)
    breeding, bans = rules.breeding, desk.record.bans(rules)
    assert len(rules.pins) <= breeding.survivors
    assert breeding.survivors * breeding.mutations + len(rules.pins) <= breeding.population
    for pin in rules.pins:
        member = desk.record.family.member(pin)
        assert not bans.exclude(member.prompt, member.lineage)
    assert len({desk.record.family.member(pin).prompt for pin in rules.pins}) == len(rules.pins)


@given(desks())
def test_a_trial_leaves_the_record_as_it_is(desk: Desk) -> None:
    before = (desk.record.entries, desk.record.humans(), desk.record.rules(9))
    trial = desk.record.copy()
    trial.append(Entry("x", "", 9, command(Inject, 99, prompts=("one", "two")), ""))
    trial.append(Entry("y", "", 9, command(Undo, 98, command_id="c0"), ""))
    assert (desk.record.entries, desk.record.humans(), desk.record.rules(9)) == before


def test_a_pin_is_of_a_prompt_whichever_incarnation_is_named() -> None:
    desk = Desk(mutations=1)
    assert desk.take(command(Pin, 1, candidate_id=7), 4)
    assert not desk.take(command(Pin, 2, candidate_id=13), 4)
    assert desk.record.rules(4).pins == (7,)
    assert desk.take(command(Unpin, 3, candidate_id=13), 5)
    assert desk.record.rules(4).pins == (7,)
    assert desk.record.rules(5).pins == ()


def test_a_lineage_is_that_of_the_oldest_ancestor() -> None:
    desk = Desk()
    assert desk.take(command(Ban, 1, what="lineage", candidate_id=13), 4)
    bans = desk.record.bans(desk.record.rules(4))
    assert bans.lineages == {1}
    assert desk.take(command(Lift, 2, what="lineage", candidate_id=7), 4)
    assert desk.record.rules(4).bans == ()


def test_a_forks_configuration_holds_the_knobs_of_its_shared_generations() -> None:
    turned = Entry("c1", "ann", 4, command(SetKnobs, 1, knobs={"images": 9}), "")
    later = Entry("c2", "ann", 6, command(SetKnobs, 2, knobs={"images": 11}), "")
    assert effective_config(config(), [turned, later], 5).search.images == 9
    forked = Record(config(images=5), family(), 5)
    for entry in (turned, later):
        forked.append(entry)
    assert [forked.rules(n).config.search.images for n in (4, 5, 6)] == [5, 5, 11]


def test_a_record_can_be_read_before_its_candidates_are_there() -> None:
    """A session that is replayed has all its commands from the beginning."""
    grown, whole = Family(), family()
    record = Record(config(mutations=1), grown)
    record.append(Entry("a", "", 3, command(Pin, 1, candidate_id=7), ""))
    record.append(
        Entry("b", "", 3, command(Inject, 2, prompts=("one", "two", "three", "four", "five", "six")), "")
    )
    assert record.humans() == ()
    assert record.rules(2).pins == ()
    grown.know(candidate(one, 1 + (one > 6), whole.member(one).prompt) for one in range(1, 13))
    assert [one.generation for one in record.rules(3).humans] == [3] * 5
    assert record.rules(3).pins == (7,)


def individual(key: int, score: float, lineage: int | None = None) -> Individual:
    return Individual(key, f"prompt {key}", "random", None, score, key if lineage is None else lineage)


scores = st.lists(st.sampled_from([0.1, 0.2, 0.3]), min_size=1, max_size=9).map(
    lambda values: [individual(key, score) for key, score in enumerate(values)]
)


@given(
    scores, st.sets(st.integers(0, 8), max_size=3), st.sets(st.integers(0, 8), max_size=3), st.integers(3, 5)
)
def test_pinned_survive_and_banned_do_not(
    scored: list[Individual], pinned: set[int], banned: set[int], survivors: int
) -> None:
    bans = Bans(lineages=frozenset(banned))
    chosen = [one.key for one in select(scored, survivors, None, pinned, bans)]
    present = {one.key for one in scored}
    assert (pinned - banned) & present <= set(chosen)
    assert not banned & set(chosen)
    assert len(chosen) == min(survivors, len(present - banned))
    free = [one.key for one in select(scored, len(scored)) if one.key not in banned | pinned]
    assert [key for key in chosen if key not in pinned] == free[: len(chosen) - len(set(chosen) & pinned)]


@given(scores, st.integers(0, 8), st.sets(st.integers(0, 8), max_size=2))
def test_humans_take_the_places_of_randoms_then_of_the_weakest_mutations(
    scored: list[Individual], humans: int, pinned: set[int]
) -> None:
    breeding = Breeding(8, 3, 2)
    plan = GeneticSearch(breeding).tell(scored, pinned, Bans(), humans)
    children = [brood.mutations for brood in plan.parents]
    taken = humans + len(plan.elites)
    assert sum(children) + plan.randoms == max(0, 8 - taken)
    whole = [2] * len(plan.archived)
    assert children == [n for n in (min(2, max(0, 8 - taken - 2 * i)) for i in range(len(whole))) if n]
    if plan.randoms:
        assert children == whole
    assert {one.key for one in plan.elites} == {one.key for one in scored} & pinned


def test_bans_go_by_words_whatever_their_looks() -> None:
    bans = Bans(prompts=frozenset({"a red cat"}), words=frozenset({"dog"}))
    assert bans.forbid("A  Red, cat!")
    assert not bans.forbid("a red cat sleeps")
    assert bans.forbid("two DOG's")
    assert not bans.forbid("a dogma")


@pytest.mark.parametrize("kind", [Ban, Lift])
def test_a_lineage_needs_its_candidate(kind: type[Any]) -> None:
    desk = Desk()
    with pytest.raises(InputError, match="name its id"):
        rule(command(kind, 1, what="lineage"), desk.record, 4, lambda n: "scored", lambda c: False)
