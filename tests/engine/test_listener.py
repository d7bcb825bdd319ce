"""The socket: who is heard, what is refused with one sentence, and that nobody's behaviour harms another."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from engine import commands, listener, protocol
from engine.client import EngineClient, command_id
from engine.errors import InputError, MachineError
from engine.hub import Client, Hub, Outbox
from engine.listener import MAX_CONNECTIONS, Listener
from engine.places import socket_path
from engine.wire import MAX_LINE_BYTES, encode
from tests.engine.hostile import hostile
from tests.engine.serving import RawClient, Serving, serving, small, until

HELLO = encode(protocol.Hello(client="raw"))


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Serving]:
    async with serving(tmp_path) as running:
        yield running


def ping(session_id: str = "no such session") -> bytes:
    return encode(commands.Stop(id=command_id(), session_id=session_id))


async def begin(engine: Serving) -> tuple[EngineClient, str]:
    """A client that follows a session in work."""
    client = await EngineClient.connect(engine.store, "test")
    begun = await client.ask(commands.Open(id=command_id(), config=small().model_dump_json()))
    await until(lambda: begun.session_id in engine.runs and engine.runs[begun.session_id].ready)
    await client.attach(begun.session_id)
    return client, begun.session_id


async def refusal(client: RawClient) -> str:
    """The sentence with which the engine hangs up."""
    sentence = ""
    while (event := await client.hear()) is not None:
        if isinstance(event, protocol.Refused):
            assert not sentence
            sentence = event.sentence
    assert sentence
    assert "\n" not in sentence
    return sentence


async def test_a_client_is_welcomed_and_answered(engine: Serving) -> None:
    client = await EngineClient.connect(engine.store, "test")
    assert client.pid == os.getpid()
    with pytest.raises(InputError, match="no session"):
        await client.ask(commands.Stop(id=command_id(), session_id="nothing"))
    await client.close()


async def test_the_socket_is_its_users_alone(engine: Serving) -> None:
    found = socket_path(engine.store).lstat()
    assert stat.S_ISSOCK(found.st_mode)
    assert stat.S_IMODE(found.st_mode) == 0o600
    assert stat.S_IMODE(socket_path(engine.store).parent.stat().st_mode) == 0o700


STRANGER = """
import contextlib, os, socket, sys
os.setgid(65534)
os.setuid(65534)
with socket.socket(socket.AF_UNIX) as stranger:
    try:
        stranger.connect(sys.argv[1])
    except PermissionError:
        print("no way in")
    else:
        with contextlib.suppress(BrokenPipeError):
            stranger.sendall(sys.argv[2].encode())
        print(stranger.recv(10_000).decode(), end="")
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
async def test_another_user_is_refused_by_mode_and_where_that_was_loosened_by_name(engine: Serving) -> None:
    path = socket_path(engine.store)

    async def stranger() -> str:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", STRANGER, str(path), HELLO.decode()), stdout=subprocess.PIPE
        )
        said, _ = await process.communicate()
        return said.decode()

    assert await stranger() == "no way in\n"
    path.parent.parent.chmod(0o755)
    path.parent.chmod(0o755)
    assert await stranger() == "no way in\n"
    path.chmod(0o777)
    assert "belongs to another user" in await stranger()
    path.parent.chmod(0o700)
    assert await stranger() == "no way in\n"


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"GET / HTTP/1.1\r\n",
        b"\x00\xff\xfe\n",
        b"null\n",
        b"[" * 50_000 + b"\n",
        b'{"type":"hello"}\n',
        b'{"type":"hello","v":"2"}\n',
        b'{"type":"hello","v":2,"client":"' + b"x" * 65 + b'"}\n',
        b'{"type":"notice","v":2,"message":"i am the engine"}\n',
        b"x" * (MAX_LINE_BYTES + 3),
    ],
)
async def test_garbage_is_one_sentence_and_the_end(engine: Serving, line: bytes) -> None:
    for greeting in (b"", HELLO):
        client = await RawClient.connect(engine.store)
        client.say(greeting + line)
        assert await refusal(client)
        client.close()
    await until(lambda: not engine.hub.clients)


async def test_another_version_is_named(engine: Serving) -> None:
    client = await RawClient.connect(engine.store)
    client.say(b'{"type":"hello","v":1}\n')
    assert "version 1 and this program version 2" in await refusal(client)
    client.close()


async def test_a_command_before_hello_and_a_second_hello_are_refused(engine: Serving) -> None:
    for lines in (ping(), HELLO + HELLO):
        client = await RawClient.connect(engine.store)
        client.say(lines)
        assert "hello" in await refusal(client)
        client.close()


async def test_who_says_nothing_is_hung_up_on(engine: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "GREETING_SECONDS", 0.05)
    client = await RawClient.connect(engine.store)
    client.say(b'{"type":"hello"')
    assert "said nothing" in await refusal(client)
    client.close()


async def test_half_a_line_at_the_end_means_nothing(engine: Serving) -> None:
    watching, session_id = await begin(engine)
    client = await RawClient.connect(engine.store)
    client.say(HELLO + ping(session_id)[:-1])
    client.half_close()
    assert isinstance(await client.hear(), protocol.Welcome)
    assert await client.hear() is None
    assert engine.runs[session_id].asked == []
    client.close()
    await watching.close()


async def test_one_connection_too_many_is_refused_until_another_is_closed(engine: Serving) -> None:
    clients = []
    for _ in range(MAX_CONNECTIONS):
        client = await RawClient.connect(engine.store)
        client.say(HELLO)
        assert isinstance(await client.hear(), protocol.Welcome)
        clients.append(client)
    for greeting in (b"", HELLO):
        late = await RawClient.connect(engine.store)
        late.say(greeting)
        assert f"{MAX_CONNECTIONS} clients" in await refusal(late)
        late.close()
    clients.pop().close()
    await until(lambda: len(engine.hub.clients) < MAX_CONNECTIONS)
    better = await EngineClient.connect(engine.store, "test")
    await better.close()
    for client in clients:
        client.close()


async def test_a_name_is_made_printable(engine: Serving) -> None:
    client = await RawClient.connect(engine.store)
    client.say(encode(protocol.Hello(client="a\x1b[2J\u202eb")))
    assert isinstance(await client.hear(), protocol.Welcome)
    (joined,) = engine.hub.clients
    assert joined.author.endswith("(a?[2J?b)")
    client.close()


async def test_a_flood_of_commands_starves_nobody(engine: Serving) -> None:
    well_behaved, session_id = await begin(engine)
    flood = await RawClient.connect(engine.store)
    flood.say(HELLO + b"".join(ping() for _ in range(2000)))
    reading = asyncio.create_task(_read_all(flood))
    answered = 0
    while not reading.done() and answered < 20:
        await well_behaved.ask(commands.Pause(id=command_id(), session_id=session_id))
        answered += 1
    assert answered == 20
    assert not reading.done()  # it was answered in the middle of the flood, not after it
    reading.cancel()
    flood.close()
    await well_behaved.close()


async def _read_all(client: RawClient) -> None:
    for _ in range(2001):
        await client.hear()


class InstantService:
    """Answers at once, without ever letting the event loop go on."""

    def __init__(self, hub: Hub) -> None:
        self.answered: list[Client] = []
        self._hub = hub

    def welcome(self) -> protocol.Welcome:
        return protocol.Welcome(engine="test", pid=1, store="")

    def joined(self, client: Client) -> None:
        """Nothing is kept."""

    async def answer(self, command: commands.Command, client: Client) -> None:
        self.answered.append(client)

    def left(self, client: Client) -> None:
        """Nothing is kept."""


async def test_a_flood_that_costs_nothing_to_answer_starves_nobody_either(tmp_path: Path) -> None:
    hub = Hub()
    instant = InstantService(hub)
    listening = Listener(tmp_path, hub, instant)
    await listening.open()
    flood, good = await RawClient.connect(tmp_path), await RawClient.connect(tmp_path)
    for client in (flood, good):
        client.say(HELLO)
        assert isinstance(await client.hear(), protocol.Welcome)
    flood.say(b"".join(ping() for _ in range(1500)))
    good.say(ping())
    await until(lambda: len(instant.answered) == 1501)
    counts = [instant.answered.count(client) for client in instant.answered[:100]]
    assert 1 in counts  # the good client's only command, among the first
    for client in (flood, good):
        client.close()
    await listening.close()


async def test_a_client_that_does_not_read_is_dropped_and_the_others_miss_nothing(engine: Serving) -> None:
    well_behaved, session_id = await begin(engine)
    deaf = await RawClient.connect(engine.store)
    deaf.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.say(HELLO + encode(commands.Attach(id=command_id(), session_id=session_id)))
    await until(lambda: sum(client.following == session_id for client in engine.hub.clients) == 2)
    run = engine.runs[session_id]
    deaf.stop_reading()
    told = 0
    while len(engine.hub.clients) == 2:
        run.emit(protocol.Notice(seq=run.seq + told + 1, message="x" * 2000))
        told += 1
        if told % 100 == 0:
            await asyncio.sleep(0)
    heard = []
    async for event in well_behaved.events():
        if isinstance(event, protocol.Notice) and event.message.startswith("x"):
            heard.append(event.seq)
            if len(heard) == told:
                break
    assert heard == [run.seq + number for number in range(1, told + 1)]
    deaf.close()
    await well_behaved.close()


async def test_a_client_that_floods_without_reading_its_answers_is_dropped(engine: Serving) -> None:
    deaf = await RawClient.connect(engine.store)
    deaf.stop_reading()
    deaf.say(HELLO)
    await until(lambda: len(engine.hub.clients) == 1)
    with suppress(ConnectionError):
        while engine.hub.clients:
            deaf.say(ping() * 50)
            await deaf.said()
    assert not engine.hub.clients
    deaf.close()


async def test_a_client_that_is_gone_gives_its_locks_back(engine: Serving) -> None:
    well_behaved, session_id = await begin(engine)
    begun = commands.EditBegin(id=command_id(), session_id=session_id, candidate_id=1)
    await well_behaved.ask(begun)
    run = engine.runs[session_id]
    (_, author, connection) = run.asked[-1]
    assert author.endswith("(test)")
    await well_behaved.close()
    await until(lambda: run.gone == [connection])


async def test_a_dead_engines_socket_is_replaced(tmp_path: Path) -> None:
    path = socket_path(tmp_path)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    assert path.is_socket()
    with pytest.raises(InputError, match="No engine runs"):
        await EngineClient.connect(tmp_path, "test")
    async with serving(tmp_path):
        client = await EngineClient.connect(tmp_path, "test")
        await client.close()
    assert not path.exists()


async def test_a_socket_that_was_removed_is_made_again(engine: Serving) -> None:
    kept = await EngineClient.connect(engine.store, "test")
    await engine.listener.tend()
    before = socket_path(engine.store).lstat()
    socket_path(engine.store).unlink()
    await engine.listener.tend()
    assert socket_path(engine.store).lstat().st_ctime_ns != before.st_ctime_ns
    client = await EngineClient.connect(engine.store, "test")
    for who in (client, kept):
        with pytest.raises(InputError):
            await who.ask(commands.Stop(id=command_id(), session_id="nothing"))
        await who.close()


async def test_who_does_not_read_the_last_word_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "LAST_WORD_SECONDS", 0.05)
    async with serving(tmp_path) as engine:
        deaf = await RawClient.connect(tmp_path)
        deaf.stop_reading()
        deaf.say(HELLO)
        await until(lambda: len(engine.hub.clients) == 1)
        (client,) = engine.hub.clients
        for number in range(500):
            engine.hub.tell(client, protocol.Notice(seq=number, message="x" * 5000))
        good = await EngineClient.connect(tmp_path, "test")
    assert [event async for event in good.events()] == []
    assert "told to end" in good.last_word
    deaf.close()
    await good.close()


async def test_an_engine_that_does_not_answer_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.client.WELCOME_SECONDS", 0.05)
    with socket.socket(socket.AF_UNIX) as hung:
        hung.bind(str(socket_path(tmp_path)))
        hung.listen()
        with pytest.raises(MachineError, match="does not answer"):
            await EngineClient.connect(tmp_path, "test")
    socket_path(tmp_path).unlink()


async def test_hostile_lines_by_the_thousand(engine: Serving) -> None:
    """Random bytes, spoiled commands, huge lines and half messages, each on connections of their own."""
    well_behaved, session_id = await begin(engine)
    dice = random.Random(20)
    run = engine.runs[session_id]
    for number in range(300):
        await run.record(protocol.Notice(message=str(number)))
        client = await RawClient.connect(engine.store)
        with suppress(ConnectionError):
            client.say(HELLO if dice.random() < 0.8 else b"")
            for _ in range(dice.randrange(1, 8)):
                client.say(hostile(dice, session_id))
            await client.said()
        client.close()
    await run.record(protocol.Notice(message="last"))
    heard = []
    async for event in well_behaved.events():
        if isinstance(event, protocol.Notice):
            heard.append(event.seq)
        if event.seq == run.seq:
            break
    assert heard == list(range(run.seq - 300, run.seq + 1))
    await well_behaved.close()
    await until(lambda: not engine.hub.clients)


def test_an_outbox_knows_its_client() -> None:
    assert Client("ann", 0.0, Outbox(lambda: None)).number != Client("bob", 0.0, Outbox(lambda: None)).number
