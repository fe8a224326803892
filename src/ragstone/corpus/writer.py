"""The writer: batches of changes, each one transaction, and versions that publish them.

A batch writes rows and allots keys inside a transaction, writes and syncs its segment's files,
names them, and commits: index first, truth last. `publish` makes everything committed since the
last version visible at once. Law: a kill at any moment loses at most the batch in hand; what
readers see is always one published version. Made by `Store.writer` alone, under the lock.
"""

from __future__ import annotations

import itertools
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ragstone.corpus import rows as row
from ragstone.corpus.batch import Batch, Prepared
from ragstone.corpus.ledger import Ledger, blocks_of
from ragstone.corpus.merging import Forgotten, forget, merge_segments
from ragstone.corpus.schema import BROKEN, DATABASE, damaged
from ragstone.corpus.segments import (
    FOLDER,
    IndexedPassage,
    insert_segment,
    segment_rows,
    write_dense,
    write_lexical,
)
from ragstone.corpus.stored import store_vectors, stored_passages, stored_vectors
from ragstone.errors import CorpusError
from ragstone.types import Document


class Writer:
    """The one writer of a corpus. `ledger` says what is there, with what is not yet published."""

    def __init__(
        self, folder: Path, connection: sqlite3.Connection, encoder: int, identity: str, dim: int
    ) -> None:
        self.folder = folder
        self.connection = connection
        self.encoder = encoder
        self.encoder_identity = identity
        self.dim = dim
        self.ledger = Ledger(connection, encoder)

    @property
    def head(self) -> int:
        """The newest published version."""
        (number,) = self.connection.execute(
            "SELECT COALESCE(MAX(number), 0) FROM versions"
        ).fetchone()
        return int(number)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing. Raises CorpusError where SQLite or the disk refuses."""
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            yield self.connection
            self.connection.execute("COMMIT")
        except BROKEN as error:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise damaged(self.folder / DATABASE, error) from error
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise

    # --- changing

    def commit(self, batch: Batch) -> None:
        """Make a batch durable, hidden until `publish`; on a CorpusError nothing changed."""
        if not batch:
            return
        pending = self.head + 1
        with self.transaction() as connection:
            removes = {*batch.removes, *(put.document.id for put in batch.puts)}
            connection.executemany(
                "UPDATE documents SET removed = ? WHERE id = ? AND removed IS NULL",
                [(pending, id) for id in removes],
            )
            if batch.puts:
                self._put(connection, batch, pending)
            gone = [(path,) for path in batch.forgotten]
            connection.executemany("DELETE FROM sources WHERE path = ?", gone)
            connection.executemany("DELETE FROM failures WHERE source = ?", gone)
            connection.executemany(
                "INSERT OR REPLACE INTO sources VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(s.path, s.root, s.size, s.mtime_ns, s.inode, s.hash, s.recipe)
                 for s in batch.sources],
            )  # fmt: skip
            connection.executemany(
                "DELETE FROM failures WHERE source = ?", [(s.path,) for s in batch.sources]
            )
            connection.executemany(
                "INSERT OR REPLACE INTO failures VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(f.path, f.root, f.reason, f.remedy, f.size, f.mtime_ns, f.recipe)
                 for f in batch.failed],
            )  # fmt: skip

    def _put(self, connection: sqlite3.Connection, batch: Batch, pending: int) -> None:
        vectors = self._vectors(connection, batch)
        next_state = _next(connection, "documents")
        next_key = _next(connection, "passages")
        documents: list[tuple[object, ...]] = []
        passages: list[tuple[object, ...]] = []
        indexed: list[IndexedPassage] = []
        for put in batch.puts:
            state = next(next_state)
            documents.append(self._document_row(connection, put, state, pending))
            document, labels = put.document, row.labels(put.document.metadata)
            for passage, hash in zip(put.passages, put.embedded, strict=True):
                key = next(next_key)
                headings = row.pack_headings(passage.heading_path)
                passages.append(
                    (key, state, passage.span.start, passage.span.end, headings, passage.page,
                     vectors[hash], row.passage_checksum(state, passage, headings))
                )  # fmt: skip
                indexed.append(
                    IndexedPassage(key, state, passage.text, passage.heading_path + labels,
                                   document.title, document.language)
                )  # fmt: skip
        marks = ", ".join("?" * 17)
        connection.executemany(f"INSERT INTO documents VALUES ({marks})", documents)
        connection.executemany("INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?, ?)", passages)
        self.index(connection, indexed)

    def index(self, connection: sqlite3.Connection, indexed: Sequence[IndexedPassage]) -> None:
        """Write the segment of stored passages (keys ascending) and name its files."""
        if not indexed:
            return
        lexical = write_lexical(self.folder, indexed)
        insert_segment(connection, lexical)
        keys = np.array([passage.key for passage in indexed], dtype=np.int64)
        blocks = stored_vectors(connection, self.encoder, keys, self.dim)
        insert_segment(connection, write_dense(self.folder, self.encoder, keys, self.dim, blocks))

    def _vectors(self, connection: sqlite3.Connection, batch: Batch) -> dict[bytes, int]:
        """Store the batch's new vectors; the embedding's id for each hash that is used."""
        used = sorted({hash for put in batch.puts for hash in put.embedded})
        connection.executemany(
            "INSERT OR IGNORE INTO embeddings (hash) VALUES (?)", [(hash,) for hash in used]
        )
        ids: dict[bytes, int] = {}
        known: set[bytes] = set()
        for block in blocks_of(used):
            marks = ", ".join("?" * len(block))
            for hash, id, there in connection.execute(
                "SELECT hash, id, EXISTS (SELECT 1 FROM vectors WHERE encoder = ? "
                f"AND embedding = id) FROM embeddings WHERE hash IN ({marks})",
                (self.encoder, *block),
            ):
                ids[hash] = id
                if there:
                    known.add(hash)
        new = sorted((hash for hash in used if hash not in known), key=lambda hash: ids[hash])
        missing = [hash for hash in new if hash not in batch.vectors]
        if missing:
            raise CorpusError(f"{len(missing)} passages of a batch came without their vector.")
        if new:
            matrix = np.stack([batch.vectors[hash] for hash in new])
            if matrix.shape[1] != self.dim:
                raise CorpusError(
                    f"The encoder gave {matrix.shape[1]} dimensions; the corpus has {self.dim}.",
                    remedy="Use the encoder that the corpus was built with, or `ragstone reembed`.",
                )
            store_vectors(connection, self.encoder, [ids[hash] for hash in new], matrix)
        return ids

    def _document_row(
        self, connection: sqlite3.Connection, put: Prepared, state: int, pending: int
    ) -> tuple[object, ...]:
        document = put.document
        metadata = row.pack_metadata(dict(document.metadata))
        hash = row.text_hash(document.text)
        shown = (document.id, document.source, document.title, document.format, document.language)
        checksum = row.document_checksum(
            *shown, metadata, hash, len(document.text), len(put.passages)
        )
        return (
            state, document.id, document.source, put.origin, document.title, document.format,
            document.language, row.date_of(document), metadata,
            _content(connection, document, hash), hash, len(document.text), len(put.passages),
            put.fingerprint, checksum, pending, None,
        )  # fmt: skip

    def publish(self, *, note: str = "") -> int:
        """Make all that was committed visible as one new version; give the newest version.

        Without a change there is no new version.
        """
        number = self.head + 1
        with self.transaction() as connection:
            changed = connection.execute(
                "SELECT EXISTS (SELECT 1 FROM documents WHERE added = ?1 OR removed = ?1)",
                (number,),
            ).fetchone()[0]
            if not changed:
                return number - 1
            documents, passages = connection.execute(
                "SELECT COUNT(*), COALESCE(SUM(passages), 0) FROM documents WHERE removed IS NULL"
            ).fetchone()
            connection.execute(
                "INSERT INTO versions VALUES (?, ?, ?, ?, ?)",
                (number, time.time(), note, documents, passages),
            )
        return number

    def tag(self, name: str, number: int) -> None:
        """Name a version."""
        with self.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO tags VALUES (?, ?)", (name, number))

    def restore(self, number: int) -> None:
        """Make the live documents those of version `number`, hidden until `publish`.

        History stays: what comes back is a new state with new keys. Sources of what changed are
        marked unread, so that the next `sync` mirrors them again.
        """
        pending = self.head + 1
        at = "added <= :v AND (removed IS NULL OR removed > :v)"
        with self.transaction() as connection:
            touched = connection.execute(
                f"SELECT DISTINCT origin FROM documents WHERE (removed IS NULL) <> ({at})",
                {"v": number},
            ).fetchall()
            back = connection.execute(
                f"SELECT state FROM documents WHERE {at} AND removed IS NOT NULL ORDER BY state",
                {"v": number},
            ).fetchall()
            connection.execute(
                f"UPDATE documents SET removed = :p WHERE removed IS NULL AND NOT ({at})",
                {"v": number, "p": pending},
            )
            self.index(connection, list(_revive(connection, [s for (s,) in back], pending)))
            connection.executemany(
                "INSERT INTO sources VALUES (?1, ?1, -1, -1, 0, x'', '') ON CONFLICT (path) "
                "DO UPDATE SET size = -1, mtime_ns = -1, hash = x''",
                touched,
            )

    def merge(self, *, all_: bool = False) -> int:
        """Merge small segments into larger ones; gives how many went away."""
        count = merge_segments(self.folder, self.transaction, self.connection, all_=all_)
        if count:
            self.sweep()
        return count

    def forget(self, *, keep: int) -> Forgotten:
        """Keep the newest `keep` versions and the tagged ones; reclaim the room of the others."""
        result = forget(self.folder, self.transaction, self.connection, keep=keep)
        self.sweep()
        return result

    def sweep(self) -> int:
        """Delete files that the truth does not name: what a kill left behind. Gives how many."""
        named = {segment.file for segment in segment_rows(self.connection)}
        swept = 0
        folder = self.folder / FOLDER
        folder.mkdir(exist_ok=True)
        for file in folder.iterdir():
            if file.name not in named:
                try:
                    file.unlink()
                    swept += 1
                except PermissionError:  # Windows: a reader still maps it; the next sweep gets it
                    continue
        return swept


def _revive(
    connection: sqlite3.Connection, states: Sequence[int], pending: int
) -> Iterator[IndexedPassage]:
    """Copy removed states and their passages as live ones."""
    next_state = _next(connection, "documents")
    next_key = _next(connection, "passages")
    for old in states:
        state = next(next_state)
        connection.execute(
            "INSERT INTO documents SELECT ?, id, source, origin, title, format, language, date, "
            "metadata, content, text_hash, characters, passages, fingerprint, checksum, ?, NULL "
            "FROM documents WHERE state = ?",
            (state, pending, old),
        )
        for passage in stored_passages(connection, "documents.state = ?", (old,)):
            key = next(next_key)
            fields = connection.execute(
                'SELECT start, "end", headings, page, embedding FROM passages WHERE key = ?',
                (passage.key,),
            ).fetchone()
            start, end, headings, page, embedding = fields
            checksum = row.checksum_of(state, start, end, headings, page, passage.text)
            connection.execute(
                "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (key, state, start, end, headings, page, embedding, checksum),
            )
            yield IndexedPassage(
                key, state, passage.text, passage.headings, passage.title, passage.language
            )


def _content(connection: sqlite3.Connection, document: Document, hash: bytes) -> int:
    elements = row.pack_elements(document.elements)
    whole = row.content_hash(hash, elements)
    found = connection.execute("SELECT id FROM contents WHERE hash = ?", (whole,)).fetchone()
    if found:
        return int(found[0])
    cursor = connection.execute(
        "INSERT INTO contents (hash, elements) VALUES (?, ?)", (whole, elements)
    )
    content = cursor.lastrowid
    connection.executemany(
        "INSERT INTO blocks VALUES (?, ?, ?)",
        ((content, start, body) for start, body in row.pack_blocks(document.text)),
    )
    return int(content or 0)


def _next(connection: sqlite3.Connection, table: str) -> Iterator[int]:
    """Numbers of an AUTOINCREMENT table that were never used, in order."""
    found = connection.execute(
        "SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)
    ).fetchone()
    return itertools.count((found[0] if found else 0) + 1)
