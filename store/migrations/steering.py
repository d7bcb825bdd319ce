"""Forks, the record of the user's hand, and whose command began a session."""

from __future__ import annotations

from sqlite_utils import Database


def m008_forks_and_steering(db: Database) -> None:
    """Sessions that share the beginning of another one, and the record of the user's hand as a table.

    Since this step a session may also be in the state ``queued``, and ``models_json`` is empty until its models
    were loaded for the first time.
    """
    db.execute(
        "ALTER TABLE sessions ADD COLUMN forked_from /* whose first generations were copied into it, rows and "
        "steering; null where it began by itself */ TEXT REFERENCES sessions(id)"
    )
    db.execute(
        "ALTER TABLE sessions ADD COLUMN forked_generation /* the last generation it shares */ INTEGER "
        "CHECK ((forked_from IS NULL) = (forked_generation IS NULL))"
    )
    db.execute("CREATE INDEX sessions_by_source ON sessions(forked_from)")
    db.execute(
        """
CREATE VIEW steering AS
-- what people changed by hand: a command counts from the breeding of its generation on
SELECT session_id, seq, created_at AS time,
       json_extract(payload, '$.author') AS author,
       json_extract(payload, '$.command.type') AS command,
       json_extract(payload, '$.generation') AS generation,
       json_extract(payload, '$.sentence') AS sentence,
       json_extract(payload, '$.command') AS details
FROM events
WHERE kind = 'steered'"""
    )


def m009_sessions_know_their_command(db: Database) -> None:
    """A client that asks again for a session, not knowing whether it was heard, gets the one it has."""
    db.execute(
        "ALTER TABLE sessions ADD COLUMN command_id /* the client's id of the command that began it; null before "
        "this was kept */ TEXT"
    )
    db.execute("CREATE UNIQUE INDEX sessions_by_command ON sessions(command_id)")
