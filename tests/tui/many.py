"""Stores with more candidates than could be mined in a test."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

from store import open_store

AT = "2026-11-21T10:00:00.000000Z"


def many(directory: Path, count: int) -> str:
    """Make a session of ``count`` scored candidates, 100 to a generation; candidate n has the score n / count."""
    with open_store(directory) as store:
        session = store.create_session(name="many", seed=1, config_json="{}", models_json="{}")
        store.set_session_state(session, "finished")
    numbers = range(1, count + 1)
    connection = sqlite3.connect(directory / "minegap.db")
    with connection:
        connection.executemany(
            "INSERT INTO prompts(id, sha256, text) VALUES (?, ?, ?)",
            ((n, hashlib.sha256(b"%d" % n).hexdigest(), f"prompt number {n}") for n in numbers),
        )
        connection.executemany(
            "INSERT INTO candidates(id, session_id, generation, position, prompt_id, origin, state, created_at) "
            "VALUES (?, ?, ?, ?, ?, 'random', 'scored', ?)",
            ((n, session, (n - 1) // 100 + 1, (n - 1) % 100, n, AT) for n in numbers),
        )
        connection.executemany(
            "INSERT INTO evaluations(id, candidate_id, purpose, score_name, variations, images, similarity, digest, "
            "created_at) VALUES (?, ?, 'search', 'information', 1, 1, x'00000000', 'd', ?)",
            ((n, n, AT) for n in numbers),
        )
        connection.executemany(
            "INSERT INTO scores VALUES (?, 'information', ?)", ((n, n / count) for n in numbers)
        )
    connection.close()
    return session
