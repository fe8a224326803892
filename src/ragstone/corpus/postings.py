"""The lexical side of a segment: an inverted index as arrays, and BM25F over it.

One posting is (row, occurrences in body, in headings, in title). Scores are BM25 over weighted
fields ("simple BM25F": Robertson, Zaragoza and Taylor 2004; Robertson and Zaragoza 2009, section
3.6): with all weights 1 it is plain BM25 of the fields written one after the other. Law: scores
depend only on the rows that are alive, never on how rows are spread over segments nor on rows
that were removed, because document frequencies and lengths are counted over the alive rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ragstone.corpus.arrays import REMEDY, AnyArray, Arrays
from ragstone.errors import CorpusError

FIELDS = ("body", "headings", "title")
_MOST = 255  # occurrences of a term in one field of one passage that are counted

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]


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


class PostingsBuilder:
    """Collects the terms of rows in order, then gives the arrays of a segment."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._lengths: list[tuple[int, int, int]] = []
        self._pairs: list[list[npt.NDArray[np.int64]]] = [[], [], []]
        self._codes: tuple[list[int], list[int], list[int]] = ([], [], [])

    def add(self, body: Sequence[str], headings: Sequence[str], title: Sequence[str]) -> None:
        """Append the next row's terms by field."""
        row = len(self._lengths) << 32
        ids = self._ids
        for codes, terms in zip(self._codes, (body, headings, title), strict=True):
            codes.extend([row | ids.setdefault(term, len(ids)) for term in terms])
        self._lengths.append((len(body), len(headings), len(title)))
        if len(self._codes[0]) > 2_000_000:
            self._flush()

    def _flush(self) -> None:
        for pairs, codes in zip(self._pairs, self._codes, strict=True):
            pairs.append(np.array(codes, dtype=np.int64))
            codes.clear()

    def arrays(self) -> dict[str, AnyArray]:
        """The arrays `terms`, `term_ends`, `starts`, `rows`, `counts`, `lengths`."""
        self._flush()
        terms = sorted(self._ids)
        rank = np.empty(len(terms), dtype=np.int64)
        rank[[self._ids[term] for term in terms]] = np.arange(len(terms))
        uniques: list[npt.NDArray[np.int64]] = []
        counts: list[npt.NDArray[np.int64]] = []
        for pairs in self._pairs:
            codes = np.concatenate(pairs)
            unique, count = np.unique(
                (rank[codes & 0xFFFFFFFF] << 32) | (codes >> 32), return_counts=True
            )
            uniques.append(unique)
            counts.append(np.minimum(count, _MOST))
        merged = np.unique(np.concatenate(uniques))
        table = np.zeros((len(merged), len(FIELDS)), dtype=np.uint8)
        for column, (unique, count) in enumerate(zip(uniques, counts, strict=True)):
            table[np.searchsorted(merged, unique), column] = count
        lengths = np.array(self._lengths, dtype=np.uint32).reshape(-1, len(FIELDS))
        return _pack(terms, merged >> 32, (merged & 0xFFFFFFFF).astype(np.int32), table, lengths)


def _pack(
    terms: Sequence[str],
    term_of: npt.NDArray[np.int64] | npt.NDArray[np.int32],
    rows: npt.NDArray[np.int32],
    table: npt.NDArray[np.uint8],
    lengths: npt.NDArray[np.uint32],
) -> dict[str, AnyArray]:
    encoded = [term.encode() for term in terms]
    return {
        "terms": np.frombuffer(b"".join(encoded), dtype=np.uint8),
        "term_ends": np.cumsum([len(term) for term in encoded], dtype=np.int64),
        "starts": np.searchsorted(term_of, np.arange(len(terms) + 1)).astype(np.int64),
        "rows": rows,
        "counts": table,
        "lengths": lengths,
    }


class Postings:
    """An inverted index read from a segment's file."""

    def __init__(self, arrays: Arrays) -> None:
        self._path = arrays.path
        self._ends = arrays["term_ends"]
        self._starts = arrays["starts"]
        self.rows = arrays["rows"]
        self.counts: npt.NDArray[np.uint8] = arrays["counts"].view(np.uint8)
        self.lengths = arrays["lengths"]
        self._text = arrays["terms"]

    @cached_property
    def _blob(self) -> bytes:
        return self._text.tobytes()

    def terms(self) -> list[str]:
        """All terms in order of their bytes' code points."""
        blob = self._blob
        return [blob[a:b].decode() for a, b in pairwise([0, *self._ends.tolist()])]

    def find(self, term: str) -> tuple[int, int] | None:
        """The half-open range of the term's postings, or none."""
        key = term.encode()
        low, high = 0, len(self._ends)
        ends, blob = self._ends, self._blob
        while low < high:
            middle = (low + high) // 2
            here = blob[int(ends[middle - 1]) if middle else 0 : int(ends[middle])]
            if here == key:
                return int(self._starts[middle]), int(self._starts[middle + 1])
            if here < key:
                low = middle + 1
            else:
                high = middle
        return None

    def of(self, start: int, end: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
        """Rows (ascending) and counts by field of one term's postings."""
        rows: npt.NDArray[np.int32] = self.rows[start:end].view(np.int32)
        if len(rows) and not 0 <= int(rows[0]) <= int(rows[-1]) < len(self.lengths):
            raise CorpusError(f"{self._path} names rows that do not exist.", remedy=REMEDY)
        return rows, self.counts[start:end]


def merge_postings(parts: Sequence[tuple[Postings, Bools]]) -> dict[str, AnyArray]:
    """Join indexes into one, keeping of each the rows where its mask is true, in order."""
    names = [postings.terms() for postings, _ in parts]
    all_terms = sorted(set().union(*names))
    number = {term: at for at, term in enumerate(all_terms)}
    term_of, rows, table, lengths = [], [], [], []
    base = 0
    for (postings, keep), terms in zip(parts, names, strict=True):
        starts = postings._starts.astype(np.int64)
        places = np.array([number[term] for term in terms], dtype=np.int32)
        kept = keep[postings.rows]
        moved = np.cumsum(keep, dtype=np.int64) - 1 + base
        term_of.append(np.repeat(places, np.diff(starts))[kept])
        rows.append(moved[postings.rows[kept]].astype(np.int32))
        table.append(postings.counts[kept].view(np.uint8))
        lengths.append(postings.lengths[keep])
        base += int(keep.sum())
    joined = np.concatenate(term_of)
    order = np.argsort(joined, kind="stable")
    return _pack(
        all_terms,
        joined[order],
        np.concatenate(rows)[order],
        np.concatenate(table)[order],
        np.concatenate(lengths).view(np.uint32),
    )


@dataclass(frozen=True, slots=True)
class LexicalPart:
    """One segment as a query sees it: `alive` rows are of the snapshot, `wanted` pass the filter.

    `None` means all rows.
    """

    postings: Postings
    alive: Bools | None
    wanted: Bools | None


@dataclass(frozen=True, slots=True)
class LexicalStatistics:
    """Counts over the alive rows of a snapshot: how many, and the sum of lengths by field."""

    rows: int
    lengths: tuple[int, int, int]

    @classmethod
    def of(cls, parts: Sequence[LexicalPart]) -> LexicalStatistics:
        """Count them: once for a snapshot."""
        rows = 0
        sums = np.zeros(len(FIELDS), dtype=np.int64)
        for part in parts:
            lengths = part.postings.lengths
            alive = lengths if part.alive is None else lengths[part.alive]
            rows += len(alive)
            sums += alive.sum(axis=0, dtype=np.int64)
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


def bm25_scores(
    parts: Sequence[LexicalPart],
    statistics: LexicalStatistics,
    norms: Sequence[Floats],
    terms: Mapping[str, int],
    parameters: Bm25,
) -> list[Floats]:
    """Scores by row for each part; 0 where nothing matches or the row is not wanted.

    idf = ln(1 + (N - n + 0.5) / (n + 0.5)), as Lucene writes it; a term asked twice counts twice.
    """
    scores = [np.zeros(len(part.postings.lengths), dtype=np.float32) for part in parts]
    body, headings, title = parameters.weights
    found = []
    for term, times in terms.items():
        places = []
        frequency = 0
        for at, part in enumerate(parts):
            span = part.postings.find(term)
            if span is None:
                continue
            rows, counts = part.postings.of(*span)
            if part.alive is not None:
                live = part.alive[rows]
                rows, counts = rows[live], counts[live]
            frequency += len(rows)
            if part.wanted is not None:
                wanted = part.wanted[rows]
                rows, counts = rows[wanted], counts[wanted]
            places.append((at, rows, counts))
        if frequency:
            idf = float(np.log1p((statistics.rows - frequency + 0.5) / (frequency + 0.5)))
            found.append((idf * times * (parameters.k1 + 1.0), term, places))
    # A fixed order of summing, and no operation whose rounding depends on a row's place: equal
    # rows get equal scores, bit by bit, however they are spread over segments.
    for weight, _, places in sorted(found, key=lambda item: (-item[0], item[1])):
        for at, rows, counts in places:
            tf = counts[:, 0] * np.float32(body)
            tf += counts[:, 1] * np.float32(headings)
            tf += counts[:, 2] * np.float32(title)
            scores[at][rows] += np.float32(weight) * tf / (tf + norms[at][rows])
    return scores
