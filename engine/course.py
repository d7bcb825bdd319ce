"""The course of a session: population after population, from the stored ones on.

A course is run by running it again: whatever is stored is found, whatever is missing is made. So there is no
difference between a new session, a resumed one and one that is already finished.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import median

from engine import protocol
from engine.bench import Bench, Log
from engine.breeding import Breeder
from engine.budget import planned
from engine.config import MiningConfig
from engine.confirm_orders import ConfirmOrders, Order
from engine.confirmation import Confirmer
from engine.easel import Easel
from engine.errors import MachineError
from engine.gate import Gate, first_of
from engine.helm import Helm
from engine.meter import Meter
from engine.mining import GenerationWork, candidate_failed, candidate_scored
from engine.rescoring import Rescorer, Rescores
from engine.services import Pen, Studio
from engine.steering import Rules
from store.records import Candidate


@dataclass(frozen=True)
class Deck:
    """What a course runs with: models, the human's hand, the way to pause.

    ``pen_for`` gives the writer with a configuration's meta-prompts; ``finished`` is told each generation that
    is done now; ``orders`` are the confirmations that are wanted before anything else.
    """

    log: Log
    studio: Studio
    pen_for: Callable[[MiningConfig], Awaitable[Pen]]
    helm: Helm
    rescores: Rescores
    gate: Gate
    easel: Easel
    finished: Callable[[int], None]
    orders: ConfirmOrders


class Course:
    """One walk through a session's generations."""

    def __init__(self, deck: Deck, pen: Pen) -> None:
        self._deck = deck
        self._pen = pen
        self._record = deck.helm.record
        self._breeder = Breeder(self._record, deck.rescores, deck.gate)
        self._meter = Meter(time.monotonic)
        self._told: set[tuple[str, object]] = set()

    async def run(self) -> None:
        """Confirm what was ordered, mine to the last generation and confirm what was found.

        Raises:
            InputError, MachineError: a model failed; run another course to go on.
            StoreError: the store failed; everything stored before stays.
        """
        log, keeper = self._deck.log, self._deck.log.keeper
        for order in self._deck.orders.orders:
            await self._confirm(order)
        if self._deck.orders.only:
            return
        events = await keeper.call(keeper.store.events, log.session_id)
        self._told = {
            (event.kind, event.payload.get("candidate_id", event.payload.get("generation")))
            for event in events
        }
        rescorer = Rescorer(
            log,
            self._deck.rescores,
            self._record,
            lambda generation: self._bench(self._record.rules(generation)),
            self._deck.gate,
            self._deck.easel,
        )
        try:
            async with asyncio.TaskGroup() as tasks:
                measuring = tasks.create_task(rescorer.run())
                await self._walk()
                measuring.cancel()
        except ExceptionGroup as group:
            raise first_of(group) from None
        config = self._record.rules(self._record.family.last_generation).config
        # Read anew: somebody may have asked for it while the session was mined.
        asked = ConfirmOrders(await keeper.call(keeper.store.events, log.session_id))
        for order in asked.at_end(config):
            await self._confirm(order)

    async def _confirm(self, order: Order) -> None:
        generation = self._record.family.last_generation
        rules = self._record.rules(generation)
        await self._take_pen(rules)
        await Confirmer(
            self._bench(rules),
            self._record.rules,
            self._deck.gate,
            self._deck.easel,
            lambda: self._deck.finished(generation),
        ).run(order)

    async def _walk(self) -> None:
        log, keeper = self._deck.log, self._deck.log.keeper
        generation = 1
        while True:
            found = await keeper.call(keeper.store.candidates, log.session_id, generation)
            if found:
                rules = self._record.rules(generation)
            else:
                begun = await self._begin(generation)
                if begun is None:
                    return
                rules = begun
                found = await self._breed(rules, generation)
            await self._evaluate(rules, generation, found)
            generation += 1

    async def _begin(self, generation: int) -> Rules | None:
        """Settle what the breeding of a generation heeds; None where there is no such generation."""
        deck = self._deck
        while True:
            await deck.gate.wait()
            await deck.rescores.done(generation)
            async with deck.helm.still():
                if deck.rescores.waiting(generation) or not deck.gate.is_open:
                    continue
                rules = self._record.rules(generation)
                if generation > rules.config.search.generations:
                    deck.helm.close()
                    return None
                deck.helm.begin(generation)
                return rules

    async def _breed(self, rules: Rules, generation: int) -> tuple[Candidate, ...]:
        log, keeper = self._deck.log, self._deck.log.keeper
        await self._take_pen(rules)

        def progress(done: int, total: int) -> None:
            log.emit(protocol.Progress(stage="breeding", generation=generation, done=done, total=total))

        new = await self._breeder.breed(self._bench(rules), rules, generation, progress)
        await keeper.call(keeper.store.add_candidates, log.session_id, generation, new)
        found = await keeper.call(keeper.store.candidates, log.session_id, generation)
        self._record.family.know(found)
        return found

    async def _evaluate(self, rules: Rules, generation: int, candidates: tuple[Candidate, ...]) -> None:
        log, keeper = self._deck.log, self._deck.log.keeper
        waiting = any(candidate.state == "waiting" for candidate in candidates)
        begun = ("generation_started", generation) in self._told
        if generation <= self._record.forked and not waiting and not begun:
            return  # it was told where it was mined
        if not begun:
            await log.record(protocol.GenerationStarted(generation=generation, candidates=len(candidates)))
        if ("generation_finished", generation) not in self._told:
            await self._tell_scored(candidates)
        if waiting:
            await self._take_pen(rules)
            coming = self._record.rules(generation + 1)
            self._left(rules, coming, generation, len(candidates))
            same_pen = coming.config.writer.prompts == rules.config.writer.prompts
            work = GenerationWork(
                self._bench(rules),
                candidates,
                [self._record.family.measured_before(candidate) for candidate in candidates],
                self._breeder.next_randoms(self._bench(coming), coming, generation + 1) if same_pen else None,
                self._meter,
                self._deck.gate,
                self._deck.easel,
            )
            await work.run()
            candidates = await keeper.call(keeper.store.candidates, log.session_id, generation)
            await self._deck.rescores.changed()
        if ("generation_finished", generation) not in self._told:
            coming = self._record.rules(generation + 1)
            archived = await self._breeder.survivors(self._bench(coming), coming, generation + 1)
            await log.record(_summary(generation, candidates, archived))
            self._deck.finished(generation)
        if waiting and not any(candidate.state == "scored" for candidate in candidates):
            raise MachineError(
                f"Not one of {len(candidates)} candidates of generation {generation} could be scored "
                f"(the first one: {candidates[0].reason}): check the models or use larger ones."
            )

    async def _tell_scored(self, candidates: tuple[Candidate, ...]) -> None:
        """Tell what was stored just before a fault or a crash, and not told any more."""
        log, keeper = self._deck.log, self._deck.log.keeper
        for one in candidates:
            if one.state == "failed" and ("candidate_failed", one.id) not in self._told:
                await log.record(candidate_failed(one, one.reason))
            elif one.state == "scored" and ("candidate_scored", one.id) not in self._told:
                evidence = await keeper.call(keeper.store.candidate, one.id)
                first = next(found for found in evidence.evaluations if found.purpose == "search")
                missed = tuple(variation.text for variation in first.variations if variation.missed)
                await log.record(candidate_scored(one, first.score, first.score_name, missed))

    def _bench(self, rules: Rules) -> Bench:
        return Bench(self._deck.log, rules.config, self._deck.studio, self._pen)

    async def _take_pen(self, rules: Rules) -> None:
        self._pen = await self._deck.pen_for(rules.config)

    def _left(self, rules: Rules, coming: Rules, generation: int, candidates: int) -> None:
        search, later = rules.config.search, coming.config.search
        further = max(0, later.generations - generation) * later.population
        images = planned(search.shares, search.images, candidates)
        images += max(0, later.generations - generation) * planned(
            later.shares, later.images, later.population
        )
        self._meter.left(images, candidates + further)


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
