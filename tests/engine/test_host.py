"""The supervisor and the frame of a worker, with a worker of a few lines: deaths, hangs, refusals, farewells."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from engine.errors import InputError, MachineError
from engine.workers import process
from engine.workers.messages import EmbedTexts, Texts, WriterLoaded
from tests.engine.supervising import Rig, write


@pytest.fixture
async def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    rig = Rig(tmp_path)
    yield rig
    for made in rig.hosts:
        await made.close()
    assert all(made.pid is None for made in rig.hosts)


async def test_replies_find_their_requests_and_chatter_goes_to_the_log(host: Rig, tmp_path: Path) -> None:
    worker = host()
    assert await worker.load() == WriterLoaded(writer="model 1")
    replies = await asyncio.gather(*(worker.ask(write("echo", seed)) for seed in range(20)))
    assert [reply.texts[1] for reply in replies if isinstance(reply, Texts)] == [str(n) for n in range(20)]
    assert await worker.ask(EmbedTexts(texts=()))
    assert (tmp_path / "writer.log").read_text().count("chatter of a library") == 22


FALLS = {
    "kill": (r"was killed \(SIGKILL\), as the system does when memory runs out", "smaller models"),
    "abort": (r"aborted \(SIGABRT\).*ends: GGML_ASSERT\(n_tokens <= n_batch\) failed", "look there"),
    "segfault": (r"crashed \(SIGSEGV\)", "look there"),
    "die": (r"ended unasked \(exit code 7\)", "look there"),
    "break": (r"ended unasked \(exit code 1\).*ends: ZeroDivisionError", "look there"),
    "fresh": (r"gave up its process \(The device cuda:0 failed \(illegal memory access\)\)", "look there"),
    "garbage": (r"sent what no worker sends \(A frame of 1399154541 bytes exceeds", "look there"),
    "frame of garbage": (r"sent what no worker sends \(A frame .* is not a known message", "look there"),
    "flood": (r"sent what no worker sends \(A message about request 1 came unasked\)", "look there"),
    "pongs": (r"sent what no worker sends \(A pong came without a ping\)", "look there"),
    "holds": (r"sent what no worker sends \(A hold was confirmed that nobody asked for\)", "look there"),
    "mute": (r"was killed \(SIGKILL\)", "smaller models"),
}


@pytest.mark.parametrize("kind", list(FALLS))
async def test_however_a_worker_falls_it_is_restarted_and_asked_again(
    host: Rig, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(process, "END_SECONDS", 5.0 if kind != "mute" else 0.01)
    worker = host()
    reply = await worker.ask(write(f"once: {kind}", 5))
    assert reply == Texts(id=reply.id, texts=(f"once: {kind}", "5"), exchanges=())
    assert (host.starts, worker.restarts, host.time.delays) == (2, 1, [1.0])
    words, _ = FALLS[kind]
    assert match_all(host.notices[0], words, "The writer worker", "restarted in 1 s", "writer.log")
    assert len(host.notices) == 1


@pytest.mark.parametrize("kind", ["die", "fresh", "kill"])
async def test_a_request_that_fells_every_worker_is_given_up_in_one_sentence(host: Rig, kind: str) -> None:
    worker = host()
    with pytest.raises(MachineError, match="4 times over one request") as caught:
        await worker.ask(write(kind))
    words, remedy = FALLS[kind]
    assert match_all(str(caught.value), words, remedy, "then resume", "writer.log")
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 3
    assert host.time.delays == [1.0, 4.0, 16.0]
    assert host.begun == [kind] * 4
    assert isinstance(await worker.ask(write("echo")), Texts)
    assert host.time.delays[3:] == [1.0]  # whoever resumes does not wait for the sins of before


async def test_no_restarts_means_none(host: Rig) -> None:
    worker = host(restarts=0)
    with pytest.raises(MachineError, match=r"ended unasked \(exit code 7\); its log"):
        await worker.ask(write("die"))
    assert (host.starts, host.time.delays) == (1, [])


async def test_a_worker_killed_between_requests_is_started_again(host: Rig) -> None:
    worker = host()
    await worker.load()
    pid = worker.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    reply = await worker.ask(write("echo", 1))
    assert isinstance(reply, Texts)
    assert worker.pid != pid


async def test_all_who_wait_share_one_restart(host: Rig) -> None:
    worker = host()
    asks = [write("once: die"), *(write("echo", n) for n in range(5))]
    replies = await asyncio.gather(*map(worker.ask, asks))
    assert [reply.texts[0] for reply in replies if isinstance(reply, Texts)] == ["once: die"] + ["echo"] * 5
    assert (host.starts, len(host.notices)) == (2, 1)


async def test_a_refusal_keeps_its_sentence_and_the_worker(host: Rig) -> None:
    worker = host()
    await worker.load()
    pid = worker.pid
    with pytest.raises(InputError, match="shorten it"):
        await worker.ask(write("refuse"))
    assert worker.pid == pid


async def test_deaths_while_loading_are_bounded_however_many_wait(host: Rig) -> None:
    worker = host(b"dies while loading")
    results = await asyncio.gather(*(worker.ask(write("echo")) for _ in range(5)), return_exceptions=True)
    assert all(isinstance(result, MachineError) and "exit code 9" in str(result) for result in results)
    assert (host.starts, host.time.delays, worker.pid) == (4, [1.0, 4.0, 16.0], None)


async def test_a_worker_killed_while_loading_is_started_again(host: Rig) -> None:
    worker = host(b"dies once")
    assert await worker.load() == WriterLoaded(writer="model 1")
    assert (host.starts, worker.restarts) == (2, 1)


async def test_a_worker_that_hangs_while_loading_meets_its_deadline(host: Rig) -> None:
    worker = host(b"hangs once while loading", deadline=200)
    loading = asyncio.create_task(worker.load())
    await host.until_loading()
    assert await host.beat_until(lambda: host.notices) > 100
    await loading
    assert match_all(host.notices[0], r"more than 200 s on one request and was ended")


async def test_a_restart_that_loads_another_model_is_refused_until_the_old_is_back(host: Rig) -> None:
    worker = host(b"another")
    for _ in range(2):
        with pytest.raises(MachineError, match="another model than before: put the old files back"):
            await worker.ask(write("once: die"))
        assert worker.pid is None
    (host.folder / "old files are back").touch()
    assert isinstance(await worker.ask(write("echo")), Texts)


async def test_a_restart_whose_model_is_gone_is_refused(host: Rig) -> None:
    worker = host(b"gone later")
    for _ in range(2):
        with pytest.raises(InputError, match="no such model"):
            await worker.ask(write("once: die"))
        assert worker.pid is None


async def test_a_stopped_worker_is_ended_and_its_request_asked_again(host: Rig) -> None:
    worker = host()
    await worker.load()
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGSTOP)
    asking = asyncio.create_task(worker.ask(write("echo")))
    assert await host.beat_until(lambda: host.notices) >= process.SILENT_BEATS
    assert isinstance(await asking, Texts)
    assert match_all(host.notices[0], r"has not answered for 60 s \(it is stopped or broken\) and was ended")


async def test_a_worker_whose_reader_answers_may_be_busy_until_the_deadline(host: Rig) -> None:
    worker = host(deadline=200, restarts=0)
    asking = asyncio.create_task(worker.ask(write("hang")))
    await host.until_begun("hang")
    beats = await host.beat_until(asking.done, answered=worker)
    assert beats > 100
    with pytest.raises(MachineError, match=r"more than 200 s on one request.*raise workers\.deadline"):
        asking.result()


async def test_a_request_in_a_queue_that_moves_never_meets_the_deadline(host: Rig) -> None:
    worker = host(deadline=8)
    await worker.load()
    asking = [asyncio.create_task(worker.ask(write(f"wait{n}"))) for n in range(4)]
    for number, task in enumerate(asking):
        await host.until_begun(f"wait{number}")
        for _ in range(3):
            await host.time.beat()
        (host.folder / f"go{number}").touch()
        await task
    assert worker.restarts == 0


async def test_held_work_waits_while_texts_go_on(host: Rig) -> None:
    worker = host(deadline=10)
    await worker.load()
    worker.hold()
    held = asyncio.create_task(worker.ask(write("echo")))
    await worker.ask(EmbedTexts(texts=()))
    await worker.settled()
    for _ in range(10):  # a request that is held has no deadline
        await host.time.beat()
    await worker.ask(EmbedTexts(texts=()))
    assert (host.begun, held.done(), worker.restarts) == ([], False, 0)
    worker.release()
    assert isinstance(await held, Texts)


async def test_what_is_in_hand_is_finished_before_a_hold_settles(host: Rig) -> None:
    worker = host()
    first = asyncio.create_task(worker.ask(write("wait")))
    await host.until_begun("wait")
    worker.hold()
    second = asyncio.create_task(worker.ask(write("echo")))
    settled = asyncio.create_task(worker.settled())
    await host.answered(worker)  # so the hold has arrived, too
    assert not settled.done()
    (host.folder / "go").touch()
    await settled
    assert first.done() or isinstance(await first, Texts)
    assert host.begun == ["wait"]
    worker.release()
    assert isinstance(await second, Texts)


async def test_a_hold_outlives_the_worker(host: Rig) -> None:
    worker = host()
    await worker.load()
    worker.hold()
    await worker.settled()
    held = asyncio.create_task(worker.ask(write("echo")))
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    while worker.restarts == 0:
        await asyncio.sleep(0)
    for _ in range(2):  # the second is answered after whatever the first has overtaken
        await worker.ask(EmbedTexts(texts=()))
    await worker.settled()
    assert (host.begun, held.done()) == ([], False)
    worker.release()
    assert isinstance(await held, Texts)


async def test_what_nobody_waits_for_any_more_is_not_begun(host: Rig) -> None:
    worker = host()
    first = asyncio.create_task(worker.ask(write("wait")))
    await host.until_begun("wait")
    second = asyncio.create_task(worker.ask(write("unwanted")))
    await asyncio.sleep(0)
    second.cancel()
    with suppress(asyncio.CancelledError):
        await second
    (host.folder / "go").touch()
    await first
    await worker.ask(write("echo"))
    assert host.begun == ["wait", "echo"]


async def test_vitals_say_what_the_process_takes(host: Rig) -> None:
    worker = host()
    assert (worker.vitals().pid, worker.vitals().memory_mib, worker.vitals().role) == (0, 0.0, "writer")
    await worker.load()
    idle = worker.vitals()
    assert idle.pid == worker.pid
    assert 1 < idle.memory_mib < 2000
    assert idle.busy_seconds == 0.0
    asking = asyncio.create_task(worker.ask(write("wait")))
    await host.until_begun("wait")
    while worker.vitals().busy_seconds == 0.0:
        await asyncio.sleep(0)
    (host.folder / "go").touch()
    await asking
    assert worker.vitals().busy_seconds == 0.0


async def test_a_busy_worker_leaves_when_the_engine_does(host: Rig) -> None:
    worker = host()
    task = asyncio.create_task(worker.ask(write("hang")))
    await host.until_begun("hang")
    assert worker.pid is not None
    running = psutil.Process(worker.pid)
    task.cancel()
    await worker.close()
    assert not running.is_running() or running.status() == psutil.STATUS_ZOMBIE


async def test_a_worker_closed_while_it_loads_is_gone_and_stays_gone(host: Rig) -> None:
    worker = host(b"hangs once while loading")
    loading = asyncio.create_task(worker.load())
    asking = asyncio.create_task(worker.ask(write("echo")))
    await host.until_loading()
    loading.cancel()
    await worker.close()
    assert worker.pid is None
    with pytest.raises(MachineError, match="is closed"):
        await asking
    with pytest.raises(MachineError, match="is closed"):
        await worker.ask(write("echo"))


def match_all(sentence: str, *patterns: str) -> bool:
    missing = [pattern for pattern in patterns if not re.search(pattern, sentence)]
    assert not missing, f"{sentence!r} lacks {missing}"
    return True
