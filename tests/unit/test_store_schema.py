"""The schema: exactly this, from whatever version a store starts, and described for people."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from sqlite_utils import Database

from store import DATASETTE_METADATA, open_store
from store.connection import APPLICATION_ID, DATABASE, SCHEMA_VERSION
from store.migrations import migrations
from store.queries import CANDIDATES, EVENTS, SEARCH_SCORES, SESSIONS

SNAPSHOT = Path(__file__).with_name("store_schema.sql")
STEPS = [step.name for step in migrations._migrations]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    open_store(tmp_path).close()
    connection = sqlite3.connect(tmp_path / DATABASE)
    yield connection
    connection.close()


def schema(connection: sqlite3.Connection) -> str:
    """Every statement, sorted; without what SQLite, its search index and sqlite-utils make for themselves."""
    rows = connection.execute(
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
        "AND name NOT LIKE 'prompts\\_fts\\_%' ESCAPE '\\' AND tbl_name != '_sqlite_migrations' "
        "ORDER BY type, name"
    )
    return "".join(f"{sql};\n" for (sql,) in rows)


def test_the_schema_is_exactly_the_recorded_one(database: sqlite3.Connection) -> None:
    """A change of the schema is a new migration, and a change of this file:
    ``python tests/unit/test_store_schema.py > tests/unit/store_schema.sql``."""
    assert schema(database) == SNAPSHOT.read_text()


def test_the_version_counts_the_migrations(database: sqlite3.Connection) -> None:
    assert len(STEPS) == SCHEMA_VERSION
    assert database.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    assert [int(name[1:4]) for name in STEPS] == list(range(1, len(STEPS) + 1))


@pytest.mark.parametrize("reached", range(len(STEPS)))
@pytest.mark.parametrize("said", [True, False], ids=["stopped after", "died before it said so"])
def test_a_store_of_any_earlier_version_is_migrated(tmp_path: Path, reached: int, said: bool) -> None:
    connection = sqlite3.connect(tmp_path / DATABASE, isolation_level=None)
    connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
    migrations.apply(Database(connection, execute_plugins=False), stop_before=STEPS[reached])
    if reached:
        connection.execute(
            "INSERT INTO sessions (id, name, seed, config_json, models_json, state, reason, created_at, updated_at) "
            "VALUES ('S1', 'kept', 1, '{}', '{}', 'finished', '', '2026-01-01', '2026-01-01')"
        )
    if said:
        connection.execute(f"PRAGMA user_version={reached}")
    connection.close()
    with open_store(tmp_path) as store:
        kept = [(one.name, one.forked_from, one.forked_generation) for one in store.sessions()]
        assert kept == [("kept", None, None)] * bool(reached)
        assert store.create_session(name="new", seed=1, config_json="{}")
    connection = sqlite3.connect(tmp_path / DATABASE)
    assert schema(connection) == SNAPSHOT.read_text()
    assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    connection.close()


def tables(database: sqlite3.Connection) -> list[str]:
    rows = database.execute(
        "SELECT name, strict FROM pragma_table_list WHERE type = 'table' AND schema = 'main'"
    )
    found = dict(rows.fetchall())
    ours = [name for name in found if not name.startswith(("sqlite_", "_sqlite_"))]
    assert all(found[name] for name in ours)  # strict, all of them
    return ours


def test_every_table_is_strict_and_every_row_kept(database: sqlite3.Connection) -> None:
    triggers = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")}
    assert {f"{table}_are_kept" for table in tables(database)} <= triggers
    final = {name.removesuffix("_are_final") for name in triggers if name.endswith("_are_final")}
    assert set(tables(database)) - final == {"sessions", "candidates", "session_totals"}


def test_every_foreign_key_has_an_index(database: sqlite3.Connection) -> None:
    """So that following a link backwards, in Datasette or in a check, does not read whole tables."""
    for table in set(tables(database)) - {"writings", "candidates", "evaluations"}:
        for key in database.execute(f"SELECT \"from\" FROM pragma_foreign_key_list('{table}')").fetchall():
            leading = [
                database.execute(f"SELECT name FROM pragma_index_info('{index}') WHERE seqno = 0").fetchone()
                for (index,) in database.execute(f"SELECT name FROM pragma_index_list('{table}')").fetchall()
            ]
            assert key in leading, (table, key)


def test_datasette_is_told_about_every_table_and_nothing_else(database: sqlite3.Connection) -> None:
    described = yaml.safe_load(DATASETTE_METADATA.read_text())["databases"]["minegap"]["tables"]
    views = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'view'")}
    assert set(described) == set(tables(database)) | views
    for table, entry in described.items():
        columns = {name for (name,) in database.execute(f"SELECT name FROM pragma_table_xinfo('{table}')")}
        named = {*entry.get("columns", {}), *entry.get("facets", [])}
        named |= {entry[key] for key in ("label_column", "sort", "sort_desc") if key in entry}
        assert named <= columns, table
        assert entry["title"]


def test_every_view_answers(database: sqlite3.Connection) -> None:
    for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'view'").fetchall():
        assert database.execute(f"SELECT * FROM {name}").fetchall() == []


@pytest.mark.parametrize(
    "question",
    [
        CANDIDATES + "WHERE c.session_id = 'x' AND c.generation = 2",
        CANDIDATES + "WHERE c.session_id = 'x' AND c.score IS NOT NULL ORDER BY c.score, c.id LIMIT 5",
        CANDIDATES + "WHERE c.session_id = 'x' AND (c.score, c.id) > (0.5, 7) ORDER BY c.score, c.id LIMIT 5",
        CANDIDATES + "WHERE c.id = 1",
        SESSIONS + "WHERE s.id = 'x'",
        "SELECT score FROM candidate_scores WHERE candidate_id = 1",
        EVENTS + "AND kind IN ('steered', 'candidate_rescored') ORDER BY seq",
        SEARCH_SCORES,
        "SELECT * FROM events WHERE session_id = 'x' AND seq > 5 ORDER BY seq",
    ],
)
def test_what_a_screen_asks_every_second_reads_no_other_session(
    database: sqlite3.Connection, question: str
) -> None:
    """No table is read whole, whatever else the store holds."""
    for *_, step in database.execute("EXPLAIN QUERY PLAN " + question.replace("?", "1")):
        assert not step.startswith(("SCAN", "MATERIALIZE")), step


def test_importing_the_store_does_not_load_what_only_a_migration_needs() -> None:
    code = "import sys, store; print('sqlite_utils' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"


if __name__ == "__main__":
    memory = sqlite3.connect(":memory:", isolation_level=None)
    migrations.apply(Database(memory, execute_plugins=False))
    sys.stdout.write(schema(memory))
