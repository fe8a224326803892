"""Fewer, larger segments; and forgetting versions that nobody keeps.

Merging changes no answer: the new files hold the same rows, are written and synced first, and take
the place of the old ones in one transaction. Only neighbours are merged, so keys stay in order.
Forgetting deletes states that no kept version sees, from the truth and from the indexes together.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ragstone.corpus.segments import (
    LexicalSegment,
    SegmentRow,
    insert_segment,
    merge_dense,
    merge_lexical,
    open_segment,
    segment_rows,
)
from ragstone.corpus.vectors import Bools, DenseIndex

FAN_IN = 8  # neighbours of one size that are merged into one
_SMALLEST = 256  # rows; below that, sizes are not told apart

Transaction = Callable[[], AbstractContextManager[sqlite3.Connection]]


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What `optimize` let go of, and how many bytes the folder lost."""

    versions: int
    states: int
    passages: int
    freed_bytes: int


def runs_to_merge(sizes: Sequence[int]) -> list[range]:
    """Neighbours to merge: at least `FAN_IN` in a row, none larger than their tier allows."""
    runs: list[range] = []
    limit = _SMALLEST
    largest = max(sizes, default=0)
    while not runs and limit < largest * FAN_IN + _SMALLEST:
        start = 0
        for at in range(len(sizes) + 1):
            if at == len(sizes) or sizes[at] > limit:
                if at - start >= FAN_IN:
                    runs.append(range(start, at))
                start = at + 1
        limit *= FAN_IN
    return runs


def merge_segments(
    folder: Path, transaction: Transaction, connection: sqlite3.Connection, *, all_: bool = False
) -> int:
    """Merge what is worth it (everything, with `all_`); gives how many segments went away."""
    lexical = [row for row in segment_rows(connection) if row.kind == "lexical"]
    sizes = [row.rows for row in lexical]
    runs = [range(len(sizes))] if all_ and len(sizes) > 1 else runs_to_merge(sizes)
    for run in runs:
        with transaction() as open_connection:
            replace_segments(folder, open_connection, [lexical[at] for at in run], None)
    return sum(len(run) - 1 for run in runs)


def replace_segments(
    folder: Path,
    connection: sqlite3.Connection,
    lexical: Sequence[SegmentRow],
    gone: Collection[int] | None,
) -> None:
    """Inside a transaction: one segment in place of several, without the states in `gone`."""
    if not lexical:
        return
    rows = segment_rows(connection)
    parts: list[tuple[LexicalSegment, Bools]] = []
    dropped = np.array(sorted(gone or ()), dtype=np.int64)
    for row in lexical:
        segment = LexicalSegment.opened(open_segment(folder, row))
        parts.append((segment, ~np.isin(segment.states, dropped)))
    old = list(lexical)
    merged = [merge_lexical(folder, parts)]
    for encoder in sorted({row.encoder for row in rows if row.encoder is not None}):
        files = {(r.first_key, r.rows): r for r in rows if r.encoder == encoder}
        dense = [files.get((row.first_key, row.rows)) for row in lexical]
        if any(row is None for row in dense):
            continue  # an encoder that is only being built; `reembed` writes its files anew
        found = [row for row in dense if row is not None]
        old += found
        merged.append(merge_dense(folder, encoder, list(_dense_parts(folder, found, parts))))
    connection.executemany("DELETE FROM segments WHERE id = ?", [(row.id,) for row in old])
    for new in merged:
        if new is not None:
            insert_segment(connection, new)


def _dense_parts(
    folder: Path, rows: Iterable[SegmentRow], parts: Sequence[tuple[LexicalSegment, Bools]]
) -> Iterator[tuple[np.ndarray[tuple[int], np.dtype[np.int64]], DenseIndex, Bools]]:
    for row, (segment, keep) in zip(rows, parts, strict=True):
        yield segment.keys, DenseIndex(open_segment(folder, row)), keep


def forget(
    folder: Path, transaction: Transaction, connection: sqlite3.Connection, *, keep: int
) -> Forgotten:
    """Keep the newest `keep` versions and all tagged ones; drop what only others saw."""
    before = _size(folder)
    with transaction() as open_connection:
        kept = [
            number
            for (number,) in open_connection.execute(
                "SELECT number FROM versions WHERE number IN (SELECT version FROM tags) "
                "OR number IN (SELECT number FROM versions ORDER BY number DESC LIMIT ?)",
                (max(1, keep),),
            )
        ]
        marks = ", ".join(map(str, kept))
        (versions,) = open_connection.execute(
            f"SELECT COUNT(*) FROM versions WHERE number NOT IN ({marks})"
        ).fetchone()
        states = [
            state
            for (state,) in open_connection.execute(
                "SELECT state FROM documents WHERE removed IS NOT NULL AND NOT EXISTS (SELECT 1 "
                f"FROM versions WHERE number IN ({marks}) AND added <= number "
                "AND removed > number)"
            )
        ]
        lexical = [row for row in segment_rows(open_connection) if row.kind == "lexical"]
        if states or len(lexical) > 1:
            replace_segments(folder, open_connection, lexical, states)
        passages = _delete_states(open_connection, states)
        open_connection.execute(f"DELETE FROM versions WHERE number NOT IN ({marks})")
    # Room is given back as far as no reader is in the way; the next time gets the rest.
    connection.execute("PRAGMA busy_timeout = 0")
    with contextlib.suppress(sqlite3.OperationalError):
        connection.execute("VACUUM")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("PRAGMA busy_timeout = 30000")
    return Forgotten(versions, len(states), passages, before - _size(folder))


def _delete_states(connection: sqlite3.Connection, states: Sequence[int]) -> int:
    passages = 0
    for state in states:
        passages += connection.execute("DELETE FROM passages WHERE state = ?", (state,)).rowcount
        connection.execute("DELETE FROM documents WHERE state = ?", (state,))
    connection.execute("DELETE FROM blocks WHERE content NOT IN (SELECT content FROM documents)")
    connection.execute("DELETE FROM contents WHERE id NOT IN (SELECT content FROM documents)")
    connection.execute(
        "DELETE FROM vectors WHERE embedding NOT IN (SELECT embedding FROM passages)"
    )
    connection.execute("DELETE FROM embeddings WHERE id NOT IN (SELECT embedding FROM passages)")
    return passages


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
