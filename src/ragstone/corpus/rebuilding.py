"""Derived indexes made anew from the truth: after damage, after an import, for a new encoder."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from ragstone.corpus.segments import (
    IndexedPassage,
    SegmentRow,
    insert_segment,
    segment_rows,
    write_dense,
    write_lexical,
)
from ragstone.corpus.stored import stored_passages, stored_vectors

ROWS = 16_384  # passages of one file; merging makes them larger


def rebuild(folder: Path, connection: sqlite3.Connection, encoder: int, dim: int) -> int:
    """Inside a transaction: write all segments anew; gives how many. Raises CorpusError where the
    truth lacks a vector."""
    connection.execute("DELETE FROM segments")
    count = 0
    for first, last in _ranges(connection):
        passages = list(stored_passages(connection, "passages.key BETWEEN ? AND ?", (first, last)))
        lexical = write_lexical(folder, passages)
        insert_segment(connection, lexical)
        insert_segment(connection, _dense(folder, connection, encoder, dim, passages))
        count += 1
    return count


def rebuild_dense(
    folder: Path,
    connection: sqlite3.Connection,
    encoder: int,
    dim: int,
    keys_of: Callable[[SegmentRow], np.ndarray[tuple[int], np.dtype[np.int64]]],
) -> None:
    """Inside a transaction: dense files of `encoder` alone, one beside each lexical file."""
    rows = [row for row in segment_rows(connection) if row.kind == "lexical"]
    connection.execute("DELETE FROM segments WHERE kind = 'dense'")
    for row in rows:
        keys = keys_of(row)
        blocks = stored_vectors(connection, encoder, keys, dim)
        insert_segment(connection, write_dense(folder, encoder, keys, dim, blocks))


def _dense(
    folder: Path,
    connection: sqlite3.Connection,
    encoder: int,
    dim: int,
    passages: list[IndexedPassage],
) -> SegmentRow:
    keys = np.array([passage.key for passage in passages], dtype=np.int64)
    blocks = stored_vectors(connection, encoder, keys, dim)
    return write_dense(folder, encoder, keys, dim, blocks)


def _ranges(connection: sqlite3.Connection) -> Iterator[tuple[int, int]]:
    keys = np.array(
        [key for (key,) in connection.execute("SELECT key FROM passages ORDER BY key")],
        dtype=np.int64,
    )
    for at in range(0, len(keys), ROWS):
        block = keys[at : at + ROWS]
        yield int(block[0]), int(block[-1])
