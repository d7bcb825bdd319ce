"""What a family of pictures promises: one scene, few differences, captions that are true of what they are said of."""

from __future__ import annotations

import numpy as np
import pytest

from engine.microworld.data import EVEN
from engine.microworld.families import SIZE, draw_families, mistakes
from engine.microworld.world import Meaning, attributes_of


def test_members_differ_in_what_varies_alone() -> None:
    families = draw_families(6, np.random.default_rng(3))
    for i, varied in enumerate(families.varied):
        members = families.pictures.shown[i * SIZE : (i + 1) * SIZE]
        for name, value in members[0].stated:
            if name not in varied:
                assert {m.values[name] for m in members} == {value}
        assert "subject" in varied or len({m.subject for m in members}) == 1
        assert len(set(members)) > 1


def test_a_caption_says_what_varies_and_is_true_of_its_picture() -> None:
    families = draw_families(6, np.random.default_rng(4))
    rows, captions = families.batch(4 * SIZE, np.random.default_rng(5))
    assert len(set(rows.tolist())) == len(rows) == len(captions) == 4 * SIZE
    shown = [families.pictures.shown[r] for r in rows]
    for row, picture, caption in zip(rows, shown, captions, strict=True):
        assert families.varied[row // SIZE] <= {"subject", *caption.values}
        assert picture.keeps(caption)
    assert not mistakes(captions, shown).diagonal().any()


def test_only_what_a_caption_says_wrongly_is_counted() -> None:
    tan = Meaning.of("doctor", {"skin": "tan", "gender": "female"})
    dark = Meaning.of("doctor", {"skin": "dark", "gender": "female"})
    said = [
        Meaning.of("doctor", {"gender": "female"}),
        Meaning.of("doctor", {"skin": "dark", "gender": "male"}),
        Meaning("chef"),
    ]
    gender, skin, person = 2 / 1**0.5, 3 / 2**0.5, 12 / 11**0.5
    assert mistakes(said, [tan, dark]) == pytest.approx(
        np.array([[0, 0], [gender + skin, gender], [person, person]])
    )


@pytest.mark.parametrize("group", ["person", "animal", "object"])
def test_over_even_pictures_each_thing_tells_as_much_as_another(group: str) -> None:
    """The variance of the mistakes over captions and pictures is the number of things that are said."""
    rng = np.random.default_rng(6)
    shown = [EVEN.complete(Meaning(group), rng) for _ in range(400)]
    things = 1 + len(attributes_of(group))
    assert mistakes(shown, shown).var() == pytest.approx(things, rel=0.1)
