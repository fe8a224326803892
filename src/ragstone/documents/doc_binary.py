"""The text of a Word 97-2003 file: its pieces, and each paragraph's style, list and table marks.

Source: [MS-DOC] 2.4 (retrieving text, paragraph properties). Law: every offset is held against its
stream. Knows no documents.
"""

from __future__ import annotations

import re
import struct
from bisect import bisect_right
from dataclasses import dataclass, field

from ragstone.documents.compound import CompoundFile
from ragstone.errors import DocumentError

_CLX, _PAPX = 33, 13  # places in the FIB's table of offsets
_TABLE_OF_OFFSETS = 154
_FIELD = re.compile("\x13[^\x13\x14\x15]*(?:\x14([^\x13\x14\x15]*))?\x15")
_MARKS = re.compile("[\x01\x02\x03\x04\x05\x06\x08\x0e-\x1d\x1f\x00]")
_IN_TABLE, _ROW_END, _DEPTH = b"\x16\x24\x01", b"\x17\x24\x01", b"\x0a\x26"
_LIST, _OUTLINE = b"\x0b\x46", b"\x40\x26"


@dataclass(slots=True)
class Paragraph:
    """One paragraph, or one cell's last paragraph, or the mark that ends a row."""

    text: str
    heading: int = 0
    listed: bool = False
    depth: int = 0
    in_table: bool = False
    cell_end: bool = False
    row_end: bool = False


@dataclass(slots=True)
class Parts:
    """A file's text by where it stands."""

    body: list[Paragraph] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    boxes: list[str] = field(default_factory=list)


def read_doc(file: CompoundFile, source: str) -> Parts:
    """The parts. Raises DocumentError: locked, older than Word 97, damaged."""
    data = file.stream("WordDocument")
    try:
        return _read(file, data, source)
    except (struct.error, IndexError, ValueError) as error:
        raise DocumentError(
            f"{source} is a damaged Word file: {error}.",
            remedy="Open it in a word processor, such as LibreOffice, and save it as DOCX.",
        ) from error


def _read(file: CompoundFile, data: bytes, source: str) -> Parts:
    magic, version = struct.unpack_from("<HH", data, 0)
    flags = struct.unpack_from("<H", data, 10)[0]
    if flags & 0x100:
        raise DocumentError(
            f"{source} is locked with a password.",
            remedy="Open it, remove the password and save it again.",
        )
    if magic != 0xA5EC or version < 0x00C1:
        raise DocumentError(
            f"{source} was written by a Word older than 97.",
            remedy="Open it in a word processor, such as LibreOffice, and save it as DOCX.",
        )
    table = file.stream("1Table" if flags & 0x200 else "0Table")
    lengths = struct.unpack_from("<7i", data, 76)  # body, notes, headers, macros, comments, ...
    pieces = _pieces(_slice(data, table, _CLX), data)
    text = "".join(piece.text for piece in pieces)
    properties = _Properties(data, _slice(data, table, _PAPX))
    ends = [max(0, length) for length in lengths]
    parts = Parts(body=_paragraphs(text[: ends[0]], pieces, properties))
    at = ends[0]
    notes, headers, _, comments, endnotes, boxes = ends[1:7]
    parts.notes = _texts(text[at : at + notes])
    at += notes
    parts.headers = list(dict.fromkeys(_texts(text[at : at + headers])))
    at += headers + ends[3]
    parts.notes += [f"Comment: {each}" for each in _texts(text[at : at + comments])]
    at += comments
    parts.notes += _texts(text[at : at + endnotes])
    at += endnotes
    parts.boxes = _texts(text[at : at + boxes])
    return parts


def _slice(data: bytes, table: bytes, number: int) -> bytes:
    offset, size = struct.unpack_from("<II", data, _TABLE_OF_OFFSETS + 8 * number)
    return table[offset : offset + size]


@dataclass(frozen=True, slots=True)
class _Piece:
    start: int  # in characters of the whole text
    place: int  # in bytes of the stream
    width: int  # bytes a character
    text: str


def _pieces(clx: bytes, data: bytes) -> list[_Piece]:
    at = 0
    while at + 5 <= len(clx) and clx[at] == 1:  # properties that pieces may share
        at += 3 + struct.unpack_from("<H", clx, at + 1)[0]
    if at + 5 > len(clx) or clx[at] != 2:
        raise ValueError("its piece table is missing")
    size = struct.unpack_from("<I", clx, at + 1)[0]
    plc = clx[at + 5 : at + 5 + size]
    count = (len(plc) - 4) // 12
    starts = struct.unpack_from(f"<{count + 1}I", plc, 0)
    pieces: list[_Piece] = []
    for number in range(count):
        raw = struct.unpack_from("<I", plc, 4 * (count + 1) + 8 * number + 2)[0]
        length = starts[number + 1] - starts[number]
        if raw & 0x40000000:
            place = (raw & 0x3FFFFFFF) // 2
            text = data[place : place + length].decode("cp1252", "replace")
            pieces.append(_Piece(starts[number], place, 1, text))
        else:
            place = raw & 0x3FFFFFFF
            text = data[place : place + 2 * length].decode("utf-16-le", "replace")
            pieces.append(_Piece(starts[number], place, 2, text.ljust(length)[:length]))
    return pieces


class _Properties:
    """Paragraph properties by place in the stream: pages of 512 bytes, each with its runs."""

    def __init__(self, data: bytes, plc: bytes) -> None:
        self._starts: list[int] = []
        self._found: list[tuple[int, bytes]] = []
        count = (len(plc) - 4) // 8
        for number in range(count):
            page = struct.unpack_from("<I", plc, 4 * (count + 1) + 4 * number)[0] & 0x3FFFFF
            block = data[page * 512 : page * 512 + 512]
            if len(block) == 512:
                self._read_page(block)

    def _read_page(self, block: bytes) -> None:
        runs = block[511]
        if 4 * (runs + 1) + 13 * runs > 511:
            return
        for run in range(runs):
            start = struct.unpack_from("<I", block, 4 * run)[0]
            at = 2 * block[4 * (runs + 1) + 13 * run]
            style, modifiers = 0, b""
            if at:
                size = block[at]
                begin, length = (at + 2, 2 * block[at + 1]) if size == 0 else (at + 1, 2 * size - 1)
                own = block[begin : begin + length]
                if len(own) >= 2:
                    style, modifiers = struct.unpack_from("<H", own)[0], own[2:]
            self._starts.append(start)
            self._found.append((style, modifiers))

    def at(self, place: int) -> tuple[int, bytes]:
        number = bisect_right(self._starts, place) - 1
        return self._found[number] if number >= 0 else (0, b"")


def _paragraphs(text: str, pieces: list[_Piece], properties: _Properties) -> list[Paragraph]:
    starts = [piece.start for piece in pieces]
    found: list[Paragraph] = []
    begin = 0
    for match in re.finditer("[\r\x07\x0c]|$", text):
        end = match.start()
        if end >= len(text) and begin >= len(text):
            break
        piece = pieces[max(0, bisect_right(starts, min(end, len(text) - 1)) - 1)]
        style, modifiers = properties.at(piece.place + (end - piece.start) * piece.width)
        depth = modifiers.find(_DEPTH)
        listing = modifiers.find(_LIST)
        outline = modifiers.find(_OUTLINE)
        heading = style if 1 <= style <= 9 else 0
        if not heading and 0 <= outline < len(modifiers) - 2 and modifiers[outline + 2] < 9:
            heading = modifiers[outline + 2] + 1
        mark = match[0]
        found.append(
            Paragraph(
                _cleaned(text[begin:end]),
                heading,
                0 <= listing < len(modifiers) - 3
                and modifiers[listing + 2 : listing + 4] != b"\x00\x00",
                modifiers[depth + 2] % 9 if 0 <= depth < len(modifiers) - 2 else 0,
                mark == "\x07" or _IN_TABLE in modifiers,
                mark == "\x07",
                mark == "\x07" and _ROW_END in modifiers,
            )
        )
        begin = match.end()
    return found


def _texts(text: str) -> list[str]:
    lines = (_cleaned(line).strip() for line in re.split("[\r\x07\x0c]", text))
    return [line for line in lines if line]


def _cleaned(text: str) -> str:
    """Field codes left out, their results kept; Word's own marks as letters or nothing."""
    before = None
    while before != text:
        before = text
        text = _FIELD.sub(lambda match: match[1] or "", text)
    text = text.replace("\x0b", "\n").replace("\x1e", "-")
    return _MARKS.sub("", text)
