"""What every table of times says of itself: the command, the day, the machine and what else it did."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime


def head(command: str) -> str:
    """Return the beginning of a table's first sentence."""
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    beside = ""
    if os.sched_getscheduler(0) != os.SCHED_OTHER:
        beside = ", ahead of which these programs ran (chrt -r 1)"
    elif nice:
        beside = f", {'behind' if nice > 0 else 'ahead of'} which these programs ran (nice {nice})"
    return (
        f"`python -m {command}`, {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} CPU cores ({platform.machine()}), "
        f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}{beside}"
    )
