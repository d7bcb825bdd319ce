"""The engine's own log: its standard error, which is a file in the store. A full disk loses lines, nothing else."""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import suppress
from datetime import UTC, datetime


def log(sentence: object) -> None:
    """Write one line with time and process."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    with suppress(OSError):
        print(f"{at} process {os.getpid()}: {sentence}", file=sys.stderr, flush=True)  # noqa: T201 - the log itself


def log_mistake(error: BaseException) -> None:
    """Write where in the program an error came from that nobody foresaw."""
    log(f"a mistake in the program: {''.join(traceback.format_exception(error))}")
