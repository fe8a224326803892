"""What the indexes say of one version: its segments, the rows of it that are alive, the search.

A view is a pure function of the version and of the segments' files, so it is made once and shared
by all snapshots of that version, in any number of threads. Knows nothing of the truth: what must be
asked there (hidden states, languages, filters) is given to it.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
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
_MASKS = 16  # filters remembered
_NONE = np.zeros(0, np.int64)


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
        self._alive = [living[at] for at in kept]
        self._languages = languages
        self._bm25 = bm25
        self._lock = Lock()
        self._masks: OrderedDict[str, list[Bools | None]] = OrderedDict()

    @property
    def dim(self) -> int:
        """Dimensions of the vectors; 0 where there are none."""
        return self._dense[0].dim if self._dense else 0

    def holds(self, keys: Ints) -> Bools:
        """Which passages are in the indexes."""
        indexed = np.concatenate([s.keys for s in self._lexical] or [_NONE])
        return np.isin(keys, indexed)

    @cached_property
    def _parts(self) -> list[LexicalPart]:
        return [
            LexicalPart(segment.postings, _NONE if alive is None else np.flatnonzero(~alive))
            for segment, alive in zip(self._lexical, self._alive, strict=True)
        ]

    @cached_property
    def _statistics(self) -> tuple[LexicalStatistics, list[npt.NDArray[np.float32]]]:
        statistics = LexicalStatistics.of(self._parts)
        return statistics, length_norms(self._parts, statistics, self._bm25)

    def _wanted(self, expression: str | None, states: Callable[[], Ints]) -> Sequence[Bools | None]:
        """Per segment the rows of this version that pass the filter; None means all."""
        if expression is None:
            return self._alive
        with self._lock:
            masks = self._masks.get(expression)
        if masks is None:
            passing = states()
            masks = [np.isin(segment.states, passing) for segment in self._lexical]
            with self._lock:
                self._masks[expression] = masks
                if len(self._masks) > _MASKS:
                    self._masks.popitem(last=False)
        return masks

    def lexical(
        self,
        question: str,
        k: int,
        *,
        expression: str | None,
        states: Callable[[], Ints],
        language: str,
    ) -> list[Scored]:
        """The best `k` passages by BM25F, best first; equal scores by key.

        `states` gives the document states that pass the filter `expression`. A question without a
        `language` is asked in all languages of the version's documents, because each document's
        terms are stems of its own language.
        """
        statistics, norms = self._statistics
        parts: Sequence[LexicalPart] = self._parts
        if expression is not None:
            wanted = self._wanted(expression, states)
            parts = [
                LexicalPart(part.postings, part.dead, mask)
                for part, mask in zip(parts, wanted, strict=True)
            ]
        terms: Counter[str] = Counter()
        for name in [language] if language else self._languages:
            terms |= query_terms(question, name)
        found = bm25_best(parts, statistics, norms, terms, self._bm25, k)
        return self._best(found, k)

    def dense(
        self,
        vector: Vectors,
        k: int,
        *,
        expression: str | None,
        states: Callable[[], Ints],
        exact: bool,
    ) -> list[Scored]:
        """The best `k` passages by cosine to `vector` of shape (dim,), best first."""
        if self._dense and vector.shape != (self.dim,):
            raise UsageError(
                f"The question's vector has the shape {vector.shape}; the corpus has {self.dim} "
                "dimensions.",
                remedy="Search with the encoder that the corpus was built with.",
            )
        wanted = self._wanted(expression, states)
        parts = [DensePart(i, mask) for i, mask in zip(self._dense, wanted, strict=True)]
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
