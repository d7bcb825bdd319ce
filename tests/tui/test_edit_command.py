"""The edit of a prompt in the user's editor: what is handed over, what is given back, and its lock."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from commandline import Minegap
from double import EngineDouble

from engine import commands
from store.incoming import NewCandidate

HOSTILE = "a nurse; $(touch pwned) `touch pwned` \x9b31m"


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
