"""From a PDF's bytes to its Document, page by page.

Pages come out as `page` elements (level: number from 1; label: the printed label) whose span is
exactly the page's composed text. One page's glyphs are in memory at a time; what is kept of a
page is its text and its blocks. pdfium is not thread-safe: parse in processes, not in threads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pypdfium2 as pdfium

from ragstone.documents.builder import Builder
from ragstone.documents.pdf.characters import PageGlyphs, read_glyphs
from ragstone.documents.pdf.page import PageText, compose
from ragstone.documents.pdf.scans import recognise_page
from ragstone.documents.pdf.structure import furniture, headings
from ragstone.documents.raw import Raw, Reading, Recogniser
from ragstone.errors import DocumentError
from ragstone.types import Document, ElementKind, Scalar

_DATE = re.compile(r"D?:?(\d{4})(\d\d)?(\d\d)?(?:(\d\d)(\d\d)(\d\d)?)?([-+Z])?(\d\d)?'?(\d\d)?")
_NO_TITLE = re.compile(
    r"untitled.*|.*\.(?:docx?|pdf|indd|xlsx?|pptx?|tex|dvi|qxd|html?|fm)|(?:microsoft|powerpoint).*|"
    r"\W*|[\w-]*\d{4,}[\w-]*|document\d*|slide\s*\d+|title",
    re.IGNORECASE,
)
_NAME_WORD = re.compile(r"[^\W\d_]{3,}")
_NAME_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")


def parse(raw: Raw, reading: Reading) -> Iterator[Document]:
    """The one document of a PDF. Raises DocumentError: locked, broken, without pages or text."""
    with opened(raw) as pdf:
        count = len(pdf)
        if count == 0:
            raise DocumentError(
                f"{raw.source} has no pages.", remedy="Print or export it to PDF again."
            )
        if count > reading.limits.max_pages:
            raise DocumentError(
                f"{raw.source} has {count:,} pages, the most is {reading.limits.max_pages:,}.",
                remedy="Split it, or raise the limit `max_pages`.",
            )
        pages: list[PageText] = []
        failed: list[int] = []
        for number in range(count):
            try:
                pages.append(page_text(pdf, number, ocr=reading.ocr, keep_sources=False))
            except pdfium.PdfiumError:
                failed.append(number + 1)
                pages.append(PageText("", [], [], 0.0, 0.0))
        labels = [_label(pdf, number) for number in range(count)]
        facts = _facts(pdf)
    blank = [number for number, page in enumerate(pages, start=1) if not page.text.strip()]
    if len(blank) == count:
        if len(failed) == count:
            raise DocumentError(
                f"{raw.source} is a broken PDF: none of its {count} pages can be opened.",
                remedy="Open it in a PDF viewer and print it to a new PDF.",
            )
        raise DocumentError(
            f"{raw.source} holds pictures of text, not text ({count} scanned or empty "
            f"page{'s' if count > 1 else ''}).",
            remedy="Install OCR with `pip install 'ragstone[ocr]'` and read it again."
            if reading.ocr is None
            else "Scan it again at 300 dpi, or type it.",
        )
    if failed:
        facts["pages_failed"] = _numbers(failed)
    textless = [number for number in blank if number not in failed]
    if textless:
        facts["pages_without_text"] = _numbers(textless)
    yield _document(raw, pages, labels, facts)


@contextmanager
def opened(raw: Raw) -> Iterator[pdfium.PdfDocument]:
    """The PDF, closed at the end. Raises DocumentError naming the remedy."""
    local = raw.local_path
    try:
        pdf = pdfium.PdfDocument(local if local is not None else raw.read())
    except FileNotFoundError as error:
        raise DocumentError(
            f"{raw.source} does not exist any more.", remedy="Check the path."
        ) from error
    except pdfium.PdfiumError as error:
        if "assword" in str(error):
            raise DocumentError(
                f"{raw.source} is locked with a password.",
                remedy="Open it in a PDF viewer with its password and print it to a new PDF.",
            ) from error
        raise DocumentError(
            f"{raw.source} is not a PDF that can be opened ({error}).",
            remedy="It may be cut short: fetch it again, or print it to a new PDF.",
        ) from error
    try:
        yield pdf
    finally:
        pdf.close()


def page_text(
    pdf: pdfium.PdfDocument,
    number: int,
    *,
    ocr: Recogniser | None = None,
    keep_sources: bool = True,
) -> PageText:
    """The text of page `number` (from 0); by OCR where it has none and a recogniser is given."""
    glyphs = page_glyphs(pdf, number, ocr=ocr)
    page = compose(glyphs)
    if not keep_sources:
        page.sources = []
    return page


def page_glyphs(
    pdf: pdfium.PdfDocument, number: int, *, ocr: Recogniser | None = None
) -> PageGlyphs:
    """The page's words and boxes. A page whose fonts hide most letters counts as a scan."""
    page = pdf[number]
    try:
        glyphs = read_glyphs(page)
        hidden = glyphs.unmapped > 0.5
        if (hidden or not glyphs.words) and ocr is not None:
            return recognise_page(page, ocr)
        if hidden:
            glyphs.words = []
        return glyphs
    finally:
        page.close()


def _document(
    raw: Raw, pages: list[PageText], labels: list[str], facts: dict[str, Scalar]
) -> Document:
    running = furniture(pages)
    levels = headings(pages, running)
    builder = Builder(raw)
    for number, page in enumerate(pages):
        with builder.element("page", number + 1, labels[number]):
            base = builder.write(page.text).start
            _mark_tables(builder, base, page)
            for at, block in enumerate(page.blocks):
                kind: ElementKind = block.kind
                level = 0
                if (number, at) in running:
                    kind = "furniture"
                elif (number, at) in levels:
                    kind, level = "heading", levels[number, at]
                elif kind == "row":
                    level = _row_number(page, at)
                elif kind == "list_item":
                    level = 1
                builder.mark(kind, base + block.start, base + block.end, level)
    title = str(facts.pop("title", ""))
    facts["pages"] = len(pages)
    document = builder.document(format="pdf", title=title, metadata=facts)
    return replace(document, title=telling_title(document.title, raw.stem))


def telling_title(title: str, name: str) -> str:
    """The title, with the file's name where a person would tell the document apart by that.

    So it is where the two have no word in common, for many PDFs begin with the name of an office or
    a form that thousands begin with, and where the name holds a year that the title does not.
    `name` is the file's name without its ending; words are of three letters at least.
    """
    said = title.casefold()
    words = [word.casefold() for word in _NAME_WORD.findall(name)]
    strange = bool(words) and not any(word in said for word in words)
    dated = any(year not in said for year in _NAME_YEAR.findall(name))
    return f"{title} ({name})" if strange or dated else title


def _mark_tables(builder: Builder, base: int, page: PageText) -> None:
    spans: dict[int, tuple[int, int]] = {}
    for block in page.blocks:
        if block.table >= 0:
            start, _ = spans.get(block.table, (block.start, 0))
            spans[block.table] = (start, block.end)
    for start, end in spans.values():
        builder.mark("table", base + start, base + end)


def _row_number(page: PageText, at: int) -> int:
    """0 for a row that names the columns, as in a table of Markdown; the others from 1."""
    table = page.blocks[at].table
    first = at
    while first > 0 and page.blocks[first - 1].table == table and not page.blocks[first].names:
        first -= 1
    return at - first + (not page.blocks[first].names)


def _label(pdf: pdfium.PdfDocument, number: int) -> str:
    label = str(pdf.get_page_label(number) or "").strip()
    return "" if label == str(number + 1) else label


def _facts(pdf: pdfium.PdfDocument) -> dict[str, Scalar]:
    """Title, author, subject, keywords and date (ISO 8601) as the file states them."""
    stated = pdf.get_metadata_dict(skip_empty=True)
    facts: dict[str, Scalar] = {}
    title = " ".join(str(stated.get("Title", "")).split())
    if title and not _NO_TITLE.fullmatch(title):
        facts["title"] = title
    for name in ("Author", "Subject", "Keywords"):
        value = " ".join(str(stated.get(name, "")).split())
        if value:
            facts[name.lower()] = value[:500]
    date = iso_date(str(stated.get("CreationDate", ""))) or iso_date(str(stated.get("ModDate", "")))
    if date:
        facts["date"] = date
    return facts


def iso_date(stated: str) -> str:
    """`D:20190207163200-05'00'` (PDF 32000, 7.9.4) as `2019-02-07T16:32:00-05:00`; "" if none."""
    match = _DATE.match(stated.strip())
    if match is None:
        return ""
    year, month, day, hour, minute, second, sign, off_hour, off_minute = match.groups()
    if not 1 <= int(month or 1) <= 12 or not 1 <= int(day or 1) <= 31:
        return ""
    date = "-".join(part for part in (year, month, day) if part)
    if not (day and hour):
        return date
    zone = f"{sign}{off_hour}:{off_minute or '00'}" if sign in ("+", "-") and off_hour else ""
    return f"{date}T{hour}:{minute}:{second or '00'}{zone or ('Z' if sign == 'Z' else '')}"


def _numbers(numbers: list[int]) -> str:
    """`1-3, 7`: page numbers as ranges."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in ranges)
