"""Boosted trees evaluated in numpy: the form in which this room's small trained models ship.

A model is a sum of complete binary trees of one depth over named features, with a logistic
link. Law: `probabilities` depends on nothing but the matrix and the arrays; a file whose
features are not the ones it is read for is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from ragstone.errors import ModelError

Floats = npt.NDArray[np.float32]
Whole = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Trees:
    """`features` and `thresholds` of shape (trees, 2**depth - 1) in heap order, `leaves` of
    shape (trees, 2**depth); a row goes right where its value exceeds the threshold."""

    names: tuple[str, ...]
    features: Whole
    thresholds: Floats
    leaves: Floats
    bias: float

    def logits(self, matrix: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Log-odds of each row; `matrix` has shape (rows, len(names))."""
        if matrix.shape[1] != len(self.names):
            raise ValueError(f"The model reads {len(self.names)} features, got {matrix.shape[1]}.")
        trees, inner = self.features.shape
        nodes = np.zeros((len(matrix), trees), dtype=np.int64)
        every = np.arange(trees)
        rows = np.arange(len(matrix))[:, None]
        for _ in range(inner.bit_length()):
            right = matrix[rows, self.features[every, nodes]] > self.thresholds[every, nodes]
            nodes = 2 * nodes + 1 + right
        return np.asarray(
            self.bias + self.leaves[every, nodes - inner].sum(axis=1, dtype=np.float64)
        )

    def probabilities(self, matrix: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """The probability of each row, shape (rows,)."""
        return np.asarray(1.0 / (1.0 + np.exp(-self.logits(matrix))))


def shipped(name: str, names: Sequence[str]) -> Trees:
    """Read a model that ships with the package, for exactly the features `names`.

    Raises ModelError if the file is missing or was trained for other features.
    """
    source = files("ragstone.grounding") / "weights" / f"{name}.npz"
    try:
        with source.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            trees = Trees(
                names=tuple(str(feature) for feature in arrays["names"]),
                features=arrays["features"].astype(np.int16),
                thresholds=arrays["thresholds"].astype(np.float32),
                leaves=arrays["leaves"].astype(np.float32),
                bias=float(arrays["bias"]),
            )
    except (OSError, KeyError, ValueError) as error:
        raise ModelError(
            f"The scorer {name!r} cannot be read: {error}", remedy="Reinstall ragstone."
        ) from error
    if trees.names != tuple(names):
        other = sorted(set(trees.names) ^ set(names))
        raise ModelError(
            f"The scorer {name!r} was trained for other features ({', '.join(other[:5])}).",
            remedy=f"Train it again: `python -m ragstone.training.{name}`.",
        )
    return trees
