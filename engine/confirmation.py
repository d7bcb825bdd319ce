"""Confirms what a search found: a frozen shortlist, measured again by draws that the search never used.

Three draws that share no seed (``engine.seeds``): the search proposes, the second draw decides what is claimed, the
third one is reported; and the missed concepts are drawn outright. Every step first asks the store and then leaves
its result there, so running it again does only what is missing, with the same composition.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from engine import protocol
from engine.bench import Bench
from engine.confirm_draws import CannotConfirmError, Draws
from engine.confirm_orders import Order
from engine.easel import Easel
from engine.findings import UNSELECTED, Measured, conclude, sets_of_images, shortlist, verdict_on
from engine.gate import Gate, first_of
from engine.models.protocols import PaintJob
from engine.objectives import BIAS
from engine.repeated_measure import measure_repeatedly, score_of
from engine.repetition import Repeated
from engine.steering import Rules
from store.incoming import NewCeiling, NewEvaluation
from store.records import Candidate, Confirmation, ImageRecord, Writing
from store.vocabulary import Role

_EVERYTHING = 1 << 62
_MEASURING = ("images", "variations", "alpha", "axis", "theme")
"""Settings of the search that change what a score means."""


@dataclass(eq=False)
class _Member:
    """One candidate of the shortlist under measurement."""

    candidate: Candidate
    role: Role
    score: float
    rank_seeds: tuple[int, ...]
    seeds: tuple[tuple[int, ...], ...]
    ranking: Writing | None = None
    writings: list[Writing] = field(default_factory=list)
    fault: str = ""
    measured: Measured | None = None
    evaluation: NewEvaluation | None = None
    images: list[ImageRecord] = field(default_factory=list)

    @property
    def jobs(self) -> list[PaintJob]:
        seeds = (*self.rank_seeds, *(seed for group in self.seeds for seed in group))
        return [PaintJob(self.candidate.prompt, seed) for seed in seeds]


class Confirmer:
    """Confirms one session.

    Args:
        bench: the tools; its configuration is the one in force for the last generation.
        rules: gives what was in force when a generation was bred.
        gate: no step begins while it is closed.
        easel: the way to the painter.
        rest: called between the phases, where a pause after the generation may begin.
    """

    def __init__(
        self,
        bench: Bench,
        rules: Callable[[int], Rules],
        gate: Gate,
        easel: Easel,
        rest: Callable[[], None],
    ) -> None:
        self._bench = bench
        self._keeper = bench.keeper
        self._rules = rules
        self._gate = gate
        self._easel = easel
        self._rest = rest
        self._generation = 0
        self._draws = Draws(bench, gate, easel, 0)

    async def run(self, order: Order) -> None:
        """Carry out one order; one that is carried out changes nothing.

        Raises:
            InputError, MachineError: a model failed.
            StoreError: the store failed; everything stored before stays.
        """
        log, store = self._bench.log, self._bench.keeper.store
        events = await self._keeper.call(store.events, self._bench.session_id, 0, "confirmed")
        if any(event.payload.get("command_id") == order.command_id for event in events):
            return
        found = await self._frozen(order)
        if found is None:
            await log.notice("There is nothing to confirm: no candidate has a score.")
            await log.record(
                protocol.Confirmed(command_id=order.command_id, confirmation_id=0, confirmed=0, claimed=0)
            )
            return
        if found.finished_at is None:
            await self._measure(found)
        done = next(one for one in await self._confirmations() if one.id == found.id)
        await log.record(
            protocol.Confirmed(
                command_id=order.command_id,
                confirmation_id=done.id,
                confirmed=len(done.findings),
                claimed=sum(one.claimed for one in done.findings),
                mined_p=done.mined_p,
                reliability=done.reliability,
                inflation=done.inflation,
            )
        )

    # ------------------------------------------------------------ the shortlist

    async def _frozen(self, order: Order) -> Confirmation | None:
        """The confirmation that an order began, or begins now; None where nothing is scored."""
        store, session_id = self._bench.keeper.store, self._bench.session_id
        ranked = await self._keeper.call(store.leaderboard, session_id, _EVERYTHING)
        if not ranked:
            return None
        self._generation = max(one.generation for one in ranked)
        self._draws = Draws(self._bench, self._gate, self._easel, self._generation)
        for one in await self._confirmations():
            if one.command_id == order.command_id:
                return one
        top, images = order.size(self._bench.config)
        unselected = [one for one in ranked if one.origin in UNSELECTED]
        chosen = shortlist(ranked, unselected, top, self._bench.config.session.seed)
        size = self._bench.config.search.images
        wanted = sets_of_images(images, size) * size
        number = await self._keeper.call(store.freeze_shortlist, session_id, order.command_id, wanted, chosen)
        await self._bench.log.record(
            protocol.ConfirmationStarted(
                confirmation_id=number,
                images=wanted,
                mined=tuple(one for one, role in chosen if role == "mined"),
                random=tuple(one for one, role in chosen if role == "random"),
            )
        )
        return next(one for one in await self._confirmations() if one.id == number)

    async def _confirmations(self) -> tuple[Confirmation, ...]:
        return await self._keeper.call(self._bench.keeper.store.confirmations, self._bench.session_id)

    async def _members(self, frozen: Confirmation) -> list[_Member]:
        bench = self._bench
        ranked = await self._keeper.call(bench.keeper.store.leaderboard, bench.session_id, _EVERYTHING)
        known = {one.id: one for one in ranked}
        first = await self._first_scores()
        size = bench.config.search.images
        members = []
        for number, role in frozen.members:
            one = known[number]
            # a random prompt's first score, before anybody may have measured it again because it was low
            score = one.score if role == "mined" else first[number]
            assert score is not None
            rank = tuple(
                bench.seed("rank image", one.prompt, i) for i in range(size if role == "mined" else 0)
            )
            seeds = [bench.seed("confirm image", one.prompt, i) for i in range(frozen.images)]
            groups = tuple(tuple(seeds[start : start + size]) for start in range(0, len(seeds), size))
            members.append(_Member(one, role, score, rank, groups))
        return members

    async def _first_scores(self) -> dict[int, float]:
        """What every candidate of the session scored when it was measured for the first time."""
        store, scores = self._bench.keeper.store, dict[int, float]()
        for generation in range(1, self._generation + 1):
            found = await self._keeper.call(store.search_scores, self._bench.session_id, generation)
            scores |= {number: measurements[0][1] for number, measurements in found.items()}
        return scores

    async def _reference(self) -> dict[int, float]:
        """First looks at the unselected prompts that were measured by the same settings as the second draw.

        A race draws further images where the first ones look close to the cut, so what it ends with is no sample of
        those prompts' scores: it is too high on average. What it looked at first is one.
        """
        bench = self._bench
        store, now = bench.keeper.store, bench.config.search
        scores, reference = await self._first_scores(), dict[int, float]()
        score = score_of(now, bench.studio.logit_scale)
        for generation in range(1, self._generation + 1):
            then = self._rules(generation).config.search
            if any(getattr(then, key) != getattr(now, key) for key in _MEASURING):
                continue
            population = await self._keeper.call(store.candidates, bench.session_id, generation)
            for one in population:
                if one.origin not in UNSELECTED or one.id not in scores:
                    continue
                if then.shares == "uniform":
                    reference[one.id] = scores[one.id]
                    continue
                evidence = await self._keeper.call(store.candidate, one.id)
                first = next(found for found in evidence.evaluations if found.purpose == "search")
                seen = np.asarray(first.similarity, dtype=np.float64)[:, : then.look]
                reference[one.id] = score(seen)
        return reference

    # ------------------------------------------------------------ the draws

    async def _measure(self, frozen: Confirmation) -> None:
        bench, search = self._bench, self._bench.config.search
        members = await self._members(frozen)
        jobs = [job for one in members for job in one.jobs]
        try:
            async with asyncio.TaskGroup() as chains:
                chains.create_task(self._draws.paint(jobs), name="painting")
                if search.objective == BIAS:
                    chains.create_task(self._write(members), name="writing")
        except ExceptionGroup as group:
            raise first_of(group) from None
        self._rest()
        for one in members:
            async with self._gate.step():
                await self._evaluate(one)
        await self._draw_outright([one for one in members if one.role == "mined" and one.measured])
        for one in members:
            if one.fault:
                await bench.log.notice(f"Candidate {one.candidate.id} could not be confirmed: {one.fault}.")
        measured = [one.measured for one in members if one.measured is not None]
        name = search.score if search.objective == BIAS else search.objective
        async with self._gate.step():
            result = await asyncio.to_thread(
                conclude, name, measured, await self._reference(), bench.config.session.seed
            )
            await self._keeper.call(bench.keeper.store.save_confirmation, frozen.id, result)

    async def _write(self, members: Sequence[_Member]) -> None:
        for one in members:
            try:
                if one.role == "mined":
                    one.ranking = await self._draws.write(one.candidate.prompt, "rank variations", 0)
                one.writings = [
                    await self._draws.write(one.candidate.prompt, "confirm variations", number)
                    for number in range(len(one.seeds))
                ]
            except CannotConfirmError as error:
                one.fault = str(error)

    # ------------------------------------------------------------ scores

    async def _evaluate(self, one: _Member) -> None:
        try:
            if not one.fault:
                ranked = await self._evaluate_rank(one) if one.role == "mined" else None
                await self._evaluate_third(one, ranked)
        except CannotConfirmError as error:
            one.fault = str(error)

    async def _evaluate_rank(self, one: _Member) -> Repeated:
        shown = await self._draws.shown(one.candidate.prompt, one.rank_seeds)
        evaluation, ranked = await self._score([shown], [one.ranking] if one.ranking is not None else [])
        evaluation = replace(evaluation, purpose="rank")
        await self._keeper.call(self._keeper.store.save_evaluation, one.candidate.id, evaluation)
        return ranked

    async def _score(
        self, groups: Sequence[Sequence[ImageRecord]], writings: Sequence[Writing]
    ) -> tuple[NewEvaluation, Repeated]:
        texts = [writing.texts for writing in writings] or [()] * len(groups)
        return await asyncio.to_thread(
            measure_repeatedly,
            self._bench.config.search,
            self._bench.studio.logit_scale,
            texts,
            [await self._draws.vectors(group) for group in texts if group],
            groups,
            writings[0].id if writings else None,
        )

    async def _evaluate_third(self, one: _Member, ranked: Repeated | None) -> None:
        groups = [await self._draws.shown(one.candidate.prompt, seeds) for seeds in one.seeds]
        evaluation, repeated = await self._score(groups, one.writings)
        number = await self._keeper.call(self._keeper.store.save_evaluation, one.candidate.id, evaluation)
        one.evaluation, one.images = evaluation, [image for group in groups for image in group]
        one.measured = Measured(one.candidate.id, one.role, one.score, ranked, repeated, number)

    # ------------------------------------------------------------ missed concepts

    async def _draw_outright(self, members: Sequence[_Member]) -> None:
        """Draw every missed concept by its own text, and judge it."""
        bench = self._bench
        count = bench.config.confirm.ceiling_images
        if bench.config.search.objective != BIAS or count == 0:
            return
        concepts: dict[str, tuple[int, ...]] = {}
        for one in members:
            assert one.evaluation is not None
            for row in one.evaluation.missed:
                text = one.evaluation.variations[row]
                concepts[text] = tuple(bench.seed("ceiling image", text, i) for i in range(count))
        jobs = [PaintJob(text, seed) for text, seeds in concepts.items() for seed in seeds]
        await self._draws.paint(jobs)
        self._rest()
        for one in members:
            async with self._gate.step():
                await self._judge(one, concepts)

    async def _judge(self, one: _Member, concepts: dict[str, tuple[int, ...]]) -> None:
        bench, new = self._bench, one.evaluation
        assert new is not None
        assert one.measured is not None
        texts = [new.variations[row] for row in new.missed]
        if not texts:
            return
        prompt = one.candidate.prompt
        drawn = [await self._draws.find(text, concepts[text]) for text in texts]
        columns = [found[seed] for text, found in zip(texts, drawn, strict=True) for seed in concepts[text]]
        images = np.stack([image.embedding for image in columns])
        similarity = np.einsum("td,nd->tn", await self._draws.vectors([*texts, prompt]), images)
        own_images = np.stack([image.embedding for image in one.images])
        fit = np.einsum("td,nd->tn", await self._draws.vectors([prompt]), own_images)[0]
        ceilings, first, alignment = [], 0, []
        for row, (text, source) in enumerate(zip(texts, new.missed, strict=True)):
            place = slice(first, first + len(concepts[text]))
            own, coverage = similarity[row, place], float(np.asarray(new.coverage)[source])
            verdict = verdict_on(coverage, own, similarity[-1, place], fit)
            ceilings.append(NewCeiling(text, coverage, float(own.max()), verdict, first, len(own)))
            alignment.append(own)
            first = place.stop
        number = await self._keeper.call(
            bench.keeper.store.save_evaluation,
            one.candidate.id,
            NewEvaluation(
                images=[image.id for image in columns],
                variations=texts,
                similarity=similarity[:-1],
                scores={"ceiling": float(np.mean([ceiling.ceiling for ceiling in ceilings]))},
                score_name="ceiling",
                coverage=np.array([ceiling.ceiling for ceiling in ceilings], dtype=np.float32),
                alignment=np.concatenate(alignment),  # each image with the text it was drawn of
                missed=(),
                purpose="ceiling",
            ),
        )
        one.measured = replace(one.measured, ceilings=ceilings, ceiling_evaluation_id=number)
