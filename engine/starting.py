"""Starts an engine that stays: its own session, no terminal, no open files of ours; and hears whether it is ready.

The new process answers through a pipe with one line of the protocol: ``welcome`` when it listens, ``refused`` where
another process writes the store, or ``failed`` with the sentence and the exit code of what stands in its way.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from engine import protocol
from engine.errors import InputError, MachineError
from engine.places import LOG_NAME, open_log
from engine.wire import MAX_EVENT_BYTES, decode_event

ENGINE_MODULE = "engine.serve"
"""The module that the engine's command line names."""


async def start_engine(store: Path) -> str:
    """Start an engine for ``store`` and wait until it listens.

    Returns:
        Nothing when it does, else the sentence on another process that writes the store: an engine, perhaps.

    Raises:
        InputError: the store cannot be used.
        MachineError: the machine failed, or the process ended without a word.
    """
    reading, writing = os.pipe()
    try:
        try:
            await asyncio.to_thread(_spawn, store, writing)
        finally:
            os.close(writing)
        line = await _one_line(reading)
    finally:
        os.close(reading)
    answer = decode_event(line) if line else None
    if isinstance(answer, protocol.Welcome):
        return ""
    if isinstance(answer, protocol.Refused):
        return answer.sentence
    if isinstance(answer, protocol.Failed):
        raise (InputError if answer.exit_code == InputError.exit_code else MachineError)(answer.sentence)
    raise MachineError(
        f"The engine ended before it was ready: its last lines are in {str(store / LOG_NAME)!r}."
    )


def _spawn(store: Path, ready: int) -> None:
    """Start the process, which goes on as an orphan: its first process ends as soon as it has forked."""
    log = open_log(store)
    try:
        first = subprocess.Popen(
            # -P: a directory "engine" where the user happens to stand is not imported
            (
                sys.executable,
                "-P",
                "-m",
                ENGINE_MODULE,
                "--store",
                os.path.abspath(store),
                "--ready",
                str(ready),
            ),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(ready,),
            start_new_session=True,
            env=os.environ | {"PYTHONPATH": _absolute_python_path()},
        )
    except OSError as error:
        raise MachineError(
            f"The engine cannot be started ({error}): see {str(store / LOG_NAME)!r}."
        ) from error
    finally:
        os.close(log)
    first.wait()


def _absolute_python_path() -> str:
    """The engine leaves this directory: what is relative to it must not be."""
    return os.pathsep.join(
        os.path.abspath(part) for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part
    )


async def _one_line(descriptor: int) -> bytes:
    """Read to the end of the pipe without holding up the loop; cancellable, unlike a read in a thread."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=MAX_EVENT_BYTES + 2)
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(os.dup(descriptor), "rb", buffering=0)
    )
    try:
        return await reader.readline()
    finally:
        transport.close()
