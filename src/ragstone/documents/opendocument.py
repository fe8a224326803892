"""ODT and ODP (OpenDocument 1.3), packed or flat: text documents and presentations.

Headings by outline level, lists with their numbers, tables with merged cells repeated, notes below
the paragraph that refers to them, text boxes in place, deleted text left out; a presentation's
slides with their notes. Page headers and footers are furniture.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from ragstone.documents.builder import Builder
from ragstone.documents.grids import Cell, write_grid
from ragstone.documents.opendocument_text import (
    DRAW,
    OFFICE,
    PRESENTATION,
    STYLE,
    SVG,
    TABLE,
    TEXT,
    ListStyles,
    Text,
    text_of,
)  # fmt: skip
from ragstone.documents.packages import Package, parse_xml, sensible_title
from ragstone.documents.raw import Raw, Reading
from ragstone.errors import DocumentError
from ragstone.text.spaces import one_line
from ragstone.types import Document, Scalar

_META = "{urn:oasis:names:tc:opendocument:xmlns:meta:1.0}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_MANIFEST = "META-INF/manifest.xml"
_LENGTH = re.compile(r"(-?[\d.]+)\s*(cm|mm|in|pt|px)?")
_POINTS = {"cm": 28.35, "mm": 2.835, "in": 72.0, "pt": 1.0, "px": 0.75, "": 28.35}
_SAME_LINE = 20.0  # points: frames this near in height stand side by side


def parse(raw: Raw, reading: Reading) -> Iterator[Document]:
    """The one document of an ODT or ODP. Raises DocumentError: locked, damaged, of no such kind."""
    content, styles, meta = _parts(raw)
    facts = _facts(meta)
    title = sensible_title(str(facts.pop("title", "")))
    language = str(facts.pop("language", ""))[:2].lower()
    built = Builder(raw)
    writer = _Writer(built, content, styles)
    body = content.find(OFFICE + "body")
    text = body.find(OFFICE + "text") if body is not None else None
    slides = body.find(OFFICE + "presentation") if body is not None else None
    if slides is None and body is not None:
        slides = body.find(OFFICE + "drawing")
    if text is not None:
        writer.furniture(STYLE + "header")
        writer.blocks(text)
        writer.furniture(STYLE + "footer")
        kind = "odt"
    elif slides is not None:
        for number, page in enumerate(slides.findall(DRAW + "page"), start=1):
            with built.element("slide", number):
                writer.slide(page)
        kind = "odp"
    else:
        raise DocumentError(
            f"{raw.source} holds no text document and no presentation.",
            remedy="Open it in an office program and save it as ODT, ODP or PDF.",
        )
    yield built.document(
        format=kind,
        title=title,
        metadata=facts,
        language=language if language.isalpha() else "",
    )


def _parts(
    raw: Raw,
) -> tuple[etree._Element, etree._Element | None, etree._Element | None]:
    """Content, styles and metadata; of a flat file its root stands for all."""
    if not raw.head(2).startswith(b"PK"):
        root = parse_xml(raw.read(), raw.source)
        return root, root, root.find(OFFICE + "meta")
    with Package(raw) as package:
        manifest = package.optional_xml(_MANIFEST)
        if manifest is not None and next(manifest.iter("{*}encryption-data"), None) is not None:
            raise DocumentError(
                f"{raw.source} is locked with a password.",
                remedy="Open it, remove the password and save it again.",
            )
        return (
            package.xml("content.xml"),
            package.optional_xml("styles.xml"),
            package.optional_xml("meta.xml"),
        )


def _facts(meta: etree._Element | None) -> dict[str, Scalar]:
    names = {
        _DC + "title": "title",
        _META + "initial-creator": "author",
        _DC + "creator": "author",
        _DC + "subject": "subject",
        _DC + "date": "date",
        _META + "creation-date": "date",
        _DC + "language": "language",
    }
    facts: dict[str, Scalar] = {}
    for tag, name in names.items():
        for each in meta.iter(tag) if meta is not None else ():
            if each.text and each.text.strip():
                facts.setdefault(name, one_line(each.text)[:500])
    date = str(facts.get("date", ""))
    if "." in date:
        facts["date"] = date.split(".", 1)[0]  # nanoseconds say nothing
    return facts


class _Writer:
    def __init__(
        self, built: Builder, content: etree._Element, styles: etree._Element | None
    ) -> None:
        self._built = built
        self._styles = styles
        self._lists = ListStyles(content, styles)

    def furniture(self, tag: str) -> None:
        """The page headers or footers, each once."""
        seen: set[str] = set()
        for each in self._styles.iter(tag) if self._styles is not None else ():
            lines = [text_of(paragraph).plain.strip() for paragraph in each.iter(TEXT + "p")]
            text = "\n".join(line for line in lines if line)
            if text and text not in seen:
                seen.add(text)
                self._built.furniture(text)

    def blocks(self, parent: etree._Element) -> None:
        for child in parent:
            tag = child.tag
            if tag == TEXT + "h":
                level = child.get(TEXT + "outline-level", "1")
                self._paragraph(child, heading=int(level) if level.isdigit() else 1)
            elif tag == TEXT + "p":
                style = child.get(TEXT + "style-name", "")
                self._paragraph(child, heading=1 if style == "Title" else 0)
            elif tag == TEXT + "list":
                self._list(child, 1, child.get(TEXT + "style-name", ""))
            elif tag == TABLE + "table":
                self.table(child)
            elif tag in (TEXT + "section", TEXT + "index-body", DRAW + "text-box", DRAW + "g"):
                self.blocks(child)
            elif tag in (TEXT + "table-of-content", TEXT + "alphabetical-index"):
                body = child.find(TEXT + "index-body")
                if body is not None:
                    self.blocks(body)
            elif tag in (DRAW + "frame", DRAW + "custom-shape", DRAW + "rect"):
                self._frame(child)

    def _paragraph(
        self, paragraph: etree._Element, *, heading: int = 0, depth: int = 0, marker: str = ""
    ) -> None:
        text = text_of(paragraph)
        plain = text.plain.strip()
        if heading:
            self._built.heading(plain, heading)
        elif depth:
            self._built.list_item(plain, level=depth, marker=marker)
        else:
            self._built.paragraph(plain)
        for frame in text.frames:
            self._frame(frame)
        self._notes(text)

    def _notes(self, text: Text) -> None:
        for note in text.notes:
            self._built.note(note)

    def _list(self, element: etree._Element, depth: int, style: str) -> None:
        numbered = self._lists.numbered(style, depth)
        number = 0
        for item in element:
            if item.tag not in (TEXT + "list-item", TEXT + "list-header"):
                continue
            start = item.get(TEXT + "start-value", "")
            number = int(start) if start.isdigit() else number + (item.tag == TEXT + "list-item")
            first = True
            for child in item:
                if child.tag == TEXT + "list":
                    self._list(child, depth + 1, child.get(TEXT + "style-name", "") or style)
                elif child.tag == TEXT + "h":
                    level = child.get(TEXT + "outline-level", "1")
                    self._paragraph(child, heading=int(level) if level.isdigit() else 1)
                elif child.tag == TEXT + "p":
                    marker = (f"{number}." if numbered else "-") if first else ""
                    self._paragraph(child, depth=min(depth, 9), marker=marker)
                    first = False

    def table(self, table: etree._Element) -> None:
        """A table; rows that the file repeats are bounded, since empty ones pad it."""
        rows: list[list[Cell]] = []
        stated = 0
        for row in table.iter(TABLE + "table-row"):
            if next(row.iterancestors(TABLE + "table"), None) is not table:
                continue
            line: list[Cell] = []
            for cell in row:
                if cell.tag != TABLE + "table-cell":
                    continue
                again = cell.get(TABLE + "number-columns-repeated", "1")
                line += [self._cell(cell)] * (min(int(again), 200) if again.isdigit() else 1)
            if next(row.iterancestors(TABLE + "table-header-rows"), None) is not None:
                stated = len(rows) + 1
            rows.append(line)
        write_grid(self._built, rows, stated=stated)

    def _cell(self, cell: etree._Element) -> Cell:
        texts = [text_of(each).plain for each in cell.iter(TEXT + "p", TEXT + "h")]
        return Cell(
            one_line(" ".join(texts)),
            _count(cell.get(TABLE + "number-columns-spanned")),
            _count(cell.get(TABLE + "number-rows-spanned")),
        )

    def _frame(self, frame: etree._Element) -> None:
        for child in frame:
            if child.tag == DRAW + "text-box":
                self.blocks(child)
            elif child.tag == TABLE + "table":
                self.table(child)
        if frame.tag != DRAW + "frame":
            self.blocks(frame)

    def slide(self, page: etree._Element) -> None:
        """A slide's title, its frames from the top left, then its notes."""
        frames = [
            each for each in page.iter(DRAW + "frame", DRAW + "custom-shape", DRAW + "rect")
            if next(each.iterancestors(PRESENTATION + "notes"), None) is None
        ]  # fmt: skip
        kinds = {id(each): each.get(PRESENTATION + "class", "") for each in frames}
        titles = [each for each in frames if kinds[id(each)] == "title"]
        for title in titles[:1]:
            lines = [text_of(each).plain for each in title.iter(TEXT + "p")]
            self._built.heading(" ".join(lines), 2)
        rest = [each for each in frames if not titles or each is not titles[0]]
        rest.sort(key=lambda each: (round(_points(each, "y") / _SAME_LINE), _points(each, "x")))
        for frame in rest:
            if kinds[id(frame)] in ("footer", "date-time", "page-number", "header"):
                lines = [text_of(each).plain for each in frame.iter(TEXT + "p")]
                self._built.furniture(" ".join(lines))
            else:
                self._frame(frame)
        for notes in page.iter(PRESENTATION + "notes"):
            lines = [text_of(each).plain.strip() for each in notes.iter(TEXT + "p")]
            self._built.note("\n".join(line for line in lines if line), label="notes")


def _count(stated: str | None) -> int:
    return min(int(stated), 200) if stated and stated.isdigit() else 1


def _points(frame: etree._Element, axis: str) -> float:
    match = _LENGTH.match(frame.get(SVG + axis, ""))
    return float(match[1].strip(".") or 0) * _POINTS[match[2] or ""] if match else 0.0
