"""With real processes and models: a confirmation that is killed and gone on with ends as if it had not been."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from engine import protocol
from engine.client import EngineClient, command_id, follow
from engine.commands import Confirm, Resume
from engine.errors import MachineError
from store import open_reader
from tests.e2e.engines import engines, gone, no_engines_left, run, small, state, the_session

pytestmark = pytest.mark.timeout(900)  # libraries load in every process: minutes, on a busy machine

TOP, IMAGES = 2, 8
"""Two sets of four images for each prompt."""


@pytest.fixture(autouse=True)
def _none_left(tmp_path: Path) -> Iterator[None]:
    yield from no_engines_left(tmp_path)


async def confirm(store: Path, order: Confirm, kill_at: int | None = None) -> None:
    """Order a confirmation, or go on with it, and follow it to its end; or kill -9 the engine on the way.

    Args:
        store: where the session is.
        order: the very same one where it is gone on with: whoever asks again has lost the answer.
        kill_at: how many images may be drawn before.
    """
    client = await EngineClient.connect_or_start(store, "test")
    try:
        await client.ask(order)
        if state(store, order.session_id)[0] == "interrupted":
            await client.ask(Resume(id=command_id(), session_id=order.session_id))
        async with aclosing(follow(store, order.session_id, "test")) as events:
            async for event in events:
                drawing = isinstance(event, protocol.Progress) and event.stage == "confirming"
                if kill_at is not None and drawing and event.done >= kill_at:  # type: ignore[union-attr]
                    os.kill(client.pid, signal.SIGKILL)
                    return
    finally:
        await client.close()


def concluded(store: Path) -> dict[str, Any]:
    """Everything that two equal confirmations agree on, to the last bit, and every seed behind a measurement."""
    session = the_session(store)
    with open_reader(store) as reader:
        found = reader.confirmation(session)
        assert found is not None
        members = (*found.findings, *found.randoms)
        told = [
            (
                one.prompt,
                one.search_score,
                one.rank_score,
                one.score,
                one.low,
                one.high,
                one.shrunk,
                one.p,
                one.q,
            )
            for one in members
        ]
        missed = [[(m.text, m.coverage, m.ceiling, m.verdict) for m in one.missed] for one in members]
        seeds: dict[str, list[int]] = {}
        for one in reader.candidates(session, 1):
            for evaluation in reader.candidate(one.id).evaluations:
                seeds.setdefault(evaluation.purpose, []).extend(image.seed for image in evaluation.images)
    summary = (found.images, found.reliability, found.noise_floor, found.mined_p, found.inflation)
    return {"told": told, "missed": missed, "summary": summary, "seeds": seeds}


def test_a_confirmation_that_is_killed_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    whole, hurt = tmp_path / "whole", tmp_path / "hurt"
    asyncio.run(run(whole, small({"generations": 1})))
    assert gone(engines(whole))
    shutil.copytree(whole, hurt)
    order = Confirm(id=command_id(), session_id=the_session(whole), top=TOP, images=IMAGES)
    asyncio.run(confirm(whole, order))
    with contextlib.suppress(MachineError):  # the answer was lost with the engine
        asyncio.run(confirm(hurt, order, kill_at=7))
    assert gone(engines(hurt))
    with open_reader(hurt) as reader:
        cut = reader.confirmation(order.session_id)
    assert cut is None or cut.finished_at is None
    asyncio.run(confirm(hurt, order))
    undisturbed = concluded(whole)
    assert concluded(hurt) == undisturbed
    assert state(hurt, order.session_id)[0] == "finished"
    drawn = undisturbed["seeds"]
    assert set(drawn) >= {"search", "rank", "confirm"}
    every = [seed for seeds in drawn.values() for seed in seeds]
    assert len(every) == len(set(every)), "no draw is used twice"
