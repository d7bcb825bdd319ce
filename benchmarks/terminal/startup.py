"""From the command to data on the screen, as it is where Python may keep its compiled files."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.terminal.line import Line, Voice
from benchmarks.terminal.scripted import listened
from store import open_reader

SHOW = (
    "import sys; from pathlib import Path; from minegap_tui import garbage, terminal; garbage.spare_start();"
    "asking = terminal.ask(); from minegap_tui.app import MineApp;"
    "MineApp(Path(sys.argv[1]), session_id=sys.argv[2], prepared=asking.prepared()).run()"
)
"""A past session, as it was."""
COMMAND = "import sys; from minegap_tui.cli import run; sys.exit(run(sys.argv[1:]))"
_FLOOR = """
from textual.app import App
from textual.widgets import Static

class Floor(App):
    def compose(self):
        yield Static("the least")

Floor().run()
"""
Taken = tuple[float, float]
"""Seconds, and seconds of processor time."""


def attached(store: Path, session_id: str) -> Taken:
    """Until a live session's leaderboard stands on the screen."""
    with open_reader(store) as reader:
        prompt = reader.leaderboard(session_id, 1)[0].prompt
    with listened(store, session_id):
        return _seconds([COMMAND, "attach", session_id, "--store", str(store)], prompt[:20])


def home(store: Path, name: str, voice: Voice = "kitty", **environment: str) -> Taken:
    """Until the list of sessions stands on the screen."""
    return _seconds([COMMAND, "sessions", "--store", str(store)], name, voice, **environment)


def interpreter() -> Taken:
    """Until an interpreter that imports nothing writes a word: what no app can be quicker than."""
    return _seconds(["print('ready', flush=True); input()"], "ready")


def floor() -> Taken:
    """Until an app of one word is drawn: what no app of Textual's can be quicker than."""
    return _seconds([_FLOOR], "the least")


def _seconds(program: list[str], words: str, voice: Voice = "kitty", **environment: str) -> Taken:
    line = Line(["-c", *program], voice=voice, **environment)
    try:
        return line.until(re.escape(words.encode())) - line.began, line.processor_seconds()
    finally:
        line.close()
