"""The one writer. Each ``save`` and ``add`` is one transaction that is on the disk when the call returns.

Calling any of them again with the same values changes nothing and returns the same ids: that is how a resumed
session walks over what it already has. Every text is checked before anything is written.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike

from store.codec import finite, integer, now, sha256, to_blob, ulid, utf8
from store.errors import StoreError, explained
from store.evidence import EvidenceQueries
from store.images import find_orphans, write_files
from store.lock import WriterLock
from store.records import (
    CandidateState,
    NewCandidate,
    NewEvaluation,
    NewImage,
    NewWriting,
    SessionState,
)


class Store(EvidenceQueries):
    """A store open for writing; made by ``store.open_store``. Closes with ``with`` or ``close``.

    Safe to use from several threads: they take turns.

    All methods that write raise StoreError: exit 3 where the disk is full or cannot be written (nothing of that
    call is kept then, and it can be repeated once there is room), exit 2 for a text or a number that cannot be
    stored or an id that does not exist.
    """

    def __init__(self, connection: sqlite3.Connection, folder: Path, lock: WriterLock) -> None:
        super().__init__(connection, folder)
        self._writer_lock: WriterLock | None = lock
        # No other writer exists, so whatever was going on in here ended with its process.
        with self._transaction() as database:
            database.execute(
                "UPDATE sessions SET state = 'interrupted', updated_at = ?, "
                "reason = 'its engine ended without a word' WHERE state IN ('mining', 'paused', 'stopping')",
                (now(),),
            )

    def close(self) -> None:
        """Close the database and let the next writer in; a second call does nothing."""
        with self._lock:
            super().close()
            if self._writer_lock is not None:
                self._writer_lock.release()
                self._writer_lock = None

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, explained(self.folder):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                # SQLite itself may have rolled back already (disk full)
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    # ------------------------------------------------------------ sessions and events

    def create_session(self, *, name: str, seed: int, config_json: str, models_json: str) -> str:
        """Begin a session, in state ``mining``; returns its ULID."""
        for what, text in (("name", name), ("configuration", config_json), ("list of models", models_json)):
            utf8(f"session's {what}", text)
        session_id, at = ulid(), now()
        with self._transaction() as database:
            database.execute(
                "INSERT INTO sessions (id, name, seed, config_json, models_json, state, reason, created_at, updated_at) "
                "VALUES (?, ?, ?, ?, ?, 'mining', '', ?, ?)",
                (session_id, name, integer("session's seed", seed), config_json, models_json, at, at),
            )
        return session_id

    def set_session_state(self, session_id: str, state: SessionState, reason: str = "") -> None:
        """Say where a session stands, and why if that needs saying."""
        _one_of("session's state", state, get_args(SessionState))
        utf8("reason", reason)
        with self._transaction() as database:
            changed = database.execute(
                "UPDATE sessions SET state = ?, reason = ?, updated_at = ? WHERE id = ?",
                (state, reason, now(), session_id),
            )
            if changed.rowcount != 1:
                raise StoreError(f"There is no session {session_id!a} in {self.folder}.", 2)

    def append_event(self, session_id: str, kind: str, payload: Mapping[str, object]) -> int:
        """Add a line to the record; returns its sequence number, which only rises.

        Args:
            payload: anything that JSON can hold; a text in it may hold any character.
        """
        utf8("event's kind", kind)
        try:
            # ASCII: lone surrogates (a file name of odd bytes in an error, say) survive as escapes
            text = json.dumps(payload, allow_nan=False, ensure_ascii=True)
        except ValueError:
            raise StoreError(f"The event {kind} holds NaN or infinity: it was not stored.", 3) from None
        with self._transaction() as database:
            cursor = database.execute(
                "INSERT INTO events (session_id, kind, payload, created_at) VALUES (?, ?, ?, ?)",
                (session_id, kind, text, now()),
            )
        return _new_id(cursor)

    # ------------------------------------------------------------ candidates

    def add_candidates(
        self, session_id: str, generation: int, candidates: Sequence[NewCandidate]
    ) -> list[int]:
        """Put candidates into a generation; returns their ids in order.

        A place (generation, position) that already holds the same prompt is left alone.

        Raises:
            StoreError: a place already holds another prompt (exit 3): the session is not being repeated exactly.
        """
        ids = []
        with self._transaction() as database:
            for new in candidates:
                prompt_id = self._prompt_id(new.prompt)
                database.execute(
                    "INSERT INTO candidates (session_id, generation, position, prompt_id, origin, parent_id, "
                    "writing_id, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                    (
                        session_id, generation, new.position, prompt_id, new.origin, new.parent_id,
                        new.writing_id, now(),
                    ),
                )  # fmt: skip
                number, stored = database.execute(
                    "SELECT id, prompt_id FROM candidates WHERE session_id = ? AND generation = ? AND position = ?",
                    (session_id, generation, new.position),
                ).fetchone()
                if stored != prompt_id:
                    raise StoreError(
                        f"Place {new.position} of generation {generation} already holds another prompt: the "
                        "models or their settings have changed since, so start a new session.",
                        3,
                    )
                ids.append(number)
        return ids

    def set_candidate_state(self, candidate_id: int, state: CandidateState, reason: str = "") -> None:
        """Say where a candidate stands; ``scored`` is set by ``save_evaluation`` itself."""
        _one_of("candidate's state", state, get_args(CandidateState))
        utf8("reason", reason)
        with self._transaction() as database:
            changed = database.execute(
                "UPDATE candidates SET state = ?, reason = ? WHERE id = ?", (state, reason, candidate_id)
            )
            if changed.rowcount != 1:
                raise StoreError(f"There is no candidate {candidate_id} in {self.folder}.", 2)

    def _prompt_id(self, text: str) -> int:
        """The row of a prompt, made if there is none; inside a transaction."""
        name = sha256(utf8("prompt", text))
        self._connection.execute(
            "INSERT INTO prompts (sha256, text) VALUES (?, ?) ON CONFLICT DO NOTHING", (name, text)
        )
        row: tuple[int] = self._connection.execute(
            "SELECT id FROM prompts WHERE sha256 = ?", (name,)
        ).fetchone()
        return row[0]

    # ------------------------------------------------------------ images and embeddings

    def save_images(self, images: Sequence[NewImage]) -> list[int]:
        """Store a batch: the files first, durably, then all rows at once; returns the images' ids in order.

        An image (prompt, seed, pipeline) that is stored already keeps its first file and numbers; an embedding
        by a scorer that it did not have is added.
        """
        names = [sha256(image.png) for image in images]
        rows = [
            (
                integer("image's seed", image.seed), image.pipeline, name, len(image.png), image.width, image.height,
                int(image.blank), *(finite("image's mean colour", value) for value in image.mean_rgb),
                image.batch_size,
            )
            for image, name in zip(images, names, strict=True)
        ]  # fmt: skip
        vectors = [to_blob("image's embedding", image.embedding, (None,)) for image in images]
        ids = []
        with self._lock, explained(self.folder):
            write_files(self.folder, dict(zip(names, (image.png for image in images), strict=True)))
            with self._transaction() as database:
                for image, row, vector in zip(images, rows, vectors, strict=True):
                    prompt_id = self._prompt_id(image.prompt)
                    database.execute(
                        "INSERT INTO images (seed, pipeline, sha256, bytes, width, height, blank, red, green, blue, "
                        "batch_size, prompt_id, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                        "ON CONFLICT (prompt_id, seed, pipeline) DO NOTHING",
                        (*row, prompt_id, now()),
                    )
                    (image_id,) = database.execute(
                        "SELECT id FROM images WHERE prompt_id = ? AND seed = ? AND pipeline = ?",
                        (prompt_id, row[0], image.pipeline),
                    ).fetchone()
                    database.execute(
                        "INSERT INTO image_embeddings (image_id, scorer, vector) VALUES (?, ?, ?) "
                        "ON CONFLICT DO NOTHING",
                        (image_id, image.scorer, vector),
                    )
                    ids.append(image_id)
        return ids

    def save_text_embeddings(self, scorer: str, vectors: Mapping[str, ArrayLike]) -> None:
        """Store unit vectors, shape (D,), of texts; a text that this scorer has embedded before keeps its vector."""
        rows = [
            (scorer, sha256(utf8("text", text)), text, to_blob("text's embedding", vector, (None,)))
            for text, vector in vectors.items()
        ]
        with self._transaction() as database:
            database.executemany(
                "INSERT INTO text_embeddings (scorer, sha256, text, vector) VALUES (?, ?, ?, ?) "
                "ON CONFLICT DO NOTHING",
                rows,
            )

    # ------------------------------------------------------------ writings

    def save_writing(self, session_id: str, writing: NewWriting) -> int:
        """Store what the LLM wrote with every exchange; returns the writing's id.

        A key that is stored already keeps its first writing.
        """
        for text in writing.texts:
            utf8("LLM's text", text)
        for exchange in writing.exchanges:
            utf8("request to the LLM", exchange.request)
            utf8("LLM's reply", exchange.reply)
            utf8("verdict on the LLM's reply", exchange.verdict)
        with self._transaction() as database:
            known = database.execute("SELECT id FROM writings WHERE key = ?", (writing.key,)).fetchone()
            if known is not None:
                return int(known[0])
            cursor = database.execute(
                "INSERT INTO writings (key, session_id, kind, prompt_id, fingerprint, rejected, created_at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    writing.key, session_id, writing.kind,
                    self._prompt_id(writing.prompt) if writing.prompt else None,
                    writing.fingerprint, writing.rejected, now(),
                ),
            )  # fmt: skip
            writing_id = _new_id(cursor)
            database.executemany(
                "INSERT INTO writing_texts (writing_id, position, text) VALUES (?, ?, ?)",
                [(writing_id, position, text) for position, text in enumerate(writing.texts)],
            )
            database.executemany(
                "INSERT INTO exchanges (writing_id, position, seed, request, reply, verdict) VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (
                        writing_id,
                        position,
                        integer("sampler's seed", one.seed),
                        one.request,
                        one.reply,
                        one.verdict,
                    )
                    for position, one in enumerate(writing.exchanges)
                ],
            )
        return writing_id

    # ------------------------------------------------------------ evaluations

    def save_evaluation(self, candidate_id: int, new: NewEvaluation) -> int:
        """Store a measurement and mark its candidate ``scored``, together; returns the evaluation's id.

        A different measurement of the same candidate is added beside the old one; the latest of purpose
        ``search`` is the one that ranks.

        Raises:
            StoreError: a shape that does not fit, NaN or infinity (exit 3), an unknown image id (exit 2).
        """
        height, width = len(new.variations), len(new.images)
        similarity = to_blob("similarity matrix", new.similarity, (height, width))
        coverage = _column("coverage", new.coverage, height)
        alignment = _column("alignment", new.alignment, width)
        scores = {metric: finite(f"score {metric}", value) for metric, value in new.scores.items()}
        if new.score_name not in scores:
            raise StoreError(f"The score {new.score_name} that ranks is not among the computed ones.", 3)
        missed = {int(index) for index in new.missed}
        variations = [
            (position, text, coverage[position], int(position in missed))
            for position, text in enumerate(new.variations)
        ]
        images = [(position, int(image), alignment[position]) for position, image in enumerate(new.images)]
        content = json.dumps(
            [new.purpose, new.score_name, new.writing_id, variations, images, sorted(scores.items())]
        )
        digest = sha256(content.encode() + similarity)
        for text in new.variations:
            utf8("variation", text)
        with self._transaction() as database:
            known = database.execute(
                "SELECT id FROM evaluations WHERE candidate_id = ? AND digest = ?", (candidate_id, digest)
            ).fetchone()
            if known is not None:
                return int(known[0])
            cursor = database.execute(
                "INSERT INTO evaluations (candidate_id, purpose, score_name, variations, images, similarity, "
                "writing_id, digest, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    candidate_id, new.purpose, new.score_name, height, width, similarity, new.writing_id, digest,
                    now(),
                ),
            )  # fmt: skip
            evaluation_id = _new_id(cursor)
            database.executemany(
                "INSERT INTO evaluation_variations (evaluation_id, position, text, coverage, missed) "
                f"VALUES ({evaluation_id}, ?, ?, ?, ?)",
                variations,
            )
            database.executemany(
                "INSERT INTO evaluation_images (evaluation_id, position, image_id, alignment) "
                f"VALUES ({evaluation_id}, ?, ?, ?)",
                images,
            )
            database.executemany(
                f"INSERT INTO scores (evaluation_id, metric, value) VALUES ({evaluation_id}, ?, ?)",
                sorted(scores.items()),
            )
            database.execute(
                "UPDATE candidates SET state = 'scored', reason = '' WHERE id = ?", (candidate_id,)
            )
        return evaluation_id

    # ------------------------------------------------------------ house-keeping

    def orphans(self) -> tuple[Path, ...]:
        """Image files without a row, left by a writer that was killed; harmless but for the room they take."""
        with self._lock, explained(self.folder):
            known = {name for (name,) in self._rows("SELECT DISTINCT sha256 FROM images")}
            return tuple(find_orphans(self.folder, known))

    def remove_orphans(self) -> tuple[Path, ...]:
        """Delete those files; returns what is gone. Rows are never touched, nor files that a row names."""
        with self._lock, explained(self.folder):
            paths = self.orphans()
            for path in paths:
                path.unlink()
            return paths


def _new_id(cursor: sqlite3.Cursor) -> int:
    assert cursor.lastrowid is not None  # true after every INSERT
    return cursor.lastrowid


def _column(name: str, values: ArrayLike, length: int) -> list[float]:
    to_blob(name, values, (length,))  # for its checks
    return [float(value) for value in np.asarray(values)]


def _one_of(name: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise StoreError(f"The {name} {value!a} is none of {', '.join(allowed)}.", 2)
