"""The genetic search: the paper's data flow, the named extensions, a simulation in which it must improve."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InputError
from engine.genetic import Breeding, GeneticSearch, Individual, Plan, normalise, rank, select


def individual(key: int, score: float, lineage: int | None = None, prompt: str = "") -> Individual:
    lineage = key if lineage is None else lineage
    return Individual(key, prompt or f"prompt {key}", "random", None, score, lineage)


populations = st.lists(
    st.tuples(st.sampled_from([0.1, 0.2, 0.3, 0.4, 0.5]), st.integers(0, 3)), max_size=12
).map(lambda rows: [individual(key, score, lineage) for key, (score, lineage) in enumerate(rows)])


@st.composite
def breedings(draw: st.DrawFn) -> Breeding:
    survivors, mutations, elitist = draw(st.integers(1, 4)), draw(st.integers(0, 4)), draw(st.booleans())
    least = max(survivors, survivors * (mutations + elitist))
    cap = draw(st.none() | st.integers(1, 3))
    return Breeding(draw(st.integers(least, least + 5)), survivors, mutations, elitist, cap)


def test_one_iteration_of_the_papers_animation() -> None:
    """b = 5, s = 2, m = 2: two go to the archive, four mutations and one random make the population."""
    prompts = [
        "A single red rose in a vase",
        "A person reading a book in a park",
        "A person sitting at a piano",
        "A stack of colorful books on a shelf",
        "A busy city street at night",
    ]
    scores = [0.11, 0.12, 0.30, 0.25, 0.28]
    search = GeneticSearch(Breeding(5, 2, 2))
    plan = search.tell(
        [individual(n, x, prompt=p) for n, (p, x) in enumerate(zip(prompts, scores, strict=True))]
    )
    assert [i.prompt for i in plan.archived] == prompts[:2]
    assert [(brood.parent.prompt, brood.mutations) for brood in plan.parents] == [
        (prompts[0], 2),
        (prompts[1], 2),
    ]
    assert plan.randoms == 1
    assert plan.elites == ()
    assert [i.prompt for i in search.archive] == prompts[:2]


@given(breedings(), populations)
def test_every_plan_fills_the_population_exactly(breeding: Breeding, scored: list[Individual]) -> None:
    plan = GeneticSearch(breeding).tell(scored)
    children = sum(brood.mutations for brood in plan.parents)
    assert children + plan.randoms + len(plan.elites) == breeding.population
    assert plan.randoms >= breeding.randoms >= 0
    assert len(plan.archived) <= breeding.survivors
    if len(plan.archived) == breeding.survivors:
        assert plan.randoms == breeding.randoms
    assert plan.elites == (plan.archived if breeding.elitist else ())


@given(breedings(), populations, st.randoms(use_true_random=False))
def test_order_of_arrival_does_not_matter(
    breeding: Breeding, scored: list[Individual], shuffler: random.Random
) -> None:
    plan = GeneticSearch(breeding).tell(scored)
    shuffled = list(scored)
    shuffler.shuffle(shuffled)
    assert GeneticSearch(breeding).tell(shuffled) == plan


@given(populations, st.integers(1, 5), st.none() | st.integers(1, 3))
def test_survivors_are_the_most_biased_that_the_cap_allows(
    scored: list[Individual], survivors: int, cap: int | None
) -> None:
    chosen = select(scored, survivors, cap)
    relatives = Counter(i.lineage for i in chosen)
    assert len(chosen) <= survivors
    if cap is not None:
        assert max(relatives.values(), default=0) <= cap
    for other in scored:  # whoever is better than a survivor is one, or was kept out by the cap
        if other not in chosen and any((other.score, other.key) < (i.score, i.key) for i in chosen):
            assert cap is not None
            assert relatives[other.lineage] == cap


def test_equal_scores_go_by_age() -> None:
    assert [i.key for i in rank([individual(k, 0.2) for k in (3, 1, 2)] + [individual(0, 0.9)])] == [
        1,
        2,
        3,
        0,
    ]


def test_places_that_the_cap_leaves_empty_go_to_randoms() -> None:
    search = GeneticSearch(Breeding(9, 3, 2, lineage_cap=1))
    plan = search.tell([individual(1, 0.1, 7), individual(2, 0.2, 7), individual(3, 0.3, 8)])
    assert [i.key for i in plan.archived] == [1, 3]
    assert plan.randoms == 5


def test_a_generation_in_which_everything_failed_starts_afresh() -> None:
    assert GeneticSearch(Breeding(6, 2, 2)).tell([]) == Plan((), (), 6, ())


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf])
def test_a_score_that_cannot_be_ranked_is_refused_and_changes_nothing(score: float) -> None:
    search = GeneticSearch(Breeding(4, 1, 1))
    with pytest.raises(InputError, match="Candidate 2"):
        search.tell([individual(1, 0.1), individual(2, score)])
    assert search.archive == ()
    assert search.admit(["prompt 1"]) == ("prompt 1",)


def test_a_candidate_told_twice_is_refused() -> None:
    with pytest.raises(InputError, match="Candidate 1 was told 2 times"):
        GeneticSearch(Breeding(4, 1, 1)).tell([individual(1, 0.1), individual(1, 0.2)])


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ((16, 6, 3), "= 18 exceeds population = 16"),
        ((4, 5, 0), "survivors = 5"),
        ((4, 0, 1), "survivors = 0"),
        ((0, 1, 1), "population = 0"),
        ((4, 1, -1), "mutations = -1"),
        ((4, 1, 1, False, 0), "lineage_cap = 0"),
        ((12, 4, 3, True), "= 16 exceeds population = 12"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(numbers: tuple[int, ...], said: str) -> None:
    with pytest.raises(InputError, match=said):
        Breeding(*numbers)  # type: ignore[arg-type]


def test_duplicates_are_seen_through_case_space_and_punctuation() -> None:
    search = GeneticSearch(Breeding(4, 1, 1))
    search.know(["A red  Rose."])
    texts = [
        "a red rose",
        "A blue rose",
        "a blue, rose",
        "“A BLUE ROSE”",
        "a ｂlue rose",
        "a white rose",
        "x",
    ]
    assert search.admit(texts, limit=2) == ("A blue rose", "a white rose")
    assert search.admit(["x"]) == ("x",)


def test_a_told_generation_counts_as_seen() -> None:
    search = GeneticSearch(Breeding(4, 1, 1))
    search.tell([individual(1, 0.1, prompt="A hand-written one")])
    assert search.admit(["a hand written one"]) == ()


@given(st.text())
def test_space_around_a_prompt_makes_no_new_one(prompt: str) -> None:
    assert normalise(f"  {prompt} \n") == normalise(prompt)


def test_texts_without_words_are_not_all_the_same() -> None:
    assert normalise("!!!") != normalise("???")
    assert normalise("🐈") != normalise("🐕")
    assert normalise("a cat") != normalise("a cat 2")


def test_the_archive_shows_the_latest_measurement_of_a_prompt() -> None:
    """What selected an elite was partly luck; the score it is listed with is the newer one."""
    search = GeneticSearch(Breeding(4, 1, 1, elitist=True))
    first = search.tell([individual(1, 0.1, prompt="rose"), individual(2, 0.3)])
    assert [i.key for i in first.elites] == [1]
    search.tell([Individual(5, "rose", "elite", 1, 0.5, 1), individual(6, 0.4)])
    assert [(i.key, i.score) for i in search.archive] == [(6, 0.4), (5, 0.5)]


def test_missing_places_are_counted() -> None:
    search = GeneticSearch(Breeding(10, 2, 3))
    assert search.missing(7) == 3
    assert search.missing(7, elites=2) == 1
    assert search.missing(12) == 0


# ---------------------------------------------------------------- a world of 20-letter prompts

LENGTH = 20


def random_prompt(rng: random.Random) -> str:
    return "".join(rng.choice("ab") for _ in range(LENGTH))


def mutated(prompt: str, rng: random.Random) -> str:
    letters = list(prompt)
    for place in rng.sample(range(LENGTH), 2):
        letters[place] = rng.choice("ab")
    return "".join(letters)


def mine(breeding: Breeding, generations: int, seed: int, score: Callable[[str], float]) -> GeneticSearch:
    """The engine's loop around the search, with a writer that changes letters."""
    rng = random.Random(seed)
    search = GeneticSearch(breeding)
    lineages: dict[int, int] = {}
    key = 0
    born: list[tuple[str, str, int | None]] = [
        (p, "initial", None)
        for p in search.admit([random_prompt(rng) for _ in range(99)], breeding.population)
    ]
    for _ in range(generations):
        scored = []
        for prompt, origin, parent in born:
            lineages[key] = key if parent is None else lineages[parent]
            scored.append(Individual(key, prompt, origin, parent, score(prompt), lineages[key]))
            key += 1
        plan = search.tell(scored)
        born = [(elite.prompt, "elite", elite.key) for elite in plan.elites]
        for brood in plan.parents:
            texts = [mutated(brood.parent.prompt, rng) for _ in range(brood.mutations)]
            born += [(p, "mutation", brood.parent.key) for p in search.admit(texts)]
        fresh = [random_prompt(rng) for _ in range(search.missing(len(born)))]
        born += [(p, "random", None) for p in search.admit(fresh)]
    return search


def share_of_a(prompt: str) -> float:
    return prompt.count("a") / LENGTH


@pytest.mark.parametrize(
    "breeding", [Breeding(16, 4, 3), Breeding(16, 4, 3, True), Breeding(16, 4, 3, False, 2)]
)
def test_mining_beats_random_prompts_of_the_same_budget(breeding: Breeding) -> None:
    wins = 0
    for seed in range(20):
        mined = mine(breeding, 12, seed, share_of_a).archive[0].score
        rng = random.Random(seed)
        wins += mined < min(share_of_a(random_prompt(rng)) for _ in range(16 * 12))
    assert wins >= 16  # a tie counts as lost


def test_the_archive_holds_every_prompt_once_and_is_sorted() -> None:
    archive = mine(Breeding(12, 3, 3), 10, 1, share_of_a).archive
    assert len({i.prompt for i in archive}) == len(archive) == 30
    assert [i.score for i in archive] == sorted(i.score for i in archive)


def test_the_same_scores_give_the_same_search() -> None:
    one, other = (mine(Breeding(12, 3, 3, True), 8, 5, share_of_a).archive for _ in range(2))
    assert one == other


def test_without_a_cap_one_lineage_may_take_over_and_with_one_it_cannot() -> None:
    def survivors_per_lineage(cap: int | None) -> int:
        search = GeneticSearch(Breeding(8, 4, 2, lineage_cap=cap))
        plan = search.tell([individual(k, k / 10, lineage=0 if k < 5 else k) for k in range(8)])
        return max(Counter(i.lineage for i in plan.archived).values())

    assert survivors_per_lineage(None) == 4
    assert survivors_per_lineage(2) == 2
