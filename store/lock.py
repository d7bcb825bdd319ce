"""One writer at a time: an advisory lock whose file also tells whether the last writer ended cleanly.

The kernel drops the lock with its process, however that ends; the text in the file stays behind then, and
that is how the next writer knows to check the database.
"""

from __future__ import annotations

import fcntl
import os
import sys
from pathlib import Path

from store.codec import now
from store.errors import StoreError

LOCK_FILE = "writer.lock"


class WriterLock:
    """Held from construction to ``release``.

    Attributes:
        unclean: the writer before this one ended without releasing.

    Raises:
        StoreError: another writer holds it; the message names that process.
    """

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StoreError(
                    f"The store {folder} is being written by {self._holder()}: stop that first, "
                    "or choose another [store] path.",
                    2,
                ) from None
            self.unclean = os.fstat(self._file).st_size > 0
            # Overwritten, then cut: emptied first, a full disk would erase the mark of an unclean end.
            length = os.pwrite(self._file, _self_portrait().encode(), 0)
            os.ftruncate(self._file, length)
            os.fsync(self._file)
        except BaseException:
            os.close(self._file)
            raise

    def _holder(self) -> str:
        return os.pread(self._file, 400, 0).decode(errors="replace") or "another process"

    def release(self, *, clean: bool = True) -> None:
        """Give the lock back; ``clean=False`` leaves the mark that makes the next writer check."""
        if clean:
            os.ftruncate(self._file, 0)
        os.close(self._file)


def _self_portrait() -> str:
    # ascii(): an argument of the command line may hold anything, and this text ends up in a message
    command = ascii(" ".join(sys.orig_argv))[1:-1][:200]
    return f"process {os.getpid()} ({command}, since {now()})"
