"""Who wants a session confirmed, and what becomes of it afterwards: read from its record."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from engine import protocol
from engine.config import MiningConfig
from engine.findings import sets_of_images
from engine.objectives import BIAS
from store.records import Event
from store.vocabulary import AUTOMATIC, SessionState


@dataclass(frozen=True)
class Plan:
    """What a confirmation draws at most: what is stored already is not drawn again.

    Attributes:
        mined: prompts that the search found.
        random: unselected prompts beside them.
        ranking: images by which each mined prompt is ranked.
        each: images behind every confirmed score.
        concepts: images of missed concepts, drawn outright.
    """

    mined: int
    random: int
    ranking: int
    each: int
    concepts: int

    @property
    def images(self) -> int:
        """All of them."""
        return self.mined * (self.ranking + self.each) + self.random * self.each + self.concepts


@dataclass(frozen=True)
class Order:
    """One confirmation that is wanted; None: as the configuration says."""

    command_id: str = AUTOMATIC
    top: int | None = None
    images: int | None = None

    def size(self, config: MiningConfig) -> tuple[int, int]:
        """How many prompts, and how many images of each at least."""
        top = self.top or config.confirm.top
        return top, self.images or config.confirm.images or 2 * config.search.images

    def plan(self, config: MiningConfig, prompts: int, unselected: int) -> Plan:
        """What it takes.

        Args:
            config: in force for the last generation.
            prompts: how many different prompts have a score.
            unselected: how many of them were not bred from others.
        """
        search, (top, images) = config.search, self.size(config)
        sets = sets_of_images(images, search.images)
        mined, missed = min(top, prompts), 0
        if search.objective == BIAS:
            missed = int(search.alpha / 100 * (sets * search.variations - 1)) + 1
        return Plan(
            mined,
            min(top, unselected, prompts - mined),
            search.images,
            sets * search.images,
            mined * missed * config.confirm.ceiling_images,
        )


class ConfirmOrders:
    """The orders in a session's record that are not carried out yet, in the order in which they were given."""

    def __init__(self, events: Iterable[Event]) -> None:
        orders: dict[str, protocol.ConfirmOrdered] = {}
        ending, done = False, set[str]()
        for event in events:
            if event.kind == "confirm_ordered":
                found = msgspec.convert(event.payload, protocol.ConfirmOrdered, strict=False)
                orders[found.command_id] = found
                ending = ending or found.at_end
            elif event.kind == "confirmed":
                done.add(str(event.payload.get("command_id")))
        waiting = [one for one in orders.values() if one.command_id not in done]
        self._open = tuple(one for one in waiting if not one.at_end)
        self._last = tuple(one for one in waiting if one.at_end)
        self._ending = ending

    @property
    def pending(self) -> tuple[protocol.ConfirmOrdered, ...]:
        """What was ordered to be done now."""
        return self._open

    @property
    def orders(self) -> tuple[Order, ...]:
        """The same, for those who carry it out."""
        return tuple(_order(one) for one in self._open)

    def at_end(self, config: MiningConfig) -> tuple[Order, ...]:
        """What is carried out when the last generation is mined: what was asked for then, else the usual."""
        if self._ending:
            return tuple(_order(one) for one in self._last)
        return (Order(),) if config.confirm.enabled else ()

    @property
    def only(self) -> bool:
        """Whether nothing is to be mined afterwards."""
        return bool(self._open) and bool(self._open[-1].rest)

    def end(self) -> tuple[SessionState, str]:
        """The state of the session when all is done, and why."""
        if not self.only or self._open[-1].rest == "finished":
            return "finished", ""
        return "interrupted", "its findings are confirmed; resumed, it is mined on"


def _order(asked: protocol.ConfirmOrdered) -> Order:
    return Order(asked.command_id, asked.top, asked.images)
