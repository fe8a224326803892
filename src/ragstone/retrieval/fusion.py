"""Several scored lists into one, as pure functions over `{passage key: score}`.

Law: the result depends on the lists' contents and weights, never on the order of the lists or
of the items in them. Scores say more than ranks, so the default sums standard scores; the
others are here to be compared with and chosen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

Scores = Mapping[int, float]


def zscores(scores: Scores) -> dict[int, float]:
    """Standard scores, (score - mean) / deviation; all 0 where the scores do not differ."""
    if not scores:
        return {}
    values = np.array([scores[key] for key in sorted(scores)], dtype=np.float64)
    mean, deviation = float(values.mean()), float(values.std())
    if deviation <= 1e-12 * max(1.0, abs(mean)):
        return dict.fromkeys(scores, 0.0)
    return {key: (score - mean) / deviation for key, score in scores.items()}


def relative_spread(scores: Scores, *, places: int) -> float:
    """Deviation of the scores divided by their mean, with 0 in those of `places` that are empty.

    The coefficient of variation, one of the measures by which a list's worth is told without
    judgements (Shtok et al., "Predicting query performance by query-drift estimation", TOIS
    2012, compare such). It is large where few passages stand out, 0 where all score alike.
    """
    values = np.zeros(max(places, len(scores)))
    values[: len(scores)] = sorted(scores.values())
    mean = float(values.mean())
    return float(values.std()) / mean if mean > 0 else 0.0


def zscore_sum(lists: Sequence[Scores], *, weights: Sequence[float] = ()) -> dict[int, float]:
    """Weighted sum of standard scores; what a list lacks counts as its lowest.

    Lee, "Analyses of multiple evidence combination" (1997) compares such normalisations.
    """
    normal = [zscores(scores) for scores in lists]
    floors = [min(scores.values(), default=0.0) for scores in normal]
    return _weighted_sum(normal, floors, _checked(weights, len(lists)))


def min_max_sum(
    lists: Sequence[Scores], *, floors: Sequence[float], weights: Sequence[float] = ()
) -> dict[int, float]:
    """Weighted sum of (score - floor) / (best - floor) with each list's theoretical floor.

    The floor is the least a score can be (0 for BM25, -1 for a cosine), which makes a weak best
    hit stay weak: Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval"
    (TOIS 2023). What a list lacks counts 0.
    """
    if len(floors) != len(lists):
        raise ValueError(f"{len(lists)} lists need as many floors, got {len(floors)}.")
    normal = []
    for scores, floor in zip(lists, floors, strict=True):
        width = max(scores.values(), default=floor) - floor
        normal.append(
            {key: (score - floor) / width if width > 0 else 0.0 for key, score in scores.items()}
        )
    return _weighted_sum(normal, [0.0] * len(lists), _checked(weights, len(lists)))


def reciprocal_rank_sum(
    lists: Sequence[Scores], *, weights: Sequence[float] = (), constant: float = 60.0
) -> dict[int, float]:
    """Weighted sum of 1 / (constant + rank), equal scores sharing their mean rank.

    Cormack, Clarke and Buettcher, "Reciprocal Rank Fusion" (SIGIR 2009).
    """
    normal = []
    for scores in lists:
        values = sorted(scores.values(), reverse=True)
        first = {value: rank for rank, value in reversed(list(enumerate(values, start=1)))}
        last = {value: rank for rank, value in enumerate(values, start=1)}
        normal.append(
            {
                key: 1.0 / (constant + (first[score] + last[score]) / 2)
                for key, score in scores.items()
            }
        )
    return _weighted_sum(normal, [0.0] * len(lists), _checked(weights, len(lists)))


def ranked(scores: Scores) -> list[int]:
    """Keys, best first; equal scores by key, so that a ranking is reproducible."""
    return sorted(scores, key=lambda key: (-scores[key], key))


def _weighted_sum(
    lists: Sequence[Scores], floors: Sequence[float], weights: Sequence[float]
) -> dict[int, float]:
    totals: dict[int, list[float]] = {key: [] for scores in lists for key in scores}
    for scores, floor, weight in zip(lists, floors, weights, strict=True):
        for key, parts in totals.items():
            parts.append(weight * scores.get(key, floor))
    # Summed in sorted order: floating-point addition must not see which list came first.
    return {key: sum(sorted(parts)) for key, parts in totals.items()}


def _checked(weights: Sequence[float], count: int) -> Sequence[float]:
    if weights and len(weights) != count:
        raise ValueError(f"{count} lists need as many weights, got {len(weights)}.")
    return weights or [1.0] * count
