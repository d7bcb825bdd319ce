"""What is in force in a steered session, as a screen shows it."""

from __future__ import annotations

import msgspec

from engine import protocol
from engine.commands import Knob
from engine.config import KNOBS, MiningConfig
from engine.genetic import Bans
from engine.helm import Helm
from engine.steering import Family, Rules

MAX_PINNED = 10_000
"""Incarnations of pinned candidates that a snapshot names."""

MAX_PENDING_BYTES = 200_000
"""UTF-8 bytes of waiting prompts that a snapshot shows: it is one line; the record in the store has them all."""


def portrait(bare: protocol.Snapshot, helm: Helm) -> protocol.Snapshot:
    """Return a snapshot with everything in it that steering decides."""
    record, family = helm.record, helm.record.family
    rules = record.rules(helm.next_generation)
    search = rules.config.search
    return msgspec.structs.replace(
        bare,
        generations=search.generations,
        population=search.population,
        images=search.images,
        variations=search.variations,
        knobs=_knobs(rules.config),
        next_generation=helm.next_generation,
        pins=_pins(rules, family),
        bans=rules.bans,
        pending=_pending(helm, record.bans(rules)),
        locks=helm.locks,
    )


def score_name(config: MiningConfig) -> str:
    """Return the name of the score that ranks."""
    search = config.search
    return search.score if search.objective == "bias" else search.objective


def _pins(rules: Rules, family: Family) -> tuple[int, ...]:
    """Every incarnation of what is pinned, the latest first, as many as a line can take."""
    prompts = [family.member(pin).prompt for pin in rules.pins]
    found = {one.id for prompt in prompts for one in family.incarnations(prompt)}
    return tuple(sorted(found, reverse=True)[:MAX_PINNED])


def _pending(helm: Helm, bans: Bans) -> tuple[protocol.PendingPrompt, ...]:
    """The prompts that wait and are not banned, the next ones first, as many as a line can take."""
    waiting = [
        one
        for one in helm.record.humans()
        if one.generation >= helm.next_generation and not bans.forbid(one.prompt)
    ]
    shown = []
    room = MAX_PENDING_BYTES
    for one in sorted(waiting, key=lambda human: human.generation):
        room -= len(one.prompt.encode()) + 100
        if room < 0:
            break
        shown.append(
            protocol.PendingPrompt(
                prompt=one.prompt,
                generation=one.generation,
                parent_id=one.parent_id,
                command_id=one.command_id,
            )
        )
    return tuple(shown)


def _knobs(config: MiningConfig) -> dict[str, Knob]:
    return {
        name: config.writer.prompts if name == "prompts" else getattr(config.search, name) for name in KNOBS
    }
