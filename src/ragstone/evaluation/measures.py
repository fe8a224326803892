"""Measures of a ranking as values with the literature's names: `nDCG@10`, `Recall@5`, `MAP`.

Each equals its namesake of trec_eval (as `ir_measures` calls it), checked by a test. A gain of
1 or more is relevant; a document that was not judged has gain 0; a query without results
counts 0. Law: every value lies in [0, 1].
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ragstone.errors import UsageError

Gains = Mapping[str, int]
_Formula = Callable[[Sequence[str], Gains], float]


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure by name, over the first `cutoff` results (None: all that were retrieved)."""

    name: str
    cutoff: int | None = None

    def __str__(self) -> str:
        return self.name if self.cutoff is None else f"{self.name}@{self.cutoff}"

    def __matmul__(self, cutoff: int) -> Measure:
        """`nDCG @ 10`, as `ir_measures` writes it."""
        return Measure(self.name, cutoff)

    def of(self, ranking: Sequence[str], gains: Gains) -> float:
        """The value for one query: distinct document ids, best first, against the judgements.

        0 where nothing is relevant: leave such queries out of an average.
        """
        relevant = {document: gain for document, gain in gains.items() if gain > 0}
        if not relevant:
            return 0.0
        return _FORMULAS[self.name](ranking[: self.cutoff], self._ideal(relevant))

    def _ideal(self, relevant: Gains) -> Gains:
        return _Cut(relevant, self.cutoff) if self.name == "nDCG" else relevant


class _Cut(dict[str, int]):
    """Gains that know to what length the ideal ranking is cut."""

    def __init__(self, gains: Gains, cutoff: int | None) -> None:
        super().__init__(gains)
        self.cutoff = cutoff


def parse_measure(text: str) -> Measure:
    """`"nDCG@10"` as a Measure. Raises UsageError for an unknown name or cutoff."""
    match = re.fullmatch(r"\s*([A-Za-z][A-Za-z-]*)(?:@(\d+))?\s*", text)
    if match is not None:
        name = _NAMES.get(match.group(1).lower())
        cutoff = int(match.group(2)) if match.group(2) else None
        if name is not None and cutoff != 0:
            return Measure(name, cutoff)
    raise UsageError(
        f"There is no measure {text!r}.",
        remedy=f"Known: {', '.join(_FORMULAS)}, each with @k for a cutoff from 1.",
    )


def _ndcg(ranking: Sequence[str], gains: Gains) -> float:
    """Järvelin and Kekäläinen (TOIS 2002), with linear gain and log2(rank + 1)."""
    cutoff = gains.cutoff if isinstance(gains, _Cut) else None
    found = sum(gains.get(d, 0) / math.log2(r + 1) for r, d in enumerate(ranking, start=1))
    best = sorted(gains.values(), reverse=True)[:cutoff]
    return found / sum(gain / math.log2(rank + 1) for rank, gain in enumerate(best, start=1))


def _recall(ranking: Sequence[str], gains: Gains) -> float:
    return sum(document in gains for document in ranking) / len(gains)


def _reciprocal_rank(ranking: Sequence[str], gains: Gains) -> float:
    for rank, document in enumerate(ranking, start=1):
        if document in gains:
            return 1.0 / rank
    return 0.0


def _average_precision(ranking: Sequence[str], gains: Gains) -> float:
    found = 0
    total = 0.0
    for rank, document in enumerate(ranking, start=1):
        if document in gains:
            found += 1
            total += found / rank
    return total / len(gains)


def _success(ranking: Sequence[str], gains: Gains) -> float:
    return float(any(document in gains for document in ranking))


def _all_gold(ranking: Sequence[str], gains: Gains) -> float:
    """1 where every relevant document is there: what a two-hop question needs."""
    return float(gains.keys() <= set(ranking))


_FORMULAS: Mapping[str, _Formula] = {
    "nDCG": _ndcg,
    "Recall": _recall,
    "MRR": _reciprocal_rank,
    "MAP": _average_precision,
    "Success": _success,
    "all-gold": _all_gold,
}
_NAMES = {name.lower(): name for name in _FORMULAS} | {"r": "Recall", "rr": "MRR", "ap": "MAP"}

nDCG, Recall, MRR, MAP, Success, AllGold = (Measure(name) for name in _FORMULAS)  # noqa: N816
DEFAULT_MEASURES = (
    nDCG @ 10, nDCG @ 5, Recall @ 5, Recall @ 10, Recall @ 100, MRR @ 10, MAP, Success @ 5,
    AllGold @ 10,
)  # fmt: skip
