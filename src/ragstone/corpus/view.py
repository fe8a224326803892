"""What the indexes say of one version: its segments, the rows of it that are alive, the search.

A view is a pure function of the version and of the segments' files, so it is made once and shared
by all snapshots of that version, in any number of threads. Knows nothing of the truth: what must be
asked there (hidden states, languages, filters) is given to it.

Law: a search under a filter finds what a search would in a corpus that holds only the documents
that pass it, score for score: what the filter hides is as dead as what was removed.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Lock

import numpy as np
import numpy.typing as npt

from ragstone.corpus.bm25 import Bm25, LexicalPart, LexicalStatistics, bm25_best, length_norms
from ragstone.corpus.segments import LexicalSegment, query_terms
from ragstone.corpus.vectors import Bools, DenseIndex, DensePart, dense_scores, restore
from ragstone.errors import CorpusError, UsageError
from ragstone.protocols import Scored, Vectors

Ints = npt.NDArray[np.int64]
_FILTERS = 16  # filters remembered, each with a mask and a length for every row
_NONE = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Passing:
    """The documents that pass a filter: their states and the languages they are written in."""

    states: Ints
    languages: Sequence[str]


class _Rows:
    """Some of a version's rows, and what is counted over them alone, when it is first needed."""

    def __init__(
        self,
        lexical: Sequence[LexicalSegment],
        alive: Sequence[Bools | None],
        languages: Sequence[str],
        bm25: Bm25,
    ) -> None:
        """`alive` says by segment which rows; None means all."""
        self._lexical = lexical
        self.alive = alive
        self.languages = languages
        self._bm25 = bm25

    @cached_property
    def parts(self) -> list[LexicalPart]:
        return [
            LexicalPart.of(segment.postings, alive)
            for segment, alive in zip(self._lexical, self.alive, strict=True)
        ]

    @cached_property
    def statistics(self) -> tuple[LexicalStatistics, list[npt.NDArray[np.float32]]]:
        counted = LexicalStatistics.of(self.parts)
        return counted, length_norms(self.parts, counted, self._bm25)


class IndexView:
    """The segments of one version as they are searched. `dense[i]` has the rows of `lexical[i]`."""

    def __init__(
        self,
        lexical: Sequence[LexicalSegment],
        dense: Sequence[DenseIndex],
        *,
        hidden: Ints,
        languages: Sequence[str],
        bm25: Bm25,
    ) -> None:
        """`hidden` are document states that the version does not hold, `languages` those it has."""
        # A segment without a living row (a sync that is under way) costs a question nothing.
        living = [_alive(segment, hidden) for segment in lexical]
        kept = [at for at, alive in enumerate(living) if alive is None or alive.any()]
        self._lexical = [lexical[at] for at in kept]
        self._dense = [dense[at] for at in kept]
        self._every = _Rows(self._lexical, [living[at] for at in kept], languages, bm25)
        self._bm25 = bm25
        self._lock = Lock()
        self._filtered: OrderedDict[str, _Rows] = OrderedDict()

    @property
    def dim(self) -> int:
        """Dimensions of the vectors; 0 where there are none."""
        return self._dense[0].dim if self._dense else 0

    def holds(self, keys: Ints) -> Bools:
        """Which passages are in the indexes."""
        indexed = np.concatenate([s.keys for s in self._lexical] or [_NONE])
        return np.isin(keys, indexed)

    def _rows(self, expression: str | None, passing: Callable[[], Passing]) -> _Rows:
        """The rows of this version, or those of them that pass the filter."""
        if expression is None:
            return self._every
        with self._lock:
            rows = self._filtered.get(expression)
            if rows is not None:
                self._filtered.move_to_end(expression)
        if rows is None:
            found = passing()
            alive = [np.isin(segment.states, found.states) for segment in self._lexical]
            rows = _Rows(self._lexical, alive, found.languages, self._bm25)
            with self._lock:
                self._filtered[expression] = rows
                if len(self._filtered) > _FILTERS:
                    self._filtered.popitem(last=False)
        return rows

    def lexical(
        self,
        question: str,
        k: int,
        *,
        expression: str | None,
        passing: Callable[[], Passing],
        language: str,
    ) -> list[Scored]:
        """The best `k` passages by BM25F, best first; equal scores by key.

        `passing` gives the documents that pass the filter `expression`. A question without a
        `language` is asked in all languages of the documents that are searched, because each
        document's terms are stems of its own language.
        """
        rows = self._rows(expression, passing)
        terms: Counter[str] = Counter()
        for name in [language] if language else rows.languages:
            terms |= query_terms(question, name)
        statistics, norms = rows.statistics
        found = bm25_best(rows.parts, statistics, norms, terms, self._bm25, k)
        return self._best(found, k)

    def dense(
        self,
        vector: Vectors,
        k: int,
        *,
        expression: str | None,
        passing: Callable[[], Passing],
        exact: bool,
    ) -> list[Scored]:
        """The best `k` passages by cosine to `vector` of shape (dim,), best first."""
        if self._dense and vector.shape != (self.dim,):
            raise UsageError(
                f"The question's vector has the shape {vector.shape}; the corpus has {self.dim} "
                "dimensions.",
                remedy="Search with the encoder that the corpus was built with.",
            )
        alive = self._rows(expression, passing).alive
        parts = [DensePart(i, mask) for i, mask in zip(self._dense, alive, strict=True)]
        return self._best(dense_scores(parts, vector, k, exact=exact), k)

    def vectors(self, keys: Sequence[int]) -> Vectors:
        """Stored unit vectors in the order of `keys`, shape (len(keys), dim).

        Raises CorpusError for a key without one.
        """
        wanted = np.array(keys, dtype=np.int64)
        result = np.zeros((len(wanted), self.dim), dtype=np.float32)
        left = np.ones(len(wanted), dtype=np.bool_)
        for segment, index in zip(self._lexical, self._dense, strict=True):
            places = np.minimum(np.searchsorted(segment.keys, wanted), len(segment.keys) - 1)
            here = segment.keys[places] == wanted
            result[here] = restore(index.codes[places[here]], index.scales[places[here]])
            left &= ~here
        if left.any():
            raise CorpusError(
                f"The corpus has no vector for passage {wanted[left][0]}.",
                remedy="Search again; if it stays so, run `ragstone doctor`.",
            )
        return result

    def _best(self, found: Sequence[tuple[Ints, npt.NDArray[np.float32]]], k: int) -> list[Scored]:
        if not found or k < 1:
            return []
        scores = np.concatenate([part for _, part in found])
        keys = np.concatenate(
            [s.keys[rows] for s, (rows, _) in zip(self._lexical, found, strict=True)]
        )
        if len(scores) > k:
            least = np.partition(scores, len(scores) - k)[len(scores) - k]
            kept = np.flatnonzero(scores >= least)
            keys, scores = keys[kept], scores[kept]
        order = np.lexsort((keys, -scores))[:k]
        return list(map(Scored, keys[order].tolist(), scores[order].tolist()))


def _alive(segment: LexicalSegment, hidden: Ints) -> Bools | None:
    """Which rows are of no hidden state; None means all."""
    if len(hidden) and len(segment.states):
        low, high = segment.states.min(), segment.states.max()
        hidden = hidden[(hidden >= low) & (hidden <= high)]
    return ~np.isin(segment.states, hidden) if len(hidden) else None
