"""Where a span stands, in words that lead a person to it: page 3, slide 3, sheet Budget, row 12.

A place is read from the document's structure; lines are counted only where the text is the file's
own. Law: the words name a place that holds the span's first character. Must not open files (a
PDF's rectangles are found in `documents.pdf.places`).
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from operator import attrgetter
from pathlib import PurePath
from typing import Literal

from ragstone.documents.formats import BY_EXTENSION
from ragstone.types import Document, Element, Span

Unit = Literal["page", "slide", "sheet"]

_SLIDES = frozenset(("pptx", "ppt", "odp"))
_SHEETS = frozenset(("xlsx", "xlsm", "xlsb", "ods", "xls"))
_VERBATIM = frozenset(("text", "markdown", "restructuredtext", "org", "code"))
_RANKS = 6


@dataclass(frozen=True, slots=True)
class Place:
    """Where a span begins. Numbers count from 1; None and "" where the format has no such thing.

    `row` is the sheet's own row number, in CSV the row of data. `first_line` and `last_line` are
    those of the file, or of its part where a big file came out in several (`source#part-2`).
    """

    unit: Unit | None = None
    number: int | None = None
    name: str = ""  # of the sheet
    row: int | None = None
    first_line: int | None = None
    last_line: int | None = None
    headings: tuple[str, ...] = ()

    def words(self) -> str:
        """`sheet Budget, row 12`, `slide 3`, `lines 40-42`; "" where nothing is known."""
        parts: list[str] = []
        if self.unit is not None:
            parts.append(f"{self.unit} {self.name or self.number}")
        if self.row is not None:
            parts.append(f"row {self.row}")
        if self.first_line is not None:
            many = self.last_line is not None and self.last_line > self.first_line
            parts.append(
                f"lines {self.first_line}-{self.last_line}" if many else f"line {self.first_line}"
            )
        return ", ".join(parts)


def place_of(document: Document, span: Span) -> Place:
    """The place of `document.text[span]`; one pass over the elements in front of it.

    Raises ValueError for a span that reaches beyond the text.
    """
    text = document.text
    if span.end > len(text):
        raise ValueError(f"The span ends at {span.end}; the text has {len(text)} characters.")
    start = span.start
    while start < span.end and text[start].isspace():
        start += 1
    paged: Element | None = None
    row: Element | None = None
    path: dict[int, str] = {}
    reach = bisect_right(document.elements, start, key=attrgetter("span.start"))
    for element in document.elements[:reach]:
        if element.kind in ("page", "slide", "sheet"):
            paged = element
        elif element.kind == "row":
            row = element
        elif element.kind == "heading":
            for level in range(element.level, _RANKS + 1):
                path.pop(level, None)
            path[element.level] = " ".join(element.span.of(text).split())
    if paged is not None and paged.span.end <= start:
        paged = None
    inside = row is not None and start < row.span.end and row.level > 0
    verbatim = document.format in _VERBATIM
    return Place(
        unit=_unit(paged),
        number=paged.level or None if paged is not None else None,
        name=paged.label if paged is not None and paged.kind == "sheet" else "",
        row=row.level if row is not None and inside and _counts_rows(document, paged) else None,
        first_line=text.count("\n", 0, start) + 1 if verbatim else None,
        last_line=text.count("\n", 0, max(start, span.end - 1)) + 1 if verbatim else None,
        headings=tuple(path[level] for level in sorted(path)),
    )


def unit_of(source: str) -> Unit:
    """What the pages of a source are called, by its extension: page, slide or sheet."""
    name = PurePath(source.partition("#")[0]).name.lower().removesuffix(".gz")
    known = BY_EXTENSION.get(name.rpartition(".")[2])
    if known is None:
        return "page"
    if known.name in _SLIDES or name.endswith((".odp", ".otp", ".fodp")):
        return "slide"
    return "sheet" if known.name in _SHEETS else "page"


def _unit(element: Element | None) -> Unit | None:
    if element is None:
        return None
    return "slide" if element.kind == "slide" else "sheet" if element.kind == "sheet" else "page"


def _counts_rows(document: Document, paged: Element | None) -> bool:
    """Whether a row's number is one that a person sees: in a sheet, and in a file of rows."""
    in_sheet = paged is not None and paged.kind == "sheet"
    return in_sheet or document.format in ("csv", "tsv")
