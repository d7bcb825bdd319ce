"""Whether confirmed scores hold: ``python -m engine.validation.confirmation [--sessions N] [--write]``.

Whole sessions are simulated on prompts whose true score is known (``engine.validation.simulated``): a genetic search
that races for images, a shortlist, fresh draws, and ``engine.findings`` draws its conclusions. Reported are how often
the 95 % interval covers the truth, by how much the search and the confirmation overstate the bias of what was found,
and how often anything is claimed where no prompt is more biased than another.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.budget import Racing, Standing, next_round, standing
from engine.findings import CLAIM_LEVEL, Measured, conclude
from engine.repetition import Repeated, ScoreOf, repeated_score
from engine.score import CLIP_LOGIT_SCALE, DEFAULT_ALPHA, DEFAULT_SCORE, SCORES
from engine.statistics import Floats, inflation, wilson
from engine.validation.document import DOCUMENT, machine, publish, says_faults
from engine.validation.simulated import Prompt

DEVELOPMENT: Final = range(1000)
"""Seeds of sessions that constants of ``engine.repetition`` were chosen on, and of all that were looked at since."""
FRESH: Final = 10_000
"""The first seed of those that are reported."""
SIZE: Final = 16  # N and T
SETS: Final = 2
TOP: Final = 5
POPULATION: Final = 16
SURVIVORS: Final = 4
MUTATIONS: Final = 3
GENERATIONS: Final = 8
TRUTHS: Final = 300
RULE: Final = Racing.of(SIZE, POPULATION)


@dataclass(frozen=True)
class Simulated:
    """One session.

    Attributes:
        search, confirmed, covered, truth: of each finding its search score, its confirmed score, whether the interval
            of that holds, and its true score.
        others: confirmed mean of the unselected prompts.
        claims: how many findings are claimed.
        mined_p: of the permutation test of mined against random prompts.
    """

    search: tuple[float, ...]
    confirmed: tuple[float, ...]
    covered: tuple[bool, ...]
    truth: tuple[float, ...]
    others: float
    claims: int
    mined_p: float


@dataclass(frozen=True)
class _Candidate:
    prompt: Prompt
    number: int
    bred: bool
    look: float
    score: float


def simulate(
    score: ScoreOf, seed: int, *, steady: bool, alike: bool = False, truths: int = TRUTHS
) -> Simulated:
    """Mine and confirm one session.

    Args:
        score: that ranks.
        seed: of everything that is drawn.
        steady: whether the score may be raced for; else everybody gets the same number of images.
        alike: whether all prompts are one and the same, so that whatever is found is luck.
        truths: fresh draws of the same size whose mean score is the truth.
    """
    rng = np.random.default_rng(seed)
    one = Prompt.random(rng)

    def fresh() -> Prompt:
        return one if alike else Prompt.random(rng)

    seen: list[_Candidate] = []
    population = [(fresh(), False) for _ in range(POPULATION)]
    for _ in range(GENERATIONS):
        scored = _measured(population, score, len(seen), steady, rng)
        seen += scored
        best = sorted(scored, key=lambda each: (each.score, each.number))[:SURVIVORS]
        population = [
            (each.prompt if alike else each.prompt.mutated(rng), True)
            for each in best
            for _ in range(MUTATIONS)
        ]
        population += [(fresh(), False) for _ in range(POPULATION - len(population))]
    found = sorted(seen, key=lambda each: (each.score, each.number))[:TOP]
    unselected = [each for each in seen if not each.bred and each not in found]
    others = [unselected[place] for place in rng.choice(len(unselected), TOP, replace=False)]
    measured = [
        Measured(each.number, "mined", each.score, _repeated(each.prompt, score, 1, rng), third, each.number)
        for each in found
        for third in (_repeated(each.prompt, score, SETS, rng),)
    ]
    measured += [
        Measured(
            each.number, "random", each.score, None, _repeated(each.prompt, score, SETS, rng), each.number
        )
        for each in others
    ]
    looks = {each.number: each.look for each in seen if not each.bred}
    result = conclude("simulated", measured, looks, seed)
    findings = [each for each in result.scores if each.role == "mined"]
    truth = [
        float(np.mean([score(each.prompt.similarity(SIZE, SIZE, rng)) for _ in range(truths)]))
        for each in found
    ]
    assert result.random_score is not None
    assert result.mined_p is not None
    return Simulated(
        search=tuple(each.search_score for each in findings),
        confirmed=tuple(each.score for each in findings),
        covered=tuple(each.low <= real <= each.high for each, real in zip(findings, truth, strict=True)),
        truth=tuple(truth),
        others=result.random_score,
        claims=sum(each.claimed for each in findings),
        mined_p=result.mined_p,
    )


def _measured(
    population: Sequence[tuple[Prompt, bool]],
    score: ScoreOf,
    first: int,
    steady: bool,
    rng: np.random.Generator,
) -> list[_Candidate]:
    """Score a generation whose candidates are numbered from ``first`` on, as the engine does."""
    drawn = [prompt.similarity(SIZE, RULE.most, rng) for prompt, _ in population]

    def stand(place: int, images: int) -> Standing:
        return standing(place, images, lambda some: score(drawn[place][:, list(some)]))

    look, scores = RULE.first, [score(matrix[:, :SIZE]) for matrix in drawn]
    if steady:
        told = [stand(place, look) for place in range(len(population))]
        while more := next_round(told, SURVIVORS, RULE):
            for place, count in more.items():
                told[place] = stand(place, told[place].images + count)
        scores = [each.score for each in told]
    else:
        look = SIZE
    return [
        _Candidate(prompt, first + place, bred, score(drawn[place][:, :look]), scores[place])
        for place, (prompt, bred) in enumerate(population)
    ]


def _repeated(prompt: Prompt, score: ScoreOf, sets: int, rng: np.random.Generator) -> Repeated:
    whole = prompt.similarity(sets * SIZE, sets * SIZE, rng)
    cuts = [slice(start, start + SIZE) for start in range(0, sets * SIZE, SIZE)]
    return repeated_score([[whole[rows, columns] for columns in cuts] for rows in cuts], score, RULE.first)


def line(name: str, sessions: Sequence[Simulated]) -> str:
    """One row of the table."""
    covered = [hit for one in sessions for hit in one.covered]
    share = wilson(sum(covered), len(covered))
    others = float(np.mean([one.others for one in sessions]))
    truth = [value for one in sessions for value in one.truth]
    claims = [
        inflation([value for one in sessions for value in getattr(one, kind)], truth, others)
        for kind in ("search", "confirmed")
    ]
    shown = " | ".join("–" if value is None else f"{value:+.1%}" for value in claims)
    return f"| {name} | {share.value:.1%} ({share.low:.1%} … {share.high:.1%}) | {shown} |"


def alarms(name: str, sessions: Sequence[Simulated]) -> str:
    """One row of the table of sessions in which all prompts are alike."""
    shares = [
        wilson(sum(one.claims > 0 for one in sessions), len(sessions)),
        wilson(sum(one.mined_p <= CLAIM_LEVEL for one in sessions), len(sessions)),
    ]
    return f"| {name} | " + " | ".join(f"{s.value:.1%} ({s.low:.1%} … {s.high:.1%})" for s in shares) + " |"


def fresh_seeds(count: int) -> range:
    """Seeds of sessions that nothing was chosen on."""
    return range(FRESH, FRESH + count)


def report(count: int, names: Sequence[str]) -> str:
    """The whole section in Markdown."""
    started = time.monotonic()
    held, alike = [], []
    for name in names:

        def score(matrix: Floats, name: str = name) -> float:
            return SCORES[name].function(matrix, DEFAULT_ALPHA, CLIP_LOGIT_SCALE)

        steady, seeds = SCORES[name].steady, fresh_seeds(count)
        held.append(line(name, [simulate(score, seed, steady=steady) for seed in seeds]))
        same = [simulate(score, seed, steady=steady, alike=True, truths=1) for seed in seeds]
        alike.append(alarms(name, same))
    seeds = fresh_seeds(count)
    return "\n".join(
        [
            "## Whether confirmed scores hold",
            "",
            f"Written by `python -m engine.validation.confirmation --sessions {count} --write` on "
            f"{machine()}, in "
            f"{time.monotonic() - started:.0f} s. {count} simulated sessions for each score, {TOP} findings each, "
            f"seeds {seeds.start} … {seeds.stop - 1}, on which nothing was chosen; the truth is the mean score of "
            f"{TRUTHS} fresh draws of the same N and T ({SIZE}). With Wilson intervals.",
            "",
            "| score | 95 % interval covers the truth | the search overstates | the confirmation overstates |",
            "|---|---|--:|--:|",
            *held,
            "",
            f"As many sessions in which all prompts are one and the same, so that whatever the search finds is luck. "
            f"Nothing should be claimed (q ≤ {CLAIM_LEVEL}) in more than {CLAIM_LEVEL:.0%} of them.",
            "",
            "| score | sessions that claim a finding | in which mined prompts pass the test against random ones |",
            "|---|---|---|",
            *alike,
            "",
        ]
    )


@says_faults
def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, or write it into docs/validity.md; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m engine.validation.confirmation", description=__doc__)
    parser.add_argument("--sessions", type=int, default=200)
    parser.add_argument("--score", choices=tuple(SCORES), action="append", help=f"default: {DEFAULT_SCORE}")
    parser.add_argument("--write", action="store_true", help=f"put the result into {DOCUMENT}")
    options = parser.parse_args(arguments)
    text = report(options.sessions, options.score or [DEFAULT_SCORE])
    publish("confirmation", text, write=options.write)
    return 0


if __name__ == "__main__":
    sys.exit(main())
