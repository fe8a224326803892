"""The corpus folder: opening it, its versions and tags, snapshots of it, and its writer.

    corpus.db        the truth (SQLite)
    segments/        derived indexes, rebuilt from the truth by `doctor --repair`
    writer.lock      held while somebody writes

Law: a reader sees published versions alone. What a stopped `sync` had committed in batches stays
hidden until the next one publishes it.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

import numpy as np

from ragstone.corpus.archive import export_corpus
from ragstone.corpus.arrays import Arrays
from ragstone.corpus.doctor import Finding
from ragstone.corpus.ledger import Ledger
from ragstone.corpus.lock import WAIT_S, writer_lock
from ragstone.corpus.merging import Forgotten
from ragstone.corpus.postings import Bm25
from ragstone.corpus.reembedding import EmbeddingText, reembed
from ragstone.corpus.repairing import doctor
from ragstone.corpus.schema import BROKEN, DATABASE, connect, create_database, damaged
from ragstone.corpus.segments import (
    FOLDER,
    LexicalSegment,
    SegmentRow,
    open_segment,
    segment_rows,
)
from ragstone.corpus.snapshot import CorpusSnapshot
from ragstone.corpus.vectors import DenseIndex
from ragstone.corpus.writer import Writer
from ragstone.errors import CorpusError, UsageError
from ragstone.protocols import Encoder
from ragstone.types import Failure

_RETRIES = 20  # a segment's file may be merged away between reading its name and opening it


@dataclass(frozen=True, slots=True)
class VersionInfo:
    """One published version; `created` is in seconds since 1970 UTC."""

    number: int
    created: float
    note: str
    documents: int
    passages: int
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """Document ids (with sources) that version `b` has, has otherwise, or lacks against `a`."""

    a: int
    b: int
    added: tuple[tuple[str, str], ...]
    changed: tuple[tuple[str, str], ...]
    removed: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CorpusInfo:
    """What there is to say of a corpus as a whole."""

    path: str
    version: int
    documents: int
    passages: int
    characters: int
    encoder_identity: str
    dim: int
    versions: int
    failures: int
    pending: int  # documents committed by a sync that was stopped, not yet published
    size_bytes: int


class Store:
    """An opened corpus folder; a context manager. Any number may be open on one folder."""

    def __init__(self, folder: Path, connection: sqlite3.Connection, *, read_only: bool) -> None:
        self._folder = folder
        self._connection = connection
        self._read_only = read_only
        self._segments: dict[str, Arrays] = {}
        self._lock = Lock()
        self.bm25 = Bm25()

    @classmethod
    def open(
        cls,
        path: Path | str,
        *,
        encoder_identity: str | None = None,
        dim: int | None = None,
        create: bool = False,
        read_only: bool = False,
    ) -> Store:
        """Open the corpus in the folder `path`, making it first with `create`.

        With an `encoder_identity` it must be the one the corpus was built with. Raises CorpusError
        (missing, damaged, of another format or encoder), UsageError (made without an encoder).
        """
        folder = Path(path).expanduser().absolute()
        database = folder / DATABASE
        if create and not read_only and not database.exists():
            _create(folder, encoder_identity, dim)
        store = cls(folder, connect(database, write=False), read_only=read_only)
        if encoder_identity is not None:
            _, built, built_dim = store._encoder()
            if built != encoder_identity:
                store.close()
                raise CorpusError(
                    f"The corpus in {folder} was built with the encoder {built} ({built_dim} "
                    f"dimensions); the given one is {encoder_identity} ({dim} dimensions).",
                    remedy="Run `ragstone reembed`, or open it with the encoder it was built with.",
                )
        return store

    @property
    def path(self) -> Path:
        """The corpus's folder."""
        return self._folder

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.close()

    def close(self) -> None:
        """Close the truth; snapshots that are open stay usable."""
        self._segments.clear()
        self._connection.close()

    def _all(self, sql: str, *parameters: object) -> list[tuple[object, ...]]:
        try:
            with self._lock:
                return self._connection.execute(sql, parameters).fetchall()
        except BROKEN as error:
            raise damaged(self._folder / DATABASE, error) from error

    def _encoder(self) -> tuple[int, str, int]:
        found = self._all(
            "SELECT id, identity, dim FROM encoders "
            "WHERE id = (SELECT CAST(value AS INTEGER) FROM settings WHERE name = 'encoder')"
        )
        if not found:
            raise damaged(self._folder / DATABASE, ValueError("it names no encoder"))
        id, identity, dim = found[0]
        return int(str(id)), str(identity), int(str(dim))

    # --- versions

    def head(self) -> int:
        """The newest published version; 0 is the empty corpus."""
        return int(str(self._all("SELECT COALESCE(MAX(number), 0) FROM versions")[0][0]))

    def versions(self) -> list[VersionInfo]:
        """All versions that are kept, oldest first."""
        tags: dict[int, list[str]] = {}
        for name, version in self._all("SELECT name, version FROM tags ORDER BY name"):
            tags.setdefault(int(str(version)), []).append(str(name))
        return [
            VersionInfo(
                int(str(number)),
                float(str(created)),
                str(note),
                int(str(documents)),
                int(str(passages)),
                tuple(tags.get(int(str(number)), ())),
            )
            for number, created, note, documents, passages in self._all(
                "SELECT number, created, note, documents, passages FROM versions ORDER BY number"
            )
        ]

    def resolve(self, version: int | str | None) -> int:
        """A version's number from a number, a tag or None (the newest). Raises UsageError."""
        if version is None:
            return self.head()
        name = str(version)
        if name.isdigit():
            found = self._all("SELECT number FROM versions WHERE number = ?", int(name))
        else:
            found = self._all("SELECT version FROM tags WHERE name = ?", name)
        if found:
            return int(str(found[0][0]))
        if name == "0" and self.head() == 0:
            return 0
        raise UsageError(
            f"The corpus has no version or tag {name!r}.", remedy="`ragstone versions` lists them."
        )

    def diff(self, a: int | str, b: int | str | None = None) -> Difference:
        """What changed from version `a` to `b` (the newest, when None)."""
        first, last = self.resolve(a), self.resolve(b)
        sides = []
        for number in (first, last):
            found = self._all(
                "SELECT id, source, fingerprint FROM documents WHERE added <= ? "
                "AND (removed IS NULL OR removed > ?) "
                "AND NOT (added <= ? AND (removed IS NULL OR removed > ?)) ORDER BY source, id",
                number, number, first + last - number, first + last - number,
            )  # fmt: skip
            sides.append({str(id): (str(source), mark) for id, source, mark in found})
        old, new = sides
        return Difference(
            first, last,
            tuple((id, s) for id, (s, _) in new.items() if id not in old),
            tuple((id, s) for id, (s, m) in new.items() if id in old and old[id] != (s, m)),
            tuple((id, s) for id, (s, _) in old.items() if id not in new),
        )  # fmt: skip

    def failures(self) -> list[Failure]:
        """Sources that could not be read; they are tried again at the next sync."""
        found = self._all("SELECT source, reason, remedy FROM failures ORDER BY source")
        return [Failure(str(source), str(reason), str(remedy)) for source, reason, remedy in found]

    def ledger(self) -> Ledger:
        """What is known of sources and live documents, published or not."""
        encoder, _, _ = self._encoder()
        return Ledger(self._connection, encoder)

    def info(self) -> CorpusInfo:
        """Counts, size on disk, encoder and the state of the corpus."""
        head = self.head()
        ((documents, passages, characters),) = self._all(
            "SELECT COUNT(*), COALESCE(SUM(passages), 0), COALESCE(SUM(characters), 0) "
            "FROM documents WHERE added <= ? AND (removed IS NULL OR removed > ?)", head, head,
        )  # fmt: skip
        ((pending,),) = self._all(
            "SELECT COUNT(*) FROM documents WHERE added > ? OR removed > ?", head, head
        )
        ((versions,),) = self._all("SELECT COUNT(*) FROM versions")
        ((failures,),) = self._all("SELECT COUNT(*) FROM failures")
        _, identity, dim = self._encoder()
        size = sum(f.stat().st_size for f in self._folder.rglob("*") if f.is_file())
        return CorpusInfo(
            str(self._folder), head, int(str(documents)), int(str(passages)), int(str(characters)),
            identity, dim, int(str(versions)), int(str(failures)), int(str(pending)), size,
        )  # fmt: skip

    # --- reading and writing

    def snapshot(self, version: int | str | None = None) -> CorpusSnapshot:
        """The newest version, or another by number or tag, for reading.

        Raises UsageError for an unknown version, CorpusError for missing or damaged files.
        """
        for attempt in range(_RETRIES):
            connection = connect(self._folder / DATABASE, write=False)
            try:
                connection.execute("BEGIN")
                number = _resolved(connection, self.resolve(version), version)
                return self._snapshot(connection, number)
            except FileNotFoundError as error:
                connection.close()
                if attempt == _RETRIES - 1:
                    raise CorpusError(
                        f"A file of the corpus is missing: {error.filename}.",
                        remedy="Run `ragstone doctor --repair`: it is rebuilt from the database.",
                    ) from error
                time.sleep(0.01 * attempt)
            except BROKEN as error:
                connection.close()
                raise damaged(self._folder / DATABASE, error) from error
            except BaseException:
                connection.close()
                raise
        raise AssertionError("unreachable")

    def _snapshot(self, connection: sqlite3.Connection, number: int) -> CorpusSnapshot:
        ((encoder, identity),) = connection.execute(
            "SELECT id, identity FROM encoders "
            "WHERE id = (SELECT CAST(value AS INTEGER) FROM settings WHERE name = 'encoder')"
        ).fetchall()
        rows = segment_rows(connection)
        lexical = [LexicalSegment.opened(self._opened(r)) for r in rows if r.kind == "lexical"]
        dense = []
        files = {(r.first_key, r.rows): r for r in rows if r.encoder == encoder}
        for segment in lexical:
            row = files.get((int(segment.keys[0]), len(segment.keys)))
            arrays = self._opened(row) if row else None
            if arrays is None or not np.array_equal(arrays["keys"], segment.keys):
                raise CorpusError(
                    f"The vectors of the corpus in {self._folder} do not fit its passages.",
                    remedy="Run `ragstone doctor --repair`: it rebuilds the index.",
                )
            dense.append(DenseIndex(arrays))
        with self._lock:
            named = {r.file for r in rows}
            self._segments = {f: a for f, a in self._segments.items() if f in named}
        return CorpusSnapshot(
            self._folder, connection, number, str(identity), lexical, dense, bm25=self.bm25
        )

    def _opened(self, row: SegmentRow) -> Arrays:
        with self._lock:
            arrays = self._segments.get(row.file)
        if arrays is None:
            arrays = open_segment(self._folder, row)
            with self._lock:
                self._segments[row.file] = arrays
        return arrays

    @contextmanager
    def writer(self, *, timeout_s: float = WAIT_S) -> Iterator[Writer]:
        """The one writer, after waiting at most `timeout_s` for another to end.

        Raises CorpusError when the lock is not to be had, or the corpus was opened read-only.
        """
        if self._read_only:
            raise CorpusError(
                f"The corpus in {self._folder} was opened for reading only.",
                remedy="Open it without read_only.",
            )
        with writer_lock(self._folder, timeout_s=timeout_s):
            connection = connect(self._folder / DATABASE, write=True)
            try:
                encoder, identity, dim = self._encoder()
                writer = Writer(self._folder, connection, encoder, identity, dim)
                writer.sweep()
                yield writer
            except BROKEN as error:
                raise damaged(self._folder / DATABASE, error) from error
            finally:
                if connection.in_transaction:
                    connection.rollback()
                # So that `corpus.db` alone is whole, unless a reader is in the way just now.
                with contextlib.suppress(sqlite3.DatabaseError):
                    connection.execute("PRAGMA busy_timeout = 0")
                    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                connection.close()

    def tag(self, name: str, version: int | str | None = None) -> int:
        """Name a version; moving a name is allowed. Gives the version's number."""
        if not name or name.isdigit() or not name.isprintable():
            raise UsageError(f"{name!r} is no name for a tag.", remedy="Use a word, such as v1.")
        number = self.resolve(version)
        if number == 0:
            raise UsageError("There is no version to tag yet.", remedy="Run `ragstone sync` first.")
        with self.writer() as writer:
            writer.tag(name, number)
        return number

    def rollback(self, version: int | str) -> int:
        """Publish a new version that holds what `version` held; gives its number."""
        number = self.resolve(version)
        with self.writer() as writer:
            writer.restore(number)
            return writer.publish(note=f"rollback to {number}")

    def reembed(
        self,
        encoder: Encoder,
        embedding_text: EmbeddingText,
        *,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> int:
        """Replace the corpus's encoder; gives how many texts were embedded. See `reembedding`."""
        with self.writer() as writer:
            return reembed(writer, encoder, embedding_text, on_progress=on_progress)

    def export(self, file: Path | str) -> int:
        """Write the corpus to one portable file; gives its size in bytes."""
        return export_corpus(self._folder, Path(file))

    def doctor(self, *, repair: bool = False) -> list[Finding]:
        """What is wrong, worst first; with `repair`, what could be mended is."""
        return doctor(self._folder, repair=repair)

    def optimize(self, *, keep: int = 1) -> Forgotten:
        """Keep the newest `keep` versions and all tagged ones; merge indexes; reclaim room."""
        with self.writer() as writer:
            return writer.forget(keep=keep)


def _resolved(connection: sqlite3.Connection, number: int, asked: int | str | None) -> int:
    """The number inside this transaction: the newest may have moved on since."""
    if asked is None:
        (head,) = connection.execute("SELECT COALESCE(MAX(number), 0) FROM versions").fetchone()
        return int(head)
    return number


def _create(folder: Path, encoder_identity: str | None, dim: int | None) -> None:
    if encoder_identity is None or dim is None:
        raise UsageError(
            f"There is no corpus in {folder}, and a new one needs an encoder.",
            remedy="Run `ragstone sync PATH...` to make one.",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FOLDER).mkdir(exist_ok=True)
    except OSError as error:
        raise CorpusError(
            f"Cannot make a corpus in {folder}: {error.strerror or error}.",
            remedy="Choose a folder that you may write to, with --corpus.",
        ) from error
    with writer_lock(folder):
        if not (folder / DATABASE).exists():
            create_database(folder / DATABASE, encoder_identity, dim)
