"""A corpus as one portable file, and back.

The file is a zip archive: `manifest.json` (the format's number, counts, the encoder's identity, and
size and SHA-256 of every other member), `corpus.db`, the truth as an SQLite database without
derived indexes, which an import builds anew, and under `kept/` what people keep beside it
(conversations, manuscripts). All is read on every platform. Law: import(export(corpus)) holds what
the corpus held, versions and tags and vectors included; a file that was altered or cut off is
refused and leaves nothing behind.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import time
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from ragstone.corpus.arrays import sync_folder
from ragstone.corpus.rebuilding import rebuild
from ragstone.corpus.schema import BROKEN, DATABASE, FORMAT, connect, damaged
from ragstone.corpus.scratch import scratch_folder
from ragstone.corpus.segments import FOLDER
from ragstone.errors import CorpusError, UsageError

MANIFEST = "manifest.json"
KIND = "ragstone corpus"
KEPT = "kept"
_BLOCK = 1 << 20


def export_corpus(folder: Path, file: Path, *, kept: bool = True) -> int:
    """Write the corpus in `folder` to `file`, whole or not at all; gives its size in bytes.

    One committed state is exported, whatever a writer does meanwhile. Without `kept`, what people
    keep beside the corpus stays behind (conversations may be private). Raises CorpusError.
    """
    target = file.expanduser().absolute()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with scratch_folder(target.parent, "export") as scratch:
            database = scratch / DATABASE
            _copy_truth(folder, database)
            packed = scratch / "packed"
            _pack(folder if kept else None, database, packed)
            packed.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        raise CorpusError(
            f"Cannot write the export {target}: {error.strerror or error}.",
            remedy="Make room or permission for it, and run the command again.",
        ) from error
    return target.stat().st_size


def kept_files(folder: Path) -> list[Path]:
    """What people keep beside the corpus: files in folders other than its own, none temporary."""
    found = []
    for file in sorted(folder.rglob("*")):
        parts = file.relative_to(folder).parts
        temporary = any(part.startswith(".") for part in parts)
        if len(parts) > 1 and parts[0] != FOLDER and not temporary and file.is_file():
            found.append(file)
    return found


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


def _pack(folder: Path | None, database: Path, packed: Path) -> None:
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
    kept: dict[str, dict[str, int | str]] = {}
    with packed.open("wb") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for path in kept_files(folder) if folder else ():
                try:
                    content = path.read_bytes()
                except FileNotFoundError:  # deleted meanwhile
                    continue
                name = f"{KEPT}/{path.relative_to(folder or path).as_posix()}"
                sha256 = hashlib.sha256(content).hexdigest()
                kept[name] = {"size_bytes": len(content), "sha256": sha256}
                archive.writestr(name, content)
            archive.write(database, DATABASE)
            archive.writestr(MANIFEST, json.dumps(manifest | {"files": kept}, indent=1))
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
    if not source.exists():
        raise UsageError(f"There is no file {source}.", remedy="Check the path.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with scratch_folder(target.parent, "import") as scratch:
            made = scratch / "corpus"
            (made / FOLDER).mkdir(parents=True)
            _unpack(source, made)
            _index(made)
            if target.exists():
                target.rmdir()
            made.replace(target)
        sync_folder(target.parent)
    except (OSError, EOFError) as error:
        raise CorpusError(
            f"Cannot import {source} into {target}: {getattr(error, 'strerror', None) or error}.",
            remedy="Check that both can be read and written, and that there is room.",
        ) from error


def _unpack(source: Path, folder: Path) -> None:
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
            _member(archive, DATABASE, manifest, folder / DATABASE)
            for name, expected in manifest.get("files", {}).items():
                _member(archive, name, expected, folder / _place(name))
    except (zipfile.BadZipFile, KeyError, ValueError, AttributeError, NotImplementedError) as error:
        raise CorpusError(f"{source} is not an export, or is damaged.", remedy=remedy) from error
    except (zlib.error, EOFError) as error:
        raise CorpusError(f"{source} is damaged: {error}.", remedy=remedy) from error


def _member(
    archive: zipfile.ZipFile, name: str, expected: Mapping[str, object], target: Path
) -> None:
    """Unpack one member. Raises ValueError where it is not what the manifest says."""
    if archive.getinfo(name).file_size != expected["size_bytes"]:
        raise ValueError(f"the size of {name}")
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(name) as packed, target.open("xb") as out:
        shutil.copyfileobj(packed, out, _BLOCK)
        out.flush()
        os.fsync(out.fileno())
    if _sha256(target) != expected["sha256"]:
        raise ValueError(f"the checksum of {name}")


def _place(name: str) -> PurePosixPath:
    """Where a kept file goes, below the corpus's folder. Raises ValueError for a way out of it."""
    first, *parts = PurePosixPath(name).parts
    wrong = [p for p in parts if p.startswith(".") or any(c in p for c in '\\:*?"<>|')]
    if first != KEPT or not parts or wrong or parts[0] in {FOLDER, DATABASE}:
        raise ValueError(f"the name {name}")
    return PurePosixPath(*parts)


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
