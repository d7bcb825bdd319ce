"""A session that shares another's beginning: its rows copied, every id in them replaced by the copy's own.

The copy stands where the source stood when the generation after the shared ones was about to be bred: of the
steering and of the later measurements only what counted by then comes along. So going on with the same
configuration gives the same session again. Times are those of the originals.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping

from store.errors import StoreError
from store.records import Session

_WHEN = {"steered": "generation", "candidate_rescored": "counts_from"}
"""Kind of event -> the key in its payload that holds the generation from whose breeding on it counts."""


def fork(database: sqlite3.Connection, source: Session, last: int, target: str) -> None:
    """Copy generations up to ``last`` into the session ``target``, which has none; inside a transaction.

    Raises:
        StoreError: the source has no such generation, or an event names what it does not hold (exit 2).
    """
    candidates = _copy_candidates(database, source.id, last, target)
    held = database.execute(
        "SELECT count(*) FROM candidates WHERE session_id = ? AND generation = ?", (source.id, last)
    ).fetchone()[0]
    if not held:
        raise StoreError(
            f"Session {source.id} cannot be forked from generation {last}: it has {source.generations} generations.",
            2,
        )
    events = [
        (kind, payload, at)
        for kind, text, at in database.execute(
            "SELECT kind, payload, created_at FROM events WHERE session_id = ? "
            "AND kind IN ('steered', 'candidate_rescored') ORDER BY seq",
            (source.id,),
        )
        if _counts(payload := json.loads(text), _WHEN[kind], last)
    ]
    counted = {payload.get("evaluation_id") for kind, payload, _ in events if kind == "candidate_rescored"}
    evaluations = _copy_evaluations(database, source.id, candidates, counted)
    ids: dict[str, Mapping[object, object]] = {
        "session_id": {source.id: target},
        "candidate_id": candidates,
        "parent_id": candidates,
        "evaluation_id": evaluations,
    }
    for kind, payload, at in events:
        database.execute(
            "INSERT INTO events (session_id, kind, payload, created_at) VALUES (?, ?, ?, ?)",
            (target, kind, json.dumps(_with_own_ids(payload, ids, source.id)), at),
        )
    database.execute(
        "UPDATE sessions SET forked_from = ?, forked_generation = ? WHERE id = ?", (source.id, last, target)
    )


def _copy_candidates(
    database: sqlite3.Connection, source: str, last: int, target: str
) -> dict[object, object]:
    """Copy them in the order of their ids, which settles ties; returns old id -> new id."""
    own: dict[object, object] = {}
    rows = database.execute(
        "SELECT id, parent_id FROM candidates WHERE session_id = ? AND generation <= ? ORDER BY id",
        (source, last),
    ).fetchall()
    for number, parent in rows:
        own[number] = database.execute(
            "INSERT INTO candidates (session_id, generation, position, prompt_id, origin, parent_id, "
            "writing_id, state, reason, created_at) "
            "SELECT ?, generation, position, prompt_id, origin, ?, writing_id, state, reason, created_at "
            "FROM candidates WHERE id = ?",
            (target, own.get(parent), number),
        ).lastrowid
    return own


def _copy_evaluations(
    database: sqlite3.Connection, source: str, candidates: Mapping[object, object], counted: set[object]
) -> dict[object, object]:
    """Copy each candidate's measurements but the later ones that did not count yet; returns old id -> new id."""
    own: dict[object, object] = {}
    measured = set()
    rows = database.execute(
        "SELECT e.id, e.candidate_id, e.purpose FROM candidates c JOIN evaluations e ON e.candidate_id = c.id "
        "WHERE c.session_id = ? ORDER BY e.id",
        (source,),
    ).fetchall()
    for number, candidate, purpose in rows:
        later = purpose == "search" and candidate in measured and number not in counted
        if later or candidate not in candidates:
            continue
        if purpose == "search":
            measured.add(candidate)
        own[number] = copy = database.execute(
            "INSERT INTO evaluations (candidate_id, purpose, score_name, variations, images, similarity, "
            "writing_id, digest, created_at) "
            "SELECT ?, purpose, score_name, variations, images, similarity, writing_id, digest, created_at "
            "FROM evaluations WHERE id = ?",
            (candidates[candidate], number),
        ).lastrowid
        for table, columns in (
            ("evaluation_variations", "position, text, coverage, missed"),
            ("evaluation_images", "position, image_id, alignment"),
            ("scores", "metric, value"),
        ):
            database.execute(
                f"INSERT INTO {table} (evaluation_id, {columns}) "
                f"SELECT ?, {columns} FROM {table} WHERE evaluation_id = ?",
                (copy, number),
            )
    return own


def _counts(payload: object, key: str, last: int) -> bool:
    generation = payload.get(key) if isinstance(payload, dict) else None
    return isinstance(generation, int) and generation <= last


def _with_own_ids(
    payload: Mapping[str, object], ids: Mapping[str, Mapping[object, object]], source: str
) -> dict[str, object]:
    """The payload with every id replaced, in its ``command``, too."""
    own: dict[str, object] = {}
    for key, value in payload.items():
        if key == "command" and isinstance(value, dict):
            own[key] = _with_own_ids(value, ids, source)
        elif key in ids and value is not None:
            if not isinstance(value, (int, str)) or value not in ids[key]:
                raise StoreError(
                    f"Session {source} cannot be forked there: its record names the {key} {value!a}, which is not "
                    "among the generations to be shared; fork it from a later one.",
                    2,
                )
            own[key] = ids[key][value]
        else:
            own[key] = value
    return own
