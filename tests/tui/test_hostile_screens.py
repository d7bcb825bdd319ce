"""Foreign text in every field and file name, on every screen: no byte of it acts on the terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from double import listening
from driven import Driven
from hostile import FOLDER, fill_hostile, foreign, hostile

from engine import protocol
from minegap_tui.camera import Scene
from minegap_tui.screenshots import SCENES
from minegap_tui.views_file import SavedView, ViewsFile
from store import open_reader

pytestmark = pytest.mark.timeout(900)  # many screens, and a busy machine

FIRST = ("g", "▌   1")
MORE = (
    Scene("images of a candidate", "inspect", (FIRST, ("enter", "2 images"), ("2", "▌2 images"))),
    Scene("proof", "inspect", (FIRST, ("enter", "2 images"), ("3", "missed ␛P"))),
    Scene("scores", "inspect", (FIRST, ("enter", "2 images"), ("4", "▌4 scores"))),
    Scene("palette", None, (("colon", "Search for commands"),)),
    Scene("theme", None, (("T", "shows it"),)),
    Scene("confirm", None, (("F", "behind its confirmed score"),)),
    Scene("found", "inspect", (("slash", "found"), ("enter", "2 images"))),
    Scene("newest found", "history", (("slash", "found"), ("s", "newest first"))),
)
"""Parts of screens that are no scenes of their own."""


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
