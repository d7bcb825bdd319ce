"""What is in force in a steered session, as a screen shows it."""

from __future__ import annotations

import msgspec

from engine import protocol
from engine.commands import Knob
from engine.config import KNOBS, MiningConfig
from engine.helm import Helm

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
        pins=tuple(family.incarnations(family.member(pin).prompt)[-1].id for pin in rules.pins),
        bans=rules.bans,
        pending=_pending(helm),
        locks=helm.locks,
    )


def score_name(config: MiningConfig) -> str:
    """Return the name of the score that ranks."""
    search = config.search
    return search.score if search.objective == "bias" else search.objective


def _pending(helm: Helm) -> tuple[protocol.PendingPrompt, ...]:
    """The prompts that wait, the next ones first, as many as a line can take."""
    waiting = [one for one in helm.record.humans() if one.generation >= helm.next_generation]
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
