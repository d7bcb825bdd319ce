"""Ready-made values for the tests of the store."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from store import Store
from store.incoming import NewCandidate, NewEvaluation, NewImage, NewWriting
from store.records import Exchange

PIPELINE = "painter-1"
SCORER = "scorer-1"


def session(store: Store, name: str = "demo") -> str:
    return store.create_session(name=name, seed=7, config_json="{}", models_json="{}", state="mining")


def image(prompt: str, seed: int, png: bytes | None = None, scorer: str = SCORER) -> NewImage:
    content = (
        png
        if png is not None
        else b"\x89PNG" + hashlib.sha256(f"{prompt}{seed}".encode(errors="replace")).digest() * 20
    )
    return NewImage(
        prompt=prompt,
        seed=seed,
        pipeline=PIPELINE,
        png=content,
        width=64,
        height=48,
        blank=False,
        mean_rgb=(0.25, 0.5, 0.75),
        batch_size=16,
        scorer=scorer,
        embedding=np.full(8, seed % 97, dtype=np.float32),
    )


def writing(key: str, prompt: str, texts: Sequence[str], kind: str = "variations") -> NewWriting:
    exchanges = [Exchange(f"vary {prompt}", text, seed, "accepted") for seed, text in enumerate(texts)]
    return NewWriting(key, kind, prompt, texts, exchanges, 0, "writer-1")  # type: ignore[arg-type]


def evaluation(
    images: Sequence[int], score: float, variations: Sequence[str] = ("a red cat", "a blue cat")
) -> NewEvaluation:
    shape = (len(variations), len(images))
    similarity = np.linspace(-1, 1, shape[0] * shape[1], dtype=np.float32).reshape(shape)
    return NewEvaluation(
        images=images,
        variations=variations,
        similarity=similarity,
        scores={"information": score, "paper": score / 2},
        score_name="information",
        coverage=similarity.max(axis=1),
        alignment=similarity.max(axis=0),
        missed=[0],
    )


def scored(
    store: Store, session_id: str, generation: int, prompts: Sequence[str], scores: Sequence[float]
) -> list[int]:
    """A generation of candidates with two images and one evaluation each; returns the candidates' ids."""
    ids = store.add_candidates(
        session_id,
        generation,
        [NewCandidate(place, prompt, "initial") for place, prompt in enumerate(prompts)],
    )
    for candidate, prompt, score in zip(ids, prompts, scores, strict=True):
        store.save_evaluation(
            candidate, evaluation(store.save_images([image(prompt, 2), image(prompt, 4)]), score)
        )
    return ids
