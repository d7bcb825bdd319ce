"""The command line on real, detached engines: steered while it mines, left, found again, gone on with."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from engine import protocol
from engine.client import EngineClient, command_id, follow
from engine.commands import EditBegin
from engine.packs import EMBEDDED_DIRECTORY
from store import open_reader

pytestmark = [
    pytest.mark.timeout(600),  # libraries load in every process; on a busy machine that alone takes minutes
    pytest.mark.skipif(
        not (EMBEDDED_DIRECTORY / "writer.gguf").exists(),
        reason="the embedded pack has not been trained here",
    ),
]

SMALL = """
[models]
painter = "drawing:planted"
[session]
seed = 3
[painter]
batch_size = 3
device = "cpu"
[scorer]
device = "cpu"
[writer]
threads = 1
[search]
population = 4
survivors = 1
mutations = 2
generations = 2
images = 4
variations = 4
"""


LONG = ("--generations", "10", "--set", "search.images=8")
"""Goes on for longer than a few commands take."""


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A store whose engine, if one runs, is ended afterwards."""
    with tempfile.TemporaryDirectory(prefix="mg-", dir="/tmp") as runtime:
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
        monkeypatch.setenv("MINEGAP_STORE_PATH", str(tmp_path / "store"))
        (tmp_path / "small.toml").write_text(SMALL)
        yield tmp_path / "store"
        for process in engines(tmp_path / "store"):
            process.terminate()
            process.wait(60)


def engines(store: Path) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if "engine.serve" in (process.info["cmdline"] or []) and str(store) in process.info["cmdline"]
    ]


def minegap(*arguments: str, code: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "minegap_tui.cli", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=os.environ | environment,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def until(store: Path, session: str, state: str) -> None:
    """Wait until a session is in a state, by its events."""

    async def wait() -> None:
        async for event in follow(store, session, "test"):
            if getattr(event, "state", "") == state:
                return
        raise AssertionError(f"the session ended before it was {state}")

    asyncio.run(wait())


def listed() -> dict[str, dict[str, object]]:
    return {row["id"]: row for row in json.loads(minegap("ls", "--json").stdout)}


def test_a_session_is_left_steered_and_gone_on_with(store: Path, tmp_path: Path) -> None:
    started = minegap("mine", str(tmp_path / "small.toml"), "--detach")
    session = started.stdout.strip()
    minegap("pause", "--after", "generation")
    until(store, session, "paused")
    assert listed()[session]["state"] == "paused"
    with open_reader(store) as reader:
        first = reader.candidates(session, 1)
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("a nurse at night\n")
    minegap("inject", "--file", str(prompts))
    minegap("pin", str(first[0].id))
    minegap("ban", "--word", "butterfly", code=2 if "butterfly" in first[0].prompt else 0)
    minegap("set", "images=5")
    refused = minegap("set", "images=1", code=2)
    assert "images" in refused.stderr
    assert "already" in minegap("inject", "a nurse at night", code=2).stderr
    minegap("inject", "a doctor in the snow")
    minegap("undo")
    script = tmp_path / "editor.py"
    script.write_text("import pathlib, sys; pathlib.Path(sys.argv[-1]).write_text('a calm farmer\\n')")
    minegap("edit", str(first[1].id), VISUAL=f"{sys.executable} {script}")
    resumed = minegap("resume", "--plain")
    assert "a calm farmer" in resumed.stdout
    with open_reader(store) as reader:
        second = {candidate.prompt: candidate for candidate in reader.candidates(session, 2)}
        evidence = reader.candidate(second["a nurse at night"].id).evaluation
    assert evidence is not None
    assert len(evidence.images) == 5
    assert second["a calm farmer"].origin == second["a nurse at night"].origin == "human"
    assert second["a calm farmer"].parent_id == first[1].id
    assert second[first[0].prompt].origin == "elite"
    assert "a doctor in the snow" not in second
    record = [json.loads(line) for line in minegap("log", "--json").stdout.splitlines()]
    steered = [line for line in record if line["kind"] == "steered"]
    assert len(steered) >= 6
    assert {line["generation"] for line in steered} == {2}
    assert all(line["author"].endswith("(command line)") for line in steered)
    forked = minegap(*("fork", session, "--generation", "2", "--plain"), "--set", "search.generations=3")
    (other,) = set(listed()) - {session}
    assert listed()[other]["state"] == "finished"
    assert listed()[other]["generations"] == 3
    assert "a calm farmer" in forked.stdout


def test_a_hang_up_leaves_the_engine_mining_and_attach_finds_it(store: Path, tmp_path: Path) -> None:
    master, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "minegap_tui.cli", "mine", str(tmp_path / "small.toml"), *LONG, "--plain"],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    )
    os.close(terminal)
    read = b""
    while b"generation 1/" not in read:
        read += os.read(master, 4096)
    process.send_signal(signal.SIGHUP)
    os.close(master)
    assert process.wait(60) == 130
    (engine,) = engines(store)
    attached = minegap("attach", "--json")
    lines = [json.loads(line) for line in attached.stdout.splitlines()]
    assert lines[0]["type"] == "snapshot"
    assert (lines[-1]["type"], lines[-1]["state"]) == ("finished", "finished")
    assert engine.wait(60) in (0, None)  # nothing is left to do
    assert minegap("attach", code=2).stderr.startswith("minegap: No session runs")


def test_stop_ends_the_engine_and_resume_goes_on(store: Path, tmp_path: Path) -> None:
    session = minegap("mine", str(tmp_path / "small.toml"), *LONG, "--detach").stdout.strip()
    waiting = minegap("mine", str(tmp_path / "small.toml"), "--seed", "4", "--detach").stdout.strip()
    until(store, session, "mining")
    assert (listed()[waiting]["state"], listed()[waiting]["queue_place"]) == ("queued", 1)
    minegap("stop", "--session", waiting)
    (engine,) = engines(store)
    minegap("stop", "--now")
    engine.wait(60)
    assert {row["state"] for row in listed().values()} == {"interrupted"}
    done = minegap("mine", "--resume", session, "--json")
    assert json.loads(done.stdout.splitlines()[-1])["state"] == "finished"


async def test_a_lock_of_one_editor_keeps_the_other_out(store: Path, tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    session = (
        await loop.run_in_executor(
            None, lambda: minegap("mine", str(tmp_path / "small.toml"), *LONG, "--detach")
        )
    ).stdout.strip()
    candidate = 0
    async for event in follow(store, session, "test"):
        if isinstance(event, protocol.GenerationStarted | protocol.Snapshot):
            with open_reader(store) as reader:
                found = reader.candidates(session, 1)
            if found:
                candidate = found[0].id
                break
    client = await EngineClient.connect(store, "other editor")
    try:
        await client.ask(EditBegin(id=command_id(), session_id=session, candidate_id=candidate))
        refused = await loop.run_in_executor(
            None, lambda: minegap("edit", str(candidate), "--prompt", "a calm farmer", code=2)
        )
        assert "other editor" in refused.stderr
    finally:
        await client.close()
    await loop.run_in_executor(None, lambda: minegap("edit", str(candidate), "--prompt", "a calm farmer"))
    await loop.run_in_executor(None, lambda: minegap("stop", "--now"))
