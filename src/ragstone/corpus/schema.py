"""The truth on disk: tables, pragmas, format version, and opening a connection.

Law: `application_id` says that a file is ours, `user_version` says in which format; a file of
another format is never written to. Rows of `documents` are STATES: from version `added` on, until
version `removed` (exclusive). Knows nothing of indexes.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from ragstone.corpus.where import as_number
from ragstone.errors import CorpusError

APPLICATION_ID = 0x52475354  # "RGST"
FORMAT = 1
DATABASE = "corpus.db"

# What SQLite, and Python around it, raise on a file whose bytes were altered.
BROKEN = (sqlite3.DatabaseError, UnicodeDecodeError, OverflowError)

TABLES = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE encoders (
    id INTEGER PRIMARY KEY, identity TEXT NOT NULL UNIQUE, dim INTEGER NOT NULL
);
CREATE TABLE versions (
    number INTEGER PRIMARY KEY, created REAL NOT NULL, note TEXT NOT NULL,
    documents INTEGER NOT NULL, passages INTEGER NOT NULL
);
CREATE TABLE tags (
    name TEXT PRIMARY KEY, version INTEGER NOT NULL REFERENCES versions (number)
) WITHOUT ROWID;
CREATE TABLE contents (
    id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, elements BLOB NOT NULL
);
CREATE TABLE blocks (
    content INTEGER NOT NULL REFERENCES contents (id), start INTEGER NOT NULL,
    body BLOB NOT NULL, PRIMARY KEY (content, start)
) WITHOUT ROWID;
CREATE TABLE documents (
    state INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL, source TEXT NOT NULL, origin TEXT NOT NULL, title TEXT NOT NULL,
    format TEXT NOT NULL, language TEXT NOT NULL, date TEXT NOT NULL, metadata TEXT NOT NULL,
    content INTEGER NOT NULL REFERENCES contents (id), text_hash BLOB NOT NULL,
    characters INTEGER NOT NULL, passages INTEGER NOT NULL, fingerprint BLOB NOT NULL,
    checksum INTEGER NOT NULL, added INTEGER NOT NULL, removed INTEGER
);
CREATE UNIQUE INDEX one_live_state ON documents (id) WHERE removed IS NULL;
CREATE INDEX documents_by_id ON documents (id, added);
CREATE INDEX documents_by_origin ON documents (origin) WHERE removed IS NULL;
CREATE INDEX documents_by_source ON documents (source);
CREATE INDEX documents_removed ON documents (removed) WHERE removed IS NOT NULL;
CREATE INDEX documents_added ON documents (added);
CREATE INDEX documents_by_language ON documents (language, removed, added);
CREATE INDEX documents_by_content ON documents (content);
CREATE TABLE passages (
    key INTEGER PRIMARY KEY AUTOINCREMENT, state INTEGER NOT NULL REFERENCES documents (state),
    start INTEGER NOT NULL, "end" INTEGER NOT NULL, headings TEXT NOT NULL, page INTEGER,
    embedding INTEGER NOT NULL REFERENCES embeddings (id), checksum INTEGER NOT NULL
);
CREATE INDEX passages_by_state ON passages (state);
CREATE TABLE embeddings (id INTEGER PRIMARY KEY AUTOINCREMENT, hash BLOB NOT NULL UNIQUE);
CREATE TABLE vectors (
    encoder INTEGER NOT NULL REFERENCES encoders (id),
    embedding INTEGER NOT NULL REFERENCES embeddings (id),
    scale REAL NOT NULL, codes BLOB NOT NULL, PRIMARY KEY (encoder, embedding)
) WITHOUT ROWID;
CREATE TABLE sources (
    path TEXT PRIMARY KEY, root TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    inode INTEGER NOT NULL, hash BLOB NOT NULL, recipe TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE failures (
    source TEXT PRIMARY KEY, root TEXT NOT NULL, reason TEXT NOT NULL, remedy TEXT NOT NULL,
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, recipe TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE segments (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, encoder INTEGER, file TEXT NOT NULL,
    rows INTEGER NOT NULL, first_key INTEGER NOT NULL, last_key INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL
);
"""


def create_database(path: Path, encoder_identity: str, dim: int) -> None:
    """Make an empty truth under a temporary name, then give it its name: whole or not at all.

    Raises CorpusError where the disk does not take it.
    """
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    connection = sqlite3.connect(temporary)
    try:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA synchronous = FULL")
        connection.executescript("BEGIN;" + TABLES)
        connection.execute("INSERT INTO encoders VALUES (1, ?, ?)", (encoder_identity, dim))
        connection.execute("INSERT INTO settings VALUES ('encoder', '1')")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {FORMAT}")
        connection.commit()
    except sqlite3.OperationalError as error:
        raise CorpusError(
            f"Cannot make a corpus in {path.parent}: {error}.",
            remedy="Make room on the disk, or choose another folder with --corpus.",
        ) from error
    finally:
        connection.close()
    temporary.replace(path)


def connect(path: Path, *, write: bool) -> sqlite3.Connection:
    """Open the truth; a reader can write nothing. The connection is in autocommit mode.

    Raises CorpusError when the file is missing, not ours, or of another format.
    """
    if not path.is_file():
        raise CorpusError(
            f"There is no corpus in {path.parent}.",
            remedy="Make one with `ragstone sync PATH...`, or name another with --corpus.",
        )
    try:
        connection = _opened(path, "rw" if write else "ro")
        try:
            connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        except sqlite3.OperationalError:
            # A reader of a WAL database needs its shared memory, which a folder without write
            # permission refuses; where nobody can write, the file alone is the whole truth.
            connection.close()
            if write or os.access(path.parent, os.W_OK):
                raise
            connection = _opened(path, "ro&immutable=1")
        _check_format(connection, path)
        connection.create_function("as_number", 1, as_number, deterministic=True)
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA cache_size = -32768")
        if write:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
        else:
            connection.execute("PRAGMA query_only = ON")
    except BROKEN as error:
        raise damaged(path, error) from error
    return connection


def _opened(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True, timeout=30.0, isolation_level=None, check_same_thread=False,
    )  # fmt: skip


def _check_format(connection: sqlite3.Connection, path: Path) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        connection.close()
        raise CorpusError(
            f"{path} is not a ragstone corpus (application id {application:#x}).",
            remedy="Name the corpus's folder with --corpus, or choose a new one.",
        )
    if version != FORMAT:
        connection.close()
        raise CorpusError(
            f"The corpus in {path.parent} has format {version}; this ragstone reads {FORMAT}.",
            remedy="Use the release of ragstone that made it, or make the corpus anew with `sync`.",
        )


def damaged(path: Path, error: Exception) -> CorpusError:
    """The error for what SQLite cannot do, with the remedy that fits its reason."""
    reason = str(error)
    remedy = "Run `ragstone doctor`; restore an export, or make the corpus anew with `sync`."
    if "full" in reason or "I/O" in reason:
        remedy = "Make room on the disk and run the command again: what was committed is safe."
    elif "locked" in reason or "busy" in reason:
        remedy = "Another program holds the file; run the command again."
    elif "readonly" in reason or "unable to open" in reason:
        remedy = "Check that you may write to the corpus's folder, and that its disk is there."
    return CorpusError(f"The corpus's database {path} cannot be used: {reason}.", remedy=remedy)
