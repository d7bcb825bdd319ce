"""Populations: the genetic search's plans turned into prompts that the writer wrote, or a human.

The search itself is pure (``engine.genetic``); this is where its plan meets a writer that may return too few
texts or texts that are there already. Every task's seed and its list of prompts to avoid depend only on what
is stored when a generation begins, so a resumed session asks the very same questions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.bench import Bench
from engine.errors import MachineError
from engine.gate import Gate
from engine.genetic import Bans, GeneticSearch, Individual, select
from engine.rescoring import Rescores
from engine.services import WritingTask
from engine.steering import Record, Rules
from engine.writing import write
from store.incoming import NewCandidate
from store.records import Writing
from store.vocabulary import Origin

ROUNDS = 3
"""How often random prompts are asked for before a population stays smaller."""


class Breeder:
    """Breeds one session's populations.

    Args:
        record: the session's candidates, and what a human wants of them.
        rescores: scores of candidates that were measured again.
        gate: no task of the writer begins while it is closed.
    """

    def __init__(self, record: Record, rescores: Rescores, gate: Gate) -> None:
        self._record = record
        self._family = record.family
        self._rescores = rescores
        self._gate = gate

    async def survivors(self, bench: Bench, rules: Rules, generation: int) -> tuple[int, ...]:
        """Return the ids of those of whom ``generation`` would be bred by these rules, most biased first."""
        scored, pinned = await self._scored(bench, rules, generation)
        breeding = rules.breeding
        bans = self._record.bans(rules)
        chosen = select(scored, breeding.survivors, breeding.lineage_cap, pinned, bans)
        return tuple(individual.key for individual in chosen)

    def next_randoms(self, bench: Bench, rules: Rules, generation: int) -> WritingTask | None:
        """Return the task for a generation's random prompts, written ahead while images are drawn.

        Args:
            bench: the tools for that generation.
            rules: what is in force for it so far.
            generation: the one after the last that is known.
        """
        count = rules.breeding.randoms
        if generation > rules.config.search.generations or count == 0:
            return None
        return _random_task(bench, generation, 0, count, self._family.texts)

    async def breed(
        self, bench: Bench, rules: Rules, generation: int, progress: Callable[[int, int], None]
    ) -> list[NewCandidate]:
        """Return the population of a generation, all before it being known and measured.

        Raises:
            MachineError: the writer failed, or wrote not one new prompt.
            StoreError: the store failed.
        """
        search = GeneticSearch(rules.breeding)
        search.know(self._family.texts)
        bans = self._record.bans(rules)
        new = await self._humans(bench, search, rules, bans, generation)
        scored, pinned = await self._scored(bench, rules, generation)
        plan = search.tell(scored, pinned, bans, len(new)) if generation > 1 else None
        elites = [_candidate(one.prompt, "elite", one.key, None) for one in (plan.elites if plan else ())]
        known = self._family.texts
        parents = plan.parents if plan else ()
        steps = len(parents) + 1
        for done, brood in enumerate(parents):
            progress(done, steps)
            parent, mutations = brood.parent, rules.breeding.mutations
            writing = await self._write(bench, _mutation_task(bench, parent.prompt, mutations, generation))
            for text in search.admit(writing.texts, brood.mutations, bans):
                new.append(_candidate(text, "mutation", parent.key, writing.id))
        progress(len(parents), steps)
        count = rules.breeding.randoms if plan else search.missing(len(new))
        for attempt in range(ROUNDS):
            missing = search.missing(len(new), len(elites))
            if missing == 0:
                break
            asked = count if attempt == 0 and count else missing
            avoid = known if plan and attempt == 0 else (*known, *(one.prompt for one in new))
            writing = await self._write(bench, _random_task(bench, generation, attempt, asked, avoid))
            origin: Origin = "initial" if plan is None else "random"
            new += [
                _candidate(text, origin, None, writing.id)
                for text in search.admit(writing.texts, missing, bans)
            ]
        progress(steps, steps)
        humans = [one for one in new if one.origin == "human"]
        population = [*humans, *elites, *(one for one in new if one.origin != "human")]
        if not population:
            raise MachineError(
                "The writer wrote no new prompt: use a larger model, a higher temperature or another theme."
            )
        if (missing := search.missing(len(new), len(elites))) > 0:
            await bench.log.notice(
                f"The writer found {len(population)} of {len(population) + missing} prompts for generation "
                f"{generation}; the population is smaller."
            )
        return [
            NewCandidate(position, one.prompt, one.origin, one.parent_id, one.writing_id)
            for position, one in enumerate(population)
        ]

    async def _humans(
        self, bench: Bench, search: GeneticSearch, rules: Rules, bans: Bans, generation: int
    ) -> list[NewCandidate]:
        """The prompts that humans gave for this generation; one that is there already is left out."""
        given = rules.config.search.prompts if generation == 1 else ()
        wanted = [
            *(_candidate(prompt, "human", None, None) for prompt in given),
            *(_candidate(one.prompt, "human", one.parent_id, None) for one in rules.humans),
        ]
        room = rules.breeding.population - (rules.elites if generation > 1 else 0)
        admitted = [one for one in wanted if search.admit([one.prompt], None, bans)][: max(0, room)]
        if len(admitted) < len(wanted) and generation > 1:
            await bench.log.notice(
                f"{len(wanted) - len(admitted)} of {len(wanted)} prompts given for generation {generation} are left "
                "out: banned, or in the session already."
            )
        return admitted

    async def _scored(
        self, bench: Bench, rules: Rules, generation: int
    ) -> tuple[list[Individual], frozenset[int]]:
        """The individuals that may survive into a generation, and the keys of the pinned ones."""
        pool = await self._individuals(bench, generation - 1, generation) if generation > 1 else {}
        pinned = set()
        for pin in rules.pins:
            for one in reversed(self._family.incarnations(self._family.member(pin).prompt)):
                if one.generation >= generation:
                    continue
                older = pool if one.generation == generation - 1 else {}
                found = older or await self._individuals(bench, one.generation, generation)
                if one.id in found:
                    pool[one.id] = found[one.id]
                    pinned.add(one.id)
                    break
        return list(pool.values()), frozenset(pinned)

    async def _individuals(self, bench: Bench, of: int, generation: int) -> dict[int, Individual]:
        """The scored candidates of one generation, with the scores that count for the breeding of another."""
        keeper = bench.keeper
        candidates = await keeper.call(keeper.store.candidates, bench.session_id, of)
        scores = await keeper.call(keeper.store.search_scores, bench.session_id, of)
        individuals = {}
        for one in candidates:
            if one.state != "scored" or one.id not in scores:
                continue
            again = self._rescores.score(one.id, generation)
            individuals[one.id] = Individual(
                key=one.id,
                prompt=one.prompt,
                origin=one.origin,
                parent=one.parent_id,
                score=scores[one.id][0][1] if again is None else again,
                lineage=self._family.member(one.id).lineage,
            )
        return individuals

    async def _write(self, bench: Bench, task: WritingTask) -> Writing:
        async with self._gate.step():
            return await write(bench, task)


def _random_task(
    bench: Bench, generation: int, attempt: int, count: int, avoid: Sequence[str]
) -> WritingTask:
    search = bench.config.search
    return WritingTask(
        kind="random",
        count=count,
        seed=bench.seed("random", "", generation * ROUNDS + attempt),
        axis=search.axis,
        theme=search.theme,
        avoid=tuple(avoid),
    )


def _mutation_task(bench: Bench, prompt: str, count: int, generation: int) -> WritingTask:
    search = bench.config.search
    seed = bench.seed("mutations", prompt, generation)
    return WritingTask("mutations", count, seed, prompt=prompt, axis=search.axis, theme=search.theme)


def _candidate(prompt: str, origin: Origin, parent: int | None, writing: int | None) -> NewCandidate:
    return NewCandidate(0, prompt, origin, parent, writing)
