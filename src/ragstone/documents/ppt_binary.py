"""The texts of a PowerPoint 97-2003 file, slide by slide.

Source: [MS-PPT]: the current edit leads to the persist directory, that to the document and its
slides. Law: every record is held inside its parent. Knows no documents.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from ragstone.documents.compound import CompoundFile
from ragstone.errors import DocumentError

_DOCUMENT, _SLIDE, _NOTES = 1000, 1006, 1008
_LIST, _SLIDE_REFERENCE, _HEADER, _WIDE, _BYTES = 4080, 1011, 3999, 4000, 4008
_USER_EDIT, _DIRECTORY, _NOTES_ATOM, _SLIDE_ATOM = 4085, 6002, 1009, 1007
_TITLES, _BODIES, _NOTE = (0, 6), (1, 5, 7, 8), 2
_LOCKED = 0xF3D1C4DF
_MOST_EDITS = 10_000


@dataclass(slots=True)
class Slide:
    """A slide's texts, paragraphs parted by carriage returns."""

    title: str = ""
    bodies: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def take(self, kind: int, text: str) -> None:
        text = text.replace("\x0b", "\n").strip("\r ")
        if not text.strip():
            return
        if kind in _TITLES and not self.title:
            self.title = text.replace("\r", " ")
        elif kind in _BODIES:
            self.bodies.append(text)
        else:
            self.texts.append(text)


@dataclass(frozen=True, slots=True)
class _Record:
    kind: int
    instance: int
    start: int  # of its content
    end: int
    container: bool


def read_ppt(file: CompoundFile, source: str) -> list[Slide]:
    """The slides in order. Raises DocumentError: locked, older than PowerPoint 97, damaged."""
    user, data = file.stream("Current User"), file.stream("PowerPoint Document")
    remedy = "Open it in a presentation program, such as LibreOffice, and save it as PPTX."
    try:
        if struct.unpack_from("<I", user, 12)[0] == _LOCKED:
            raise DocumentError(
                f"{source} is locked with a password.",
                remedy="Open it, remove the password and save it again.",
            )
        offsets, document = _directory(data, struct.unpack_from("<I", user, 16)[0])
        return _slides(data, offsets, document)
    except (struct.error, KeyError, ValueError) as error:
        raise DocumentError(
            f"{source} is a damaged PowerPoint file: {error}.", remedy=remedy
        ) from (error)


def _directory(data: bytes, edit: int) -> tuple[dict[int, int], int]:
    """Where each persistent object lies, the latest edit first; the document's number."""
    offsets: dict[int, int] = {}
    document = 0
    for _ in range(_MOST_EDITS):
        record = _record(data, edit, len(data))
        if record is None or record.kind != _USER_EDIT:
            break
        last, directory, reference = struct.unpack_from("<III", data, record.start + 8)
        document = document or reference
        table = _record(data, directory, len(data))
        at, end = (table.start, table.end) if table is not None else (0, 0)
        while at + 4 <= end:
            head = struct.unpack_from("<I", data, at)[0]
            first, count = head & 0xFFFFF, head >> 20
            for step in range(count):
                if at + 8 + 4 * step <= end:
                    place = struct.unpack_from("<I", data, at + 4 + 4 * step)[0]
                    offsets.setdefault(first + step, place)
            at += 4 + 4 * count
        if not last or last >= edit:
            break
        edit = last
    if not offsets:
        raise ValueError("its directory of slides is missing")
    return offsets, document


def _record(data: bytes, at: int, end: int) -> _Record | None:
    if at + 8 > end:
        return None
    head, kind, size = struct.unpack_from("<HHI", data, at)
    return _Record(kind, head >> 4, at + 8, min(at + 8 + size, end), head & 15 == 15)


def _inside(data: bytes, record: _Record) -> Iterator[_Record]:
    """Records directly inside."""
    at = record.start
    while (each := _record(data, at, record.end)) is not None:
        yield each
        at = max(each.end, at + 8)


def _walk(data: bytes, record: _Record, depth: int = 0) -> Iterator[_Record]:
    """Every record inside, in order; twenty levels are more than any program writes."""
    for each in _inside(data, record):
        yield each
        if (each.container and depth < 20) or (each.kind == 0xF00D and depth < 20):
            yield from _walk(data, each, depth + 1)


def _text(data: bytes, record: _Record) -> str:
    content = data[record.start : record.end]
    return content.decode("utf-16-le" if record.kind == _WIDE else "latin-1", "replace")


def _slides(data: bytes, offsets: dict[int, int], number: int) -> list[Slide]:
    document = _record(data, offsets[number], len(data))
    if document is None or document.kind != _DOCUMENT:
        raise ValueError("its document is missing")
    slides: list[Slide] = []
    by_id: dict[int, Slide] = {}
    notes: list[int] = []
    for each in _inside(data, document):
        if each.kind != _LIST or each.instance == 1:
            continue
        slide: Slide | None = None
        kind = 4
        for record in _inside(data, each):
            if record.kind == _SLIDE_REFERENCE:
                reference, _, _, identifier = struct.unpack_from("<IIII", data, record.start)
                if each.instance == 2:
                    notes.append(reference)
                    slide = None
                    continue
                slide = by_id[identifier] = Slide()
                slides.append(slide)
                _take_drawings(data, offsets.get(reference, -1), slide)
            elif record.kind == _HEADER:
                kind = struct.unpack_from("<I", data, record.start)[0]
            elif record.kind in (_WIDE, _BYTES) and slide is not None:
                slide.take(kind, _text(data, record))
    for reference in notes:
        _take_notes(data, offsets.get(reference, -1), by_id)
    return slides


def _take_drawings(data: bytes, at: int, slide: Slide) -> None:
    """The texts of the slide's own shapes."""
    record = _record(data, at, len(data)) if at >= 0 else None
    if record is None or record.kind != _SLIDE:
        return
    kind = 4
    for each in _walk(data, record):
        if each.kind == _HEADER:
            kind = struct.unpack_from("<I", data, each.start)[0]
        elif each.kind in (_WIDE, _BYTES):
            slide.take(kind, _text(data, each))


def _take_notes(data: bytes, at: int, by_id: dict[int, Slide]) -> None:
    record = _record(data, at, len(data)) if at >= 0 else None
    if record is None or record.kind != _NOTES:
        return
    slide: Slide | None = None
    kind = 4
    for each in _walk(data, record):
        if each.kind == _NOTES_ATOM:
            slide = by_id.get(struct.unpack_from("<I", data, each.start)[0])
        elif each.kind == _HEADER:
            kind = struct.unpack_from("<I", data, each.start)[0]
        elif each.kind in (_WIDE, _BYTES) and kind == _NOTE and slide is not None:
            text = _text(data, each).replace("\r", "\n").strip()
            if text and text != "*":
                slide.notes.append(text)
