"""What really reaches a terminal, read from a pty."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pexpect
import pyte
import pytest
from double import listening
from factory import fill, measure

from engine import protocol
from engine.commands import EditCommit
from store import open_store
from store.incoming import NewCandidate

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
FOLLOW = (
    "import sys; from pathlib import Path; from minegap_tui.launch import run_app;"
    "sys.exit(run_app(Path(sys.argv[1]), sys.argv[2]))"
)
pytestmark = pytest.mark.timeout(900)  # an interpreter with Textual takes its time on a busy machine


def opened(store: Path, session: str, program: str = SHOW) -> pexpect.spawn:
    environment = os.environ | {
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "TEXTUAL_ANIMATIONS": "none",
    }
    return pexpect.spawn(
        sys.executable,
        ["-c", program, str(store), session],
        dimensions=(24, 80),
        timeout=60,
        env=environment,
    )


def read_until(
    child: pexpect.spawn, words: str, screen: pyte.Screen, stream: pyte.ByteStream, *, gone: bool = False
) -> bytes:
    """Read until ``words`` stand on the emulated screen, or stand there no more; returns the bytes."""
    taken = b""
    while (words in "\n".join(screen.display)) == gone:
        piece = child.read_nonblocking(65536, timeout=60)
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
    taken += read_until(child, "Select the candidate above", screen, stream)
    child.send("\x1b")
    taken += read_until(child, "Select the candidate above", screen, stream, gone=True)
    taken += read_until(child, "q quit", screen, stream)
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


def test_no_escape_of_a_prompt_reaches_the_terminal_while_steering(
    tmp_path: Path, terminal: tuple[pyte.Screen, pyte.ByteStream]
) -> None:
    hostile = "wicked " + " ".join(PAYLOADS)
    session = fill(
        tmp_path,
        generations=1,
        population=2,
        images=4,
        variations=4,
        prompts=[hostile, f"{hostile} two"],
        name=hostile,
        state="mining",
    )
    harmless = hostile.replace("\x1b", "").replace("\x07", "").replace("\x9b", "")
    with listening(tmp_path) as engine:
        engine.record(
            session,
            protocol.Steered(
                command_id="x", author=hostile[:40], generation=9, command={"type": "pin"}, sentence=hostile
            ),
        )
        child = opened(tmp_path, session, FOLLOW)
        taken = read_until(child, "wicked", *terminal)
        child.send("e")
        taken += read_until(child, "difference", *terminal)
        child.send("\x1b[200~" + hostile + "\x1b[201~")
        taken += read_until(child, "holds the control character", *terminal)
        child.send("\x1b")
        taken += read_until(child, "Done: EditCancel", *terminal)
        child.send("i")
        taken += read_until(child, "One prompt per line", *terminal)
        child.send("\x1b[200~" + hostile + "\x1b[201~")
        taken += read_until(child, "Line 1 holds", *terminal)
        child.send("\x1b")
        taken += read_until(child, "One prompt per line", *terminal, gone=True)
        for key, words in (
            ("b", "keep out"),
            ("r", "more images"),
            ("Q", "Stop mining?"),
            ("L", "entries"),
        ):
            child.send(key)
            taken += read_until(child, words, *terminal)
            child.send("\x1b")
            taken += read_until(child, words, *terminal, gone=True)
        reason = f"The painter failed: {hostile}"
        engine.record(session, protocol.StateChanged(state="paused", reason=reason, exit_code=3))
        taken += read_until(child, "The painter failed", *terminal)
        child.send("q")
        taken += child.read()
        child.close()
    assert child.exitstatus == 0
    assert not any(isinstance(command, EditCommit) for command in engine.asked)
    for forbidden in FORBIDDEN:
        assert forbidden not in taken, forbidden
    assert harmless not in taken.decode(errors="replace")
    assert "␛".encode() in taken


@pytest.mark.parametrize("how", ["signal", "line"])
def test_a_hang_up_leaves_the_engine_mining(
    tmp_path: Path, terminal: tuple[pyte.Screen, pyte.ByteStream], how: str
) -> None:
    with listening(tmp_path) as engine:
        session = engine.session(name="demo")
        child = opened(tmp_path, session, FOLLOW)
        read_until(child, "mining", *terminal)
        if how == "signal":
            child.kill(signal.SIGHUP)
            child.expect(pexpect.EOF)
            child.close()
            assert child.exitstatus == 0
        else:
            os.close(child.child_fd)  # the kernel hangs up, as when an SSH link is cut
            _, status = os.waitpid(child.pid, 0)
            child.ptyproc.fd = child.child_fd = -1
            child.ptyproc.closed = child.closed = True
            child.ptyproc.terminated = child.terminated = True
            assert os.waitstatus_to_exitcode(status) == 0
        assert engine.asked == []
        screen = pyte.Screen(80, 24)
        stream = pyte.ByteStream(screen)
        engine.record(session, protocol.StateChanged(state="paused", reason="paused by bob"))
        again = opened(tmp_path, session, FOLLOW)
        read_until(again, "p goes on", screen, stream)
        again.send("q")
        again.expect(pexpect.EOF)
        again.close()
        assert again.exitstatus == 0
        assert b"minegap attach" in again.before
        assert engine.greeted == ["app", "app"]
