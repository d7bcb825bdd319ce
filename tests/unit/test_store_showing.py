"""The gallery's questions give what the single candidates' evidence gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from store import Reader, open_reader, open_store
from store.incoming import NewCandidate, NewEvaluation, NewImage

PIXEL = b"\x89PNG"


@pytest.fixture(scope="module")
def mined(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Two generations of three candidates; the last one waits, and one was measured twice."""
    directory = tmp_path_factory.mktemp("store")
    random = np.random.default_rng(3)
    with open_store(directory) as store:
        session = store.create_session(name="a", seed=1, config_json="{}", models_json="{}")
        store.create_session(name="b", seed=1, config_json="{}", models_json="{}")
        for generation in (1, 2):
            new = [NewCandidate(place, f"prompt {generation} {place}", "random") for place in range(3)]
            ids = store.add_candidates(session, generation, new)
            for place, candidate in enumerate(ids[: 3 if generation == 1 else 2]):
                for _ in range(2 if place == 1 else 1):
                    images = store.save_images(
                        [
                            NewImage(
                                f"prompt {generation} {place}",
                                int(random.integers(2**31)),
                                "painter",
                                PIXEL + random.bytes(8),
                                64,
                                32,
                                False,
                                (0.1, 0.2, 0.3),
                                4,
                                "scorer",
                                np.ones(2, dtype=np.float32),
                            )
                            for _ in range(4)
                        ]
                    )
                    similarity = random.random((3, 4)).astype(np.float32)
                    store.save_evaluation(
                        candidate,
                        NewEvaluation(
                            images=images,
                            variations=[f"variation {place} {row}" for row in range(3)],
                            similarity=similarity,
                            scores={"information": float(random.random())},
                            score_name="information",
                            coverage=similarity.max(axis=1),
                            alignment=similarity.max(axis=0),
                            missed=[0],
                        ),
                    )
    return directory, session


@pytest.fixture
def reader(mined: tuple[Path, str]) -> Reader:
    return open_reader(mined[0])


@pytest.mark.parametrize("generation", [1, 2])
def test_the_best_image_of_each_is_the_evidences(
    mined: tuple[Path, str], reader: Reader, generation: int
) -> None:
    shown = reader.best_images(mined[1], generation)
    assert [one.candidate.score for one in shown] == sorted(one.candidate.score or 0 for one in shown)
    scored = {one.id for one in reader.candidates(mined[1], generation) if one.state == "scored"}
    assert {one.candidate.id for one in shown} == scored
    for one in shown:
        found = reader.candidate(one.candidate.id)
        assert found.candidate == one.candidate
        measured = found.evaluation
        assert measured is not None
        best = max(range(4), key=lambda place: measured.images[place].alignment)
        assert (one.draw, one.draws, one.image) == (best, 4, measured.images[best])
        closest = int(measured.similarity[:, best].argmax())
        assert one.closest == measured.variations[closest].text


def test_no_more_than_asked_for(mined: tuple[Path, str], reader: Reader) -> None:
    assert reader.best_images(mined[1], 1, 2) == reader.best_images(mined[1], 1)[:2]
    assert reader.best_images(mined[1], 9) == ()
    assert reader.best_images("nothing", 1) == ()


def test_which_generations_have_scores(mined: tuple[Path, str], reader: Reader) -> None:
    assert reader.scored_generations(mined[1]) == (1, 2, 2)
    assert reader.scored_generations("\ud83d") is None
    empty = next(one for one in reader.sessions() if one.name == "b")
    assert reader.scored_generations(empty.id) is None
