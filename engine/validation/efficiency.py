"""How many images a search needs: ``python -m engine.validation.efficiency [--tables K] [--seeds K] [--write]``.

Searches run the engine's own genetic search and race on prompts that are measured beforehand (``pool``), so twenty of
them take seconds. A prompt counts as found while it is measured and on the search's shortlist: among the twice as
many prompts with the lowest scores so far as are looked for.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

import numpy as np

from engine.budget import Budget, Racing, Standing, next_round, standing
from engine.genetic import Breeding, GeneticSearch, Individual
from engine.microworld.world import Meaning, parse
from engine.models.scorer import load_scorer
from engine.packs import EMBEDDED_DIRECTORY
from engine.score import DEFAULT_ALPHA, DEFAULT_SCORE, SCORES, assignment_scale
from engine.statistics import Estimate, Floats, bootstrap
from engine.validation.document import DOCUMENT, machine, narrate, publish, says_faults
from engine.validation.pool import Pool, gather, mutation

TABLES: Final = (911, 912, 913, 914)
"""Tables of skews on which nothing was chosen. On 901 to 903 a race was looked at before its rule was changed."""
SEEDS: Final = 5
IMAGES: Final = 16
BREEDING: Final = Breeding(population=16, survivors=4, mutations=3)
TOP: Final = 20
WANTED: Final = 10
RACES: Final = 1000


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
    """How much worse than the best parents those are that were selected, and at what cost.

    Attributes:
        images: of one selection, on average.
        planted: by how much less bias the chosen have than the most biased have, in each population.
        true_score: by how much higher their score is than the lowest ones, all scored on all images that were drawn.
    """

    images: float
    planted: tuple[float, ...]
    true_score: tuple[float, ...]


def regrets(pools: Sequence[Pool], races: int = RACES) -> dict[str, Regret]:
    """Select parents of the same random populations by equal shares and by racing."""
    cost: dict[str, list[int]] = {"uniform": [], "racing": []}
    lost: dict[str, list[tuple[float, float]]] = {"uniform": [], "racing": []}
    for number in range(races):
        pool = pools[number % len(pools)]
        rng = np.random.default_rng([2, number])
        population = [
            int(place) for place in rng.choice(len(pool.prompts), BREEDING.population, replace=False)
        ]
        orders = rng.permuted(np.tile(np.arange(pool.similarity.shape[2]), (len(pool.prompts), 1)), axis=1)
        true = {place: score_on(pool, place, orders[place], DEFAULT_SCORE) for place in population}
        best = np.mean(sorted(true.values())[: BREEDING.survivors])
        most = np.mean(sorted(pool.planted[population])[-BREEDING.survivors :])
        equal = [
            Standing(place, IMAGES, score_on(pool, place, orders[place][:IMAGES], DEFAULT_SCORE), 0.0)
            for place in population
        ]
        for name, told in (("uniform", equal), ("racing", raced(pool, population, orders, DEFAULT_SCORE))):
            chosen = [one.key for one in sorted(told, key=lambda one: one.score)[: BREEDING.survivors]]
            lost[name].append(
                (
                    float(most - pool.planted[chosen].mean()),
                    float(np.mean([true[one] for one in chosen]) - best),
                )
            )
            cost[name].append(sum(one.images for one in told))
    return {name: Regret(float(np.mean(cost[name])), *zip(*lost[name], strict=True)) for name in cost}


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


def _median(values: Sequence[float]) -> Estimate:
    """The median and its bootstrap interval; a value that occurred, so that infinite ones may be among them."""

    def median(runs: Sequence[Floats]) -> Floats:
        return np.quantile(runs[0], 0.5, axis=-1, method="inverted_cdf")

    return bootstrap(median, (values,), seed=0)


def _difference(ours: Sequence[float], others: Sequence[float]) -> str:
    """Mean of paired differences with its bootstrap interval."""
    found = bootstrap(lambda pairs: np.asarray((pairs[0] - pairs[1]).mean(axis=-1)), (ours, others), seed=1)
    return f"{found.value:+.4f} ({found.low:+.4f} … {found.high:+.4f})"


def report(pools: Sequence[Pool], seeds: int, seconds: Callable[[], float]) -> str:
    """The whole section in Markdown."""
    images = needed(pools, seeds)
    selected = regrets(pools)
    runs = len(images[BASELINE])
    base, paper = _median(images[BASELINE]).value, _median(images[PAPER]).value
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
        found = _median(counts)
        lines.append(
            f"| {strategy.name} | {_count(found.value)} ({_count(found.low)} … {_count(found.high)}) "
            f"| {_share(found.value, base)} | {_share(found.value, paper)} | {sum(np.isinf(counts))} of {runs} |"
        )
    equal, racing = selected["uniform"], selected["racing"]
    lines += [
        "",
        f"Parents selected by racing instead of an equal share, {len(racing.planted)} random populations, the default "
        f"score: {racing.images / equal.images:.0%} of the images. Mean regret in planted bias (of the chosen "
        f"{BREEDING.survivors} against the most biased {BREEDING.survivors}) {np.mean(racing.planted):.4f} against "
        f"{np.mean(equal.planted):.4f}, difference {_difference(racing.planted, equal.planted)}; in score, taken on "
        f"all images that were drawn, {np.mean(racing.true_score):.4f} against {np.mean(equal.true_score):.4f}, "
        f"difference {_difference(racing.true_score, equal.true_score)}.",
        "",
        f"By `python -m engine.validation.efficiency --write`, {machine()}, {seconds():.0f} s.",
    ]
    return "\n".join(lines) + "\n"


def _count(images: float) -> str:
    return "never" if np.isinf(images) else f"{images:,.0f}"


def _share(images: float, of: float) -> str:
    return "" if np.isinf(images) or np.isinf(of) else f"{images / of:.0%}"


@says_faults
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
    scorer = load_scorer(options.scorer, "auto", "float32")
    pools = [gather(table, scorer, narrate) for table in TABLES[: options.tables]]
    text = report(pools, options.seeds, lambda: time.monotonic() - started)
    publish("efficiency", text, write=options.write)
    return 0


if __name__ == "__main__":
    sys.exit(main())
