"""Speed and time left, from what was done in this run. Changes nothing that is mined."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

WINDOW = 12


class Meter:
    """Counts finished images.

    Args:
        total: images that the whole session still needs.
        clock: seconds, rising.
    """

    def __init__(self, total: int, clock: Callable[[], float]) -> None:
        self._left = total
        self._clock = clock
        self._start = clock()
        self._drawn = 0
        self._marks: deque[tuple[float, int]] = deque(maxlen=WINDOW)

    def begin(self) -> None:
        """Painting begins now; the time before (writing prompts) is no painting time."""
        self._marks.clear()
        self._marks.append((self._clock(), self._drawn))

    def drew(self, images: int) -> None:
        """So many images were drawn and stored."""
        self._drawn += images
        self._left -= images
        self._marks.append((self._clock(), self._drawn))

    def found(self, images: int) -> None:
        """So many images were in the store already."""
        self._left -= images

    def images_per_second(self) -> float | None:
        """Speed over the last batches; None before the first one."""
        if len(self._marks) < 2:
            return None
        (first, before), (last, after) = self._marks[0], self._marks[-1]
        return (after - before) / (last - first) if last > first and after > before else None

    def eta_seconds(self) -> float | None:
        """Time to the session's end at the speed of this run, all its pauses for writing included."""
        if self._drawn == 0:
            return None
        return max(0, self._left) * (self._clock() - self._start) / self._drawn
