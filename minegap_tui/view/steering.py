"""The user's hand as a screen shows it: what is pinned, banned, pending and locked, and what can be done now.

Nothing here is guessed: it is what the engine last said, in a snapshot or an event.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from engine import protocol
from engine.commands import Knob
from engine.genetic import normalise

FINAL_STATES = frozenset({"finished", "interrupted", "failed"})

SHOWN_SECONDS = 20.0
"""How long an answer stays: one that stayed for ever would hide notices, and tell what is so no more."""


@dataclass
class Hand:
    """What steering is in force.

    Attributes:
        pins: pinned candidates, every incarnation of each.
        pending: humans' prompts that are not in a population yet.
        locks: who is rewriting which candidate.
        knobs: settings of the next generation to be bred; empty until the engine said them.
        next_generation: the generation from which a command given now would count.
        given: the steering commands on record, oldest first.
    """

    pins: frozenset[int] = frozenset()
    bans: tuple[protocol.BanEntry, ...] = ()
    pending: tuple[protocol.PendingPrompt, ...] = ()
    locks: dict[int, str] = field(default_factory=dict)
    knobs: dict[str, Knob] = field(default_factory=dict)
    next_generation: int = 1
    given: dict[str, protocol.Steered] = field(default_factory=dict)
    _undone: set[str] = field(default_factory=set)

    def take(self, snapshot: protocol.Snapshot) -> None:
        """Take over what the engine says is in force."""
        self.pins = frozenset(snapshot.pins)
        self.bans, self.pending = snapshot.bans, snapshot.pending
        self.locks = {lock.candidate_id: lock.author for lock in snapshot.locks}
        self.knobs = dict(snapshot.knobs)
        self.next_generation = snapshot.next_generation

    def record(self, commands: Iterable[protocol.Steered]) -> None:
        """Add steering commands to the record; one that is there already changes nothing."""
        for steered in commands:
            self.given.setdefault(steered.command_id, steered)
            if steered.command.get("type") == "undo":
                self._undone.add(str(steered.command.get("command_id")))

    def undoable(self, generation: int) -> protocol.Steered | None:
        """Return the last command that has no effect yet while ``generation`` is being mined."""
        for steered in reversed(self.given.values()):
            withdrawn = steered.command_id in self._undone or steered.command.get("type") == "undo"
            if steered.generation > generation and not withdrawn:
                return steered
        return None


class BanList:
    """Tells which prompts are banned; made anew whenever the bans change."""

    def __init__(self, bans: Iterable[protocol.BanEntry], oldest: dict[int, int]) -> None:
        """``oldest``: the oldest known ancestor of every candidate."""
        self._oldest = oldest
        found = list(bans)
        self._prompts = {normalise(ban.text) for ban in found if ban.what == "prompt"}
        self._words = {normalise(ban.text) for ban in found if ban.what == "word"}
        self._lineages = {
            oldest.get(ban.candidate_id, ban.candidate_id)
            for ban in found
            if ban.what == "lineage" and ban.candidate_id is not None
        }

    def __contains__(self, candidate: tuple[int, str]) -> bool:
        number, prompt = candidate
        if self._lineages and self._oldest.get(number, number) in self._lineages:
            return True
        if not self._prompts and not self._words:
            return False
        words = normalise(prompt)
        return words in self._prompts or not self._words.isdisjoint(words.split())


def describe_ban(ban: protocol.BanEntry, prompts: dict[int, str]) -> str:
    """Return a ban in words; foreign text in it is not safe to print."""
    if ban.what == "lineage":
        number = ban.candidate_id or 0
        return f"lineage of “{prompts.get(number, f'candidate {number}')}”"
    return f"{ban.what} “{ban.text}”"


@dataclass
class Messages:
    """Commands in flight and the last word about one: what was asked, then what the engine answered."""

    text: str = ""
    refused: bool = False
    _asked: dict[str, str] = field(default_factory=dict)
    _lasting: bool = False
    _since: float | None = None

    @property
    def in_flight(self) -> bool:
        """Whether the engine still owes an answer."""
        return bool(self._asked)

    def ask(self, command_id: str, what: str) -> None:
        """A command went to the engine."""
        self._asked[command_id] = what

    def answer(self, command_id: str, sentence: str, *, refused: bool = False) -> None:
        """The engine answered it."""
        self._asked.pop(command_id, None)
        self.say(sentence, refused=refused)

    def say(self, sentence: str, *, refused: bool = False, lasting: bool = False) -> None:
        """Something else to say; ``lasting``: until something else is said."""
        self.text, self.refused, self._lasting = sentence, refused, lasting
        self._since = None

    def fade(self, now: float) -> None:
        """Take back what has been shown for ``SHOWN_SECONDS``; ``now`` is a rising clock's."""
        if self.in_flight or self._since is None:
            self._since = now  # it is shown from now on
        elif not self._lasting and now - self._since >= SHOWN_SECONDS:
            self.say("")

    def line(self) -> str:
        """Return the line to show; foreign text in it is not safe to print."""
        if not self._asked:
            return self.text
        *others, last = self._asked.values()
        return f"asked the engine: {last}" + (f" (and {len(others)} more)" if others else "") + " …"
