"""The steering commands: what reaches the engine, what it answers, and what never reaches it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest
from commandline import Minegap
from double import EngineDouble
from factory import fill
from hypothesis import given
from hypothesis import strategies as st

from engine import commands, protocol
from engine.commands import Command
from engine.config import KNOBS
from engine.errors import InputError
from minegap_tui.commands.steer import read_prompts


def fields(command: Command) -> dict[str, object]:
    return {
        name: getattr(command, name)
        for name in command.__struct_fields__
        if name not in {"v", "id", "session_id"}
    }


@pytest.mark.parametrize(
    ("line", "kind", "told"),
    [
        (["pause"], commands.Pause, {"after": "image"}),
        (["pause", "--after", "generation"], commands.Pause, {"after": "generation"}),
        (["step"], commands.Step, {}),
        (
            ["confirm", "--at-end", "--top", "3"],
            commands.Confirm,
            {"top": 3, "images": None, "at_end": True},
        ),
        (["stop"], commands.Stop, {"at_once": False}),
        (["stop", "--now", "--yes"], commands.Stop, {"at_once": True}),
        (
            ["edit", "7", "--prompt", "a calm nurse"],
            commands.EditCommit,
            {"candidate_id": 7, "prompt": "a calm nurse"},
        ),
        (["inject", "a cat", "-- a dog"], commands.Inject, {"prompts": ("a cat", "-- a dog")}),
        (["pin", "7"], commands.Pin, {"candidate_id": 7}),
        (["unpin", "7"], commands.Unpin, {"candidate_id": 7}),
        (["ban", "--word", "nurse"], commands.Ban, {"what": "word", "text": "nurse", "candidate_id": None}),
        (
            ["ban", "--prompt", "a nurse"],
            commands.Ban,
            {"what": "prompt", "text": "a nurse", "candidate_id": None},
        ),
        (["ban", "--lineage", "7"], commands.Ban, {"what": "lineage", "text": "", "candidate_id": 7}),
        (["lift", "--word", "nurse"], commands.Lift, {"what": "word", "text": "nurse", "candidate_id": None}),
        (["rescore", "7", "--images", "32"], commands.Rescore, {"candidate_id": 7, "images": 32}),
        (
            ["set", "images=32", "search.alpha=0.5", "theme=at work", "axis="],
            commands.SetKnobs,
            {"knobs": {"images": 32, "alpha": 0.5, "theme": "at work", "axis": ""}},
        ),
        (["set", "prompts=/mine"], commands.SetKnobs, {"knobs": {"prompts": "/mine"}}),
        (["set", "writer.prompts="], commands.SetKnobs, {"knobs": {"prompts": None}}),
    ],
)
def test_a_command_reaches_the_running_session_and_its_answer_is_printed(
    minegap: Minegap, engine: EngineDouble, line: list[str], kind: type[Command], told: dict[str, object]
) -> None:
    session = engine.session()
    engine.session(state="queued")
    engine.session(state="finished")
    separator = ["--"] if "-- a dog" in line else []
    done = minegap(line[0], *separator, *line[1:], store=engine.folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    command = engine.asked[-1]
    assert isinstance(command, kind)
    assert command.session_id == session
    assert fields(command) == told
    assert f"Done: {kind.__name__}." in done.stderr
    if kind in commands.Steering.__args__:
        assert f"minegap undo {command.id[:8]}" in done.stderr
    assert engine.greeted == ["command line"]


def test_the_help_names_every_knob(minegap: Minegap) -> None:
    shown = minegap("set", "--help").stdout
    assert all(knob in shown for knob in KNOBS)


def test_json_is_the_acknowledgement(minegap: Minegap, engine: EngineDouble) -> None:
    engine.session()
    done = minegap("pin", "7", "--json", store=engine.folder)
    answer = json.loads(done.stdout)
    assert answer["accepted"] is True
    assert answer["generation"] == 4
    assert answer["id"] == engine.asked[0].id


@pytest.mark.parametrize("code", [2, 3])
def test_a_refusal_is_the_engines_sentence_and_exit_code(
    minegap: Minegap, engine: EngineDouble, code: int
) -> None:
    engine.session()
    engine.answer = lambda command: protocol.Acknowledged(
        id=command.id, accepted=False, sentence="Candidate 7 failed: \x1b[2J pin another.", exit_code=code
    )
    done = minegap("pin", "7", store=engine.folder)
    assert done.returncode == code
    assert done.stderr == "minegap: Candidate 7 failed: ␛[2J pin another.\n"


@pytest.mark.parametrize(
    "line",
    [
        ["pause"],
        ["step"],
        ["stop"],
        ["edit", "1", "--prompt", "x"],
        ["inject", "x"],
        ["pin", "1"],
        ["ban", "--word", "x"],
        ["rescore", "1", "--images", "2"],
        ["set", "images=3"],
        ["undo"],
        ["attach"],
        ["resume"],
    ],
)
def test_without_an_engine_every_command_is_refused_in_one_sentence(
    minegap: Minegap, tmp_path: Path, line: list[str]
) -> None:
    for place in (tmp_path / "nothing", tmp_path):
        done = minegap(*line, store=place)
        assert done.returncode == 2
        assert done.stderr.startswith("minegap: ")
        assert done.stderr.count("\n") == 1
        fill(tmp_path, generations=1, population=2, images=2, variations=2)
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["inject"], "Give either prompts or --file"),
        (["inject", "a cat", " "], "Prompt 2 is empty"),
        (["inject", "a\x1bcat"], "U+001B"),
        (["inject", os.fsdecode(b"a \xff cat")], "U+DCFF"),
        (["edit", "1", "--prompt", ""], "is empty"),
        (["edit", "0", "--prompt", "x"], "CANDIDATE"),
        (["pin", "99999999999999999999"], "CANDIDATE"),
        (["ban"], "exactly one"),
        (["ban", "--word", "x", "--lineage", "1"], "exactly one"),
        (["ban", "--word", "x", "--word", "y"], "exactly one"),
        (["lift", "--lineage", "1", "--lineage", "2"], "exactly one"),
        (["ban", "--word", ""], "The word is empty: name"),
        (["rescore", "1"], "--images"),
        (["rescore", "1", "--images", "0"], "--images"),
        (["set"], "KEY=VALUE"),
        (["set", "images"], "KEY=VALUE"),
        (["set", "alpha=nan"], "no number"),
        (["set", "images=[1]"], "no number"),
        (["pause", "--after", "lunch"], "lunch"),
        (["undo", "nothing"], "'nothing'"),
        (["undo"], "no steering command"),
        (["pause", "--session", "zzz"], "zzz"),
    ],
)
def test_bad_input_is_said_before_the_engine_is_asked(
    minegap: Minegap, engine: EngineDouble, line: list[str], words: str
) -> None:
    engine.session()
    done = minegap(*line, store=engine.folder)
    assert done.returncode == 2
    assert words in done.stderr
    assert engine.asked == []


def test_which_session_is_meant(minegap: Minegap, engine: EngineDouble) -> None:
    done = minegap("pause", store=engine.folder)
    assert "No session runs" in done.stderr
    first = engine.session(state="queued")
    assert minegap("pause", store=engine.folder).returncode == 0
    second = engine.session(state="queued")
    done = minegap("pause", store=engine.folder)
    assert done.returncode == 2
    assert "--session" in done.stderr
    assert minegap("pause", "--session", second.lower(), store=engine.folder).returncode == 0
    assert [command.session_id for command in engine.asked] == [first, second]


# ---------------------------------------------------------------- stop


def test_stop_asks_on_a_terminal(engine: EngineDouble) -> None:
    session = engine.session("nurses")
    for key, code in (("n", 130), ("y", 0)):
        child = pexpect.spawn(
            sys.executable, ["-m", "minegap_tui.cli", "stop", "--store", str(engine.folder)], timeout=60
        )
        child.expect(rf"Stop session {session} \(nurses\)")
        child.sendline(key)
        if key == "n":
            child.expect("nothing is stopped: mining goes on")
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == code
        assert len(engine.asked) == (key == "y")


# ---------------------------------------------------------------- inject


def test_prompts_come_from_a_file_or_standard_input(
    minegap: Minegap, engine: EngineDouble, tmp_path: Path
) -> None:
    engine.session()
    file = tmp_path / "prompts.txt"
    file.write_bytes("\ufeffa cat\r\n\n  a dög \n".encode())
    assert minegap("inject", "--file", file, store=engine.folder).returncode == 0
    command = engine.asked[-1]
    assert isinstance(command, commands.Inject)
    assert command.prompts == ("a cat", "  a dög ")
    piped = subprocess.run(
        [sys.executable, "-m", "minegap_tui.cli", "inject", "--file", "-", "--store", str(engine.folder)],
        input=b"a cat\na\x07dog\n",
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert piped.returncode == 2
    assert b"Line 2 of standard input holds the control character U+0007" in piped.stderr
    assert len(engine.asked) == 1


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "no prompt"),
        (b"\n\n", "no prompt"),
        (b"good\n\xff\n", "Line 2 of 'f' is not UTF-8"),
        (b"good\n" + b"x" * 3000, "Line 2 of 'f' has 3000 characters"),
        (b"a\n" * 10_001, "10001 prompts"),
        (b"a cat\n" * 200_000, "split the file"),
    ],
)
def test_one_bad_line_refuses_the_file(raw: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_prompts(raw, "'f'")


@given(st.lists(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1), min_size=1, max_size=20))
def test_every_line_that_can_be_a_prompt_arrives_exactly(texts: list[str]) -> None:
    kept = tuple(text for text in texts if text.strip())
    if kept and not kept[0].startswith("\ufeff"):
        assert read_prompts("\n".join(kept).encode(), "f") == kept
