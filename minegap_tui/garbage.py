"""The collector of cyclic garbage, told what a start is: nearly all that it makes stays until the end.

Looking through it for garbage again and again takes a tenth of the start, and later holds keys up.
"""

from __future__ import annotations

import gc
from typing import Final

_WHILE_STARTING: Final = 250_000
_usual: list[tuple[int, int, int]] = []


def spare_start() -> None:
    """Collect seldom until ``started`` is called; a command that never calls it may leave it so."""
    if not _usual:
        _usual.append(gc.get_threshold())
        gc.set_threshold(_WHILE_STARTING)


def started() -> None:
    """Collect as usual, but never look at what is there now."""
    if _usual:
        gc.freeze()
        gc.set_threshold(*_usual.pop())
