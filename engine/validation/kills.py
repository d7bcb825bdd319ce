"""Is anything lost to kill -9: ``python -m engine.validation.kills [--rounds N] [--write]``.

A session runs undisturbed in one store. The same session runs in another, and round after round its engine, its
painter or its writer, in turn, is killed at a random moment, loading included, and the session is resumed where
that is needed. In the end both must agree to the last bit, no row may point nowhere, and no file may be without
a row. A session that is through before the rounds are gets a successor with the next seed.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

import numpy as np
import psutil

from engine import protocol
from engine.client import EngineClient
from engine.config import MiningConfig
from engine.config_sources import load_config
from engine.validation.document import machine, replace_section, says_faults
from engine.validation.mining import CLIENT, END_SECONDS, begin, go_on, refuse_fault, to_the_end
from engine.validation.sameness import first_difference
from store import open_reader, open_store

DOCUMENT: Final = Path("docs/robustness.md")
VICTIMS: Final = ("engine", "painter", "writer")
LONGEST_WAIT: Final = 40
"""A blow falls after 1 … so many of the session's events; a round of loading alone has two."""
GENERATIONS: Final = 12
PAUSE_SECONDS: Final = 0.15


@dataclass(frozen=True)
class Round:
    """One blow.

    Attributes:
        victim: engine, painter or writer.
        moment: the stage of work that the engine last told of, with its generation.
        scored: candidates with a score at that time.
        images: images stored at that time.
    """

    number: int
    victim: str
    moment: str
    scored: int
    images: int


def configuration(seed: int, generations: int, store: Path) -> MiningConfig:
    """The session of the rounds: the embedded scorer and writer, and the drawn world as painter."""
    return load_config(
        None,
        {
            "session": {"seed": seed, "name": "kill rounds"},
            "models": {"painter": "drawing:planted"},
            "painter": {"batch_size": 6},
            "search": {
                "population": 12,
                "survivors": 3,
                "mutations": 2,
                "generations": generations,
                "images": 16,
                "variations": 12,
            },
            "confirm": {"top": 2},
            "store": {"path": str(store)},
        },
    )


async def strike(store: Path, session_id: str, victim: str, rng: np.random.Generator) -> tuple[str, bool]:
    """Follow the session for a random while, then kill -9 the victim.

    Returns:
        The moment of the blow, and whether it fell; it does not where the session finished before.
    """
    client = await EngineClient.connect_or_start(store, CLIENT)
    engine = psutil.Process(client.pid)
    moment = "starting"
    try:
        await go_on(client, store, session_id)
        await client.attach(session_id)
        left = int(rng.integers(1, LONGEST_WAIT + 1))
        async for event in client.events():
            refuse_fault(event)
            if isinstance(event, protocol.Finished):
                return moment, False
            if isinstance(event, protocol.Progress):
                moment = f"{event.stage}, generation {event.generation}" if event.generation else event.stage
            if isinstance(event, protocol.Heartbeat):
                continue
            left -= 1
            if left <= 0:
                break
        await asyncio.sleep(float(rng.uniform(0, PAUSE_SECONDS)))  # between two events, too
        return moment, await asyncio.to_thread(_kill, engine, victim)
    finally:
        await client.close()


def _kill(engine: psutil.Process, victim: str) -> bool:
    if victim == "engine":
        with suppress(psutil.NoSuchProcess):
            workers = engine.children(recursive=True)
            engine.send_signal(signal.SIGKILL)
            psutil.wait_procs([engine, *workers], END_SECONDS)
            return True
        return False
    with suppress(psutil.NoSuchProcess):
        for worker in engine.children(recursive=True):
            if f"engine.workers.{victim}" in " ".join(worker.cmdline()):
                worker.send_signal(signal.SIGKILL)
                return True
    return False


def stray_rows(store: Path) -> int:
    """Rows that point nowhere, and image rows whose file is missing."""
    with closing(sqlite3.connect(f"file:{store / 'minegap.db'}?mode=ro", uri=True)) as database:
        dangling = len(database.execute("PRAGMA foreign_key_check").fetchall())
        paths = [path for (path,) in database.execute("SELECT path FROM images")]
    return dangling + sum(not (store / path).is_file() for path in paths)


def stray_files(store: Path) -> int:
    """Image files without a row; to be asked when no engine runs."""
    with open_store(store) as opened:
        return len(opened.orphans())


async def run_rounds(
    folder: Path, rounds: int, seed: int, generations: int = GENERATIONS
) -> tuple[list[Round], list[str]]:
    """Strike so many times.

    Args:
        folder: an empty directory for the stores.
        rounds: blows in all.
        seed: of the sessions (counting up) and of the moments.
        generations: of each session.

    Returns:
        The rounds, and what is wrong at the end: nothing, it is to be hoped.
    """
    rng = np.random.default_rng([31, seed])
    done: list[Round] = []
    faults: list[str] = []
    for number in count(seed):
        whole, hurt = folder / f"whole-{number}", folder / f"hurt-{number}"
        reference = await begin(whole, configuration(number, generations, whole))
        await to_the_end(whole, reference)
        session_id = await begin(hurt, configuration(number, generations, hurt))
        while len(done) < rounds:
            victim = VICTIMS[len(done) % len(VICTIMS)]
            moment, fell = await strike(hurt, session_id, victim, rng)
            with open_reader(hurt) as reader:
                session = reader.session(session_id)
                images = sum(one.images for one in reader.generations(session_id))
            if fell:
                done.append(Round(len(done) + 1, victim, moment, session.scored, images))
            elif session.state == "finished":
                break
        await to_the_end(hurt, session_id)
        difference = first_difference((whole, reference), (hurt, session_id))
        rows, files = stray_rows(hurt), stray_files(hurt)
        faults += [f"session {number} differs in {difference}"] if difference else []
        faults += [f"session {number} has {rows} stray rows"] if rows else []
        faults += [f"session {number} has {files} stray files"] if files else []
        sys.stderr.write(f"session {number}: {len(done)} of {rounds} blows so far, {len(faults)} faults\n")
        if len(done) >= rounds:
            return done, faults
    raise AssertionError("unreachable")


def report(rounds: Sequence[Round], faults: Sequence[str]) -> str:
    """The rounds as a Markdown section."""
    of = Counter(one.victim for one in rounds)
    verdict = (
        "Every session ended equal to the undisturbed one to the last bit (candidates, seeds, image files, "
        "similarities, scores, leaderboard), without a stray row or file."
        if not faults
        else "**Not the same:** " + "; ".join(faults) + "."
    )
    return "\n".join(
        [
            "## kill -9",
            "",
            f"`python -m engine.validation.kills --rounds {len(rounds)}`, {machine()}: "
            f"real processes, the embedded scorer and writer, "
            "the drawn world as painter; "
            + ", ".join(f"{of[victim]} times the {victim}" for victim in VICTIMS)
            + f". {verdict}",
            "",
            "| round | killed | while | scored | images in scores |",
            "|--:|---|---|--:|--:|",
            *(f"| {r.number} | {r.victim} | {r.moment} | {r.scored} | {r.images} |" for r in rounds),
            "",
        ]
    )


@says_faults
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the rounds and print the table, or write it into docs/robustness.md; exit code 1 where something is lost."""
    parser = argparse.ArgumentParser(prog="python -m engine.validation.kills", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true", help=f"put the table into {DOCUMENT} too")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="minegap-") as folder:
        rounds, faults = asyncio.run(run_rounds(Path(folder), given.rounds, given.seed))
    text = report(rounds, faults)
    sys.stdout.write(text)
    if given.write:
        replace_section(DOCUMENT, "kills", text)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
