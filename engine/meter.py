"""Speed and time left, from what was done in this run. Changes nothing that is mined."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

WINDOW = 12


class Meter:
    """Counts images and candidates that this run has finished.

    Args:
        clock: seconds, rising.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._images_left = 0
        self._candidates_left = 0
        self._clock = clock
        self._start = clock()
        self._drawn = 0
        self._scored = 0
        self._marks: deque[tuple[float, int]] = deque(maxlen=WINDOW)

    def left(self, images: int, candidates: int) -> None:
        """Say anew how much of the session is left: its settings may have changed."""
        self._images_left = images
        self._candidates_left = candidates

    def begin(self) -> None:
        """Painting begins now; the time before (writing prompts) is no painting time."""
        self._marks.clear()
        self._marks.append((self._clock(), self._drawn))

    def drew(self, images: int) -> None:
        """So many images were drawn and stored."""
        self._drawn += images
        self._images_left -= images
        self._marks.append((self._clock(), self._drawn))

    def scored(self) -> None:
        """One more candidate is scored, or failed."""
        self._scored += 1
        self._candidates_left -= 1

    def found(self, *, images: int = 0, candidates: int = 0) -> None:
        """So many were in the store already."""
        self._images_left -= images
        self._candidates_left -= candidates

    def images_per_second(self) -> float | None:
        """Speed over the last batches; None before the first one."""
        if len(self._marks) < 2:
            return None
        (first, before), (last, after) = self._marks[0], self._marks[-1]
        return (after - before) / (last - first) if last > first and after > before else None

    def eta_seconds(self) -> float | None:
        """Time to the session's end at this run's pace: of images or of scores, whichever is behind."""
        elapsed = self._clock() - self._start
        paces = ((self._images_left, self._drawn), (self._candidates_left, self._scored))
        times = [max(0, left) * elapsed / done for left, done in paces if done]
        return max(times, default=None)
