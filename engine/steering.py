"""What a human's commands make of the generations to come: a fold over the recorded ones. Pure.

Every command is recorded with the generation from whose breeding on it counts. Breeding of generation n heeds
exactly the entries with a generation up to n, those that were undone excepted, in the order of the record. So the
record alone gives the same populations again. Where a human's prompts go is settled by the entries before them:
what is recorded later moves nothing that was announced.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from engine.commands import Ban, EditCommit, Inject, Knob, Lift, Pin, Rescore, SetKnobs, Steering, Undo, Unpin
from engine.config import MiningConfig, with_knobs
from engine.errors import InputError
from engine.genetic import Bans, Breeding, normalise
from engine.protocol import BanEntry
from store.records import Candidate


@dataclass(frozen=True)
class Relative:
    """What steering needs to know of a candidate; ``lineage`` is its oldest ancestor's id."""

    id: int
    prompt: str
    generation: int
    lineage: int


class Family:
    """All candidates of a session, in the order of its populations."""

    def __init__(self) -> None:
        self._members: dict[int, Relative] = {}
        self._by_prompt: dict[str, list[Relative]] = {}

    @property
    def texts(self) -> tuple[str, ...]:
        """Every prompt, in order; one that was measured again more than once."""
        return tuple(one.prompt for one in self._members.values())

    @property
    def last_generation(self) -> int:
        """The youngest generation that is known; 0 for none."""
        return max((one.generation for one in self._members.values()), default=0)

    def know(self, candidates: Iterable[Candidate]) -> None:
        """Take note of a population; one that is known changes nothing."""
        for one in candidates:
            if one.id not in self._members:
                parent = self._members.get(one.parent_id or 0)
                relative = Relative(one.id, one.prompt, one.generation, parent.lineage if parent else one.id)
                self._members[one.id] = relative
                self._by_prompt.setdefault(normalise(one.prompt), []).append(relative)

    def has(self, candidate_id: int) -> bool:
        """Whether a candidate is known."""
        return candidate_id in self._members

    def member(self, candidate_id: int) -> Relative:
        """Return one candidate.

        Raises:
            InputError: the session has none with this id.
        """
        if candidate_id not in self._members:
            raise InputError(
                f"There is no candidate {candidate_id} in this session: choose one of its leaderboard."
            )
        return self._members[candidate_id]

    def incarnations(self, prompt: str) -> tuple[Relative, ...]:
        """All candidates of one prompt (by ``normalise``), the oldest first."""
        return tuple(self._by_prompt.get(normalise(prompt), ()))

    def measured_before(self, candidate: Candidate) -> int:
        """How often this very prompt was measured in earlier generations."""
        return sum(one.generation < candidate.generation for one in self.incarnations(candidate.prompt))


@dataclass(frozen=True)
class Entry:
    """One recorded steering command; counts from the breeding of ``generation`` on."""

    command_id: str
    author: str
    generation: int
    command: Steering
    sentence: str


@dataclass(frozen=True)
class Human:
    """A human's prompt and the generation whose population it enters."""

    prompt: str
    generation: int
    parent_id: int | None
    command_id: str


@dataclass(frozen=True)
class Rules:
    """What is in force when one generation is bred.

    Attributes:
        config: the session's configuration with all knobs turned.
        pins: ids of pinned candidates, one of each pinned prompt.
        bans: what is kept out, in the order of the bans.
        humans: the prompts that enter this generation.
    """

    config: MiningConfig
    pins: tuple[int, ...]
    bans: tuple[BanEntry, ...]
    humans: tuple[Human, ...]

    @property
    def breeding(self) -> Breeding:
        """The search's settings."""
        search = self.config.search
        return Breeding(
            search.population, search.survivors, search.mutations, search.elitist, search.lineage_cap
        )

    @property
    def elites(self) -> int:
        """Places of the population that individuals take which are measured again, at most."""
        search = self.config.search
        return search.survivors if search.elitist else len(self.pins)


class Record:
    """The steering commands of one session in order, folded.

    Args:
        config: the session's own configuration.
        family: its candidates; may grow.
        forked: knobs turned up to this generation are part of ``config`` already (a fork's shared beginning).
    """

    def __init__(self, config: MiningConfig, family: Family, forked: int = 0) -> None:
        self.family = family
        self._config = config
        self.forked = forked
        self._entries: list[Entry] = []
        self._undone: dict[str, int] = {}  # command -> place in the record of what withdrew it
        self._humans: list[Human] = []
        self._placed = 0  # so many entries have had their prompts placed

    def copy(self) -> Record:
        """Return one that can be tried out."""
        other = Record(self._config, self.family, self.forked)
        other._entries, other._undone = list(self._entries), dict(self._undone)
        other._humans, other._placed = list(self._humans), self._placed
        return other

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All entries, undone ones included."""
        return tuple(self._entries)

    def find(self, command_id: str) -> Entry | None:
        """Return the entry of a command, if it is recorded."""
        return next((one for one in self._entries if one.command_id == command_id), None)

    def is_undone(self, command_id: str) -> bool:
        """Whether a command was withdrawn."""
        return command_id in self._undone

    def append(self, entry: Entry) -> None:
        """Take an entry in. Never refuses: what is recorded happened."""
        if isinstance(entry.command, Undo):
            self._undone[entry.command.command_id] = len(self._entries)
        self._entries.append(entry)

    def humans(self) -> tuple[Human, ...]:
        """Every prompt of a human that was not withdrawn, those in populations already included.

        Where a session is replayed from its record, entries about candidates that are still to come have not
        placed theirs yet.
        """
        while self._placed < len(self._entries):
            try:
                self._place(self._placed)
            except InputError:
                break
            self._placed += 1
        return tuple(one for one in self._humans if one.command_id not in self._undone)

    def rescores(self) -> tuple[tuple[Entry, Rescore], ...]:
        """The measurements that were ordered and not withdrawn, in order."""
        return tuple(
            (one, one.command)
            for one in self._entries
            if isinstance(one.command, Rescore) and one.command_id not in self._undone
        )

    def rules(self, generation: int) -> Rules:
        """Fold what counts for the breeding of one generation.

        Raises:
            InputError: the knobs do not fit one another, or a candidate is not of this session; never for a record
                whose entries were checked and a generation that follows the known ones.
        """
        humans = tuple(one for one in self.humans() if one.generation == generation)
        return replace(self._fold(generation, len(self._entries)), humans=humans)

    def _fold(self, generation: int, length: int) -> Rules:
        """The rules for a generation by the first ``length`` entries alone, prompts left out."""
        knobs: dict[str, Knob] = {}
        pins: dict[str, int] = {}
        bans: dict[tuple[str, str | int], BanEntry] = {}
        for entry in self._standing(generation, length):
            command = entry.command
            match command:
                case SetKnobs() if entry.generation > self.forked:
                    knobs |= command.knobs
                case Pin():
                    pins.setdefault(self._prompt(command.candidate_id), command.candidate_id)
                case Unpin():
                    pins.pop(self._prompt(command.candidate_id), None)
                case Ban():
                    bans.setdefault(
                        self.ban_key(command),
                        BanEntry(
                            what=command.what,
                            text=command.text,
                            candidate_id=command.candidate_id,
                            command_id=entry.command_id,
                        ),
                    )
                case Lift():
                    bans.pop(self.ban_key(command), None)
        config = with_knobs(self._config, knobs, generation) if knobs else self._config
        return Rules(config, tuple(pins.values()), tuple(bans.values()), ())

    def ban_key(self, command: Ban | Lift) -> tuple[str, str | int]:
        """Name what a ban is about: two that ban the same have the same name.

        Raises:
            InputError: a lineage's candidate is not of this session, or is missing.
        """
        if command.what != "lineage":
            return command.what, normalise(command.text)
        if command.candidate_id is None:
            raise InputError("A lineage is banned by one of its candidates: name its id.")
        return command.what, self.family.member(command.candidate_id).lineage

    def bans(self, rules: Rules) -> Bans:
        """The bans in force as the search heeds them."""
        return Bans(
            prompts=frozenset(normalise(one.text) for one in rules.bans if one.what == "prompt"),
            words=frozenset(normalise(one.text) for one in rules.bans if one.what == "word"),
            lineages=frozenset(
                self.family.member(one.candidate_id).lineage for one in rules.bans if one.candidate_id
            ),
        )

    def check(self, first: int) -> None:
        """Make sure that everything fits from the breeding of generation ``first`` on.

        Raises:
            InputError: what does not fit, with the remedy.
        """
        waiting = Counter(one.generation for one in self.humans() if one.generation >= first)
        settled = max([first, *(one.generation for one in self._entries)])  # nothing changes after it
        for generation in sorted({*range(first, settled + 1), *waiting}):
            rules = self.rules(min(generation, settled))
            search = rules.config.search
            pins = len(rules.pins)
            if pins > search.survivors:
                raise InputError(
                    f"{pins} pinned candidates exceed survivors = {search.survivors}: unpin one or raise "
                    "survivors."
                )
            taken = search.survivors * search.mutations + pins
            if taken > search.population and not search.elitist:
                raise InputError(
                    f"survivors × mutations + the pinned = {taken} exceeds population = {search.population}: "
                    f"unpin one, lower survivors or mutations, or raise population to {taken}."
                )
            given = len(search.prompts) if generation == 1 else 0
            if waiting[generation] + rules.elites + given > search.population and waiting[generation]:
                raise InputError(
                    f"{waiting[generation]} prompts wait for generation {generation}, whose population = "
                    f"{search.population} has no room for them: undo them or raise population."
                )
            if waiting[generation] and generation > search.generations:
                raise InputError(
                    f"{waiting[generation]} prompts wait for generation {generation} of generations = "
                    f"{search.generations}: undo them or raise generations."
                )
            if self._clash(rules):
                raise InputError("A pinned candidate would be banned: unpin it or lift the ban first.")

    def _clash(self, rules: Rules) -> bool:
        bans = self.bans(rules)
        pinned = [self.family.member(pin) for pin in rules.pins]
        return any(bans.exclude(one.prompt, one.lineage) for one in pinned)

    def _standing(self, generation: int, length: int) -> list[Entry]:
        return [
            one
            for one in self._entries[:length]
            if one.generation <= generation and self._undone.get(one.command_id, length) >= length
        ]

    def _prompt(self, candidate_id: int) -> str:
        return normalise(self.family.member(candidate_id).prompt)

    def _place(self, number: int) -> None:
        """Give each prompt of an entry the first generation that has room for it, as the record stood then."""
        entry = self._entries[number]
        prompts: tuple[str, ...] = ()
        parent: int | None = None
        match entry.command:
            case EditCommit():
                prompts, parent = (entry.command.prompt,), entry.command.candidate_id
            case Inject():
                prompts = entry.command.prompts
        waiting = Counter(
            one.generation for one in self._humans if self._undone.get(one.command_id, number) >= number
        )
        settled = max(one.generation for one in self._entries[: number + 1])
        placed = []
        generation, room = entry.generation - 1, 0
        for prompt in prompts:
            while room <= 0:
                generation += 1
                rules = self._fold(min(generation, settled), number)
                search = rules.config.search
                room = search.population - rules.elites - waiting[generation]
                if generation == 1:
                    room -= len(search.prompts)
                if generation > settled and search.population <= rules.elites:
                    room = 1  # nowhere: ``check`` refuses it
            placed.append(Human(prompt, generation, parent, entry.command_id))
            room -= 1
        self._humans += placed


def effective_config(config: MiningConfig, entries: Iterable[Entry], generation: int) -> MiningConfig:
    """Return the configuration in force when ``generation`` is bred: what a fork from it would go on with."""
    record = Record(config, Family())
    for one in entries:
        if isinstance(one.command, SetKnobs | Undo):
            record.append(one)
    return record.rules(generation).config
