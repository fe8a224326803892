"""How far a mean over queries can be trusted: bootstrap intervals and paired tests.

Seeded, so that the same values give the same interval to the digit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

RESAMPLES = 2000
_BLOCK = 2_000_000  # values drawn at once


def bootstrap_interval(
    values: Sequence[float], *, level: float = 0.95, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[float, float]:
    """Percentile bootstrap of the mean (Efron 1979): the interval that holds `level` of the
    means of `resamples` samples drawn with replacement. (0, 0) without values.
    """
    if len(values) == 0:
        return (0.0, 0.0)
    means = _resampled_means(np.asarray(values, dtype=np.float64), resamples, seed)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return (float(low), float(high))


def randomisation_p(
    differences: Sequence[float], *, resamples: int = 10_000, seed: int = 0
) -> float:
    """Two-sided paired randomisation test (Smucker, Allan and Carterette, CIKM 2007).

    The share of random sign flips whose mean difference is at least as far from 0 as the one
    seen; with the seen one counted, so never 0. 1 without differences.
    """
    seen = np.asarray(differences, dtype=np.float64)
    seen = seen[seen != 0]
    if len(seen) == 0:
        return 1.0
    generator = np.random.default_rng(seed)
    target = abs(seen.sum()) * (1 - 1e-12)
    reached = 0
    left = resamples
    while left:
        count = min(left, max(1, _BLOCK // len(seen)))
        signs = generator.integers(0, 2, size=(count, len(seen))) * 2 - 1
        reached += int((np.abs(signs @ seen) >= target).sum())
        left -= count
    return (reached + 1) / (resamples + 1)


def _resampled_means(
    values: npt.NDArray[np.float64], resamples: int, seed: int
) -> npt.NDArray[np.float64]:
    generator = np.random.default_rng(seed)
    means = np.empty(resamples)
    block = max(1, _BLOCK // len(values))
    for start in range(0, resamples, block):
        count = min(block, resamples - start)
        picked = generator.integers(0, len(values), size=(count, len(values)))
        means[start : start + count] = values[picked].mean(axis=1)
    return means
