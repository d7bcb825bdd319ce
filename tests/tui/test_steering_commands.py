"""The steering commands: what reaches the engine, what it answers, and what never reaches it."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from commandline import Minegap
from double import EngineDouble, listening
from factory import fill
from hypothesis import given
from hypothesis import strategies as st

from engine import commands, protocol
from engine.commands import Command
from engine.config import KNOBS, MiningConfig
from engine.config_sources import load_config
from engine.errors import InputError
from minegap_tui.commands.steer import read_prompts
from store import open_store
from store.incoming import NewCandidate

HOSTILE = "a nurse; $(touch pwned) `touch pwned` \x9b31m"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EngineDouble]:
    with listening(tmp_path / "store") as double:
        yield double


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


# ---------------------------------------------------------------- edit


@pytest.fixture
def candidate(engine: EngineDouble) -> int:
    session = engine.session()
    (number,) = engine._store.add_candidates(session, 1, [NewCandidate(0, HOSTILE, "initial")])
    return number


def editor(monkeypatch: pytest.MonkeyPatch, folder: Path, program: str) -> None:
    """Make a Python program the editor; it finds the file's path in ``path``."""
    script = folder / "an editor.py"
    script.write_text(f"import os, pathlib, sys\npath = pathlib.Path(sys.argv[-1])\n{program}\n")
    monkeypatch.setenv("VISUAL", f"'{sys.executable}' '{script}' --wait")


def test_the_editor_holds_the_exact_prompt_and_gives_the_new_one(
    minegap: Minegap,
    engine: EngineDouble,
    candidate: int,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    program = (
        f"seen = pathlib.Path({str(tmp_path)!r}, 'seen')\n"
        "seen.write_bytes(path.read_bytes())\n"
        "pathlib.Path(str(seen) + '.mode').write_text(oct(path.stat().st_mode))\n"
        "pathlib.Path(str(seen) + '.path').write_text(str(path))\n"
        "path.unlink()\n"
        "path.write_text('a nurse at sea\\n')"
    )
    editor(monkeypatch, tmp_path, program)
    monkeypatch.chdir(tmp_path)
    done = minegap("edit", str(candidate), store=engine.folder)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "seen").read_text() == HOSTILE
    assert stat.S_IMODE(int((tmp_path / "seen.mode").read_text(), 8)) == 0o600
    assert not Path((tmp_path / "seen.path").read_text()).exists()
    assert not (tmp_path / "pwned").exists()
    begin, commit = engine.asked
    assert isinstance(begin, commands.EditBegin)
    assert isinstance(commit, commands.EditCommit)
    assert (commit.candidate_id, commit.prompt) == (candidate, "a nurse at sea")


@pytest.mark.parametrize(
    "program",
    [
        "pass",
        "path.write_bytes(path.read_bytes() + b'\\n')",
        "path.write_text('')",
        "path.write_text('a new one'); sys.exit(1)",
        "path.unlink()",
    ],
    ids=["unchanged", "only a line end", "emptied", "the editor failed", "the file is gone"],
)
def test_no_change_cancels(
    minegap: Minegap,
    engine: EngineDouble,
    candidate: int,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    program: str,
) -> None:
    editor(monkeypatch, tmp_path, program)
    done = minegap("edit", str(candidate), store=engine.folder)
    assert done.returncode == 0, done.stderr
    assert [type(command) for command in engine.asked] == [commands.EditBegin, commands.EditCancel]
    assert "cancelled" in done.stderr
    assert engine.locks == {}


def test_a_text_that_cannot_be_a_prompt_is_not_lost(
    minegap: Minegap,
    engine: EngineDouble,
    candidate: int,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    editor(monkeypatch, tmp_path, "path.write_text('two\\nlines')")
    done = minegap("edit", str(candidate), store=engine.folder)
    assert done.returncode == 2
    assert "U+000A" in done.stderr
    assert "your text: two␊lines" in done.stderr
    assert engine.unlocked.wait(30)
    assert engine.locks == {}


@pytest.mark.parametrize(
    ("named", "words"), [("", "$EDITOR"), ("/no/such/editor", "cannot be started"), ("'", "VISUAL")]
)
def test_an_editor_that_cannot_be_used(
    minegap: Minegap,
    engine: EngineDouble,
    candidate: int,
    monkeypatch: pytest.MonkeyPatch,
    named: str,
    words: str,
) -> None:
    monkeypatch.delenv("EDITOR", raising=False)
    monkeypatch.setenv("VISUAL", named)
    done = minegap("edit", str(candidate), store=engine.folder)
    assert done.returncode == 2
    assert words in done.stderr


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGKILL])
def test_the_lock_is_given_back_however_the_edit_ends(
    engine: EngineDouble,
    candidate: int,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    number: signal.Signals,
) -> None:
    ready = tmp_path / "ready"
    os.mkfifo(ready)
    editor(
        monkeypatch,
        tmp_path,
        f"open({str(ready)!r}, 'w').write(f'{{os.getpid()}} {{path}}')\nimport signal; signal.pause()",
    )
    with (tmp_path / "stderr").open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "minegap_tui.cli", "edit", str(candidate), "--store", str(engine.folder)],
            stderr=stderr,
        )
    pid, name = ready.read_text().split()
    assert Path(name).exists()
    assert list(engine.locks) == [candidate]
    process.send_signal(number)
    code = process.wait(120)
    assert engine.unlocked.wait(30)
    assert engine.locks == {}
    assert "Traceback" not in (tmp_path / "stderr").read_text()
    if number == signal.SIGKILL:
        os.kill(int(pid), signal.SIGKILL)
        Path(name).unlink()
    else:
        assert code == 130
        assert not Path(name).exists()


# ---------------------------------------------------------------- undo and log


def steer(engine: EngineDouble, session: str, command: dict[str, object], name: str, generation: int) -> None:
    engine.record(
        session,
        protocol.Steered(
            command_id=name,
            author="ann (app)",
            generation=generation,
            command=command | {"id": name, "session_id": session},
            sentence=f"{command['type']} \x1b]0;x\x07 from generation {generation} on.",
        ),
    )


def test_undo_takes_the_last_command_or_the_one_named(minegap: Minegap, engine: EngineDouble) -> None:
    session = engine.session()
    steer(engine, session, {"type": "pin", "candidate_id": 1}, "aaaa1111", 2)
    steer(engine, session, {"type": "ban", "what": "word", "text": "x"}, "aabb2222", 2)
    steer(engine, session, {"type": "pin", "candidate_id": 2}, "cccc3333", 2)
    steer(engine, session, {"type": "undo", "command_id": "cccc3333"}, "dddd4444", 2)
    for words, meant in (([], "aabb2222"), (["aaaa"], "aaaa1111"), (["aaaa1111"], "aaaa1111")):
        assert minegap("undo", *words, store=engine.folder).returncode == 0
        command = engine.asked[-1]
        assert isinstance(command, commands.Undo)
        assert command.command_id == meant
    done = minegap("undo", "aa", store=engine.folder)
    assert done.returncode == 2
    assert "2 commands begin with 'aa'" in done.stderr


def test_the_record_is_read_by_people_and_by_programs(minegap: Minegap, engine: EngineDouble) -> None:
    session = engine.session()
    engine.record(session, protocol.StateChanged(state="mining"))
    steer(engine, session, {"type": "pin", "candidate_id": 1}, "0123456789abcdef", 3)
    engine.record(session, protocol.StateChanged(state="paused", reason="paused by ann (app)"))
    engine.session(state="queued")
    done = minegap("log", store=engine.folder)
    assert done.returncode == 0
    head, mining, pin, paused = done.stdout.splitlines()
    assert head.split() == ["when", "author", "from", "id", "what"]
    assert "  ann (app)  gen 3    01234567  pin ␛]0;x␇ from generation 3 on." in pin
    assert "\x1b" not in done.stdout
    assert mining.endswith("mining")
    assert paused.endswith("  paused by ann (app)")
    lines = [
        json.loads(line)
        for line in minegap("log", session, "--json", store=engine.folder).stdout.splitlines()
    ]
    assert [line["kind"] for line in lines] == ["state_changed", "steered", "state_changed"]
    assert (lines[1]["author"], lines[1]["generation"]) == ("ann (app)", 3)
    assert lines[1]["command_id"] == "0123456789abcdef"


# ---------------------------------------------------------------- fork


@pytest.fixture
def old(engine: EngineDouble) -> str:
    config = load_config(None, {"search": {"images": 4}, "session": {"name": "nurses"}})
    session = engine.session("nurses", "finished", config.model_dump_json())
    for generation in (1, 2):
        engine._store.add_candidates(
            session, generation, [NewCandidate(0, f"a nurse {generation}", "initial")]
        )
    return session


def test_a_fork_keeps_the_configuration_but_for_what_is_set(
    minegap: Minegap, engine: EngineDouble, old: str
) -> None:
    done = minegap(
        *("fork", old, "--generation", "2", "--detach", "--seed", "9"),
        *("--set", "search.theme=at sea", "--set", "session.name=sailors"),
        store=engine.folder,
    )
    assert done.returncode == 0, done.stderr
    (command,) = engine.asked
    assert isinstance(command, commands.Fork)
    assert (command.session_id, command.generation) == (old, 2)
    config = MiningConfig.model_validate_json(command.config)
    assert (config.session.seed, config.session.name) == (9, "sailors")
    assert (config.search.theme, config.search.images) == ("at sea", 4)
    assert done.stdout.strip() != old


def test_a_fork_goes_on_with_the_knobs_as_they_stood(
    minegap: Minegap, engine: EngineDouble, old: str
) -> None:
    steer(engine, old, {"type": "set_knobs", "knobs": {"images": 6, "theme": "at sea"}}, "a1", 2)
    steer(engine, old, {"type": "set_knobs", "knobs": {"alpha": 0.25}}, "b2", 2)
    steer(engine, old, {"type": "undo", "command_id": "b2"}, "c3", 2)
    steer(engine, old, {"type": "set_knobs", "knobs": {"images": 8}}, "d4", 3)
    line = ("fork", old, "--generation", "2", "--detach", "--set", "search.theme=ashore")
    assert minegap(*line, store=engine.folder).returncode == 0
    command = engine.asked[-1]
    assert isinstance(command, commands.Fork)
    search = MiningConfig.model_validate_json(command.config).search
    assert (search.images, search.theme, search.alpha) == (6, "ashore", load_config().search.alpha)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["--generation", "3"], "has 2 generations"),
        (["--generation", "0"], "--generation"),
        (["--generation", "1", "--set", "models.painter=/other"], "models.painter cannot change"),
        (["--generation", "1", "--set", "painter.steps=9"], "painter.steps cannot change"),
        (["--generation", "1", "--set", "writer.temperature=2.0"], "only writer.prompts"),
        (["--generation", "1", "--set", "search.images=0"], "search.images"),
        (["--generation", "1", "--set", "search.colour=red"], "search.colour"),
    ],
)
def test_a_fork_that_cannot_be(
    minegap: Minegap, engine: EngineDouble, old: str, line: list[str], words: str
) -> None:
    done = minegap("fork", old, *line, store=engine.folder)
    assert done.returncode == 2
    assert words in done.stderr
    assert engine.asked == []


def test_a_session_of_a_version_that_is_gone_is_named(minegap: Minegap, tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        session = store.create_session(name="", seed=1, config_json='{"x": 1}', models_json="{}")
        store.add_candidates(session, 1, [NewCandidate(0, "a nurse", "initial")])
        store.set_session_state(session, "finished")
    done = minegap("fork", session, "--generation", "1", store=tmp_path)
    assert done.returncode == 2
    assert session in done.stderr
