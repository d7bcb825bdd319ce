"""How a worker process ended, in words for its user: what happened, where the log is, what may help."""

from __future__ import annotations

import signal
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

TAIL_BYTES: Final = 4096
LINE_CHARACTERS: Final = 200


@dataclass(frozen=True)
class Fate:
    """How a worker ended.

    Attributes:
        words: what happened, going on from "The painter worker".
        remedy: half a sentence.
        log: where its log is and how that ends, going on from ``words``; filled in after the end.
    """

    words: str
    remedy: str = "look there for the cause, then resume"
    log: str = ""

    def filled(self, **values: str) -> Fate:
        """Put values into the words."""
        return replace(self, words=self.words.format(**values))

    def with_log(self, log: Path, start: int) -> Fate:
        """Name the log, and its last line where the process wrote any from byte ``start`` on."""
        line = last_line(log, start)
        ends = f", which ends: {line}" if line else ""
        return replace(self, log=f"; its log is {str(log)!r}{ends}")


SILENT: Final = Fate("has not answered for {seconds} s (it is stopped or broken) and was ended")
TOO_LONG: Final = Fate(
    "has worked for more than {seconds} s on one request and was ended",
    "raise workers.deadline if the machine is only slow, then resume",
)
BROKEN_STREAM: Final = Fate("sent what no worker sends ({fault}) and was ended")

_MEMORY = "close other programs or choose smaller models, then resume"
_SIGNALS: Final = {
    signal.SIGABRT: Fate("aborted (SIGABRT), as llama.cpp and CUDA do when one of their checks fails"),
    signal.SIGKILL: Fate("was killed (SIGKILL), as the system does when memory runs out", _MEMORY),
    signal.SIGSEGV: Fate("crashed (SIGSEGV)"),
    signal.SIGBUS: Fate("crashed (SIGBUS), as happens when a model's file shrinks or the disk fails"),
}


def fate_of_code(code: int | None) -> Fate:
    """Put a return code of ``subprocess`` into words; None: the process could not be ended."""
    if code is None:
        return Fate(
            "cannot be ended, even by force", "a driver or disk hangs: restart the machine, then resume"
        )
    number = -code if code < 0 else code - 128  # a shell in between reports 128 + signal
    try:
        ended_by = signal.Signals(number)
    except ValueError:
        return Fate(f"ended unasked (exit code {code})")
    return _SIGNALS.get(ended_by, Fate(f"was ended from outside ({ended_by.name})"))


def last_line(log: Path, start: int) -> str:
    """Return the last line with text that a log holds from byte ``start`` on; empty where it has none."""
    try:
        with log.open("rb") as file:
            end = file.seek(0, 2)
            file.seek(max(start, end - TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    plain = "".join(character if character.isprintable() else " " for character in lines[-1]) if lines else ""
    return plain if len(plain) <= LINE_CHARACTERS else plain[: LINE_CHARACTERS - 1] + "…"
