"""The lexical side of a segment: an inverted index as arrays.

One posting is (row, occurrences in body, in headings, in title). Law: joining indexes gives what
indexing their rows together would, and holds a window of terms and some 100,000 postings in
memory, whatever the size of the indexes (and a few bytes for each row and term of the result).
Knows nothing of scores (`bm25`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ragstone.corpus.arrays import REMEDY, AnyArray, Arrays, ArraysFile
from ragstone.errors import CorpusError

FIELDS = ("body", "headings", "title")
_MOST = 255  # occurrences of a term in one field of one passage that are counted
WINDOW = 16_384  # terms of all indexes together that are compared at a time
_LEAST = 16  # terms of each index in a window, however many indexes there are
POSTINGS = 1 << 17  # of some terms that are sorted at a time

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


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


# --- joining


@dataclass(frozen=True, slots=True)
class _Part:
    """One index on its way into another: where its rows go."""

    postings: Postings
    keep: Bools | None  # None: every row
    base: int  # the rows that are kept of the indexes before it
    moved: npt.NDArray[np.int32] | None  # the new number of each kept row, where some are not

    def count(self) -> int:
        """How many postings are kept."""
        rows = self.postings.rows
        if self.keep is None:
            return len(rows)
        kept = 0
        for at in range(0, len(rows), POSTINGS):
            kept += int(np.count_nonzero(self.keep[rows[at : at + POSTINGS]]))
            self.postings.release()
        return kept

    def between(
        self, start: int, stop: int
    ) -> tuple[Bools | None, npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
        """Postings of the range that are kept: which, their new rows, their counts by field."""
        rows = self.postings.rows[start:stop].view(np.int32)
        counts = self.postings.counts[start:stop]
        if self.keep is None or self.moved is None:
            return None, rows + np.int32(self.base), np.array(counts)
        kept = self.keep[rows]
        return kept, self.moved[rows[kept]], counts[kept]


def join_postings(
    file: ArraysFile,
    parts: Sequence[tuple[Postings, Bools]],
    *,
    window: int = WINDOW,
    at_once: int = POSTINGS,
) -> None:
    """Write the arrays of `PostingsBuilder.arrays` for the masked rows of all indexes, in order."""
    held: list[_Part] = []
    base = 0
    for postings, keep in parts:
        count = int(np.count_nonzero(keep))
        whole = count == len(keep)
        moved = None if whole else (np.cumsum(keep, dtype=np.int32) - 1 + base).astype(np.int32)
        held.append(_Part(postings, None if whole else keep, base, moved))
        base += count
    file.reserve("lengths", np.uint32, (base, len(FIELDS)))
    for postings, keep in parts:
        for at in range(0, len(keep), POSTINGS):
            file.extend("lengths", postings.lengths[at : at + POSTINGS][keep[at : at + POSTINGS]])
    total = sum(part.count() for part in held)
    file.reserve("rows", np.int32, (total,))
    file.reserve("fields", np.uint8, (len(FIELDS), total), by_column=True)
    text = bytearray()
    lengths: list[npt.NDArray[np.int64]] = [np.zeros(0, np.int64)]
    counts: list[Ints] = [np.zeros(1, np.int64)]
    for terms, ranges in _windows([part.postings for part in held], window):
        text += b"".join(terms)
        lengths.append(np.fromiter(map(len, terms), np.int64, len(terms)))
        counts.append(_join_terms(file, held, len(terms), ranges, at_once))
    file.add("starts", np.cumsum(np.concatenate(counts)))
    file.add("term_ends", np.cumsum(np.concatenate(lengths)))
    file.add("terms", np.frombuffer(text, dtype=np.uint8))


@dataclass(frozen=True, slots=True)
class _Range:
    """Some neighbouring terms of one index: their first number, and what they are in a window."""

    first: int
    places: Ints  # ascending


def _windows(
    indexes: Sequence[Postings], window: int
) -> Iterator[tuple[list[bytes], list[_Range]]]:
    """The terms of all indexes, each once, in order: a window of them at a time.

    Every index shows as large a share of its terms; what lies behind the least of their last ones
    waits for the next window.
    """
    counts = [len(index.starts) - 1 for index in indexes]
    share = window / max(1, sum(counts))
    at = [0] * len(indexes)
    while any(first < count for first, count in zip(at, counts, strict=True)):
        shown: list[list[bytes]] = []
        last: bytes | None = None
        for index, first, count in zip(indexes, at, counts, strict=True):
            stop = min(count, first + max(_LEAST, round(count * share)))
            block = index.terms_between(first, stop)
            if stop < count and (last is None or block[-1] < last):
                last = block[-1]
            shown.append(block)
        taken = [b if last is None else b[: bisect_right(b, last)] for b in shown]
        terms = sorted(set().union(*taken))
        number = {term: place for place, term in enumerate(terms)}
        yield (
            terms,
            [
                _Range(first, np.fromiter((number[term] for term in block), np.int64, len(block)))
                for first, block in zip(at, taken, strict=True)
            ],
        )
        at = [first + len(block) for first, block in zip(at, taken, strict=True)]


def _join_terms(
    file: ArraysFile,
    parts: Sequence[_Part],
    count: int,
    ranges: Sequence[_Range],
    at_once: int,
) -> Ints:
    """Append the postings of a window's terms; how many each of them has."""
    sizes = np.zeros(count, dtype=np.int64)
    starts: list[Ints] = []
    for part, span in zip(parts, ranges, strict=True):
        bounds = part.postings.starts[span.first : span.first + len(span.places) + 1]
        sizes[span.places] += np.diff(bounds)
        starts.append(bounds)
    kept = np.zeros(count, dtype=np.int64)
    for first, last in _groups(sizes, at_once):
        found: list[tuple[Ints, npt.NDArray[np.int32], npt.NDArray[np.uint8]]] = []
        for part, span, bounds in zip(parts, ranges, starts, strict=True):
            low, high = np.searchsorted(span.places, (first, last)).tolist()
            if low == high:
                continue
            begin, end = int(bounds[low]), int(bounds[high])
            if last - first == 1:  # however many postings it has, they are in order already
                for at in range(begin, end, at_once):
                    _, rows, table = part.between(at, min(end, at + at_once))
                    kept[first] += len(rows)
                    file.extend("rows", rows)
                    file.extend("fields", table.T)
                    part.postings.release()
                continue
            mask, rows, table = part.between(begin, end)
            term_of = np.repeat(span.places[low:high], np.diff(bounds[low : high + 1]))
            found.append((term_of if mask is None else term_of[mask], rows, table))
            part.postings.release()
        if found:
            term_of = np.concatenate([terms for terms, _, _ in found])
            order = np.argsort(term_of, kind="stable")
            kept += np.bincount(term_of, minlength=count)
            file.extend("rows", np.concatenate([rows for _, rows, _ in found])[order])
            file.extend("fields", np.concatenate([table for _, _, table in found])[order].T)
    return kept


def _groups(sizes: Ints, at_once: int) -> Iterator[tuple[int, int]]:
    """Runs of terms that have at most `at_once` postings together, or are one term."""
    first, held = 0, 0
    for place, size in enumerate(sizes.tolist()):
        if place > first and held + size > at_once:
            yield first, place
            first, held = place, 0
        held += size
    if first < len(sizes):
        yield first, len(sizes)
