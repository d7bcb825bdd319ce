"""Does a targeted search find what is biased on its axis: ``python -m engine.validation.targeting [--seeds N]``.

Sessions with real engines on the drawn world (the embedded scorer and writer, the drawing painter: the search is
what is tested), with and without a target axis, same seeds. For the best prompts of each, the truth: how far
from even the axis is by the planted skews. A prompt that states the axis, or has none, counts as 0.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from engine.config_sources import load_config
from engine.microworld.skews import SkewTable
from engine.microworld.world import ATTRIBUTES, parse
from engine.packs import EMBEDDED_DIRECTORY
from engine.statistics import Estimate, Floats, bootstrap
from engine.validation.document import DOCUMENT, machine, narrate, publish, says_faults
from engine.validation.mining import begin, to_the_end
from store import open_reader

FINDINGS: Final = 8
"""The best prompts of a session: what a user looks at."""
AXES: Final = ("gender", "skin", "place")
PAINTER: Final = "drawing:planted"
_NONE: Final = 1e-9  # untargeted runs may find no skew at all
_ENDLESS: Final = 1000


def axis_skew(prompt: str, axis: str, skews: SkewTable) -> float:
    """How far from even an axis is where the prompt leaves it open: 1 - H / H_max, 0 where it does not."""
    meaning = parse(prompt)
    shares = skews.open_shares(meaning).get(axis) if meaning is not None else None
    if shares is None:
        return 0.0
    some = shares[shares > 0]
    return float(1 + (some * np.log(some)).sum() / np.log(len(shares)))


async def findings(store: Path, seed: int, axis: str) -> tuple[str, ...]:
    """Run one session to its end; its best prompts, each once.

    Raises:
        InputError, MachineError: the session failed.
    """
    flags: dict[str, dict[str, Any]] = {
        "session": {"seed": seed},
        "store": {"path": str(store)},
        "models": {"painter": PAINTER, "scorer": str(EMBEDDED_DIRECTORY / "scorer")},
        "search": {"axis": axis},
    }
    session = await begin(store, load_config(None, flags))
    await to_the_end(store, session)
    with open_reader(store) as reader:
        board = reader.leaderboard(session, 10 * FINDINGS)
        return tuple(dict.fromkeys(candidate.prompt for candidate in board))[:FINDINGS]


@dataclass(frozen=True)
class Aimed:
    """One axis: mean skew on it among the findings, a value for each seed."""

    axis: str
    targeted: tuple[float, ...]
    untargeted: tuple[float, ...]

    @property
    def ratio(self) -> Estimate:
        """Mean over seeds of the targeted runs over that of the untargeted ones, bootstrapped over seeds."""

        def ratio(seeds: Sequence[Floats]) -> Floats:
            ours, others = (skews.mean(axis=-1) for skews in seeds)
            return np.asarray(ours / np.maximum(others, _NONE))

        return bootstrap(ratio, (self.targeted, self.untargeted), seed=3)


def together(found: Sequence[Aimed]) -> Aimed:
    """The mean over axes, for each seed."""
    ours, others = (
        np.mean([getattr(one, runs) for one in found], axis=0) for runs in ("targeted", "untargeted")
    )
    return Aimed("**mean**", tuple(ours), tuple(others))


def report(found: Sequence[Aimed], seconds: float) -> str:
    """The section of docs/validity.md."""
    seeds = len(found[0].targeted)
    lines = [
        "## Targeted runs",
        "",
        f"Written by `python -m engine.validation.targeting --seeds {seeds} --write` on {machine()}, in "
        f"{seconds:.0f} s. Default sessions on the embedded scorer and writer and the drawing painter "
        f"(`{PAINTER}`), with and without `[search] axis`, {seeds} seeds each. The planted skew on the axis "
        f"(1 - H / H_max, 0 where a prompt states it or has none) is averaged over the {FINDINGS} best prompts of a "
        "session, then over seeds; the ratio has a 95 % bootstrap interval over seeds. Skew is at most 1, so a "
        "ratio is at most one over what untargeted runs find. Aim: a mean over axes that is ≥ 2 times as skewed.",
        "",
        "| axis | untargeted | targeted | ratio | at most |",
        "|---|--:|--:|---|--:|",
        *(
            f"| {one.axis} | {np.mean(one.untargeted):.3f} | {np.mean(one.targeted):.3f} "
            f"| {_times(one.ratio.value)} ({_times(one.ratio.low)} … {_times(one.ratio.high)}) "
            f"| {_times(1 / max(float(np.mean(one.untargeted)), _NONE))} |"
            for one in (*found, together(found))
        ),
    ]
    return "\n".join(lines) + "\n"


def _times(ratio: float) -> str:
    return "∞" if ratio > _ENDLESS else f"{ratio:.1f}"


@says_faults
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sessions and print the table; exit code 1 where the interval of the mean excludes a ratio of 2."""
    parser = argparse.ArgumentParser(prog="python -m engine.validation.targeting", description=__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="number of sessions of each kind, seeds 0, 1, …")
    parser.add_argument(
        "--axis", action="append", choices=tuple(ATTRIBUTES), help=f"default: {', '.join(AXES)}"
    )
    parser.add_argument("--write", action="store_true", help=f"put the table into {DOCUMENT}")
    options = parser.parse_args(arguments)
    axes = tuple(options.axis or AXES)
    started = time.monotonic()
    mined: dict[str, list[tuple[str, ...]]] = {axis: [] for axis in ("", *axes)}
    for seed in range(options.seeds):
        for axis, runs in mined.items():
            with tempfile.TemporaryDirectory(prefix="minegap-") as directory:
                runs.append(asyncio.run(findings(Path(directory), seed, axis)))
            narrate(f"seed {seed}, axis {axis or '-'}: {'; '.join(runs[-1][:3])}")
    skews = SkewTable.planted()

    def skew(runs: Sequence[Sequence[str]], axis: str) -> tuple[float, ...]:
        return tuple(float(np.mean([axis_skew(prompt, axis, skews) for prompt in run])) for run in runs)

    found = [Aimed(axis, skew(mined[axis], axis), skew(mined[""], axis)) for axis in axes]
    text = report(found, time.monotonic() - started)
    publish("targeting", text, write=options.write)
    return 0 if together(found).ratio.high >= 2 else 1


if __name__ == "__main__":
    sys.exit(main())
