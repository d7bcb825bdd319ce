"""The one writer, first half: transactions, sessions, events, candidates and what the LLM wrote.

Each ``save`` and ``add`` is one transaction that is on the disk when the call returns. Calling it again with
the same values changes nothing and returns the same ids: that is how a resumed session walks over what it
already has. Everything is checked before anything is written.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

from store.codec import integer, now, sha256, ulid, utf8
from store.errors import StoreError, explained
from store.evidence import EvidenceQueries
from store.fork import fork
from store.incoming import NewCandidate, NewWriting
from store.lock import WriterLock
from store.vocabulary import CandidateState, Origin, SessionState, WritingKind


class Writer(EvidenceQueries):
    """What ``store.Store`` is made of; see there."""

    def __init__(self, connection: sqlite3.Connection, folder: Path, lock: WriterLock) -> None:
        super().__init__(connection, folder)
        self._writer_lock: WriterLock | None = lock

    def close(self, *, clean: bool = True) -> None:
        """Close the database and let the next writer in; a second call does nothing.

        Args:
            clean: whether the next writer may take the store as it is; else it checks (``store.open_store``).
        """
        with self._lock:
            try:
                super().close()
            finally:
                if self._writer_lock is not None:
                    self._writer_lock.release(clean=clean)
                    self._writer_lock = None

    def _refuse_moved(self) -> None:
        # The database's open files would go with the directory, and everything written with them.
        if self._writer_lock is not None and not self._writer_lock.in_place():
            raise StoreError(
                f"The store {self.folder} was moved, deleted or replaced while it was open: put the same directory "
                "back and resume the session, or stop it.",
                3,
            )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, explained(self.folder):
            self._refuse_moved()
            # Left open where the disk did not even allow the ROLLBACK below.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
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

    def interrupt_abandoned(self) -> None:
        """Mark sessions that still claim to be running: with no other writer, their engine must have died.

        Queued ones stay so: nobody had begun them.
        """
        with self._transaction() as database:
            database.execute(
                "UPDATE sessions SET state = 'interrupted', updated_at = ?, "
                "reason = 'its engine ended without a word' WHERE state IN ('mining', 'paused', 'stopping')",
                (now(),),
            )

    def create_session(
        self,
        *,
        name: str,
        seed: int,
        config_json: str,
        models_json: str = "",
        state: SessionState = "queued",
        command_id: str | None = None,
    ) -> str:
        """Begin a session; returns its ULID.

        Args:
            models_json: the models' fingerprints; "" where they are not loaded yet (``set_session_models``).
            command_id: of the command that begins it; again with the same one, that session is returned.
        """
        one_of("session's state", state, get_args(SessionState))
        with self._transaction() as database:
            return self.session_begun_by(command_id) or self._new_session(
                database, name, seed, config_json, models_json, state, command_id
            )

    def session_begun_by(self, command_id: str | None) -> str | None:
        """The session that a command began, if it did."""
        rows = self._rows("SELECT id FROM sessions WHERE command_id = ?", command_id)
        return str(rows[0][0]) if rows else None

    def fork_session(
        self,
        source_id: str,
        generation: int,
        *,
        name: str,
        seed: int,
        config_json: str,
        models_json: str | None = None,
        command_id: str | None = None,
    ) -> str:
        """Begin a session, ``queued``, that shares another's generations up to ``generation``; returns its ULID.

        Copied in one transaction, with ids of its own: candidates, their evaluations and the record of steering,
        as it stood when the next generation was about to be bred (``store.fork``). Images and writings are
        shared. A generation that is not finished is copied as far as it is.

        Args:
            models_json: fingerprints that its models must have; None for those of the source.
            command_id: of the command that forks it; again with the same one, that session is returned.

        Raises:
            StoreError: there is no such session or generation, or its record is not whole (exit 2).
        """
        number = integer("generation", generation)
        with self._transaction() as database:
            if (known := self.session_begun_by(command_id)) is not None:
                return known
            source = self.session(source_id)
            if models_json is None:
                models_json = source.models_json
            target = self._new_session(database, name, seed, config_json, models_json, "queued", command_id)
            fork(database, source, number, target)
        return target

    def _new_session(
        self,
        database: sqlite3.Connection,
        name: str,
        seed: int,
        config_json: str,
        models_json: str,
        state: SessionState,
        command_id: str | None,
    ) -> str:
        for what, text in (("name", name), ("configuration", config_json), ("list of models", models_json)):
            utf8(f"session's {what}", text)
        session_id, at = ulid(), now()
        database.execute(
            "INSERT INTO sessions (id, name, seed, config_json, models_json, state, reason, created_at, "
            "updated_at, command_id) VALUES (?, ?, ?, ?, ?, ?, '', ?, ?, ?)",
            (
                *(session_id, name, integer("session's seed", seed), config_json, models_json, state),
                *(at, at, command_id),
            ),
        )
        return session_id

    def set_session_models(self, session_id: str, models_json: str) -> None:
        """Record the fingerprints of a session's models once they are loaded; the same ones again are fine.

        Args:
            models_json: a JSON object; models that were not recorded yet may be among them.

        Raises:
            StoreError: other ones are recorded (exit 2), since everything mined in it belongs to those.
        """
        utf8("session's list of models", models_json)
        with self._transaction() as database:
            stored = self.session(session_id).models_json
            if stored not in ("", models_json) and not _holds(models_json, stored):
                raise StoreError(
                    f"Session {session_id} is mined with the models {stored}, not with {models_json}: put those "
                    "back, or start a new session.",
                    2,
                )
            database.execute("UPDATE sessions SET models_json = ? WHERE id = ?", (models_json, session_id))

    def set_session_state(self, session_id: str, state: SessionState, reason: str = "") -> None:
        """Say where a session stands, and why if that needs saying."""
        one_of("session's state", state, get_args(SessionState))
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
            payload: anything that JSON can hold; a text in it may hold any character, lone surrogates too.
        """
        utf8("event's kind", kind)
        try:
            # ASCII: what no text column can hold (an error that quotes an odd file name) survives escaped
            text = json.dumps(payload, allow_nan=False, ensure_ascii=True)
        except ValueError:
            raise StoreError(f"The event {kind} holds NaN or infinity: it was not stored.", 3) from None
        with self._transaction() as database:
            cursor = database.execute(
                "INSERT INTO events (session_id, kind, payload, created_at) VALUES (?, ?, ?, ?)",
                (session_id, kind, text, now()),
            )
        return new_id(cursor)

    # ------------------------------------------------------------ candidates

    def add_candidates(
        self, session_id: str, generation: int, candidates: Sequence[NewCandidate]
    ) -> list[int]:
        """Put candidates into a generation; returns their ids in order.

        A place (generation, position) that already holds the same prompt is left alone.

        Raises:
            StoreError: a place already holds another prompt (exit 3): the session is not being repeated.
        """
        for new in candidates:
            one_of("candidate's origin", new.origin, get_args(Origin))
        ids = []
        with self._transaction() as database:
            for new in candidates:
                prompt_id = self._prompt_id(new.prompt)
                database.execute(
                    "INSERT INTO candidates (session_id, generation, position, prompt_id, origin, parent_id, "
                    "writing_id, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
                    "ON CONFLICT (session_id, generation, position) DO NOTHING",
                    (
                        session_id,
                        generation,
                        new.position,
                        prompt_id,
                        new.origin,
                        new.parent_id,
                        new.writing_id,
                        now(),
                    ),
                )
                number, stored = database.execute(
                    "SELECT id, prompt_id FROM candidates "
                    "WHERE session_id = ? AND generation = ? AND position = ?",
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
        one_of("candidate's state", state, get_args(CandidateState))
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
        (number,) = self._connection.execute("SELECT id FROM prompts WHERE sha256 = ?", (name,)).fetchone()
        return int(number)

    # ------------------------------------------------------------ writings

    def save_writing(self, session_id: str, writing: NewWriting) -> int:
        """Store what the LLM wrote with every exchange; returns the writing's id.

        A key that is stored already keeps its first writing.
        """
        one_of("writing's kind", writing.kind, get_args(WritingKind))
        for text in writing.texts:
            utf8("LLM's text", text)
        for exchange in writing.exchanges:
            utf8("request to the LLM", exchange.request)
            utf8("LLM's reply", exchange.reply)
            utf8("verdict on the LLM's reply", exchange.verdict)
        seeds = [integer("sampler's seed", exchange.seed) for exchange in writing.exchanges]
        with self._transaction() as database:
            known = database.execute("SELECT id FROM writings WHERE key = ?", (writing.key,)).fetchone()
            if known is not None:
                return int(known[0])
            prompt_id = self._prompt_id(writing.prompt) if writing.prompt else None
            cursor = database.execute(
                "INSERT INTO writings (key, session_id, kind, prompt_id, fingerprint, rejected, created_at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    writing.key,
                    session_id,
                    writing.kind,
                    prompt_id,
                    writing.fingerprint,
                    writing.rejected,
                    now(),
                ),
            )
            writing_id = new_id(cursor)
            database.executemany(
                "INSERT INTO writing_texts (writing_id, position, text) VALUES (?, ?, ?)",
                [(writing_id, position, text) for position, text in enumerate(writing.texts)],
            )
            database.executemany(
                "INSERT INTO exchanges (writing_id, position, seed, request, reply, verdict) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (writing_id, position, seed, one.request, one.reply, one.verdict)
                    for position, (seed, one) in enumerate(zip(seeds, writing.exchanges, strict=True))
                ],
            )
        return writing_id


def _holds(models_json: str, stored: str) -> bool:
    """Whether one list of models has all of another."""
    models = json.loads(models_json)
    return all(models.get(role) == name for role, name in json.loads(stored).items())


def new_id(cursor: sqlite3.Cursor) -> int:
    """The key of the row that was just inserted."""
    assert cursor.lastrowid is not None  # true after every INSERT
    return cursor.lastrowid


def one_of(name: str, value: str, allowed: Sequence[str]) -> None:
    """Refuse a word that is not in a column's vocabulary.

    Raises:
        StoreError: naming the words that are (exit 2).
    """
    if value not in allowed:
        raise StoreError(f"The {name} {value!a} is none of {', '.join(allowed)}.", 2)
