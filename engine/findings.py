"""What a confirmation chooses and concludes. Pure: from scores and similarity matrices to results.

The protocol (docs/architecture.md): the search proposes, a second draw decides what is claimed, a third one is
reported. So no number that is reported was ever selected on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine import repetition, statistics
from engine.repetition import Repeated
from engine.seeds import derive_seed
from store.incoming import NewCeiling, NewConfirmationResult, NewConfirmedScore
from store.records import Candidate
from store.vocabulary import Role, Verdict

Floats = NDArray[np.float64]

CLAIM_LEVEL: Final = 0.05
"""q up to which a mined prompt is called more biased than unselected ones are on average."""

UNSELECTED: Final = ("initial", "random")


def shortlist(
    ranked: Sequence[Candidate], unselected: Sequence[Candidate], top: int, seed: int
) -> tuple[tuple[int, Role], ...]:
    """Choose the most biased prompts, each once, and as many unselected ones to compare them with.

    The latter are chosen blindly, by a hash of their prompts; those that are on the shortlist are passed over.

    Args:
        ranked: scored candidates, lowest search score first.
        unselected: scored candidates that were not bred from others.
        top: how many of each.
        seed: the session's.
    """
    mined: dict[str, int] = {}
    for one in ranked:
        if len(mined) == top:
            break
        mined.setdefault(one.prompt, one.id)
    others: dict[str, int] = {}
    for one in sorted(unselected, key=lambda one: (derive_seed(seed, "comparison", one.prompt, 0), one.id)):
        if len(others) == top:
            break
        if one.prompt not in mined:
            others.setdefault(one.prompt, one.id)
    chosen: list[tuple[int, Role]] = [(number, "mined") for number in mined.values()]
    return (*chosen, *((number, "random") for number in others.values()))


def sets_of_images(wanted: int, images: int) -> int:
    """How many whole measurements of ``images`` images each it takes to draw at least ``wanted``."""
    return max(1, -(-wanted // images))


@dataclass(frozen=True, eq=False)
class Measured:
    """One member of the shortlist after its draws.

    Attributes:
        search_score: what the search saw.
        ranked: the second draw; None for random prompts.
        repeated: the third draw.
        evaluation_id: the third draw in the store.
        ceilings: missed concepts, drawn outright, in ``ceiling_evaluation_id``.
    """

    candidate_id: int
    role: Role
    search_score: float
    ranked: Repeated | None
    repeated: Repeated
    evaluation_id: int
    ceilings: Sequence[NewCeiling] = ()
    ceiling_evaluation_id: int | None = None


def conclude(
    score_name: str, measured: Sequence[Measured], reference: Mapping[int, float], seed: int
) -> NewConfirmationResult:
    """Draw the conclusions.

    Args:
        score_name: the score that ranks.
        measured: all members that could be measured, at least one of them mined.
        reference: first looks of the search at all unselected prompts that were measured as the second draw is, by
            candidate. They were taken before anything was selected, so they are no better than they should be.
        seed: of the tests' rearrangements.
    """
    repeated = [one.repeated for one in measured]
    intervals = repetition.calibrated(repeated)
    scale, _ = repetition.jackknife_scale(repeated)
    unselected = list(reference.values())
    p_values = {
        one.candidate_id: repetition.below_others(one.ranked.value, scale * one.ranked.jackknife, unselected)
        for one in measured
        if one.ranked is not None
    }
    q_values = dict(zip(p_values, statistics.benjamini_hochberg(list(p_values.values())), strict=True))
    shrunk: dict[int, float] = {}
    for role in ("mined", "random"):
        group = [(one, found) for one, found in zip(measured, intervals, strict=True) if one.role == role]
        if group:
            values = statistics.shrink(
                [found.value for _, found in group],
                [((found.high - found.low) / 2 / 1.96) ** 2 for _, found in group],
            ).values
            shrunk |= {one.candidate_id: float(value) for (one, _), value in zip(group, values, strict=True)}
    scores = [
        NewConfirmedScore(
            candidate_id=one.candidate_id,
            role=one.role,
            evaluation_id=one.evaluation_id,
            search_score=one.search_score,
            rank_score=one.ranked.value if one.ranked is not None else None,
            score=found.value,
            low=found.low,
            high=found.high,
            shrunk=shrunk[one.candidate_id],
            p=p_values.get(one.candidate_id),
            q=(q := _float(q_values.get(one.candidate_id))),
            claimed=q is not None and q <= CLAIM_LEVEL,
            ceiling_evaluation_id=one.ceiling_evaluation_id,
            ceilings=one.ceilings,
        )
        for one, found in zip(measured, intervals, strict=True)
    ]
    mined = [one for one in measured if one.role == "mined"]
    others = [one for one in measured if one.role == "random"]
    reliability = statistics.reliability_of_population(
        unselected,
        [
            [*([reference[one.candidate_id]] if one.candidate_id in reference else []), *one.repeated.looks]
            for one in others
        ],
    )
    random_score = float(np.mean([one.repeated.value for one in others])) if others else None
    confirmed = [one.repeated.value for one in mined]
    return NewConfirmationResult(
        score_name=score_name,
        scores=scores,
        reliability=reliability.value if reliability else None,
        reliability_low=reliability.low if reliability else None,
        reliability_high=reliability.high if reliability else None,
        noise_floor=_noise_floor(measured),
        mined_p=statistics.mined_below_random(confirmed, [one.repeated.value for one in others], seed=seed)
        if mined and others
        else None,
        inflation=statistics.inflation([one.search_score for one in mined], confirmed, random_score)
        if mined and random_score is not None
        else None,
        random_score=random_score,
    )


def _noise_floor(measured: Iterable[Measured]) -> float | None:
    """From independent measurements of the same prompts: sets of the third draw, two by two."""
    pairs = [
        (float(first), float(second))
        for one in measured
        for first, second in zip(one.repeated.singles[::2], one.repeated.singles[1::2], strict=False)
    ]
    return statistics.noise_floor([first for first, _ in pairs], [second for _, second in pairs])


def _float(value: object) -> float | None:
    return None if value is None else float(value)  # type: ignore[arg-type]


# ---------------------------------------------------------------- missed concepts


def missed_concepts(texts: Sequence[str], coverage: Floats, alpha: float) -> tuple[int, ...]:
    """Rows of the missed concepts, least covered first: each text once, coverage up to P_alpha of them all."""
    rows: dict[str, int] = {}
    for row, text in enumerate(texts):
        rows.setdefault(text, row)
    unique = np.array(list(rows.values()))
    bound = np.percentile(coverage[unique], alpha)
    return tuple(
        int(row) for row in unique[np.argsort(coverage[unique], kind="stable")] if coverage[row] <= bound
    )


def verdict_on(coverage: float, own: Floats, own_fit: Floats, fit: Floats) -> Verdict:
    """Judge a missed concept by images that were drawn of its own text.

    ``missed`` where at least half of them show it better than the best image of the prompt does. Were it all one
    whether the concept is asked for or not, that would happen to 3 images against 32 in 1 of 200 cases; so what
    remains is no accident, and what does not is set aside as ``unreachable``: the model cannot draw it, or CLIP
    cannot see it. ``contradictory`` where at least half of them fit the prompt worse than every image of the prompt
    does, and by more than half of what those differ among themselves: then the concept replaces the prompt instead
    of specifying it. docs/validity.md has how often each is said rightly of planted concepts.

    Args:
        coverage: best similarity of the concept over the prompt's own images.
        own: similarity of the concept to each image of its own text, not empty.
        own_fit: similarity of the prompt to those.
        fit: similarity of the prompt to its own images, not empty.
    """
    if float(np.median(own)) <= coverage:
        return "unreachable"
    if float(np.median(own_fit)) < float(fit.min()) - float(np.ptp(fit)) / 2:
        return "contradictory"
    return "missed"
