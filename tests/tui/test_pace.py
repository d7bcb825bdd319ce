"""How fast earlier sessions went, as the store knows it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from factory import fill

from engine.config import MiningConfig
from engine.config_sources import load_config
from minegap_tui.pace import pace_of, turn_of
from store import open_reader, open_store


def mined(directory: Path, config: MiningConfig, minutes: tuple[int, ...], name: str = "old") -> str:
    """A session whose generations of 8 images took so long."""
    session = fill(directory, generations=len(minutes), population=2, images=4, variations=4, name=name)
    with open_store(directory) as store:
        for number in range(1, len(minutes) + 1):
            for kind in ("generation_started", "generation_finished"):
                store.append_event(session, kind, {"generation": number})
    database = sqlite3.connect(directory / "minegap.db")
    with database:
        for (trigger,) in database.execute(
            "SELECT name FROM sqlite_master WHERE name = 'events_are_final'"
        ).fetchall():
            database.execute(f"DROP TRIGGER {trigger}")
        for number, took in enumerate(minutes, 1):
            for kind, minute in (("generation_started", 0), ("generation_finished", took)):
                database.execute(
                    "UPDATE events SET created_at = ? WHERE session_id = ? AND kind = ? AND payload = ?",
                    (
                        f"2026-11-20T{number:02d}:{minute:02d}:00.000000Z",
                        session,
                        kind,
                        json.dumps({"generation": number}),
                    ),
                )
        database.execute(
            "UPDATE sessions SET config_json = ? WHERE id = ?", (config.model_dump_json(), session)
        )
    database.close()
    return session


def test_the_typical_generation_counts_whatever_one_was_paused(tmp_path: Path) -> None:
    config = load_config()
    mined(tmp_path, config, (1, 50, 1, 1))
    with open_reader(tmp_path) as reader:
        pace = pace_of(reader, config)
    assert pace is not None
    assert pace.images_per_second == 8 / 60
    assert pace.session == "old"
    assert 100 < pace.bytes_per_image < 10_000


def test_only_the_same_painter_counts_and_the_newest_session_first(tmp_path: Path) -> None:
    config = load_config()
    other = load_config(None, {"painter": {"steps": 50}})
    smaller = load_config(None, {"search": {"images": 8}, "session": {"name": "x"}})
    with open_store(tmp_path) as store:
        store.create_session(name="", seed=1, config_json="no json", models_json="{}", state="interrupted")
    mined(tmp_path, config, (2,), "older")
    mined(tmp_path, config, (1,), "newer")
    mined(tmp_path, other, (4,), "other")
    with open_reader(tmp_path) as reader:
        for wanted, name in ((config, "newer"), (smaller, "newer"), (other, "other")):
            pace = pace_of(reader, wanted)
            assert pace is not None
            assert pace.session == name
        assert pace_of(reader, load_config(None, {"models": {"painter": "drawing:planted"}})) is None


def test_a_session_that_finished_nothing_says_nothing(tmp_path: Path) -> None:
    config = load_config()
    with open_store(tmp_path) as store:
        store.create_session(name="", seed=1, config_json=config.model_dump_json(), models_json="{}")
    with open_reader(tmp_path) as reader:
        assert pace_of(reader, config) is None


def test_whose_turn_it_is(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        first = store.create_session(name="first", seed=1, config_json="{}", state="paused")
        store.create_session(name="second", seed=1, config_json="{}")
        with open_reader(tmp_path) as reader:
            turn = turn_of(reader)
            assert (turn.running, turn.paused, turn.waiting) == ("first", True, 1)
            store.set_session_state(first, "interrupted")
            turn = turn_of(reader)
            assert (turn.running, turn.waiting) == ("", 1)
            store.set_session_state(first, "mining")
    with open_reader(
        tmp_path
    ) as reader:  # no engine: it only says that it is mined; what is queued goes first
        turn = turn_of(reader)
        assert (turn.running, turn.waiting) == ("", 1)
