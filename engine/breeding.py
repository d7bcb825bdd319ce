"""Populations: the genetic search's plans turned into prompts that the writer wrote.

The search itself is pure (``engine.genetic``); this is where its plan meets a writer that may return too few
texts or texts that are there already. Every task's seed and its list of prompts to avoid depend only on what
is stored when a generation begins, so a resumed session asks the very same questions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from engine.bench import Bench
from engine.errors import MachineError
from engine.genetic import Breeding, GeneticSearch, Individual, Plan
from engine.services import WritingTask
from engine.writing import write
from store.records import Candidate, NewCandidate, Origin

ROUNDS = 3
"""How often random prompts are asked for before a population stays smaller."""


class Breeder:
    """One session's search, told generation after generation."""

    def __init__(self, bench: Bench) -> None:
        search = bench.config.search
        self._bench = bench
        self._search = GeneticSearch(
            Breeding(
                population=search.population,
                survivors=search.survivors,
                mutations=search.mutations,
                elitist=search.elitist,
                lineage_cap=search.lineage_cap,
            )
        )
        self._plan: Plan | None = None
        self._texts: list[str] = []
        self._measured: Counter[str] = Counter()
        self._lineage: dict[int, int] = {}

    def know(self, candidates: Sequence[Candidate]) -> None:
        """Take note of a stored population, before anything is asked about the next one."""
        self._search.know(candidate.prompt for candidate in candidates)
        for candidate in candidates:
            self._texts.append(candidate.prompt)
            self._lineage[candidate.id] = self._lineage.get(candidate.parent_id or 0, candidate.id)

    def measurements(self, candidates: Sequence[Candidate]) -> list[int]:
        """Return how often each candidate's very prompt was measured in earlier generations."""
        return [self._measured[candidate.prompt] for candidate in candidates]

    def tell(self, candidates: Sequence[Candidate]) -> tuple[int, ...]:
        """Tell the search a finished generation; returns the ids of its survivors, most biased first."""
        self._measured.update(candidate.prompt for candidate in candidates)
        self._plan = self._search.tell(
            [
                Individual(
                    key=candidate.id,
                    prompt=candidate.prompt,
                    origin=candidate.origin,
                    parent=candidate.parent_id,
                    score=candidate.score,
                    lineage=self._lineage[candidate.id],
                )
                for candidate in candidates
                if candidate.score is not None
            ]
        )
        return tuple(individual.key for individual in self._plan.archived)

    def next_randoms(self, generation: int) -> WritingTask | None:
        """Return the task for the next generation's random prompts, written ahead while images are drawn.

        To be called when ``generation`` is known and the next one is not.
        """
        count = self._search.breeding.randoms
        if generation >= self._bench.config.search.generations or count == 0:
            return None
        return self._random_task(generation + 1, 0, count, self._texts)

    async def breed(self, generation: int, progress: Callable[[int, int], None]) -> list[NewCandidate]:
        """Return the population of a generation; of the first one (1) before anything was told.

        Raises:
            MachineError: the writer failed, or wrote not one new prompt.
        """
        plan = self._plan
        new = self._given() if plan is None else []
        known = tuple(self._texts)  # before the writer adds to it
        parents = plan.parents if plan else ()
        steps = len(parents) + 1
        for done, brood in enumerate(parents):
            progress(done, steps)
            parent = brood.parent
            writing = await write(
                self._bench,
                self._task("mutations", parent.prompt, brood.mutations, generation),
            )
            for text in self._search.admit(writing.texts, brood.mutations):
                new.append(_candidate(text, "mutation", parent.key, writing.id))
        elites = [_candidate(one.prompt, "elite", one.key, None) for one in (plan.elites if plan else ())]
        progress(len(parents), steps)
        count = self._search.breeding.randoms if plan else self._search.missing(len(new))
        for attempt in range(ROUNDS):
            missing = self._search.missing(len(new), len(elites))
            if missing == 0:
                break
            asked = count if attempt == 0 and count else missing
            avoid = known if plan and attempt == 0 else (*known, *(one.prompt for one in new))
            writing = await write(self._bench, self._random_task(generation, attempt, asked, avoid))
            origin: Origin = "initial" if plan is None else "random"
            new += [
                _candidate(text, origin, None, writing.id)
                for text in self._search.admit(writing.texts, missing)
            ]
        progress(steps, steps)
        population = [*elites, *new]
        if not population:
            raise MachineError(
                "The writer wrote no new prompt: use a larger model, a higher temperature or another theme."
            )
        if (missing := self._search.missing(len(new), len(elites))) > 0:
            await self._bench.log.notice(
                f"The writer found {len(population)} of {len(population) + missing} prompts for generation "
                f"{generation}; the population is smaller."
            )
        return [
            NewCandidate(position, one.prompt, one.origin, one.parent_id, one.writing_id)
            for position, one in enumerate(population)
        ]

    def _given(self) -> list[NewCandidate]:
        """The user's own prompts; one that repeats another is left out."""
        prompts = self._search.admit(self._bench.config.search.prompts)
        return [_candidate(prompt, "human", None, None) for prompt in prompts]

    def _random_task(self, generation: int, attempt: int, count: int, avoid: Sequence[str]) -> WritingTask:
        search = self._bench.config.search
        return WritingTask(
            kind="random",
            count=count,
            seed=self._bench.seed("random", "", generation * ROUNDS + attempt),
            axis=search.axis,
            theme=search.theme,
            avoid=tuple(avoid),
        )

    def _task(self, kind: str, prompt: str, count: int, index: int) -> WritingTask:
        search = self._bench.config.search
        seed = self._bench.seed(kind, prompt, index)
        return WritingTask(kind, count, seed, prompt=prompt, axis=search.axis, theme=search.theme)


def _candidate(prompt: str, origin: Origin, parent: int | None, writing: int | None) -> NewCandidate:
    return NewCandidate(0, prompt, origin, parent, writing)
