"""Images with what there is to say about them: of a generation, of one candidate, of two of them side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from minegap_tui.sanitise import display_text
from minegap_tui.view import figures
from minegap_tui.view.findings import Confirmed, beside
from store.records import (
    Candidate,
    CandidateEvidence,
    ConfirmedScore,
    Evaluation,
    ImageEvidence,
    ShownCandidate,
)

Kind = Literal["generation", "candidate", "pair"]


@dataclass(frozen=True)
class Shot:
    """One image.

    Attributes:
        draw, draws: its number among the candidate's images, from 1, and how many there are.
        closest: the variation that describes it best.
        confirmed: what was confirmed of its candidate.
    """

    path: Path
    seed: int
    alignment: float
    blank: bool
    aspect: float
    draw: int
    draws: int
    closest: str
    candidate_id: int
    prompt: str
    generation: int
    origin: str
    score: float | None
    score_name: str
    confirmed: Confirmed | None = None


@dataclass(frozen=True)
class Sheet:
    """Images on one screen.

    Attributes:
        shots: of a ``pair`` first all of one candidate, then all of the other.
        upper: how many shots of a ``pair`` belong to the first candidate.
        chain: of a ``candidate`` its line, the oldest ancestor first, itself last.
    """

    kind: Kind
    shots: tuple[Shot, ...]
    upper: int = 0
    chain: tuple[int, ...] = ()
    note: str = ""

    def beside(self, place: int) -> int | None:
        """Return the place of a ``pair``'s image with the same draw number, if both have one."""
        if self.kind != "pair":
            return None
        other = place + self.upper if place < self.upper else place - self.upper
        inside = self.upper <= other < len(self.shots) if place < self.upper else other < self.upper
        return other if inside else None

    @property
    def columns(self) -> int:
        """How many images stand beside each other; those of a ``pair`` above each other are one."""
        return max(self.upper, len(self.shots) - self.upper) if self.kind == "pair" else len(self.shots)


def of_generation(
    shown: Sequence[ShownCandidate], confirmed: Mapping[int, ConfirmedScore] | None = None
) -> Sheet:
    """Arrange the best image of every candidate, the most biased candidate first."""
    known = confirmed or {}
    return Sheet(
        "generation",
        tuple(
            _shot(
                one.candidate,
                one.image,
                one.draw + 1,
                one.draws,
                one.closest,
                known.get(one.candidate.id),
            )
            for one in shown
        ),
    )


def of_candidate(found: CandidateEvidence) -> Sheet:
    """Arrange all images of a candidate in drawing order, which is no selection."""
    chain = (*(parent.id for parent in reversed(found.parents)), found.candidate.id)
    candidate = found.candidate
    if found.evaluation is None:
        note = candidate.reason if candidate.state == "failed" else "It waits to be painted and scored."
        return Sheet("candidate", (), chain=chain, note=note)
    return Sheet("candidate", _images(candidate, found.evaluation, found.finding), chain=chain)


def of_pair(one: CandidateEvidence, other: CandidateEvidence) -> Sheet:
    """Arrange the images of two candidates so that those with the same draw number stand together."""
    upper, lower = of_candidate(one), of_candidate(other)
    note = upper.note or lower.note
    return Sheet("pair", (*upper.shots, *lower.shots), upper=len(upper.shots), note=note)


def same_seeds(sheet: Sheet) -> str:
    """Return what the columns of a ``pair`` share, for people.

    A seed is derived from the session, the prompt and the draw number: only the same prompt, measured the same
    time in sessions of one master seed, has the same seeds.
    """
    pairs = [(shot, sheet.beside(place)) for place, shot in enumerate(sheet.shots[: sheet.upper])]
    both = [(shot.seed, sheet.shots[other].seed) for shot, other in pairs if other is not None]
    if both and all(one == other for one, other in both):
        return "columns share draw number and seed"
    return "columns share the draw number; seeds differ, as each is derived from its prompt"


def facts(shot: Shot) -> str:
    """Return seed, draw and alignment of an image, for people."""
    blank = " · blank" if shot.blank else ""
    return f"draw {shot.draw} of {shot.draws} · alignment {shot.alignment:.3f} · seed {shot.seed}{blank}"


def source(shot: Shot) -> str:
    """Return whose image it is: score, origin, generation; safe to print."""
    scored = (
        f"{shot.score_name} {figures.score(shot.score).strip()}{beside(shot.confirmed)} · "
        if shot.score is not None
        else ""
    )
    return display_text(f"{scored}{shot.origin}, generation {shot.generation}", 120)


def _images(candidate: Candidate, measured: Evaluation, confirmed: Confirmed | None) -> tuple[Shot, ...]:
    closest = measured.similarity.argmax(axis=0)
    return tuple(
        _shot(
            candidate,
            image,
            place + 1,
            len(measured.images),
            measured.variations[int(closest[place])].text,
            confirmed,
        )
        for place, image in enumerate(measured.images)
    )


def _shot(
    candidate: Candidate,
    image: ImageEvidence,
    draw: int,
    draws: int,
    closest: str,
    confirmed: Confirmed | None,
) -> Shot:
    return Shot(
        path=image.path,
        seed=image.seed,
        alignment=image.alignment,
        blank=image.blank,
        aspect=image.width / image.height,
        draw=draw,
        draws=draws,
        closest=closest,
        candidate_id=candidate.id,
        prompt=candidate.prompt,
        generation=candidate.generation,
        origin=candidate.origin,
        score=candidate.score,
        score_name=candidate.score_name or "",
        confirmed=confirmed,
    )
