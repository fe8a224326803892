"""How large a workbook really is, before a reader lays it out in memory.

Law: no workbook whose used rectangle exceeds MAX_CELLS, or which unpacks beyond the limits, gets
past this. Knows the sizes of cells' addresses, not their values.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

from ragstone.documents.raw import Raw
from ragstone.errors import DocumentError

MAX_CELLS = 20_000_000  # of one sheet's used rectangle: about 1 GB in calamine
_BLOCK_BYTES = 1 << 20
_ROW = re.compile(rb'<(?:\w+:)?row [^>]{0,200}?\br="(\d+)"')
_WIDE = re.compile(rb'\br="([A-Z]{2,3})\d+"')
_FILLED = re.compile(
    rb'<(?:\w+:)?c [^>]{0,200}?\br="([A-Z]{1,3})(\d+)"[^>]{0,200}>\s*<(?:\w+:)?(?:v|is|f)\b'
)
_REPEAT = re.compile(rb'number-(rows|columns)-repeated="(\d+)"')


def check_size(raw: Raw) -> None:
    """Raises DocumentError where the workbook is a bomb or its cells lie too far apart."""
    if not raw.head(4).startswith(b"PK"):
        return
    unpacked = 0
    try:
        with raw.open() as stream, zipfile.ZipFile(stream) as archive:
            for member in archive.infolist():
                bound = max(
                    raw.limits.free_bytes, raw.limits.max_ratio * max(1, member.compress_size)
                )
                sheet = "worksheets/" in member.filename and member.filename.endswith(".xml")
                rows = columns = size = 0
                with archive.open(member) as part:
                    for block in _blocks(part):
                        size += len(block)
                        if size > bound or unpacked + size > 8 * raw.limits.max_whole_bytes:
                            raise DocumentError(
                                f"{raw.source} unpacks to more than it may: {member.filename} has "
                                f"over {size:,} bytes, packed in {member.compress_size:,}.",
                                remedy="It looks like a decompression bomb; if you trust it, save "
                                "its sheets as CSV.",
                            )
                        if sheet:
                            rows = max(rows, _last_row(block))
                            columns = max(columns, _last_column(block))
                        elif member.filename == "content.xml":
                            _check_repeats(raw, block)
                unpacked += size
                if rows * max(26, columns) > MAX_CELLS:
                    with archive.open(member) as part:
                        _check_filled(raw, member.filename, part)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
        raise DocumentError(
            f"{raw.source} is damaged: {error}.",
            remedy="Open it in a spreadsheet program and save it again.",
        ) from error


def _blocks(part: IO[bytes]) -> Iterator[bytes]:
    """The stream in blocks that overlap a little, so that no cell's address is cut."""
    tail = b""
    while block := part.read(_BLOCK_BYTES):
        yield tail + block if tail else block
        tail = block[-300:]


def _last_row(block: bytes) -> int:
    at = block.rfind(b"row ")
    while at > 0:
        match = _ROW.match(block, max(0, block.rfind(b"<", 0, at)))
        if match:
            return int(match[1])
        at = block.rfind(b"row ", 0, at)
    return 0


def column_number(letters: bytes) -> int:
    """`A` is 1, `XFD` is 16,384."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _last_column(block: bytes) -> int:
    return max((column_number(each) for each in set(_WIDE.findall(block))), default=0)


def _check_filled(raw: Raw, name: str, part: IO[bytes]) -> None:
    low, high, left, right = 1 << 30, 0, 1 << 30, 0
    for block in _blocks(part):
        for letters, digits in _FILLED.findall(block):
            row, column = int(digits), column_number(letters)
            low, high = min(low, row), max(high, row)
            left, right = min(left, column), max(right, column)
    cells = max(0, high - low + 1) * max(0, right - left + 1)
    if cells > MAX_CELLS:
        raise DocumentError(
            f"{raw.source} has a sheet ({name}) whose values spread over {high - low + 1:,} rows "
            f"and {right - left + 1:,} columns.",
            remedy="Delete the empty rows and columns between them, or save the sheet as CSV.",
        )


def _check_repeats(raw: Raw, block: bytes) -> None:
    """A row of an ODS may say that it is there a million times; together they are bounded."""
    rows = columns = 0
    for kind, digits in _REPEAT.findall(block):
        number = int(digits[:9])
        # the last rows and columns of a sheet are padded to its full size, and hold nothing
        if kind == b"rows" and number < 900_000:
            rows += number
        elif kind == b"columns" and number < 16_000:
            columns = max(columns, number)
    if rows * max(1, columns) > MAX_CELLS:
        raise DocumentError(
            f"{raw.source} repeats {rows:,} rows of {columns:,} columns.",
            remedy="Delete the repeated rows and columns, or save the sheet as CSV.",
        )
