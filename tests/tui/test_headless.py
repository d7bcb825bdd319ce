"""Mining without an app: what goes to which stream, and how it ends."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from scripted import ScriptedEngine, finished, opened

from engine import protocol
from engine.client import EngineClient
from minegap_tui.cli import run

SESSION = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
NASTY = "a nurse \x1b]0;pwned\x07 \x7f\u202e [red]"
Runner = Callable[..., tuple[int, str, str]]


class HeadlessEngine(ScriptedEngine):
    """Ends as interrupted when it is told to stop."""

    async def stop(self) -> None:
        self.stops += 1
        self.say(protocol.StateChanged(state="stopping"), finished(SESSION, "interrupted"))
        self.end()

    def kill(self) -> None:
        self.end()


@pytest.fixture
def mine(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Runner:
    """Run ``minegap mine`` on an engine that says ``events``."""

    def call(
        *arguments: str, events: tuple[protocol.Event, ...], interrupt: bool = False
    ) -> tuple[int, str, str]:
        async def start(*_: object, **__: object) -> HeadlessEngine:
            engine = HeadlessEngine(*events)
            if interrupt:
                os.kill(os.getpid(), signal.SIGINT)
            else:
                engine.end()
            return engine

        monkeypatch.setattr(EngineClient, "start", start)
        code = run(["mine", *arguments, "--store", str(tmp_path)])
        out, err = capfd.readouterr()
        return code, out, err

    return call


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


RUN = (
    opened(SESSION),
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
    finished(SESSION),
)


def test_lines_on_stderr_and_the_leaderboard_on_stdout(mine: Runner) -> None:
    code, out, err = mine("--plain", events=RUN)
    assert code == 0
    head, first, second = out.splitlines()
    assert head.split() == ["#", "score", "gen", "origin", "prompt"]
    assert first.split()[:4] == ["1", "0.250", "1", "random"]
    assert second.endswith("a cat")
    assert "9.5 images/s, 1:15 left" in err
    assert "best 0.250, median 0.375" in err
    assert len(err.splitlines()) < 10
    assert not {"\x1b", "\x07", "\u202e"} & set(out + err)


def test_json_lines_hold_the_text_exactly_and_safely(mine: Runner) -> None:
    code, out, _ = mine("--json", events=RUN)
    assert code == 0
    assert out.isascii()
    assert not {"\x1b", "\x07", "\x7f"} & set(out)
    lines = [json.loads(line) for line in out.splitlines()]
    assert len(lines) == len(RUN)
    assert NASTY in [line.get("prompt") for line in lines]
    assert lines[0]["type"] == "session_opened"
    assert lines[-1]["state"] == "finished"


@pytest.mark.parametrize("code", [2, 3])
def test_a_failure_is_a_sentence_and_the_engines_exit_code(mine: Runner, code: int) -> None:
    events = (*RUN[:-1], protocol.Failed(sentence="The disk is full: free some space.", exit_code=code))
    got, out, err = mine("--plain", events=events)
    assert got == code
    assert err.splitlines()[-2] == "minegap: The disk is full: free some space."
    assert err.splitlines()[-1].startswith(f"everything mined is kept; go on with: minegap resume {SESSION}")
    assert "a cat" in out


def test_ctrl_c_stops_cleanly_and_says_how_to_go_on(mine: Runner, tmp_path: Path) -> None:
    code, _, err = mine("--plain", events=RUN[:-1], interrupt=True)
    assert code == 130
    assert "stopping after the batch in flight" in err
    assert err.splitlines()[-1] == f"stopped; go on with: minegap resume {SESSION} --store {tmp_path}"


def test_an_engine_that_ends_without_a_result_is_a_machine_failure(mine: Runner) -> None:
    code, _, err = mine("--plain", events=RUN[:3])
    assert code == 3
    assert "without a result" in err
