"""From a path to its documents: detect the format, open the bytes, hand them to the parser.

Detection: the first bytes decide where they are unmistakable (PDF, images, RTF, zip and OLE
containers), whatever the extension says; then the extension; then how a text begins; what is
left is plain text if it decodes as text, else it is refused. Gzip is unwrapped in a stream.

Law: whatever a parser meets, only DocumentError comes out, naming the source and the remedy; at
least one document with text comes out, or an error. Must not know any format's inside.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ragstone.documents.formats import (
    BY_EXTENSION,
    BY_FILENAME,
    BY_NAME,
    Format,
    by_first_words,
    by_magic,
    is_ole,
    is_zip,
)
from ragstone.documents.limits import Limits
from ragstone.documents.raw import Raw, Reading, Recogniser
from ragstone.errors import DocumentError, RagstoneError
from ragstone.text.language import detect_language
from ragstone.types import Document

_GZIP = b"\x1f\x8b\x08"


def read(
    path: Path,
    *,
    source: str | None = None,
    limits: Limits = Limits(),  # noqa: B008 (frozen)
    ocr: Recogniser | None = None,
) -> Iterator[Document]:
    """The documents in the file at `path`, in order, lazily.

    `source` is what the documents say of where they come from (default: the absolute path);
    several documents of one file (rows with ids, parts, attachments) have `source#part`.
    Raises DocumentError for what cannot be read: missing, empty, broken, locked with a password,
    of no known format, beyond the limits.
    """
    return read_raw(open_path(path, source=source, limits=limits), ocr=ocr)


def open_path(path: Path, *, source: str | None = None, limits: Limits) -> Raw:
    """The file's bytes as a Raw; gzip is noticed by its first bytes."""
    name = path.name
    raw = Raw(source or str(path.absolute()), name, path=path, limits=limits)
    if path.is_dir():
        raise DocumentError(
            f"{raw.source} is a folder, not a file.", remedy="Name the files in it, or sync it."
        )
    return unwrap(raw)


def unwrap(raw: Raw) -> Raw:
    """The same source seen through gzip where it is packed with it. Raises DocumentError."""
    if raw.stored_bytes == 0:
        raise DocumentError(
            f"{raw.source} is empty (zero bytes).", remedy="Remove it, or write it again."
        )
    if raw.packed or not raw.head(3).startswith(_GZIP):
        return raw
    name = raw.name
    if name.lower().endswith(".gz"):
        name = name[:-3]
    elif name.lower().endswith(".svgz"):
        name = name[:-1]
    return replace(raw, name=name, packed=True)


def read_raw(raw: Raw, *, ocr: Recogniser | None = None) -> Iterator[Document]:
    """The documents in these bytes; see `read`."""
    if raw.depth > raw.limits.max_attachments_deep:
        raise DocumentError(
            f"{raw.source} lies {raw.depth} files deep inside another, the most is "
            f"{raw.limits.max_attachments_deep}.",
            remedy="Save it as a file of its own and add that.",
        )
    known = detect(raw)

    def inside(part: Raw) -> Iterator[Document]:
        return read_raw(unwrap(part), ocr=ocr)

    reading = Reading(raw.limits, inside, ocr)
    parse = known.load()
    found = False
    try:
        for document in parse(raw, reading):
            if document.text.strip() or document.id:
                found = True
                # what a file does not say of its language is told by its words
                language = document.language or detect_language(document.text)
                yield replace(document, language=language)
    except RagstoneError:
        raise
    except MemoryError as error:
        raise DocumentError(
            f"{raw.source} needs more memory than there is to be read as {known.name}.",
            remedy="Split it, or read it on a larger machine.",
        ) from error
    except Exception as error:
        # A library tripped over broken content in a way that its parser did not foresee. This stays
        # wide on purpose: lxml, pdfium, calamine, zipfile, email and their like raise some forty
        # kinds of errors (struct.error, KeyError, RecursionError, zlib.error, ...) for files that
        # are cut off, and one such file must not end the run of the others. A mistake of ours is
        # not hidden by it: the error is named in the message, and kept as the cause.
        raise DocumentError(
            f"{raw.source} cannot be read as {known.name}: {type(error).__name__}: {error}.",
            remedy="Open it in its own program and save it again.",
        ) from error
    if not found:
        raise DocumentError(
            f"{raw.source} holds no text (read as {known.name}).",
            remedy="If it is a picture or a scan, install OCR with `pip install ragstone[ocr]`."
            if known.name in ("image", "pdf")
            else "If it should, open it in its own program and look; pictures of text can be "
            "saved as images or PDF and added.",
        )


def detect(raw: Raw) -> Format:
    """The format of these bytes. Raises DocumentError for a binary that is none we know."""
    head = raw.head()
    if not head:
        raise DocumentError(f"{raw.source} is empty.", remedy="Remove it, or write it again.")
    named = BY_FILENAME.get(raw.name.lower()) or BY_EXTENSION.get(raw.extension)
    found = by_magic(head)
    if found is None and is_zip(head):
        found = _in_zip(raw)
    if found is None and is_ole(head):
        found = _in_ole(raw, named)
    if found is not None:
        # sheets of one parser keep the more telling name
        return named if named is not None and named.parser == found.parser else found
    if named is not None:
        if named.binary:
            return by_first_words(head) or named
        return named
    sniffed = by_first_words(head)
    if sniffed is not None:
        return sniffed
    if _is_binary(head):
        raise DocumentError(
            f"{raw.source} is a binary file of no format that can be read "
            f"(it begins with {head[:8].hex(' ')}).",
            remedy="Convert it to PDF, HTML, a text or an office format.",
        )
    return BY_NAME["text"]


def _in_zip(raw: Raw) -> Format | None:
    """The office or e-book format inside a zip archive; an unknown archive is refused."""
    try:
        with raw.open() as stream, zipfile.ZipFile(stream) as archive:
            names = set(archive.namelist())
            mimetype = archive.read("mimetype")[:100] if "mimetype" in names else b""
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError) as error:
        raise DocumentError(
            f"{raw.source} is a damaged zip container: {error}.",
            remedy="Fetch it again, or open it in its own program and save it again.",
        ) from error
    if mimetype.startswith(b"application/epub"):
        return BY_NAME["epub"]
    for ending, name in ((b"spreadsheet", "ods"), (b"presentation", "odp"), (b"text", "odt")):
        if mimetype.startswith(b"application/vnd.oasis.opendocument." + ending):
            return BY_NAME[name]
    for folder, name in (("word/", "docx"), ("ppt/", "pptx"), ("xl/", "xlsx")):
        if any(member.startswith(folder) for member in names):
            return BY_NAME[name]
    if "META-INF/container.xml" in names:
        return BY_NAME["epub"]
    raise DocumentError(
        f"{raw.source} is a zip archive of {len(names)} files, none of an office format.",
        remedy="Unpack it and add the files.",
    )


def _in_ole(raw: Raw, named: Format | None) -> Format:
    """Which of the old office formats it is, by the names of its streams."""
    data = raw.read()

    def holds(stream: str) -> bool:
        return stream.encode("utf-16-le") in data

    if holds("EncryptedPackage"):
        raise DocumentError(
            f"{raw.source} is locked with a password.",
            remedy="Open it, remove the password and save it again.",
        )
    for stream, name in (
        ("__properties_version1.0", "msg"),
        ("PowerPoint Document", "ppt"),
        ("WordDocument", "doc"),
        ("Workbook", "xls"),
    ):
        if holds(stream):
            return BY_NAME[name]
    if named is not None and named.name in ("xls", "doc", "ppt", "msg"):
        return named
    raise DocumentError(
        f"{raw.source} is an OLE container without a document, sheet, slides or message.",
        remedy="Open it in its own program and save it as PDF or an office format.",
    )


def _is_binary(head: bytes) -> bool:
    """Whether bytes are no text in any encoding: NULs outside UTF-16/32, many controls."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")):
        return False
    if b"\x00" in head:
        # UTF-16 without a mark: the NULs stand all at even or all at odd places
        even, odd = head[0::2].count(0), head[1::2].count(0)
        if max(even, odd) < 0.3 * len(head) / 2 or min(even, odd) > 0.02 * len(head):
            return True
        text = head[: len(head) // 2 * 2].decode(
            "utf-16-be" if even > odd else "utf-16-le", "replace"
        )
        return sum(not c.isprintable() and not c.isspace() for c in text) > 0.02 * len(text)
    controls = sum(byte < 32 and byte not in (9, 10, 11, 12, 13, 27) for byte in head)
    return controls > 0.02 * len(head)
