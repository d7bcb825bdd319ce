"""Pictures that differ in little, with captions that say so: what teaches a scorer to see small things.

In a batch of any pictures, subject, colour and place tell nearly all pairs apart, so nothing is gained by
looking at a face. A family shows one scene sixteen times and varies some of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.microworld.data import EVEN, Pictures, draw_all
from engine.microworld.world import ATTRIBUTES, GROUP_OF, GROUPS, SUBJECTS, Meaning, attributes_of

SIZE: Final = 16
"""Pictures of one family."""
PEOPLE: Final = 0.5
"""Share of families of people: they alone have the attributes that take up least of a picture."""
WEIGHTS: Final = MappingProxyType({"subject": 3.0, "skin": 2.0, "gender": 1.5})
"""How much likelier than another the subject or an attribute is to vary, where that is not 1."""
STATED: Final = (0.0, 0.3, 1.0)
"""How much of what does not vary a family's captions say: one of these, evenly."""
_KINDS: Final = tuple(len(attribute.values) for attribute in ATTRIBUTES.values())


@dataclass(frozen=True)
class Families:
    """Families one after the other, ``SIZE`` pictures each, and what varies in each."""

    pictures: Pictures
    varied: tuple[frozenset[str], ...]

    def batch(self, count: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], list[Meaning]]:
        """Choose ``count`` pictures of whole families: their rows, and what each one's caption says."""
        rows: list[int] = []
        captions: list[Meaning] = []
        for family in rng.choice(len(self.varied), count // SIZE, replace=False):
            stated = float(rng.choice(STATED))
            for row in range(family * SIZE, (family + 1) * SIZE):
                shown = self.pictures.shown[row]
                said = {n: v for n, v in shown.stated if n in self.varied[family] or rng.random() < stated}
                captions.append(Meaning.of(shown.subject, said))
                rows.append(row)
        return np.array(rows), captions


def draw_families(count: int, rng: np.random.Generator) -> Families:
    """Draw ``count`` families."""
    others = tuple(group for group in GROUPS if group != "person")
    shown: list[Meaning] = []
    varied: list[frozenset[str]] = []
    for _ in range(count):
        group = "person" if rng.random() < PEOPLE else str(rng.choice(others))
        names = ("subject", *attributes_of(group))
        weights = np.array([WEIGHTS.get(n, 1.0) for n in names])
        chosen = rng.choice(
            names, int(rng.integers(1, len(names) + 1)), replace=False, p=weights / weights.sum()
        )
        varied.append(frozenset(map(str, chosen)))
        scene = EVEN.complete(Meaning(group), rng)
        kept = {n: v for n, v in scene.stated if n not in varied[-1]}
        subject = group if "subject" in varied[-1] else scene.subject
        shown += [EVEN.complete(Meaning.of(subject, kept), rng) for _ in range(SIZE)]
    return Families(draw_all(shown, rng), tuple(varied))


def mistakes(captions: list[Meaning], shown: list[Meaning]) -> NDArray[np.float64]:
    """How much each caption says that each picture does not show; (captions, pictures), 0 = the caption is true.

    Of a thing that can be k things, two even pictures differ with probability 1 - 1/k. A wrong thing is counted
    in standard deviations of that, so that over even pictures each thing tells captions apart as much as another.
    """
    said = np.array([_code(m) for m in captions])
    seen = np.array([_code(m) for m in shown])
    wrong = (said[:, None] != seen[None]) & (said[:, None] >= 0)
    kinds = np.array([[len(GROUPS[GROUP_OF[m.subject]]), *_KINDS] for m in captions])
    return np.asarray(np.einsum("cpt,ct->cp", wrong, kinds / np.sqrt(kinds - 1)))


def _code(meaning: Meaning) -> list[int]:
    values = meaning.values
    return [SUBJECTS.index(meaning.subject)] + [
        ATTRIBUTES[n].values.index(values[n]) if n in values else -1 for n in ATTRIBUTES
    ]
