"""Fixtures of the tests of a store's engine: one that serves an empty store, and a client of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine import service, session_queue
from engine.client import EngineClient
from tests.engine.serving import Serving, serving


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Heartbeats come often, and a turn is offered to other engines only briefly."""
    monkeypatch.setattr(session_queue, "YIELD_SECONDS", 0.001)
    monkeypatch.setattr(service, "HEARTBEAT_SECONDS", 0.02)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Serving]:
    """An engine that serves an empty store."""
    async with serving(tmp_path) as running:
        yield running


@pytest.fixture
async def client(engine: Serving) -> AsyncIterator[EngineClient]:
    """A client of ``engine``."""
    connected = await EngineClient.connect(engine.store, "test")
    yield connected
    await connected.close()
