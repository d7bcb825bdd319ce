"""The app paints before its terminal has answered; what comes later is taken for what it is, answers and keys."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from answering import AS_KITTY, CELL, KITTY, LAST, NAME, SILENT, Terminal
from factory import fill

SHOW = """
import sys, termios
from pathlib import Path
from minegap_tui import terminal
before = termios.tcgetattr(0)
asking = terminal.ask()
from minegap_tui.app import MineApp
MineApp(Path(sys.argv[1]), session_id=sys.argv[2], prepared=asking.prepared()).run()
print("THE SAME" if termios.tcgetattr(0) == before else "CHANGED", flush=True)
"""
pytestmark = pytest.mark.timeout(300)  # an interpreter with Textual takes its time on a busy machine


@pytest.fixture(scope="module")
def mined(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    directory = tmp_path_factory.mktemp("store")
    return directory, fill(directory, generations=1, population=4, images=2, variations=4)


def opened(mined: tuple[Path, str], **changes: str) -> Terminal:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in {"TMUX", "STY", "COLORTERM", "NO_COLOR", "TEXTUAL_COLOR_SYSTEM", "SSH_CONNECTION"}
        and not name.startswith("MINEGAP_")
    }
    environment = kept | {"TERM": "xterm-256color", "XDG_CONFIG_HOME": str(mined[0])} | changes
    return Terminal([sys.executable, "-c", SHOW, str(mined[0]), mined[1]], environment, SILENT)


def left(terminal: Terminal) -> None:
    """Leave by the key; the terminal is as it was."""
    terminal.send("q")
    assert terminal.until_end() == 0
    assert b"THE SAME" in terminal.taken


def test_pictures_become_sharp_when_the_answers_come_after_the_first_paint(mined: tuple[Path, str]) -> None:
    terminal = opened(mined, COLORTERM="truecolor")
    terminal.until("▀")
    assert terminal.graphics.given == []
    terminal.answers = {CELL: AS_KITTY[CELL]}  # for what the double knows of pixels
    name, kitty, cell, last = (AS_KITTY[one].decode() for one in (NAME, KITTY, CELL, LAST))
    for piece in (name[:9], name[9:] + kitty + "j" + cell[:2], cell[2:] + last):
        terminal.send(piece)
    terminal.until("2 of 4")  # j was a key
    terminal.until_sharp(2)
    display = "\n".join(terminal.screen.display)
    assert "❯" not in display.splitlines()[-1]
    assert "q quit" in display, "no dialog was opened and nothing was typed"
    left(terminal)


def test_a_terminal_that_says_nothing_is_not_waited_for_where_its_colours_are_known(
    mined: tuple[Path, str],
) -> None:
    terminal = opened(mined, COLORTERM="truecolor")
    terminal.until("▀")
    assert b"\x1b[38;2;" in terminal.taken
    left(terminal)


def test_what_is_typed_ahead_is_not_lost(mined: tuple[Path, str]) -> None:
    terminal = opened(mined)
    while LAST not in terminal.taken:
        terminal.step()
    terminal.send("j")
    terminal.until("2 of 4")
    left(terminal)
