"""What was found, as the history shows it: all places in order, and the few candidates that are in sight."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from store.records import Candidate, ConfirmedScore
from store.search import Find, Order

ORDERS: dict[Order, str] = {
    "biased": "most biased first",
    "newest": "newest first",
    "confirmed": "confirmed scores first",
}
MOST_KEPT = 2000
"""Candidates held in memory; the places of all of them take little."""


@dataclass
class Findings:
    """The answer to one filter, growing while it is read.

    Attributes:
        places: every candidate found so far, in order.
        complete: whether there are no more.
        confirmed: what was confirmed of those that were read, by candidate.
    """

    order: Order = "biased"
    places: list[Find] = field(default_factory=list)
    complete: bool = False
    confirmed: dict[int, ConfirmedScore] = field(default_factory=dict)
    _kept: dict[int, Candidate] = field(default_factory=dict)

    def candidate(self, place: int) -> Candidate | None:
        """Return the candidate at a place; None while it is not read."""
        return self._kept.get(self.places[place].id) if 0 <= place < len(self.places) else None

    def missing(self, places: range) -> list[int]:
        """Return the ids of the candidates around these places that are not read yet, none if those in sight are."""
        around = range(max(0, places.start - len(places)), min(len(self.places), places.stop + len(places)))
        if all(self.places[place].id in self._kept for place in places if place < len(self.places)):
            return []
        return [found for place in around if (found := self.places[place].id) not in self._kept]

    def keep(self, candidates: Iterable[Candidate], confirmed: Mapping[int, ConfirmedScore]) -> None:
        """Take over candidates that were read; others are let go when they become many."""
        self.confirmed |= confirmed
        if len(self._kept) > MOST_KEPT:
            self._kept.clear()
        self._kept.update((candidate.id, candidate) for candidate in candidates)

    def extend(self, page: Sequence[Find], limit: int) -> None:
        """Take over the next page; ``limit`` is how many were asked for."""
        self.places.extend(page)
        self.complete = len(page) < limit

    def said(self) -> str:
        """Return how many there are, and their order."""
        more = "" if self.complete else " and more"
        return f"{len(self.places):,}{more} found · {ORDERS[self.order]}"
