"""One writer at a time: an advisory lock whose file also tells whether the last writer ended cleanly.

The kernel drops the lock with its process, however that ends; the text in the file stays behind then, and
that is how the next writer knows to check the database.

The writer holds two locks on the one file. ``flock`` keeps a second writer out. The other one, of the open file
description, is there to be asked about: the kernel tells who would conflict with it without granting anything, so
that a reader's question never stands in the way of a writer that is just starting.
"""

from __future__ import annotations

import fcntl
import os
import re
import struct
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from store.codec import now
from store.errors import StoreHeldError, explained

LOCK_FILE = "writer.lock"

_RECORD_LOCK = "hhqqi4x"
"""C's ``struct flock`` on 64-bit Linux: type, whence, start, length (0: to the end), process."""


@dataclass(frozen=True)
class Holder:
    """The process that writes to a store now.

    Attributes:
        pid: 0 where its text cannot be read.
        text: a description for people: process, command line (ASCII), start.
    """

    pid: int
    text: str


def holder(folder: Path) -> Holder | None:
    """Who writes to the store in ``folder``; None where nobody does. Takes no lock.

    A process that was stopped (SIGSTOP) still holds it; one that died, however it did, does not.

    Raises:
        StoreError: the lock's file is not ours to read (exit 3).
    """
    with explained(folder):
        try:
            file = os.open(folder / LOCK_FILE, os.O_RDONLY)
        except (FileNotFoundError, NotADirectoryError):
            return None
        try:
            answer = fcntl.fcntl(file, fcntl.F_OFD_GETLK, _whole_file(fcntl.F_WRLCK))
            if struct.unpack(_RECORD_LOCK, answer)[0] == fcntl.F_UNLCK:
                return None
            text = os.pread(file, 400, 0).decode(errors="replace")
        finally:
            os.close(file)
    known = re.match(r"process (\d+) ", text)
    return Holder(int(known[1]) if known else 0, text or "another process")


def is_live(folder: Path) -> bool:
    """Whether a process writes to the store in ``folder`` now; see ``holder``."""
    return holder(folder) is not None


class WriterLock:
    """Held from construction to ``release``.

    Attributes:
        unclean: the writer before this one ended without releasing.

    Raises:
        StoreHeldError: another writer holds it; the message names that process.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOCK_FILE
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StoreHeldError(
                    f"The store {folder} is being written by {self._holder()}: stop that first, "
                    "or choose another [store] path.",
                    2,
                ) from None
            self.unclean = os.fstat(self._file).st_size > 0
            # Overwritten, then cut: emptied first, a full disk would erase the mark of an unclean end.
            length = os.pwrite(self._file, _self_portrait().encode(), 0)
            os.ftruncate(self._file, length)
            # Only now: whoever asks who holds it must not read the name of the one before.
            fcntl.fcntl(self._file, fcntl.F_OFD_SETLK, _whole_file(fcntl.F_WRLCK))
            os.fsync(self._file)
        except BaseException:
            os.close(self._file)
            raise

    def _holder(self) -> str:
        return os.pread(self._file, 400, 0).decode(errors="replace") or "another process"

    def in_place(self) -> bool:
        """Whether the store is still where it was opened: neither moved nor deleted, nor another in its place."""
        try:
            return os.path.samestat(os.stat(self._path), os.fstat(self._file))
        except (FileNotFoundError, NotADirectoryError):
            return False

    def release(self, *, clean: bool = True) -> None:
        """Give the lock back; ``clean=False`` leaves the mark that makes the next writer check."""
        try:
            if clean:
                # A disk that became read-only: the mark stays, and the check that it asks for is right.
                with suppress(OSError):
                    os.ftruncate(self._file, 0)
        finally:
            os.close(self._file)


def _whole_file(kind: int) -> bytes:
    return struct.pack(_RECORD_LOCK, kind, os.SEEK_SET, 0, 0, 0)


def _self_portrait() -> str:
    # ascii(): an argument of the command line may hold anything, and this text ends up in a message
    command = ascii(" ".join(sys.orig_argv))[1:-1][:200]
    return f"process {os.getpid()} ({command}, since {now()})"
