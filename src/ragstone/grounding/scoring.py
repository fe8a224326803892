"""Scorers of this room: small trained models over named features, evaluated in numpy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ragstone.grounding.relevance import FEATURES, LEXICAL, Matrix

# Until the trained scorer is read: set by hand on a handful of paragraphs.
_HAND = {
    "cosine": 4.0, "cosine_gap": 3.0, "coverage": 3.0, "coverage_gap": 2.0, "context_gap": 1.0,
    "answer_kind": 0.8, "answer_near": 0.8, "pairs": 1.0, "quoted": 0.5, "rank": 1.0,
}  # fmt: skip


def by_words(matrix: Matrix) -> npt.NDArray[np.float64]:
    """The probability that each candidate holds the answer, from lexical features."""
    return _hand(matrix, LEXICAL, -4.0)


def by_words_and_meaning(matrix: Matrix) -> npt.NDArray[np.float64]:
    """The same from all features."""
    return _hand(matrix, FEATURES, -6.5)


def _hand(matrix: Matrix, names: tuple[str, ...], bias: float) -> npt.NDArray[np.float64]:
    weights = np.array([_HAND.get(name, 0.0) for name in names])
    return np.asarray(1.0 / (1.0 + np.exp(-(matrix @ weights + bias))), dtype=np.float64)
