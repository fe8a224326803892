"""PDF: reading order, tables, running lines, and the way from a span back to the page."""

from __future__ import annotations

import zlib
from pathlib import Path

import pypdfium2 as pdfium
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragstone.documents import Limits, read
from ragstone.documents.pdf import rectangles
from ragstone.documents.pdf.document import iso_date, telling_title
from ragstone.documents.rendering import png, render_page
from ragstone.errors import DocumentError, UsageError
from ragstone.types import Document, Span

Line = tuple[float, float, float, str, bool]  # x, y from the top, size, text, bold
WIDTH, HEIGHT = 612, 792


def write_pdf(path: Path, pages: list[list[Line]], *, info: str = "") -> Path:
    """A PDF with each line of text at its place, in Helvetica."""
    objects: list[bytes] = [b"", b""]
    fonts = b"<< /F1 3 0 R /F2 4 0 R >>"
    objects += [
        b"<< /Type /Font /Subtype /Type1 /Encoding /WinAnsiEncoding /BaseFont /" + name + b" >>"
        for name in (b"Helvetica", b"Helvetica-Bold")
    ]
    kids = []
    for lines in pages:
        content = []
        for x, y, size, text, bold in lines:
            shown = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
            content.append(f"BT /F{2 if bold else 1} {size} Tf {x} {HEIGHT - y} Td ({shown}) Tj ET")
        stream = zlib.compress("\n".join(content).encode("cp1252"))
        objects.append(
            b"<< /Filter /FlateDecode /Length %d >> stream\n%s\nendstream" % (len(stream), stream)
        )
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents %d 0 R "
            b"/Resources << /Font %s >> >>" % (WIDTH, HEIGHT, len(objects), fonts)
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[0] = b"<< /Type /Catalog /Pages 2 0 R >>"
    objects[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(kids), b" ".join(kids))
    objects.append(f"<< {info} >>".encode("latin-1"))
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer << /Root 1 0 R /Info %d 0 R /Size %d >>\nstartxref\n%d\n%%%%EOF" % (
        len(objects), len(objects) + 1, start,
    )  # fmt: skip
    path.write_bytes(out)
    return path


def text_lines(
    texts: list[str], *, x: float = 72, y: float = 100, size: float = 10, step: float = 12,
    bold: bool = False,
) -> list[Line]:  # fmt: skip
    return [(x, y + step * at, size, text, bold) for at, text in enumerate(texts)]


def only(path: Path) -> Document:
    (document,) = read(path)
    return document


def texts(document: Document, kind: str) -> list[str]:
    return [each.span.of(document.text) for each in document.elements if each.kind == kind]


PROSE = [
    "The committee met in the morning and heard a report on the harbour,",
    "which had been closed since the storm in early spring of that year.",
    "It was agreed that the work should begin before the first of June.",
]
WORDS = st.sampled_from(
    ["ox", "amber", "river", "stone", "ledger", "harbour", "quantity", "12", "1,204", "(35)", "of"]
)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(WORDS, min_size=1, max_size=9), min_size=1, max_size=12), st.data())
def test_every_span_lies_where_its_words_were_written(tmp_path_factory, rows, data):
    path = tmp_path_factory.mktemp("pdf") / "a.pdf"
    lines = text_lines([" ".join(row) for row in rows], step=20)
    document = only(write_pdf(path, [lines]))
    assert document.text.split() == [word for row in rows for word in row]
    start = data.draw(st.integers(0, len(document.text) - 1))
    end = data.draw(st.integers(start + 1, len(document.text)))
    span = Span(start, end)
    found = rectangles(path, document, span)
    boxes = [box for page in found for box in page.boxes]
    line_tops = [y for _, y, *_ in lines]
    for left, top, right, bottom in boxes:
        assert left < right
        assert top < bottom
        assert left >= 72 - 1
        assert right <= WIDTH
        assert any(top - 1 <= y <= bottom + 1 for y in line_tops)
    # the text that pdfium itself finds inside the boxes holds every word of the span
    pdf = pdfium.PdfDocument(path)
    page = pdf[0].get_textpage()
    inside = " ".join(
        page.get_text_bounded(left - 0.5, HEIGHT - bottom - 0.5, right + 0.5, HEIGHT - top + 0.5)
        for left, top, right, bottom in boxes
    )
    page.close()
    pdf.close()
    assert set(span.of(document.text).split()[1:-1]) <= set(inside.split())


def test_pages_are_elements_and_cover_the_text(tmp_path):
    path = write_pdf(tmp_path / "a.pdf", [text_lines(PROSE), text_lines(["Second page here."])])
    document = only(path)
    pages = [each for each in document.elements if each.kind == "page"]
    assert [page.level for page in pages] == [1, 2]
    assert "".join(page.span.of(document.text) for page in pages) == document.text.replace(
        "\n\nSecond", "Second"
    )


def test_lines_become_one_paragraph(tmp_path):
    document = only(write_pdf(tmp_path / "a.pdf", [text_lines(PROSE)]))
    assert texts(document, "paragraph") == [" ".join(PROSE)]


def test_two_columns_are_read_one_after_the_other(tmp_path):
    left = [f"left column line number {at} runs on and on" for at in range(12)]
    right = [f"right column line number {at} runs on too" for at in range(12)]
    lines = [
        *text_lines(["A heading over both of the columns of this page"], y=60, size=18),
        *text_lines(left, x=60, y=100),
        *text_lines(right, x=320, y=100),
    ]
    text = only(write_pdf(tmp_path / "a.pdf", [lines])).text
    assert text.index("A heading") < text.index("left column line number 0")
    assert text.index("left column line number 11") < text.index("right column line number 0")


def table(y: float = 100) -> list[Line]:
    lines = []
    rows = [
        ("(Millions)", "2018", "2017"),
        ("Net sales", "32,765", "31,657"),
        ("Cost of sales", "16,682", "16,055"),
        ("Net income", "5,349", "4,858"),
    ]
    for at, (label, *values) in enumerate(rows):
        lines.append((72.0, y + 14 * at, 10.0, label, False))
        for column, value in enumerate(values):
            right = 380 + 100 * column
            lines.append((right - 5.0 * len(value), y + 14 * at, 10.0, value, False))
    return lines


def test_a_row_of_a_table_reads_alone(tmp_path):
    path = write_pdf(tmp_path / "a.pdf", [[*text_lines(PROSE, y=60), *table(140)]])
    document = only(path)
    assert texts(document, "row") == [
        "(Millions); 2018; 2017",
        "Net sales; 2018: 32,765; 2017: 31,657",
        "Cost of sales; 2018: 16,682; 2017: 16,055",
        "Net income; 2018: 5,349; 2017: 4,858",
    ]
    start = document.text.index("2017: 16,055")
    (page,) = rectangles(path, document, Span(start, start + len("2017: 16,055")))
    assert len(page.boxes) == 2  # the header's cell and the value's own
    assert all(box[0] > 440 for box in page.boxes)


def width(text: str) -> float:
    """About the width of a text in Helvetica at 10 points."""
    narrow = {",": 2.78, ".": 2.78, " ": 2.78, "(": 3.33}
    return sum(narrow.get(each, 5.56) for each in text)


def grid(y: float, heads: list[list[tuple[float, str]]], rows: list[list[str]]) -> list[Line]:
    """Header lines of (centre, text), then rows: a label and numbers whose digits end at 300, 360,
    and so on."""
    lines: list[Line] = []
    for at, head in enumerate(heads):
        lines += [(x - width(text) / 2, y + 14 * at, 10.0, text, False) for x, text in head]
    for at, (label, *values) in enumerate(rows):
        below = y + 14 * (len(heads) + at)
        lines.append((72, below, 10.0, label, False))
        for column, value in enumerate(values):
            digits = value.rstrip(")%")
            lines.append((300 + 60 * column - width(digits), below, 10.0, value, False))
    return lines


FOUR = [
    ["Revenue", "8,890", "9,569", "17,691", "19,463"],
    ["Gross profit", "2,052", "2,109", "4,044", "4,279"],
    ["Operating income", "348", "371", "659", "833"],
]


def test_a_name_over_several_columns_names_each_of_them(tmp_path):
    heads = [
        [(315, "Q2"), (435, "H1")],
        [(288, "2023"), (348, "2022"), (408, "2023"), (468, "2022")],
    ]
    document = only(write_pdf(tmp_path / "a.pdf", [grid(140, heads, FOUR)]))
    assert texts(document, "row")[2:] == [
        "Revenue; Q2 2023: 8,890; Q2 2022: 9,569; H1 2023: 17,691; H1 2022: 19,463",
        "Gross profit; Q2 2023: 2,052; Q2 2022: 2,109; H1 2023: 4,044; H1 2022: 4,279",
        "Operating income; Q2 2023: 348; Q2 2022: 371; H1 2023: 659; H1 2022: 833",
    ]


def test_a_name_between_two_columns_does_not_join_them(tmp_path):
    heads = [[(310, "Sum"), (430, "Net")], [(288, "2023"), (348, "2022"), (408, "2023")]]
    wide = [[label, *(f"$ {value}" for value in values)] for label, *values in FOUR]
    document = only(write_pdf(tmp_path / "a.pdf", [grid(140, heads, wide)]))
    assert texts(document, "row")[2].startswith("Revenue; Sum 2023: $ 8,890; Sum 2022: $ 9,569; ")


def test_a_name_over_one_of_several_columns_is_its_own(tmp_path):
    heads = [[(348, "Interest")], [(285, "Ends"), (345, "rate"), (408, "2023"), (468, "2022")]]
    document = only(write_pdf(tmp_path / "a.pdf", [grid(140, heads, FOUR)]))
    assert texts(document, "row")[-1] == (
        "Operating income; Ends: 348; Interest rate: 371; 2023: 659; 2022: 833"
    )


@pytest.mark.parametrize("rows", [
    [["Cash", "1,093", "1,874"]],
    [["Expenses", "(1,246)", "(1,284)"], ["Share of sales", "(8.5)%", "(8.8)%"]],
])  # fmt: skip
def test_a_table_may_have_one_row_or_two(tmp_path, rows):
    heads = [[(278, "2023"), (338, "2022")]]
    lines = [*text_lines(PROSE, y=60), *grid(140, heads, rows), *text_lines(PROSE, y=220)]
    document = only(write_pdf(tmp_path / "a.pdf", [lines]))
    assert texts(document, "row") == [
        "2023; 2022",
        *(f"{label}; 2023: {first}; 2022: {second}" for label, first, second in rows),
    ]


def test_a_title_over_a_table_names_no_column_and_is_not_cut(tmp_path):
    years = [(288, "2023"), (348, "2022"), (408, "2021"), (468, "2020")]
    rows = [[f"{label} {at}", *values] for at in range(5) for label, *values in FOUR]
    title = "The years of the company as they were told to us in the end"
    lines = [(148.0, 120.0, 10.0, title, True), *grid(140, [years], rows)]
    document = only(write_pdf(tmp_path / "a.pdf", [lines]))
    assert document.text.startswith(f"{title}\n\n2023; 2022; 2021; 2020\n")
    assert texts(document, "row")[1] == (
        "Revenue 0; 2023: 8,890; 2022: 9,569; 2021: 17,691; 2020: 19,463"
    )


def test_rows_that_name_the_columns_have_no_number(tmp_path):
    document = only(write_pdf(tmp_path / "a.pdf", [[*text_lines(PROSE, y=60), *table(140)]]))
    assert [each.level for each in document.elements if each.kind == "row"] == [0, 1, 2, 3]


def test_the_names_of_columns_on_top_of_several_pages_are_no_running_line(tmp_path):
    names = [(288, "2023"), (348, "2022"), (408, "2021"), (468, "2020")]
    pages = [
        [
            *grid(40, [names], [[f"{label} of part {page}", *more] for label, *more in FOUR]),
            *text_lines([f"{line} Part {page}." for line in PROSE], y=300),
        ]
        for page in range(4)
    ]
    document = only(write_pdf(tmp_path / "a.pdf", pages))
    assert texts(document, "row").count("2023; 2022; 2021; 2020") == 4


@pytest.mark.parametrize(
    ("title", "name", "called"),
    [
        ("UNITED STATES", "ACME_10K", "UNITED STATES (ACME_10K)"),
        ("Acme Company", "ACME_10K", "Acme Company"),
        ("Acme Company", "ACME_2019_10K", "Acme Company (ACME_2019_10K)"),
        ("Acme in 2019", "ACME_2019_10K", "Acme in 2019"),
        ("The Harbour", "07", "The Harbour"),
    ],
)
def test_a_file_name_stands_beside_a_title_that_says_less(title, name, called):
    assert telling_title(title, name) == called


def test_a_word_broken_at_a_line_end_is_joined_and_keeps_its_place(tmp_path):
    lines = text_lines(["They spoke of the infor-", "mation that had been lost in the long-",
                        "term store, and of a well-", "known habit."])  # fmt: skip
    path = write_pdf(tmp_path / "a.pdf", [lines])
    document = only(path)
    assert document.text == (
        "They spoke of the information that had been lost in the long-term store, "
        "and of a well-known habit."
    )
    start = document.text.index("information")
    (page,) = rectangles(path, document, Span(start, start + len("information")))
    assert len(page.boxes) == 2
    assert page.boxes[0][1] < page.boxes[1][1]


def test_running_lines_are_furniture_and_stay_in_the_text(tmp_path):
    pages = [
        [
            *text_lines(["Annual report of the Harbour Company"], y=30),
            *text_lines([f"{line} Part {number}." for line in PROSE], y=120),
            *text_lines([str(number + 1)], x=300, y=770),
        ]
        for number in range(5)
    ]
    document = only(write_pdf(tmp_path / "a.pdf", pages))
    furniture = texts(document, "furniture")
    assert furniture.count("Annual report of the Harbour Company") == 5
    assert {"1", "2", "3", "4", "5"} <= set(furniture)
    assert "Part 3." in " ".join(texts(document, "paragraph"))


def test_headings_by_size_and_weight(tmp_path):
    lines = [
        *text_lines(["The Harbour"], y=60, size=20),
        *text_lines(PROSE, y=120),
        *text_lines(["Costs and returns"], y=200, bold=True),
        *text_lines(PROSE, y=230),
    ]
    document = only(write_pdf(tmp_path / "a.pdf", [lines]))
    found = {
        each.span.of(document.text): each.level
        for each in document.elements
        if each.kind == "heading"
    }
    assert found == {"The Harbour": 1, "Costs and returns": 2}
    assert document.title == "The Harbour"


def test_metadata(tmp_path):
    info = "/Title (Harbour works) /Author (A. Nansen) /CreationDate (D:20190207163200-05'00')"
    document = only(write_pdf(tmp_path / "a.pdf", [text_lines(PROSE)], info=info))
    assert document.title == "Harbour works"
    assert document.metadata["author"] == "A. Nansen"
    assert document.metadata["date"] == "2019-02-07T16:32:00-05:00"
    assert document.metadata["pages"] == 1


@pytest.mark.parametrize(
    ("stated", "meant"),
    [("D:2019", "2019"), ("D:20190207", "2019-02-07"), ("D:20191307", ""), ("soon", ""),
     ("D:20190207163200Z", "2019-02-07T16:32:00Z")],
)  # fmt: skip
def test_dates(stated, meant):
    assert iso_date(stated) == meant


def test_a_page_is_drawn_with_the_span_marked(tmp_path):
    path = write_pdf(tmp_path / "a.pdf", [text_lines(PROSE)])
    document = only(path)
    start = document.text.index("harbour")
    plain = render_page(path, 1, [], document)
    marked = render_page(path, 1, [Span(start, start + 7)], document)
    assert marked.startswith(b"\x89PNG\r\n\x1a\n")
    assert plain != marked
    with pytest.raises(UsageError, match="pages 1 to 1, not 2"):
        render_page(path, 2, [], document)


def test_png_holds_the_pixels_it_is_given():
    np = pytest.importorskip("numpy")
    picture = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    data = png(picture)
    at = data.index(b"IDAT") + 4
    size = int.from_bytes(data[at - 8 : at - 4], "big")
    rows = zlib.decompress(data[at : at + size])
    assert rows == b"\0" + picture[0].tobytes() + b"\0" + picture[1].tobytes()


def test_a_changed_file_is_noticed(tmp_path):
    path = write_pdf(tmp_path / "a.pdf", [text_lines(PROSE)])
    document = only(path)
    write_pdf(path, [text_lines(["Something else."])])
    with pytest.raises(DocumentError, match="sync it again"):
        rectangles(path, document, Span(0, 3))


def test_a_scan_names_the_extra(tmp_path):
    with pytest.raises(DocumentError, match=r"ragstone\[ocr\]"):
        only(write_pdf(tmp_path / "scan.pdf", [[]]))


def test_blank_pages_are_named(tmp_path):
    path = write_pdf(tmp_path / "a.pdf", [[], text_lines(PROSE), []])
    assert only(path).metadata["pages_without_text"] == "1, 3"


@pytest.mark.parametrize("cut", [20, 300, 700])
def test_broken_files_are_refused_or_read(tmp_path, cut):
    path = write_pdf(tmp_path / "a.pdf", [text_lines(PROSE)])
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(DocumentError):
        only(path)


def test_too_many_pages(tmp_path):
    path = write_pdf(tmp_path / "a.pdf", [text_lines(["one"])] * 3)
    with pytest.raises(DocumentError, match="3 pages"):
        list(read(path, limits=Limits(max_pages=2)))
