"""A session taken out of the store: its rows, and of what sessions share what no other one needs.

Everything else in the store is never deleted; triggers see to that. They are put aside here and put back within the
same transaction, so that no other program, and no death of this one, ever meets the store without them.

While another session is being mined, what it may be about to use stays: images of its prompts that no measurement
names yet, and texts that its writer may just have been given. They go with that session, should it be deleted.
"""

from __future__ import annotations

import sqlite3

from store.errors import StoreError
from store.records import Deleted

TABLES = (
    "ceilings", "confirmed_scores", "confirmation_results", "confirmation_members", "confirmations",
    "scores", "evaluation_images", "evaluation_variations", "evaluations", "candidates", "events", "session_totals",
    "sessions",
    "image_embeddings", "images", "exchanges", "writing_texts", "writings", "text_embeddings", "prompts",
)  # fmt: skip
"""Those that lose rows; a test knows that no other one refers to any of these."""

UNDELETABLE = ("queued", "mining", "paused", "stopping")

_IN_WORK = "('mining', 'paused', 'stopping')"

_OTHERS = f"""
CREATE TEMP TABLE other_prompts AS SELECT DISTINCT prompt_id AS id FROM candidates WHERE session_id != :session;
CREATE TEMP TABLE busy_prompts AS SELECT DISTINCT c.prompt_id AS id FROM candidates c
    JOIN sessions s ON s.id = c.session_id WHERE c.session_id != :session AND s.state IN {_IN_WORK};
CREATE TEMP TABLE other_writings AS
    SELECT c.writing_id AS id, min(c.session_id) AS user FROM candidates c
    WHERE c.session_id != :session AND c.writing_id IS NOT NULL GROUP BY c.writing_id;
INSERT INTO other_writings
    SELECT e.writing_id, min(c.session_id) FROM evaluations e JOIN candidates c ON c.id = e.candidate_id
    WHERE c.session_id != :session AND e.writing_id IS NOT NULL GROUP BY e.writing_id;
INSERT INTO other_writings
    SELECT w.id, (SELECT min(id) FROM sessions WHERE id != :session AND state IN {_IN_WORK})
    FROM writings w WHERE w.session_id = :session AND (w.prompt_id IN (SELECT id FROM busy_prompts)
        OR (w.prompt_id IS NULL AND EXISTS (
            SELECT 1 FROM sessions WHERE id != :session AND state IN {_IN_WORK})));
"""

_DOOMED = """
CREATE TEMP TABLE doomed_candidates AS SELECT id, prompt_id FROM candidates WHERE session_id = :session;
CREATE TEMP TABLE doomed_confirmations AS SELECT id FROM confirmations WHERE session_id = :session;
CREATE TEMP TABLE doomed_evaluations AS
    SELECT id FROM evaluations WHERE candidate_id IN (SELECT id FROM doomed_candidates);
CREATE TEMP TABLE measured_images AS SELECT DISTINCT image_id AS id FROM evaluation_images
    WHERE evaluation_id IN (SELECT id FROM doomed_evaluations);
CREATE TEMP TABLE doomed_images AS
    SELECT i.id, i.prompt_id, i.sha256, i.bytes FROM images i
    WHERE (i.id IN (SELECT id FROM measured_images) OR (
            i.prompt_id IN (SELECT prompt_id FROM doomed_candidates)
            AND i.prompt_id NOT IN (SELECT id FROM other_prompts)))
        AND i.prompt_id NOT IN (SELECT id FROM busy_prompts)
        AND NOT EXISTS (SELECT 1 FROM evaluation_images x WHERE x.image_id = i.id
            AND x.evaluation_id NOT IN (SELECT id FROM doomed_evaluations));
CREATE TEMP TABLE doomed_writings AS SELECT id, prompt_id FROM writings
    WHERE session_id = :session AND id NOT IN (SELECT id FROM other_writings);
CREATE TEMP TABLE doomed_prompts AS
    SELECT prompt_id AS id FROM doomed_candidates UNION SELECT prompt_id FROM doomed_images
    UNION SELECT prompt_id FROM doomed_writings WHERE prompt_id IS NOT NULL;
CREATE TEMP TABLE doomed_texts (text TEXT PRIMARY KEY);
INSERT INTO doomed_texts SELECT DISTINCT text FROM evaluation_variations
    WHERE evaluation_id IN (SELECT id FROM doomed_evaluations);
"""

# The two indices are for the foreign keys: without them each writing that goes is looked for in every candidate.
_DELETE = """
CREATE INDEX deletion_of_candidates ON candidates(writing_id);
CREATE INDEX deletion_of_evaluations ON evaluations(writing_id);
DELETE FROM ceilings WHERE confirmation_id IN (SELECT id FROM doomed_confirmations);
DELETE FROM confirmed_scores WHERE confirmation_id IN (SELECT id FROM doomed_confirmations);
DELETE FROM confirmation_results WHERE confirmation_id IN (SELECT id FROM doomed_confirmations);
DELETE FROM confirmation_members WHERE confirmation_id IN (SELECT id FROM doomed_confirmations);
DELETE FROM confirmations WHERE session_id = :session;
DELETE FROM scores WHERE evaluation_id IN (SELECT id FROM doomed_evaluations);
DELETE FROM evaluation_images WHERE evaluation_id IN (SELECT id FROM doomed_evaluations);
DELETE FROM evaluation_variations WHERE evaluation_id IN (SELECT id FROM doomed_evaluations);
DELETE FROM evaluations WHERE id IN (SELECT id FROM doomed_evaluations);
DELETE FROM candidates WHERE session_id = :session;
DELETE FROM image_embeddings WHERE image_id IN (SELECT id FROM doomed_images);
DELETE FROM images WHERE id IN (SELECT id FROM doomed_images);
DELETE FROM exchanges WHERE writing_id IN (SELECT id FROM doomed_writings);
DELETE FROM writing_texts WHERE writing_id IN (SELECT id FROM doomed_writings);
DELETE FROM writings WHERE id IN (SELECT id FROM doomed_writings);
UPDATE writings SET session_id = (SELECT user FROM other_writings o WHERE o.id = writings.id)
    WHERE session_id = :session;
DELETE FROM doomed_prompts WHERE id IN (SELECT prompt_id FROM candidates)
    OR id IN (SELECT prompt_id FROM images) OR id IN (SELECT prompt_id FROM writings WHERE prompt_id IS NOT NULL);
INSERT INTO prompts_fts(prompts_fts, rowid, text)
    SELECT 'delete', id, text FROM prompts WHERE id IN (SELECT id FROM doomed_prompts);
DELETE FROM prompts WHERE id IN (SELECT id FROM doomed_prompts);
DELETE FROM doomed_texts WHERE text IN (
    SELECT d.text FROM evaluation_variations v CROSS JOIN doomed_texts d ON d.text = v.text);
DELETE FROM text_embeddings WHERE text IN (SELECT text FROM doomed_texts);
DELETE FROM events WHERE session_id = :session;
DELETE FROM session_totals WHERE session_id = :session;
DELETE FROM sessions WHERE id = :session;
DROP INDEX deletion_of_candidates;
DROP INDEX deletion_of_evaluations;
"""

_TEMPORARY = (
    "other_prompts", "busy_prompts", "other_writings", "doomed_candidates", "doomed_confirmations",
    "doomed_evaluations", "measured_images",
    "doomed_images", "doomed_writings", "doomed_prompts", "doomed_texts",
)  # fmt: skip


def refuse_deletion(database: sqlite3.Connection, session_id: str, state: str) -> None:
    """Raise where a session has to stay.

    Raises:
        StoreError: an engine has it, or another session shares its first generations (exit 2).
    """
    if state in UNDELETABLE:
        raise StoreError(f"Session {session_id} is {state}, so it cannot be deleted: stop it first.", 2)
    forks = [
        row[0]
        for row in database.execute(
            "SELECT id FROM sessions WHERE forked_from = ? ORDER BY id", (session_id,)
        )
    ]
    if forks:
        more = f" (and {len(forks) - 1} more)" if len(forks) > 1 else ""
        raise StoreError(
            f"Session {session_id} cannot be deleted, since session {forks[0]}{more} was forked from it: delete "
            "that one first.",
            2,
        )


def delete(database: sqlite3.Connection, session_id: str) -> Deleted:
    """Delete a session's rows, and say which files may go now; inside a transaction."""
    guards = [
        (name, sql)
        for name, table, sql in database.execute(
            "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'"
        )
        if table in TABLES and name in (f"{table}_are_kept", f"{table}_are_final")
    ]
    for name, _ in guards:
        database.execute(f"DROP TRIGGER {name}")
    for statement in _statements(_OTHERS + _DOOMED):
        database.execute(statement, {"session": session_id})
    (candidates,) = database.execute("SELECT count(*) FROM doomed_candidates").fetchone()
    images, size = database.execute("SELECT count(*), coalesce(sum(bytes), 0) FROM doomed_images").fetchone()
    names = {row[0] for row in database.execute("SELECT sha256 FROM doomed_images")}
    for statement in _statements(_DELETE):
        database.execute(statement, {"session": session_id})
    for table in _TEMPORARY:
        database.execute(f"DROP TABLE temp.{table}")
    for _, sql in guards:
        database.execute(sql)
    return Deleted(candidates=candidates, images=images, bytes=size, files=tuple(sorted(names)))


def _statements(script: str) -> list[str]:
    # Not executescript: that one commits first.
    return [statement for part in script.split(";\n") if (statement := part.strip())]
