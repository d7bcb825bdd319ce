"""With real processes: a session that was steered is mined again from its record alone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import protocol
from engine.client import EngineClient, command_id
from engine.commands import Inject, SetKnobs
from engine.validation import replay
from store import open_reader
from tests.e2e.engines import no_engines_left, once, run, small, the_session


@pytest.fixture(autouse=True)
def _none_left(tmp_path: Path) -> Iterator[None]:
    yield from no_engines_left(tmp_path)


def test_a_steered_session_is_mined_again_from_its_record(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "old"
    asked: list[asyncio.Future[protocol.Acknowledged]] = []

    def steer(client: EngineClient) -> None:
        session = the_session(store)
        inject = Inject(id=command_id(), session_id=session, prompts=("a doctor in the snow",))
        knobs = SetKnobs(id=command_id(), session_id=session, knobs={"images": 3})
        asked.extend(asyncio.ensure_future(client.ask(command)) for command in (inject, knobs))

    asyncio.run(run(store, small(), act=once(protocol.GenerationStarted, steer)))
    assert [one.result().generation for one in asked] == [2, 2]
    session = the_session(store)
    assert replay.main([str(store), session, "--into", str(tmp_path / "new")]) == 0
    assert "to the last bit" in capsys.readouterr().out
    with open_reader(tmp_path / "new") as reader:
        again = reader.candidates(the_session(tmp_path / "new"), 2)
    assert "a doctor in the snow" in {one.prompt for one in again}
