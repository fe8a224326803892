"""The lexical side of a segment: an inverted index as arrays.

One posting is (row, occurrences in body, in headings, in title). Law: terms stand in the order of
their code points, each term's rows ascend. Knows nothing of scores (`bm25`) nor of how several
indexes become one (`joining`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ragstone.corpus.arrays import REMEDY, AnyArray, Arrays
from ragstone.errors import CorpusError

FIELDS = ("body", "headings", "title")
_MOST = 255  # occurrences of a term in one field of one passage that are counted

Bools = npt.NDArray[np.bool_]


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
        """The arrays `terms`, `term_ends`, `starts`, `rows`, `fields`, `lengths`."""
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
        "fields": np.ascontiguousarray(table.T),  # by field: scoring reads one field at a time
        "lengths": lengths,
    }


class Postings:
    """An inverted index read from a segment's file."""

    def __init__(self, arrays: Arrays) -> None:
        self._path = arrays.path
        self.release = arrays.release
        self._ends = arrays["term_ends"]
        self.starts = arrays["starts"].view(np.int64)  # of each term's postings, and the last's end
        self.rows = arrays["rows"]
        counts = arrays.arrays.get("fields")
        self.counts: npt.NDArray[np.uint8] = (  # shape (postings, fields); `counts`: until 0.1
            arrays["counts"] if counts is None else counts.T
        ).view(np.uint8)
        self.lengths = arrays["lengths"]
        self._text = arrays["terms"]

    @cached_property
    def _blob(self) -> bytes:
        return self._text.tobytes()

    def terms(self) -> list[str]:
        """All terms in order of their bytes' code points."""
        blob = self._blob
        return [blob[a:b].decode() for a, b in pairwise([0, *self._ends.tolist()])]

    def terms_between(self, start: int, stop: int) -> list[bytes]:
        """The terms from number `start` to `stop`, in UTF-8, in order."""
        if start >= stop:
            return []
        ends = self._ends[start:stop].tolist()
        begin = int(self._ends[start - 1]) if start else 0
        blob = self._text[begin : ends[-1]].tobytes()
        return [blob[a - begin : b - begin] for a, b in pairwise([begin, *ends])]

    def find(self, term: str) -> tuple[int, int] | None:
        """The half-open range of the term's postings, or none."""
        key = term.encode()
        low, high = 0, len(self._ends)
        ends, blob = self._ends, self._blob
        while low < high:
            middle = (low + high) // 2
            here = blob[int(ends[middle - 1]) if middle else 0 : int(ends[middle])]
            if here == key:
                return int(self.starts[middle]), int(self.starts[middle + 1])
            if here < key:
                low = middle + 1
            else:
                high = middle
        return None

    def rows_of(self, start: int, end: int) -> npt.NDArray[np.int32]:
        """The rows (ascending) of one term's postings. Raises CorpusError where they are none."""
        rows: npt.NDArray[np.int32] = self.rows[start:end].view(np.int32)
        if len(rows) and not 0 <= int(rows[0]) <= int(rows[-1]) < len(self.lengths):
            raise CorpusError(f"{self._path} names rows that do not exist.", remedy=REMEDY)
        return rows
