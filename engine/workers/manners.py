"""How a worker behaves towards the rest of the machine."""

from __future__ import annotations

import os
from typing import Final

NICENESS: Final = 5
"""A third of the share that the app and the engine have where cores are short; all of a core that nobody wants."""


def give_way() -> None:
    """Let this thread, and those that it starts, compute after the app and the engine.

    For workers that compute on the processor; one that feeds a GPU has to be prompt. On Linux the threads that are
    there already, which answer the engine's pings, keep their own priority.
    """
    os.nice(NICENESS)
