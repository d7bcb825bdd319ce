"""Does its record give a session again: ``python -m engine.validation.replay STORE SESSION [--into DIR]``.

A new session with the same configuration begins in a fresh store. All that it is told beside that is what people
steered in the old one: the recorded commands, which count from the generations that they counted from. It is mined
with real processes, crashes and pauses left out, and must then agree with the old one to the last bit. Exit code 1
names the first thing in which it does not.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.errors import InputError, MineGapError
from engine.validation.mining import to_the_end
from engine.validation.sameness import first_difference
from store import StoreError, open_reader, open_store
from store.records import Session


def prepare(store: Path, session_id: str, fresh: Path) -> str:
    """Begin the session anew in an empty store, its record of steering included; returns its id there.

    Raises:
        InputError: it is not finished, or shares another one's beginning.
        StoreError: one of the stores cannot be used.
    """
    with open_reader(store) as reader:
        session = reader.session(session_id)
        _refuse_half(session)
        record = [event.payload for event in reader.steering(session_id) if event.kind == "steered"]
        known = [
            candidate.id
            for generation in reader.generations(session_id)
            for candidate in reader.candidates(session_id, generation.generation)
        ]
    # a store numbers candidates as they come: the n-th of the session becomes the n-th of the fresh store
    numbers = {number: place for place, number in enumerate(sorted(known), 1)}
    with open_store(fresh) as writer:
        if writer.sessions():
            raise InputError(f"The store {str(fresh)!r} holds sessions: name an empty directory.")
        again = writer.create_session(
            name=session.name,
            seed=session.seed,
            config_json=session.config_json,
            models_json=session.models_json,
        )
        for payload in record:
            command = _renamed(payload["command"], numbers, again)
            writer.append_event(again, "steered", {**payload, "command": command})
    return again


def _refuse_half(session: Session) -> None:
    if session.state != "finished":
        raise InputError(f"Session {session.id} is {session.state}: replay it when it is finished.")
    if session.forked_from is not None:
        raise InputError(
            f"Session {session.id} shares its first generations with {session.forked_from}: replay that one."
        )


def _renamed(command: object, numbers: Mapping[int, int], session_id: str) -> dict[str, Any]:
    if not isinstance(command, dict):
        raise InputError("The record holds a command that is none: use the program that mined the session.")
    own = {**command, "session_id": session_id}
    if isinstance(number := command.get("candidate_id"), int):
        own["candidate_id"] = numbers[number]
    return own


def replay(store: Path, session_id: str, fresh: Path) -> str:
    """Mine a session again in an empty store; returns the first thing in which the two differ, or nothing.

    Raises:
        InputError, MachineError, StoreError: it cannot be mined again.
    """
    again = prepare(store, session_id, fresh)
    asyncio.run(to_the_end(fresh, again))
    return first_difference((store, session_id), (fresh, again))


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay one session; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m engine.validation.replay", description=__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("session")
    parser.add_argument("--into", type=Path, help="an empty directory that keeps the replayed session")
    given = parser.parse_args(arguments)
    try:
        if given.into is not None:
            difference = replay(given.store, given.session, given.into)
        else:
            with tempfile.TemporaryDirectory(prefix="minegap-") as folder:
                difference = replay(given.store, given.session, Path(folder))
    except (MineGapError, StoreError) as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    if difference:
        sys.stdout.write(f"Session {given.session} and what its record gives differ in {difference}.\n")
        return 1
    sys.stdout.write(f"Session {given.session} is what its record gives, to the last bit.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
