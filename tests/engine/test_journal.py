"""The engine's log: readable lines, and never in the way."""

from __future__ import annotations

import asyncio
import errno
import io
import re
import sys

import pytest

from engine.journal import log, log_mistake, watched


def test_a_line_has_its_time_and_process(capsys: pytest.CaptureFixture[str]) -> None:
    log("The engine begins.")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\S+ process \d+: The engine begins.\n", capsys.readouterr().err)


def test_a_mistake_is_told_with_the_place_it_came_from(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        [][1]
    except IndexError as error:
        log_mistake(error)
    assert "test_journal.py" in capsys.readouterr().err


class FullDisk(io.StringIO):
    """A file on a disk without room."""

    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_loses_the_line_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", FullDisk())
    log("a line")
    log_mistake(ValueError("another one"))


async def test_a_task_that_nobody_waits_for_does_not_end_unheard(capsys: pytest.CaptureFixture[str]) -> None:
    async def broken() -> None:
        raise KeyError("heartbeat")

    async def fine() -> None:
        return

    await asyncio.wait({watched(asyncio.create_task(broken())), watched(asyncio.create_task(fine()))})
    await asyncio.sleep(0)
    assert capsys.readouterr().err.count("KeyError: 'heartbeat'") == 1
