"""A candidate's evidence in the order in which it convinces: what the images leave out comes first."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from minegap_tui.view.heat import HeatMap
from store.records import CandidateEvidence, Evaluation, Finding
from store.vocabulary import Verdict

if TYPE_CHECKING:
    from store import Reader


@dataclass(frozen=True)
class VariationLine:
    """One variation, how well the images cover it, and whether it is a missed concept."""

    text: str
    coverage: float
    missed: bool


@dataclass(frozen=True)
class Picture:
    """One image of the candidate, in drawing order; ``aspect`` is its width over its height.

    ``least_aligned``: no variation describes it well, beside the others: its alignment is in the lowest quarter.
    """

    path: Path
    seed: int
    alignment: float
    blank: bool
    aspect: float = 1.0
    least_aligned: bool = False


@dataclass(frozen=True)
class Proven:
    """A missed concept that was drawn outright, with images of its own.

    Attributes:
        coverage: how well the prompt's own images show it, in the confirmation's draw.
        ceiling: how well images of its own text show it.
        verdict: what that says; only ``missed`` is bias.
        closest: the prompt's own image that shows it best; None where that is not known.
        pictures: those of its own text, the most similar first; ``alignment`` is their similarity to it.
    """

    text: str
    coverage: float
    ceiling: float
    verdict: Verdict
    closest: Picture | None
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Evidence:
    """What a candidate's score rests on.

    Attributes:
        variations: by rising coverage, missed concepts first.
        heat: S, its rows in the order of ``variations``, its columns in that of ``pictures``.
        pictures: in drawing order, which is no selection.
        scores: every computed metric by name.
        parents: prompts of its ancestors, nearest first, with their generation.
        measurements: how often it was measured for the search; the latest measurement is the one shown.
        finding: what the session's latest confirmation found out about it; None where it was not confirmed.
        proof: the concepts missed in that confirmation, drawn outright.
        note: why there is no evidence yet, if there is none.
    """

    candidate_id: int
    prompt: str
    generation: int
    origin: str
    score: float | None
    score_name: str
    variations: tuple[VariationLine, ...] = ()
    pictures: tuple[Picture, ...] = ()
    scores: tuple[tuple[str, float], ...] = ()
    parents: tuple[tuple[int, str], ...] = ()
    note: str = ""
    heat: HeatMap = field(default_factory=lambda: HeatMap([]), compare=False)
    measurements: int = 0
    session_id: str = ""
    finding: Finding | None = None
    proof: tuple[Proven, ...] = ()

    @property
    def missed(self) -> int:
        """How many variations are missed concepts."""
        return sum(line.missed for line in self.variations)


def read_evidence(reader: Reader, candidate_id: int) -> Evidence:
    """Return what the store holds about a candidate, arranged.

    Raises:
        StoreError: there is no such candidate, or the store cannot be read.
    """
    found = reader.candidate(candidate_id)
    confirmation = reader.confirmation(found.candidate.session_id)
    members = (*confirmation.findings, *confirmation.randoms) if confirmation is not None else ()
    return evidence_of(found, next((one for one in members if one.candidate_id == candidate_id), None))


def evidence_of(found: CandidateEvidence, finding: Finding | None = None) -> Evidence:
    """Arrange what the store holds about a candidate, and what its confirmation found out."""
    import numpy as np

    from engine.score import DEFAULT_ALPHA

    candidate, measured = found.candidate, found.evaluation
    parents = tuple((parent.generation, parent.prompt) for parent in found.parents)
    if measured is None:
        note = candidate.reason if candidate.state == "failed" else "waiting to be painted and scored"
        return Evidence(
            candidate.id,
            candidate.prompt,
            candidate.generation,
            candidate.origin,
            None,
            "",
            parents=parents,
            note=note,
            session_id=candidate.session_id,
        )
    lines = [VariationLine(line.text, line.coverage, line.missed) for line in measured.variations]
    order = sorted(range(len(lines)), key=lambda row: (not lines[row].missed, lines[row].coverage))
    aligned = [image.alignment for image in measured.images]
    least = np.nanpercentile(aligned, DEFAULT_ALPHA) if np.isfinite(aligned).any() else -np.inf
    return Evidence(
        candidate.id,
        candidate.prompt,
        candidate.generation,
        candidate.origin,
        measured.score,
        measured.score_name,
        tuple(lines[row] for row in order),
        tuple(
            Picture(
                image.path,
                image.seed,
                image.alignment,
                image.blank,
                image.width / image.height,
                image.alignment <= least,
            )
            for image in measured.images
        ),
        tuple(sorted(measured.scores.items())),
        parents,
        heat=HeatMap(measured.similarity[order]),
        measurements=sum(one.purpose == "search" for one in found.evaluations),
        session_id=candidate.session_id,
        finding=finding,
        proof=_proof(found, finding),
    )


def _proof(found: CandidateEvidence, finding: Finding | None) -> tuple[Proven, ...]:
    drawn = [one for one in found.evaluations if one.purpose == "confirm"]
    return tuple(
        Proven(
            one.text,
            one.coverage,
            one.ceiling,
            one.verdict,
            _closest(drawn[-1], one.text) if drawn else None,
            tuple(Picture(image.path, image.seed, image.similarity, image.blank) for image in one.images),
        )
        for one in (finding.missed if finding is not None else ())
    )


def _closest(drawn: Evaluation, text: str) -> Picture | None:
    """Return the prompt's own image that shows a variation best."""
    rows = [row for row, line in enumerate(drawn.variations) if line.text == text]
    best = HeatMap(drawn.similarity[rows[0]]).best_image[0] if rows else -1
    if best < 0:
        return None
    image = drawn.images[best]
    shown = float(drawn.similarity[rows[0], best])
    return Picture(image.path, image.seed, shown, image.blank, image.width / image.height)


def word_set(prompt: str) -> frozenset[str]:
    """Return the words of a prompt as ``split_added`` compares them."""
    return frozenset(_bare(word) for word in prompt.split())


def split_added(line: str, kept: frozenset[str]) -> list[tuple[str, bool]]:
    """Cut a displayed line of a variation into pieces that the prompt has too and pieces that it adds.

    Returns:
        (piece, added) in order; the pieces joined are the line.
    """
    pieces: list[tuple[str, bool]] = []
    for word in re.findall(r"\s*\S+|\s+$", line):
        added = bool(_bare(word)) and _bare(word) not in kept
        if pieces and pieces[-1][1] == added:
            pieces[-1] = (pieces[-1][0] + word, added)
        else:
            pieces.append((word, added))
    return pieces


def _bare(word: str) -> str:
    return word.strip().strip(",.;:!?\"'“”").casefold()
