"""The genetic search over prompts: who survives, who breeds, how many newcomers. It plans; the engine writes.

The data flow is the paper's (MineTheGap, arXiv 2512.13427), read from its pipeline animation. Per
generation: sort ascending by score; copy the s most biased into the archive; give each m mutations; drop the
parents; fill up with r = b - s·m fresh random prompts. A newcomer competes at once; there is no crossover.

Named extensions, ours: duplicates are suppressed (``admit``); ``lineage_cap`` limits how many survivors may
share an ancestor; ``elitist`` puts the survivors into the next population, to be measured again on new seeds.
A human's hand: pinned individuals survive before all others and are measured again; banned ones never survive
and banned texts are not admitted (``Bans``); a human's prompts take the places of randoms, then of the mutations
of the weakest survivors.

Nothing here draws chance: the same scores give the same plans, so a resumed session tells the stored scores
again, generation by generation, and stands where it stood.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from engine.errors import InputError


@dataclass(frozen=True)
class Individual:
    """A scored candidate.

    Attributes:
        key: its number, rising with age; breaks ties (the older one wins).
        prompt: its text, exactly as stored.
        origin: initial, random, mutation, elite or human.
        parent: the key it was bred from, if any.
        score: what was measured; lower = more biased.
        lineage: the key of its oldest ancestor; its own where it has no parent.
    """

    key: int
    prompt: str
    origin: str
    parent: int | None
    score: float
    lineage: int


@dataclass(frozen=True)
class Breeding:
    """The search's settings, in the field's letters.

    Attributes:
        population: b, candidates per generation.
        survivors: s, most biased candidates that breed.
        mutations: m, children of each.
        elitist: survivors take places of the randoms in the next population, measured again on new seeds.
        lineage_cap: at most so many survivors of one lineage; None = no limit.

    Raises:
        InputError: the numbers do not fit one another.
    """

    population: int
    survivors: int
    mutations: int
    elitist: bool = False
    lineage_cap: int | None = None

    def __post_init__(self) -> None:
        b, s, m = self.population, self.survivors, self.mutations
        if b < 1 or not 1 <= s <= b:
            raise InputError(f"survivors = {s} of population = {b}: choose from 1 to {max(b, 1)} survivors.")
        if m < 0:
            raise InputError(f"mutations = {m} per survivor: choose 0 or more.")
        if self.lineage_cap is not None and self.lineage_cap < 1:
            raise InputError(
                f"lineage_cap = {self.lineage_cap}: choose 1 or more, or leave it out for no limit."
            )
        taken = self.places(s)
        if taken > b:
            kept = " + the survivors themselves (elitist)" if self.elitist else ""
            raise InputError(
                f"survivors × mutations{kept} = {taken} exceeds population = {b}: "
                f"lower one of them or raise population to {taken}."
            )

    def places(self, survivors: int) -> int:
        """Places that so many survivors take in the next population: children, and themselves if elitist."""
        return survivors * (self.mutations + self.elitist)

    @property
    def randoms(self) -> int:
        """r = b - s·m, less s if elitist: the random prompts of a generation whose s survivors all exist."""
        return self.population - self.places(self.survivors)


@dataclass(frozen=True)
class Bans:
    """What is kept out.

    Attributes:
        prompts: whole prompts, as ``normalise`` gives them.
        words: words of normalised prompts.
        lineages: keys of oldest ancestors.
    """

    prompts: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    lineages: frozenset[int] = frozenset()

    def forbid(self, prompt: str) -> bool:
        """Whether a text may not enter a population."""
        text = normalise(prompt)
        return text in self.prompts or not self.words.isdisjoint(text.split())

    def exclude(self, prompt: str, lineage: int) -> bool:
        """Whether an individual may not survive."""
        return lineage in self.lineages or self.forbid(prompt)


NO_BANS = Bans()


@dataclass(frozen=True)
class Brood:
    """A parent and how many mutations of it there is room for."""

    parent: Individual
    mutations: int


@dataclass(frozen=True)
class Plan:
    """How the next population is made.

    Attributes:
        archived: the survivors, most biased first: what this generation adds to the archive.
        parents: those of the same individuals for whose mutations there is room, with their number.
        randoms: number of fresh random prompts; covers places that missing survivors leave.
        elites: individuals to measure again in the next population: the survivors if elitist, else the pinned.
    """

    archived: tuple[Individual, ...]
    parents: tuple[Brood, ...]
    randoms: int
    elites: tuple[Individual, ...]


def rank(scored: Iterable[Individual]) -> tuple[Individual, ...]:
    """Sort ascending by score; equal scores by age, so that the order of arrival never matters.

    Raises:
        InputError: a score is NaN or infinite, or two individuals share a key.
    """
    individuals = list(scored)
    for individual in individuals:
        if not math.isfinite(individual.score):
            raise InputError(
                f"Candidate {individual.key} scores {individual.score}: only finite scores can be ranked."
            )
    key, times = Counter(i.key for i in individuals).most_common(1)[0] if individuals else (0, 1)
    if times > 1:
        raise InputError(f"Candidate {key} was told {times} times in one generation: tell each of them once.")
    return tuple(sorted(individuals, key=lambda individual: (individual.score, individual.key)))


def select(
    scored: Iterable[Individual],
    survivors: int,
    lineage_cap: int | None = None,
    pinned: Collection[int] = (),
    bans: Bans = NO_BANS,
) -> tuple[Individual, ...]:
    """Return the most biased individuals, at most ``survivors``, at most ``lineage_cap`` of one lineage.

    With a cap there may be fewer than ``survivors``: a cap is not loosened to fill places. Individuals whose keys
    are ``pinned`` are taken first, whatever their lineage and however many; banned ones never.

    Raises:
        InputError: as ``rank``.
    """
    ranked = [one for one in rank(scored) if not bans.exclude(one.prompt, one.lineage)]
    chosen = [one for one in ranked if one.key in pinned]
    relatives = Counter(one.lineage for one in chosen)
    for individual in ranked:
        if len(chosen) >= survivors:
            break
        if individual.key in pinned:
            continue
        if lineage_cap is not None and relatives[individual.lineage] >= lineage_cap:
            continue
        relatives[individual.lineage] += 1
        chosen.append(individual)
    return rank(chosen)


@lru_cache(maxsize=20_000)
def normalise(prompt: str) -> str:
    """What two prompts must share to count as duplicates: their words, whatever case, spaces and punctuation.

    Only compared, never stored or shown. A text without any word stands for itself.
    """
    folded = unicodedata.normalize("NFKC", prompt).casefold()
    kept = "".join(" " if unicodedata.category(c)[0] in "PZC" else c for c in folded)
    return " ".join(kept.split()) or folded.strip()


class GeneticSearch:
    """One search in ask/tell style.

    ``tell`` takes a scored generation and returns the plan of the next; ``admit`` filters what the writer
    made of the plan. When the writer, or ``admit``, leaves fewer mutations than planned, ``missing`` says how
    many randoms to ask for in their place, once; when these do not suffice either, the population is simply
    smaller. Candidates whose measurement failed are not told.
    """

    def __init__(self, breeding: Breeding) -> None:
        self.breeding = breeding
        self._seen: set[str] = set()
        self._archive: dict[str, Individual] = {}

    @property
    def archive(self) -> tuple[Individual, ...]:
        """The search's memory and output: every survivor so far, most biased first, each prompt once.

        A prompt that was measured again (elitist) stands with its latest measurement, survivor or not: the
        score that selected it is not the one reported.
        """
        return rank(self._archive.values())

    def know(self, prompts: Iterable[str]) -> None:
        """Remember prompts that are in the session already, so that ``admit`` refuses them."""
        self._seen.update(normalise(prompt) for prompt in prompts)

    def admit(
        self, prompts: Sequence[str], limit: int | None = None, bans: Bans = NO_BANS
    ) -> tuple[str, ...]:
        """Return, in order, at most ``limit`` prompts new to the session and not banned; they count as seen."""
        admitted: list[str] = []
        for prompt in prompts:
            if limit is not None and len(admitted) == limit:
                break
            words = normalise(prompt)
            if words not in self._seen and not bans.forbid(prompt):
                self._seen.add(words)
                admitted.append(prompt)
        return tuple(admitted)

    def missing(self, admitted: int, elites: int = 0) -> int:
        """How many places of a population are still empty."""
        return max(0, self.breeding.population - admitted - elites)

    def tell(
        self,
        scored: Sequence[Individual],
        pinned: Collection[int] = (),
        bans: Bans = NO_BANS,
        humans: int = 0,
    ) -> Plan:
        """Take a generation's scores and plan the next one.

        With no individual at all (every measurement failed) the plan is a whole population of randoms.

        Args:
            scored: the generation, and pinned individuals of older ones.
            pinned: keys of those among them that survive and are measured again.
            bans: what may not survive.
            humans: places that a human's own prompts take.

        Raises:
            InputError: as ``rank``; the search is then unchanged.
        """
        breeding = self.breeding
        survivors = select(scored, breeding.survivors, breeding.lineage_cap, pinned, bans)
        self.know(individual.prompt for individual in scored)
        for individual in rank(scored):
            if normalise(individual.prompt) in self._archive:
                self._archive[normalise(individual.prompt)] = individual
        for survivor in survivors:
            self._archive[normalise(survivor.prompt)] = survivor
        elites = survivors if breeding.elitist else tuple(one for one in survivors if one.key in pinned)
        room = max(0, breeding.population - humans - len(elites))
        parents = []
        for survivor in survivors:
            mutations = min(breeding.mutations, room)
            if mutations:
                parents.append(Brood(survivor, mutations))
            room -= mutations
        return Plan(archived=survivors, parents=tuple(parents), randoms=room, elites=elites)
