"""From a key to what it changes on the screen."""

from __future__ import annotations

import time
from itertools import cycle
from pathlib import Path

from benchmarks.terminal.line import Line
from benchmarks.terminal.startup import SHOW

FOLLOW = (
    "import sys; from pathlib import Path; from minegap_tui import terminal; asking = terminal.ask();"
    "from minegap_tui.launch import run_app; sys.exit(run_app(Path(sys.argv[1]), sys.argv[2], asking.prepared()))"
)
"""The session that an engine mines."""
FOLLOWING, HOLDING = b"following", b"holding"
_REST = 0.13
"""Between two keys, so that they meet the timer of the redraws at all of its phases."""
_FAR = 12
_MBIT = 125_000.0


def followed(store: Path, session_id: str, **environment: str) -> Line:
    """Return a terminal that follows a live session and has its leaderboard on the screen."""
    line = Line(["-c", FOLLOW, str(store), session_id], **environment)
    line.until(FOLLOWING)
    return line


def toggled(line: Line, count: int) -> list[float]:
    """Press space, which nothing but that key undoes, and return the seconds until each is seen."""
    found = []
    for _, words in zip(range(count), cycle((HOLDING, FOLLOWING)), strict=False):
        at, place = line.press(b" ")
        found.append(line.until(words, place) - at)
        time.sleep(_REST)
    return found


def moved(line: Line, count: int) -> list[float]:
    """Move the cursor down and up again, to another candidate each time; return the seconds until it stands there."""
    found = []
    for number in range(count):
        found.append(_step(line, number))
        time.sleep(_REST)
    return found


def _step(line: Line, number: int) -> float:
    """Move the cursor once, for ``_FAR`` times down and as often up; return the seconds until it stands there."""
    place = number % (2 * _FAR)
    key, target = (b"j", place + 2) if place < _FAR else (b"k", 2 * _FAR - place)
    at, before = line.press(key)
    return line.until(b"[^0-9]%d of " % target, before) - at


def beside_pictures(store: Path, session_id: str, protocol: str, count: int) -> tuple[list[float], int]:
    """Press j over a link of 1 Mbit/s, each time while the last candidate's pictures come.

    Args:
        protocol: how pictures are drawn; ``off`` gives what the link itself costs.

    Returns:
        Seconds until each is seen, and the bytes that came altogether.
    """
    line = Line(
        ["-c", SHOW, str(store), session_id],
        voice="kitty" if protocol == "kitty" else "plain",
        bytes_per_second=_MBIT,
        SSH_CONNECTION="10.0.0.1 50000 10.0.0.2 22",
        MINEGAP_UI_IMAGES_PROTOCOL=protocol,
    )
    try:
        line.until(FOLLOWING)
        time.sleep(3)
        found = []
        for number in range(count):
            found.append(_step(line, number))
            time.sleep(0.35 + number % 5 * 0.2)  # the pictures begin after 0.2 s and take about a second
        return found, line.taken
    finally:
        line.close()
