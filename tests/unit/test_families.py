"""What a family of pictures promises: one scene, few differences, captions that are true of what they are said of."""

from __future__ import annotations

import numpy as np

from engine.microworld.families import SIZE, draw_families, wrong
from engine.microworld.world import Meaning


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
    assert not wrong(captions, shown).diagonal().any()


def test_what_is_wrong_with_a_caption_is_counted() -> None:
    tan = Meaning.of("doctor", {"skin": "tan", "gender": "female"})
    dark = Meaning.of("doctor", {"skin": "dark", "gender": "female"})
    said = [
        Meaning.of("doctor", {"gender": "female"}),
        Meaning.of("doctor", {"skin": "dark", "gender": "male"}),
        Meaning("chef"),
    ]
    assert wrong(said, [tan, dark]).tolist() == [[0, 0], [2, 1], [1, 1]]
