"""The dense side of a segment: int8 rows with a scale, signs for a first look, exact scores.

A unit vector is kept as `round(127 v / max|v|)` and its scale. The error of a cosine is about
0.0005 at 384 dimensions, a tenth of what the int8 encoder itself adds. Search is exact while few
rows are wanted; above `EXACT_ROWS` the rows nearest by Hamming distance of their signs (popcount of
xor) are looked at first, and those are scored exactly. No graph: nothing to build, to train or to
repair, a filter costs nothing, and the same rows give the same scores in every layout.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ragstone.corpus.arrays import REMEDY, Arrays, ArraysFile
from ragstone.errors import CorpusError

EXACT_ROWS = 20_000  # up to here all wanted rows are scored
CANDIDATES = 40  # rows scored for each one asked for, above that ...
LEAST_CANDIDATES = 4_000  # ... and never fewer
_SLACK = 2e-6  # what single precision may have got wrong
ROWS = 16_384  # vectors in hand at a time while indexes are joined
_BLOCK = 512  # rows turned to float32 at a time: they stay in the cache

Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


def quantise(vectors: Floats) -> tuple[Bytes, Floats]:
    """Rows of shape (n, dim) as int8 codes and their float32 scales of shape (n,).

    Raises CorpusError for NaN, infinity, or a row of zeros, which no encoder should give.
    """
    most = np.abs(vectors).max(axis=1) if len(vectors) else np.zeros(0, np.float32)
    if not np.isfinite(most).all() or (most <= 0).any():
        raise CorpusError(
            "The encoder gave a vector that is not finite or all zero.",
            remedy="Check the model's file (`ragstone models`), or use another encoder.",
        )
    codes = np.rint(vectors * (127.0 / most)[:, None]).astype(np.int8)
    norms = np.sqrt((codes.astype(np.float32) ** 2).sum(axis=1))
    return codes, (1.0 / norms).astype(np.float32)


def restore(codes: Bytes, scales: Floats) -> Floats:
    """Unit vectors, float32, from codes and scales."""
    return codes.astype(np.float32) * scales[:, None]


def signs_of(codes: Bytes) -> npt.NDArray[np.uint64]:
    """The sign bits of rows, as columns: shape (ceil(dim / 64), rows)."""
    bits = np.packbits(codes >= 0, axis=1)
    padded = np.zeros((len(codes), -(-codes.shape[1] // 64) * 8), dtype=np.uint8)
    padded[:, : bits.shape[1]] = bits
    return np.ascontiguousarray(padded.view(np.uint64).T)


def join_vectors(
    file: ArraysFile, rows: int, dim: int, blocks: Iterable[tuple[Bytes, Floats]]
) -> None:
    """Write the arrays of a dense file from blocks of codes and scales, `rows` of them in all."""
    file.reserve("codes", np.int8, (rows, dim))
    file.reserve("scales", np.float32, (rows,))
    file.reserve("signs", np.uint64, (-(-dim // 64), rows), by_column=True)
    for codes, scales in blocks:
        file.extend("codes", codes)
        file.extend("scales", scales)
        file.extend("signs", signs_of(codes))


_local = threading.local()


def _scratch(dim: int) -> tuple[Bytes, Floats]:
    """Room for one block of rows, a thread's own: fresh memory would cost more than the scores."""
    made: tuple[Bytes, Floats] | None = getattr(_local, "scratch", None)
    if made is None or made[0].shape[1] != dim:
        made = np.empty((_BLOCK, dim), np.int8), np.empty((_BLOCK, dim), np.float32)
        _local.scratch = made
    return made


class DenseIndex:
    """Vectors of one segment, read from its file."""

    def __init__(self, arrays: Arrays) -> None:
        self._path = arrays.path
        self.release = arrays.release
        self.codes: Bytes = arrays["codes"].view(np.int8)
        self.scales: Floats = arrays["scales"].view(np.float32)
        self.signs: npt.NDArray[np.uint64] = arrays["signs"].view(np.uint64)
        if len(self.scales) != len(self.codes) or self.signs.shape[1] != len(self.codes):
            raise CorpusError(f"The arrays of {self._path} do not fit together.", remedy=REMEDY)

    def __len__(self) -> int:
        return len(self.scales)

    @property
    def dim(self) -> int:
        return int(self.codes.shape[1])

    def scores(self, vector: Floats, rows: Ints | None) -> Floats:
        """Cosines of `rows` (all, when None) with the unit `vector`, in single precision.

        The last bits may depend on the rows beside a row.
        """
        count = len(self) if rows is None else len(rows)
        scores: Floats = np.empty(count, dtype=np.float32)
        codes, floats = _scratch(self.dim)
        for at in range(0, count, _BLOCK):
            size = min(_BLOCK, count - at)
            if rows is None:
                np.copyto(floats[:size], self.codes[at : at + size])
            else:
                # "clip" writes straight to `out`; the rows are all there.
                self.codes.take(rows[at : at + size], axis=0, out=codes[:size], mode="clip")
                np.copyto(floats[:size], codes[:size])
            # Not `@`: for so few rows the threads of BLAS cost more than they save (measured
            # 0.4 ms against 20 ms for 4,000 rows on a machine under load).
            np.einsum("ij,j->i", floats[:size], vector, out=scores[at : at + size])
        np.multiply(scores, self.scales if rows is None else self.scales[rows], out=scores)
        return scores

    def settled(self, vector: Floats, rows: Ints) -> Floats:
        """Cosines of few rows, in double precision and rounded to 6 places.

        So the score of a row does not depend on the rows beside it.
        """
        floats = self.codes[rows].astype(np.float64)
        exact: npt.NDArray[np.float64] = np.einsum("ij,j->i", floats, vector.astype(np.float64))
        return np.round(exact * self.scales[rows], 6).astype(np.float32)

    def distances(self, signs: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint16]:
        """Hamming distances of all rows' signs to those of a query, shape (rows,)."""
        total = np.zeros(len(self), dtype=np.uint16)
        for first in range(
            0, len(self.signs), 3
        ):  # three words differ in 192 bits: uint8 is enough
            part = np.bitwise_count(self.signs[first] ^ signs[first])
            for column, word in zip(
                self.signs[first + 1 : first + 3], signs[first + 1 : first + 3], strict=True
            ):
                part += np.bitwise_count(column ^ word)
            total += part
        return total


def kept_vectors(
    parts: Iterable[tuple[DenseIndex, Bools]], *, at_once: int = ROWS
) -> Iterator[tuple[Bytes, Floats]]:
    """The masked rows of all indexes, in order, in blocks."""
    for index, keep in parts:
        for at in range(0, len(keep), at_once):
            mask = keep[at : at + at_once]
            yield index.codes[at : at + at_once][mask], index.scales[at : at + at_once][mask]
            index.release()


@dataclass(frozen=True, slots=True)
class DensePart:
    """One segment as a query sees it: rows that may be found, or None for all."""

    index: DenseIndex
    wanted: Bools | None


def dense_scores(
    parts: Sequence[DensePart], vector: Floats, k: int, *, exact: bool = False
) -> list[tuple[Ints, Floats]]:
    """Rows of each part that are among the best `k` (and those that tie), with their cosines.

    Exact where few rows are wanted or `exact` is asked for; else recall at k is bounded by how many
    rows are looked at (`CANDIDATES` for each one asked for).
    """
    counts = [len(p.index) if p.wanted is None else int(p.wanted.sum()) for p in parts]
    norm = float(np.linalg.norm(vector))
    unit = (vector / norm if norm else vector).astype(np.float32)
    budget = max(LEAST_CANDIDATES, CANDIDATES * k)
    if exact or sum(counts) <= max(EXACT_ROWS, budget):
        return _settled(parts, unit, k, [_all(part, unit) for part in parts])
    query = signs_of(np.where(unit >= 0, 1, -1).astype(np.int8)[None, :])[:, 0]
    distances = []
    for part in parts:
        distance = part.index.distances(query)
        if part.wanted is not None:
            distance[~part.wanted] = part.index.dim + 1
        distances.append(distance)
    # The largest distance that still fits the budget: from the histogram, without a sort.
    histogram = np.zeros(part.index.dim + 1, dtype=np.int64)
    for distance in distances:
        counted = np.bincount(distance, minlength=len(histogram))
        histogram += counted[: len(histogram)]  # without the rows that are not wanted
    limit = int(np.searchsorted(np.cumsum(histogram), budget))
    result = []
    for part, distance in zip(parts, distances, strict=True):
        rows = np.flatnonzero(distance <= limit)
        result.append((rows, part.index.scores(unit, rows)))
    return _settled(parts, unit, k, result)


def _settled(
    parts: Sequence[DensePart], unit: Floats, k: int, found: Sequence[tuple[Ints, Floats]]
) -> list[tuple[Ints, Floats]]:
    """Keep what may be among the best `k`, and score it again so that nothing else matters."""
    scores = np.concatenate([scores for _, scores in found]) if found else np.zeros(0, np.float32)
    least = np.partition(scores, len(scores) - k)[len(scores) - k] if len(scores) > k > 0 else -2.0
    kept = [rows[scores >= least - _SLACK] for rows, scores in found]
    return [(rows, part.index.settled(unit, rows)) for part, rows in zip(parts, kept, strict=True)]


def _all(part: DensePart, unit: Floats) -> tuple[Ints, Floats]:
    if part.wanted is None:
        return np.arange(len(part.index)), part.index.scores(unit, None)
    rows = np.flatnonzero(part.wanted)
    return rows, part.index.scores(unit, rows)
