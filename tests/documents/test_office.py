"""Office files: what a person sees is in the text, rows read alone, bombs are refused."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragstone.documents import Limits, read
from ragstone.documents.grids import Cell, header_rows, spread
from ragstone.documents.numbering import Counters, Level, numeral
from ragstone.documents.rtf_text import rtf_to_text
from ragstone.documents.sheet_size import column_number
from ragstone.errors import DocumentError
from ragstone.types import Document

_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def package(path: Path, parts: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def relations(*entries: tuple[str, str, str]) -> str:
    rows = "".join(
        f'<Relationship Id="{id}" Type="{_R}/{kind}" Target="{target}"/>'
        for id, kind, target in entries
    )
    return f'<Relationships xmlns="{_PACKAGE}">{rows}</Relationships>'


def docx(path: Path, body: str, **parts: str) -> Path:
    return package(
        path,
        {
            "_rels/.rels": relations(("r1", "officeDocument", "word/document.xml")),
            "word/document.xml": f"<w:document {_W}><w:body>{body}</w:body></w:document>",
            "word/_rels/document.xml.rels": relations(
                *((f"r{name}", name, f"{name}.xml") for name in parts)
            ),
            **{f"word/{name}.xml": content for name, content in parts.items()},
        },
    )


def p(text: str, style: str = "", extra: str = "") -> str:
    named = f'<w:pStyle w:val="{style}"/>' if style else ""
    return f"<w:p><w:pPr>{named}{extra}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"


def cell(text: str, properties: str = "") -> str:
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{p(text)}</w:tc>"


def only(path: Path) -> Document:
    (document,) = read(path)
    return document


def shape(document: Document) -> list[tuple[str, int, str]]:
    return [
        (each.kind, each.level, each.span.of(document.text))
        for each in document.elements
        if each.kind not in ("table", "sheet", "slide")
    ]


# Word


def test_word_headings_lists_and_deleted_text(tmp_path):
    numbering = (
        f'<w:numbering {_W}><w:abstractNum w:abstractNumId="7">'
        '<w:lvl w:ilvl="0"><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>'
        '<w:lvl w:ilvl="1"><w:numFmt w:val="lowerLetter"/><w:lvlText w:val="%1%2)"/></w:lvl>'
        '</w:abstractNum><w:num w:numId="3"><w:abstractNumId w:val="7"/></w:num></w:numbering>'
    )
    number = '<w:numPr><w:ilvl w:val="{}"/><w:numId w:val="3"/></w:numPr>'
    body = (
        p("The Works", "Heading1")
        + p("First", extra=number.format(0))
        + p("Below", extra=number.format(1))
        + p("Second", extra=number.format(0))
        + "<w:p><w:r><w:t>Kept </w:t></w:r><w:del><w:r><w:delText>gone</w:delText></w:r></w:del>"
        "<w:ins><w:r><w:t>added</w:t></w:r></w:ins></w:p>"
    )
    document = only(docx(tmp_path / "a.docx", body, numbering=numbering))
    assert shape(document) == [
        ("heading", 1, "The Works"),
        ("list_item", 1, "1. First"),
        ("list_item", 2, "1a) Below"),
        ("list_item", 1, "2. Second"),
        ("paragraph", 0, "Kept added"),
    ]
    assert document.title == "The Works"


def test_word_table_with_merged_cells_repeats_them(tmp_path):
    rows = (
        "<w:tr><w:trPr><w:tblHeader/></w:trPr>" + cell("Town") + cell("Year") + cell("Ships")
        + "</w:tr><w:tr>" + cell("Oslo", '<w:vMerge w:val="restart"/>') + cell("2018")
        + cell("14") + "</w:tr><w:tr>" + cell("", "<w:vMerge/>") + cell("2019") + cell("17")
        + "</w:tr><w:tr>" + cell("All", '<w:gridSpan w:val="2"/>') + cell("31") + "</w:tr>"
    )  # fmt: skip
    document = only(docx(tmp_path / "a.docx", f"<w:tbl>{rows}</w:tbl>"))
    assert [text for kind, _, text in shape(document) if kind == "row"] == [
        "Town: Oslo; Year: 2018; Ships: 14",
        "Town: Oslo; Year: 2019; Ships: 17",
        "Town: All; Ships: 31",
    ]


def test_word_footnote_stands_below_its_paragraph_and_headers_are_furniture(tmp_path):
    notes = (
        f'<w:footnotes {_W}><w:footnote w:id="2">{p("By the harbour master.")}'
        "</w:footnote></w:footnotes>"
    )
    body = (
        '<w:p><w:r><w:t>Counted daily.</w:t></w:r><w:r><w:footnoteReference w:id="2"/></w:r></w:p>'
        + p("After.")
    )
    header = f"<w:hdr {_W}>{p('Harbour Company')}</w:hdr>"
    document = only(docx(tmp_path / "a.docx", body, footnotes=notes, header=header))
    assert shape(document) == [
        ("furniture", 0, "Harbour Company"),
        ("paragraph", 0, "Counted daily.[2]"),
        ("note", 0, "[2] By the harbour master."),
        ("paragraph", 0, "After."),
    ]


def test_word_text_box_is_read_once(tmp_path):
    box = f"<w:txbxContent>{p('In a box')}</w:txbxContent>"
    body = (
        '<w:p xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><w:r>'
        f"<mc:AlternateContent><mc:Choice><w:drawing>{box}</w:drawing></mc:Choice>"
        f"<mc:Fallback><w:pict>{box}</w:pict></mc:Fallback></mc:AlternateContent></w:r>"
        "<w:r><w:t>Around it</w:t></w:r></w:p>"
    )
    document = only(docx(tmp_path / "a.docx", body))
    assert document.text.count("In a box") == 1
    assert "Around it" in document.text


@pytest.mark.parametrize(
    ("number", "style", "text"),
    [(4, "lowerRoman", "iv"), (1994, "upperRoman", "MCMXCIV"), (27, "lowerLetter", "aa"),
     (3, "decimalZero", "03"), (22, "ordinal", "22nd"), (12, "ordinal", "12th")],
)  # fmt: skip
def test_numerals(number, style, text):
    assert numeral(number, style) == text


def test_counters_begin_again_below_a_new_item():
    levels = {0: Level(), 1: Level(pattern="%1.%2")}
    counters = Counters()
    depths = [0, 1, 1, 0, 1]
    assert [counters.next("a", levels, depth) for depth in depths] == [
        "1.", "1.1", "1.2", "2.", "2.1",
    ]  # fmt: skip


# grids


@given(st.lists(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3)), max_size=4), max_size=5))
def test_a_spread_grid_says_every_cell_as_often_as_it_reaches(sizes):
    rows = [
        [Cell(f"{at}.{number}", columns, down) for number, (columns, down) in enumerate(row)]
        for at, row in enumerate(sizes)
    ]
    grid = spread(rows)
    assert len(grid) == len(rows)
    for at, row in enumerate(rows):
        for one in row:
            assert sum(each is one for each in grid[at]) >= 1
            for below in range(at + 1, min(at + one.rows, len(rows))):
                assert any(each is one for each in grid[below])


def test_a_header_needs_evidence():
    def grid(*rows: str) -> list[list[Cell]]:
        return [[Cell(text) for text in row.split("|")] for row in rows]

    assert header_rows(grid("Town|Ships", "Oslo|14", "Bergen|9")) == 1
    assert header_rows(grid("Name|Ole", "Town|Oslo")) == 0
    assert header_rows(grid("Oslo|14", "Bergen|9")) == 0


# slides


def test_slides_keep_title_order_table_and_notes(tmp_path):
    a = "http://schemas.openxmlformats.org/drawingml/2006/main"
    name = "http://schemas.openxmlformats.org/presentationml/2006/main"

    def text(words: str) -> str:
        return f"<p:txBody><a:p><a:r><a:t>{words}</a:t></a:r></a:p></p:txBody>"

    def sp(words: str, x: int, y: int, kind: str = "") -> str:
        mark = f'<p:nvSpPr><p:nvPr><p:ph type="{kind}"/></p:nvPr></p:nvSpPr>' if kind else ""
        place = f'<p:spPr><a:xfrm><a:off x="{x}" y="{y}"/></a:xfrm></p:spPr>'
        return f"<p:sp>{mark}{place}{text(words)}</p:sp>"

    def tc(words: str) -> str:
        return f"<a:tc><a:txBody><a:p><a:r><a:t>{words}</a:t></a:r></a:p></a:txBody></a:tc>"

    table = (
        '<p:graphicFrame><p:xfrm><a:off x="0" y="9000000"/></p:xfrm><a:graphic><a:graphicData>'
        f'<a:tbl><a:tblPr firstRow="1"/><a:tr>{tc("Town")}{tc("Ships")}</a:tr>'
        f"<a:tr>{tc('Oslo')}{tc('14')}</a:tr></a:tbl></a:graphicData></a:graphic></p:graphicFrame>"
    )
    slide = (
        f'<p:sld xmlns:p="{name}" xmlns:a="{a}"><p:cSld><p:spTree>'
        + sp("Below right", 5000000, 4000000) + sp("Below left", 0, 4000000)
        + sp("The title", 0, 0, "title") + table + sp("7", 0, 9500000, "sldNum")
        + "</p:spTree></p:cSld></p:sld>"
    )  # fmt: skip
    notes = (
        f'<p:notes xmlns:p="{name}" xmlns:a="{a}"><p:cSld><p:spTree>'
        + sp("Say it slowly", 0, 0, "body") + "</p:spTree></p:cSld></p:notes>"
    )  # fmt: skip
    path = package(
        tmp_path / "a.pptx",
        {
            "_rels/.rels": relations(("r1", "officeDocument", "ppt/presentation.xml")),
            "ppt/presentation.xml": f'<p:presentation xmlns:p="{name}" xmlns:r="{_R}">'
            '<p:sldIdLst><p:sldId r:id="r2"/></p:sldIdLst></p:presentation>',
            "ppt/_rels/presentation.xml.rels": relations(("r2", "slide", "slides/slide1.xml")),
            "ppt/slides/slide1.xml": slide,
            "ppt/slides/_rels/slide1.xml.rels": relations(("r3", "notesSlide", "../notes.xml")),
            "ppt/notes.xml": notes,
        },
    )
    assert shape(only(path)) == [
        ("heading", 2, "The title"),
        ("paragraph", 0, "Below left"),
        ("paragraph", 0, "Below right"),
        ("row", 1, "Town: Oslo; Ships: 14"),
        ("furniture", 0, "7"),
        ("note", 0, "Say it slowly"),
    ]


# sheets


def xlsx(path: Path, rows: str, *, extra: str = "", name: str = "Ships") -> Path:
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    kinds = "http://schemas.openxmlformats.org/package/2006/content-types"
    return package(
        path,
        {
            "[Content_Types].xml": f'<Types xmlns="{kinds}"/>',
            "_rels/.rels": relations(("r1", "officeDocument", "xl/workbook.xml")),
            "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{_R}"><sheets>'
            f'<sheet name="{name}" sheetId="1" r:id="r2"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": relations(("r2", "worksheet", "worksheets/sheet1.xml")),
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData>'
            f"{extra}</worksheet>",
        },
    )


def sheet_row(number: int, *values: str | float, first: str = "A") -> str:
    cells = []
    for at, value in enumerate(values):
        place = f"{chr(ord(first) + at)}{number}"
        if isinstance(value, str):
            cells.append(f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>')
        else:
            cells.append(f'<c r="{place}"><v>{value}</v></c>')
    return f'<row r="{number}">{"".join(cells)}</row>'


def test_sheet_rows_keep_their_columns_names_over_empty_rows(tmp_path):
    rows = (
        sheet_row(1, "Counted in the harbour") + sheet_row(2, "Town", "Ships", "Share")
        + sheet_row(3, "Oslo", 14, 0.25) + sheet_row(1_000_000, "Bergen", 9.0, 1.5)
    )  # fmt: skip
    document = only(xlsx(tmp_path / "a.xlsx", rows))
    assert shape(document) == [
        ("heading", 2, "Ships"),
        ("paragraph", 0, "Counted in the harbour"),
        ("row", 3, "Town: Oslo; Ships: 14; Share: 0.25"),
        ("row", 1_000_000, "Town: Bergen; Ships: 9; Share: 1.5"),
    ]
    assert [each.label for each in document.elements if each.kind == "sheet"] == ["Ships"]


def test_sheet_merged_cells_are_repeated(tmp_path):
    rows = (
        sheet_row(1, "Town", "Year", "Ships") + sheet_row(2, "Oslo", 2018, 14)
        + sheet_row(3, 2019, 17, first="B")
    )  # fmt: skip
    merged = '<mergeCells count="1"><mergeCell ref="A2:A3"/></mergeCells>'
    document = only(xlsx(tmp_path / "a.xlsx", rows, extra=merged))
    assert "Town: Oslo; Year: 2019; Ships: 17" in document.text


def test_sheet_that_spreads_too_far_is_refused(tmp_path):
    rows = sheet_row(1, "a") + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    with pytest.raises(DocumentError, match="1,048,576 rows"):
        only(xlsx(tmp_path / "a.xlsx", rows))


def test_large_workbook_comes_in_parts(tmp_path):
    rows = sheet_row(1, "Town", "Ships")
    rows += "".join(sheet_row(at, f"Town {at}", at) for at in range(2, 400))
    limits = Limits(part_characters=4000)
    documents = list(read(xlsx(tmp_path / "a.xlsx", rows), limits=limits))
    assert len(documents) > 1
    assert len({document.source for document in documents}) == len(documents)
    lines = [line for each in documents for line in each.text.splitlines() if "Town:" in line]
    assert lines == [f"Town: Town {at}; Ships: {at}" for at in range(2, 400)]


@given(st.integers(1, 16384))
def test_column_letters(number):
    letters, rest = b"", number
    while rest:
        rest, digit = divmod(rest - 1, 26)
        letters = bytes([65 + digit]) + letters
    assert column_number(letters) == number


# OpenDocument, RTF


def test_opendocument_text(tmp_path):
    spaces = " ".join(
        f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for short, name in (("o", "office"), ("t", "text"), ("tb", "table"))
    )
    content = (
        f'<o:document-content {spaces}><o:body><o:text><t:h t:outline-level="2">Works</t:h>'
        '<t:p>It <t:span>rained</t:span><t:s t:c="2"/>hard.<t:note><t:note-citation>1'
        "</t:note-citation><t:note-body><t:p>In June.</t:p></t:note-body></t:note></t:p>"
        "<t:list><t:list-item><t:p>One</t:p></t:list-item></t:list>"
        "<tb:table><tb:table-header-rows><tb:table-row><tb:table-cell><t:p>Town</t:p>"
        "</tb:table-cell><tb:table-cell><t:p>Ships</t:p></tb:table-cell></tb:table-row>"
        '</tb:table-header-rows><tb:table-row tb:number-rows-repeated="2"><tb:table-cell>'
        "<t:p>Oslo</t:p></tb:table-cell><tb:table-cell><t:p>14</t:p></tb:table-cell>"
        "</tb:table-row></tb:table></o:text></o:body></o:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.text"
    path = package(tmp_path / "a.odt", {"mimetype": kind, "content.xml": content})
    assert shape(only(path)) == [
        ("heading", 2, "Works"),
        ("paragraph", 0, "It rained  hard.[1]"),
        ("note", 0, "[1] In June."),
        ("list_item", 1, "- One"),
        ("row", 1, "Town: Oslo; Ships: 14"),
    ]


def test_rtf_letters_notes_and_tables(tmp_path):
    path = tmp_path / "a.rtf"
    path.write_bytes(
        rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}{\stylesheet{\s1 heading 1;}}"
        rb"{\info{\title The harbour}}{\header Running line\par}\pard\s1 Works\par "
        rb"\pard Caf\'e9 \u8364?5 {\*\secret hidden}shown.{\footnote In June.}\par "
        rb"\trowd\intbl Oslo\cell 14\cell\row\trowd\intbl Bergen\cell 9\cell\row\pard End.\par}"
    )
    document = only(path)
    assert document.title == "The harbour"
    assert shape(document) == [
        ("furniture", 0, "Running line"),
        ("heading", 1, "Works"),
        ("paragraph", 0, "Café €5 shown."),
        ("note", 0, "In June."),
        ("row", 1, "Oslo; 14"),
        ("row", 2, "Bergen; 9"),
        ("paragraph", 0, "End."),
    ]


@given(st.text(st.characters(codec="cp1252", exclude_categories=("Cc",)), max_size=60))
def test_rtf_text_comes_back(text):
    escaped = "".join(
        f"\\'{byte:02x}" if byte > 126 or chr(byte) in "\\{}" else chr(byte)
        for byte in text.encode("cp1252")
    )
    assert rtf_to_text(b"{\\rtf1\\ansi\\ansicpg1252 " + escaped.encode() + b"}") == text


@given(st.binary(max_size=300))
def test_rtf_reads_any_bytes(data):
    assert isinstance(rtf_to_text(b"{\\rtf1" + data), str)


# bad input


def test_bombs_are_refused(tmp_path):
    bomb = f"<w:document {_W}><w:body>{' ' * 3_000_000}</w:body></w:document>"
    with pytest.raises(DocumentError, match="bomb"):
        list(read(docx_with(tmp_path, bomb), limits=Limits(free_bytes=100_000, max_ratio=100)))


def docx_with(folder: Path, content: str) -> Path:
    return package(
        folder / "a.docx",
        {
            "_rels/.rels": relations(("r1", "officeDocument", "word/document.xml")),
            "word/document.xml": content,
        },
    )


def test_entities_are_not_expanded_nor_fetched(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret")
    content = (
        f'<!DOCTYPE d [<!ENTITY a "{"ha" * 50}"><!ENTITY b "{"&a;" * 50}">'
        f'<!ENTITY c "{"&b;" * 50}"><!ENTITY file SYSTEM "{secret.as_uri()}">]>'
        f"<w:document {_W}><w:body>{p('Before &c;&file; after')}</w:body></w:document>"
    )
    try:
        text = only(docx_with(tmp_path, content)).text
    except DocumentError:
        return
    assert "the secret" not in text
    assert len(text) < 1000


@pytest.mark.parametrize("extension", ["docx", "pptx", "xlsx", "odt", "epub"])
def test_damaged_archives_name_the_remedy(tmp_path, extension):
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("word/document.xml", "<a/>")
    path = tmp_path / f"a.{extension}"
    path.write_bytes(whole.getvalue()[:40])
    with pytest.raises(DocumentError) as caught:
        list(read(path))
    assert caught.value.remedy
    assert str(path) in caught.value.what


def test_deep_xml_is_refused(tmp_path):
    deep = "<w:sdt>" * 3000 + "</w:sdt>" * 3000
    with pytest.raises(DocumentError):
        only(docx(tmp_path / "a.docx", deep))
