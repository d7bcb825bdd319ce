"""A program on a real pty, read by a thread as fast as a link lets it: a modem, an SSH line, or none."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import struct
import sys
import termios
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import psutil

SIZE = (120, 40)
_ANSWERS = {
    b"\x1b[>q": b"\x1bP>|kitty(0.35.2)\x1b\\",
    b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\": b"\x1b_Gi=31;OK\x1b\\",
    b"\x1b[16t": b"\x1b[6;20;10t",
    b"\x1b[c": b"\x1b[?62;c",
}
"""What kitty answers to the app's questions."""
Voice = Literal["kitty", "plain", "silent"]
"""Answers as kitty does, says only that it is a terminal, or nothing at all."""
_NOT_KEPT = {"TMUX", "STY", "NO_COLOR", "SSH_CONNECTION", "PYTHONDONTWRITEBYTECODE"}
"""Without the last one Python compiles Textual once, as installing does, and not at every start."""
_PIECE = 65536
_SLICE = 0.005
_PATIENCE = 120.0


class Line:
    """Runs a program on a pty and keeps what it wrote.

    Args:
        program: arguments of the Python interpreter.
        voice: what the terminal answers.
        bytes_per_second: what the link carries; None is a terminal on the same machine.
        environment: what differs from this process's.

    Attributes:
        began: when the program was started.
    """

    def __init__(
        self,
        program: Sequence[str],
        *,
        voice: Voice = "plain",
        bytes_per_second: float | None = None,
        **environment: str,
    ) -> None:
        self._answers = {
            question: answer
            for question, answer in _ANSWERS.items()
            if voice == "kitty" or (voice == "plain" and question == b"\x1b[c")
        }
        self._rate = bytes_per_second
        self._taken = bytearray()
        self._news = threading.Condition()
        self._ended = False
        self.began = time.perf_counter()
        self._pid, self._file = pty.fork()
        if self._pid == 0:
            os.execve(sys.executable, [sys.executable, *program], _environment(environment))
        fcntl.ioctl(self._file, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    # ------------------------------------------------------------ for measurements

    @property
    def taken(self) -> int:
        """How many bytes came until now."""
        with self._news:
            return len(self._taken)

    def until(self, pattern: bytes, since: int = 0, *, within: float = _PATIENCE) -> float:
        """Wait until what came after ``since`` holds the pattern; returns the time at which it was there.

        Raises:
            RuntimeError: it did not come.
        """
        wanted = re.compile(pattern)
        deadline = time.perf_counter() + within
        with self._news:
            while wanted.search(self._taken, since) is None:
                left = deadline - time.perf_counter()
                if left <= 0 or self._ended or not self._news.wait(left):
                    tail = bytes(self._taken[-600:])
                    raise RuntimeError(f"{pattern!r} did not come; the last bytes were {tail!r}.")
            return time.perf_counter()

    def press(self, keys: bytes) -> tuple[float, int]:
        """Press keys; returns when, and how many bytes had come before."""
        place = self.taken
        at = time.perf_counter()
        os.write(self._file, keys)
        return at, place

    def resident(self) -> float:
        """Return the program's memory in MiB."""
        return float(psutil.Process(self._pid).memory_info().rss) / 2**20

    def processor_seconds(self) -> float:
        """Return the processor time that the program took."""
        used = psutil.Process(self._pid).cpu_times()
        return float(used.user + used.system)

    def close(self) -> None:
        """End the program."""
        try:
            os.kill(self._pid, signal.SIGTERM)
            os.waitpid(self._pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        self._thread.join(5)
        os.close(self._file)

    # ------------------------------------------------------------ the terminal's side

    def _read(self) -> None:
        free = time.perf_counter()
        answered = 0
        while True:
            size = _PIECE if self._rate is None else max(1, round(self._rate * _SLICE))
            try:
                piece = os.read(self._file, size)
            except OSError:
                piece = b""
            with self._news:
                self._taken += piece
                self._ended = not piece
                if answered < len(_ANSWERS):
                    for question, answer in self._answers.items():
                        if question in piece:
                            os.write(self._file, answer)
                            answered += 1
                self._news.notify_all()
            if not piece:
                return
            if self._rate is not None:
                free = max(free, time.perf_counter() - _SLICE) + len(piece) / self._rate
                time.sleep(max(0.0, free - time.perf_counter()))


def _environment(changes: dict[str, str]) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in _NOT_KEPT and not name.startswith("MINEGAP_")
    }
    root = str(Path(__file__).parents[2])
    usual = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONPATH": root}
    return kept | usual | changes
