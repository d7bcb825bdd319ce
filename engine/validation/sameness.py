"""Whether two sessions mined the same: what a crash, a pause or another batch size must not change."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

from store import open_reader

LEADERBOARD = 1_000_000


def outcome(store: Path, session_id: str) -> Iterator[tuple[str, Any]]:
    """Yield everything that two equal runs of a session agree on, to the last bit, each with a name for people.

    Row numbers and times are left out: they tell of the run, not of what was mined.
    """
    with open_reader(store) as reader:
        for generation in reader.generations(session_id):
            for candidate in reader.candidates(session_id, generation.generation):
                evidence = reader.candidate(candidate.id)
                place = f"generation {candidate.generation}, place {candidate.position}"
                parent = evidence.parents[0] if evidence.parents else None
                yield place, (candidate.prompt, candidate.origin, candidate.state, candidate.reason)
                yield f"{place}, parent", (parent.generation, parent.position) if parent else None
                for number, evaluation in enumerate(evidence.evaluations):
                    measured = f"{place}, measurement {number}"
                    yield f"{measured}, variations", tuple(one.text for one in evaluation.variations)
                    yield (
                        f"{measured}, images",
                        tuple((image.seed, image.sha256) for image in evaluation.images),
                    )
                    yield f"{measured}, similarities", evaluation.similarity.tobytes()
                    yield f"{measured}, scores", tuple(sorted(evaluation.scores.items()))
        for rank, candidate in enumerate(reader.leaderboard(session_id, LEADERBOARD), 1):
            yield f"rank {rank}", (candidate.prompt, candidate.score)


def first_difference(one: tuple[Path, str], other: tuple[Path, str]) -> str:
    """Name the first thing in which two sessions, each (store, session id), differ; empty where in nothing."""
    pairs = zip_longest(outcome(*one), outcome(*other), fillvalue=("an end", None))
    for (here, left), (there, right) in pairs:
        if (here, left) != (there, right):
            return here if here == there else f"{here} against {there}"
    return ""
