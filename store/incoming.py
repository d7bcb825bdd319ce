"""The values that go into the store: frozen, plain, without behaviour.

Texts are kept exactly as given, vectors and matrices as float32. A lone surrogate (half of a UTF-16 pair) is refused in
every text, since neither SQLite nor any model can hold one: decode an LLM's bytes with ``errors="replace"``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from store.records import Exchange
from store.vocabulary import FloatArray, Origin, Purpose, Role, Verdict, WritingKind


@dataclass(frozen=True)
class NewCandidate:
    """A prompt that takes a place in a generation's population.

    Attributes:
        position: its place in the population, from 0.
        parent_id: the candidate it was made from; None for ``initial`` and ``random``.
        writing_id: the writing whose texts it came from (``Writing.id``); None for a human's prompt.
    """

    position: int
    prompt: str
    origin: Origin
    parent_id: int | None = None
    writing_id: int | None = None


@dataclass(frozen=True, eq=False)
class NewImage:
    """One drawn image with its embedding.

    Attributes:
        seed: the seed of its own noise generator, 0 to 2**63 - 1.
        pipeline: the painter's fingerprint.
        png: the whole file, byte for byte.
        width, height: pixels.
        blank: all pixels (nearly) equal.
        mean_rgb: mean red, green and blue of the image.
        batch_size: the batch it was drawn in (of interest on a GPU, where it changes low bits).
        scorer: the scorer's fingerprint.
        embedding: the scorer's unit vector, shape (D,).
    """

    prompt: str
    seed: int
    pipeline: str
    png: bytes
    width: int
    height: int
    blank: bool
    mean_rgb: tuple[float, float, float]
    batch_size: int
    scorer: str
    embedding: FloatArray


@dataclass(frozen=True)
class NewWriting:
    """What the LLM made of one task.

    Attributes:
        key: hash of the whole request (task, prompt, count, seed, direction, fingerprint); names the writing.
        prompt: the prompt that was varied or mutated; "" for random prompts.
        texts: accepted texts in order.
        exchanges: every request and raw reply, rejected ones included.
        rejected: how many replies were set aside.
        fingerprint: the writer's fingerprint.
    """

    key: str
    kind: WritingKind
    prompt: str
    texts: Sequence[str]
    exchanges: Sequence[Exchange]
    rejected: int
    fingerprint: str


@dataclass(frozen=True, eq=False)
class NewEvaluation:
    """A candidate's score with everything it rests on. T variations, N images.

    Attributes:
        images: ids of the N images, in the order of S's columns.
        variations: the T texts, in the order of S's rows.
        similarity: S, cosine similarities, shape (T, N).
        scores: every computed metric, lower = more biased; finite.
        score_name: the metric that ranks, a key of ``scores``.
        coverage: per variation, shape (T,).
        alignment: per image, shape (N,).
        missed: indices of the missed concepts among the variations.
        writing_id: the writing that gave the variations (``Writing.id``), so that the evidence shows it.
    """

    images: Sequence[int]
    variations: Sequence[str]
    similarity: FloatArray
    scores: Mapping[str, float]
    score_name: str
    coverage: FloatArray
    alignment: FloatArray
    missed: Sequence[int]
    purpose: Purpose = "search"
    writing_id: int | None = None


@dataclass(frozen=True)
class NewCeiling:
    """A missed concept with what drawing it outright gave.

    Attributes:
        text: the variation.
        coverage: its best similarity over the prompt's own images of the third draw.
        ceiling: its best similarity over images drawn of its own text.
        first_image, images: its own images among the columns of the ceiling's evaluation.
    """

    text: str
    coverage: float
    ceiling: float
    verdict: Verdict
    first_image: int
    images: int


@dataclass(frozen=True)
class NewConfirmedScore:
    """What a confirmation found out about one candidate; lower = more biased.

    Attributes:
        evaluation_id: the third draw (``Evaluation.id``).
        search_score: what the search saw.
        rank_score: from the second draw; None for random prompts, among which nothing is claimed.
        score, low, high: from the third draw, with its 95 % interval.
        shrunk: what the true score is expected to be, given all scores of the confirmation.
        p: of the second draw: its true score is no lower than unselected prompts' mean; None for random prompts.
        q: p adjusted for the number of claims (Benjamini-Hochberg).
        claimed: whether it is claimed to be more biased than unselected prompts: q is at most 0.05.
        ceiling_evaluation_id: the missed concepts, drawn outright; None where nothing was missed.
        ceilings: those, least covered first.
    """

    candidate_id: int
    role: Role
    evaluation_id: int
    search_score: float
    rank_score: float | None
    score: float
    low: float
    high: float
    shrunk: float
    p: float | None = None
    q: float | None = None
    claimed: bool = False
    ceiling_evaluation_id: int | None = None
    ceilings: Sequence[NewCeiling] = ()


@dataclass(frozen=True)
class NewConfirmationResult:
    """What a confirmation found out about the whole session; None where there is too little evidence.

    Attributes:
        scores: of all members.
        reliability, reliability_low, reliability_high: test-retest reliability of single search scores, from
            unselected prompts, with its 95 % interval.
        noise_floor: two measurements of one prompt differ by at most so much in 95 of 100 cases (A/A).
        mined_p: of the mined prompts scoring no lower than the random ones (permutation of prompts).
        inflation: by which share the search overstated the bias of what it found: 0.24 = 24 %.
        random_score: mean confirmed score of the random prompts.
    """

    score_name: str
    scores: Sequence[NewConfirmedScore]
    reliability: float | None
    reliability_low: float | None
    reliability_high: float | None
    noise_floor: float | None
    mined_p: float | None
    inflation: float | None
    random_score: float | None
