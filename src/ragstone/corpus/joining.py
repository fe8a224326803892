"""Several inverted indexes into one: the lexical side of merging.

Law: joining indexes gives what indexing their rows together would, and holds a window of terms
and some 100,000 postings in memory, whatever the size of the indexes (and a few bytes for each row
and term of the result).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ragstone.corpus.arrays import ArraysFile
from ragstone.corpus.postings import FIELDS, Bools, Postings

WINDOW = 16_384  # terms of all indexes together that are compared at a time
_LEAST = 16  # terms of each index in a window, however many indexes there are
POSTINGS = 1 << 17  # of some terms that are sorted at a time

Ints = npt.NDArray[np.int64]


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
