"""What really reaches a terminal, read from a pty."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pexpect
import pyte
import pytest
from factory import fill, measure

from store import open_store
from store.records import NewCandidate

PAYLOADS = (
    "\x1b]0;pwned\x07",
    "\x1b]52;c;cHduZWQ=\x07",
    "\x1b[2J\x1b[31m",
    "\x1b_Gi=31;AAAA\x1b\\",
    "\x9b31m",
    "\u202egnp.exe",
    "\u200bzero",
    "\U0010eeee",
    "[@click=app.quit]x[/] [/] [bold",
)
FORBIDDEN = (
    b"pwned\x07",
    b"\x1b]52",
    b"\x1b_G",
    b"\x1b]0;pwned",
    b"\xc2\x9b",
    b"\xe2\x80\xae",
    b"\xe2\x80\x8b",
    b"\xf4\x8e\xbb\xae",
)
SHOW = (
    "import sys; from pathlib import Path; from minegap_tui.app import MineApp;"
    "MineApp(Path(sys.argv[1]), session_id=sys.argv[2]).run()"
)
pytestmark = pytest.mark.timeout(900)  # an interpreter with Textual takes its time on a busy machine


def opened(store: Path, session: str) -> pexpect.spawn:
    environment = os.environ | {
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "TEXTUAL_ANIMATIONS": "none",
    }
    return pexpect.spawn(
        sys.executable,
        ["-c", SHOW, str(store), session],
        dimensions=(24, 80),
        timeout=200,
        env=environment,
    )


def read_until(child: pexpect.spawn, words: str, screen: pyte.Screen, stream: pyte.ByteStream) -> bytes:
    """Read until ``words`` stand on the emulated screen; returns the bytes."""
    taken = b""
    while words not in "\n".join(screen.display):
        piece = child.read_nonblocking(65536, timeout=200)
        taken += piece
        stream.feed(piece)
    return taken


@pytest.fixture
def terminal() -> tuple[pyte.Screen, pyte.ByteStream]:
    screen = pyte.Screen(80, 24)
    return screen, pyte.ByteStream(screen)


def test_no_escape_of_a_prompt_reaches_the_terminal(
    tmp_path: Path, terminal: tuple[pyte.Screen, pyte.ByteStream]
) -> None:
    hostile = "wicked " + " ".join(PAYLOADS)
    with open_store(tmp_path) as store:
        session = store.create_session(name=hostile, seed=1, config_json="{}", models_json="{}")
        parent, child_id = store.add_candidates(
            session, 1, [NewCandidate(place, f"{place} {hostile}", "random") for place in range(2)]
        )
        (bred,) = store.add_candidates(session, 2, [NewCandidate(0, hostile, "mutation", parent)])
        for candidate in (parent, child_id, bred):
            measure(store, candidate, hostile, (4, 4), 0.9 if candidate == bred else 0.0, seed=candidate)
        store.set_session_state(session, "failed", hostile)
    screen, stream = terminal
    child = opened(tmp_path, session)
    taken = read_until(child, "Variations", screen, stream)
    taken += read_until(child, "missed", screen, stream)
    child.send("\r")
    taken += read_until(child, "previous", screen, stream)
    child.send("\x1b[6~")
    child.send("\x1b")
    taken += read_until(child, "inspect", screen, stream)
    child.send("?")
    taken += read_until(child, "Evidence of one", screen, stream)
    child.send("\x1b")
    taken += read_until(child, "Variations", screen, stream)
    child.send("q")
    taken += child.read()
    child.close()
    assert child.exitstatus == 0
    for forbidden in FORBIDDEN:
        assert forbidden not in taken, forbidden
    assert "␛".encode() in taken


def test_a_hang_up_ends_the_app_cleanly(
    tmp_path: Path, terminal: tuple[pyte.Screen, pyte.ByteStream]
) -> None:
    session = fill(tmp_path, generations=1, population=2, images=4, variations=4)
    child = opened(tmp_path, session)
    read_until(child, "Variations", *terminal)
    child.kill(signal.SIGHUP)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert child.signalstatus is None
