"""RTF: paragraphs, headings, list items and tables of rich text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ragstone.documents.builder import Builder, storable
from ragstone.documents.grids import Cell, write_grid
from ragstone.documents.packages import sensible_title
from ragstone.documents.raw import Raw, Reading
from ragstone.documents.rtf_text import Event, State, events
from ragstone.errors import DocumentError
from ragstone.text.spaces import one_line
from ragstone.types import Document, Scalar

_INFO = re.compile(rb"\\(title|author|subject) ([^{}\\]{1,500})\}")
_CREATED = re.compile(rb"\\creatim\\yr(\d{4})\\mo(\d{1,2})\\dy(\d{1,2})")
_HEADING_STYLE = re.compile(rb"\{\\s(\d+)[^{}]*?heading (\d)", re.IGNORECASE)
_MARKER = re.compile(r"^\s*([•·▪o§\-–\uf0b7]|\(?\w{1,4}[.)])\s*\t")


def parse(raw: Raw, reading: Reading) -> Iterator[Document]:
    """The one document of an RTF file. Raises DocumentError where it is none."""
    data = raw.read()
    if not data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{\\rtf"):
        raise DocumentError(
            f"{raw.source} is no RTF: it does not begin with {{\\rtf.",
            remedy="Open it in a word processor and save it again.",
        )
    writer = _Writer(Builder(raw), _headings(data))
    for event in events(data):
        writer.take(event)
    writer.close()
    facts: dict[str, Scalar] = {}
    for name, value in _INFO.findall(data[:200_000]):
        facts.setdefault(name.decode(), one_line(value.decode("cp1252", "replace")))
    created = _CREATED.search(data[:200_000])
    if created:
        year, month, day = (int(each) for each in created.groups())
        facts["date"] = f"{year:04d}-{month:02d}-{day:02d}"
    title = sensible_title(str(facts.pop("title", "")))
    yield writer.built.document(format="rtf", title=title, metadata=facts)


def _headings(data: bytes) -> dict[int, int]:
    """Style numbers that are headings, with their level."""
    return {
        int(number): min(max(int(level), 1), 6)
        for number, level in _HEADING_STYLE.findall(data[:500_000])
    }


class _Writer:
    """Turns events into blocks."""

    def __init__(self, built: Builder, headings: dict[int, int]) -> None:
        self.built = built
        self._headings = headings
        self._line: list[str] = []
        self._aside: list[str] = []  # a footnote, header or footer being read
        self._marker = ""
        self._cells: list[str] = []
        self._rows: list[list[Cell]] = []
        self._notes: list[str] = []
        self._seen: set[str] = set()

    def take(self, event: Event) -> None:
        state = event.state
        if state.destination:
            self._take_aside(event)
        elif event.kind == "text":
            self._line.append(event.text)
        elif event.kind == "cell":
            self._cells.append(one_line("".join(self._line)))
            self._line.clear()
        elif event.kind == "row":
            if self._cells:
                self._rows.append([Cell(cell) for cell in self._cells])
            self._cells = []
        elif event.kind == "par":
            if state.in_table:
                self._line.append(" ")
            else:
                self._paragraph(state)

    def _take_aside(self, event: Event) -> None:
        if event.kind == "text":
            self._aside.append(event.text)
        elif event.kind in ("par", "cell"):
            self._aside.append(" ")
        elif event.kind == "end":
            text = storable("".join(self._aside)).strip()
            self._aside.clear()
            if event.text == "listtext":
                self._marker = text
            elif event.text == "footnote":
                if text:
                    self._notes.append(text)
            elif text and text not in self._seen:
                self._seen.add(text)
                if not self._line and not self._rows:
                    self.built.furniture(text)

    def _paragraph(self, state: State) -> None:
        self._flush_table()
        text = storable("".join(self._line)).strip()
        self._line.clear()
        marker, self._marker = self._marker, ""
        if text:
            level = self._headings.get(state.style, 0)
            if not level and 0 <= state.outline < 9:
                level = min(state.outline + 1, 6)
            match = _MARKER.match(text)
            if level:
                self.built.heading(f"{marker} {text}" if marker[:1].isdigit() else text, level)
            elif marker or match:
                found = marker or (match[1] if match else "")
                body = text[match.end() :] if match and not marker else text
                plain = "-" if not any(map(str.isalnum, found)) else found
                self.built.list_item(body, marker=plain)
            else:
                self.built.paragraph(text)
        for note in self._notes:
            self.built.note(note)
        self._notes.clear()

    def _flush_table(self) -> None:
        if self._cells:
            self._rows.append([Cell(cell) for cell in self._cells])
            self._cells = []
        if self._rows:
            write_grid(self.built, self._rows)
            self._rows = []

    def close(self) -> None:
        self._paragraph(State())
