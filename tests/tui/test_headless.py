"""Mining without an app: what goes to which stream, what a signal does, and how it ends."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from commandline import Done, Minegap
from double import EngineDouble, finished, listening

from engine import protocol
from engine.commands import Attach, Command, Open, Resume, Stop
from minegap_tui import headless

NASTY = "a nurse \x1b]0;pwned\x07 \x7f\u202e [red]"


def scored(number: int, score: float, prompt: str) -> protocol.CandidateScored:
    return protocol.CandidateScored(
        candidate_id=number,
        generation=1,
        position=number,
        prompt=prompt,
        origin="random",
        parent_id=None,
        score=score,
        score_name="information",
    )


OPENED = protocol.SessionOpened(
    session_id="",
    name="demo",
    store="",
    generations=4,
    population=12,
    images=16,
    variations=16,
    score_name="information",
    resumed=False,
)
RUN = (
    OPENED,
    protocol.StateChanged(state="mining"),
    protocol.GenerationStarted(generation=1, candidates=2),
    *(
        protocol.Progress(
            stage="painting", generation=1, done=done, total=256, images_per_second=9.5, eta_seconds=75
        )
        for done in range(0, 256, 16)
    ),
    scored(1, 0.5, "a cat"),
    scored(2, 0.25, NASTY),
    protocol.GenerationFinished(generation=1, scored=2, failed=0, best=0.25, median=0.375),
)
FULL = protocol.StateChanged(state="paused", reason="The disk is full: free some space.", exit_code=3)


def mine(
    minegap: Minegap, store: Path, *arguments: str, events: tuple[protocol.Event, ...]
) -> tuple[Done, EngineDouble]:
    with listening(store, events) as engine:
        return minegap("mine", *arguments, store=store), engine


def test_lines_on_stderr_and_the_leaderboard_on_stdout(minegap: Minegap, tmp_path: Path) -> None:
    done, engine = mine(minegap, tmp_path, "--plain", "--seed", "5", events=(*RUN, finished()))
    assert done.returncode == 0
    head, first, second = done.stdout.splitlines()
    assert head.split() == ["#", "score", "id", "gen", "origin", "prompt"]
    assert first.split()[:5] == ["1", "0.250", "2", "1", "random"]
    assert second.endswith("a cat")
    assert "9.5 images/s, 1:15 left" in done.stderr
    assert "best 0.250, median 0.375" in done.stderr
    assert len(done.stderr.splitlines()) < 10
    assert not {"\x1b", "\x07", "\u202e"} & set(done.stdout + done.stderr)
    (asked,) = engine.asked
    assert isinstance(asked, Open)
    assert json.loads(asked.config)["session"]["seed"] == 5


def test_json_lines_hold_the_text_exactly_and_safely(minegap: Minegap, tmp_path: Path) -> None:
    done, _ = mine(minegap, tmp_path, "--json", events=(*RUN, finished()))
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert not {"\x1b", "\x07", "\x7f"} & set(done.stdout)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["type"] for line in lines[:2]] == ["snapshot", "session_opened"]
    assert len(lines) == len(RUN) + 2
    assert NASTY in [line.get("prompt") for line in lines]
    assert lines[-1]["state"] == "finished"


@pytest.mark.parametrize("code", [2, 3])
def test_a_failure_is_a_sentence_and_the_engines_exit_code(
    minegap: Minegap, tmp_path: Path, code: int
) -> None:
    failed = protocol.Failed(sentence="The disk is full: free some space.", exit_code=code)
    done, _ = mine(minegap, tmp_path, "--plain", events=(*RUN, failed))
    assert done.returncode == code
    assert done.stderr.splitlines()[-2] == "minegap: The disk is full: free some space."
    assert done.stderr.splitlines()[-1].startswith("everything mined is kept; go on with: minegap resume ")
    assert "a cat" in done.stdout


def test_a_fault_that_pauses_ends_a_run_that_nobody_watches(minegap: Minegap, tmp_path: Path) -> None:
    done, engine = mine(minegap, tmp_path, "--plain", events=(*RUN, FULL))
    assert done.returncode == 3
    assert [type(command) for command in engine.asked] == [Open, Stop]
    assert "minegap: The disk is full: free some space." in done.stderr.splitlines()


def test_a_pause_that_a_person_asked_for_ends_nothing(minegap: Minegap, tmp_path: Path) -> None:
    paused = protocol.StateChanged(state="paused", reason="paused by ann")
    done, engine = mine(
        minegap, tmp_path, "--plain", events=(*RUN, paused, protocol.StateChanged(state="mining"), finished())
    )
    assert done.returncode == 0
    assert [type(command) for command in engine.asked] == [Open]
    assert "paused by ann" in done.stderr.splitlines()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_stops_cleanly_and_says_how_to_go_on(
    minegap: Minegap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    strike_at(monkeypatch, protocol.GenerationFinished, number)
    done, engine = mine(minegap, tmp_path, "--plain", events=RUN)
    assert done.returncode == 130
    assert "stopping after the batch in flight" in done.stderr
    stop = engine.asked[-1]
    assert isinstance(stop, Stop)
    assert not stop.at_once
    assert (
        done.stderr.splitlines()[-1]
        == f"stopped; go on with: minegap resume {stop.session_id} --store {tmp_path}"
    )


def test_a_second_interrupt_is_urgent(
    minegap: Minegap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    strike_at(monkeypatch, protocol.GenerationFinished, signal.SIGINT)
    strike_at(monkeypatch, protocol.Pausing, signal.SIGINT)

    def slow(command: Command) -> protocol.Acknowledged | None:
        if isinstance(command, Stop) and not command.at_once:
            engine.say(command.session_id, protocol.Pausing(after="batch", done=0, total=1))
            return protocol.Acknowledged(id=command.id, accepted=False, sentence="Not yet.", exit_code=3)
        return None

    with listening(tmp_path, RUN) as engine:
        engine.answer = slow
        done = minegap("mine", "--plain", store=tmp_path)
    assert done.returncode == 130
    assert [command.at_once for command in engine.asked if isinstance(command, Stop)] == [False, True]


def test_a_hang_up_leaves_the_session_running(
    minegap: Minegap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    strike_at(monkeypatch, protocol.GenerationFinished, signal.SIGHUP)
    done, engine = mine(minegap, tmp_path, "--plain", events=RUN)
    assert done.returncode == 130
    assert [type(command) for command in engine.asked] == [Open]
    assert "mining goes on; come back with: minegap attach " in done.stderr


def test_what_a_lost_connection_swallowed_is_told_once(
    minegap: Minegap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client is dropped after the first score; the second is stored while nobody listens."""

    def drop(event: protocol.Event) -> None:
        if isinstance(event, protocol.CandidateScored) and event.candidate_id == 1:
            engine.hang_up()
            engine.record(session(), scored(2, 0.25, NASTY), protocol.StateChanged(state="mining"))
            engine.script = [scored(3, 0.75, "a dog"), finished()]

    def session() -> str:
        (only,) = engine._store.sessions()
        return only.id

    heard: list[protocol.Event] = []
    each(monkeypatch, lambda event: (heard.append(event), drop(event)))
    with listening(tmp_path, (*RUN[:3], scored(1, 0.5, "a cat"))) as engine:
        done = minegap("mine", "--plain", store=tmp_path)
    assert done.returncode == 0
    scores = [event.candidate_id for event in heard if isinstance(event, protocol.CandidateScored)]
    assert scores == [1, 2, 3]
    assert len(done.stdout.splitlines()) == 4
    assert sum(isinstance(event, protocol.Snapshot) for event in heard) == 2


def test_a_session_that_ended_before_anybody_listened(minegap: Minegap, tmp_path: Path) -> None:
    def end(command: Command) -> None:
        if isinstance(command, Resume):
            engine.record(
                command.session_id, protocol.StateChanged(state="finished"), finished(command.session_id)
            )

    with listening(tmp_path) as engine:
        session = engine.session("old", "interrupted")
        engine.answer = end
        done = minegap("resume", session, "--plain", store=tmp_path)
    assert done.returncode == 0, done.stderr


def test_resume_takes_the_paused_session_where_none_is_named(minegap: Minegap, tmp_path: Path) -> None:
    with listening(tmp_path, (*RUN, finished())) as engine:
        session = engine.session("mine", "paused")
        engine.session("other", "finished")
        done = minegap("resume", "--plain", store=tmp_path)
    assert done.returncode == 0
    (asked,) = engine.asked
    assert isinstance(asked, Resume)
    assert asked.session_id == session


def test_attach_looks_on_and_leaves_without_a_trace(
    minegap: Minegap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    strike_at(monkeypatch, protocol.GenerationFinished, signal.SIGINT)
    with listening(tmp_path, (*RUN, FULL)) as engine:
        session = engine.session()
        done = minegap("attach", "--plain", store=tmp_path)
    assert done.returncode == 0
    assert engine.asked == []
    assert f"come back with: minegap attach {session} --store {tmp_path}" in done.stderr


def test_what_happens_while_attaching_is_in_the_snapshot_that_comes_first(
    minegap: Minegap, tmp_path: Path
) -> None:
    def score(command: Command) -> None:
        if isinstance(command, Attach):
            engine.keep(session, scored(1, 0.5, "a cat"))

    with listening(tmp_path, (scored(2, 0.25, NASTY), finished())) as engine:
        session = engine.session()
        engine.answer = score
        done = minegap("attach", "--json", store=tmp_path)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["type"] for line in told] == ["snapshot", "candidate_scored", "finished"]
    assert told[1]["candidate_id"] == 2


def test_attach_to_a_session_that_ends(minegap: Minegap, tmp_path: Path) -> None:
    with listening(tmp_path, (*RUN, finished())) as engine:
        engine.session()
        done = minegap("attach", store=tmp_path)
    assert done.returncode == 0
    assert done.stdout.splitlines()[1].startswith("  1   0.250")


def test_detach_prints_the_id_and_the_way_back(minegap: Minegap, tmp_path: Path) -> None:
    with listening(tmp_path) as engine:
        done = minegap("mine", "--detach", store=tmp_path)
        session = engine._store.sessions()[0].id
        assert done.returncode == 0
        assert done.stdout == f"{session}\n"
        assert f"minegap attach {session}" in done.stderr
        assert f"minegap stop --session {session}" in done.stderr
        as_json = minegap("mine", "--detach", "--json", store=tmp_path)
        assert json.loads(as_json.stdout)["session_id"] in {one.id for one in engine._store.sessions()}


def test_a_terminal_that_vanishes_is_a_hang_up(tmp_path: Path) -> None:
    """A real terminal is closed under a real process: the engine hears of no stop, and no traceback is left."""
    with listening(tmp_path, RUN) as engine:
        master, terminal = pty.openpty()
        log = tmp_path / "stderr"
        process = subprocess.Popen(
            [sys.executable, "-c", HANG_UP, str(log), str(tmp_path)],
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
        )
        os.close(terminal)
        read = b""
        while b"median" not in read:
            read += os.read(master, 4096)
        os.close(master)
        code = process.wait(120)
        assert code == 130, log.read_text()
        assert [type(command) for command in engine.asked] == [Open]
    assert "Traceback" not in log.read_text()


@pytest.mark.parametrize("command", ["mine --json", "attach --json"])
def test_a_reader_that_has_seen_enough_leaves_the_session_running(tmp_path: Path, command: str) -> None:
    with listening(tmp_path, RUN) as engine:
        session = engine.session()
        process = subprocess.Popen(
            [sys.executable, "-m", "minegap_tui.cli", *command.split(), "--store", str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        first = json.loads(process.stdout.readline())
        process.stdout.close()
        while process.poll() is None:  # it notices when there is more to tell
            engine.say(first["session_id"], protocol.Notice(message="more"))
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
        told = process.stderr.read()
        process.stderr.close()
        assert [type(one) for one in engine.asked] == [Open] * ("mine" in command)
    assert first["type"] == "snapshot"
    assert "Broken" not in told
    assert "Traceback" not in told
    if "attach" in command:
        assert f"come back with: minegap attach {session}" in told


HANG_UP = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
import traceback
from minegap_tui.cli import run
try:
    code = run(["mine", "--plain", "--store", sys.argv[2]])
except BaseException:
    with open(sys.argv[1], "w") as log:
        traceback.print_exc(file=log)
    raise
with open(sys.argv[1], "a"):
    pass
os._exit(code)
"""


def each(monkeypatch: pytest.MonkeyPatch, act: object) -> None:
    """Call ``act`` with every event right after the follower has passed it on."""
    passed = headless._Follower._pass

    def then(self: headless._Follower, event: protocol.Event) -> None:
        passed(self, event)
        act(event)  # type: ignore[operator]

    monkeypatch.setattr(headless._Follower, "_pass", then)


def strike_at(monkeypatch: pytest.MonkeyPatch, kind: type[protocol.Event], number: signal.Signals) -> None:
    """Send this process a signal when the first event of a kind has been told."""
    struck = []

    def act(event: protocol.Event) -> None:
        if isinstance(event, kind) and not struck:
            struck.append(event)
            os.kill(os.getpid(), number)

    each(monkeypatch, act)
