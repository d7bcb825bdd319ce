"""Real processes and the embedded pack: whatever is killed, and whenever, a resumed session ends the same."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from engine import protocol
from engine.client import EngineClient
from engine.config import MiningConfig, load_config
from engine.packs import EMBEDDED_DIRECTORY
from store import open_reader
from tests.engine.test_mining import mined

pytestmark = [
    pytest.mark.timeout(900),  # libraries load in every process; on a busy machine that alone takes minutes
    pytest.mark.skipif(
        not (EMBEDDED_DIRECTORY / "writer.gguf").exists(),
        reason="the embedded pack has not been trained here",
    ),
]

Act = Callable[[protocol.Event, EngineClient], None]


def small(**models: Any) -> MiningConfig:
    """Two small generations; the drawn world paints, so that a test is about processes and not about speed."""
    return load_config(
        None,
        {
            "models": {"painter": "drawing:planted"} | models,
            "session": {"seed": 3},
            "painter": {"batch_size": 3, "device": "cpu"},
            "scorer": {"device": "cpu"},
            "writer": {"threads": 1},
            "search": {
                "population": 4,
                "survivors": 1,
                "mutations": 2,
                "generations": 2,
                "images": 4,
                "variations": 4,
            },
        },
    )


async def run(
    store: Path, config: MiningConfig | None = None, resume: str | None = None, act: Act | None = None
) -> tuple[list[protocol.Event], int]:
    client = await EngineClient.start(store, config=config, resume=resume)
    events = []
    try:
        async for event in client.events():
            events.append(event)
            if act is not None:
                act(event, client)
        return events, await client.wait()
    finally:
        client.kill()
        await client.wait()


def once(kind: type[protocol.Event], do: Callable[[EngineClient], None]) -> Act:
    """Act at the first event of a kind."""
    done = False

    def act(event: protocol.Event, client: EngineClient) -> None:
        nonlocal done
        if isinstance(event, kind) and not done:
            done = True
            do(client)

    return act


def workers(client: EngineClient, role: str = "") -> list[psutil.Process]:
    children = psutil.Process(client.pid).children(recursive=True)
    return [child for child in children if f"engine.workers.{role}" in " ".join(child.cmdline())]


def session_id(store: Path) -> str:
    with open_reader(store) as reader:
        (session,) = reader.sessions()
    return session.id


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session that nothing disturbed."""
    store = tmp_path_factory.mktemp("whole")
    events, code = asyncio.run(run(store, small()))
    assert code == 0, events[-1]
    return store


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


async def test_kill_9_of_the_engine_takes_its_workers_along_and_loses_nothing(
    whole: Path, tmp_path: Path
) -> None:
    left: list[psutil.Process] = []

    def strike(client: EngineClient) -> None:
        left.extend(workers(client))
        os.kill(client.pid, signal.SIGKILL)

    events, code = await run(tmp_path, small(), act=once(protocol.CandidateScored, strike))
    assert code == -signal.SIGKILL
    last = events[-1]
    assert isinstance(last, protocol.Failed)
    assert "signal 9" in last.sentence
    assert len(left) == 2
    _, alive = psutil.wait_procs(left, timeout=60)
    assert alive == []
    events, code = await run(tmp_path, resume=session_id(tmp_path))
    assert code == 0, events[-1]
    assert mined(tmp_path) == mined(whole)


@pytest.mark.parametrize("role", ["painter", "writer"])
async def test_kill_9_of_a_worker_is_noticed_and_changes_nothing(
    whole: Path, tmp_path: Path, role: str
) -> None:
    def strike(client: EngineClient) -> None:
        for worker in workers(client, role):
            worker.kill()

    events, code = await run(tmp_path, small(), act=once(protocol.GenerationStarted, strike))
    assert code == 0, events[-1]
    notices = [event.message for event in events if isinstance(event, protocol.Notice)]
    assert any(f"{role} worker was killed (SIGKILL)" in notice for notice in notices)
    assert mined(tmp_path) == mined(whole)


async def test_sigint_stops_cleanly_and_the_session_goes_on_later(whole: Path, tmp_path: Path) -> None:
    strike = once(protocol.CandidateScored, lambda client: os.kill(client.pid, signal.SIGINT))
    events, code = await run(tmp_path, small(), act=strike)
    last = events[-1]
    assert isinstance(last, protocol.Finished)
    assert (last.state, code) == ("interrupted", 130)
    with open_reader(tmp_path) as reader:
        assert reader.session(last.session_id).state == "interrupted"
    events, code = await run(tmp_path, resume=last.session_id)
    assert code == 0, events[-1]
    assert mined(tmp_path) == mined(whole)


CLIENT = """
import asyncio, sys
from pathlib import Path
from engine.client import EngineClient
from engine.config import parse_config

async def main():
    client = await EngineClient.start(Path(sys.argv[1]), config=parse_config(sys.stdin.read(), "stdin"))
    async for event in client.events():
        print(client.pid, type(event).__name__, flush=True)

asyncio.run(main())
"""


def test_a_client_killed_with_9_leaves_an_engine_that_stops_cleanly(tmp_path: Path) -> None:
    client = subprocess.Popen(
        [sys.executable, "-c", CLIENT, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert client.stdin is not None
    assert client.stdout is not None
    client.stdin.write(small().model_dump_json())
    client.stdin.close()
    engine = 0
    for line in client.stdout:
        engine = int(line.split()[0])
        if "GenerationStarted" in line:
            break
    process = psutil.Process(engine)
    client.kill()
    client.wait()
    client.stdout.close()
    _, alive = psutil.wait_procs([process], timeout=120)
    assert alive == []
    with open_reader(tmp_path) as reader:
        (session,) = reader.sessions()
    assert (session.state, session.reason) == ("interrupted", "stopped by the user")


@pytest.mark.parametrize("role", ["painter", "scorer", "writer"])
async def test_a_model_that_is_not_there_is_one_sentence_and_exit_2(tmp_path: Path, role: str) -> None:
    config = small(**{role: str(tmp_path / "nothing here")})
    events, code = await run(tmp_path / "store", config)
    last = events[-1]
    assert isinstance(last, protocol.Failed)
    assert (last.exit_code, code) == (2, 2)
    assert "nothing here" in last.sentence
    assert "\n" not in last.sentence


async def test_a_store_that_is_no_database_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "minegap.db").write_text("a shopping list")
    events, code = await run(tmp_path, small())
    assert isinstance(events[-1], protocol.Failed)
    assert code == 2
    assert (tmp_path / "minegap.db").read_text() == "a shopping list"


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
    events, code = await run(tmp_path, config)
    assert code == 0, events[-1]
    assert [event.prompt for event in events if isinstance(event, protocol.CandidateScored)] == ["a doctor"]


def test_the_client_loads_no_model_library() -> None:
    script = (
        "import sys, engine.client\n"
        "print([name for name in ('torch', 'diffusers', 'open_clip', 'llama_cpp') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
