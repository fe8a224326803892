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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

import numpy as np

from ragstone.corpus.archive import export_corpus
from ragstone.corpus.arrays import Arrays
from ragstone.corpus.bm25 import Bm25
from ragstone.corpus.doctor import Finding
from ragstone.corpus.history import (
    CorpusInfo,
    Difference,
    VersionInfo,
    corpus_info,
    difference,
    encoder_of,
    failures,
    hidden_states,
    languages,
    newest,
    resolve,
    version_list,
)
from ragstone.corpus.ledger import Ledger
from ragstone.corpus.lock import WAIT_S, writer_lock
from ragstone.corpus.merging import Forgotten
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
from ragstone.corpus.truth import Readers, Truth
from ragstone.corpus.vectors import DenseIndex
from ragstone.corpus.view import IndexView
from ragstone.corpus.writer import Writer
from ragstone.errors import CorpusError, UsageError
from ragstone.protocols import Encoder
from ragstone.types import Failure

_RETRIES = 20  # a segment's file may be merged away between reading its name and opening it
_VIEWS = 4  # versions whose masks and statistics are remembered

_ViewKey = tuple[int, int, tuple[str, ...], Bm25]  # version, encoder, files, parameters


class Store:
    """An opened corpus folder; a context manager. Any number may be open on one folder."""

    def __init__(self, truth: Truth, *, read_only: bool) -> None:
        self._truth = truth
        self._folder = truth.folder
        self._read_only = read_only
        self._opened: dict[str, Arrays] = {}
        self._views: dict[_ViewKey, IndexView] = {}
        self._readers = Readers(truth.folder)
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
        store = cls(Truth.open(folder), read_only=read_only)
        if encoder_identity is not None:
            _, built, built_dim = encoder_of(store._truth)
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
        self._opened.clear()
        self._views.clear()
        self._readers.close()
        self._truth.close()

    # --- versions

    def head(self) -> int:
        """The newest published version; 0 is the empty corpus."""
        return newest(self._truth)

    def versions(self) -> list[VersionInfo]:
        """All versions that are kept, oldest first."""
        return version_list(self._truth)

    def resolve(self, version: int | str | None) -> int:
        """A version's number from a number, a tag or None (the newest). Raises UsageError."""
        return resolve(self._truth, version)

    def diff(self, a: int | str, b: int | str | None = None) -> Difference:
        """What changed from version `a` to `b` (the newest, when None)."""
        return difference(self._truth, self.resolve(a), self.resolve(b))

    def failures(self) -> list[Failure]:
        """Sources that could not be read; they are tried again at the next sync."""
        return failures(self._truth)

    def ledger(self) -> Ledger:
        """What is known of sources and live documents, published or not."""
        encoder, _, _ = encoder_of(self._truth)
        return Ledger(self._truth.connection, encoder)

    def info(self) -> CorpusInfo:
        """Counts, size on disk, encoder and the state of the corpus."""
        return corpus_info(self._truth)

    # --- reading and writing

    def snapshot(self, version: int | str | None = None) -> CorpusSnapshot:
        """The newest version, or another by number or tag, for reading.

        Raises UsageError for an unknown version, CorpusError for missing or damaged files.
        """
        for attempt in range(_RETRIES):
            truth = self._readers.take()
            try:
                truth.connection.execute("BEGIN")
                # A tag or number is looked up outside: it means now what it meant a moment ago.
                number = newest(truth) if version is None else self.resolve(version)
                return self._snapshot(truth, number)
            except FileNotFoundError as error:
                truth.close()
                if attempt == _RETRIES - 1:
                    raise CorpusError(
                        f"A file of the corpus is missing: {error.filename}.",
                        remedy="Run `ragstone doctor --repair`: it is rebuilt from the database.",
                    ) from error
                time.sleep(0.01 * attempt)
            except BROKEN as error:
                truth.close()
                raise damaged(self._folder / DATABASE, error) from error
            except BaseException:
                truth.close()
                raise
        raise AssertionError("unreachable")

    def _snapshot(self, truth: Truth, number: int) -> CorpusSnapshot:
        encoder, identity, _ = encoder_of(truth)
        rows = segment_rows(truth.connection)
        named = tuple(row.file for row in rows)
        key = (number, encoder, named, self.bm25)
        with self._lock:
            view = self._views.get(key)
        if view is None:
            view = self._view(truth, number, [r for r in rows if r.encoder in (None, encoder)])
            with self._lock:
                # Views of files that were merged away go: they hold the files' room on the disk.
                kept = [item for item in self._views.items() if item[0][2] == named]
                self._views = dict([*kept[-_VIEWS + 1 :], (key, view)])
                self._opened = {f: a for f, a in self._opened.items() if f in named}
        return CorpusSnapshot(truth, number, identity, view)

    def _view(self, truth: Truth, number: int, rows: Sequence[SegmentRow]) -> IndexView:
        """Open the segments, and ask the truth what the view of a version needs of it."""
        lexical, dense = [], []
        vectors = {(r.first_key, r.rows): r for r in rows if r.kind == "dense"}
        for row in rows:
            if row.kind != "lexical":
                continue
            segment = LexicalSegment.opened(self._arrays(row))
            twin = vectors.get((int(segment.keys[0]), len(segment.keys)))
            arrays = self._arrays(twin) if twin else None
            if arrays is None or not np.array_equal(arrays["keys"], segment.keys):
                raise CorpusError(
                    f"The vectors of the corpus in {self._folder} do not fit its passages.",
                    remedy="Run `ragstone doctor --repair`: it rebuilds the index.",
                )
            lexical.append(segment)
            dense.append(DenseIndex(arrays))
        return IndexView(
            lexical, dense, hidden=hidden_states(truth, number), languages=languages(truth, number),
            bm25=self.bm25,
        )  # fmt: skip

    def _arrays(self, row: SegmentRow) -> Arrays:
        with self._lock:
            arrays = self._opened.get(row.file)
        if arrays is None:
            arrays = open_segment(self._folder, row)
            with self._lock:
                self._opened[row.file] = arrays
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
                encoder, identity, dim = encoder_of(self._truth)
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

    def export(self, file: Path | str, *, kept: bool = True) -> int:
        """Write the corpus to one portable file; gives its size in bytes.

        Without `kept`, conversations and manuscripts that lie beside it stay behind.
        """
        return export_corpus(self._folder, Path(file), kept=kept)

    def doctor(self, *, repair: bool = False) -> list[Finding]:
        """What is wrong, worst first; with `repair`, what could be mended is."""
        return doctor(self._folder, repair=repair)

    def optimize(self, *, keep: int = 1) -> Forgotten:
        """Keep the newest `keep` versions and all tagged ones; merge indexes; reclaim room."""
        with self.writer() as writer:
            return writer.forget(keep=keep)


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
