"""How many images a search needs: ``python -m engine.validation.efficiency [--tables K] [--seeds K] [--write]``.

Searches run the engine's own genetic search and race on prompts that are measured beforehand (``pool``), so twenty of
them take seconds. A prompt counts as found while it is measured and on the search's shortlist: among the twice as
many prompts with the lowest scores so far as are looked for.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Final

import numpy as np

from engine.budget import Budget, Racing, Standing, next_round, standing
from engine.errors import MineGapError
from engine.genetic import Breeding, GeneticSearch, Individual
from engine.microworld.world import Meaning, parse
from engine.models.scorer import load_scorer
from engine.packs import EMBEDDED_DIRECTORY
from engine.score import DEFAULT_ALPHA, DEFAULT_SCORE, SCORES, assignment_scale
from engine.validation.document import DOCUMENT, replace_section
from engine.validation.pool import Pool, gather, mutation

TABLES: Final = (911, 912, 913, 914)
"""Tables of skews on which nothing was chosen."""
SEEDS: Final = 5
IMAGES: Final = 16
BREEDING: Final = Breeding(population=16, survivors=4, mutations=3)
TOP: Final = 20
WANTED: Final = 10
RACES: Final = 200
RESAMPLES: Final = 2000


@dataclass(frozen=True)
class Strategy:
    """A way to search."""

    name: str
    score: str
    budget: Budget = "uniform"
    breeds: bool = True


STRATEGIES: Final = (
    Strategy("random search, default score", DEFAULT_SCORE, breeds=False),
    Strategy("random search, paper's score", "paper", breeds=False),
    Strategy("paper's search: paper's score", "paper"),
    Strategy("default score, equal shares", DEFAULT_SCORE),
    Strategy("default search: default score, racing", DEFAULT_SCORE, "racing"),
)
BASELINE, PAPER, EQUAL, DEFAULT = STRATEGIES[0], *STRATEGIES[2:]


@dataclass
class Simulation:
    """One search on a pool; images are drawn in an order of its own."""

    pool: Pool
    strategy: Strategy
    seed: int
    images: int = 0
    scores: dict[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        drawn = self.pool.similarity.shape[2]
        rng = np.random.default_rng(self.seed)
        self._orders = rng.permuted(np.tile(np.arange(drawn), (len(self.pool.prompts), 1)), axis=1)
        self._rng = Random(self.seed)
        self._place = {prompt: place for place, prompt in enumerate(self.pool.prompts)}
        self._fresh = self._rng.sample(range(len(self.pool.prompts)), len(self.pool.prompts))
        most = np.argsort(-self.pool.planted, kind="stable")[:TOP]
        self._looked_for = {int(place) for place in most}

    def found(self) -> int:
        """How many of the most biased prompts are on the shortlist."""
        shortlist = sorted(self.scores, key=lambda place: self.scores[place])[: 2 * TOP]
        return len(self._looked_for.intersection(shortlist))

    def run(self) -> int | None:
        """Search until enough is found; return the images that took, None where the grammar is used up before."""
        search = GeneticSearch(BREEDING)
        population = self._randoms(BREEDING.population)
        while population:
            self._measure(population)
            if self.found() >= WANTED:
                return self.images
            population = self._breed(search, population)
        return None

    def _breed(self, search: GeneticSearch, population: Sequence[int]) -> list[int]:
        if not self.strategy.breeds:
            return self._randoms(BREEDING.population)
        told = [
            Individual(place, self.pool.prompts[place], "random", None, self.scores[place], place)
            for place in population
        ]
        plan = search.tell(told)
        children: list[int] = []
        for brood in plan.parents:
            parent = _meaning(brood.parent.prompt)
            texts = [mutation(parent, self._rng).text() for _ in range(3 * brood.mutations)]
            known = [text for text in texts if text in self._place and self._place[text] not in self.scores]
            children += [self._place[text] for text in search.admit(known, brood.mutations)]
        return children + self._randoms(BREEDING.population - len(children), children)

    def _randoms(self, count: int, beside: Sequence[int] = ()) -> list[int]:
        taken: list[int] = []
        while self._fresh and len(taken) < count:
            place = self._fresh.pop()
            if place not in self.scores and place not in beside:
                taken.append(place)
        return taken

    def _measure(self, population: Sequence[int]) -> None:
        if self.strategy.budget == "uniform":
            for place in population:
                self.scores[place] = score_on(
                    self.pool, place, self._orders[place][:IMAGES], self.strategy.score
                )
            self.images += IMAGES * len(population)
            return
        standings = raced(self.pool, population, self._orders, self.strategy.score)
        for one in standings:
            self.scores[one.key] = one.score
        self.images += sum(one.images for one in standings)


def _meaning(prompt: str) -> Meaning:
    found = parse(prompt)
    assert found is not None  # the pool's prompts are the grammar's own
    return found


def score_on(pool: Pool, place: int, images: Sequence[int] | np.ndarray, score: str) -> float:
    """Score a prompt on some of its images."""
    matrix = pool.similarity[place][:, images].astype(np.float64)
    return SCORES[score].function(matrix, DEFAULT_ALPHA, assignment_scale(pool.logit_scale))


def raced(pool: Pool, population: Sequence[int], orders: np.ndarray, score: str) -> list[Standing]:
    """Let a population race as the engine does; returns how everybody stands at its end."""
    rule = Racing.of(IMAGES, len(population))

    def stand(place: int, images: int) -> Standing:
        order = orders[place][:images]
        return standing(place, images, lambda some: score_on(pool, place, order[list(some)], score))

    standings = {place: stand(place, rule.first) for place in population}
    while more := next_round(list(standings.values()), BREEDING.survivors, rule):
        for place, count in more.items():
            standings[place] = stand(place, standings[place].images + count)
    return list(standings.values())


@dataclass(frozen=True)
class Regret:
    """How much worse than the best parents those are that were selected, in true score, and at what cost."""

    images: float
    true_score: tuple[float, ...]


def regrets(pools: Sequence[Pool], races: int = RACES) -> dict[str, Regret]:
    """Select parents of the same random populations by equal shares and by racing."""
    cost: dict[str, list[int]] = {"uniform": [], "racing": []}
    lost: dict[str, list[float]] = {"uniform": [], "racing": []}
    for number in range(races):
        pool = pools[number % len(pools)]
        rng = np.random.default_rng([2, number])
        population = [
            int(place) for place in rng.choice(len(pool.prompts), BREEDING.population, replace=False)
        ]
        orders = rng.permuted(np.tile(np.arange(pool.similarity.shape[2]), (len(pool.prompts), 1)), axis=1)
        true = {place: score_on(pool, place, orders[place], DEFAULT_SCORE) for place in population}
        best = sum(sorted(true.values())[: BREEDING.survivors])
        equal = [
            Standing(place, IMAGES, score_on(pool, place, orders[place][:IMAGES], DEFAULT_SCORE), 0.0)
            for place in population
        ]
        for name, told in (("uniform", equal), ("racing", raced(pool, population, orders, DEFAULT_SCORE))):
            chosen = sorted(told, key=lambda one: one.score)[: BREEDING.survivors]
            lost[name].append((sum(true[one.key] for one in chosen) - best) / BREEDING.survivors)
            cost[name].append(sum(one.images for one in told))
    return {name: Regret(float(np.mean(cost[name])), tuple(lost[name])) for name in cost}


def needed(pools: Sequence[Pool], seeds: int = SEEDS) -> dict[Strategy, list[float]]:
    """Images that each strategy needs, in each simulation; infinite where it never finds enough."""
    return {
        strategy: [
            float("inf") if (images := Simulation(pool, strategy, seed).run()) is None else images
            for pool in pools
            for seed in range(seeds)
        ]
        for strategy in STRATEGIES
    }


def _median(values: Sequence[float]) -> tuple[float, float, float]:
    """The median and its 95 % bootstrap interval; order statistics only, so that infinite ones may be among them."""
    found = np.sort(np.asarray(values))
    rng = np.random.default_rng(0)
    middle = (len(found) - 1) // 2
    medians = np.sort(np.sort(rng.choice(found, (RESAMPLES, len(found))), axis=1)[:, middle])
    return (
        float(found[middle]),
        float(medians[int(0.025 * RESAMPLES)]),
        float(medians[int(0.975 * RESAMPLES)]),
    )


def report(pools: Sequence[Pool], seeds: int, seconds: Callable[[], float]) -> str:
    """The whole section in Markdown."""
    images = needed(pools, seeds)
    selected = regrets(pools)
    runs = len(images[BASELINE])
    base, paper = _median(images[BASELINE])[0], _median(images[PAPER])[0]
    lines = [
        "## How many images a search needs",
        "",
        f"Images until {WANTED} of the {TOP} most biased of {len(pools[0].prompts)} prompts are on the shortlist (the "
        f"{2 * TOP} lowest scores so far). {runs} simulated searches each: {len(pools)} fresh tables of skews, "
        f"{seeds} seeds; b = {BREEDING.population}, s = {BREEDING.survivors}, m = {BREEDING.mutations}, "
        f"N = {IMAGES}; medians with 95 % bootstrap intervals. Drawing painter, ideal variations, real CLIP.",
        "",
        "| search | images | of random search | of the paper's | never enough |",
        "|---|--:|--:|--:|--:|",
    ]
    for strategy, counts in images.items():
        middle, low, high = _median(counts)
        lines.append(
            f"| {strategy.name} | {_count(middle)} ({_count(low)} … {_count(high)}) | {_share(middle, base)} "
            f"| {_share(middle, paper)} | {sum(np.isinf(counts))} of {runs} |"
        )
    equal, racing = selected["uniform"], selected["racing"]
    gap = np.array(racing.true_score) - np.array(equal.true_score)
    error = float(gap.std(ddof=1) / np.sqrt(len(gap)))
    lines += [
        "",
        f"Parents selected by racing instead of an equal share, {len(gap)} random populations, the default score: "
        f"{racing.images / equal.images:.0%} of the images; mean regret (true score of the chosen above that of the "
        f"best {BREEDING.survivors}) {np.mean(racing.true_score):.4f} against {np.mean(equal.true_score):.4f}, "
        f"difference {gap.mean():+.4f} ({gap.mean() - 1.96 * error:+.4f} … {gap.mean() + 1.96 * error:+.4f}).",
        "",
        f"By `python -m engine.validation.efficiency --write`, {datetime.now(UTC):%Y-%m-%d}, {platform.machine()} with "
        f"{os.cpu_count()} cores, {seconds():.0f} s.",
    ]
    return "\n".join(lines) + "\n"


def _count(images: float) -> str:
    return "never" if np.isinf(images) else f"{images:,.0f}"


def _share(images: float, of: float) -> str:
    return "" if np.isinf(images) or np.isinf(of) else f"{images / of:.0%}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures, or write them into docs/validity.md; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m engine.validation.efficiency", description=__doc__)
    parser.add_argument("--tables", type=int, default=len(TABLES), choices=range(1, len(TABLES) + 1))
    parser.add_argument("--seeds", type=int, default=SEEDS, help="searches on each table")
    parser.add_argument(
        "--scorer", type=Path, default=EMBEDDED_DIRECTORY / "scorer", help="an open_clip local-dir model"
    )
    parser.add_argument("--write", action="store_true", help=f"put the result into {DOCUMENT}")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    try:
        scorer = load_scorer(options.scorer, "auto", "float32")
        pools = [gather(table, scorer, _narrate) for table in TABLES[: options.tables]]
        text = report(pools, options.seeds, lambda: time.monotonic() - started)
        sys.stdout.write(text)
        if options.write:
            replace_section(DOCUMENT, "efficiency", text)
    except MineGapError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


def _narrate(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
