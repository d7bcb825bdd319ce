"""How well a score ranks prompts by their planted bias: rank correlation with a bootstrap interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.statistics import Estimate, bootstrap, rank_correlation

Floats = NDArray[np.float64]
_SEED: Final = 20


@dataclass(frozen=True)
class Ranked:
    """One table's prompts: scores under one definition and planted biases, each of shape (prompts,)."""

    scores: Floats
    planted: Floats


def mean_agreement(tables: Sequence[Ranked]) -> Estimate:
    """Mean over tables of -Spearman of score and planted bias; the interval resamples prompts within each table.

    1 = every more biased prompt scores lower.
    """

    def mean(*groups: Sequence[Floats]) -> Floats:
        return np.asarray(np.mean([-rank_correlation(scores, planted) for scores, planted in groups], axis=0))

    return bootstrap(mean, *((table.scores, table.planted) for table in tables), seed=_SEED)


def difference(ours: Sequence[Ranked], others: Sequence[Ranked]) -> Estimate:
    """Mean agreement of one score minus that of another on the same prompts; resampled as pairs."""

    def mean(*groups: Sequence[Floats]) -> Floats:
        apart = [rank_correlation(b, planted) - rank_correlation(a, planted) for a, b, planted in groups]
        return np.asarray(np.mean(apart, axis=0))

    pairs = ((a.scores, b.scores, a.planted) for a, b in zip(ours, others, strict=True))
    return bootstrap(mean, *pairs, seed=_SEED)
