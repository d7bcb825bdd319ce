"""The real app on a pty, seen through an emulator, led from scene to scene."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pexpect
import pyte
import pytest

from minegap_tui.camera import Scene

BROWSE = "import sys; from minegap_tui.cli import run; sys.exit(run(['sessions', '--store', sys.argv[1]]))"
FOLLOW = (
    "import sys; from pathlib import Path; from minegap_tui.launch import run_app;"
    "sys.exit(run_app(Path(sys.argv[1]), sys.argv[2]))"
)
ESCAPE = "\x1b[27u"
"""As terminals with the keyboard protocol write it: nothing has to wait for what may follow."""
KEYS = {
    "enter": "\r",
    "slash": "/",
    "question_mark": "?",
    "exclamation_mark": "!",
    "less_than_sign": "<",
    "colon": ":",
    "space": " ",
}
LIVE = " Leaderboard ─"
"""Words of the live screen alone."""
SIZE = (120, 40)
PATIENCE = 20


class Driven:
    """The app on a pty, seen through an emulator."""

    def __init__(
        self,
        store: Path,
        session: str,
        *,
        program: str = FOLLOW,
        size: tuple[int, int] = SIZE,
        seen: tuple[int, int] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """``seen``: the emulator's own size, where the pty is told another."""
        self.screen = pyte.Screen(*(seen or size))
        self._stream = pyte.ByteStream(self.screen)
        self.taken = b""
        given = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "TEXTUAL_ANIMATIONS": "none"}
        self.child = pexpect.spawn(
            sys.executable,
            ["-c", program, str(store), session],
            dimensions=(size[1], size[0]),
            timeout=PATIENCE,
            env=os.environ | given | dict(environment or {}),
        )
        self.child.delaybeforesend = None

    def step(self) -> None:
        try:
            piece = self.child.read_nonblocking(65536, timeout=PATIENCE)
        except pexpect.TIMEOUT:
            pytest.fail(f"nothing more comes:\n{self.words}", pytrace=False)
        except pexpect.EOF:
            pytest.fail(f"the app ended: {self.taken[-6000:].decode(errors='replace')}", pytrace=False)
        self.taken += piece
        self._stream.feed(piece)

    @property
    def words(self) -> str:
        return "\n".join(self.screen.display)

    def until(self, words: str) -> None:
        given_up = time.monotonic() + PATIENCE  # a line that counts seconds never falls silent
        while words not in self.words:
            if time.monotonic() > given_up:
                pytest.fail(f"{words!r} does not come:\n{self.words}", pytrace=False)
            self.step()

    def resize(self, columns: int, lines: int) -> None:
        self.child.setwinsize(lines, columns)
        self.screen.resize(lines, columns)

    def visit(self, scene: Scene) -> None:
        for key, words in scene.steps:
            self.child.send(KEYS.get(key, key))
            self.until(words)
        last = scene.steps[-1][1] if scene.steps and scene.place is None else ""  # the live screen is below
        given_up = time.monotonic() + PATIENCE
        while LIVE not in self.words or (last and last in self.words):
            if time.monotonic() > given_up:
                pytest.fail(f"{scene.name} is not left:\n{self.words}", pytrace=False)
            before = self.words
            self.child.send(ESCAPE)
            while self.words == before:
                self.step()

    def end(self) -> int | None:
        self.child.send("q")
        self.taken += self.child.read()
        self.child.close()
        status: int | None = self.child.exitstatus
        return status
