"""A corpus as one portable file, and back.

The file is a zip archive of two members: `manifest.json` (the format's number, counts, the
encoder's identity, size and SHA-256 of the other member) and `corpus.db`, the truth as an SQLite
database without derived indexes, which an import builds anew. Both are read on every platform.
Law: import(export(corpus)) holds what the corpus held, versions and tags and vectors included; a
file that was altered or cut off is refused and leaves nothing behind.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
import time
import zipfile
from pathlib import Path

from ragstone.corpus.arrays import sync_folder
from ragstone.corpus.rebuilding import rebuild
from ragstone.corpus.schema import BROKEN, DATABASE, FORMAT, connect, damaged
from ragstone.corpus.segments import FOLDER
from ragstone.errors import CorpusError, UsageError

MANIFEST = "manifest.json"
KIND = "ragstone corpus"
_BLOCK = 1 << 20


def export_corpus(folder: Path, file: Path) -> int:
    """Write the corpus in `folder` to `file`, whole or not at all; gives its size in bytes.

    One committed state is exported, whatever a writer does meanwhile. Raises CorpusError.
    """
    target = file.expanduser().absolute()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".ragstone-export-", dir=target.parent) as scratch:
            database = Path(scratch) / DATABASE
            _copy_truth(folder, database)
            packed = Path(scratch) / "packed"
            _pack(database, packed)
            packed.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        raise CorpusError(
            f"Cannot write the export {target}: {error.strerror or error}.",
            remedy="Make room or permission for it, and run the command again.",
        ) from error
    return target.stat().st_size


def _copy_truth(folder: Path, database: Path) -> None:
    source = connect(folder / DATABASE, write=False)
    try:
        source.execute("PRAGMA query_only = OFF")  # VACUUM INTO writes to the other file alone
        source.execute("VACUUM INTO ?", (str(database),))
    except BROKEN as error:
        raise damaged(folder / DATABASE, error) from error
    finally:
        source.close()
    copy = sqlite3.connect(database)
    try:
        copy.execute("DELETE FROM segments")
        copy.commit()
    finally:
        copy.close()


def _pack(database: Path, packed: Path) -> None:
    connection = connect(database, write=False)
    try:
        identity, dim = connection.execute(
            "SELECT identity, dim FROM encoders "
            "WHERE id = (SELECT CAST(value AS INTEGER) FROM settings WHERE name = 'encoder')"
        ).fetchone()
        version, documents, passages = connection.execute(
            "SELECT number, documents, passages FROM versions ORDER BY number DESC LIMIT 1"
        ).fetchone() or (0, 0, 0)
    finally:
        connection.close()
    manifest = {
        "kind": KIND, "format": FORMAT, "created": time.time(), "version": version,
        "documents": documents, "passages": passages, "encoder": identity, "dim": dim,
        "size_bytes": database.stat().st_size, "sha256": _sha256(database),
    }  # fmt: skip
    with packed.open("wb") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.writestr(MANIFEST, json.dumps(manifest, indent=1))
            archive.write(database, DATABASE)
        file.flush()
        os.fsync(file.fileno())


def import_corpus(file: Path, folder: Path) -> None:
    """Make the corpus of an export in the new folder `folder`, whole or not at all.

    Raises UsageError for a folder that is in use, CorpusError for a file that is no export, is
    damaged, or of another format.
    """
    target = folder.expanduser().absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(
            f"{target} is not empty.", remedy="Import into a new folder, named with --corpus."
        )
    source = file.expanduser()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".ragstone-import-", dir=target.parent))
    except OSError as error:
        raise CorpusError(f"Cannot make {target}: {error.strerror or error}.") from error
    try:
        made = scratch / "corpus"
        (made / FOLDER).mkdir(parents=True)
        _unpack(source, made / DATABASE)
        _index(made)
        if target.exists():
            target.rmdir()
        made.replace(target)
        sync_folder(target.parent)
    except FileNotFoundError as error:
        raise UsageError(f"There is no file {source}.", remedy="Check the path.") from error
    except (OSError, EOFError) as error:
        raise CorpusError(f"Cannot import {source}: {error}.") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _unpack(source: Path, database: Path) -> None:
    remedy = "Copy the export again, or export anew."
    try:
        with zipfile.ZipFile(source) as archive:
            manifest = json.loads(archive.read(MANIFEST))
            if manifest.get("kind") != KIND:
                raise CorpusError(f"{source} is not an export of a corpus.", remedy=remedy)
            if manifest["format"] != FORMAT:
                raise CorpusError(
                    f"{source} has the format {manifest['format']}; this ragstone reads {FORMAT}.",
                    remedy="Import it with the release of ragstone that wrote it.",
                )
            if archive.getinfo(DATABASE).file_size != manifest["size_bytes"]:
                raise CorpusError(f"{source} is damaged: its size does not fit.", remedy=remedy)
            with archive.open(DATABASE) as packed, database.open("wb") as out:
                shutil.copyfileobj(packed, out, _BLOCK)
                out.flush()
                os.fsync(out.fileno())
    except (zipfile.BadZipFile, KeyError, ValueError, AttributeError, NotImplementedError) as error:
        raise CorpusError(f"{source} is not an export, or is damaged.", remedy=remedy) from error
    except Exception as error:
        if type(error).__module__ == "zlib":
            raise CorpusError(f"{source} is damaged: {error}.", remedy=remedy) from error
        raise
    if _sha256(database) != manifest["sha256"]:
        raise CorpusError(f"{source} is damaged: its checksum does not fit.", remedy=remedy)


def _index(folder: Path) -> None:
    connection = connect(folder / DATABASE, write=True)
    try:
        encoder, dim = connection.execute(
            "SELECT id, dim FROM encoders "
            "WHERE id = (SELECT CAST(value AS INTEGER) FROM settings WHERE name = 'encoder')"
        ).fetchone()
        connection.execute("BEGIN IMMEDIATE")
        rebuild(folder, connection, encoder, dim)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except BROKEN as error:
        raise damaged(folder / DATABASE, error) from error
    finally:
        connection.close()


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
