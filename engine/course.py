"""The course of a session: population after population, from the stored ones on.

A course is run by running it again: whatever is stored is found, whatever is missing is made. So there is no
difference between a new session, a resumed one and one that is already finished.
"""

from __future__ import annotations

import time
from statistics import median

from engine import protocol
from engine.bench import Bench
from engine.breeding import Breeder
from engine.easel import Easel
from engine.errors import MachineError
from engine.gate import Gate
from engine.meter import Meter
from engine.mining import GenerationWork
from store.records import Candidate


class Course:
    """One walk through a session's generations."""

    def __init__(self, bench: Bench, gate: Gate, easel: Easel) -> None:
        self._bench = bench
        self._gate = gate
        self._easel = easel

    async def run(self) -> None:
        """Mine to the last generation.

        Raises:
            InputError, MachineError: a model failed; run another course to go on.
            StoreError: the store failed; everything stored before stays.
        """
        bench, search = self._bench, self._bench.config.search
        keeper = bench.keeper
        told = {
            (event.kind, event.payload.get("generation"))
            for event in await keeper.call(keeper.store.events, bench.session_id)
        }
        total = search.generations * search.population
        meter = Meter(total * search.images, total, time.monotonic)
        breeder = Breeder(bench)
        for generation in range(1, search.generations + 1):
            candidates = await self._population(breeder, generation)
            if ("generation_started", generation) not in told:
                await bench.log.record(
                    protocol.GenerationStarted(generation=generation, candidates=len(candidates))
                )
            if any(candidate.state == "waiting" for candidate in candidates):
                work = GenerationWork(
                    bench,
                    candidates,
                    breeder.measurements(candidates),
                    breeder.next_randoms(generation),
                    meter,
                    self._gate,
                    self._easel,
                )
                await work.run()
                candidates = await keeper.call(keeper.store.candidates, bench.session_id, generation)
            else:
                meter.found(images=len(candidates) * search.images, candidates=len(candidates))
            archived = breeder.tell(candidates)
            if ("generation_finished", generation) not in told:
                await bench.log.record(_summary(generation, candidates, archived))
            if not any(candidate.state == "scored" for candidate in candidates):
                raise MachineError(
                    f"Not one of {len(candidates)} candidates of generation {generation} could be scored "
                    f"(the first one: {candidates[0].reason}): check the models or use larger ones."
                )

    async def _population(self, breeder: Breeder, generation: int) -> tuple[Candidate, ...]:
        """Return a generation's candidates, bred and stored if they are not there yet."""
        bench = self._bench
        keeper = bench.keeper
        found = await keeper.call(keeper.store.candidates, bench.session_id, generation)
        if not found:

            def progress(done: int, total: int) -> None:
                bench.log.emit(
                    protocol.Progress(stage="breeding", generation=generation, done=done, total=total)
                )

            new = await breeder.breed(generation, progress)
            await keeper.call(keeper.store.add_candidates, bench.session_id, generation, new)
            found = await keeper.call(keeper.store.candidates, bench.session_id, generation)
        breeder.know(found)
        return found


def _summary(
    generation: int, candidates: tuple[Candidate, ...], archived: tuple[int, ...]
) -> protocol.GenerationFinished:
    scores = [candidate.score for candidate in candidates if candidate.score is not None]
    return protocol.GenerationFinished(
        generation=generation,
        scored=len(scores),
        failed=sum(candidate.state == "failed" for candidate in candidates),
        best=min(scores, default=None),
        median=median(scores) if scores else None,
        archived=archived,
    )
