"""The turn on a device: one at a time, given back by death, and a wait that can be called off."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from engine.turn import Turn, device_of
from tests.engine.serving import until


@pytest.fixture(autouse=True)
def _own_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.turn.runtime_directory", lambda: tmp_path)


@pytest.mark.parametrize(
    ("wish", "device"), [("cpu", "cpu"), ("cuda", "cuda:0"), ("cuda:0", "cuda:0"), ("cuda:3", "cuda:3")]
)
def test_a_device_has_one_name(wish: str, device: str) -> None:
    assert device_of(wish) == device


async def test_the_next_one_waits_until_the_turn_is_given_back() -> None:
    first, second = Turn("cpu", Path("/store/one")), Turn("cpu", Path("/store/two"))
    await first.take()
    waiting = asyncio.create_task(second.take())
    await asyncio.sleep(0.05)
    assert not waiting.done()
    assert second.holder() == "/store/one"
    first.release()
    await waiting
    assert first.holder() == "/store/two"
    assert not first.take_at_once()
    second.release()
    assert first.take_at_once()
    first.release()


async def test_devices_do_not_wait_for_each_other() -> None:
    first, second = Turn("cuda:0", Path("/one")), Turn("cuda:1", Path("/two"))
    assert first.take_at_once()
    assert second.take_at_once()
    first.release()
    second.release()


async def test_a_wait_that_was_called_off_takes_nothing() -> None:
    holder, gone, third = (Turn("cpu", Path(f"/{name}")) for name in ("holder", "gone", "third"))
    await holder.take()
    waiting = asyncio.create_task(gone.take())
    await asyncio.sleep(0.05)
    waiting.cancel()
    await asyncio.wait({waiting})
    holder.release()
    await third.take()
    assert gone.holder() == "/third"
    third.release()


async def test_one_that_called_off_can_wait_again() -> None:
    holder, other = Turn("cpu", Path("/holder")), Turn("cpu", Path("/other"))
    await holder.take()
    for _ in range(3):
        waiting = asyncio.create_task(other.take())
        await asyncio.sleep(0.01)
        waiting.cancel()
        await asyncio.wait({waiting})
    waiting = asyncio.create_task(other.take())
    await asyncio.sleep(0.01)
    holder.release()
    await waiting
    assert holder.holder() == "/other"
    other.release()


async def test_a_lock_file_that_was_removed_keeps_nobody_out_for_ever(tmp_path: Path) -> None:
    first, second = Turn("cpu", Path("/one")), Turn("cpu", Path("/two"))
    await first.take()
    waiting = asyncio.create_task(second.take())
    await until(lambda: (tmp_path / "turn-cpu").read_bytes() == b"/one")
    await asyncio.sleep(0.05)
    (tmp_path / "turn-cpu").unlink()
    first.release()
    await waiting
    assert (tmp_path / "turn-cpu").read_bytes() == b"/two"
    assert not Turn("cpu", Path("/three")).take_at_once()
    second.release()


HOLD = """
import sys
from pathlib import Path
import engine.turn
engine.turn.runtime_directory = lambda: Path(sys.argv[1])
turn = engine.turn.Turn("cpu", Path("/dead"))
assert turn.take_at_once()
print("held", flush=True)
sys.stdin.read()
"""


async def test_a_dead_process_gives_its_turn_back(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdin is not None
    with process.stdout, process.stdin:
        assert process.stdout.readline() == b"held\n"
        turn = Turn("cpu", Path("/heir"))
        assert not turn.take_at_once()
        waiting = asyncio.create_task(turn.take())
        process.kill()
        await waiting
        process.wait()
    assert turn.holder() == "/heir"
    turn.release()


def test_the_lock_is_its_users_alone(tmp_path: Path) -> None:
    turn = Turn("cpu", Path("/one"))
    assert turn.take_at_once()
    assert (tmp_path / "turn-cpu").stat().st_mode & 0o777 == 0o600
    turn.release()
