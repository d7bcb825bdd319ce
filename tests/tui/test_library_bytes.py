"""What home and history send to a terminal, read from a pty."""

from __future__ import annotations

from pathlib import Path

import pyte
import pytest
from factory import measure
from test_terminal_bytes import FORBIDDEN, PAYLOADS, opened, read_until

from store import open_store
from store.incoming import NewCandidate

BROWSE = "import sys; from minegap_tui.cli import run; sys.exit(run(['sessions', '--store', sys.argv[1]]))"
pytestmark = pytest.mark.timeout(900)  # an interpreter with Textual takes its time on a busy machine


def test_no_escape_of_any_column_reaches_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    hostile = "wicked " + " ".join(PAYLOADS)
    store_path = tmp_path / "store"
    with open_store(store_path) as store:
        session = store.create_session(name=hostile, seed=1, config_json="{}", models_json="{}")
        (one, other) = store.add_candidates(
            session, 1, [NewCandidate(0, hostile, "human"), NewCandidate(1, "failing", "human")]
        )
        measure(store, one, hostile, (4, 4), 0.5, seed=1)
        store.set_candidate_state(other, "failed", hostile)
        store.set_session_state(session, "failed", hostile)
    screen = pyte.Screen(80, 24)
    stream = pyte.ByteStream(screen)
    child = opened(store_path, session, BROWSE)
    taken = read_until(child, "4 images", screen, stream)
    child.send("H")
    taken += read_until(child, "2 found", screen, stream)
    child.send("\r")
    taken += read_until(child, "previous", screen, stream)
    child.send("\x1b")
    taken += read_until(child, "order", screen, stream)
    child.send("G")
    taken += read_until(child, "2 of 2", screen, stream)
    child.send("/")
    taken += child.read_nonblocking(65536, timeout=60)  # the line is drawn anew where the keys go
    child.send("\x1b[200~wicked \x9b31m \u202e:\x1b[201~")
    taken += read_until(child, "Place ", screen, stream)
    child.send("\x11")
    taken += child.read()
    child.close()
    assert child.exitstatus == 0
    taken = taken[taken.index(b"\x1b[?1049h") :]  # before it, the terminal is asked what it can
    for forbidden in FORBIDDEN:
        assert forbidden not in taken, forbidden
    assert "␛".encode() in taken
