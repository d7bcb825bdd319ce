"""Dies by SIGKILL after every statement of bringing an old store up to date, each time in a fresh copy of it.

A program of its own, as ``store_crash.py``: ``python store_migration_crash.py FOLDER`` makes FOLDER/0, FOLDER/1, … of
FOLDER/model and prints their number.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import sys
from pathlib import Path

from store import open_store


def die_after(steps: int, folder: Path) -> None:
    """Open the store and end at the given step of it; return where there are fewer steps."""
    left = steps

    def count(*_: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    class Counted(sqlite3.Connection):
        def __init__(self, *arguments: object, **named: object) -> None:
            super().__init__(*arguments, **named)  # type: ignore[arg-type]
            self.set_trace_callback(count)  # called before each statement

    sqlite3.connect = Counted  # type: ignore[misc,assignment]
    open_store(folder)
    count()  # after the last one


def main(folder: Path) -> None:
    # What a migration loads is loaded once, not by every child.
    import store.migrations  # noqa: F401

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
