"""The work on one generation: from stored candidates to stored scores.

Four chains run side by side and each goes through the candidates in order: *painting* (fixed units of B
images, filled across candidates), *writing* variations, *embedding* them, and *scoring* (a candidate as soon
as its images and its texts are there; where candidates race for images, when the race is over). Every finished
step is in the store before the next chain hears of it, and every step first asks the store, so running the
generation again does only what is missing, with the same composition: the outcome is equal to the last bit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from engine import protocol
from engine.bench import Bench
from engine.budget import Racing, Standing, planned
from engine.controls import Measured, faults
from engine.easel import Easel
from engine.errors import InputError
from engine.gate import Gate, first_of
from engine.measure import Material, measure_bias, measure_colour, standing_of
from engine.meter import Meter
from engine.models.protocols import PaintJob, TextEmbeddings
from engine.objectives import objective_named
from engine.racing import Race
from engine.seeds import draw_index
from engine.services import WritingTask
from engine.writing import write
from store.incoming import NewEvaluation
from store.records import Candidate, ImageRecord, Writing


@dataclass
class _Work:
    """One candidate on its way: which draws it needs (``whole``: no race adds to them), and what has come of it."""

    candidate: Candidate
    measurement: int
    seeds: tuple[int, ...]
    images_left: int
    whole: bool = True
    painted: asyncio.Event = field(default_factory=asyncio.Event)
    written: asyncio.Event = field(default_factory=asyncio.Event)
    embedded: asyncio.Event = field(default_factory=asyncio.Event)
    writing: Writing | None = None
    embedding: asyncio.Task[TextEmbeddings | None] | None = None
    fault: str = ""


class GenerationWork:
    """Evaluates one population.

    Args:
        bench: the session's tools.
        candidates: the whole population in order, those already scored included.
        measurements: for each candidate, how often its very prompt was measured in this session before
            (an elite's survivors are measured again on new seeds).
        afterwards: a task for the writer when it is done with this generation; its outcome is only stored.
        meter: counts images.
        gate: no step begins while it is closed.
        easel: the way to the painter.
    """

    def __init__(
        self,
        bench: Bench,
        candidates: Sequence[Candidate],
        measurements: Sequence[int],
        afterwards: WritingTask | None,
        meter: Meter,
        gate: Gate,
        easel: Easel,
    ) -> None:
        self._bench = bench
        self._meter = meter
        self._gate = gate
        self._easel = easel
        self._afterwards = afterwards
        self._generation = candidates[0].generation
        search = bench.config.search
        self._objective = objective_named(search.objective, search.score, search.alpha)
        # the writer may have found fewer prompts than were asked for: where all survive, nobody has to race
        shares = search.shares if len(candidates) > search.survivors else "uniform"
        self._rule = Racing.of(search.images, len(candidates)) if shares == "racing" else None
        self._work = [
            _Work(candidate, measurement, (), 0)
            for candidate, measurement in zip(candidates, measurements, strict=True)
        ]
        for work in self._work:
            # what was selected already is no candidate for selection: it has its whole share
            work.whole = self._rule is None or work.candidate.origin == "elite"
            self._add_draws(work, search.images if work.whole or self._rule is None else self._rule.first)
        self._images_total = planned(shares, search.images, len(candidates))
        self._measured: list[Measured] = []
        self._images_done = 0

    async def run(self) -> None:
        """Evaluate every candidate that is still waiting.

        Raises:
            MachineError, InputError: a model failed.
            StoreError: the store failed; everything stored before stays.
        """
        try:
            async with asyncio.TaskGroup() as chains:
                chains.create_task(self._paint(), name="painting")
                chains.create_task(self._write(chains), name="writing")
                chains.create_task(self._keep_embeddings(), name="embedding")
                chains.create_task(self._score(), name="scoring")
        except ExceptionGroup as group:
            raise first_of(group) from None
        if self._generation == 1:  # later prompts are families, which look alike to any instrument
            await self._bench.log.notice(*faults(self._measured, self._bench.config.search.axis))

    # ------------------------------------------------------------ painting

    def _add_draws(self, work: _Work, count: int) -> tuple[int, ...]:
        """Give a candidate the next draws of its sequence."""
        first = len(work.seeds)
        new = tuple(
            self._bench.seed("image", work.candidate.prompt, draw_index(work.measurement, first + place))
            for place in range(count)
        )
        work.seeds += new
        work.images_left += count
        return new

    async def _paint(self) -> None:
        self._meter.begin()
        await self._fill([(work, seed) for work in self._work for seed in work.seeds])
        if self._rule is not None:
            await self._race(self._rule)

    async def _race(self, rule: Racing) -> None:
        """Draw further images where they tell most, then let the candidates be scored."""
        if self._objective.needs_variations:
            for work in self._work:
                await work.embedded.wait()

        async def measure(place: int) -> Standing | None:
            work = self._work[place]
            return standing_of(await self._material(work), self._objective, place)

        async def draw(more: Mapping[int, int]) -> None:
            await self._fill(
                [
                    (self._work[place], seed)
                    for place, count in more.items()
                    for seed in self._add_draws(self._work[place], count)
                ]
            )

        elites = frozenset(place for place, work in enumerate(self._work) if work.whole)
        survivors = self._bench.config.search.survivors - len(elites)
        images = {place: len(work.seeds) for place, work in enumerate(self._work)}
        await Race(rule, survivors, measure, draw).run(images, elites)
        for work in self._work:
            work.painted.set()
        self._progress("painting", self._images_done, self._images_done)

    async def _fill(self, items: Sequence[tuple[_Work, int]]) -> None:
        """Draw images in units of one size, whole units that are stored left out."""
        size = self._bench.config.painter.batch_size
        works = {id(work): work for work, _ in items}
        stored = {key: set(await self._find_images(work)) for key, work in works.items()}
        async with asyncio.TaskGroup() as units:
            for start in range(0, len(items), size):
                unit = items[start : start + size]
                if all(seed in stored[id(work)] for work, seed in unit):
                    self._meter.found(images=len(unit))
                    self._count(unit)
                    continue
                await self._easel.slot()
                units.create_task(self._draw(unit))

    async def _draw(self, unit: Sequence[tuple[_Work, int]]) -> None:
        await self._easel.paint(self._bench, [PaintJob(work.candidate.prompt, seed) for work, seed in unit])
        self._meter.drew(len(unit))
        self._count(unit)

    def _count(self, unit: Sequence[tuple[_Work, int]]) -> None:
        for work, _ in unit:
            work.images_left -= 1
            if work.images_left == 0 and work.whole:
                work.painted.set()
        self._images_done += len(unit)
        self._progress("painting", self._images_done, self._images_total)

    async def _find_images(self, work: _Work) -> dict[int, ImageRecord]:
        studio, keeper = self._bench.studio, self._bench.keeper
        return await keeper.call(
            keeper.store.find_images, work.candidate.prompt, work.seeds, studio.painter, studio.scorer
        )

    # ------------------------------------------------------------ writing

    async def _write(self, chains: asyncio.TaskGroup) -> None:
        """Write variations; each candidate's go to the scorer at once, however busy that is with images."""
        search = self._bench.config.search
        for done, work in enumerate(self._work if self._objective.needs_variations else (), 1):
            task = WritingTask(
                kind="variations",
                count=search.variations,
                seed=self._bench.seed("variations", work.candidate.prompt, work.measurement),
                prompt=work.candidate.prompt,
                axis=search.axis,
                theme=search.theme,
            )
            try:
                async with self._gate.step():
                    work.writing = await write(self._bench, task)
            except InputError as error:  # this prompt is too long for the writer: the others go on
                work.fault = str(error)
            work.embedding = chains.create_task(self._embed(work))
            work.written.set()
            self._progress("writing", done, len(self._work))
        if self._afterwards is not None:
            async with self._gate.step():
                await write(self._bench, self._afterwards)

    async def _embed(self, work: _Work) -> TextEmbeddings | None:
        """Embed a candidate's variations; None where all of them are in the store."""
        bench = self._bench
        keeper = bench.keeper
        texts = work.writing.texts if work.writing else ()
        found = await keeper.call(keeper.store.find_text_embeddings, bench.studio.scorer, texts)
        if all(text in found for text in texts):
            return None
        # all of a candidate's texts go in one call: a vector then depends on this candidate alone
        async with self._gate.step():
            return await bench.studio.embed_texts(texts)

    async def _keep_embeddings(self) -> None:
        """Store vectors in the candidates' order: of a text that two of them share, the first one's counts."""
        bench = self._bench
        keeper = bench.keeper
        for work in self._work if self._objective.needs_variations else ():
            await work.written.wait()
            assert work.embedding is not None
            embedded = await work.embedding
            if embedded is not None:
                assert work.writing is not None
                vectors = dict(zip(work.writing.texts, embedded.vectors, strict=True))
                await keeper.call(keeper.store.save_text_embeddings, bench.studio.scorer, vectors)
                if any(embedded.truncated):
                    await bench.log.notice(
                        f"{sum(embedded.truncated)} variations are longer than the scorer reads and were cut."
                    )
            work.embedded.set()

    # ------------------------------------------------------------ scoring

    async def _score(self) -> None:
        for done, work in enumerate(self._work, 1):
            await work.painted.wait()
            if self._objective.needs_variations:
                await work.embedded.wait()
            if work.candidate.state == "waiting":
                async with self._gate.step():
                    await self._evaluate(work)
                self._meter.scored()
            else:
                self._meter.found(candidates=1)
            self._progress("scoring", done, len(self._work))

    async def _material(self, work: _Work) -> Material:
        """Return what a candidate's images and variations are."""
        found = await self._find_images(work)
        shown = [found[seed] for seed in work.seeds if not found[seed].blank]
        bench, writing = self._bench, work.writing
        if not self._objective.needs_variations or writing is None or len(writing.texts) < 2:
            return Material(shown, None, bench.studio.logit_scale)
        keeper = bench.keeper
        vectors = await keeper.call(keeper.store.find_text_embeddings, bench.studio.scorer, writing.texts)
        rows = np.stack([vectors[text] for text in writing.texts])  # (T, D)
        return Material(shown, rows, bench.studio.logit_scale)

    async def _evaluate(self, work: _Work) -> None:
        bench, search = self._bench, self._bench.config.search
        material = await self._material(work)
        records, shown = work.seeds, material.images
        if len(shown) < len(records):
            await bench.log.notice(
                f"{len(records) - len(shown)} of {len(records)} images of candidate {work.candidate.id} are blank "
                "and left out of its score."
            )
        if len(shown) < 2 or 2 * len(shown) < len(records):
            await self._give_up(work, f"{len(records) - len(shown)} of {len(records)} images are blank")
            return
        if not self._objective.needs_variations:
            evaluation = measure_colour(self._objective, shown)
        else:
            writing = work.writing
            if writing is None:
                await self._give_up(work, work.fault)
                return
            if len(writing.texts) < 2:
                await self._give_up(
                    work,
                    f"the writer found {len(writing.texts)} of {search.variations} variations, 2 are needed",
                )
                return
            assert material.texts is not None
            evaluation = measure_bias(
                self._objective, material.logit_scale, writing.texts, material.texts, shown, writing.id
            )
            vectors_shown = np.stack([record.embedding for record in shown])
            self._measured.append(
                Measured(
                    work.candidate.prompt,
                    writing.texts,
                    search.variations,
                    material.texts,
                    vectors_shown,
                    evaluation.similarity,
                )
            )
        await self._finish(work, evaluation)

    async def _finish(self, work: _Work, evaluation: NewEvaluation) -> None:
        bench, candidate = self._bench, work.candidate
        await bench.keeper.call(bench.keeper.store.save_evaluation, candidate.id, evaluation)
        missed = tuple(evaluation.variations[index] for index in evaluation.missed)
        score = evaluation.scores[evaluation.score_name]
        await bench.log.record(candidate_scored(candidate, score, evaluation.score_name, missed))

    async def _give_up(self, work: _Work, reason: str) -> None:
        bench, candidate = self._bench, work.candidate
        await bench.keeper.call(bench.keeper.store.set_candidate_state, candidate.id, "failed", reason)
        await bench.log.record(candidate_failed(candidate, reason))

    def _progress(self, stage: str, done: int, total: int) -> None:
        self._bench.log.emit(
            protocol.Progress(
                stage=stage,
                generation=self._generation,
                done=done,
                total=total,
                images_per_second=self._meter.images_per_second(),
                eta_seconds=self._meter.eta_seconds(),
            )
        )


def candidate_scored(
    candidate: Candidate, score: float, score_name: str, missed: tuple[str, ...]
) -> protocol.CandidateScored:
    """Say what a candidate scored."""
    return protocol.CandidateScored(
        candidate_id=candidate.id,
        generation=candidate.generation,
        position=candidate.position,
        prompt=candidate.prompt,
        origin=candidate.origin,
        parent_id=candidate.parent_id,
        score=score,
        score_name=score_name,
        missed=missed,
    )


def candidate_failed(candidate: Candidate, reason: str) -> protocol.CandidateFailed:
    """Say why a candidate has no score."""
    return protocol.CandidateFailed(
        candidate_id=candidate.id,
        generation=candidate.generation,
        position=candidate.position,
        prompt=candidate.prompt,
        reason=reason,
    )
