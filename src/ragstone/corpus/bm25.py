"""BM25F over the postings of several segments, as a search for the best `k` rows.

Scores are BM25 over weighted fields ("simple BM25F": Robertson, Zaragoza and Taylor 2004; Robertson
and Zaragoza 2009, section 3.6): with all weights 1 it is plain BM25 of the fields written one after
the other. Terms are summed from the rarest to the commonest. Once the best `k` so far are further
ahead than all the terms left could bring, no new row can come in, and the long postings of common
terms are only asked for the rows that still may ("MaxScore": Turtle and Flood 1995).

Laws: scores depend only on the rows that are alive, never on how rows are spread over segments nor
on rows that were removed or that a filter hides, because document frequencies and lengths are
counted over the alive rows; and leaving rows out early changes neither the best `k` nor a bit of
their scores.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ragstone.corpus.postings import FIELDS, Bools, Postings

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

_SLACK = 1e-5  # what single precision may have got wrong in a sum, relative
_DENSE = 8  # postings for each row looked up in them: with fewer, going through all is faster


@dataclass(frozen=True, slots=True)
class Bm25:
    """Parameters of the score. Weights multiply occurrences and lengths of a field."""

    k1: float = 1.2
    b: float = 0.75
    body: float = 1.0
    headings: float = 1.0
    title: float = 1.0

    @property
    def weights(self) -> tuple[float, float, float]:
        return (self.body, self.headings, self.title)


@dataclass(frozen=True, slots=True)
class LexicalPart:
    """One segment as a query sees it: its postings, and which of its rows there are.

    Rows that are not `alive` (removed, of another version, hidden by a filter) count for nothing
    and are never found. Where one side is far smaller, its rows are listed too, ascending.
    """

    postings: Postings
    alive: Bools | None  # None: all
    living: Ints | None = None
    dead: Ints | None = None

    @classmethod
    def of(cls, postings: Postings, alive: Bools | None = None) -> LexicalPart:
        """List the smaller side: once for all questions that see these rows."""
        if alive is None:
            return cls(postings, None)
        count = int(np.count_nonzero(alive))
        if count * _DENSE <= len(alive):
            return cls(postings, alive, living=np.flatnonzero(alive))
        if (len(alive) - count) * _DENSE <= len(alive):
            return cls(postings, alive, dead=np.flatnonzero(~alive))
        return cls(postings, alive)

    def count(self, start: int, end: int) -> int:
        """How many of a term's postings are of rows that are alive."""
        if self.alive is None:
            return end - start
        rows = self.postings.rows_of(start, end)
        listed = self.dead if self.living is None else self.living
        if listed is None or len(listed) * _DENSE > len(rows):
            return int(np.count_nonzero(self.alive.take(rows)))
        common = len(_places(rows, listed)[0])
        return common if self.living is not None else end - start - common


@dataclass(frozen=True, slots=True)
class LexicalStatistics:
    """Counts over the alive rows: how many, and the sum of lengths by field."""

    rows: int
    lengths: tuple[int, int, int]

    @classmethod
    def of(cls, parts: Sequence[LexicalPart]) -> LexicalStatistics:
        """Count them: once for a snapshot."""
        rows = 0
        sums = np.zeros(len(FIELDS), dtype=np.int64)
        for part in parts:
            lengths = part.postings.lengths
            if part.living is not None:
                lengths = lengths[part.living]
            elif part.alive is not None and part.dead is None:
                lengths = lengths[part.alive]
            rows += len(lengths)
            sums += lengths.sum(axis=0, dtype=np.int64)
            if part.dead is not None:
                rows -= len(part.dead)
                sums -= lengths[part.dead].sum(axis=0, dtype=np.int64)
        return cls(rows, (int(sums[0]), int(sums[1]), int(sums[2])))


def length_norms(
    parts: Sequence[LexicalPart], statistics: LexicalStatistics, parameters: Bm25
) -> list[Floats]:
    """k1 (1 - b + b length / average length) by row for each part: once for a snapshot."""
    body, headings, title = parameters.weights
    total = sum(w * n for w, n in zip(parameters.weights, statistics.lengths, strict=True))
    average = total / statistics.rows if statistics.rows and total else 1.0
    norms = []
    for part in parts:
        lengths = part.postings.lengths.astype(np.float32)
        length = lengths[:, 0] * body + lengths[:, 1] * headings + lengths[:, 2] * title
        norms.append(parameters.k1 * (1.0 - parameters.b + parameters.b / average * length))
    return norms


@dataclass(frozen=True, slots=True)
class _Term:
    """A term of the question: the most that it can add to a score, and its postings by part."""

    weight: float
    text: str
    spans: tuple[tuple[int, int] | None, ...]

    @property
    def postings(self) -> int:
        return sum(span[1] - span[0] for span in self.spans if span)


def bm25_best(
    parts: Sequence[LexicalPart],
    statistics: LexicalStatistics,
    norms: Sequence[Floats],
    terms: Mapping[str, int],
    parameters: Bm25,
    k: int,
) -> list[tuple[Ints, Floats]]:
    """Rows (ascending) and scores for each part: among them the best `k` of all, and what ties.

    idf = ln(1 + (N - n + 0.5) / (n + 0.5)), as Lucene writes it; a term asked twice counts twice.
    Rows that are not alive, or match nothing, are never given.
    """
    asked = _asked(parts, statistics, terms, parameters)
    counters = [
        _Counter(part, norm, parameters.weights) for part, norm in zip(parts, norms, strict=True)
    ]
    rest = sum(term.weight for term in asked)
    postings = sum(term.postings for term in asked)
    least = 0.0  # the k-th best score so far, or less
    for term in asked:
        if least > rest * (1.0 + _SLACK):
            for counter in counters:
                counter.narrow(least * (1.0 - _SLACK) - rest * (1.0 + _SLACK))
        found = [
            counter.add(np.float32(term.weight), span)
            for counter, span in zip(counters, term.spans, strict=True)
            if span
        ]
        rest -= term.weight
        postings -= term.postings
        if k < 1 or postings <= term.postings:
            continue  # what is left is cheaper than looking whether it can be saved
        scores = found[0] if len(found) == 1 else np.concatenate(found)
        scores = scores[scores > least]
        if len(scores) >= k:
            least = max(least, float(np.partition(scores, len(scores) - k)[len(scores) - k]))
    return [counter.result() for counter in counters]


def _asked(
    parts: Sequence[LexicalPart],
    statistics: LexicalStatistics,
    terms: Mapping[str, int],
    parameters: Bm25,
) -> list[_Term]:
    """The terms that occur, in a fixed order, those that can add most first.

    A fixed order of summing, and no operation whose rounding depends on a row's place: equal rows
    get equal scores, bit by bit, however they are spread over segments.
    """
    found = []
    for term, times in terms.items():
        spans = tuple(part.postings.find(term) for part in parts)
        frequency = sum(part.count(*span) for part, span in zip(parts, spans, strict=True) if span)
        if frequency:
            idf = float(np.log1p((statistics.rows - frequency + 0.5) / (frequency + 0.5)))
            found.append(_Term(idf * times * (parameters.k1 + 1.0), term, spans))
    return sorted(found, key=lambda term: (-term.weight, term.text))


def _places(many: npt.NDArray[np.integer], few: npt.NDArray[np.integer]) -> tuple[Ints, Ints]:
    """Of two ascending arrays without repetition: where in each of them the common values are."""
    found = np.searchsorted(many, few.astype(many.dtype, copy=False))
    np.minimum(found, len(many) - 1, out=found)
    here = np.flatnonzero(many[found] == few)
    return found[here], here


class _Counter:
    """The scores of one part's rows while terms are added."""

    def __init__(
        self, part: LexicalPart, norms: Floats, weights: tuple[float, float, float]
    ) -> None:
        self._postings = part.postings
        self._norms = norms
        self._weights = weights
        rows = len(part.postings.lengths)
        self._rows = part.living  # those that may still be found; None: all
        self._scores = np.zeros(rows, dtype=np.float32)
        if part.dead is not None:
            self._scores[part.dead] = -np.inf
        elif part.alive is not None and part.living is None:
            self._scores[~part.alive] = -np.inf

    def narrow(self, least: float) -> None:
        """Let go of all rows whose score is less: they cannot come back."""
        if self._rows is None:
            self._rows = np.flatnonzero(self._scores >= least)
        else:
            self._rows = self._rows[self._scores[self._rows] >= least]

    def add(self, weight: np.float32, span: tuple[int, int]) -> Floats:
        """Add a term's part to the scores of its rows; gives those that may still be found.

        Some of these may be left out; a row that is not alive has -inf.
        """
        start, end = span
        found = self._postings.rows_of(start, end)
        counts = self._postings.counts
        few = self._rows is not None and len(self._rows) * _DENSE < len(found)
        if few and self._rows is not None:
            places, here = _places(found, self._rows)
            rows = self._rows[here]
            places += start
            columns = [counts[:, field].take(places) for field in range(len(FIELDS))]
        else:
            rows = found.astype(np.int64)
            columns = [counts[start:end, field] for field in range(len(FIELDS))]
        tf = np.zeros(0, np.float32)
        for field, (column, factor) in enumerate(zip(columns, self._weights, strict=True)):
            times = column.astype(np.float32)
            if factor != 1.0:
                times *= np.float32(factor)
            tf = times if field == 0 else np.add(tf, times, out=tf)
        norms = self._norms.take(rows)
        norms += tf
        tf *= weight
        tf /= norms
        scores = self._scores.take(rows)
        scores += tf
        self._scores[rows] = scores
        return scores if few or self._rows is None else scores[:0]

    def result(self) -> tuple[Ints, Floats]:
        """The rows that were found, ascending, and their scores."""
        if self._rows is None:
            rows = np.flatnonzero(self._scores > 0)
            return rows, self._scores[rows]
        scores = self._scores[self._rows]
        return self._rows[scores > 0], scores[scores > 0]
