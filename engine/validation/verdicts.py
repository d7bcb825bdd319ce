"""Whether missed concepts are judged rightly: ``python -m engine.validation.verdicts [--prompts N] [--write]``.

For prompts of the drawn world, variations are planted of which the truth is known: values that a skew keeps from the
prompt's images though the painter draws them when asked; values that it cannot draw; things outside the grammar that
nobody can draw or see; variations that say another subject or another value than the prompt. Each is drawn by its own
text and judged as a confirmation judges it (``engine.findings.verdict_on``), with the real CLIP.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.findings import verdict_on
from engine.microworld.drawing_painter import DrawingPainter
from engine.microworld.skews import SkewTable
from engine.microworld.world import ATTRIBUTES, GROUP_OF, GROUPS, Meaning
from engine.models.protocols import PaintJob, Scorer
from engine.models.scorer import load_scorer
from engine.packs import EMBEDDED_DIRECTORY
from engine.seeds import derive_seed
from engine.statistics import wilson
from engine.validation.document import DOCUMENT, machine, publish, says_faults
from engine.validation.evidence import draw_prompts, possible
from store.vocabulary import Verdict

TABLES: Final = (1301, 1302)
"""Tables of skews on which nothing was chosen; the rule was looked at on 1 and 2."""
PROMPTS: Final = 60
IMAGES: Final = 32
OUTRIGHT: Final = 3
"""Images of the prompt, and of each missed concept, as a confirmation draws them by default."""

UNSEEN: Final = (
    "with the scent of wet earth",
    "with a long history",
    "humming an old tune",
    "full of regret",
)
UNDRAWN: Final = ("wearing sunglasses", "beside a lighthouse", "in a wheelchair", "with a pair of skis")


@dataclass(frozen=True)
class Kind:
    """One kind of planted variation: what it is, and what is rightly said of it."""

    name: str
    right: Verdict


MISSED: Final = Kind("a value that a skew keeps from the prompt's images, drawn when asked for", "missed")
BLIND: Final = Kind("a value that the painter cannot draw", "unreachable")
OUTSIDE: Final = Kind("a visible thing outside the grammar", "unreachable")
INVISIBLE: Final = Kind("something that cannot be seen", "unreachable")
SUBJECT: Final = Kind("another subject than the prompt's", "contradictory")
VALUE: Final = Kind("another value than the prompt states", "contradictory")
KINDS: Final = (MISSED, BLIND, OUTSIDE, INVISIBLE, SUBJECT, VALUE)


@dataclass(frozen=True)
class Concept:
    """A planted variation: its text, and what a painter draws when asked for it."""

    kind: Kind
    text: str
    drawn: Meaning


def concepts(prompt: Meaning, shown: Sequence[Meaning], rng: np.random.Generator) -> tuple[Concept, ...]:
    """Plant variations of a prompt, at most one of each kind.

    Args:
        prompt: what it says.
        shown: what its images show.
        rng: chooses among the possible ones.
    """
    text, found = prompt.text(), []
    absent = [
        (name, value)
        for name in prompt.open
        if name != "subject"
        for value in possible(prompt, name)
        if all(one.values[name] != value for one in shown)
    ]
    if absent:
        name, value = absent[int(rng.integers(len(absent)))]
        asked = Meaning.of(prompt.subject, prompt.values | {name: value})
        found += [Concept(MISSED, asked.text(), asked), Concept(BLIND, asked.text(), prompt)]
    for kind, phrases in ((OUTSIDE, UNDRAWN), (INVISIBLE, UNSEEN)):
        found.append(Concept(kind, f"{text} {rng.choice(phrases)}", prompt))
    if prompt.subject not in GROUPS:
        others = [one for one in GROUPS[GROUP_OF[prompt.subject]] if one != prompt.subject]
        other = Meaning.of(str(rng.choice(others)), prompt.values)
        found.append(Concept(SUBJECT, other.text(), other))
    if prompt.stated:
        name, stated = prompt.stated[int(rng.integers(len(prompt.stated)))]
        values = [value for value in ATTRIBUTES[name].values if value != stated]
        other = Meaning.of(prompt.subject, prompt.values | {name: str(rng.choice(values))})
        found.append(Concept(VALUE, other.text(), other))
    return tuple(found)


def judged(
    table: int, prompts: int, scorer: Scorer, kinds: Sequence[Kind] = KINDS
) -> tuple[tuple[Kind, Verdict], ...]:
    """Plant concepts under a table of skews and judge those of some kinds."""
    skews = SkewTable.from_seed(table)
    rng, said = np.random.default_rng([4, table]), list[tuple[Kind, Verdict]]()
    for prompt in draw_prompts(prompts, rng):
        text = prompt.text()
        seeds = [derive_seed(table, "confirm image", text, place) for place in range(IMAGES)]
        shown = [skews.complete(prompt, np.random.default_rng(seed)) for seed in seeds]
        images = _painted(skews, scorer, text, seeds)
        for concept in concepts(prompt, shown, rng):
            if concept.kind not in kinds:
                continue
            seeds = [derive_seed(table, "ceiling image", concept.text, place) for place in range(OUTRIGHT)]
            own = _painted(skews, scorer, concept.drawn.text(), seeds)
            asked, whole = scorer.embed_texts([concept.text, text]).vectors.astype(np.float64)
            verdict = verdict_on(float((images @ asked).max()), own @ asked, own @ whole, images @ whole)
            said.append((concept.kind, verdict))
    return tuple(said)


def _painted(skews: SkewTable, scorer: Scorer, text: str, seeds: Sequence[int]) -> NDArray[np.float64]:
    painted = DrawingPainter(skews).paint([PaintJob(text, seed) for seed in seeds])
    return scorer.embed_images(painted.pixels).astype(np.float64)


def counts(said: Sequence[tuple[Kind, Verdict]]) -> Mapping[Kind, Counter[Verdict]]:
    """How often each kind was given each verdict."""
    found: dict[Kind, Counter[Verdict]] = {kind: Counter() for kind in KINDS}
    for kind, verdict in said:
        found[kind][verdict] += 1
    return MappingProxyType(found)


def report(said: Sequence[tuple[Kind, Verdict]], prompts: int, seconds: float) -> str:
    """The section of docs/validity.md."""
    lines = [
        "## Whether missed concepts are judged rightly",
        "",
        f"Written by `python -m engine.validation.verdicts --prompts {prompts} --write` on {machine()}, in "
        f"{seconds:.0f} s. {prompts} prompts under each of the fresh tables of skews "
        f"{' and '.join(map(str, TABLES))}; {IMAGES} images of the prompt by the drawing painter, {OUTRIGHT} of each "
        "planted variation, as a confirmation draws them. Only what is said to be missing counts as bias. With Wilson "
        "intervals.",
        "",
        "| planted variation | n | missed | unreachable | contradictory | judged rightly |",
        "|---|--:|--:|--:|--:|---|",
    ]
    for kind, verdicts in counts(said).items():
        total = sum(verdicts.values())
        if total:
            right = wilson(verdicts[kind.right], total)
            shown = " | ".join(str(verdicts[one]) for one in ("missed", "unreachable", "contradictory"))
            lines.append(
                f"| {kind.name} | {total} | {shown} | {right.value:.0%} ({right.low:.0%} … {right.high:.0%}) |"
            )
    bias = [verdict for kind, verdict in said if kind.right == "missed"]
    other = [verdict for kind, verdict in said if kind.right != "missed"]
    kept, false = wilson(bias.count("missed"), len(bias)), wilson(other.count("missed"), len(other))
    lines += [
        "",
        f"Of what is missing because of bias {kept.value:.0%} ({kept.low:.0%} … {kept.high:.0%}) is said to be; of "
        f"what is no bias {false.value:.0%} ({false.low:.0%} … {false.high:.0%}).",
    ]
    return "\n".join(lines) + "\n"


@says_faults
def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, or write it into docs/validity.md; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m engine.validation.verdicts", description=__doc__)
    parser.add_argument("--prompts", type=int, default=PROMPTS, help="under each table of skews")
    parser.add_argument(
        "--scorer", type=Path, default=EMBEDDED_DIRECTORY / "scorer", help="an open_clip local-dir model"
    )
    parser.add_argument("--write", action="store_true", help=f"put the table into {DOCUMENT}")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    scorer = load_scorer(options.scorer, "auto", "float32")
    said = [one for table in TABLES for one in judged(table, options.prompts, scorer)]
    text = report(said, options.prompts, time.monotonic() - started)
    publish("verdicts", text, write=options.write)
    return 0


if __name__ == "__main__":
    sys.exit(main())
