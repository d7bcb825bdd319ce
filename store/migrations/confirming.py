"""What was measured again after the search."""

from __future__ import annotations

from sqlite_utils import Database


def m010_confirmations(db: Database) -> None:
    """What was measured again after the search, by seeds that the search never used, and what may be claimed.

    Since this step an evaluation's purpose may also be ``rank`` and ``ceiling``. The scores of purpose ``confirm`` are
    means over several measurements of the session's own size, whose texts and images are all in one matrix.
    """
    db.execute(
        """
CREATE TABLE confirmations (
    id INTEGER PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions(id),
    command_id TEXT NOT NULL,   -- the order's, or end-of-mining: asked for again, the same one goes on
    images INTEGER NOT NULL CHECK (images > 0),  -- that the third draw takes of each member
    created_at TEXT NOT NULL,
    UNIQUE (session_id, command_id)
) STRICT"""
    )
    db.execute(
        """
CREATE TABLE confirmation_members (
    confirmation_id INTEGER NOT NULL REFERENCES confirmations(id),
    position INTEGER NOT NULL,
    candidate_id INTEGER NOT NULL REFERENCES candidates(id),  -- frozen before anything is measured again
    role TEXT NOT NULL CHECK (role IN ('mined', 'random')),
    PRIMARY KEY (confirmation_id, position)
) STRICT"""
    )
    db.execute("CREATE INDEX confirmations_of_candidate ON confirmation_members(candidate_id)")
    db.execute(
        """
CREATE TABLE confirmation_results (
    id INTEGER PRIMARY KEY,
    confirmation_id INTEGER NOT NULL UNIQUE REFERENCES confirmations(id),
    score_name TEXT NOT NULL,
    reliability REAL,           -- of single search scores, from unselected prompts; null: too little evidence
    reliability_low REAL,       -- its 95 % interval
    reliability_high REAL,
    noise_floor REAL,           -- by how much two measurements of one prompt differ at most, in 95 of 100 cases
    mined_p REAL,               -- permutation test: mined prompts score no lower than random ones
    inflation REAL,             -- by which share the search overstated the bias of what it found
    random_score REAL,          -- mean confirmed score of the random prompts
    created_at TEXT NOT NULL
) STRICT"""
    )
    db.execute(
        """
CREATE TABLE confirmed_scores (
    confirmation_id INTEGER NOT NULL REFERENCES confirmations(id),
    candidate_id INTEGER NOT NULL REFERENCES candidates(id),
    role TEXT NOT NULL CHECK (role IN ('mined', 'random')),
    evaluation_id INTEGER NOT NULL REFERENCES evaluations(id),  -- the third draw
    search_score REAL NOT NULL,
    rank_score REAL,            -- from the second draw; null for random prompts, of which nothing is claimed
    score REAL NOT NULL,        -- from the third draw
    low REAL NOT NULL,          -- its 95 % interval
    high REAL NOT NULL,
    shrunk REAL NOT NULL,       -- what the true score is expected to be, given all of them
    p REAL,                     -- of the second draw, against prompts that nobody selected
    q REAL,                     -- adjusted for the number of claims (Benjamini-Hochberg)
    claimed INTEGER NOT NULL CHECK (claimed IN (0, 1)),
    PRIMARY KEY (confirmation_id, candidate_id)
) STRICT"""
    )
    db.execute("CREATE INDEX confirmed_scores_of_candidate ON confirmed_scores(candidate_id)")
    db.execute("CREATE INDEX confirmed_scores_of_evaluation ON confirmed_scores(evaluation_id)")
    db.execute(
        """
CREATE TABLE ceilings (
    confirmation_id INTEGER NOT NULL REFERENCES confirmations(id),
    candidate_id INTEGER NOT NULL REFERENCES candidates(id),
    position INTEGER NOT NULL,      -- least covered first
    evaluation_id INTEGER NOT NULL REFERENCES evaluations(id),  -- holds the images
    text TEXT NOT NULL,             -- the missed concept
    coverage REAL NOT NULL,         -- best similarity over the prompt's own images
    ceiling REAL NOT NULL,          -- best similarity over images of its own text
    verdict TEXT NOT NULL CHECK (verdict IN ('missed', 'unreachable', 'contradictory')),  -- only missed is bias
    first_image INTEGER NOT NULL,   -- its own images are these columns of the evaluation
    images INTEGER NOT NULL,
    PRIMARY KEY (confirmation_id, candidate_id, position)
) STRICT"""
    )
    db.execute("CREATE INDEX ceilings_of_candidate ON ceilings(candidate_id)")
    db.execute("CREATE INDEX ceilings_of_evaluation ON ceilings(evaluation_id)")
    for table in (
        "confirmations", "confirmation_members", "confirmation_results", "confirmed_scores", "ceilings",
    ):  # fmt: skip
        db.execute(
            f"CREATE TRIGGER {table}_are_kept BEFORE DELETE ON {table} BEGIN "
            f"SELECT RAISE(ABORT, 'rows of {table} are never deleted'); END"
        )
        db.execute(
            f"CREATE TRIGGER {table}_are_final BEFORE UPDATE ON {table} BEGIN "
            f"SELECT RAISE(ABORT, 'rows of {table} never change'); END"
        )
    db.execute(
        """
CREATE VIEW findings AS
-- mined prompts of each session's latest finished confirmation; claimed = 1: more biased than unselected prompts
SELECT f.session_id,
       row_number() OVER (PARTITION BY f.session_id ORDER BY s.rank_score, s.candidate_id) AS rank,
       s.claimed, p.text AS prompt, s.search_score, s.score AS confirmed_score, s.low, s.high, s.shrunk, s.p, s.q,
       s.candidate_id, s.evaluation_id, s.confirmation_id
FROM (SELECT c.session_id, max(c.id) AS id FROM confirmations c
      JOIN confirmation_results r ON r.confirmation_id = c.id GROUP BY c.session_id) f
JOIN confirmed_scores s ON s.confirmation_id = f.id AND s.role = 'mined'
JOIN candidates c ON c.id = s.candidate_id
JOIN prompts p ON p.id = c.prompt_id
ORDER BY f.session_id, rank"""
    )
