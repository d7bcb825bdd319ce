"""Real processes and the embedded pack: whatever is killed, and whenever, a resumed session ends the same."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from engine import protocol
from engine.client import EngineClient, command_id, follow
from engine.commands import Open, Pause, Resume, Stop
from engine.config_sources import load_config
from engine.errors import InputError
from engine.packs import EMBEDDED_DIRECTORY
from engine.places import socket_path
from store import open_reader, open_store
from store.lock import holder
from tests.e2e.engines import (
    begin,
    engines,
    gone,
    no_engines_left,
    once,
    run,
    small,
    state,
    the_session,
    workers,
)
from tests.engine.serving import until
from tests.engine.sessions import mined

pytestmark = [
    pytest.mark.timeout(900),  # libraries load in every process; on a busy machine that alone takes minutes
    pytest.mark.skipif(
        not (EMBEDDED_DIRECTORY / "writer.gguf").exists(),
        reason="the embedded pack has not been trained here",
    ),
]


@pytest.fixture(autouse=True)
def _no_engines_left(tmp_path: Path) -> Iterator[None]:
    yield from no_engines_left(tmp_path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session that nothing disturbed."""
    store = tmp_path_factory.mktemp("whole")
    events = asyncio.run(run(store, small()))
    last = events[-1]
    assert isinstance(last, protocol.Finished), last
    assert last.state == "finished"
    return store


def finished(events: list[protocol.Event]) -> bool:
    return isinstance(events[-1], protocol.Finished) and events[-1].state == "finished"


# ---------------------------------------------------------------- the session


def test_a_session_ends_with_scores_and_files(whole: Path) -> None:
    with open_reader(whole) as reader:
        (session,) = reader.sessions()
        board = reader.leaderboard(session.id, 100)
        assert session.state == "finished"
        assert session.candidates == 8
        assert board
        evidence = reader.candidate(board[0].id).evaluation
    assert evidence is not None
    for image in evidence.images:
        assert image.path.read_bytes().startswith(b"\x89PNG")


def test_everything_in_the_store_is_its_users_alone(whole: Path) -> None:
    loose = [path for path in whole.rglob("*") if stat.S_IMODE(path.lstat().st_mode) & 0o077]
    assert loose == []


async def test_kill_9_of_the_engine_takes_its_workers_along_and_loses_nothing(
    whole: Path, tmp_path: Path
) -> None:
    left: list[psutil.Process] = []

    def strike(client: EngineClient) -> None:
        left.extend(workers(client.pid))
        os.kill(client.pid, signal.SIGKILL)

    events = await run(tmp_path, small(), act=once(protocol.CandidateScored, strike))
    last = events[-1]
    assert isinstance(last, protocol.Failed)
    assert "ended without a word" in last.sentence
    assert len(left) == 2
    assert gone(left)
    assert socket_path(tmp_path).is_socket()  # stale: the next engine replaces it
    events = await run(tmp_path, resume=the_session(tmp_path))
    assert finished(events), events[-1]
    assert mined(tmp_path) == mined(whole)


@pytest.mark.parametrize("role", ["painter", "writer"])
async def test_kill_9_of_a_worker_is_noticed_and_changes_nothing(
    whole: Path, tmp_path: Path, role: str
) -> None:
    def strike(client: EngineClient) -> None:
        for worker in workers(client.pid, role):
            worker.kill()

    events = await run(tmp_path, small(), act=once(protocol.GenerationStarted, strike))
    assert finished(events), events[-1]
    notices = [event.message for event in events if isinstance(event, protocol.Notice)]
    assert any(f"{role} worker was killed" in notice for notice in notices)
    assert mined(tmp_path) == mined(whole)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_stops_cleanly_and_the_session_goes_on_later(
    whole: Path, tmp_path: Path, number: signal.Signals
) -> None:
    strike = once(protocol.CandidateScored, lambda client: os.kill(client.pid, number))
    events = await run(tmp_path, small(), act=strike)
    last = events[-1]
    assert isinstance(last, protocol.Finished)
    assert last.state == "interrupted"
    assert number.name in state(tmp_path, last.session_id)[1]
    assert gone(engines(tmp_path))
    assert holder(tmp_path) is None
    events = await run(tmp_path, resume=last.session_id)
    assert finished(events), events[-1]
    assert mined(tmp_path) == mined(whole)


CLIENT = """
import asyncio, sys
from pathlib import Path
from engine.client import EngineClient, command_id, follow
from engine.commands import Open

async def main():
    store = Path(sys.argv[1])
    client = await EngineClient.connect_or_start(store, "test")
    begun = await client.ask(Open(id=command_id(), config=sys.stdin.read()))
    async for event in follow(store, begun.session_id, "test"):
        print(type(event).__name__, flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGKILL])
def test_a_client_that_is_hung_up_on_leaves_an_engine_that_mines_on(
    whole: Path, tmp_path: Path, number: signal.Signals
) -> None:
    client = subprocess.Popen(
        [sys.executable, "-c", CLIENT, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert client.stdin is not None
    assert client.stdout is not None
    client.stdin.write(small().model_dump_json())
    client.stdin.close()
    for line in client.stdout:
        if "GenerationStarted" in line:
            break
    os.killpg(client.pid, number)  # as the terminal's end does it to everything that runs in it
    client.wait()
    client.stdout.close()

    async def rest() -> list[protocol.Event]:
        return [event async for event in follow(tmp_path, the_session(tmp_path), "test")]

    assert finished(asyncio.run(rest()))
    assert mined(tmp_path) == mined(whole)


@pytest.mark.parametrize("role", ["painter", "scorer", "writer"])
async def test_a_model_that_is_not_there_is_one_sentence_and_exit_2(tmp_path: Path, role: str) -> None:
    config = small(**{role: str(tmp_path / "nothing here")})
    last = (await run(tmp_path / "store", config))[-1]
    assert isinstance(last, protocol.Failed)
    assert last.exit_code == 2
    assert "nothing here" in last.sentence
    assert "\n" not in last.sentence


@pytest.mark.skipif(
    not (EMBEDDED_DIRECTORY / "painter").exists(), reason="the painter is still being trained"
)
async def test_the_embedded_painter_draws_what_is_scored(tmp_path: Path) -> None:
    config = load_config(
        None,
        {
            "painter": {"batch_size": 4, "device": "cpu"},
            "search": {
                "population": 1,
                "survivors": 1,
                "mutations": 0,
                "generations": 1,
                "images": 4,
                "variations": 4,
                "prompts": ["a doctor"],
            },
        },
    )
    events = await run(tmp_path, config)
    assert finished(events), events[-1]
    with open_reader(tmp_path) as reader:
        assert [one.prompt for one in reader.leaderboard(the_session(tmp_path))] == ["a doctor"]


# ---------------------------------------------------------------- the process


async def test_clients_that_start_at_once_share_one_engine(tmp_path: Path) -> None:
    clients = await asyncio.gather(*(EngineClient.connect_or_start(tmp_path, "test") for _ in range(5)))
    assert len({client.pid for client in clients}) == 1
    late = [process for process in engines(tmp_path) if process.pid != clients[0].pid]
    assert gone(late)
    assert [process.pid for process in engines(tmp_path)] == [clients[0].pid]
    for client in clients:
        await client.close()


async def test_an_engine_is_detached_from_everything(tmp_path: Path) -> None:
    inherited = os.open(tmp_path / "secret", os.O_CREAT | os.O_RDWR)
    os.set_inheritable(inherited, True)
    try:
        client = await EngineClient.connect_or_start(tmp_path, "test")
    finally:
        os.close(inherited)
    engine = psutil.Process(client.pid)
    assert os.getsid(client.pid) not in (os.getsid(0), client.pid)  # no terminal, and no way to one
    assert engine.terminal() is None
    assert engine.parent() != psutil.Process()
    assert engine.cwd() == "/"
    assert os.readlink(f"/proc/{client.pid}/fd/0") == os.devnull
    assert str(tmp_path / "secret") not in [file.path for file in engine.open_files()]
    os.kill(client.pid, signal.SIGHUP)
    with pytest.raises(InputError):
        await client.ask(Stop(id=command_id(), session_id="nothing"))
    await client.close()


async def test_an_engine_with_nothing_to_do_ends_and_cleans_up(tmp_path: Path) -> None:
    client = await EngineClient.connect_or_start(tmp_path, "test")
    with pytest.raises(InputError):
        await client.ask(Stop(id=command_id(), session_id="nothing"))
    assert [event async for event in client.events()] == []
    assert gone(engines(tmp_path))
    assert not socket_path(tmp_path).exists()
    assert holder(tmp_path) is None
    lines = (tmp_path / "engine.log").read_text().splitlines()
    assert len(lines) == 2  # that it began and that it ended, and no mistake in between
    await client.close()


async def test_a_socket_that_a_cleaner_removed_is_soon_back(tmp_path: Path) -> None:
    client = await EngineClient.connect_or_start(tmp_path, "test")
    socket_path(tmp_path).unlink()
    late = await EngineClient.connect_or_start(tmp_path, "test")  # waits for the one that holds the store
    assert late.pid == client.pid
    assert (tmp_path / "engine.log").read_text().count("process") == 1
    await client.close()
    await late.close()


async def test_a_store_that_another_program_writes_is_left_alone(tmp_path: Path) -> None:
    with open_store(tmp_path), pytest.raises(InputError, match=f"process {os.getpid()}"):
        await EngineClient.connect_or_start(tmp_path, "test")


async def test_a_store_that_is_no_database_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "minegap.db").write_text("a shopping list")
    with pytest.raises(InputError, match="database"):
        await EngineClient.connect_or_start(tmp_path, "test")
    assert (tmp_path / "minegap.db").read_text() == "a shopping list"


def test_the_client_loads_no_model_library() -> None:
    script = (
        "import sys, engine.client\n"
        "print([name for name in ('torch', 'diffusers', 'open_clip', 'llama_cpp') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


# ---------------------------------------------------------------- the queue


async def test_a_queue_outlives_its_engine(tmp_path: Path) -> None:
    client, first = await begin(tmp_path, small())
    begun = await client.ask(Open(id=command_id(), config=small().model_dump_json()))
    assert "1 before it" in begun.sentence
    os.kill(client.pid, signal.SIGKILL)
    assert gone(engines(tmp_path))
    await client.close()
    again = await EngineClient.connect_or_start(tmp_path, "test")
    assert state(tmp_path, first)[0] in ("interrupted", "queued")
    events = [event async for event in follow(tmp_path, begun.session_id, "test")]
    assert finished(events), events[-1]
    await again.close()


async def test_two_stores_draw_one_after_another(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    first_client, first = await begin(one, small())
    await first_client.ask(Pause(id=command_id(), session_id=first, after="image"))
    await until(lambda: state(one, first)[0] == "paused")
    second_client, second = await begin(two, small())
    await until(lambda: str(one) in state(two, second)[1])
    assert state(two, second)[0] == "queued"
    assert workers(second_client.pid) == []
    await first_client.ask(Resume(id=command_id(), session_id=first))
    for store, session_id in ((one, first), (two, second)):
        events = [event async for event in follow(store, session_id, "test")]
        assert finished(events), events[-1]
    await first_client.close()
    await second_client.close()
