CREATE INDEX candidates_by_score ON candidates(session_id, score);
CREATE INDEX candidates_of_all_sessions ON candidates(score, id, prompt_id, generation, origin, state, session_id);
CREATE INDEX candidates_of_parent ON candidates(parent_id);
CREATE INDEX candidates_of_prompt ON candidates(prompt_id);
CREATE INDEX ceilings_of_candidate ON ceilings(candidate_id);
CREATE INDEX ceilings_of_evaluation ON ceilings(evaluation_id);
CREATE INDEX confirmations_of_candidate ON confirmation_members(candidate_id);
CREATE INDEX confirmed_scores_of_candidate ON confirmed_scores(candidate_id);
CREATE INDEX confirmed_scores_of_evaluation ON confirmed_scores(evaluation_id);
CREATE INDEX evaluations_of_candidate ON evaluations(candidate_id, purpose, id);
CREATE INDEX evaluations_of_image ON evaluation_images(image_id);
CREATE INDEX events_of_session ON events(session_id, seq);
CREATE INDEX images_by_file ON images(sha256);
CREATE UNIQUE INDEX sessions_by_command ON sessions(command_id);
CREATE INDEX sessions_by_source ON sessions(forked_from);
CREATE INDEX writings_of_prompt ON writings(prompt_id);
CREATE INDEX writings_of_session ON writings(session_id);
CREATE TABLE "candidates" (
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
) STRICT;
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
) STRICT;
CREATE TABLE confirmation_members (
    confirmation_id INTEGER NOT NULL REFERENCES confirmations(id),
    position INTEGER NOT NULL,
    candidate_id INTEGER NOT NULL REFERENCES candidates(id),  -- frozen before anything is measured again
    role TEXT NOT NULL CHECK (role IN ('mined', 'random')),
    PRIMARY KEY (confirmation_id, position)
) STRICT;
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
) STRICT;
CREATE TABLE confirmations (
    id INTEGER PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions(id),
    command_id TEXT NOT NULL,   -- the order's, or end-of-mining: asked for again, the same one goes on
    images INTEGER NOT NULL CHECK (images > 0),  -- that the third draw takes of each member
    created_at TEXT NOT NULL,
    UNIQUE (session_id, command_id)
) STRICT;
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
) STRICT;
CREATE TABLE evaluation_images (
    evaluation_id INTEGER NOT NULL REFERENCES evaluations(id),
    position INTEGER NOT NULL,      -- column of S
    image_id INTEGER NOT NULL REFERENCES images(id),
    alignment REAL NOT NULL,        -- how well some variation describes it
    PRIMARY KEY (evaluation_id, position)
) STRICT;
CREATE TABLE evaluation_variations (
    evaluation_id INTEGER NOT NULL REFERENCES evaluations(id),
    position INTEGER NOT NULL,      -- row of S
    text TEXT NOT NULL,
    coverage REAL NOT NULL,         -- how well the images show it
    missed INTEGER NOT NULL CHECK (missed IN (0, 1)),
    PRIMARY KEY (evaluation_id, position)
) STRICT;
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
) STRICT;
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,  -- never reused: a screen asks for what came after the last it saw
    session_id TEXT NOT NULL REFERENCES sessions(id),
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,                  -- JSON, ASCII only: survives any terminal and any text in it
    created_at TEXT NOT NULL
) STRICT;
CREATE TABLE exchanges (
    id INTEGER PRIMARY KEY,
    writing_id INTEGER NOT NULL REFERENCES writings(id),
    position INTEGER NOT NULL,
    seed INTEGER NOT NULL,
    request TEXT NOT NULL,             -- the full text the model was given, chat template applied
    reply TEXT NOT NULL,               -- exactly what it wrote
    verdict TEXT NOT NULL,             -- 'accepted' or why the reply was set aside
    UNIQUE (writing_id, position)
) STRICT;
CREATE TABLE image_embeddings (
    image_id INTEGER NOT NULL REFERENCES images(id),
    scorer TEXT NOT NULL,       -- the scorer's fingerprint: one image may be read by several
    -- float32, little-endian, unit norm
    vector BLOB NOT NULL CHECK (length(vector) > 0 AND length(vector) % 4 = 0),
    PRIMARY KEY (image_id, scorer)
) STRICT;
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
) STRICT;
CREATE TABLE prompts (
    id INTEGER PRIMARY KEY,       -- explicit: the search index points at it, and hidden rowids can move
    sha256 TEXT NOT NULL UNIQUE,  -- of the UTF-8 text: a prompt of a megabyte is found without indexing it
    text TEXT NOT NULL            -- exactly as given; no provenance here, since sessions share prompts
) STRICT;
CREATE VIRTUAL TABLE prompts_fts USING fts5(text, content='prompts', content_rowid='id', tokenize='unicode61 remove_diacritics 2');
CREATE TABLE scores (
    evaluation_id INTEGER NOT NULL REFERENCES evaluations(id),
    metric TEXT NOT NULL,
    value REAL NOT NULL CHECK (abs(value) < 9e999),  -- 9e999 is infinity: no score is better than a false one
    PRIMARY KEY (evaluation_id, metric)
) STRICT;
CREATE TABLE session_totals (
    session_id TEXT PRIMARY KEY REFERENCES sessions(id),
    generations INTEGER NOT NULL DEFAULT 0,  -- different ones among its candidates
    candidates INTEGER NOT NULL DEFAULT 0,
    scored INTEGER NOT NULL DEFAULT 0,
    images INTEGER NOT NULL DEFAULT 0,       -- different ones that its measurements rest on; forks count them, too
    bytes INTEGER NOT NULL DEFAULT 0         -- the room that their files take
) STRICT;
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
, forked_from /* whose first generations were copied into it, rows and steering; null where it began by itself */ TEXT REFERENCES sessions(id), forked_generation /* the last generation it shares */ INTEGER CHECK ((forked_from IS NULL) = (forked_generation IS NULL)), command_id /* the client's id of the command that began it; null before this was kept */ TEXT) STRICT;
CREATE TABLE text_embeddings (
    id INTEGER PRIMARY KEY,
    scorer TEXT NOT NULL,
    sha256 TEXT NOT NULL,       -- of the UTF-8 text
    text TEXT NOT NULL,         -- kept beside its vector, so that a table of vectors can be read by a person
    vector BLOB NOT NULL CHECK (length(vector) > 0 AND length(vector) % 4 = 0),
    UNIQUE (scorer, sha256)
) STRICT;
CREATE TABLE writing_texts (
    writing_id INTEGER NOT NULL REFERENCES writings(id),
    position INTEGER NOT NULL,
    text TEXT NOT NULL,                -- an accepted text
    PRIMARY KEY (writing_id, position)
) STRICT;
CREATE TABLE writings (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,          -- hash of the whole request: the same request is never written twice
    session_id TEXT NOT NULL REFERENCES sessions(id),  -- who asked first; others may reuse the answer
    kind TEXT NOT NULL,                -- variations, mutations, random
    prompt_id INTEGER REFERENCES prompts(id),          -- null for random prompts: they start from nothing
    fingerprint TEXT NOT NULL,         -- the writer: weights, sampling settings, meta-prompts
    rejected INTEGER NOT NULL,         -- replies set aside; how hard the writer found the task
    created_at TEXT NOT NULL
) STRICT;
CREATE TRIGGER candidates_are_counted AFTER INSERT ON candidates BEGIN
    UPDATE session_totals
    SET candidates = candidates + 1,
        scored = scored + (new.state = 'scored'),
        generations = generations + NOT EXISTS (
            SELECT 1 FROM candidates
            WHERE session_id = new.session_id AND generation = new.generation AND position != new.position)
    WHERE session_id = new.session_id;
END;
CREATE TRIGGER candidates_are_kept BEFORE DELETE ON candidates BEGIN SELECT RAISE(ABORT, 'rows of candidates are never deleted'); END;
CREATE TRIGGER ceilings_are_final BEFORE UPDATE ON ceilings BEGIN SELECT RAISE(ABORT, 'rows of ceilings never change'); END;
CREATE TRIGGER ceilings_are_kept BEFORE DELETE ON ceilings BEGIN SELECT RAISE(ABORT, 'rows of ceilings are never deleted'); END;
CREATE TRIGGER confirmation_members_are_final BEFORE UPDATE ON confirmation_members BEGIN SELECT RAISE(ABORT, 'rows of confirmation_members never change'); END;
CREATE TRIGGER confirmation_members_are_kept BEFORE DELETE ON confirmation_members BEGIN SELECT RAISE(ABORT, 'rows of confirmation_members are never deleted'); END;
CREATE TRIGGER confirmation_results_are_final BEFORE UPDATE ON confirmation_results BEGIN SELECT RAISE(ABORT, 'rows of confirmation_results never change'); END;
CREATE TRIGGER confirmation_results_are_kept BEFORE DELETE ON confirmation_results BEGIN SELECT RAISE(ABORT, 'rows of confirmation_results are never deleted'); END;
CREATE TRIGGER confirmations_are_final BEFORE UPDATE ON confirmations BEGIN SELECT RAISE(ABORT, 'rows of confirmations never change'); END;
CREATE TRIGGER confirmations_are_kept BEFORE DELETE ON confirmations BEGIN SELECT RAISE(ABORT, 'rows of confirmations are never deleted'); END;
CREATE TRIGGER confirmed_scores_are_final BEFORE UPDATE ON confirmed_scores BEGIN SELECT RAISE(ABORT, 'rows of confirmed_scores never change'); END;
CREATE TRIGGER confirmed_scores_are_kept BEFORE DELETE ON confirmed_scores BEGIN SELECT RAISE(ABORT, 'rows of confirmed_scores are never deleted'); END;
CREATE TRIGGER evaluation_images_are_final BEFORE UPDATE ON evaluation_images BEGIN SELECT RAISE(ABORT, 'rows of evaluation_images never change'); END;
CREATE TRIGGER evaluation_images_are_kept BEFORE DELETE ON evaluation_images BEGIN SELECT RAISE(ABORT, 'rows of evaluation_images are never deleted'); END;
CREATE TRIGGER evaluation_variations_are_final BEFORE UPDATE ON evaluation_variations BEGIN SELECT RAISE(ABORT, 'rows of evaluation_variations never change'); END;
CREATE TRIGGER evaluation_variations_are_kept BEFORE DELETE ON evaluation_variations BEGIN SELECT RAISE(ABORT, 'rows of evaluation_variations are never deleted'); END;
CREATE TRIGGER evaluations_are_final BEFORE UPDATE ON evaluations BEGIN SELECT RAISE(ABORT, 'rows of evaluations never change'); END;
CREATE TRIGGER evaluations_are_kept BEFORE DELETE ON evaluations BEGIN SELECT RAISE(ABORT, 'rows of evaluations are never deleted'); END;
CREATE TRIGGER events_are_final BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'rows of events never change'); END;
CREATE TRIGGER events_are_kept BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'rows of events are never deleted'); END;
CREATE TRIGGER exchanges_are_final BEFORE UPDATE ON exchanges BEGIN SELECT RAISE(ABORT, 'rows of exchanges never change'); END;
CREATE TRIGGER exchanges_are_kept BEFORE DELETE ON exchanges BEGIN SELECT RAISE(ABORT, 'rows of exchanges are never deleted'); END;
CREATE TRIGGER image_embeddings_are_final BEFORE UPDATE ON image_embeddings BEGIN SELECT RAISE(ABORT, 'rows of image_embeddings never change'); END;
CREATE TRIGGER image_embeddings_are_kept BEFORE DELETE ON image_embeddings BEGIN SELECT RAISE(ABORT, 'rows of image_embeddings are never deleted'); END;
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
END;
CREATE TRIGGER images_are_final BEFORE UPDATE ON images BEGIN SELECT RAISE(ABORT, 'rows of images never change'); END;
CREATE TRIGGER images_are_kept BEFORE DELETE ON images BEGIN SELECT RAISE(ABORT, 'rows of images are never deleted'); END;
CREATE TRIGGER prompts_are_final BEFORE UPDATE ON prompts BEGIN SELECT RAISE(ABORT, 'rows of prompts never change'); END;
CREATE TRIGGER prompts_are_indexed AFTER INSERT ON prompts BEGIN
    INSERT INTO prompts_fts(rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER prompts_are_kept BEFORE DELETE ON prompts BEGIN SELECT RAISE(ABORT, 'rows of prompts are never deleted'); END;
CREATE TRIGGER scored_candidates_are_counted AFTER UPDATE OF state ON candidates
WHEN (new.state = 'scored') != (old.state = 'scored') BEGIN
    UPDATE session_totals SET scored = scored + CASE new.state WHEN 'scored' THEN 1 ELSE -1 END
    WHERE session_id = new.session_id;
END;
CREATE TRIGGER scores_are_final BEFORE UPDATE ON scores BEGIN SELECT RAISE(ABORT, 'rows of scores never change'); END;
CREATE TRIGGER scores_are_kept BEFORE DELETE ON scores BEGIN SELECT RAISE(ABORT, 'rows of scores are never deleted'); END;
CREATE TRIGGER scores_rank_candidates AFTER INSERT ON scores BEGIN
    UPDATE candidates SET evaluation_id = e.id, score_name = e.score_name, score = new.value, images = e.images
    FROM evaluations e
    WHERE e.id = new.evaluation_id AND e.purpose = 'search' AND e.score_name = new.metric
        AND candidates.id = e.candidate_id AND coalesce(candidates.evaluation_id, 0) < e.id;
END;
CREATE TRIGGER session_totals_are_kept BEFORE DELETE ON session_totals BEGIN SELECT RAISE(ABORT, 'rows of session_totals are never deleted'); END;
CREATE TRIGGER sessions_are_counted AFTER INSERT ON sessions BEGIN
    INSERT INTO session_totals(session_id) VALUES (new.id);
END;
CREATE TRIGGER sessions_are_kept BEFORE DELETE ON sessions BEGIN SELECT RAISE(ABORT, 'rows of sessions are never deleted'); END;
CREATE TRIGGER text_embeddings_are_final BEFORE UPDATE ON text_embeddings BEGIN SELECT RAISE(ABORT, 'rows of text_embeddings never change'); END;
CREATE TRIGGER text_embeddings_are_kept BEFORE DELETE ON text_embeddings BEGIN SELECT RAISE(ABORT, 'rows of text_embeddings are never deleted'); END;
CREATE TRIGGER writing_texts_are_final BEFORE UPDATE ON writing_texts BEGIN SELECT RAISE(ABORT, 'rows of writing_texts never change'); END;
CREATE TRIGGER writing_texts_are_kept BEFORE DELETE ON writing_texts BEGIN SELECT RAISE(ABORT, 'rows of writing_texts are never deleted'); END;
CREATE TRIGGER writings_are_final BEFORE UPDATE ON writings BEGIN SELECT RAISE(ABORT, 'rows of writings never change'); END;
CREATE TRIGGER writings_are_kept BEFORE DELETE ON writings BEGIN SELECT RAISE(ABORT, 'rows of writings are never deleted'); END;
CREATE VIEW best_candidates AS
-- lower = more biased; ties go to the earlier candidate
SELECT c.session_id,
       row_number() OVER (PARTITION BY c.session_id ORDER BY r.score, c.id) AS rank,
       r.score, r.score_name, p.text AS prompt, c.generation, c.position, c.origin,
       c.id AS candidate_id, c.parent_id, r.evaluation_id
FROM candidates c
JOIN candidate_scores r ON r.candidate_id = c.id
JOIN prompts p ON p.id = c.prompt_id
ORDER BY c.session_id, rank;
CREATE VIEW candidate_scores AS
-- the latest search score of each candidate that has one
SELECT c.id AS candidate_id, c.evaluation_id, c.score_name, c.score, e.variations, e.images
FROM candidates c
JOIN evaluations e ON e.id = c.evaluation_id
WHERE c.score IS NOT NULL;
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
ORDER BY f.session_id, rank;
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
GROUP BY session_id, generation;
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
JOIN prompts p ON p.id = a.prompt_id;
CREATE VIEW steering AS
-- what people changed by hand: a command counts from the breeding of its generation on
SELECT session_id, seq, created_at AS time,
       json_extract(payload, '$.author') AS author,
       json_extract(payload, '$.command.type') AS command,
       json_extract(payload, '$.generation') AS generation,
       json_extract(payload, '$.sentence') AS sentence,
       json_extract(payload, '$.command') AS details
FROM events
WHERE kind = 'steered';
