"""Schema 11 keeps scores and totals beside their rows: an old store answers afterwards as before."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from sqlite_utils import Database
from store_samples import evaluation, image, scored, session, writing
from store_truth import SCORES, TOTALS, assert_true

from store import Store, StoreError, open_reader, open_store
from store.connection import APPLICATION_ID, DATABASE, SCHEMA_VERSION
from store.incoming import NewCandidate
from store.migrations import migrations

HERE = Path(__file__).parent
STEP = "m011_standings_and_totals"


def fill(store: Store) -> str:
    """Two sessions and a fork, measured again, failed and waiting; returns the one with most of it."""
    first, second = session(store, "first"), session(store, "second")
    cat, dog, *_ = scored(store, first, 1, ["a cat", "a dog", "an owl"], [0.5, 0.1 + 0.2, 0.3])
    store.save_evaluation(cat, evaluation(store.save_images([image("a cat", 2), image("a cat", 9)]), 1 / 3))
    confirmed = replace(evaluation(store.save_images([image("a dog", 11)]), -1.0), purpose="confirm")
    store.save_evaluation(dog, confirmed)
    written = store.save_writing(first, writing("k", "a cat", ["a red cat"]))
    child, failed = store.add_candidates(
        first,
        3,
        [NewCandidate(0, "a red cat", "mutation", cat, written), NewCandidate(1, "nothing", "random")],
    )
    store.set_candidate_state(failed, "failed", "no variations")
    store.save_evaluation(child, evaluation(store.save_images([image("a red cat", 2)]), 0.3))
    scored(store, second, 1, ["a dog"], [0.25])
    store.add_candidates(second, 2, [NewCandidate(0, "a bee", "random", dog)])
    store.fork_session(first, 1, name="fork", seed=7, config_json="{}")
    return first


def answers(folder: Path, first: str) -> dict[str, object]:
    """Everything that the step changed the way to."""
    with open_reader(folder) as reader:
        sessions = reader.sessions()
        return {
            "sessions": [replace(one, updated_at="", state="finished") for one in sessions],
            "boards": [reader.leaderboard(one.id, 99) for one in sessions],
            "generations": [reader.generations(one.id) for one in sessions],
            "families": [reader.family(one.id) for one in sessions],
            "shown": [
                (one.candidate, one.image.id, one.draw, one.draws, one.closest)
                for one in reader.best_images(first, 1)
            ],
            "measured": reader.measured([first]),
            "views": [
                reader._rows(f"SELECT * FROM {name} ORDER BY 1, 2, 3")
                for name in ("best_candidates", "candidate_scores", "generation_summary", "lineage")
            ],
        }


def as_version_10(source: Path, folder: Path) -> None:
    """Make a store as the program of schema 10 left it, with the rows of ``source``."""
    folder.mkdir()
    old = sqlite3.connect(folder / DATABASE, isolation_level=None)
    old.execute(f"PRAGMA application_id={APPLICATION_ID}")
    old.execute("PRAGMA journal_mode=WAL")
    migrations.apply(Database(old, execute_plugins=False), stop_before=STEP)
    old.execute("PRAGMA user_version=10")
    old.execute("ATTACH ? AS new", (str(source / DATABASE),))
    tables = old.execute(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE '%sqlite%'"
    ).fetchall()
    for (table,) in tables:
        columns = ", ".join(name for (name,) in old.execute(f"SELECT name FROM pragma_table_info('{table}')"))
        old.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM new.{table}")
    old.close()


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The same history twice: ``now``, written by this program, and ``model``, as schema 10 had it."""
    folder = tmp_path_factory.mktemp("stores")
    with open_store(folder / "now") as store:
        first = fill(store)
        store.interrupt_abandoned()
    as_version_10(folder / "now", folder / "model")
    return folder, first


def test_what_is_kept_while_writing_is_true(stores: tuple[Path, str]) -> None:
    assert_true(stores[0] / "now")


def test_a_migrated_store_answers_as_before(stores: tuple[Path, str], tmp_path: Path) -> None:
    folder, first = stores
    as_version_10(folder / "now", tmp_path / "old")
    with sqlite3.connect(tmp_path / "old" / DATABASE) as old:
        # As schema 10 asked for it; bit by bit, since Python's floats are compared.
        ranked = old.execute(
            SCORES.replace("ORDER BY c.id", "WHERE s.value IS NOT NULL ORDER BY c.session_id, s.value, c.id")
        ).fetchall()
        totals = old.execute(TOTALS).fetchall()
        views = [
            old.execute(f"SELECT * FROM {name} ORDER BY 1, 2, 3").fetchall()
            for name in ("best_candidates", "candidate_scores", "generation_summary", "lineage")
        ]
    old.close()
    with pytest.raises(StoreError, match="made by an older MineGap"):
        open_reader(tmp_path / "old")
    open_store(tmp_path / "old").close()
    assert_true(tmp_path / "old")
    found = answers(tmp_path / "old", first)
    assert found == answers(folder / "now", first)
    assert found["views"] == views
    with open_reader(tmp_path / "old") as reader:
        board = [
            one.id for name in sorted(one.id for one in reader.sessions()) for one in reader.leaderboard(name)
        ]
        assert board == [row[0] for row in ranked]
        assert reader._rows("SELECT * FROM session_totals ORDER BY session_id") == totals
    with open_store(tmp_path / "old") as store:  # and goes on as one that was always so
        scored(store, first, 4, ["a fox"], [0.01])
        assert store.leaderboard(first, 1)[0].prompt == "a fox"
    assert_true(tmp_path / "old")


def test_a_person_s_own_view_survives(stores: tuple[Path, str], tmp_path: Path) -> None:
    as_version_10(stores[0] / "now", tmp_path / "old")
    with sqlite3.connect(tmp_path / "old" / DATABASE) as old:
        old.execute("CREATE VIEW mine AS SELECT count(*) AS n FROM candidates")
    old.close()
    with open_store(tmp_path / "old") as store:
        assert store._rows("SELECT n FROM mine") == store._rows("SELECT count(*) FROM candidates")


def test_killed_at_any_statement_of_the_migration(stores: tuple[Path, str]) -> None:
    """The store is of the old schema or of the new one, and the next start brings it to the same answers."""
    folder, first = stores
    done = subprocess.run(
        [sys.executable, HERE / "store_migration_crash.py", folder], check=True, capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": f"{HERE}{os.pathsep}{HERE.parent.parent}"},
    )  # fmt: skip
    steps = int(done.stdout)
    assert steps > 40  # the statements of the step
    expected = answers(folder / "now", first)
    versions = set()
    for step in range(steps):
        killed = folder / str(step)
        with sqlite3.connect(killed / DATABASE) as database:
            (version,) = database.execute("PRAGMA user_version").fetchone()
            (new,) = database.execute(
                "SELECT count(*) FROM sqlite_master WHERE name = 'session_totals'"
            ).fetchone()
            (half,) = database.execute(
                "SELECT count(*) FROM sqlite_master WHERE name = 'candidates_anew'"
            ).fetchone()
        database.close()
        versions.add((version, new))
        assert not half
        open_store(killed).close()
        assert_true(killed)
        assert answers(killed, first) == expected
    # The third: it died between the step and the note of its number.
    assert versions == {(10, 0), (10, 1), (SCHEMA_VERSION, 1)}
