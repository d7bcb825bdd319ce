"""Starts an engine process and speaks its protocol: typed events out, a stop in.

Knows the transport (pipes) and nothing of models; importing it loads no model library. The process leads a
session of its own, so that a terminal's Ctrl-C reaches the client alone; when the client dies, the engine
sees end-of-file on its standard input and stops cleanly.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from engine import protocol
from engine.config import MiningConfig
from engine.errors import InputError, MachineError
from engine.wire import MAX_LINE_BYTES, ProtocolError, decode_event, encode

LOG_NAME = "engine.log"


class EngineClient:
    """One running engine process.

    Attributes:
        pid: the process's id.
        log: the file that takes its standard error.
    """

    def __init__(self, process: asyncio.subprocess.Process, log: Path, config_file: Path | None) -> None:
        self._process = process
        self._config_file = config_file
        self.pid = process.pid
        self.log = log

    @classmethod
    async def start(
        cls, store: Path, *, config: MiningConfig | None = None, resume: str | None = None
    ) -> EngineClient:
        """Spawn an engine that runs a new session from ``config`` or goes on with session ``resume``.

        Args:
            store: directory of minegap.db; created where missing.
            config: settings of a new session.
            resume: id of a stored session; exactly one of the two is given.

        Raises:
            InputError: the store directory cannot be written.
            MachineError: the process cannot be started.
        """
        if (config is None) == (resume is None):
            raise InputError("Give the engine either a configuration or the id of a session to resume.")
        log = store / LOG_NAME
        config_file = None
        try:
            store.mkdir(parents=True, exist_ok=True)
            with log.open("ab") as stderr:
                if config is not None:
                    config_file = _write_config(config)
                    task = ["--config-json", str(config_file)]
                else:
                    task = ["--resume", str(resume)]
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "engine.serve", "--store", str(store), *task),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=stderr,
                    start_new_session=True,
                    limit=MAX_LINE_BYTES + 2,
                )
        except PermissionError as error:
            raise InputError(
                f"Store {str(store)!r} cannot be written ({error.strerror}): choose another directory."
            ) from error
        except OSError as error:
            raise MachineError(f"The engine cannot be started ({error}): see {str(log)!r}.") from error
        return cls(process, log, config_file)

    async def events(self) -> AsyncIterator[protocol.Event]:
        """Yield the engine's events until it ends; a death without a last word becomes a ``Failed`` event."""
        assert self._process.stdout is not None
        ended = False
        try:
            while True:
                try:
                    line = await self._process.stdout.readline()
                except ValueError as error:
                    raise ProtocolError(f"The engine sent an overlong line ({error}).") from error
                if not line:
                    break
                self._forget_config()
                event = decode_event(line)
                ended = isinstance(event, protocol.Failed | protocol.Finished)
                yield event
            code = await self._process.wait()
            if not ended:
                yield protocol.Failed(
                    sentence=f"The engine ended without a word ({_describe(code)}): everything mined is "
                    f"stored, resume the session; its last lines are in {str(self.log)!r}.",
                    exit_code=3,
                )
        finally:
            self._forget_config()

    async def stop(self) -> None:
        """Ask for a clean end after the batch in flight; returns at once, the events tell when it is done."""
        stdin = self._process.stdin
        if stdin is not None and not stdin.is_closing():
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                stdin.write(encode(protocol.Stop()))
                await stdin.drain()

    async def wait(self) -> int:
        """Wait for the process's end and return its exit code (negative: the signal that ended it)."""
        code = await self._process.wait()
        self._forget_config()
        return code

    def kill(self) -> None:
        """End the process without warning; the session stays resumable."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    def _forget_config(self) -> None:
        if self._config_file is not None:
            self._config_file.unlink(missing_ok=True)
            self._config_file = None


def _write_config(config: MiningConfig) -> Path:
    handle, name = tempfile.mkstemp(prefix="minegap-", suffix=".json")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(config.model_dump_json())
    return Path(name)


def _describe(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
