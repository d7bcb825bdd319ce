"""Whose turn it is on a device: the engines of one user draw one after another, each in its own store.

A turn is an advisory lock on a file in the runtime directory. The kernel gives it back with its process, however that
ends; the text in the file only tells the others whom they wait for.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import threading
from pathlib import Path

from engine.errors import MachineError
from engine.places import runtime_directory

_ANY_GPU = ("/dev/nvidiactl", "/dev/kfd")


def device_of(wish: str) -> str:
    """Return the device that ``[painter] device`` means, as a word: ``cpu`` or ``cuda:N``; loads no library."""
    if wish == "auto":
        return "cuda:0" if any(Path(node).exists() for node in _ANY_GPU) else "cpu"
    return "cuda:0" if wish == "cuda" else wish


class Turn:
    """This engine's turn on one device, taken and given back any number of times.

    Args:
        device: as ``device_of`` returns it.
        store: the directory that others are told when they wait for us.

    Raises:
        InputError, MachineError: there is no runtime directory.
    """

    def __init__(self, device: str, store: Path) -> None:
        self.device = device
        self._store = store
        self._path = runtime_directory() / f"turn-{device.replace(':', '-')}"
        self._held: int | None = None
        self._waiting: asyncio.Future[None] | None = None
        self._thread: threading.Thread | None = None

    def take_at_once(self) -> bool:
        """Take the turn if nobody has it.

        Raises:
            MachineError: the lock cannot be had.
        """
        file = self._open()
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        return self._keep(file)

    async def take(self) -> None:
        """Wait until it is our turn; a cancelled wait takes nothing.

        Raises:
            MachineError: the lock cannot be had.
        """
        if self.take_at_once():
            return
        self._waiting = asyncio.get_running_loop().create_future()
        if self._thread is None:
            # Blocked in the kernel, a thread cannot be cancelled: it stays for the next wait, or ends with us.
            self._thread = threading.Thread(
                target=self._queue_up, args=(asyncio.get_running_loop(),), name="turn", daemon=True
            )
            self._thread.start()
        try:
            await self._waiting
        finally:
            self._waiting = None

    def release(self) -> None:
        """Let the next one draw; nothing happens when it is not our turn."""
        if self._held is not None:
            os.ftruncate(self._held, 0)
            os.close(self._held)
            self._held = None

    def holder(self) -> str:
        """Return the store that has the turn; empty where none says so."""
        try:
            return self._path.read_bytes()[:4096].decode(errors="replace")
        except OSError:
            return ""

    def _queue_up(self, loop: asyncio.AbstractEventLoop) -> None:
        # A loop that is closed by now has nobody left to tell.
        with contextlib.suppress(RuntimeError):
            try:
                file = self._open()
                fcntl.flock(file, fcntl.LOCK_EX)
            except (OSError, MachineError) as error:
                loop.call_soon_threadsafe(self._failed, error)
            else:
                loop.call_soon_threadsafe(self._granted, loop, file)

    def _granted(self, loop: asyncio.AbstractEventLoop, file: int) -> None:
        self._thread = None
        if self._waiting is None or self._waiting.done():
            os.close(file)
        elif self._keep(file):
            self._waiting.set_result(None)
        else:  # the file was removed meanwhile, and another engine may hold a new one
            self._thread = threading.Thread(target=self._queue_up, args=(loop,), name="turn", daemon=True)
            self._thread.start()

    def _failed(self, error: Exception) -> None:
        self._thread = None
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error)

    def _open(self) -> int:
        try:
            return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise MachineError(
                f"The lock {str(self._path)!r} for the turn on {self.device} cannot be opened "
                f"({error.strerror}): make room there, or set XDG_RUNTIME_DIR to a directory of your own."
            ) from error

    def _keep(self, file: int) -> bool:
        try:
            named = os.stat(self._path)
        except FileNotFoundError:
            named = None
        if named is None or not os.path.samestat(named, os.fstat(file)):
            os.close(file)
            return False
        name = os.fsencode(self._store)
        os.ftruncate(file, os.pwrite(file, name, 0))
        self._held = file
        return True
