"""What screens sort and count by, kept beside what it is made from, so that nothing large is read for it."""

from __future__ import annotations

from sqlite_utils import Database

_CANDIDATES = """
CREATE TABLE candidates_anew (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used again: what was noted of a deleted one means nobody else
    session_id TEXT NOT NULL REFERENCES sessions(id),
    generation INTEGER NOT NULL CHECK (generation >= 0),
    position INTEGER NOT NULL CHECK (position >= 0),     -- place in the population
    prompt_id INTEGER NOT NULL REFERENCES prompts(id),
    origin TEXT NOT NULL,                                -- initial, random, mutation, elite, human
    parent_id INTEGER REFERENCES candidates(id),         -- null where it was made from nothing
    writing_id INTEGER REFERENCES writings(id),          -- the LLM's words it came from; null for a human's
    state TEXT NOT NULL DEFAULT 'waiting',               -- waiting, scored, failed
    reason TEXT NOT NULL DEFAULT '',                     -- why it failed
    created_at TEXT NOT NULL,
    -- The rest is kept by a trigger and is a copy: what its latest search measurement says.
    evaluation_id INTEGER,                               -- null while there is none
    score_name TEXT,
    score REAL,
    images INTEGER NOT NULL DEFAULT 0,
    UNIQUE (session_id, generation, position)
) STRICT"""

_COPY = """
INSERT INTO candidates_anew
SELECT c.id, c.session_id, c.generation, c.position, c.prompt_id, c.origin, c.parent_id, c.writing_id, c.state,
       c.reason, c.created_at, e.id, e.score_name, s.value, coalesce(e.images, 0)
FROM candidates c
LEFT JOIN evaluations e
    ON e.id = (SELECT max(id) FROM evaluations WHERE candidate_id = c.id AND purpose = 'search')
LEFT JOIN scores s ON s.evaluation_id = e.id AND s.metric = e.score_name
ORDER BY c.id"""

_TOTALS = """
CREATE TABLE session_totals (
    session_id TEXT PRIMARY KEY REFERENCES sessions(id),
    generations INTEGER NOT NULL DEFAULT 0,  -- different ones among its candidates
    candidates INTEGER NOT NULL DEFAULT 0,
    scored INTEGER NOT NULL DEFAULT 0,
    images INTEGER NOT NULL DEFAULT 0,       -- different ones that its measurements rest on; forks count them, too
    bytes INTEGER NOT NULL DEFAULT 0         -- the room that their files take
) STRICT"""

_COUNT = """
INSERT INTO session_totals
SELECT s.id,
       (SELECT count(DISTINCT generation) FROM candidates WHERE session_id = s.id),
       (SELECT count(*) FROM candidates WHERE session_id = s.id),
       (SELECT count(*) FROM candidates WHERE session_id = s.id AND state = 'scored'),
       coalesce(w.images, 0), coalesce(w.bytes, 0)
FROM sessions s
LEFT JOIN (
    SELECT d.session_id, count(*) AS images, sum(i.bytes) AS bytes
    FROM (SELECT DISTINCT c.session_id, x.image_id
          FROM evaluation_images x
          JOIN evaluations e ON e.id = x.evaluation_id
          JOIN candidates c ON c.id = e.candidate_id) d
    JOIN images i ON i.id = d.image_id
    GROUP BY d.session_id
) w ON w.session_id = s.id"""

_TRIGGERS = (
    """
CREATE TRIGGER scores_rank_candidates AFTER INSERT ON scores BEGIN
    UPDATE candidates SET evaluation_id = e.id, score_name = e.score_name, score = new.value, images = e.images
    FROM evaluations e
    WHERE e.id = new.evaluation_id AND e.purpose = 'search' AND e.score_name = new.metric
        AND candidates.id = e.candidate_id AND coalesce(candidates.evaluation_id, 0) < e.id;
END""",
    """
CREATE TRIGGER sessions_are_counted AFTER INSERT ON sessions BEGIN
    INSERT INTO session_totals(session_id) VALUES (new.id);
END""",
    """
CREATE TRIGGER candidates_are_counted AFTER INSERT ON candidates BEGIN
    UPDATE session_totals
    SET candidates = candidates + 1,
        scored = scored + (new.state = 'scored'),
        generations = generations + NOT EXISTS (
            SELECT 1 FROM candidates
            WHERE session_id = new.session_id AND generation = new.generation AND position != new.position)
    WHERE session_id = new.session_id;
END""",
    """
CREATE TRIGGER scored_candidates_are_counted AFTER UPDATE OF state ON candidates
WHEN (new.state = 'scored') != (old.state = 'scored') BEGIN
    UPDATE session_totals SET scored = scored + CASE new.state WHEN 'scored' THEN 1 ELSE -1 END
    WHERE session_id = new.session_id;
END""",
    """
CREATE TRIGGER images_are_counted AFTER INSERT ON evaluation_images BEGIN
    UPDATE session_totals
    SET images = images + 1, bytes = bytes + (SELECT bytes FROM images WHERE id = new.image_id)
    WHERE session_id = (
        SELECT c.session_id FROM evaluations e JOIN candidates c ON c.id = e.candidate_id
        WHERE e.id = new.evaluation_id)
    AND NOT EXISTS (
        -- another measurement of the session has it already
        SELECT 1 FROM evaluation_images x
        JOIN evaluations e ON e.id = x.evaluation_id
        JOIN candidates c ON c.id = e.candidate_id
        WHERE x.image_id = new.image_id AND c.session_id = session_totals.session_id
            AND (x.evaluation_id, x.position) != (new.evaluation_id, new.position));
END""",
)


def m011_standings_and_totals(db: Database) -> None:
    """A candidate's rank score where it is filtered and sorted by, and what a session holds, counted as it is written.

    ``candidates`` is built anew, since no column can be told later never to give a number twice.
    """
    views = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'view'").fetchall()
    attached = db.execute(
        "SELECT sql FROM sqlite_master WHERE tbl_name = 'candidates' AND type IN ('index', 'trigger') "
        "AND sql IS NOT NULL"
    ).fetchall()
    for name, _ in views:  # a table that a view names cannot be renamed
        db.execute(f'DROP VIEW "{name}"')
    db.execute(_CANDIDATES)
    db.execute(_COPY)
    db.execute("DROP TABLE candidates")
    db.execute("ALTER TABLE candidates_anew RENAME TO candidates")
    for (sql,) in attached:
        db.execute(sql)
    for name, sql in views:
        if name != "candidate_scores":
            db.execute(sql)
    db.execute(
        """
CREATE VIEW candidate_scores AS
-- the latest search score of each candidate that has one
SELECT c.id AS candidate_id, c.evaluation_id, c.score_name, c.score, e.variations, e.images
FROM candidates c
JOIN evaluations e ON e.id = c.evaluation_id
WHERE c.score IS NOT NULL"""
    )
    db.execute("CREATE INDEX candidates_by_score ON candidates(session_id, score)")
    # Holds all that a filter may ask for: what fails it is passed over without a look at its row.
    db.execute(
        "CREATE INDEX candidates_of_all_sessions ON candidates"
        "(score, id, prompt_id, generation, origin, state, session_id)"
    )
    db.execute(_TOTALS)
    db.execute(_COUNT)
    for sql in _TRIGGERS:
        db.execute(sql)
    db.execute(
        "CREATE TRIGGER session_totals_are_kept BEFORE DELETE ON session_totals BEGIN "
        "SELECT RAISE(ABORT, 'rows of session_totals are never deleted'); END"
    )
