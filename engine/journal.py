"""The engine's own log: its standard error, which is a file in the store. A full disk loses lines, nothing else."""

from __future__ import annotations

import asyncio
import os
import sys
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any


def log(sentence: object) -> None:
    """Write one line with time and process."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    with suppress(OSError):
        print(f"{at} process {os.getpid()}: {sentence}", file=sys.stderr, flush=True)  # noqa: T201 - the log itself


def log_mistake(error: BaseException) -> None:
    """Write where in the program an error came from that nobody foresaw."""
    log(f"a mistake in the program: {''.join(traceback.format_exception(error))}")


def watched(task: asyncio.Task[Any]) -> asyncio.Task[Any]:
    """Return a task that nobody waits for; should it end by a mistake, the log says so at once."""
    task.add_done_callback(_tell)
    return task


def _tell(task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log_mistake(error)
