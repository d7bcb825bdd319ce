"""What a store keeps beside the rows that it is made from, worked out anew from those rows alone."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from store.connection import DATABASE

SCORES = """
SELECT c.id, e.id, e.score_name, s.value, coalesce(e.images, 0)
FROM candidates c
LEFT JOIN evaluations e
    ON e.id = (SELECT max(id) FROM evaluations WHERE candidate_id = c.id AND purpose = 'search')
LEFT JOIN scores s ON s.evaluation_id = e.id AND s.metric = e.score_name
ORDER BY c.id
"""
TOTALS = """
SELECT s.id, count(DISTINCT c.generation), count(c.id), count(c.id) FILTER (WHERE c.state = 'scored'),
       (SELECT count(*) FROM images WHERE id IN (
           SELECT x.image_id FROM candidates d JOIN evaluations e ON e.candidate_id = d.id
           JOIN evaluation_images x ON x.evaluation_id = e.id WHERE d.session_id = s.id)),
       (SELECT coalesce(sum(bytes), 0) FROM images WHERE id IN (
           SELECT x.image_id FROM candidates d JOIN evaluations e ON e.candidate_id = d.id
           JOIN evaluation_images x ON x.evaluation_id = e.id WHERE d.session_id = s.id))
FROM sessions s LEFT JOIN candidates c ON c.session_id = s.id
GROUP BY s.id ORDER BY s.id
"""


def assert_true(folder: Path) -> None:
    """Every kept score and every total is what the rows say."""
    with sqlite3.connect(folder / DATABASE) as database:
        kept = "SELECT id, evaluation_id, score_name, score, images FROM candidates ORDER BY id"
        assert database.execute(kept).fetchall() == database.execute(SCORES).fetchall()
        totals = "SELECT * FROM session_totals ORDER BY session_id"
        assert database.execute(totals).fetchall() == database.execute(TOTALS).fetchall()
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    database.close()
