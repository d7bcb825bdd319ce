"""The sessions of a store as the home screen lists them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from store.records import Session

ACTIVE = frozenset({"mining", "paused", "stopping"})
"""States in which an engine works on a session."""


@dataclass(frozen=True)
class Listed:
    """A session as it is now.

    Attributes:
        state: the stored one; ``interrupted`` where the store still says that an engine works on it, and none does.
        place: its place in the queue, from 1; 0 when it does not wait.
    """

    session: Session
    state: str
    place: int

    @property
    def live(self) -> bool:
        """Whether an engine works on it or has it in its queue."""
        return self.state in ACTIVE or self.state == "queued"


def listed(sessions: Sequence[Session], *, engine: bool) -> list[Listed]:
    """Return sessions as they are now, newest first.

    Args:
        engine: whether an engine holds the store.
    """
    waiting = sorted(
        (session for session in sessions if session.state == "queued"),
        key=lambda session: (session.updated_at, session.id),
    )
    places = {session.id: place for place, session in enumerate(waiting, 1)}
    return [
        Listed(
            session,
            "interrupted" if session.state in ACTIVE and not engine else session.state,
            places.get(session.id, 0),
        )
        for session in sorted(sessions, key=lambda session: session.id, reverse=True)
    ]


def models(session: Session) -> str:
    """Return the names of a session's models as its configuration has them; not safe to print."""
    try:
        config = json.loads(session.config_json)
        named = config["models"]
        parts = [named.get(role) for role in ("painter", "scorer", "writer")]
        names = [str(name).rstrip("/").rsplit("/", 1)[-1] for name in parts if name]
        return " · ".join([str(named["pack"]), *names] if named.get("pack") else names)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return ""


def matching(sessions: Iterable[Listed], text: str) -> list[Listed]:
    """Return the sessions whose name, id, state, models or start hold every word of ``text``."""
    words = text.casefold().split()
    return [one for one in sessions if all(word in _searched(one) for word in words)]


def _searched(one: Listed) -> str:
    session = one.session
    return f"{session.name}\n{session.id}\n{one.state}\n{models(session)}\n{session.created_at}".casefold()
