"""An engine that mines nothing and tells as much as a fast one would, over the real protocol and a real socket."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine import protocol
from store import open_reader
from store.records import Candidate
from tests.tui.double import EngineDouble, listening

BATCHES = 8
"""Progress events between two candidates."""


@contextmanager
def listened(store: Path, session_id: str) -> Iterator[EngineDouble]:
    """Hold the store as an engine does that mines the session, and tell nothing."""
    with listening(store) as double:
        double.resumed(session_id)
        yield double


@contextmanager
def mining(store: Path, session_id: str, candidates_per_second: float) -> Iterator[threading.Event]:
    """Tell of the session's stored candidates, over and over, as if they were scored just now.

    Yields:
        Is set when the last one was told for the first time.
    """
    with open_reader(store) as reader:
        known = sorted(reader.leaderboard(session_id, 1_000_000), key=lambda one: one.id)
    told, ended = threading.Event(), threading.Event()
    with listened(store, session_id) as double:
        thread = threading.Thread(
            target=_tell, args=(double, session_id, known, candidates_per_second, told, ended), daemon=True
        )
        thread.start()
        try:
            yield told
        finally:
            ended.set()
            thread.join(30)


def _tell(
    double: EngineDouble,
    session_id: str,
    known: list[Candidate],
    rate: float,
    told: threading.Event,
    ended: threading.Event,
) -> None:
    assert double.attached.wait(120)
    beat = time.monotonic()
    began, count = time.monotonic(), 0
    while not ended.is_set():
        for one in known:
            painting = [
                protocol.Progress(
                    stage="painting",
                    generation=one.generation,
                    done=(one.position * BATCHES + batch) % 1600,
                    total=1600,
                    images_per_second=11.0,
                    eta_seconds=1000.0 - batch,
                )
                for batch in range(BATCHES)
            ]
            new_one = protocol.CandidateScored(
                candidate_id=one.id,
                generation=one.generation,
                position=one.position,
                prompt=one.prompt,
                origin=one.origin,
                parent_id=one.parent_id,
                score=one.score,
                score_name=one.score_name or "",
            )
            events: list[protocol.Event] = [*painting, new_one]
            if one.position == 0:
                events.insert(0, protocol.GenerationStarted(generation=one.generation, candidates=100))
            if time.monotonic() - beat > 2:
                beat = time.monotonic()
                events.append(protocol.Heartbeat(workers=_WORKERS))
            double.say(session_id, *events)
            count += 1
            if ended.wait(max(0.0, began + count / rate - time.monotonic())):
                return
        told.set()


_WORKERS = tuple(
    protocol.WorkerVitals(role=role, pid=number, memory_mib=900.0, busy_seconds=1.0, restarts=0)
    for number, role in enumerate(("painter", "writer"), 1)
)
