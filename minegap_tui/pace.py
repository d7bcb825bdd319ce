"""How fast earlier sessions with the same painter went, and who is mined now: read from the store."""

from __future__ import annotations

import json
from datetime import datetime
from statistics import median
from typing import Any

from engine.config import MiningConfig
from minegap_tui.view.outlook import Pace, Turn
from minegap_tui.view.sessions import ACTIVE
from store import Reader
from store.lock import is_live
from store.records import Session

GENERATIONS = 8
"""The last ones of a session that are looked at; their median is not moved by a pause."""


def pace_of(reader: Reader, config: MiningConfig) -> Pace | None:
    """Return the pace of the newest session with the same painter; None where none has finished a generation.

    Raises:
        StoreError: the store cannot be read.
    """
    wanted = _subject(json.loads(config.model_dump_json()))
    for session in reader.sessions():
        if _subject(_config(session)) == wanted and (rate := _rate(reader, session.id)):
            each = session.bytes / session.images if session.images else 0.0
            return Pace(rate, each, session.name or session.id, session.created_at)
    return None


def turn_of(reader: Reader) -> Turn:
    """Return who would be mined before a session that is begun now.

    Raises:
        StoreError: the store cannot be read.
    """
    sessions = reader.sessions()
    waiting = sum(one.state == "queued" for one in sessions)
    running = [one for one in sessions if one.state in ACTIVE] if is_live(reader.folder) else []
    if not running:
        return Turn(waiting=waiting)
    return Turn(running[0].name or running[0].id, running[0].state == "paused", waiting)


def _subject(config: dict[str, Any]) -> tuple[object, ...]:
    """What decides how long an image takes."""
    models, painter = config.get("models"), config.get("painter")
    if not isinstance(models, dict) or not isinstance(painter, dict):
        return ()
    return (
        models.get("painter") or models.get("pack"),
        tuple(sorted(painter.items(), key=lambda item: item[0])),
    )


def _config(session: Session) -> dict[str, Any]:
    try:
        config = json.loads(session.config_json)
    except (ValueError, RecursionError):
        return {}
    return config if isinstance(config, dict) else {}


def _rate(reader: Reader, session_id: str) -> float:
    """Images a second in the typical one of its last generations; 0 where none was mined in one go."""
    begun = {
        event.payload.get("generation"): event.created_at
        for event in reader.events(session_id, kind="generation_started")
    }
    rates = []
    finished = reader.events(session_id, kind="generation_finished")[-GENERATIONS:]
    numbers = [number for event in finished if isinstance(number := event.payload.get("generation"), int)]
    images = {
        one.generation: one.images for one in reader.generations(session_id, first=min(numbers, default=0))
    }
    for event in finished:
        number = event.payload.get("generation")
        if isinstance(number, int) and number in begun and images.get(number):
            took = datetime.fromisoformat(event.created_at) - datetime.fromisoformat(begun[number])
            if took.total_seconds() > 0:
                rates.append(images[number] / took.total_seconds())
    return median(rates) if rates else 0.0
