"""Does a whole session find what was planted: ``python -m engine.validation.sessions [--seeds N] [--write]``.

Each seed runs the default demo session with real processes on the embedded pack. As its biases are planted, the
truth about every prompt is known: the table compares the first random population with the last generation's
archive, and says what the session cost.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import numpy as np
import psutil

from engine import protocol
from engine.config_sources import load_config
from engine.microworld.skews import SkewTable
from engine.microworld.world import parse
from engine.validation.document import DOCUMENT, machine, narrate, publish, says_faults
from engine.validation.mining import begin, to_the_end
from store import open_reader
from store.records import Candidate

MEBIBYTE: Final = 2**20


@dataclass(frozen=True)
class Outcome:
    """One session.

    Attributes:
        seed: its master seed.
        first: mean planted bias of the first, random population, 0 … 1.
        last: mean planted bias of the last generation's archive.
        seconds: from the start of the engine to its end.
        first_score: seconds until the first prompt was scored.
        peak: the largest resident memory of any of its processes, bytes.
    """

    seed: int
    first: float
    last: float
    seconds: float
    first_score: float
    peak: int


def planted(candidates: Sequence[Candidate], skews: SkewTable) -> float:
    """Mean planted bias of candidates; one outside the grammar counts as unbiased."""
    meanings = [parse(candidate.prompt) for candidate in candidates]
    return float(np.mean([skews.planted_bias(m) if m is not None else 0.0 for m in meanings]))


async def run_one(seed: int, store: Path) -> Outcome:
    """Run one default session with an engine of its own and read off what it found; the engine has ended then.

    Raises:
        InputError, MachineError: the session failed, or a fault paused it.
    """
    started = time.monotonic()
    config = load_config(
        None, {"session": {"seed": seed}, "store": {"path": str(store)}, "confirm": {"enabled": False}}
    )
    session = await begin(store, config)
    first_score, peak = 0.0, 0

    def see(event: protocol.Event, engine: psutil.Process) -> None:
        nonlocal first_score, peak
        if isinstance(event, protocol.CandidateScored) and not first_score:
            first_score = time.monotonic() - started
        if isinstance(event, protocol.GenerationFinished):
            peak = max(peak, *_resident(engine))

    await to_the_end(store, session, see)
    seconds = time.monotonic() - started
    skews = SkewTable.planted()
    with open_reader(store) as reader:
        last = reader.generations(session)[-1].generation
        (*_, archived) = (
            e.payload["archived"] for e in reader.events(session) if e.kind == "generation_finished"
        )
        survivors = [c for c in reader.candidates(session, last) if c.id in set(cast(list[int], archived))]
        return Outcome(
            seed,
            planted(reader.candidates(session, 1), skews),
            planted(survivors, skews),
            seconds,
            first_score,
            peak,
        )


def _resident(engine: psutil.Process) -> list[int]:
    """Resident memory of the engine and of each of its workers, bytes."""
    found = []
    for process in [engine, *engine.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):  # it ended meanwhile
            found.append(process.memory_info().rss)
    return found


def report(outcomes: Sequence[Outcome]) -> str:
    """The table as Markdown."""
    rows = [
        f"| {o.seed} | {o.first:.3f} | {o.last:.3f} | {o.seconds:.0f} s | {o.first_score:.1f} s "
        f"| {o.peak / MEBIBYTE:.0f} MiB |"
        for o in outcomes
    ]
    first, last = (float(np.mean([getattr(o, name) for o in outcomes])) for name in ("first", "last"))
    return "\n".join(
        [
            "## What a session finds",
            "",
            "The default demo session (b = 16, N = 16, 8 generations) on the embedded pack, by "
            f"`python -m engine.validation.sessions --seeds {len(outcomes)}`, {machine()}. "
            "Planted bias is the truth about a prompt, "
            "0 (none) … 1 (total).",
            "",
            "| seed | first random population | last generation's archive | whole session | first score after "
            "| largest process |",
            "|--:|--:|--:|--:|--:|--:|",
            *rows,
            f"| mean | {first:.3f} | {last:.3f} | | | |",
            "",
        ]
    )


@says_faults
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sessions and print the table, or write it into docs/validity.md; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m engine.validation.sessions", description=__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="number of sessions, seeds 0, 1, …")
    parser.add_argument("--write", action="store_true", help=f"put the table into {DOCUMENT} too")
    options = parser.parse_args(arguments)
    outcomes = []
    for seed in range(options.seeds):
        with tempfile.TemporaryDirectory(prefix="minegap-") as directory:
            outcomes.append(asyncio.run(run_one(seed, Path(directory))))
        narrate(f"seed {seed}: {outcomes[-1]}")
    text = report(outcomes)
    publish("sessions", text, write=options.write)
    return 0


if __name__ == "__main__":
    sys.exit(main())
