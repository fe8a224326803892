"""DOC and PPT, the binary formats of Office 97 to 2003.

Read directly: no well-kept library reads them without an office program. Text, headings, tables and
notes come out; pictures and drawings do not. What is older or locked is refused with the remedy.
"""

from __future__ import annotations

from collections.abc import Iterator

from ragstone.documents.builder import Builder, storable
from ragstone.documents.compound import CompoundFile
from ragstone.documents.doc_binary import Paragraph, read_doc
from ragstone.documents.grids import Cell, write_grid
from ragstone.documents.ppt_binary import read_ppt
from ragstone.documents.raw import Raw, Reading
from ragstone.documents.rtf import parse as parse_rtf
from ragstone.documents.summary import facts_of
from ragstone.errors import DocumentError
from ragstone.text.spaces import one_line
from ragstone.types import Document

_OLE = b"\xd0\xcf\x11\xe0"


def parse_doc(raw: Raw, reading: Reading) -> Iterator[Document]:
    """The one document of a DOC. Raises DocumentError: locked, older than Word 97, damaged."""
    head = raw.head(8)
    if head.lstrip().startswith(b"{\\rtf"):  # many a .doc is RTF
        yield from parse_rtf(raw, reading)
        return
    if not head.startswith(_OLE):
        raise DocumentError(
            f"{raw.source} is no Word 97-2003 document.",
            remedy="Open it in a word processor, such as LibreOffice, and save it as DOCX.",
        )
    file = CompoundFile(raw.read(), raw.source)
    parts = read_doc(file, raw.source)
    built = Builder(raw)
    for text in parts.headers:
        built.furniture(text)
    _write_paragraphs(built, parts.body)
    for note in parts.notes:
        built.note(note)
    for text in parts.boxes:
        built.paragraph(text)
    facts = facts_of(file)
    title = str(facts.pop("title", ""))
    yield built.document(format="doc", title=title, metadata=facts)


def _write_paragraphs(built: Builder, paragraphs: list[Paragraph]) -> None:
    rows: list[list[Cell]] = []
    cells: list[Cell] = []
    open_cell: list[str] = []
    for paragraph in paragraphs:
        text = storable(paragraph.text)
        if paragraph.row_end:
            rows.append(cells)
            cells = []
            open_cell.clear()
            continue
        if paragraph.in_table:
            open_cell.append(text.strip())
            if paragraph.cell_end:
                cells.append(Cell(one_line(" ".join(open_cell))))
                open_cell.clear()
            continue
        if rows or cells:
            write_grid(built, [*rows, cells] if cells else rows)
            rows, cells = [], []
        if paragraph.heading:
            built.heading(text, min(paragraph.heading, 6))
        elif paragraph.listed:
            built.list_item(text, level=paragraph.depth + 1)
        else:
            built.paragraph(text)
    if rows or cells:
        write_grid(built, [*rows, cells] if cells else rows)


def parse_ppt(raw: Raw, reading: Reading) -> Iterator[Document]:
    """The one document of a PPT. Raises DocumentError: locked, older than 97, damaged."""
    if not raw.head(8).startswith(_OLE):
        raise DocumentError(
            f"{raw.source} is no PowerPoint 97-2003 file.",
            remedy="Open it in a presentation program, such as LibreOffice, and save it as PPTX.",
        )
    file = CompoundFile(raw.read(), raw.source)
    built = Builder(raw)
    for number, slide in enumerate(read_ppt(file, raw.source), start=1):
        with built.element("slide", number):
            if slide.title:
                built.heading(one_line(storable(slide.title)), 2)
            for text in slide.bodies:
                for line in storable(text).split("\r"):
                    built.list_item(line)
            for text in slide.texts:
                for line in storable(text).split("\r"):
                    built.paragraph(line)
            built.note(storable("\n".join(slide.notes)), label="notes")
    facts = facts_of(file)
    title = str(facts.pop("title", ""))
    yield built.document(format="ppt", title=title, metadata=facts)
