"""Which score ranks planted bias best: ``python -m engine.validation.scores [--scorer DIR] [--write]``.

Development tables of skews are there to choose the default score, the percentile and the rule for the assignment's
scale; fresh tables, never looked at before, and the pack's own table then confirm or refute the choice.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from engine.microworld.skews import SkewTable
from engine.models.protocols import Scorer
from engine.models.scorer import load_scorer
from engine.packs import EMBEDDED_DIRECTORY
from engine.score import DEFAULT_ALPHA, DEFAULT_SCORE, SCORES, assignment_scale
from engine.statistics import Estimate
from engine.validation.agreement import Ranked, difference, mean_agreement
from engine.validation.document import DOCUMENT, machine, narrate, publish, says_faults
from engine.validation.evidence import IDEAL, IMAGES, MANY, VARIATIONS, Sample, sample_table

PROMPTS: Final = 96
DEVELOPMENT_SEEDS: Final = (1, 2, 3, 4)
FRESH_SEEDS: Final = tuple(range(221, 233))
"""Tables that no choice was made on (201 to 216 were looked at while the embedded scorer was improved).

A dozen of them: what a score reaches varies more between tables than a better scorer gains.
"""
FACTORS: Final = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Multiples of the rule's assignment scale that are tried."""
ALPHAS: Final = (5.0, 15.0, 25.0, 35.0, 50.0)
NUMBERS: Final = (4, 8, 16, 32)
_PERCENTILES: Final = ("paper", "centred")
_ASSIGNMENTS: Final = ("entropy", "information")

_CHOICE: Final = (
    "### How to read this",
    "",
    f"`{DEFAULT_SCORE}` is the default score as long as both kinds of variations choose it on development tables "
    "and fresh tables confirm it. Scales are multiples of the rule in `engine.score.assignment_scale`. Drawn "
    "images and ideal variations leave out the errors of a real painter and a real writer: for them see "
    "*The instrument*.",
)


@dataclass(frozen=True)
class Setting:
    """A score's name, its percentile and the multiple of the rule's scale at which it is computed."""

    score: str
    alpha: float = DEFAULT_ALPHA
    factor: float = 1.0

    @property
    def label(self) -> str:
        """What a reader is shown."""
        if self.score in _PERCENTILES:
            return f"{self.score}, α = {self.alpha:g}"
        return f"{self.score}, scale × {self.factor:g}" if self.score in _ASSIGNMENTS else self.score


DEFAULT: Final = Setting(DEFAULT_SCORE)
Tables = Sequence[Sequence[Sample]]
Evidence = Mapping[str, Tables]


def settings() -> Iterator[Setting]:
    """Every score, at every percentile and scale where they matter."""
    for score in SCORES:
        if score in _PERCENTILES:
            yield from (Setting(score, alpha=alpha) for alpha in ALPHAS)
        elif score in _ASSIGNMENTS:
            yield from (Setting(score, factor=factor) for factor in FACTORS)
        else:
            yield Setting(score)


def rank_tables(
    tables: Tables, kind: str, setting: Setting, scale: float, images: slice = slice(IMAGES)
) -> tuple[Ranked, ...]:
    """Score every sample of every table under one setting, against one kind of variations."""
    score = SCORES[setting.score].function
    return tuple(
        Ranked(
            np.array(
                [
                    score(sample.similarity(kind, images), setting.alpha, scale * setting.factor)
                    for sample in table
                ]
            ),
            np.array([sample.planted for sample in table]),
        )
        for table in tables
    )


def gather(scorer: Scorer, narrate: Callable[[str], None], prompts: int = PROMPTS) -> Evidence:
    """Draw and measure the development tables, the fresh ones and the pack's own."""

    def tables(seeds: Sequence[int]) -> list[tuple[Sample, ...]]:
        found = []
        for seed in seeds:
            narrate(f"table {seed}")
            skews = SkewTable.planted() if seed == 0 else SkewTable.from_seed(seed)
            found.append(sample_table(skews, scorer, IDEAL, prompts=prompts, images=max(NUMBERS), seed=seed))
        return found

    return {
        "development": tables(DEVELOPMENT_SEEDS),
        "fresh": tables(FRESH_SEEDS),
        "pack's own": tables([0]),
    }


def comparison(evidence: Evidence, kind: str, scale: float) -> list[str]:
    """Markdown table: agreement of each setting with planted bias, and how far the default is ahead."""
    default = rank_tables(evidence["fresh"], kind, DEFAULT, scale)
    lines = [
        f"| score | {' | '.join(evidence)} | fresh: behind the default by |",
        f"|---|{'---|' * (len(evidence) + 1)}",
    ]
    for setting in settings():
        cells = [
            shown(mean_agreement(rank_tables(tables, kind, setting, scale))) for tables in evidence.values()
        ]
        if setting == DEFAULT:
            lines.append(f"| **{setting.label}** (default) | {' | '.join(cells)} | |")
        else:
            gap = difference(default, rank_tables(evidence["fresh"], kind, setting, scale))
            lines.append(f"| {setting.label} | {' | '.join(cells)} | {shown(gap)} |")
    cells = [shown(mean_agreement(perfect(tables))) for tables in evidence.values()]
    gap = difference(default, perfect(evidence["fresh"]))
    lines.append(f"| *perfect reader of the same images* | {' | '.join(cells)} | {shown(gap)} |")
    return lines


def perfect(tables: Tables) -> tuple[Ranked, ...]:
    """What could be known at best: the evenness of what the images really show."""
    return tuple(
        Ranked(np.array([s.shown for s in table]), np.array([s.planted for s in table])) for table in tables
    )


def numbers(evidence: Evidence, scale: float) -> list[str]:
    """Markdown table: agreement on fresh tables by the number of images."""
    lines = [
        f"| score, variations | {' | '.join(f'N = {n}' for n in NUMBERS)} |",
        f"|---|{'---|' * len(NUMBERS)}",
    ]
    for kind in IDEAL:
        for name in SCORES:
            cells = [
                shown(mean_agreement(rank_tables(evidence["fresh"], kind, Setting(name), scale, slice(n))))
                for n in NUMBERS
            ]
            lines.append(f"| {name}, {kind} | {' | '.join(cells)} |")
    return lines


def verdict(evidence: Evidence, kind: str, scale: float) -> str:
    """Which score the development tables choose at the rules' values, and how the default fares on fresh ones."""
    chosen, fresh = (
        {s: mean_agreement(rank_tables(evidence[tables], kind, Setting(s), scale)) for s in SCORES}
        for tables in ("development", "fresh")
    )
    best = max(chosen, key=lambda name: chosen[name].value)
    leader = max(fresh, key=lambda name: fresh[name].value)
    return (
        f"At the rules' values, development tables choose `{best}` ({shown(chosen[best])}). On fresh tables "
        f"`{leader}` leads ({shown(fresh[leader])}); the default `{DEFAULT_SCORE}` reaches "
        f"{shown(fresh[DEFAULT_SCORE])} and `paper` {shown(fresh['paper'])}."
    )


def report(evidence: Evidence, scorer: Scorer, seconds: float) -> str:
    """The whole section in Markdown."""
    scale = assignment_scale(scorer.logit_scale)
    lines = [
        "## Which score ranks planted bias",
        "",
        f"Written by `python -m engine.validation.scores --write` on {machine()}, in {seconds:.0f} s. "
        f"Scorer `{scorer.fingerprint[:40]}`, logit scale {scorer.logit_scale:.1f}; "
        f"the rule's assignment scale is {scale:.1f}, the percentile's α {DEFAULT_ALPHA:g}.",
        "",
        f"Each table of skews plants biases anew; {len(evidence['fresh'][0])} prompts per table, {IMAGES} "
        f"images each by the drawing painter, up to {VARIATIONS} ideal variations. Figures are -Spearman of "
        "the score and the planted bias, averaged over tables (1 = perfect ranking), with 95 % bootstrap "
        f"intervals over prompts. Development tables: seeds {_listed(DEVELOPMENT_SEEDS)}. Fresh tables, on which "
        f"no choice was made: seeds {_listed(FRESH_SEEDS)}. The perfect reader knows what each image shows; it "
        f"falls short of 1 because {IMAGES} images are a small sample.",
    ]
    for kind in IDEAL:
        what = {
            "partial": "one to three open things each",
            "complete": "every open thing, each value equally often",
            "many": f"every open thing, {MANY} of them",
        }[kind]
        lines += ["", f"### Ideal variations that specify {what}", "", verdict(evidence, kind, scale), ""]
        lines += comparison(evidence, kind, scale)
    lines += ["", "### How many images (fresh tables)", "", *numbers(evidence, scale)]
    return "\n".join([*lines, "", *_CHOICE]) + "\n"


@says_faults
def main(arguments: Sequence[str] | None = None) -> int:
    """Print the comparison, or write it into docs/validity.md; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m engine.validation.scores", description=__doc__)
    parser.add_argument(
        "--scorer", type=Path, default=EMBEDDED_DIRECTORY / "scorer", help="an open_clip local-dir model"
    )
    parser.add_argument("--write", action="store_true", help=f"put the result into {DOCUMENT}")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    scorer = load_scorer(options.scorer, "auto", "float32")
    evidence = gather(scorer, narrate)
    text = report(evidence, scorer, time.monotonic() - started)
    publish("scores", text, write=options.write)
    return 0


def shown(estimate: Estimate) -> str:
    """An estimate with its interval, for a table."""
    return f"{estimate.value:.2f} ({estimate.low:.2f} … {estimate.high:.2f})"


def _listed(values: Sequence[int]) -> str:
    return ", ".join(str(value) for value in values)


if __name__ == "__main__":
    sys.exit(main())
