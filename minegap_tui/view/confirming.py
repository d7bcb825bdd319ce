"""What a confirmation would take, as lines of its dialog: images, time, when it begins. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from engine.config import MiningConfig
from engine.confirm_orders import Order
from minegap_tui.sanitise import display_text
from minegap_tui.view import figures
from minegap_tui.view.outlook import UNKNOWN_PACE, Fact, Pace, Turn, span, turn_fact
from minegap_tui.view.sessions import ACTIVE
from store.records import Confirmation

MOST_PROMPTS, FEWEST_IMAGES, MOST_IMAGES = 1000, 2, 1 << 16


@dataclass(frozen=True)
class Confirmable:
    """A session that may be confirmed.

    Attributes:
        state: as it is now.
        config: in force for its last generation, as far as is known.
        prompts: how many different prompts have a score.
        unselected: how many of them were not bred from others.
        pace: how fast its painter is; None where that is not known.
        turn: who is mined before it.
        before: its latest confirmation.
    """

    session_id: str
    name: str
    state: str
    config: MiningConfig
    prompts: int
    unselected: int
    pace: Pace | None
    turn: Turn
    before: Confirmation | None

    @property
    def at_end(self) -> bool:
        """Whether it is in work, so that it is confirmed when it is mined."""
        return self.state in ACTIVE

    @property
    def usual(self) -> tuple[int, int]:
        """How many prompts, and how many images of each, its configuration asks for."""
        return Order().size(self.config)


def facts(one: Confirmable, top: int, images: int) -> list[Fact]:
    """Return what a confirmation of that size takes, the most important first."""
    plan = Order(top=top, images=images).plan(one.config, one.prompts, one.unselected)
    parts = [f"{plan.mined} mined × ({plan.ranking} to rank + {plan.each})"]
    if plan.random:
        parts.append(f"{plan.random} random × {plan.each}")
    found: list[Fact] = [
        ("draws", f"{plan.images:,} images at most", "strong"),
        ("", " + ".join(parts), "muted"),
    ]
    if plan.concepts:
        found.append(("", f"+ {plan.concepts:,} of what the mined ones miss, asked for outright", "muted"))
    if one.pace is None:
        found.append(("time", UNKNOWN_PACE, "muted"))
    else:
        rate = f"{figures.rate(one.pace.images_per_second)} in “{display_text(one.pace.session, 30)}”"
        found.append(("time", f"about {span(plan.images / one.pace.images_per_second)}", "strong"))
        found.append(("", rate, "muted"))
    found.append(_when(one))
    if one.before is not None:
        prompts = len(one.before.findings)
        found.append(
            ("before", f"{prompts} prompts, {one.before.images} images each; not drawn again", "muted")
        )
    return found


def read(top: str, images: str) -> tuple[int, int, str]:
    """Read the two numbers of the dialog; the last value says what is wrong with them, if anything is."""
    for text, what, low, high in (
        (top, "number of prompts", 1, MOST_PROMPTS),
        (images, "number of images", FEWEST_IMAGES, MOST_IMAGES),
    ):
        if not (text.isascii() and text.isdigit() and low <= int(text[:9]) <= high):
            return 0, 0, f"“{text[:20]}” is no {what} from {low} to {high:,}: correct it."
    return int(top), int(images), ""


def _when(one: Confirmable) -> Fact:
    if one.at_end:
        paused = ", and it is paused: p goes on" if one.state == "paused" else ""
        return ("begins", f"when generation {one.config.search.generations} is mined{paused}", "")
    _, said, look = turn_fact(one.turn)
    return ("begins", said.removeprefix("begins "), look)
