"""Everything that is asked of the store: the same questions for the reader and for the writer."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from store.codec import from_blob, sha256, utf8
from store.errors import StoreError, explained
from store.images import image_path
from store.records import Candidate, Event, Exchange, GenerationSummary, ImageRecord, Session, Writing
from store.vocabulary import FloatArray

Row = tuple[Any, ...]

SESSIONS = """
SELECT s.id, s.name, s.seed, s.config_json, s.models_json, s.state, s.reason, s.created_at, s.updated_at,
       t.generations, t.candidates, t.scored, (SELECT min(score) FROM candidates WHERE session_id = s.id),
       s.forked_from, s.forked_generation, t.images, t.bytes
FROM sessions s JOIN session_totals t ON t.session_id = s.id
"""

EVENTS = "SELECT seq, session_id, kind, payload, created_at FROM events WHERE session_id = ? "

SEARCH_SCORES = """
SELECT c.id, e.id, s.value
FROM candidates c
JOIN evaluations e ON e.candidate_id = c.id AND e.purpose = 'search'
JOIN scores s ON s.evaluation_id = e.id AND s.metric = e.score_name
WHERE c.session_id = ? AND c.generation = ?
ORDER BY c.position, e.id
"""

CANDIDATES = """
SELECT c.id, c.session_id, c.generation, c.position, p.text, c.origin, c.parent_id, c.writing_id, c.state,
       c.reason, c.score_name, c.score
FROM candidates c JOIN prompts p ON p.id = c.prompt_id
"""


class Queries:
    """Questions to one store. Safe to use from several threads: they take turns.

    Attributes:
        folder: the store's directory, absolute.
    """

    def __init__(self, connection: sqlite3.Connection, folder: Path) -> None:
        self.folder = folder
        self._connection = connection
        self._lock = threading.RLock()

    def close(self) -> None:
        """Close the database; a second call does nothing."""
        with self._lock:
            self._connection.close()

    def interrupt(self) -> None:
        """Let the question that another thread is asking fail now instead of being answered."""
        self._connection.interrupt()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _rows(self, sql: str, *parameters: object, **named: object) -> list[Row]:
        with self._lock, explained(self.folder):
            return self._connection.execute(sql, named or parameters).fetchall()

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        """Several questions to one state of the database, whatever a writer commits meanwhile."""
        with self._lock:
            if self._connection.in_transaction:
                yield
                return
            self._rows("BEGIN")
            try:
                yield
            finally:
                if self._connection.in_transaction:  # SQLite may have ended it already (an error of the disk)
                    self._rows("ROLLBACK")

    # ------------------------------------------------------------ sessions

    def sessions(self) -> tuple[Session, ...]:
        """All sessions, the newest first."""
        return tuple(Session(*row) for row in self._rows(SESSIONS + "ORDER BY s.created_at DESC, s.id DESC"))

    def session(self, session_id: str) -> Session:
        """One session.

        Raises:
            StoreError: there is none with this id (exit 2).
        """
        rows = self._rows(SESSIONS + "WHERE s.id = ?", known_text(session_id))
        if not rows:
            raise StoreError(
                f"There is no session {session_id!a} in {self.folder}: `minegap ls` lists them.", 2
            )
        return Session(*rows[0])

    def events(self, session_id: str, after_seq: int = 0, kind: str | None = None) -> tuple[Event, ...]:
        """The events of a session with a sequence number above ``after_seq``, in order; all, or those of a kind."""
        rows = self._rows(
            EVENTS + "AND seq > ? AND (? IS NULL OR kind = ?) ORDER BY seq",
            *(known_text(session_id), after_seq, kind, kind),
        )
        return tuple(_event(row) for row in rows)

    def last_event(self, session_id: str, kind: str | None = None) -> Event | None:
        """The last event of a session, or the last one of a kind; however long the record, only that is read."""
        only, kinds = ("AND kind = ? ", (kind,)) if kind is not None else ("", ())
        rows = self._rows(EVENTS + only + "ORDER BY seq DESC LIMIT 1", known_text(session_id), *kinds)
        return _event(rows[0]) if rows else None

    def steering(self, session_id: str) -> tuple[Event, ...]:
        """What was changed by hand: the session's events ``steered`` and ``candidate_rescored``, in order."""
        rows = self._rows(
            EVENTS + "AND kind IN ('steered', 'candidate_rescored') ORDER BY seq", known_text(session_id)
        )
        return tuple(_event(row) for row in rows)

    # ------------------------------------------------------------ candidates

    def leaderboard(
        self, session_id: str, limit: int = 20, *, after: Candidate | None = None
    ) -> tuple[Candidate, ...]:
        """The most biased candidates of a session, lowest search score first; ties go to the earlier one.

        Args:
            after: begin after this one of them.
        """
        beyond, place = ("AND (c.score, c.id) > (?, ?) ", (after.score, after.id)) if after else ("", ())
        rows = self._rows(
            CANDIDATES
            + f"WHERE c.session_id = ? AND c.score IS NOT NULL {beyond}ORDER BY c.score, c.id LIMIT ?",
            known_text(session_id),
            *place,
            limit,
        )
        return tuple(Candidate(*row) for row in rows)

    def generations(self, session_id: str, first: int = 0) -> tuple[GenerationSummary, ...]:
        """One summary per generation from ``first`` on, in order (as the view ``generation_summary``)."""
        rows = self._rows(
            "SELECT generation, score, images FROM candidates WHERE session_id = ? AND generation >= ? "
            "ORDER BY generation",
            known_text(session_id),
            first,
        )
        return tuple(_summary(number, list(group)) for number, group in groupby(rows, key=itemgetter(0)))

    def candidates(self, session_id: str, generation: int) -> tuple[Candidate, ...]:
        """The population of one generation, by position."""
        rows = self._rows(
            CANDIDATES + "WHERE c.session_id = ? AND c.generation = ? ORDER BY c.position",
            known_text(session_id),
            generation,
        )
        return tuple(Candidate(*row) for row in rows)

    def search_scores(self, session_id: str, generation: int) -> dict[int, tuple[tuple[int, float], ...]]:
        """Every search measurement of a generation: candidate id -> (evaluation id, score), oldest first.

        A candidate has several when it was measured again; one without any is left out.
        """
        rows = self._rows(SEARCH_SCORES, known_text(session_id), generation)
        scores: dict[int, tuple[tuple[int, float], ...]] = {}
        for candidate, evaluation, score in rows:
            scores[candidate] = (*scores.get(candidate, ()), (evaluation, score))
        return scores

    def search(self, text: str, session_id: str | None = None, limit: int = 100) -> tuple[Candidate, ...]:
        """Candidates whose prompt holds all words of ``text``, the last one as a beginning; best match first.

        ``text`` is only words: no character in it has a special meaning, and no word finds nothing.
        """
        # Every word quoted is FTS5's plain string; a NUL would end the query in the middle.
        words = ['"' + word.replace('"', '""') + '"' for word in known_text(text).replace("\0", " ").split()]
        if not words:
            return ()
        rows = self._rows(
            CANDIDATES + "JOIN prompts_fts f ON f.rowid = p.id "
            "WHERE prompts_fts MATCH :words AND (:session IS NULL OR c.session_id = :session) "
            "ORDER BY bm25(prompts_fts), c.id DESC LIMIT :limit",
            words=" ".join(words) + "*",
            session=session_id,
            limit=limit,
        )
        return tuple(Candidate(*row) for row in rows)

    # ------------------------------------------------------------ what was drawn and written

    def find_images(
        self, prompt: str, seeds: Sequence[int], pipeline: str, scorer: str
    ) -> dict[int, ImageRecord]:
        """Stored images of a prompt by seed; only those that this scorer has embedded."""
        rows = self._rows(
            "SELECT i.id, i.sha256, i.seed, i.blank, i.red, i.green, i.blue, v.vector "
            "FROM images i JOIN image_embeddings v ON v.image_id = i.id AND v.scorer = :scorer "
            "WHERE i.prompt_id = (SELECT id FROM prompts WHERE sha256 = :prompt) AND i.pipeline = :pipeline "
            "AND i.seed IN (SELECT value FROM json_each(:seeds))",
            scorer=scorer,
            prompt=sha256(utf8("prompt", prompt)),
            pipeline=pipeline,
            seeds=json.dumps([int(seed) for seed in seeds]),
        )
        return {
            seed: ImageRecord(
                id=key,
                sha256=name,
                path=image_path(self.folder, name),
                seed=seed,
                blank=bool(blank),
                mean_rgb=(red, green, blue),
                embedding=from_blob(vector),
            )
            for key, name, seed, blank, red, green, blue, vector in rows
        }

    def find_text_embeddings(self, scorer: str, texts: Sequence[str]) -> dict[str, FloatArray]:
        """Stored unit vectors, shape (D,), of those texts that this scorer has embedded."""
        by_hash = {sha256(utf8("text", text)): text for text in texts}
        rows = self._rows(
            "SELECT sha256, vector FROM text_embeddings "
            "WHERE scorer = ? AND sha256 IN (SELECT value FROM json_each(?))",
            scorer,
            json.dumps(list(by_hash)),
        )
        return {by_hash[name]: from_blob(vector) for name, vector in rows}

    def find_writing(self, key: str) -> Writing | None:
        """What the LLM wrote for this request, if it was ever asked."""
        with self._snapshot():
            rows = self._rows("SELECT id FROM writings WHERE key = ?", key)
            return self._writing(rows[0][0]) if rows else None

    def _writing(self, writing_id: int) -> Writing:
        ((number, key, kind, prompt, rejected, fingerprint, created_at),) = self._rows(
            "SELECT w.id, w.key, w.kind, coalesce(p.text, ''), w.rejected, w.fingerprint, w.created_at "
            "FROM writings w LEFT JOIN prompts p ON p.id = w.prompt_id WHERE w.id = ?",
            writing_id,
        )
        texts = self._rows("SELECT text FROM writing_texts WHERE writing_id = ? ORDER BY position", number)
        return Writing(
            id=number,
            key=key,
            kind=kind,
            prompt=prompt,
            texts=tuple(text for (text,) in texts),
            exchanges=self._exchanges(number),
            rejected=rejected,
            fingerprint=fingerprint,
            created_at=created_at,
        )

    def _exchanges(self, writing_id: int | None) -> tuple[Exchange, ...]:
        rows = self._rows(
            "SELECT request, reply, seed, verdict FROM exchanges WHERE writing_id = ? ORDER BY position",
            writing_id,
        )
        return tuple(Exchange(*row) for row in rows)


def _summary(generation: int, rows: list[Row]) -> GenerationSummary:
    scores = [score for _, score, _ in rows if score is not None]
    images = sum(drawn for _, _, drawn in rows)
    if not scores:
        return GenerationSummary(generation, len(rows), 0, None, None, None, None, images)
    import numpy as np

    low, middle, high = (float(value) for value in np.percentile(scores, [25, 50, 75]))
    return GenerationSummary(
        generation, len(rows), len(scores), min(scores), middle, high - low, float(np.mean(scores)), images
    )


def _event(row: Row) -> Event:
    seq, session_id, kind, payload, created_at = row
    return Event(seq, session_id, kind, json.loads(payload), created_at)


def known_text(text: str) -> str:
    """The text itself where the store could hold it, else one that no row equals (no surrogate is stored)."""
    return text.encode(errors="replace").decode()
