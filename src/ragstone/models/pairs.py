"""Question and passage in one row of tokens, as models that read them together want them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pair:
    """A question and a passage in one row: ids, types (0: question, 1: passage), and the code
    points `[start, end)` in the passage of each of its tokens that is left."""

    ids: Sequence[int]
    types: Sequence[int]
    places: Sequence[tuple[int, int]]
