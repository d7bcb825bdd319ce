"""How a side of a comparison is named, on the command line and in the list to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import InputError
from minegap_tui.view.compare import Side
from minegap_tui.view.contrast import fingerprints, model
from store import Reader
from store.records import Session

PAINTER = "painter:"


@dataclass(frozen=True)
class Choice:
    """What can be compared: one session, or all of one painter.

    Attributes:
        name: not safe to print.
        painter: whether it stands for a painter.
    """

    name: str
    sessions: tuple[Session, ...]
    painter: bool = False

    @property
    def ids(self) -> tuple[str, ...]:
        """Its sessions' ids."""
        return tuple(session.id for session in self.sessions)


def of_session(session: Session) -> Choice:
    """Return a session as a side."""
    return Choice(session.name or session.id, (session,))


def painters(sessions: Sequence[Session]) -> list[Choice]:
    """Return every painter with its sessions, the one that was used last first; sessions without one are left out."""
    by_mark: dict[str, list[Session]] = {}
    for session in sorted(sessions, key=lambda one: one.id, reverse=True):
        for mark in fingerprints((session,), "painter"):
            by_mark.setdefault(mark, []).append(session)
    return [
        Choice(f"painter {model(found[0], 'painter')}", tuple(found), painter=True)
        for found in by_mark.values()
    ]


def find_painter(sessions: Sequence[Session], given: str) -> Choice:
    """Return the painter whose fingerprint begins with ``given``, or whose name it is.

    Raises:
        InputError: none or several.
    """
    matching = [
        one
        for one in painters(sessions)
        if given
        and (
            any(mark.startswith(given) for mark in fingerprints(one.sessions, "painter"))
            or given in model(one.sessions[0], "painter").split()
        )
    ]
    if len(matching) == 1:
        return matching[0]
    known = ", ".join(one.name for one in painters(sessions)[:5]) or "none"
    if matching:
        raise InputError(f"Painter {given!r} is ambiguous ({len(matching)} are like this): write more of it.")
    raise InputError(f"No session was painted by {given!r}: the store knows {known}.")


def read_side(reader: Reader, choice: Choice) -> Side:
    """Read what a side measured."""
    return Side(choice.name, choice.sessions, reader.measured(choice.ids), reader.confirmed(choice.ids))
