"""Manuscripts as DOCX with real footnotes, written part by part (ECMA-376, WordprocessingML).

The same manuscript gives the same bytes: dates inside the archive are fixed.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable
from xml.sax.saxutils import escape

from ragstone.applications.manuscripts.docx_parts import (
    CODE_FONT,
    FONTS,
    FOOTER,
    HEAD,
    MAIN,
    NUMBERING,
    OFFICE,
    SETTINGS,
    STYLES,
)
from ragstone.applications.manuscripts.notes import (
    GAP,
    NOTHING,
    UNPROVED,
    described,
    gaps,
    lines_of,
    link,
    noted,
    notes_of_source,
    numbers_of,
    place,
    source_line,
)
from ragstone.applications.writing.manuscript import Block, Manuscript, Statement
from ragstone.text.wording import code_parts

_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_WML = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_DATE = (2020, 1, 1, 0, 0, 0)
_INVALID = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def docx(manuscript: Manuscript) -> bytes:
    """The whole manuscript as the bytes of a DOCX file."""
    writer = _Writer(manuscript)
    body = writer.body()
    parts = {
        "[Content_Types].xml": _content_types(),
        "_rels/.rels": _relationships(
            [
                ("rId1", f"{OFFICE}/officeDocument", "word/document.xml", False),
                (
                    "rId2", f"{_PACKAGE}/relationships/metadata/core-properties",
                    "docProps/core.xml", False,
                ),
            ]
        ),
        "docProps/core.xml": _core(manuscript),
        "word/document.xml": f"{HEAD}<w:document {MAIN}><w:body>{body}</w:body></w:document>",
        "word/styles.xml": STYLES,
        "word/settings.xml": SETTINGS,
        "word/numbering.xml": NUMBERING,
        "word/fontTable.xml": FONTS,
        "word/footer1.xml": FOOTER,
        "word/footnotes.xml": writer.footnotes(),
        "word/_rels/document.xml.rels": _relationships(
            [
                ("rId1", f"{OFFICE}/styles", "styles.xml", False),
                ("rId2", f"{OFFICE}/settings", "settings.xml", False),
                ("rId3", f"{OFFICE}/footnotes", "footnotes.xml", False),
                ("rId4", f"{OFFICE}/numbering", "numbering.xml", False),
                ("rId5", f"{OFFICE}/fontTable", "fontTable.xml", False),
                ("rId6", f"{OFFICE}/footer", "footer1.xml", False),
            ]
        ),
        "word/_rels/footnotes.xml.rels": _relationships(
            [(name, f"{OFFICE}/hyperlink", url, True) for url, name in writer.links.items()]
        ),
    }  # fmt: skip
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            entry = zipfile.ZipInfo(name, _DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, text.encode("utf-8"))
    return buffer.getvalue()


class _Writer:
    """The body and the footnotes of one manuscript, and the links that the notes hold."""

    def __init__(self, manuscript: Manuscript) -> None:
        self._manuscript = manuscript
        self._numbers = manuscript.numbers()
        self._seen: dict[int, None] = {}
        self.links: dict[str, str] = {}

    def body(self) -> str:
        manuscript = self._manuscript
        parts = [
            _paragraph(_run(manuscript.title), "Title"),
            _paragraph(_run(described(manuscript)), "Subtitle"),
        ]
        if manuscript.outline.items:
            parts.append(self._table())
        else:
            for section in manuscript.shown:
                parts.append(_paragraph(_run(section.heading), "Heading1"))
                if not section.blocks:
                    parts.append(_paragraph(_run(NOTHING), "Source"))
                for block in section.blocks:
                    parts += self._block(block)
        if self._numbers:
            parts.append(_paragraph(_run("Sources"), "Heading1"))
            for source in manuscript.sources:
                cited = noted(notes_of_source(manuscript, source))
                parts.append(_paragraph(_run(f"{source_line(source)} ({cited})"), "Entry"))
        parts.append(
            '<w:sectPr><w:footerReference w:type="default" r:id="rId6"/>'
            '<w:footnotePr><w:numFmt w:val="decimal"/></w:footnotePr>'
            '<w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1417" w:right="1417" '
            'w:bottom="1417" w:left="1417" w:header="708" w:footer="708" w:gutter="0"/></w:sectPr>'
        )
        return "".join(parts)

    def footnotes(self) -> str:
        """The part with the notes; those before the first are the lines that Word draws."""
        parts = [
            '<w:footnote w:type="separator" w:id="-1"><w:p><w:r><w:separator/></w:r></w:p>'
            '</w:footnote><w:footnote w:type="continuationSeparator" w:id="0"><w:p><w:r>'
            "<w:continuationSeparator/></w:r></w:p></w:footnote>"
        ]
        for note in self._manuscript.notes():
            citation = note.citation
            url = link(citation.source, citation.page)
            where = _run(place(citation))
            if url:
                name = self.links.setdefault(url, f"rId{len(self.links) + 1}")
                where = (
                    f'<w:hyperlink r:id="{name}">{_run(place(citation), "Hyperlink")}</w:hyperlink>'
                )
            quote = " ".join(citation.quote.split())
            inside = (
                '<w:r><w:rPr><w:rStyle w:val="FootnoteReference"/></w:rPr><w:footnoteRef/></w:r>'
                f"{_run(' ')}{where}{_run(f': “{quote}”')}"
            )
            parts.append(
                f'<w:footnote w:id="{note.number}">'
                f"{_paragraph(inside, 'FootnoteText')}</w:footnote>"
            )
        return f"{HEAD}<w:footnotes {MAIN}>{''.join(parts)}</w:footnotes>"

    def _block(self, block: Block) -> Iterable[str]:
        if block.label:
            yield _paragraph(_run(block.label), "Source")
        for line in lines_of(block):
            runs: list[str] = []
            for gap, statement in zip(gaps(line), line, strict=True):
                if runs:
                    runs.append(_run(f" {GAP} " if gap else " "))
                runs.append(self._stated(statement))
            item = line[0].form != "sentence"
            style = "ListQuote" if item else "Quote" if block.quoted else "Normal"
            yield _paragraph("".join(runs), style)

    def _stated(self, statement: Statement) -> str:
        marks = [self._mark(number) for number in numbers_of(statement, self._numbers)]
        between = '<w:r><w:rPr><w:rStyle w:val="FootnoteReference"/></w:rPr><w:t>,</w:t></w:r>'
        words = "".join(
            _run(part, "Code" if code else "") for part, code in code_parts(statement.text)
        )
        return words + (between.join(marks) or _run(f" {UNPROVED}"))

    def _mark(self, number: int) -> str:
        """A footnote's mark; where the note was named before, a reference back to its number.

        Word numbers footnotes by where they stand, so a note has one mark; the first mentions
        are in the order of the numbers.
        """
        style = '<w:rPr><w:rStyle w:val="FootnoteReference"/></w:rPr>'
        if number in self._seen:
            return f"<w:r>{style}<w:t>{number}</w:t></w:r>"
        self._seen[number] = None
        return f'<w:r>{style}<w:footnoteReference w:id="{number}"/></w:r>'

    def _table(self) -> str:
        manuscript = self._manuscript
        items = manuscript.outline.items
        first = 1500 if len(items) > 1 else 2500  # twentieths of a point; 9070 are between margins
        widths = [first, *[(9070 - first) // len(items)] * len(items)]
        grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
        heads = ["", *(_run(item.heading, bold=True) for item in items)]
        rows = [_row(heads, widths, is_head=True)]
        for section in manuscript.shown:
            cells = [
                _run(" ").join(self._stated(s) for s in block.statements) or _run("—")
                for block in section.blocks
            ]
            rows.append(_row([_run(section.heading, bold=True), *cells], widths))
        return (
            '<w:tbl><w:tblPr><w:tblStyle w:val="TableGrid"/>'
            f'<w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:tblLayout w:type="fixed"/>'
            f"</w:tblPr><w:tblGrid>{grid}</w:tblGrid>{''.join(rows)}</w:tbl><w:p/>"
        )


def _row(cells: list[str], widths: list[int], *, is_head: bool = False) -> str:
    """A row that no page cuts; a head is repeated on each page."""
    shade = '<w:shd w:val="clear" w:color="auto" w:fill="F2F2F2"/>' if is_head else ""
    inside = "".join(
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{shade}</w:tcPr>'
        f"{_paragraph(cell, 'Cell')}</w:tc>"
        for cell, width in zip(cells, widths, strict=True)
    )
    head = "<w:tblHeader/>" if is_head else ""
    return f"<w:tr><w:trPr><w:cantSplit/>{head}</w:trPr>{inside}</w:tr>"


def _paragraph(inside: str, style: str) -> str:
    return f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr>{inside}</w:p>'


def _run(text: str, style: str = "", *, bold: bool = False) -> str:
    font = CODE_FONT if style == "Code" else ""  # in tables LibreOffice takes no style's font
    marks = (f'<w:rStyle w:val="{style}"/>' if style else "") + font + ("<w:b/>" if bold else "")
    format_ = f"<w:rPr>{marks}</w:rPr>" if marks else ""
    return f'<w:r>{format_}<w:t xml:space="preserve">{_plain(text)}</w:t></w:r>'


def _plain(text: str) -> str:
    return escape(_INVALID.sub("\ufffd", text))


def _relationships(rows: Iterable[tuple[str, str, str, bool]]) -> str:
    inside = "".join(
        f'<Relationship Id="{name}" Type="{kind}" Target="{escape(target, {chr(34): "&quot;"})}"'
        f"{' TargetMode=' + chr(34) + 'External' + chr(34) if external else ''}/>"
        for name, kind, target, external in rows
    )
    return f'{HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{inside}</Relationships>'


def _content_types() -> str:
    parts = {
        "/word/document.xml": f"{_WML}.document.main+xml",
        "/word/styles.xml": f"{_WML}.styles+xml",
        "/word/settings.xml": f"{_WML}.settings+xml",
        "/word/numbering.xml": f"{_WML}.numbering+xml",
        "/word/fontTable.xml": f"{_WML}.fontTable+xml",
        "/word/footer1.xml": f"{_WML}.footer+xml",
        "/word/footnotes.xml": f"{_WML}.footnotes+xml",
        "/docProps/core.xml": "application/vnd.openxmlformats-package.core-properties+xml",
    }
    inside = "".join(
        f'<Override PartName="{name}" ContentType="{kind}"/>' for name, kind in parts.items()
    )
    return (
        f'{HEAD}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{inside}</Types>'
    )


def _core(manuscript: Manuscript) -> str:
    return (
        f'{HEAD}<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<dc:title>{_plain(manuscript.title)}</dc:title>"
        f"<dc:description>{_plain(described(manuscript))}</dc:description></cp:coreProperties>"
    )
