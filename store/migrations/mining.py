"""Sessions, prompts, candidates, images and their measurements."""

from __future__ import annotations

from sqlite_utils import Database


def m001_sessions_and_events(db: Database) -> None:
    """A run and the record of what happened in it."""
    db.execute(
        """
CREATE TABLE sessions (
    id TEXT PRIMARY KEY,        -- ULID: made without asking the database, sorts by time, reads well in a URL
    name TEXT NOT NULL,         -- what the user calls it; need not be unique
    seed INTEGER NOT NULL,      -- every seed of the session is hashed from this one
    config_json TEXT NOT NULL,  -- the whole validated configuration: a session can be run again from its row
    models_json TEXT NOT NULL,  -- fingerprints of painter, scorer and writer: the subject under study
    state TEXT NOT NULL,        -- mining, paused, stopping, finished, interrupted, failed
    reason TEXT NOT NULL,       -- why it is in that state, for a person; empty where nothing needs saying
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL    -- when the state last changed
) STRICT"""
    )
    db.execute(
        """
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,  -- never reused: a screen asks for what came after the last it saw
    session_id TEXT NOT NULL REFERENCES sessions(id),
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,                  -- JSON, ASCII only: survives any terminal and any text in it
    created_at TEXT NOT NULL
) STRICT"""
    )
    db.execute("CREATE INDEX events_of_session ON events(session_id, seq)")


def m002_prompts_and_writings(db: Database) -> None:
    """Prompts (searchable) and what the LLM wrote."""
    db.execute(
        """
CREATE TABLE prompts (
    id INTEGER PRIMARY KEY,       -- explicit: the search index points at it, and hidden rowids can move
    sha256 TEXT NOT NULL UNIQUE,  -- of the UTF-8 text: a prompt of a megabyte is found without indexing it
    text TEXT NOT NULL            -- exactly as given; no provenance here, since sessions share prompts
) STRICT"""
    )
    db.execute(
        "CREATE VIRTUAL TABLE prompts_fts USING fts5("
        "text, content='prompts', content_rowid='id', tokenize='unicode61 remove_diacritics 2')"
    )
    db.execute(
        """
CREATE TRIGGER prompts_are_indexed AFTER INSERT ON prompts BEGIN
    INSERT INTO prompts_fts(rowid, text) VALUES (new.id, new.text);
END"""
    )
    db.execute(
        """
CREATE TABLE writings (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,          -- hash of the whole request: the same request is never written twice
    session_id TEXT NOT NULL REFERENCES sessions(id),  -- who asked first; others may reuse the answer
    kind TEXT NOT NULL,                -- variations, mutations, random
    prompt_id INTEGER REFERENCES prompts(id),          -- null for random prompts: they start from nothing
    fingerprint TEXT NOT NULL,         -- the writer: weights, sampling settings, meta-prompts
    rejected INTEGER NOT NULL,         -- replies set aside; how hard the writer found the task
    created_at TEXT NOT NULL
) STRICT"""
    )
    db.execute("CREATE INDEX writings_of_session ON writings(session_id)")
    db.execute("CREATE INDEX writings_of_prompt ON writings(prompt_id)")
    db.execute(
        """
CREATE TABLE writing_texts (
    writing_id INTEGER NOT NULL REFERENCES writings(id),
    position INTEGER NOT NULL,
    text TEXT NOT NULL,                -- an accepted text
    PRIMARY KEY (writing_id, position)
) STRICT"""
    )
    db.execute(
        """
CREATE TABLE exchanges (
    id INTEGER PRIMARY KEY,
    writing_id INTEGER NOT NULL REFERENCES writings(id),
    position INTEGER NOT NULL,
    seed INTEGER NOT NULL,
    request TEXT NOT NULL,             -- the full text the model was given, chat template applied
    reply TEXT NOT NULL,               -- exactly what it wrote
    verdict TEXT NOT NULL,             -- 'accepted' or why the reply was set aside
    UNIQUE (writing_id, position)
) STRICT"""
    )


def m003_candidates(db: Database) -> None:
    """The GA's populations."""
    db.execute(
        """
CREATE TABLE candidates (
    id INTEGER PRIMARY KEY,
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
    UNIQUE (session_id, generation, position)
) STRICT"""
    )
    db.execute("CREATE INDEX candidates_of_prompt ON candidates(prompt_id)")
    db.execute("CREATE INDEX candidates_of_parent ON candidates(parent_id)")


def m004_images_and_embeddings(db: Database) -> None:
    """Drawn images (files beside the database) and unit vectors of images and texts."""
    db.execute(
        """
CREATE TABLE images (
    id INTEGER PRIMARY KEY,
    prompt_id INTEGER NOT NULL REFERENCES prompts(id),
    seed INTEGER NOT NULL,
    pipeline TEXT NOT NULL,     -- the painter's fingerprint: with prompt and seed it determines the image
    sha256 TEXT NOT NULL,       -- of the PNG file; equal images (all-black ones, say) share one file
    path TEXT NOT NULL GENERATED ALWAYS AS (
        'images/' || substr(sha256, 1, 2) || '/' || substr(sha256, 3, 2) || '/' || sha256 || '.png'
    ) VIRTUAL,                  -- relative to the database, so that a store can be moved or copied
    bytes INTEGER NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    blank INTEGER NOT NULL CHECK (blank IN (0, 1)),  -- what a safety checker or a NaN leaves; never hidden
    red REAL NOT NULL,          -- mean colour, so that a pixel objective needs no file
    green REAL NOT NULL,
    blue REAL NOT NULL,
    batch_size INTEGER NOT NULL, -- on a GPU the batch changes low bits; recorded so that nobody wonders
    created_at TEXT NOT NULL,
    UNIQUE (prompt_id, seed, pipeline)
) STRICT"""
    )
    db.execute("CREATE INDEX images_by_file ON images(sha256)")
    db.execute(
        """
CREATE TABLE image_embeddings (
    image_id INTEGER NOT NULL REFERENCES images(id),
    scorer TEXT NOT NULL,       -- the scorer's fingerprint: one image may be read by several
    -- float32, little-endian, unit norm
    vector BLOB NOT NULL CHECK (length(vector) > 0 AND length(vector) % 4 = 0),
    PRIMARY KEY (image_id, scorer)
) STRICT"""
    )
    db.execute(
        """
CREATE TABLE text_embeddings (
    id INTEGER PRIMARY KEY,
    scorer TEXT NOT NULL,
    sha256 TEXT NOT NULL,       -- of the UTF-8 text
    text TEXT NOT NULL,         -- kept beside its vector, so that a table of vectors can be read by a person
    vector BLOB NOT NULL CHECK (length(vector) > 0 AND length(vector) % 4 = 0),
    UNIQUE (scorer, sha256)
) STRICT"""
    )


def m005_evaluations(db: Database) -> None:
    """Scores and all they rest on."""
    db.execute(
        """
CREATE TABLE evaluations (
    id INTEGER PRIMARY KEY,
    candidate_id INTEGER NOT NULL REFERENCES candidates(id),
    purpose TEXT NOT NULL,          -- search or confirm: search never reports itself
    score_name TEXT NOT NULL,       -- the metric that ranks
    variations INTEGER NOT NULL CHECK (variations > 0),  -- T, rows of S
    images INTEGER NOT NULL CHECK (images > 0),          -- N, columns of S
    -- S, float32, little-endian, row by row: any score can be recomputed
    similarity BLOB NOT NULL CHECK (length(similarity) = 4 * variations * images),
    writing_id INTEGER REFERENCES writings(id),          -- the LLM's words behind the variations
    digest TEXT NOT NULL,           -- of everything in the evaluation: saving it twice leaves one row
    created_at TEXT NOT NULL,
    UNIQUE (candidate_id, digest)
) STRICT"""
    )
    db.execute("CREATE INDEX evaluations_of_candidate ON evaluations(candidate_id, purpose, id)")
    db.execute(
        """
CREATE TABLE evaluation_variations (
    evaluation_id INTEGER NOT NULL REFERENCES evaluations(id),
    position INTEGER NOT NULL,      -- row of S
    text TEXT NOT NULL,
    coverage REAL NOT NULL,         -- how well the images show it
    missed INTEGER NOT NULL CHECK (missed IN (0, 1)),
    PRIMARY KEY (evaluation_id, position)
) STRICT"""
    )
    db.execute(
        """
CREATE TABLE evaluation_images (
    evaluation_id INTEGER NOT NULL REFERENCES evaluations(id),
    position INTEGER NOT NULL,      -- column of S
    image_id INTEGER NOT NULL REFERENCES images(id),
    alignment REAL NOT NULL,        -- how well some variation describes it
    PRIMARY KEY (evaluation_id, position)
) STRICT"""
    )
    db.execute("CREATE INDEX evaluations_of_image ON evaluation_images(image_id)")
    db.execute(
        """
CREATE TABLE scores (
    evaluation_id INTEGER NOT NULL REFERENCES evaluations(id),
    metric TEXT NOT NULL,
    value REAL NOT NULL CHECK (abs(value) < 9e999),  -- 9e999 is infinity: no score is better than a false one
    PRIMARY KEY (evaluation_id, metric)
) STRICT"""
    )


def m006_rows_are_kept(db: Database) -> None:
    """History cannot be rewritten, not even by hand in another program (short of dropping these triggers)."""
    mutable = {"sessions", "candidates"}
    for table in (
        "sessions", "events", "prompts", "writings", "writing_texts", "exchanges", "candidates",
        "images", "image_embeddings", "text_embeddings",
        "evaluations", "evaluation_variations", "evaluation_images", "scores",
    ):  # fmt: skip
        db.execute(
            f"CREATE TRIGGER {table}_are_kept BEFORE DELETE ON {table} BEGIN "
            f"SELECT RAISE(ABORT, 'rows of {table} are never deleted'); END"
        )
        if table not in mutable:
            db.execute(
                f"CREATE TRIGGER {table}_are_final BEFORE UPDATE ON {table} BEGIN "
                f"SELECT RAISE(ABORT, 'rows of {table} never change'); END"
            )


def m007_views(db: Database) -> None:
    """What a person asks first, ready to open in Datasette; the reader uses the same views."""
    db.execute(
        """
CREATE VIEW candidate_scores AS
-- the latest search score of each candidate that has one
SELECT e.candidate_id, e.id AS evaluation_id, e.score_name, s.value AS score, e.variations, e.images
FROM evaluations e
JOIN scores s ON s.evaluation_id = e.id AND s.metric = e.score_name
WHERE e.id = (SELECT max(id) FROM evaluations WHERE candidate_id = e.candidate_id AND purpose = 'search')"""
    )
    db.execute(
        """
CREATE VIEW best_candidates AS
-- lower = more biased; ties go to the earlier candidate
SELECT c.session_id,
       row_number() OVER (PARTITION BY c.session_id ORDER BY r.score, c.id) AS rank,
       r.score, r.score_name, p.text AS prompt, c.generation, c.position, c.origin,
       c.id AS candidate_id, c.parent_id, r.evaluation_id
FROM candidates c
JOIN candidate_scores r ON r.candidate_id = c.id
JOIN prompts p ON p.id = c.prompt_id
ORDER BY c.session_id, rank"""
    )
    db.execute(
        """
CREATE VIEW generation_summary AS
-- A quantile at place h of n sorted scores, linearly interpolated, is the sum of the scores weighted by
-- max(0, 1 - |place - h|): only the two neighbours of h have a weight.
WITH ranked AS (
    SELECT c.session_id, c.generation, r.score, r.images,
           row_number() OVER (of_generation ORDER BY r.score IS NULL, r.score) - 1 AS place,
           count(r.score) OVER of_generation - 1 AS last
    FROM candidates c LEFT JOIN candidate_scores r ON r.candidate_id = c.id
    WINDOW of_generation AS (PARTITION BY c.session_id, c.generation)
)
SELECT session_id, generation,
       count(*) AS candidates,
       count(score) AS scored,
       min(score) AS best,
       sum(score * max(0.0, 1.0 - abs(place - 0.25 * last))) AS lower_quartile,
       sum(score * max(0.0, 1.0 - abs(place - 0.5 * last))) AS median,
       sum(score * max(0.0, 1.0 - abs(place - 0.75 * last))) AS upper_quartile,
       max(score) AS worst,
       avg(score) AS mean,
       coalesce(sum(images), 0) AS images
FROM ranked
GROUP BY session_id, generation"""
    )
    db.execute(
        """
CREATE VIEW lineage AS
-- every candidate beside each of its ancestors; depth 0 is itself
WITH RECURSIVE family(candidate_id, ancestor_id, depth) AS (
    SELECT id, id, 0 FROM candidates
    UNION ALL
    SELECT f.candidate_id, c.parent_id, f.depth + 1
    FROM family f JOIN candidates c ON c.id = f.ancestor_id
    WHERE c.parent_id IS NOT NULL
)
SELECT c.session_id, f.candidate_id, f.depth, f.ancestor_id,
       a.generation, a.origin, p.text AS prompt,
       (SELECT score FROM candidate_scores WHERE candidate_id = f.ancestor_id) AS score
FROM family f
JOIN candidates c ON c.id = f.candidate_id
JOIN candidates a ON a.id = f.ancestor_id
JOIN prompts p ON p.id = a.prompt_id"""
    )
