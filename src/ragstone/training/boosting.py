"""Boosted trees trained in numpy: binary log-loss, second-order (Chen and Guestrin 2016).

Trees are complete and of one depth, features are cut into at most 32 bins by quantile. Small
and plain on purpose: the models of this project have tens of features and at most a few
hundred thousand rows, and train in under a minute without another dependency.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ragstone.grounding.trees import Trees

Matrix = npt.NDArray[np.float32]
Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Boosting:
    """How to train. `rows` and `columns` are the shares drawn for each tree."""

    trees: int = 150
    depth: int = 4
    rate: float = 0.08
    ridge: float = 5.0
    least: float = 2.0  # hessian mass below which a side is not split off
    rows: float = 0.5
    columns: float = 0.6
    bins: int = 32
    seed: int = 0


def fit(
    matrix: Matrix,
    labels: Vector,
    names: Sequence[str],
    *,
    weights: Vector | None = None,
    how: Boosting | None = None,
) -> Trees:
    """Train on `matrix` (rows, features) with `labels` 0 or 1 and optional row weights."""
    how = how or Boosting()
    draw = np.random.default_rng(how.seed)
    weight = np.ones(len(labels)) if weights is None else weights
    cuts = [_cuts(matrix[:, column], how.bins) for column in range(matrix.shape[1])]
    binned = np.stack(
        [np.searchsorted(cut, matrix[:, column]) for column, cut in enumerate(cuts)], axis=1
    ).astype(np.int64)
    share = float((labels * weight).sum() / weight.sum())
    bias = float(np.log(share / (1.0 - share)))
    logits = np.full(len(labels), bias)
    inner, leaves = 2**how.depth - 1, 2**how.depth
    all_features = np.zeros((how.trees, inner), dtype=np.int16)
    all_thresholds = np.full((how.trees, inner), np.inf, dtype=np.float32)
    all_leaves = np.zeros((how.trees, leaves), dtype=np.float32)
    for tree in range(how.trees):
        guess = 1.0 / (1.0 + np.exp(-logits))
        slope = (guess - labels) * weight
        bend = np.maximum(guess * (1.0 - guess), 1e-6) * weight
        chosen = draw.random(len(labels)) < how.rows
        width = matrix.shape[1]
        columns = np.sort(draw.choice(width, max(1, int(width * how.columns)), replace=False))
        nodes = np.zeros(len(labels), dtype=np.int64)
        for level in range(how.depth):
            first = 2**level - 1
            best = _splits(binned, nodes, slope, bend, chosen, columns, how, level)
            for place, (column, cut) in enumerate(best):
                if column >= 0:
                    all_features[tree, first + place] = column
                    all_thresholds[tree, first + place] = cuts[column][cut]
            column_of = np.array([max(column, 0) for column, _ in best])
            cut_of = np.array([cut if column >= 0 else how.bins for column, cut in best])
            goes = binned[np.arange(len(nodes)), column_of[nodes]] > cut_of[nodes]
            nodes = 2 * nodes + goes
        total = np.bincount(nodes[chosen], slope[chosen], leaves)
        mass = np.bincount(nodes[chosen], bend[chosen], leaves)
        values = -how.rate * total / (mass + how.ridge)
        all_leaves[tree] = values
        logits += values[nodes]
    return Trees(tuple(names), all_features, all_thresholds, all_leaves, bias)


def save(trees: Trees, path: Path) -> None:
    """Write a model in the form that `ragstone.grounding.trees.shipped` reads."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        path,
        names=np.array(trees.names),
        features=trees.features,
        thresholds=trees.thresholds,
        leaves=trees.leaves,
        bias=np.float64(trees.bias),
    )


def _cuts(values: npt.NDArray[np.float32], bins: int) -> npt.NDArray[np.float32]:
    """Thresholds between quantiles of the distinct values; a value on a cut goes left."""
    distinct = np.unique(values)
    if len(distinct) <= bins:
        return np.asarray((distinct[1:] + distinct[:-1]) / 2, dtype=np.float32)
    quantiles = np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1])
    return np.unique(quantiles.astype(np.float32))


def _splits(
    binned: npt.NDArray[np.int64],
    nodes: npt.NDArray[np.int64],
    slope: Vector,
    bend: Vector,
    chosen: npt.NDArray[np.bool_],
    columns: npt.NDArray[np.int64],
    how: Boosting,
    level: int,
) -> list[tuple[int, int]]:
    """For each node of a level the best (column, cut), or (-1, 0) where none gains."""
    count = 2**level
    rows = np.flatnonzero(chosen)
    base = nodes[rows] * how.bins
    gains = np.full((count, len(columns), how.bins), -np.inf)
    for place, column in enumerate(columns):
        key = base + binned[rows, column]
        left_slope = np.bincount(key, slope[rows], count * how.bins).reshape(count, how.bins)
        left_bend = np.bincount(key, bend[rows], count * how.bins).reshape(count, how.bins)
        left_slope, left_bend = left_slope.cumsum(axis=1), left_bend.cumsum(axis=1)
        total_slope, total_bend = left_slope[:, -1:], left_bend[:, -1:]
        right_slope, right_bend = total_slope - left_slope, total_bend - left_bend
        gain = (
            left_slope**2 / (left_bend + how.ridge)
            + right_slope**2 / (right_bend + how.ridge)
            - total_slope**2 / (total_bend + how.ridge)
        )
        gains[:, place] = np.where(
            (left_bend > how.least) & (right_bend > how.least), gain, -np.inf
        )
    found: list[tuple[int, int]] = []
    for node in range(count):
        place, cut = divmod(int(gains[node].argmax()), how.bins)
        good = gains[node, place, cut] > 1e-6
        found.append((int(columns[place]), int(cut)) if good else (-1, 0))
    return found
