"""What a session that is not begun yet would take: images, hours, room, memory. Said as the estimate that it is."""

from __future__ import annotations

from dataclasses import dataclass

from engine.config import MiningConfig
from engine.inventory import Need
from minegap_tui.sanitise import display_text
from minegap_tui.view import figures

UNKNOWN_PACE = "unknown until the first batch"


@dataclass(frozen=True)
class Pace:
    """How an earlier session with the same painter went.

    Attributes:
        images_per_second: all in all: writing and scoring included, pauses left out.
        bytes_per_image: size of a file; 0 where that is not known.
        session: its name or id.
        when: when it was begun.
    """

    images_per_second: float
    bytes_per_image: float
    session: str
    when: str


@dataclass(frozen=True)
class Turn:
    """Who is mined before this one.

    Attributes:
        running: name or id of the session in work; empty for none.
        paused: whether that one is paused, and would hold all others up.
        waiting: how many sessions wait already.
    """

    running: str = ""
    paused: bool = False
    waiting: int = 0


Fact = tuple[str, str, str]
"""A name, the fact, and how it looks (``strong``, ``error``, empty for plain). Safe to print."""


def facts(config: MiningConfig, pace: Pace | None, need: Need | None, turn: Turn) -> list[Fact]:
    """Return what is known of a session beforehand; the most important first."""
    search = config.search
    images = search.planned
    product = f"{search.generations:,} generations × {search.population:,} prompts"
    if search.shares == "racing":
        product += f", raced for: about {images / search.generations / search.population:.0f} each"
    else:
        product += f" × {search.images:,}"
    found: list[Fact] = [("images", f"{images:,}", "strong"), ("", product, "muted")]
    if pace is None:
        found.append(("time", UNKNOWN_PACE, "muted"))
    else:
        found.append(("time", f"about {span(images / pace.images_per_second)}", "strong"))
        rate = figures.rate(pace.images_per_second)
        found.append(
            ("", f"{rate} in “{display_text(pace.session, 40)}”, {figures.when(pace.when)}", "muted")
        )
        if pace.bytes_per_image:
            found.append(("disk", f"about {figures.size(round(images * pace.bytes_per_image))}", ""))
    if need is not None:
        found += _memory(need)
    found.append(turn_fact(turn))
    return found


def span(seconds: float) -> str:
    """Return a time span as people say one; nobody needs seconds of an estimate."""
    minutes = seconds / 60
    if minutes < 1:
        return "a minute"
    if minutes < 90:
        return f"{minutes:.0f} minutes" if minutes >= 1.5 else "a minute"
    hours = minutes / 60
    return f"{hours:.1f} hours" if hours < 48 else f"{hours / 24:.1f} days"


def _memory(need: Need) -> list[Fact]:
    if need.problem:
        return [("models", display_text(need.problem, 300), "error")]
    if not need.models:
        return []
    asked = figures.memory(need.needed_bytes / (1 << 20))
    free = figures.memory(need.free_bytes / (1 << 20))
    where = display_text(need.device, 40)
    verdict = "fits" if need.fits else "does not fit"
    return [
        ("memory", f"{verdict}: {asked} of {free} free", "" if need.fits else "error"),
        ("", f"on {where}, by the files' sizes", "muted"),
    ]


def turn_fact(turn: Turn) -> Fact:
    """Return when a session that is begun now has its turn."""
    if not turn.running:
        return ("turn", "begins at once" if not turn.waiting else f"waits behind {turn.waiting} more", "")
    ahead = f"waits for “{display_text(turn.running, 40)}”"
    if turn.paused:
        ahead += ", which is paused"
    return ("turn", ahead + (f" and {turn.waiting} more" if turn.waiting else ""), "")
