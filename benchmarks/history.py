"""What the screens wait for on a large store: ``python -m benchmarks.history [--write]``.

60,000 candidates with 1,020,000 images. Every question is asked in a thread of its own while the app runs; what a
user waits for is the first page, the rest comes while it is read. The last lines say what a candidate costs to save,
with what the store keeps for those questions and without. ``--write`` puts the table into docs/performance.md.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import get_args

import numpy as np

from benchmarks.machine import head
from engine.validation.document import replace_section
from minegap_tui.screens.history import FIRST_PAGE, PAGE
from minegap_tui.view.completion import MOST_OFFERED
from minegap_tui.view.filters import parse
from minegap_tui.view.history import ORDERS
from minegap_tui.watching import BOARD_PAGE
from store import Reader, Store, open_reader, open_store
from store.connection import DATABASE
from store.incoming import NewCandidate
from store.search import Find, Order
from tests.tui.many import many
from tests.unit.store_samples import SCORER, evaluation, image, session

DOCUMENT = Path("docs/performance.md")
CANDIDATES, IMAGES, ROUNDS = 60_000, 17, 9
SAVED, BATCHES = 30, 9

FILTERS = (
    "",
    "score<.2",
    '"number 4711"',
    "gen:12..14",
    "origin:human",
    'score<.01 gen:..50 "prompt"',
    "model:sd",
)
_KEPT = (
    "scores_rank_candidates",
    "images_are_counted",
    "candidates_are_counted",
    "scored_candidates_are_counted",
)
_INDEXED = ("candidates_by_score", "candidates_of_all_sessions")


def questions(reader: Reader, number: str) -> dict[str, Callable[[], object]]:
    """Return what the screens ask, by what people do."""
    half = CANDIDATES // 2
    middle = reader.found([half])[0]
    asked: dict[str, Callable[[], object]] = {
        "the sessions, with what each holds": reader.sessions,
        "all evidence of a candidate": lambda: reader.candidate(half),
        "40 rows in sight": lambda: reader.found(range(half, half + 40)),
        f"a leaderboard: the first {BOARD_PAGE:,}": lambda: reader.leaderboard(number, BOARD_PAGE),
        f"a leaderboard: {BOARD_PAGE:,} from its middle": lambda: reader.leaderboard(
            number, BOARD_PAGE, after=middle
        ),
        "a family: the first 5,000": lambda: reader.family(number),
        "a family: 5,000 from its middle": lambda: reader.family(number, after=middle.generation),
        "all generations of a session": lambda: reader.generations(number),
        "the last 8 generations": lambda: reader.generations(number, first=CANDIDATES // 100 - 7),
        "words that begin with p": lambda: reader.words("p", MOST_OFFERED),
    }
    for text in FILTERS:
        for order in get_args(Order):
            asked[f"find {text or 'everything'}, {ORDERS[order]}"] = _page(reader, text, order, FIRST_PAGE)
    after = Find(middle.id, middle.score)
    for order in get_args(Order):
        asked[f"find everything, {ORDERS[order]}: {PAGE:,} from the middle"] = _page(
            reader, "", order, PAGE, after
        )
    return asked


def _page(
    reader: Reader, text: str, order: Order, limit: int, after: Find | None = None
) -> Callable[[], object]:
    conditions = parse(text).conditions
    return lambda: reader.find(conditions, order, after=after, limit=limit)


def answered(question: Callable[[], object]) -> tuple[float, float, float]:
    """Return the median and the worst of some rounds, and the median of the processor's time."""
    taken, used = [], []
    for _ in range(ROUNDS):
        began, worked = time.perf_counter(), time.thread_time()
        question()
        taken.append(time.perf_counter() - began)
        used.append(time.thread_time() - worked)
    return median(taken), max(taken), median(used)


def saving(folder: Path) -> tuple[float, float]:
    """Return the processor's seconds that a candidate takes to save, without and with what is kept beside it."""
    with _mined(folder / "bare") as (bare, one), _mined(folder / "whole") as (whole, other):
        with sqlite3.connect(folder / "bare" / DATABASE) as database:
            for name in _KEPT:
                database.execute(f"DROP TRIGGER {name}")
            for name in _INDEXED:
                database.execute(f"DROP INDEX {name}")
        database.close()
        found: dict[str, list[float]] = {"bare": [], "whole": []}
        for batch in range(1, BATCHES + 1):  # side by side, so that whatever else the machine does meets both
            found["bare"].append(_saved(bare, one, batch))
            found["whole"].append(_saved(whole, other, batch))
    return median(found["bare"]), median(found["whole"])


@contextmanager
def _mined(folder: Path) -> Iterator[tuple[Store, str]]:
    with open_store(folder) as store:
        yield store, session(store)


def _saved(store: Store, number: str, batch: int) -> float:
    texts = [f"variation {place}" for place in range(24)]
    prompts = [f"a prompt {batch} {place}" for place in range(SAVED)]
    began = time.thread_time()
    ids = store.add_candidates(
        number, batch, [NewCandidate(place, prompt, "random") for place, prompt in enumerate(prompts)]
    )
    for candidate, prompt in zip(ids, prompts, strict=True):
        drawn = store.save_images([image(prompt, seed) for seed in range(IMAGES)])
        vectors = {f"{prompt} {text}": np.ones(512, np.float32) for text in texts}
        store.save_text_embeddings(SCORER, vectors)
        store.save_evaluation(candidate, evaluation(drawn, 0.5, texts))
    return (time.thread_time() - began) / SAVED


def measured(folder: Path) -> Iterator[str]:
    """Make the stores, measure, and return the document's lines."""
    number = many(folder, CANDIDATES, IMAGES)
    yield (
        f"{head('benchmarks.history')}: {CANDIDATES:,} candidates in one session, {CANDIDATES * IMAGES:,} images. "
        "Aims: a page within 100 ms in its thread, the sessions within 50 ms.\n\n"
    )
    yield f"| question | median of {ROUNDS} | worst | processor |\n|---|--:|--:|--:|\n"
    with open_reader(folder) as reader:
        for what, question in questions(reader, number).items():
            middle, worst, used = answered(question)
            yield f"| {what} | {_ms(middle)} | {_ms(worst)} | {_ms(used)} |\n"
    bare, whole = saving(folder / "saving")
    yield (
        f"\nTo save a candidate with {IMAGES} images takes {_ms(whole)} of the processor, and {_ms(bare)} without the "
        f"scores, totals and indexes that these answers come from: {whole / bare:.2f} times as much.\n"
    )


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def main() -> None:
    """Measure and print Markdown."""
    text = ""
    with tempfile.TemporaryDirectory(prefix="minegap-") as name:
        folder = Path(name)
        (folder / "saving").mkdir()
        for line in measured(folder):
            sys.stdout.write(line)
            sys.stdout.flush()
            text += line
    if sys.argv[1:] == ["--write"]:
        replace_section(DOCUMENT, "history", text)


if __name__ == "__main__":
    main()
