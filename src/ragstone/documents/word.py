"""DOCX: what a person sees of a Word file, in order.

Headings come from styles and outline levels, list markers are counted as Word counts them, notes
stand below the paragraph that refers to them, deleted text is left out, inserted text kept; text
boxes follow the paragraph that anchors them; page headers and footers are furniture. Read from
the XML (ECMA-376) with lxml: no library's object model in between.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from ragstone.documents.builder import Builder
from ragstone.documents.grids import Cell, write_grid
from ragstone.documents.numbering import Counters
from ragstone.documents.packages import Package
from ragstone.documents.raw import Raw, Reading
from ragstone.documents.word_styles import Styles, W, value
from ragstone.documents.word_text import boxed, is_bold, paragraph_text
from ragstone.errors import DocumentError
from ragstone.text.spaces import one_line
from ragstone.types import Document

_CONTAINERS = frozenset(
    W + name for name in ("sdt", "sdtContent", "customXml", "smartTag", "ins", "moveTo", "body")
)
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_LAYOUT_CHARACTERS = 1500  # a cell longer than this holds prose, not a value


def parse(raw: Raw, reading: Reading) -> Iterator[Document]:
    """The one document of a DOCX. Raises DocumentError: locked, damaged, without a main part."""
    with Package(raw) as package:
        main = package.main_part("word/document.xml")
        if main not in package:
            raise DocumentError(
                f"{raw.source} has no document inside.",
                remedy="Open it in a word processor and save it as DOCX.",
            )
        facts = package.facts()
        title = str(facts.pop("title", ""))
        language = str(facts.pop("language", ""))[:2].lower()
        builder = Builder(raw)
        _Writer(package, main, builder).write()
    yield builder.document(
        format="docx",
        title=title,
        metadata=facts,
        language=language if language.isalpha() else "",
    )


@dataclass(slots=True)
class _Notes:
    """Footnotes, endnotes and comments by id, and those referred to but not yet written."""

    texts: dict[str, str] = field(default_factory=dict)
    pending: list[str] = field(default_factory=list)


class _Writer:
    def __init__(self, package: Package, main: str, builder: Builder) -> None:
        self._builder = builder
        self._package = package
        self._root = package.xml(main)
        parts = {each.kind: each.target for each in package.relations(main).values()}
        self._headers = [
            (each.kind, each.target)
            for each in package.relations(main).values()
            if each.kind in ("header", "footer") and each.target in package
        ]
        self._styles = Styles(
            package.optional_xml(parts.get("styles", "")),
            package.optional_xml(parts.get("numbering", "")),
        )
        self._counters = Counters()
        self._notes = _Notes()
        for kind, tag in (
            ("footnotes", "footnote"),
            ("endnotes", "endnote"),
            ("comments", "comment"),
        ):
            root = package.optional_xml(parts.get(kind, ""))
            for note in root.iter(W + tag) if root is not None else ():
                if value(note, "type") in ("separator", "continuationSeparator"):
                    continue
                text = " ".join(
                    paragraph_text(each).plain.strip() for each in note.iter(W + "p")
                ).strip()
                if text:
                    self._notes.texts[f"{tag} {value(note, 'id')}"] = text

    def write(self) -> None:
        self._furniture("header")
        body = self._root.find(W + "body")
        if body is not None:
            self._blocks(body)
        self._write_notes()
        self._furniture("footer")

    def _furniture(self, kind: str) -> None:
        seen: set[str] = set()
        for each, target in self._headers:
            if each != kind:
                continue
            lines = [paragraph_text(p).plain for p in self._package.xml(target).iter(W + "p")]
            text = "\n".join(line.strip() for line in lines if line.strip())
            if text and text not in seen:
                seen.add(text)
                self._builder.furniture(text)

    def _blocks(self, parent: etree._Element) -> None:
        for child in parent:
            tag = child.tag
            if tag == W + "p":
                self._paragraph(child)
            elif tag == W + "tbl":
                self._table(child)
            elif tag in _CONTAINERS:
                self._blocks(child)
            elif tag == _MC + "AlternateContent":
                chosen = child.find(_MC + "Choice")
                if chosen is None:
                    chosen = child.find(_MC + "Fallback")
                if chosen is not None:
                    self._blocks(chosen)

    def _paragraph(self, paragraph: etree._Element) -> None:
        text = paragraph_text(paragraph)
        self._notes.pending.extend(text.notes)
        plain = text.plain.strip()
        style = self._styles.of(paragraph)
        if plain:
            marker = None
            if style.levels:
                marker = self._counters.next(style.list_key, style.levels, style.depth)
            if style.heading:
                lead = f"{marker} " if marker and marker != "-" else ""
                self._builder.heading(lead + plain, style.heading)
            elif marker is not None:
                self._builder.list_item(plain, level=style.depth + 1, marker=marker)
            elif style.kind == "code":
                self._builder.code(text.plain)
            elif style.kind == "quote":
                self._builder.quote(plain)
            elif style.kind == "caption":
                self._builder.note(plain)
            else:
                self._builder.paragraph(plain)
        for box in boxed(paragraph):
            self._blocks(box)
        self._write_notes()

    def _write_notes(self) -> None:
        for key in self._notes.pending:
            text = self._notes.texts.pop(key, "")
            if text:
                kind, _, number = key.partition(" ")
                marker = f"[{number}]" if kind != "comment" else "Comment:"
                self._builder.note(f"{marker} {text}", label=kind)
        self._notes.pending.clear()

    def _table(self, table: etree._Element) -> None:
        rows = list(_parts(table, "tr"))
        if _is_layout(rows):
            for row in rows:
                for cell in _parts(row, "tc"):
                    self._blocks(cell)
            return
        grid: list[list[Cell]] = []
        open_cells: dict[int, int] = {}  # column -> row where a vertical merge began
        stated = 0
        for number, row in enumerate(rows):
            line: list[Cell] = []
            if row.find(f"{W}trPr/{W}tblHeader") is not None and stated == number:
                stated = number + 1
            before = row.find(f"{W}trPr/{W}gridBefore")
            line.extend(Cell("") for _ in range(_count(before)))
            column = len(line)
            for cell in _parts(row, "tc"):
                span = max(1, _count(cell.find(f"{W}tcPr/{W}gridSpan"), 1))
                merge = cell.find(f"{W}tcPr/{W}vMerge")
                began = open_cells.get(column)
                if merge is not None and value(merge, "val") != "restart" and began is not None:
                    above = _at(grid[began], column)
                    line.append(above or Cell("", span))
                else:
                    line.append(self._cell(cell, span))
                    if merge is not None:
                        open_cells[column] = number
                    else:
                        open_cells.pop(column, None)
                column += span
            grid.append(line)
        write_grid(self._builder, grid, stated=stated)
        self._write_notes()

    def _cell(self, cell: etree._Element, span: int) -> Cell:
        texts: list[str] = []
        strong = True
        for paragraph in cell.iter(W + "p"):
            text = paragraph_text(paragraph)
            self._notes.pending.extend(text.notes)
            plain = text.plain.strip()
            if not plain:
                continue
            style = self._styles.of(paragraph)
            if style.levels:
                marker = self._counters.next(style.list_key, style.levels, style.depth)
                plain = f"{marker} {plain}"
            texts.append(plain)
            strong = strong and (style.bold or bool(style.heading) or is_bold(paragraph))
        return Cell(one_line(" ".join(texts)), span, 1, strong and bool(texts))


def _at(line: list[Cell], column: int) -> Cell | None:
    at = 0
    for cell in line:
        if at <= column < at + cell.columns:
            return cell
        at += cell.columns
    return None


def _count(element: etree._Element | None, default: int = 0) -> int:
    try:
        return min(int(value(element, "val")), 500) if element is not None else default
    except ValueError:
        return default


def _parts(whole: etree._Element, name: str) -> Iterator[etree._Element]:
    """The rows (tr) of a table or the cells (tc) of a row, in whatever containers."""
    for child in whole:
        if child.tag == W + name:
            yield child
        elif child.tag in _CONTAINERS:
            yield from _parts(child, name)


def _is_layout(rows: list[etree._Element]) -> bool:
    """Whether a table only places text: one cell a row, or cells of prose."""
    counts = [sum(1 for _ in _parts(row, "tc")) for row in rows]
    if not counts or max(counts) <= 1:
        return True
    if max(counts) > 3:
        return False
    return any(
        sum(len(text.text or "") for text in cell.iter(W + "t")) > _LAYOUT_CHARACTERS
        for row in rows
        for cell in _parts(row, "tc")
    )
