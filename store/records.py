"""The values that come out of the store: frozen, plain, without behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from store.vocabulary import (
    CandidateState,
    FloatArray,
    Origin,
    Purpose,
    Role,
    SessionState,
    Verdict,
    WritingKind,
)

FAMILY_PROMPT = 4000
"""Characters of a prompt that a family's members have: a session may hold many thousands of them."""


@dataclass(frozen=True)
class Exchange:
    """One request to the LLM and its raw reply.

    Attributes:
        request: the full text the model was given.
        reply: exactly what it wrote.
        seed: the sampler seed.
        verdict: ``"accepted"`` or why the reply was set aside.
    """

    request: str
    reply: str
    seed: int
    verdict: str


@dataclass(frozen=True, eq=False)
class ImageRecord:
    """A stored image; ``path`` is absolute, ``embedding`` belongs to the scorer that was asked for."""

    id: int
    sha256: str
    path: Path
    seed: int
    blank: bool
    mean_rgb: tuple[float, float, float]
    embedding: FloatArray


@dataclass(frozen=True)
class Writing:
    """A stored writing."""

    id: int
    key: str
    kind: WritingKind
    prompt: str
    texts: tuple[str, ...]
    exchanges: tuple[Exchange, ...]
    rejected: int
    fingerprint: str
    created_at: str


@dataclass(frozen=True)
class Session:
    """One mining run. Times are ISO-8601 UTC; ``generations``, ``candidates``, ``scored`` are counts.

    Attributes:
        models_json: fingerprints of its models; "" until they were loaded for the first time.
        forked_from: the session whose first ``forked_generation`` generations it shares; None where it began
            by itself.
        images, bytes: how many different ones its measurements rest on, and the room that their files take; those
            that it shares with a fork or its source count in both.
    """

    id: str
    name: str
    seed: int
    config_json: str
    models_json: str
    state: SessionState
    reason: str
    created_at: str
    updated_at: str
    generations: int
    candidates: int
    scored: int
    best_score: float | None
    forked_from: str | None = None
    forked_generation: int | None = None
    images: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class Candidate:
    """A candidate and its latest search score (None while it waits)."""

    id: int
    session_id: str
    generation: int
    position: int
    prompt: str
    origin: Origin
    parent_id: int | None
    writing_id: int | None
    state: CandidateState
    reason: str
    score_name: str | None
    score: float | None


@dataclass(frozen=True)
class GenerationSummary:
    """The search scores of one generation; quartiles interpolate linearly; None until something is scored.

    Attributes:
        spread: upper minus lower quartile.
        images: images its evaluations rest on.
    """

    generation: int
    candidates: int
    scored: int
    best: float | None
    median: float | None
    spread: float | None
    mean: float | None
    images: int


@dataclass(frozen=True)
class VariationEvidence:
    """One variation, how well the images cover it, and whether it is a missed concept."""

    text: str
    coverage: float
    missed: bool


@dataclass(frozen=True)
class ImageEvidence:
    """One image and how well some variation describes it; ``path`` is absolute."""

    id: int
    seed: int
    path: Path
    sha256: str
    width: int
    height: int
    blank: bool
    mean_rgb: tuple[float, float, float]
    alignment: float


@dataclass(frozen=True)
class ShownCandidate:
    """A scored candidate and the one of its images that some variation describes best.

    Attributes:
        draw, draws: the image's place among those of its measurement, from 0, and how many there are.
        closest: that variation.
    """

    candidate: Candidate
    image: ImageEvidence
    draw: int
    draws: int
    closest: str


@dataclass(frozen=True, eq=False)
class Evaluation:
    """One measurement of a candidate; ``similarity`` has shape (len(variations), len(images))."""

    id: int
    purpose: Purpose
    score_name: str
    score: float
    scores: Mapping[str, float]
    variations: tuple[VariationEvidence, ...]
    images: tuple[ImageEvidence, ...]
    similarity: FloatArray
    created_at: str


@dataclass(frozen=True)
class CeilingImage:
    """An image that was drawn of a missed concept's own text, and how similar they are; ``path`` is absolute."""

    id: int
    seed: int
    path: Path
    blank: bool
    similarity: float


@dataclass(frozen=True)
class MissedConcept:
    """A missed concept with what drawing it outright gave.

    Attributes:
        coverage: its best similarity over the prompt's own images.
        ceiling: its best similarity over images drawn of its own text: what the model reaches when asked.
        gap: ceiling - coverage; how much is missing. Only where the verdict is ``missed`` is that bias.
        images: those drawn of its own text, the most similar first.
    """

    text: str
    coverage: float
    ceiling: float
    gap: float
    verdict: Verdict
    images: tuple[CeilingImage, ...]


@dataclass(frozen=True)
class ConfirmedScore:
    """What a table says of a candidate that its session's latest finished confirmation measured; see ``Finding``."""

    candidate_id: int
    session_id: str
    prompt: str
    role: Role
    score_name: str
    score: float
    low: float
    high: float
    claimed: bool


@dataclass(frozen=True)
class Finding:
    """One candidate as a confirmation found it; lower scores = more biased.

    Attributes:
        confirmation_id: the confirmation it belongs to.
        candidate_id: whose score this is; ``prompt`` its prompt.
        role: mined, or random (to compare with).
        rank: place by the second draw among those of its role, from 1: the most biased first.
        search_score: what the search saw; too good for what a search selected.
        rank_score: from the second draw; None for random prompts.
        score, low, high: from the third draw, with its 95 % interval: the confirmed score.
        shrunk: what the true score is expected to be, given all scores of the confirmation.
        shrinkage: which share of the bias that the search saw is gone: 1 - (R - score) / (R - search_score), R being
            the random prompts' mean; None where the search saw none.
        p, q: of the second draw against unselected prompts, alone and adjusted for all claims; None for random ones.
        claimed: whether it may be called biased: q is at most 0.05. Others are candidates that were not confirmed.
        images: how many the confirmed score rests on.
        missed: missed concepts with their ceilings, least covered first; all verdicts.
    """

    confirmation_id: int
    candidate_id: int
    prompt: str
    role: Role
    rank: int
    score_name: str
    search_score: float
    rank_score: float | None
    score: float
    low: float
    high: float
    shrunk: float
    shrinkage: float | None
    p: float | None
    q: float | None
    claimed: bool
    images: int
    missed: tuple[MissedConcept, ...]


@dataclass(frozen=True)
class Confirmation:
    """A frozen shortlist, and once it is measured what came of it.

    Attributes:
        command_id: of the command that ordered it, or ``AUTOMATIC``.
        images: that the third draw takes of each member.
        members: candidate ids and why each is there, in the order of the shortlist.
        finished_at: None while it is being measured; all below is None or empty then.
        reliability … random_score: see ``NewConfirmationResult``.
        findings: the mined prompts, by rank.
        randoms: the random ones.
    """

    id: int
    session_id: str
    command_id: str
    images: int
    created_at: str
    members: tuple[tuple[int, Role], ...]
    finished_at: str | None
    score_name: str
    reliability: float | None
    reliability_low: float | None
    reliability_high: float | None
    noise_floor: float | None
    mined_p: float | None
    inflation: float | None
    random_score: float | None
    findings: tuple[Finding, ...]
    randoms: tuple[Finding, ...]


@dataclass(frozen=True, eq=False)
class CandidateEvidence:
    """Everything known about one candidate.

    Attributes:
        evaluations: oldest first; empty while it waits.
        evaluation: the latest of purpose ``search``; None while it waits.
        parents: its ancestors, nearest first.
        finding: what its session's latest confirmation says of it; None where it was not confirmed.
    """

    candidate: Candidate
    evaluation: Evaluation | None
    evaluations: tuple[Evaluation, ...]
    parents: tuple[Candidate, ...]
    finding: Finding | None


@dataclass(frozen=True)
class Deleted:
    """What went with a session.

    Attributes:
        images: how many it alone had drawn.
        bytes: the room that they took.
        files: names (sha256) of the files that no row may need any more.
    """

    candidates: int
    images: int
    bytes: int
    files: tuple[str, ...]


@dataclass(frozen=True)
class CandidateWritings:
    """What the LLM wrote for one candidate; all of it, so it may be large.

    Attributes:
        variations: behind its measurements, the latest first.
        prompt: behind the prompt itself; None where no LLM wrote it. A survivor that was measured again has
            its former self's.
        author: the candidate whose prompt that was: itself, or the former self.
    """

    candidate: Candidate
    variations: tuple[Writing, ...]
    prompt: Writing | None
    author: Candidate


@dataclass(frozen=True)
class Relative:
    """A candidate as one of a family; ``prompt`` is cut to ``FAMILY_PROMPT`` characters."""

    id: int
    parent_id: int | None
    generation: int
    prompt: str
    origin: Origin
    state: CandidateState
    score: float | None


@dataclass(frozen=True)
class Event:
    """One line of the record. ``seq`` rises over all sessions of the store."""

    seq: int
    session_id: str
    kind: str
    payload: dict[str, object]
    created_at: str
