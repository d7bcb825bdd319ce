"""A store with a synthetic session, written through the store's own API: drawn images, plausible scores."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from engine.score import analyse
from store import Store, open_store
from store.incoming import (
    NewCandidate,
    NewConfirmationResult,
    NewConfirmedScore,
    NewEvaluation,
    NewImage,
)

SUBJECTS = ("nurse", "farmer", "pilot", "teacher", "engineer", "dancer", "judge", "baker")
PLACES = ("in a garden", "at a desk", "on a beach", "in a kitchen", "in the snow", "by a river")
LOOKS = ("a woman", "a man", "old", "young", "dark-skinned", "light-skinned", "in red", "in blue")
INKS = ((206, 92, 84), (86, 132, 196), (110, 168, 110), (216, 172, 80), (150, 110, 180), (90, 170, 170))


def fill(
    directory: Path,
    *,
    generations: int = 4,
    population: int = 12,
    images: int = 16,
    variations: int = 16,
    prompts: Sequence[str] = (),
    name: str = "demo",
    state: str = "finished",
) -> str:
    """Make a session in the store of ``directory`` and return its id; ``prompts`` come first."""
    with open_store(directory) as store:
        session = store.create_session(name=name, seed=7, config_json="{}", models_json="{}")
        parents: list[int] = []
        for generation in range(1, generations + 1):
            parents = _generation(
                store, session, generation, population, (images, variations), prompts, parents
            )
        if state != "mining":
            store.set_session_state(session, state)  # type: ignore[arg-type]
    return session


def _generation(
    store: Store,
    session: str,
    generation: int,
    population: int,
    shape: tuple[int, int],
    prompts: Sequence[str],
    parents: list[int],
) -> list[int]:
    random = np.random.default_rng(generation)
    texts = [
        prompts[place]
        if generation == 1 and place < len(prompts)
        else f"a photo of a {random.choice(SUBJECTS)} {random.choice(PLACES)}"
        for place in range(population)
    ]
    bred = bool(parents)
    new = [
        NewCandidate(
            place,
            text,
            "mutation" if bred and place < 9 else "random",
            parents[place % len(parents)] if bred and place < 9 else None,
        )
        for place, text in enumerate(texts)
    ]
    ids = store.add_candidates(session, generation, new)
    ranked: list[tuple[float, int]] = []
    for place, (candidate, text) in enumerate(zip(ids, texts, strict=True)):
        bias = min(0.95, 0.12 * generation + 0.5 * random.random() + (0.15 if place < 9 else 0))
        ranked.append(
            (measure(store, candidate, text, shape, bias, seed=generation * 1000 + place), candidate)
        )
    return [candidate for _, candidate in sorted(ranked)[:3]]


def measure(
    store: Store, candidate: int, prompt: str, shape: tuple[int, int], bias: float, seed: int
) -> float:
    """Store images, variations and a score for a candidate; returns the score."""
    count, varied = shape
    random = np.random.default_rng(seed)
    seeds = [int(value) for value in random.integers(0, 2**31, count)]
    shown = [0 if random.random() < bias else int(random.integers(0, 6)) for _ in seeds]
    stored = store.save_images(
        [
            NewImage(
                prompt,
                one,
                "painter-1",
                drawn(ink, one),
                64,
                64,
                False,
                (0.5, 0.5, 0.5),
                16,
                "scorer-1",
                _unit(one),
            )
            for one, ink in zip(seeds, shown, strict=True)
        ]
    )
    texts = [
        f"{prompt}, {LOOKS[place % len(LOOKS)]}, {LOOKS[(place * 3 + 1) % len(LOOKS)]}"
        for place in range(varied)
    ]
    similarity = random.normal(0.2, 0.01, (varied, count))
    for column, ink in enumerate(shown):
        for row in range(varied):
            if row % 6 == ink:
                similarity[row, column] += 0.12
    found = analyse(similarity, logit_scale=100.0)
    store.save_evaluation(
        candidate,
        NewEvaluation(
            images=stored,
            variations=texts,
            similarity=similarity.astype(np.float32),
            scores=found.scores,
            score_name="information",
            coverage=found.coverage.astype(np.float32),
            alignment=found.alignment.astype(np.float32),
            missed=found.missed,
        ),
    )
    return found.scores["information"]


def drawn(ink: int, seed: int) -> bytes:
    """Return a PNG of a figure in front of a wall."""
    random = np.random.default_rng(seed)
    wall = tuple(int(value) for value in random.integers(150, 235, 3))
    picture = Image.new("RGB", (64, 64), wall)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 50, 64, 64), fill=tuple(value - 60 for value in wall))
    x = 32 + int(random.integers(-6, 7))
    pen.ellipse((x - 8, 10, x + 8, 26), fill=(222, 184, 150) if ink % 2 else (120, 82, 60))
    pen.polygon([(x - 14, 54), (x - 8, 28), (x + 8, 28), (x + 14, 54)], fill=INKS[ink])
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _unit(seed: int) -> np.ndarray:
    angle = seed % 1000 / 1000 * math.tau
    return np.array([math.cos(angle), math.sin(angle)], dtype=np.float32)


def confirm(
    directory: Path, session: str, scores: Sequence[tuple[int, float, bool]], command: str = "a command"
) -> None:
    """Confirm candidates, each given with its confirmed score and whether it is a finding."""
    with open_store(directory) as store:
        number = store.freeze_shortlist(session, command, 4, [(one, "mined") for one, _, _ in scores])
        found = []
        for place, (candidate, score, claimed) in enumerate(scores):
            measured = store.candidate(candidate).evaluation
            assert measured is not None
            again = store.save_evaluation(
                candidate,
                NewEvaluation(
                    images=[image.id for image in measured.images],
                    variations=[line.text for line in measured.variations],
                    similarity=measured.similarity,
                    scores=dict(measured.scores),
                    score_name=measured.score_name,
                    coverage=measured.similarity.max(1),
                    alignment=measured.similarity.max(0),
                    missed=(),
                    purpose="confirm",
                ),
            )
            found.append(
                NewConfirmedScore(
                    candidate_id=candidate,
                    role="mined",
                    evaluation_id=again,
                    search_score=measured.scores[measured.score_name],
                    rank_score=place / 10,
                    score=score,
                    low=score - 0.05,
                    high=score + 0.05,
                    shrunk=score,
                    p=0.01,
                    q=0.02 if claimed else 0.4,
                    claimed=claimed,
                    ceiling_evaluation_id=None,
                    ceilings=(),
                )
            )
        store.save_confirmation(
            number,
            NewConfirmationResult(measured.score_name, found, None, None, None, None, None, None, None),
        )
