"""Text and its structure, grown together: what every parser that converts writes into.

Law: every element's span lies in the text, is trimmed of blank ends and is never empty; elements
come out ordered by start, containers before what they contain. Text that was written is never
changed, apart from what no database can hold (NUL and lone surrogates become U+FFFD, one for
one, so that spans stand).

    built = Builder(raw)
    built.heading("Results", level=1)
    with built.element("page", level=3, label="iii"):
        built.paragraph("It rained.")
        built.table([["Oslo", "4"], ["Bergen", "9"]], header=["City", "Days"])
    yield built.document(format="pdf", metadata={"author": "A. Nansen"})

Blocks are parted by a blank line, rows and list items by a line end. A row of a table reads
alone: `City: Oslo; Days: 4`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from ragstone.documents.raw import Raw
from ragstone.errors import DocumentError
from ragstone.text.spaces import one_line, trimmed
from ragstone.types import Document, Element, ElementKind, Metadata, Scalar, Span

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_LINES = frozenset({"row", "list_item"})  # kinds that follow each other without a blank line


def row_text(cells: Sequence[str], header: Sequence[str] = ()) -> str:
    """One row that reads alone: `Name: Alice; Age: 30`. Empty cells are left out.

    A cell whose column has no name, or whose column's name it repeats, stands alone.
    """
    parts: list[str] = []
    for index, cell in enumerate(cells):
        value = one_line(cell)
        if not value:
            continue
        name = one_line(header[index]).rstrip(":") if index < len(header) else ""
        parts.append(f"{name}: {value}" if name and name != value else value)
    return "; ".join(parts)


class Builder:
    """Collects the pieces of one document's text, and elements over them."""

    def __init__(self, raw: Raw) -> None:
        self._raw = raw
        self._pieces: list[str] = []
        self._length = 0
        self._trailing = 2  # line ends at the end of the text, as if it began after a blank line
        self._last: ElementKind | None = None
        self._elements: list[tuple[int, int, int, ElementKind, int, str]] = []
        self._order = 0

    @property
    def position(self) -> int:
        """The length of the text so far, in code points."""
        return self._length

    def write(self, text: str) -> Span:
        """Append verbatim. Raises DocumentError beyond `limits.max_characters`."""
        start = self._length
        if not text:
            return Span(start, start)
        self._pieces.append(text)
        self._length += len(text)
        if self._length > self._raw.limits.max_characters:
            raise DocumentError(
                f"{self._raw.source} holds more than {self._raw.limits.max_characters:,} "
                "characters of text.",
                remedy="Split it, or raise the limit `max_characters`.",
            )
        ends = len(text) - len(text.rstrip("\n"))
        self._trailing = ends + (self._trailing if ends == len(text) else 0)
        return Span(start, self._length)

    def part(self, line_ends: int = 2) -> None:
        """Make sure that the text ends with that many line ends; nothing at its start."""
        if self._length and self._trailing < line_ends:
            self.write("\n" * (line_ends - self._trailing))

    def mark(
        self, kind: ElementKind, start: int, end: int, level: int = 0, label: str = ""
    ) -> None:
        """Name `[start, end)` of the text so far; trimmed later, left out where blank."""
        self._elements.append((start, end, self._order, kind, level, label))
        self._order += 1

    @contextmanager
    def element(self, kind: ElementKind, level: int = 0, label: str = "") -> Iterator[None]:
        """What is written inside becomes the element (a page, a sheet, a table, ...)."""
        self._last = None
        self.part()
        start, order = self._length, self._order
        self._order += 1
        try:
            yield
        finally:
            self._elements.append((start, self._length, order, kind, level, label))
            self._last = None

    def block(self, kind: ElementKind, text: str, level: int = 0, label: str = "") -> None:
        """One element with this text, parted from what is before. Nothing where it is blank."""
        if not text or text.isspace():
            return
        self.part(1 if kind in _LINES and self._last in _LINES else 2)
        start = self._length
        self.write(text)
        self.mark(kind, start, self._length, level, label)
        self._last = kind

    def heading(self, text: str, level: int = 1) -> None:
        """A heading on one line; levels are held to 1 to 6."""
        self.block("heading", one_line(text), min(max(level, 1), 6))

    def paragraph(self, text: str) -> None:
        """A paragraph; its line ends are kept."""
        self.block("paragraph", text.strip())

    def list_item(self, text: str, *, level: int = 1, marker: str = "-") -> None:
        """An item with its marker in front (`-`, `1.`), two blanks of indent for each level."""
        body = text.strip()
        if body:
            lead = "  " * (level - 1)
            self.block("list_item", f"{lead}{marker} {body}" if marker else lead + body, level)

    def code(self, text: str, language: str = "") -> None:
        """Code: its indentation and line ends stay as they are."""
        self.block("code", text.strip("\n").rstrip(), label=language)

    def quote(self, text: str) -> None:
        """A quotation set apart."""
        self.block("quote", text.strip())

    def note(self, text: str, label: str = "") -> None:
        """A footnote, a speaker's note, a caption."""
        self.block("note", text.strip(), label=label)

    def furniture(self, text: str) -> None:
        """A running header or footer, a page number: in the text, left out of passages."""
        self.block("furniture", text.strip())

    def table(
        self, rows: Iterable[Sequence[str]], *, header: Sequence[str] = (), caption: str = ""
    ) -> None:
        """A table, a line for each row with the header's names; the caption in front as a note.

        Merged cells are the caller's to repeat. A header without rows is written as a row.
        """
        with self.element("table", label=one_line(caption)):
            self.note(one_line(caption))
            number = 0
            for number, row in enumerate(rows, start=1):
                self.row(row, header=header, number=number)
            if number == 0:
                self.row(header, number=1)

    def row(self, cells: Sequence[str], *, header: Sequence[str] = (), number: int = 0) -> None:
        """One row of a table or sheet; `number` counts from 1."""
        self.block("row", row_text(cells, header), number)

    def document(
        self,
        *,
        format: str,
        title: str = "",
        metadata: Metadata | None = None,
        language: str = "",
        source: str = "",
        id: str = "",
    ) -> Document:
        """The document. Without a title: its first heading of the highest rank, else the file's
        name. `metadata` keeps only values that say something."""
        text = "".join(self._pieces).rstrip()
        text = storable(text)
        elements = _ordered(self._elements, text)
        said = {key: value for key, value in (metadata or {}).items() if _says(value)}
        return Document(
            id=id,
            source=source or self._raw.source,
            title=one_line(title) or _first_heading(elements, text) or self._raw.stem,
            text=text,
            format=format,
            elements=elements,
            metadata=said,
            language=language,
        )


def storable(text: str) -> str:
    """The text with NUL and lone surrogates replaced one for one."""
    return _UNSTORABLE.sub("\ufffd", text) if _UNSTORABLE.search(text) else text


def _says(value: Scalar) -> bool:
    return not isinstance(value, str) or bool(value.strip())


def _ordered(
    marked: Iterable[tuple[int, int, int, ElementKind, int, str]], text: str
) -> tuple[Element, ...]:
    kept: list[tuple[int, int, int, ElementKind, int, str]] = []
    for start, end, order, kind, level, label in marked:
        start, end = trimmed(text, start, min(end, len(text)))
        if start < end:
            kept.append((start, -end, order, kind, level, label))
    kept.sort()
    return tuple(
        Element(kind, Span(start, -minus_end), level, label)
        for start, minus_end, _, kind, level, label in kept
    )


def _first_heading(elements: Sequence[Element], text: str) -> str:
    headings = [element for element in elements[:400] if element.kind == "heading"]
    if not headings:
        return ""
    top = min(heading.level for heading in headings)
    return one_line(next(h for h in headings if h.level == top).span.of(text))[:200]
