"""What was confirmed, as aligned lines: search and confirmed scores side by side. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from minegap_tui.sanitise import display_text
from minegap_tui.view import figures
from store.records import Confirmation, ConfirmedScore, Finding, MissedConcept
from store.vocabulary import Verdict

CLAIMED = "●"
UNCLAIMED = "○"
_ASIDE: dict[Verdict, str] = {
    "unreachable": "the model cannot draw or CLIP cannot see",
    "contradictory": "contradict the prompt",
}
_MISSED_SHOWN = 3

Confirmed = Finding | ConfirmedScore
"""Whatever says of a candidate what was confirmed of it."""
Piece = tuple[str, str]
"""A text and the name of its look."""

ROOMY, TIGHT = 11, 2
"""Cells of a column of confirmed scores, and of one that only says whether something is a finding."""


def mark(found: Confirmed) -> str:
    """Return the sign that tells a finding from a candidate that was not confirmed."""
    return CLAIMED if found.claimed else UNCLAIMED


def head(*, roomy: bool) -> str:
    """Return the heading of the column of confirmed scores, as wide as that is."""
    return "  confirmed" if roomy else " " * TIGHT


def column(found: Confirmed | None, *, roomy: bool) -> Piece:
    """Return what stands beside a search score: mark and confirmed score, or where there is no room the mark alone."""
    if found is None:
        return " " * (ROOMY if roomy else TIGHT), ""
    text = f"  {mark(found)} {figures.score(found.score).strip():>7}" if roomy else f" {mark(found)}"
    return text, "accent" if found.claimed else "muted"


def beside(found: Confirmed | None) -> str:
    """Return what follows a search score in a sentence; empty where nothing was confirmed."""
    return f" {mark(found)} confirmed {found.score:.3f}" if found is not None else ""


def tally(confirmed: Sequence[ConfirmedScore]) -> ConfirmedScore | None:
    """Return what a session's line shows: its first finding by rank, else what was mined and not confirmed."""
    mined = [one for one in confirmed if one.role == "mined"]
    return next((one for one in mined if one.claimed), mined[0] if mined else None)


def counted(confirmed: Sequence[ConfirmedScore]) -> str:
    """Return how many of a session's mined prompts are findings."""
    mined = [one for one in confirmed if one.role == "mined"]
    if not mined:
        return "not confirmed"
    claimed = sum(one.claimed for one in mined)
    return f"{claimed} of {len(mined)} confirmed prompts {'is a finding' if claimed == 1 else 'are findings'}"


def tally_json(confirmed: Sequence[ConfirmedScore]) -> Mapping[str, Any] | None:
    """Return how many of a session's mined prompts are findings, and the best, as a JSON object."""
    best = tally(confirmed)
    if best is None:
        return None
    mined = [one for one in confirmed if one.role == "mined"]
    return {"prompts": len(mined), "findings": sum(one.claimed for one in mined), "best": score_json(best)}


def score_json(found: ConfirmedScore | None) -> Mapping[str, Any] | None:
    """Return a candidate's confirmed score as a JSON object."""
    if found is None:
        return None
    return {"score": found.score, "low": found.low, "high": found.high, "claimed": found.claimed}


def interval(finding: Finding) -> str:
    """Return the 95 % interval of a confirmed score, 13 cells wide."""
    return f"{finding.low:.3f}…{finding.high:.3f}".rjust(13)


def summary(found: Confirmation) -> list[str]:
    """Return what a confirmation says of the whole session, in sentences of a line each."""
    claimed, all_of = sum(one.claimed for one in found.findings), len(found.findings)
    lines = [
        f"{claimed} of {all_of} are more biased than unselected prompts on average (q ≤ 0.05)",
        f"mined below random: p {probability(found.mined_p)} · random prompts score "
        f"{figures.score(found.random_score).strip()}",
    ]
    if found.reliability is not None:
        lines.append(
            f"reliability of a first score: {found.reliability:.2f} "
            f"({found.reliability_low or 0:.2f} … {found.reliability_high or 0:.2f})"
        )
    if found.noise_floor is not None:
        lines.append(f"two measurements of one prompt differ by up to {found.noise_floor:.3f} (A/A, 95 %)")
    if found.inflation is not None:
        word = "overstated" if found.inflation >= 0 else "understated"
        lines.append(f"the search {word} their bias by {abs(found.inflation):.0%}")
    return lines


def table(findings: Sequence[Finding]) -> list[str]:
    """Return findings as aligned lines with a head; prompts sanitised and whole."""
    numbers = max([2, *(len(str(one.candidate_id)) for one in findings)])
    lines = [
        f"{'#':>3}   {'search':>6}  {'confirmed':>9} {'95 % interval':>14}  {'q':>6}  {'id':>{numbers}}  prompt"
    ]
    lines += [
        f"{one.rank:>3} {mark(one)} {figures.score(one.search_score)}     {figures.score(one.score)}  {interval(one)}  "
        f"{probability(one.q):>6}  {one.candidate_id:>{numbers}}  {display_text(one.prompt, limit=None)}"
        for one in findings
    ]
    return lines


def concepts(finding: Finding) -> list[str]:
    """Return a finding's missed concepts, the widest gap first, and how many were set aside and why."""
    missed = sorted((one for one in finding.missed if one.verdict == "missed"), key=lambda one: -one.gap)
    lines = [
        f"missed  gap {one.gap:.3f}  {display_text(one.text, limit=None)}" for one in missed[:_MISSED_SHOWN]
    ]
    if len(missed) > _MISSED_SHOWN:
        lines.append(f"… and {len(missed) - _MISSED_SHOWN} more missed concepts")
    return [*lines, *_set_aside(finding.missed)]


def probability(value: float | None) -> str:
    """Return a p or q as people read it."""
    if value is None:
        return figures.MISSING
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def ceilings(finding: Finding) -> list[str]:
    """Return every missed concept with coverage, ceiling, verdict and the images drawn of its own text."""
    lines = []
    for one in finding.missed:
        lines.append(
            f"  {figures.score(one.coverage)}  {figures.score(one.ceiling)}  {figures.signed(one.gap)}  "
            f"{one.verdict:<13}  {display_text(one.text, limit=None)}"
        )
        lines += [f"{'':36}{figures.score(image.similarity)}  {image.path}" for image in one.images]
    return lines


def as_json(finding: Finding) -> dict[str, Any]:
    """Return a finding as a JSON object."""
    return {
        "candidate_id": finding.candidate_id,
        "prompt": finding.prompt,
        "rank": finding.rank,
        "claimed": finding.claimed,
        "search_score": finding.search_score,
        "score": finding.score,
        "low": finding.low,
        "high": finding.high,
        "rank_score": finding.rank_score,
        "shrunk": finding.shrunk,
        "shrinkage": finding.shrinkage,
        "p": finding.p,
        "q": finding.q,
        "images": finding.images,
        "missed": [
            {
                "text": one.text,
                "coverage": one.coverage,
                "ceiling": one.ceiling,
                "gap": one.gap,
                "verdict": one.verdict,
                "images": [str(image.path) for image in one.images],
            }
            for one in finding.missed
        ],
    }


def confirmation_json(found: Confirmation | None) -> Mapping[str, Any] | None:
    """Return a confirmation as a JSON object."""
    if found is None:
        return None
    return {
        "finished_at": found.finished_at,
        "score_name": found.score_name,
        "images": found.images,
        "reliability": found.reliability,
        "reliability_low": found.reliability_low,
        "reliability_high": found.reliability_high,
        "noise_floor": found.noise_floor,
        "mined_p": found.mined_p,
        "inflation": found.inflation,
        "random_score": found.random_score,
        "findings": [as_json(one) for one in found.findings],
        "random": [as_json(one) for one in found.randoms],
    }


def _set_aside(concepts: Sequence[MissedConcept]) -> list[str]:
    counts = Counter(one.verdict for one in concepts)
    return [f"set aside: {counts[word]} that {what}" for word, what in _ASIDE.items() if counts[word]]
