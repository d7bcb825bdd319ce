"""What ``docs/robustness.md`` says at length, in short: kill -9 by turns, and a disk that fills up."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import protocol
from engine.client import EngineClient
from engine.validation.kills import VICTIMS, run_rounds
from engine.validation.sameness import first_difference
from store import open_reader
from tests.e2e.engines import no_engines_left, run, small, the_session

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(autouse=True)
def _no_engines_left(tmp_path: Path) -> Iterator[None]:
    yield from no_engines_left(tmp_path)


async def test_rounds_of_kill_9_leave_no_trace(tmp_path: Path) -> None:
    rounds, faults = await run_rounds(tmp_path, rounds=len(VICTIMS), seed=1, generations=3)
    assert [one.victim for one in rounds] == list(VICTIMS)
    assert faults == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, in memory."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m,mode=0700", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
    )
    if mounted.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Write a file until not one byte more fits."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1 << 16))
        except OSError:
            return ballast


async def test_a_full_disk_pauses_in_one_sentence_and_room_lets_it_go_on(
    tmp_path: Path, small_disk: Path
) -> None:
    store = small_disk / "store"
    ballast: list[Path] = []
    pauses: list[protocol.StateChanged] = []

    def act(event: protocol.Event, _: EngineClient) -> None:
        if isinstance(event, protocol.CandidateScored) and not ballast:
            ballast.append(fill(small_disk))
        if isinstance(event, protocol.StateChanged) and event.state == "paused":
            pauses.append(event)
            ballast[0].unlink(missing_ok=True)  # nobody tells the engine: it looks for itself

    events = await run(store, small(), act=act)
    last = events[-1]
    assert isinstance(last, protocol.Finished)
    assert last.state == "finished"
    assert pauses[0].seq == 0  # it is told before it can be stored
    assert {(pause.reason, pause.exit_code) for pause in pauses} == {(pauses[0].reason, 3)}
    assert "is full" in pauses[0].reason
    assert "\n" not in pauses[0].reason
    with open_reader(store) as reader:
        stored = [
            event.payload["state"]
            for event in reader.events(the_session(store))
            if event.kind == "state_changed"
        ]
    assert stored.count("paused") == 1
    await run(tmp_path / "whole", small())
    assert (
        first_difference((tmp_path / "whole", the_session(tmp_path / "whole")), (store, the_session(store)))
        == ""
    )
