"""Dies by SIGKILL after every single step of saving a batch of images, each time in a fresh copy of a store.

A step is one synchronisation, one rename or one SQL statement. Run as a program of its own, so that it forks
from a process without threads: ``python store_crash.py FOLDER`` makes FOLDER/0, FOLDER/1, … and prints their
number.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from store_samples import image, session

from store import open_store

FIRST = [image("before", seed) for seed in (0, 2)]
SECOND = [image("during", seed) for seed in (0, 2)]


def die_after(steps: int, folder: Path) -> None:
    """Save a second batch and end at the given step of it; return where there are fewer steps."""
    store = open_store(folder)
    store.set_session_state(store.sessions()[0].id, "mining")
    left = steps

    def count(*_: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def counted(function: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object) -> object:
            result = function(*arguments)
            count()
            return result

        return call

    os.fsync = counted(os.fsync)  # type: ignore[assignment]
    os.rename = counted(os.rename)  # type: ignore[assignment]
    store._connection.set_trace_callback(count)  # called before each statement
    store.save_images(SECOND)
    count()  # after the last one


def main(folder: Path) -> None:
    with open_store(folder / "model") as store:
        session(store)
        store.save_images(FIRST)
    for steps in range(1000):
        shutil.copytree(folder / "model", folder / str(steps))
        child = os.fork()
        if child == 0:
            die_after(steps, folder / str(steps))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            print(steps)  # noqa: T201 - its answer
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]))
