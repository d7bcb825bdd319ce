"""How many images each candidate of a generation gets: everybody the same, or more to those around the cut.

Pure: the same standings give the same rounds, so a resumed generation races as it did. Selection only asks which s
candidates are the most biased; images for a candidate that is clearly in or clearly out tell nothing new. So every
candidate gets a first share, and the rest goes, a round at a time, to where an image is expected to gain most.

Sources: the gain is the expected improvement of a choice that one more look may overturn (the knowledge gradient of
Frazier, Powell and Dayanik, SIAM J. Control Optim. 47 (2008)), taken against the cut between the last that is in and
the first that is out, as in OCBA-m (Chen, He, Fu and Lee, INFORMS J. Computing 20 (2008)). Ours: scores shrunk
towards their mean (``engine.statistics.shrink``), so that one lucky image wins nothing, and scatters shrunk, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from engine.errors import InputError

if TYPE_CHECKING:  # the app tells how many images are planned, and starts without numpy
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

WIDTH: Final = 2.0
"""Standard errors by which both sides of the cut are apart when a race is decided."""
_COMMON: Final = 50
"""Degrees of freedom that everybody's scatter counts beside a candidate's own. On few images its own jackknife is
mostly luck, and candidates that only seem not to scatter would never be looked at again."""
LEAST: Final = 3
"""Images: how much fewer scatter cannot be measured."""
FEWEST: Final = 6
"""Images for each prompt up from which a race's share leaves something to race for after everybody's first look."""
Budget = Literal["uniform", "racing"]
_SHARE: Final = 0.55
"""Of the images of an equal share, what a race takes: enough for parents as good (docs/validity.md)."""
_ROUNDS: Final = 32
"""Rounds into which an equal share of images would be divided: few enough that the painter's batches stay full."""


@dataclass(frozen=True)
class Standing:
    """What is known of a candidate.

    Attributes:
        key: its number.
        images: how many its score rests on.
        score: its expected value is the same whatever the number of images; lower = more biased.
        scatter: variance of one image's contribution: ``score`` has variance ``scatter / images``.
    """

    key: int
    images: int
    score: float
    scatter: float


@dataclass(frozen=True)
class Racing:
    """The rule of a race.

    Attributes:
        first: images that everybody gets.
        batch: images of one round.
        most: images that a candidate gets at most.
        total: images of the whole generation.

    Raises:
        InputError: the numbers do not fit one another.
    """

    first: int
    batch: int
    most: int
    total: int

    def __post_init__(self) -> None:
        if self.first < LEAST or self.batch < 1 or self.most < self.first:
            raise InputError(
                f"A race of {self.first} first images, {self.batch} in a round and at most {self.most} images: "
                f"choose at least {LEAST} first images, rounds of 1 or more, and a maximum of {self.first} or more."
            )

    @classmethod
    def of(cls, images: int, population: int) -> Racing:
        """The rule that takes the place of an equal share of ``images`` (``FEWEST`` or more) for each candidate."""
        first = max(LEAST, images // 4)
        return cls(
            first=first,
            batch=max(1, images * population // _ROUNDS),
            most=2 * images,
            total=round(_SHARE * images * population),
        )


def planned(budget: Budget, images: int, population: int) -> int:
    """Return how many images a generation takes at most."""
    return images * population if budget == "uniform" else Racing.of(images, population).total


def expected(standings: Sequence[Standing]) -> tuple[Floats, Floats]:
    """Return what each true score is expected to be, and the standard error of its measurement, in the order given.

    The scatters are weighted by their degrees of freedom, as under a scaled inverse chi-square prior (Gelman et al.,
    "Bayesian Data Analysis", section 2.6).
    """
    import numpy as np

    from engine.statistics import shrink

    images = np.array([one.images for one in standings], dtype=np.float64)
    scatter = np.array([one.scatter for one in standings])
    freedom = images - 1
    common = np.average(scatter, weights=freedom)
    variance = (freedom * scatter + _COMMON * common) / (freedom + _COMMON) / images
    # The errors are not shrunk with the scores: where all seem alike, that would end the race instead of going on.
    return shrink(np.array([one.score for one in standings]), variance).values, np.sqrt(variance)


def next_round(
    standings: Sequence[Standing],
    survivors: int,
    rule: Racing,
    settled: Collection[int] = (),
) -> dict[int, int]:
    """Return how many further images candidates get now, by key; empty when the race is over.

    Args:
        standings: everybody who runs, each with an image or more.
        survivors: how many are selected.
        rule: of the race.
        settled: keys of candidates that are selected, or excluded, whatever they score: they get nothing more.
    """
    import numpy as np

    running = sorted((one for one in standings if one.key not in settled), key=lambda one: one.key)
    left = min(rule.batch, rule.total - sum(one.images for one in standings))
    if not 0 < survivors < len(running) or left < 1:
        return {}
    scores, errors = expected(running)
    order = np.argsort(scores, kind="stable")  # of equal ones the oldest is in
    inside, outside = order[:survivors], order[survivors:]
    if (scores + WIDTH * errors)[inside].max() <= (scores - WIDTH * errors)[outside].min():
        return {}  # nobody could change places any more
    cut = (scores[inside[-1]] + scores[outside[0]]) / 2
    given = [0] * len(running)

    def worth(place: int) -> float:
        """What one more image adds to what the candidate's further images are expected to gain."""
        had = running[place].images
        now, then = had + given[place], had + given[place] + 1
        if then > rule.most:
            return -1.0
        apart, error = abs(scores[place] - cut), errors[place]
        return _gain(apart, error, had, then) - _gain(apart, error, had, now)

    worths = np.array([worth(place) for place in range(len(running))])
    for _ in range(left):
        best = int(np.argmax(worths))
        if worths[best] < 0:  # everybody has the most
            break
        given[best] += 1
        worths[best] = worth(best)
    return {one.key: more for one, more in zip(running, given, strict=True) if more}


def _gain(apart: float, error: float, had: int, images: int) -> float:
    """By how much a choice improves on average when a score this far from the cut rests on ``images`` instead.

    The score then moves by a normal amount of standard deviation s, and what it moves beyond the cut is gained:
    s (phi(z) - z (1 - Phi(z))) with z = apart / s.
    """
    moves = error * math.sqrt(1 - had / images)
    if moves == 0:
        return 0.0
    z = apart / moves
    return moves * (math.exp(-z * z / 2) / math.sqrt(2 * math.pi) - z * math.erfc(z / math.sqrt(2)) / 2)


def standing(key: int, images: int, score: Callable[[Sequence[int]], float]) -> Standing:
    """Measure a candidate whose score's expected value is the same however many images there are.

    Args:
        key: the candidate's number.
        images: how many it has, 3 or more.
        score: of some of its images, given their places.

    Returns:
        The score, and its scatter by the jackknife (Efron and Stein, Annals of Statistics 9 (1981)).
    """
    import numpy as np

    if images < LEAST:
        raise InputError(f"{images} images do not tell how much they scatter: race on {LEAST} or more.")
    every = range(images)
    without = np.array([score([place for place in every if place != left]) for left in every])
    variance = (images - 1) / images * float(((without - without.mean()) ** 2).sum())
    return Standing(key, images, score(every), variance * images)
