"""What the corpus knows of sources and live documents: the questions that a sync asks.

"Live" counts what is committed, published or not: a sync that goes on after a kill sees the batches
of the one that was stopped.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence

from ragstone.corpus.batch import FailedSource, SourceState

_AT_ONCE = 500  # parameters of one statement


class Ledger:
    """Answers from one connection; changes nothing."""

    def __init__(self, connection: sqlite3.Connection, encoder: int) -> None:
        self._connection = connection
        self._encoder = encoder

    def sources(self) -> dict[str, SourceState]:
        """All sources that were read, by path."""
        found = self._connection.execute(
            "SELECT path, root, size, mtime_ns, inode, hash, recipe FROM sources"
        )
        return {item[0]: SourceState(*item) for item in found}

    def failed(self) -> dict[str, FailedSource]:
        """All sources that failed, by path."""
        found = self._connection.execute(
            "SELECT source, root, reason, remedy, size, mtime_ns, recipe FROM failures"
        )
        return {item[0]: FailedSource(*item) for item in found}

    def held(self, origin: str) -> dict[str, bytes]:
        """Ids and fingerprints of the live documents that came from one source."""
        found = self._connection.execute(
            "SELECT id, fingerprint FROM documents WHERE origin = ? AND removed IS NULL", (origin,)
        )
        return dict(found.fetchall())

    def held_sources(self, origin: str) -> dict[str, str]:
        """Document ids by `Document.source`, of the live documents that came from one source."""
        found = self._connection.execute(
            "SELECT source, id FROM documents WHERE origin = ? AND removed IS NULL", (origin,)
        )
        return dict(found.fetchall())

    def origins(self, ids: Sequence[str]) -> dict[str, str]:
        """The source that each id's live document came from; ids without one are left out."""
        result: dict[str, str] = {}
        for block in blocks_of(ids):
            marks = ", ".join("?" * len(block))
            result.update(
                self._connection.execute(
                    f"SELECT id, origin FROM documents WHERE removed IS NULL AND id IN ({marks})",
                    block,
                ).fetchall()
            )
        return result

    def embedded(self, hashes: Iterable[bytes]) -> set[bytes]:
        """Those of the hashes whose vector by the corpus's encoder is known already."""
        result: set[bytes] = set()
        for block in blocks_of(list(hashes)):
            marks = ", ".join("?" * len(block))
            result.update(
                item
                for (item,) in self._connection.execute(
                    "SELECT hash FROM embeddings JOIN vectors ON vectors.embedding = embeddings.id "
                    f"AND vectors.encoder = ? WHERE hash IN ({marks})",
                    (self._encoder, *block),
                )
            )
        return result


def blocks_of(items: Sequence[object]) -> Iterator[list[object]]:
    """Pieces of a list, each short enough for one statement."""
    for at in range(0, len(items), _AT_ONCE):
        yield list(items[at : at + _AT_ONCE])
