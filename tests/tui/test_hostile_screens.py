"""Foreign text in every field and file name, on every screen: no byte of it acts on the terminal."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pyte
import pytest
from double import listening
from hostile import FOLDER, fill_hostile, foreign, hostile

from engine import protocol
from minegap_tui.camera import Scene
from minegap_tui.screenshots import SCENES
from minegap_tui.views_file import SavedView, ViewsFile
from store import open_reader

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
pytestmark = pytest.mark.timeout(900)  # many screens, and a busy machine

FIRST = ("g", "▌   1")
MORE = (
    Scene("images of a candidate", "inspect", (FIRST, ("enter", "2 images"), ("2", "▌2 images"))),
    Scene("proof", "inspect", (FIRST, ("enter", "2 images"), ("3", "▌3 could"))),
    Scene("scores", "inspect", (FIRST, ("enter", "2 images"), ("4", "▌4 scores"))),
    Scene("palette", None, (("colon", "Search for commands"),)),
    Scene("theme", None, (("T", "shows it"),)),
    Scene("confirm", None, (("F", "behind its confirmed score"),)),
    Scene("found", "inspect", (("slash", "found"), ("enter", "2 images"))),
    Scene("newest found", "history", (("slash", "found"), ("s", "newest first"))),
)
"""Parts of screens that are no scenes of their own."""


class Driven:
    """The app on a pty, seen through an emulator."""

    def __init__(self, store: Path, session: str) -> None:
        self.screen = pyte.Screen(*SIZE)
        self._stream = pyte.ByteStream(self.screen)
        self.taken = b""
        environment = os.environ | {
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "TEXTUAL_ANIMATIONS": "none",
        }
        self.child = pexpect.spawn(
            sys.executable,
            ["-c", FOLLOW, str(store), session],
            dimensions=(SIZE[1], SIZE[0]),
            timeout=PATIENCE,
            env=environment,
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


@contextmanager
def saved_views(folder: Path) -> Iterator[None]:
    """Views of foreign names, by another program: ours would refuse them."""
    file = ViewsFile(folder / "minegap" / "views.json")
    file.path.parent.mkdir(parents=True)
    for number in range(3):
        file.save(SavedView(f"view {number}", f'"{number}"'))
    content = json.loads(file.path.read_text())
    for number, view in enumerate(content["views"]):
        view["name"] = hostile(number, "view")
    file.path.write_text(json.dumps(content))
    yield


def test_no_byte_of_foreign_text_reaches_the_terminal_from_any_screen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    store = tmp_path / FOLDER
    session, texts = fill_hostile(store)
    with saved_views(tmp_path / "config"), listening(store) as engine:
        driven = Driven(store, session)
        driven.until("missed")
        for scene in (*SCENES, *MORE):
            driven.visit(scene)
            driven.child.send("j")  # another piece comes first
        engine.record(
            session,
            protocol.Notice(message=hostile(8, "notice")),
            protocol.CandidateFailed(
                candidate_id=1, generation=1, position=0, prompt=hostile(9), reason=hostile(10)
            ),
            protocol.StateChanged(state="paused", reason=hostile(11, "The painter failed"), exit_code=3),
        )
        driven.until("The painter failed")
        engine.answer = lambda command: protocol.Acknowledged(
            id=command.id, accepted=False, sentence=hostile(12, "Refused"), exit_code=2
        )
        driven.child.send("*")
        driven.until("Refused")
        assert driven.end() == 0
    assert foreign(driven.taken) == set()
    for seen in ("␛", "‹U+202E›", "‹U+009B›", "[@click", "[/]", "[" * 60, "missed ␛P+q544e"):
        assert seen.encode() in driven.taken, f"{seen} is to be seen, or this test proves nothing"
    with open_reader(store) as reader:
        assert {number: reader.candidate(number).candidate.prompt for number in texts} == texts
