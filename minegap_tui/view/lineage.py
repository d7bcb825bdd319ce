"""The family tree of a session: who descends from whom.

A store never deletes a candidate, so every ancestor is here, also those that no population holds any more. A
parent is always older than its children (its number is lower), which is what makes a forest of it whatever a
store holds: a parent that is not older, or is not there, counts as none.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence

from store.records import ConfirmedScore, Relative

_UNKNOWN = (math.inf, -1)


class Family:
    """All candidates of a session as a forest.

    Args:
        members: every candidate, in any order.
        confirmed: what was confirmed of some.

    Attributes:
        confirmed: the same.
        roots: those without a parent, the ones with the most biased descendants first.
    """

    def __init__(
        self, members: Iterable[Relative], confirmed: Mapping[int, ConfirmedScore] | None = None
    ) -> None:
        self.confirmed = confirmed or {}
        self._by_id = {one.id: one for one in sorted(members, key=lambda one: one.id)}
        self._children: dict[int, list[int]] = {number: [] for number in self._by_id}
        self.roots: list[int] = []
        for number in self._by_id:
            parent = self._older(number)
            (self.roots if parent is None else self._children[parent]).append(number)
        self._best: dict[int, tuple[float, int]] = {}
        self._size: dict[int, int] = {}
        # Children have higher numbers than their parents: one pass from the youngest on settles everything.
        for number in reversed(self._by_id):
            below = self._children[number]
            score = self._by_id[number].score
            own = (score, number) if score is not None and math.isfinite(score) else _UNKNOWN
            self._best[number] = min([own, *(self._best[child] for child in below)])
            self._size[number] = 1 + sum(self._size[child] for child in below)
            below.sort(key=self._rank)
        self.roots.sort(key=self._rank)

    def __len__(self) -> int:
        return len(self._by_id)

    def __contains__(self, number: int) -> bool:
        return number in self._by_id

    @property
    def numbers(self) -> Collection[int]:
        """The ids of all candidates, the oldest first."""
        return self._by_id.keys()

    def member(self, number: int) -> Relative:
        """Return a candidate."""
        return self._by_id[number]

    def parent(self, number: int) -> Relative | None:
        """Return the candidate that it was made from."""
        older = self._older(number)
        return self._by_id[older] if older is not None else None

    def children(self, number: int) -> Sequence[int]:
        """Return the children, the ones with the most biased descendants first."""
        return self._children[number]

    def descendants(self, number: int) -> int:
        """Return how many candidates descend from it."""
        return self._size[number] - 1

    def best(self, number: int) -> int | None:
        """Return the most biased one of a candidate and its descendants; None where none has a score."""
        found = self._best[number][1]
        return found if found >= 0 else None

    @property
    def best_of_all(self) -> int | None:
        """The most biased candidate of the session; None where none has a score."""
        return self.best(self.roots[0]) if self.roots else None

    def ancestry(self, number: int) -> list[int]:
        """Return all ancestors and the candidate, the oldest first."""
        path = [number]
        while (older := self._older(path[-1])) is not None:
            path.append(older)
        return path[::-1]

    def branch(self, number: int) -> list[int]:
        """Return a candidate and all its descendants."""
        found: list[int] = []
        waiting = [number]
        while waiting:
            found.append(waiting.pop())
            waiting += self._children[found[-1]]
        return found

    def _older(self, number: int) -> int | None:
        parent = self._by_id[number].parent_id
        return parent if parent is not None and parent < number and parent in self._by_id else None

    def _rank(self, number: int) -> tuple[float, int]:
        return (self._best[number][0], number)
