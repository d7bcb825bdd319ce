"""Controls of the instrument on made-up evidence: each finds its own fault, and none where nothing is wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.controls import (
    FEWEST,
    Measured,
    faults,
    pictures_fault,
    prompts_fault,
    similarities_fault,
    writer_fault,
)

WORDS = tuple("abcdefghijklmnop")


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def evidence(count: int, seed: int = 0, *, heeds: float = 1.0) -> list[Measured]:
    """Prompts whose images lie near their texts as far as the painter heeds them; a modality gap between both."""
    rng = np.random.default_rng(seed)
    gap = rng.normal(size=32)
    found = []
    for number in range(count):
        meaning, other = rng.normal(size=32), rng.normal(size=32)
        texts = unit(meaning + 0.5 * rng.normal(size=(16, 32)))
        images = unit(heeds * meaning + (1 - heeds) * other + 0.5 * rng.normal(size=(8, 32)) + gap)
        variations = tuple(f"a {word} thing number {number}" for word in WORDS)
        found.append(Measured(f"prompt {number}", variations, 16, texts, images, texts @ images.T))
    return found


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_said_of_a_sound_instrument(seed: int) -> None:
    assert faults(evidence(8, seed)) == ()


def test_nothing_is_said_of_too_few_prompts() -> None:
    broken = [replace(one, variations=("a b",) * 16) for one in evidence(FEWEST - 1)]
    assert faults(broken) == ()
    assert faults([*broken, broken[0]]) == ()


def test_a_painter_that_does_not_heed_its_prompts_is_found_although_texts_and_images_differ() -> None:
    found = [prompts_fault(evidence(10, seed, heeds=0)) for seed in range(20)]
    assert sum(bool(sentence) for sentence in found) >= 19  # one in a hundred passes by chance
    assert all("does not heed its prompts" in sentence for sentence in found if sentence)


def test_shuffled_similarities_are_found() -> None:
    measured = evidence(8)
    rng = np.random.default_rng(1)
    one = measured[3]
    measured[3] = replace(
        one, similarity=rng.permutation(one.similarity.ravel()).reshape(one.similarity.shape)
    )
    assert "1 of 8 prompts" in similarities_fault(measured)
    assert similarities_fault(evidence(8)) == ""


def test_one_picture_for_everything_is_found() -> None:
    measured = evidence(8)
    same = [replace(one, images=np.repeat(measured[0].images[:1], 8, axis=0)) for one in measured]
    assert "look the same" in pictures_fault(same)


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (("a red cat", "the cat, red", "A RED CAT") * 5, True),
        (tuple(f"a {word} cat" for word in WORDS), False),
        ((), True),
    ],
)
def test_a_writer_with_one_idea_is_found(texts: tuple[str, ...], said: bool) -> None:
    measured = [replace(one, variations=texts) for one in evidence(8)]
    assert bool(writer_fault(measured)) == said


def test_where_only_one_axis_may_vary_the_writer_is_not_blamed_for_few_variations() -> None:
    measured = [replace(one, variations=("a male nurse", "a female nurse")) for one in evidence(8)]
    assert faults(measured) == (writer_fault(measured),) != ("",)
    assert faults(measured, "gender") == ()
