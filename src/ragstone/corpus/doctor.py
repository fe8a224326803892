"""`doctor`: what is wrong with a corpus, how bad it is, and what mends it.

Severity: "error" (answers may be missing or refused), "warning" (works, but needs a hand), "note"
(worth knowing). `repair` mends what can be mended without loss: indexes are built anew from the
truth, orphans are deleted, and a document whose text is damaged is marked, so that the next `sync`
reads its source again. Law: looking changes nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from ragstone.corpus import rows as row
from ragstone.corpus.arrays import Arrays, open_arrays
from ragstone.corpus.schema import BROKEN, DATABASE, connect
from ragstone.corpus.segments import FOLDER, SegmentRow, analysis_name, segment_rows
from ragstone.corpus.sessions import Sessions
from ragstone.corpus.stored import stored_elements, stored_text
from ragstone.errors import CorpusError, UsageError

Severity = Literal["error", "warning", "note"]
_REPAIR = "Run `ragstone doctor --repair`."
_LISTED = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: how bad, what it is, what to do; `mended` says that it was repaired."""

    severity: Severity
    what: str
    remedy: str = ""
    mended: bool = False


@dataclass(frozen=True, slots=True)
class Examination:
    """Findings, and what a repair needs to know of them."""

    findings: tuple[Finding, ...]
    rebuild: bool  # the indexes must be built anew
    damaged: tuple[int, ...]  # states whose text, structure or rows do not fit their checksums


def examine(folder: Path) -> Examination:
    """Look at everything. A corpus that cannot be opened at all is one finding."""
    findings: list[Finding] = []
    try:
        connection = connect(folder / DATABASE, write=False)
    except CorpusError as error:
        return Examination((Finding("error", error.what, error.remedy),), False, ())
    try:
        connection.execute("BEGIN")
        broken = _integrity(connection)
        if broken:
            findings.append(
                Finding(
                    "error",
                    f"The database is damaged: {broken}.",
                    "Restore an export (`ragstone import`), or make the corpus anew with `sync`.",
                )
            )
        index = list(_indexes(folder, connection))
        damaged = _damaged(connection)
        findings += index
        findings += _documents(connection, damaged)
        findings += _orphans(folder, connection)
        findings += _sources(connection)
        findings += _sessions(folder)
    except BROKEN as error:
        findings.append(
            Finding(
                "error",
                f"The database is damaged: {error}.",
                "Restore an export (`ragstone import`), or make the corpus anew with `sync`.",
            )
        )
        return Examination(tuple(findings), False, ())
    finally:
        connection.close()
    rebuild = any(finding.remedy == _REPAIR for finding in index)
    return Examination(tuple(findings), rebuild, tuple(damaged))


def _integrity(connection: sqlite3.Connection) -> str:
    (result,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if result != "ok":
        return str(result)
    broken = connection.execute("PRAGMA foreign_key_check").fetchone()
    return f"a row of {broken[0]} points to nothing" if broken else ""


def _indexes(folder: Path, connection: sqlite3.Connection) -> Iterator[Finding]:
    encoder, dim = connection.execute(
        "SELECT id, dim FROM encoders "
        "WHERE id = (SELECT CAST(value AS INTEGER) FROM settings WHERE name = 'encoder')"
    ).fetchone()
    rows = segment_rows(connection)
    lexical: dict[tuple[int, int], Arrays] = {}
    dense: dict[tuple[int, int], Arrays] = {}
    stale = 0
    for segment in rows:
        try:
            arrays = open_arrays(folder / FOLDER / segment.file)
        except FileNotFoundError:
            yield Finding("error", f"The index file {segment.file} is missing.", _REPAIR)
            continue
        except CorpusError as error:
            yield Finding("error", error.what, _REPAIR)
            continue
        if segment.kind == "lexical":
            lexical[segment.first_key, segment.rows] = arrays
            stale += arrays.meta.get("analysis") != analysis_name()
        elif segment.encoder == encoder:
            dense[segment.first_key, segment.rows] = arrays
            yield from _vectors(segment, arrays, dim)
    if stale:
        yield Finding(
            "warning",
            f"{stale} full-text files were made by another release, which took texts apart "
            "otherwise: some words may not be found.",
            _REPAIR,
        )
    held = [key for (key,) in connection.execute("SELECT key FROM passages ORDER BY key")]
    keys = [arrays["keys"] for arrays in lexical.values()]
    indexed = np.sort(np.concatenate(keys)) if keys else np.zeros(0, np.int64)
    if not np.array_equal(indexed, np.array(held, dtype=np.int64)):
        yield Finding(
            "error",
            f"The full-text index holds {len(indexed)} passages, the database {len(held)}.",
            _REPAIR,
        )
    if set(lexical) != set(dense):
        yield Finding("error", "The vectors' files do not fit the full-text files.", _REPAIR)
    missing, wrong = connection.execute(
        "SELECT COALESCE(SUM(vectors.codes IS NULL), 0), "
        "COALESCE(SUM(length(vectors.codes) <> ?), 0) FROM embeddings "
        "LEFT JOIN vectors ON vectors.embedding = embeddings.id AND vectors.encoder = ?",
        (dim, encoder),
    ).fetchone()
    if missing or wrong:
        yield Finding(
            "error",
            f"{missing} vectors are missing and {wrong} have another length than {dim}.",
            "Run `ragstone reembed` with the corpus's encoder: it makes them anew.",
        )


def _vectors(segment: SegmentRow, arrays: Arrays, dim: int) -> Iterator[Finding]:
    codes, scales = arrays["codes"], arrays["scales"].view(np.float32)
    if codes.shape != (segment.rows, dim):
        yield Finding(
            "error", f"{segment.file} holds vectors of the shape {codes.shape}, not "
            f"{(segment.rows, dim)}.", _REPAIR,
        )  # fmt: skip
    elif not np.isfinite(scales).all():
        yield Finding("error", f"{segment.file} holds vectors that are not finite.", _REPAIR)


def _damaged(connection: sqlite3.Connection) -> list[int]:
    """States of which some part does not fit its checksum."""
    damaged: list[int] = []
    for item in connection.execute(
        f"SELECT content, {row.DOCUMENT_COLUMNS} FROM documents ORDER BY state"
    ).fetchall():
        content, state = item[0], item[1]
        try:
            info = row.document_info(item[1:])
            text = stored_text(connection, content)
            stored_elements(connection, content)  # raises where it cannot be read
            passages = connection.execute(
                'SELECT start, "end", headings, page, checksum FROM passages WHERE state = ?',
                (state,),
            ).fetchall()
            fits = row.text_hash(text).hex() == info.content_hash
            fits = fits and len(passages) == info.passages
            fits = fits and all(
                row.checksum_of(state, start, end, headings, page, text[start:end]) == checksum
                for start, end, headings, page, checksum in passages
            )
        except (CorpusError, TypeError, ValueError):
            fits = False
        if not fits:
            damaged.append(state)
    return damaged


def _documents(connection: sqlite3.Connection, damaged: list[int]) -> Iterator[Finding]:
    (head,) = connection.execute("SELECT COALESCE(MAX(number), 0) FROM versions").fetchone()
    for state in damaged[:_LISTED]:
        source, removed = connection.execute(
            "SELECT source, removed FROM documents WHERE state = ?", (state,)
        ).fetchone()
        if removed is None:
            yield Finding(
                "error",
                f"The stored text of {source} does not fit its checksum.",
                f"{_REPAIR} Then `ragstone sync` reads its source again.",
            )
        else:
            yield Finding(
                "warning",
                f"An older state of {source} does not fit its checksum.",
                "`ragstone optimize --keep 1` forgets old versions.",
            )
    if len(damaged) > _LISTED:
        yield Finding("error", f"{len(damaged) - _LISTED} more documents are damaged.", _REPAIR)
    (pending,) = connection.execute(
        "SELECT COUNT(*) FROM documents WHERE added > ?1 OR removed > ?1", (head,)
    ).fetchone()
    if pending:
        yield Finding(
            "warning",
            f"A sync was stopped: {pending} changes are stored and not yet published.",
            "Run `ragstone sync` again: it goes on from there.",
        )


def _orphans(folder: Path, connection: sqlite3.Connection) -> Iterator[Finding]:
    named = {segment.file for segment in segment_rows(connection)}
    there = folder / FOLDER
    orphans = [file for file in there.iterdir() if file.name not in named] if there.is_dir() else []
    if orphans:
        size = sum(file.stat().st_size for file in orphans)
        yield Finding(
            "note",
            f"{len(orphans)} files ({size} bytes) of an interrupted run are left over.",
            "The next write deletes them, or `ragstone doctor --repair`.",
        )


def _is_there(path: str) -> bool:
    try:
        return Path(path).exists()
    except OSError:  # it may not be looked at: then it is not known to be gone
        return True


def _sessions(folder: Path) -> Iterator[Finding]:
    sessions = Sessions(folder)
    for info in sessions.list():
        try:
            sessions.load(info.name)
        except (CorpusError, UsageError) as error:
            yield Finding("warning", error.what, error.remedy)


def _sources(connection: sqlite3.Connection) -> Iterator[Finding]:
    paths = [path for (path,) in connection.execute("SELECT path FROM sources ORDER BY path")]
    gone = [path for path in paths if not _is_there(path)]
    if len(gone) > 1 and len(gone) == len(paths):
        yield Finding(
            "warning",
            f"None of the {len(gone)} sources is on this machine, {gone[0]} first.",
            "If a disk should be mounted, mount it. If the corpus was made elsewhere, it can be "
            "asked; to go on with it here, sync the old and the new folder with --confirm-missing.",
        )
        gone = []
    for path in gone[:_LISTED]:
        yield Finding(
            "warning",
            f"The source {path} is gone; its documents are still found.",
            "Run `ragstone sync` on its folder to take them out.",
        )
    if len(gone) > _LISTED:
        yield Finding("warning", f"{len(gone) - _LISTED} more sources are gone.")
    for source, reason, remedy in connection.execute(
        "SELECT source, reason, remedy FROM failures ORDER BY source"
    ):
        yield Finding("warning", f"{source} could not be read: {reason}", remedy)
