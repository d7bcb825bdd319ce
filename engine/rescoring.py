"""Measures candidates again with more images, one order after another, beside the work on a generation.

The images are added to those of the candidate's last measurement: further draws of the same sequence of seeds,
against the same variations. They are painted as units of their own. Selection heeds the new score only from the
generation that the order names, whose breeding waits for it; what was selected before stays.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from itertools import count

import msgspec
import numpy as np

from engine import protocol
from engine.bench import Bench, Log
from engine.commands import Rescore
from engine.easel import Easel
from engine.gate import Gate, first_of
from engine.measure import measure_bias, measure_colour
from engine.models.protocols import PaintJob
from engine.objectives import objective_named
from engine.seeds import draw_index
from engine.steering import Entry, Record
from store.incoming import NewEvaluation
from store.records import Candidate, CandidateEvidence, Evaluation, Event


@dataclass(frozen=True)
class Rescored:
    """What came of one order."""

    evaluation_id: int
    score: float
    counts_from: int


class Rescores:
    """Which orders are carried out, and the scores that count: from the record, and from this run."""

    def __init__(self, record: Record, events: Iterable[Event]) -> None:
        self._record = record
        self._done: dict[int, list[Rescored]] = {}
        self._begun: set[str] = set()
        self._changed = asyncio.Condition()
        for event in events:
            if event.kind == "candidate_rescored":
                payload = {**event.payload, "type": event.kind}
                self.keep(msgspec.convert(payload, protocol.CandidateRescored))
        # its measurement may be stored already, by an engine that died before it could say so
        self._begun.update(entry.command_id for entry, _ in self._open()[:1])

    def begun(self, command_id: str) -> bool:
        """Whether an order can no longer be withdrawn."""
        waits = any(entry.command_id == command_id for entry, _ in self._open())
        return command_id in self._begun or not waits

    def score(self, candidate_id: int, generation: int) -> float | None:
        """Return the score that counts when ``generation`` is bred; None where the first one does."""
        counting = [one for one in self._done.get(candidate_id, ()) if one.counts_from <= generation]
        return counting[-1].score if counting else None

    def waiting(self, generation: int) -> bool:
        """Whether the breeding of ``generation`` must wait for a measurement."""
        return any(entry.generation <= generation for entry, _ in self._open())

    async def done(self, generation: int) -> None:
        """Return as soon as the breeding of ``generation`` waits for no measurement."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self.waiting(generation))

    async def changed(self) -> None:
        """Look again: an order came in, or was withdrawn."""
        async with self._changed:
            self._changed.notify_all()

    async def next(self, gate: Gate, scored: Callable[[int], Awaitable[bool]]) -> tuple[Entry, Rescore]:
        """Wait for the next order, for its candidate to be scored and for an open gate; it has then begun.

        A candidate has to be waited for where a session is replayed from its record.
        """
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: bool(self._open()))
                entry, order = self._open()[0]
                if not await scored(order.candidate_id):
                    await self._changed.wait()
                    continue
            await gate.wait()
            if (entry, order) in self._open()[:1]:  # it may have been withdrawn during a pause
                self._begun.add(entry.command_id)
                return entry, order

    def before(self, candidate_id: int) -> tuple[Rescored, ...]:
        """What came of earlier orders for a candidate."""
        return tuple(self._done.get(candidate_id, ()))

    def keep(self, event: protocol.CandidateRescored) -> None:
        """The order that has begun is carried out and recorded; ``changed`` tells those who wait for it."""
        self._done.setdefault(event.candidate_id, []).append(
            Rescored(event.evaluation_id, event.score, event.counts_from)
        )

    def _open(self) -> list[tuple[Entry, Rescore]]:
        # Orders are carried out in the order of the record: of one candidate's, the first so many are done.
        done = {number: len(results) for number, results in self._done.items()}
        waiting = []
        for entry, order in self._record.rescores():
            if done.get(order.candidate_id, 0):
                done[order.candidate_id] -= 1
            else:
                waiting.append((entry, order))
        return waiting


class Rescorer:
    """Carries the orders out.

    Args:
        log: the session's log.
        rescores: the orders.
        record: gives the settings a candidate was measured with.
        bench_for: the tools for the generation of a candidate.
        gate: no step begins while it is closed.
        easel: the way to the painter.
    """

    def __init__(
        self,
        log: Log,
        rescores: Rescores,
        record: Record,
        bench_for: Callable[[int], Bench],
        gate: Gate,
        easel: Easel,
    ) -> None:
        self._log = log
        self._rescores = rescores
        self._record = record
        self._bench_for = bench_for
        self._gate = gate
        self._easel = easel

    async def run(self) -> None:
        """Carry out order after order, until cancelled.

        Raises:
            InputError, MachineError: the painter failed.
            StoreError: the store failed; the order stays.
        """
        while True:
            entry, order = await self._rescores.next(self._gate, self._scored)
            await self._measure(entry, order)
            await self._rescores.changed()

    async def _scored(self, candidate_id: int) -> bool:
        if not self._record.family.has(candidate_id):
            return False
        log = self._log
        generation = self._record.family.member(candidate_id).generation
        population = await log.keeper.call(log.keeper.store.candidates, log.session_id, generation)
        return any(one.id == candidate_id and one.state == "scored" for one in population)

    async def _measure(self, entry: Entry, order: Rescore) -> None:
        generation = self._record.family.member(order.candidate_id).generation
        bench = self._bench_for(generation)
        keeper, studio = bench.keeper, bench.studio
        evidence = await keeper.call(keeper.store.candidate, order.candidate_id)
        candidate, base = evidence.candidate, self._base(evidence)
        seeds = self._seeds(bench, candidate, base, evidence, order)
        await self._paint(bench, candidate, seeds)
        wanted = [*(image.seed for image in base.images), *seeds]
        async with self._gate.step():
            found = await keeper.call(
                keeper.store.find_images, candidate.prompt, wanted, studio.painter, studio.scorer
            )
            shown = [found[seed] for seed in wanted if seed in found and not found[seed].blank]
            if len(shown) < len(wanted):
                await bench.log.notice(
                    f"{len(wanted) - len(shown)} of {len(wanted)} images of candidate {candidate.id} are blank, or "
                    "another painter's, and left out of its new score."
                )
            search = bench.config.search
            objective = objective_named(search.objective, search.score, search.alpha)
            new: NewEvaluation
            if objective.needs_variations:
                texts = [variation.text for variation in base.variations]
                vectors = await keeper.call(keeper.store.find_text_embeddings, studio.scorer, texts)
                rows = np.stack([vectors[text] for text in texts])  # (T, D)
                new = measure_bias(objective, studio.logit_scale, texts, rows, shown, None)
            else:
                new = measure_colour(objective, shown)
            number = await keeper.call(keeper.store.save_evaluation, candidate.id, new)
            event = protocol.CandidateRescored(
                candidate_id=candidate.id,
                evaluation_id=number,
                images=len(shown),
                score=float(new.scores[new.score_name]),
                score_name=new.score_name,
                counts_from=entry.generation,
            )
            await bench.log.record(event, lambda: self._rescores.keep(event))

    def _base(self, evidence: CandidateEvidence) -> Evaluation:
        """The measurement that the images are added to: the last one that is recorded."""
        before = self._rescores.before(evidence.candidate.id)
        searches = [one for one in evidence.evaluations if one.purpose == "search"]
        if not before:
            return searches[0]
        return next(one for one in searches if one.id == before[-1].evaluation_id)

    def _seeds(
        self,
        bench: Bench,
        candidate: Candidate,
        base: Evaluation,
        evidence: CandidateEvidence,
        order: Rescore,
    ) -> list[int]:
        """The next draws of the candidate's sequence that its measurement does not have yet."""
        first = next(one for one in evidence.evaluations if one.purpose == "search")
        earlier = [
            one
            for entry, one in self._record.rescores()
            if one.candidate_id == candidate.id and entry.command_id != order.id
        ][: len(self._rescores.before(candidate.id))]
        start = max(bench.config.search.images, len(first.images)) + sum(one.images for one in earlier)
        measurement = self._record.family.measured_before(candidate)
        held = {image.seed for image in base.images}
        seeds: list[int] = []
        for draw in count(start):
            seed = bench.seed("image", candidate.prompt, draw_index(measurement, draw))
            if seed not in held:
                seeds.append(seed)
                held.add(seed)
            if len(seeds) == order.images:
                return seeds
        raise AssertionError("unreachable")

    async def _paint(self, bench: Bench, candidate: Candidate, seeds: list[int]) -> None:
        keeper, studio = bench.keeper, bench.studio
        size = bench.config.painter.batch_size
        stored = await keeper.call(
            keeper.store.find_images, candidate.prompt, seeds, studio.painter, studio.scorer
        )
        done = 0

        def progress() -> None:
            bench.log.emit(
                protocol.Progress(
                    stage="rescoring", generation=candidate.generation, done=done, total=len(seeds)
                )
            )

        async def draw(unit: list[int]) -> None:
            nonlocal done
            await self._easel.paint(bench, [PaintJob(candidate.prompt, seed) for seed in unit])
            done += len(unit)
            progress()

        progress()
        try:
            async with asyncio.TaskGroup() as units:
                for start in range(0, len(seeds), size):
                    unit = seeds[start : start + size]
                    if all(seed in stored for seed in unit):
                        done += len(unit)
                        continue
                    await self._easel.slot()
                    units.create_task(draw(unit))
        except ExceptionGroup as group:
            raise first_of(group) from None
