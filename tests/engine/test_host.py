"""The supervisor and the frame of a worker, with a worker of a few lines: deaths, prints, refusals, farewells."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from engine.errors import InputError, MachineError
from engine.workers.host import WorkerDiedError, WorkerHost
from engine.workers.messages import EmbedTexts, Texts, Write, WriterLoaded

WORKER = """
import os, sys, time
from pathlib import Path
from engine.errors import InputError
from engine.workers.desk import Desk
from engine.workers.messages import EmbedTexts, Load, Texts, Vectors, WriterLoaded

desk = Desk()
folder = Path(sys.argv[1])

def starts():
    file = folder / "starts"
    file.write_text((file.read_text() if file.exists() else "") + "x")
    return len(file.read_text())

def handle(request):
    print("chatter of a library")
    os.write(1, b"chatter of a C library")
    if isinstance(request, Load):
        count = starts()
        if request.config == b"dies while loading":
            os._exit(9)
        name = "model" if request.config == b"same" else f"model {count}"
        desk.reply(WriterLoaded(id=request.id, writer=name))
    elif isinstance(request, EmbedTexts):
        desk.reply(Vectors(id=request.id, vectors=b"", dimension=0, truncated=()))
    elif request.kind == "die":
        os._exit(7)
    elif request.kind == "die once" and len((folder / "starts").read_text()) == 1:
        os.kill(os.getpid(), 9)
    elif request.kind == "refuse":
        raise InputError("The prompt is too long: shorten it.")
    elif request.kind == "break":
        raise ZeroDivisionError
    elif request.kind == "hang":
        (folder / "hanging").touch()
        while True:
            time.sleep(0.01)
    else:
        desk.reply(Texts(id=request.id, texts=(request.kind, str(request.seed)), exchanges=()))

desk.work(handle)
"""


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., WorkerHost]:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))

    def make(config: bytes = b"same") -> WorkerHost:
        (tmp_path / "worker.py").write_text(WORKER)
        command = (str(tmp_path / "worker.py"), str(tmp_path))
        return WorkerHost("writer", command, config, tmp_path / "writer.log", notices.append)

    notices: list[str] = []
    make.notices = notices  # type: ignore[attr-defined]
    return make


def write(kind: str, seed: int = 0) -> Write:
    return Write(kind=kind, count=1, seed=seed)


async def test_replies_find_their_requests_and_chatter_goes_to_the_log(
    host: Callable[..., WorkerHost], tmp_path: Path
) -> None:
    worker = host()
    assert await worker.load() == WriterLoaded(writer="model")
    replies = await asyncio.gather(*(worker.ask(write("echo", seed)) for seed in range(20)))
    assert [reply.texts[1] for reply in replies if isinstance(reply, Texts)] == [str(n) for n in range(20)]
    assert await worker.ask(EmbedTexts(texts=()))
    await worker.close()
    assert worker.pid is None
    assert (tmp_path / "writer.log").read_text().count("chatter of a library") == 22


async def test_a_killed_worker_is_started_again_and_asked_again(host: Callable[..., WorkerHost]) -> None:
    worker = host()
    reply = await worker.ask(write("die once", 5))
    assert isinstance(reply, Texts)
    assert reply.texts == ("die once", "5")
    assert worker.restarts == 1
    assert host.notices == [n for n in host.notices if "writer worker died (signal 9)" in n]  # type: ignore[attr-defined]
    assert len(host.notices) == 1  # type: ignore[attr-defined]
    await worker.close()


async def test_a_worker_killed_between_requests_is_started_again(host: Callable[..., WorkerHost]) -> None:
    worker = host()
    await worker.load()
    pid = worker.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    reply = await worker.ask(write("echo", 1))
    assert isinstance(reply, Texts)
    assert worker.pid != pid
    await worker.close()


async def test_a_request_that_kills_two_workers_is_given_up(host: Callable[..., WorkerHost]) -> None:
    worker = host()
    with pytest.raises(WorkerDiedError, match="exit code 7"):
        await worker.ask(write("die"))
    assert isinstance(await worker.ask(write("echo")), Texts)
    await worker.close()


async def test_an_unforeseen_exception_ends_the_worker_with_its_traceback(
    host: Callable[..., WorkerHost], tmp_path: Path
) -> None:
    worker = host()
    with pytest.raises(WorkerDiedError, match="exit code 1"):
        await worker.ask(write("break"))
    assert "ZeroDivisionError" in (tmp_path / "writer.log").read_text()
    await worker.close()


async def test_a_refusal_keeps_its_sentence_and_the_worker(host: Callable[..., WorkerHost]) -> None:
    worker = host()
    await worker.load()
    pid = worker.pid
    with pytest.raises(InputError, match="shorten it"):
        await worker.ask(write("refuse"))
    assert worker.pid == pid
    await worker.close()


async def test_a_death_while_loading_is_an_error_not_a_loop(host: Callable[..., WorkerHost]) -> None:
    worker = host(b"dies while loading")
    with pytest.raises(MachineError, match="exit code 9"):
        await worker.load()
    await worker.close()


async def test_a_restart_that_loads_another_model_is_refused(host: Callable[..., WorkerHost]) -> None:
    worker = host(b"another each time")
    with pytest.raises(MachineError, match="another model"):
        await worker.ask(write("die once"))
    await worker.close()


async def test_a_busy_worker_leaves_when_the_engine_does(
    host: Callable[..., WorkerHost], tmp_path: Path
) -> None:
    worker = host()
    await worker.load()
    task = asyncio.create_task(worker.ask(write("hang")))
    while not (tmp_path / "hanging").exists():
        await asyncio.sleep(0)
    assert worker.pid is not None
    process = psutil.Process(worker.pid)
    task.cancel()
    await worker.close()
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
