"""Where a span stands, in a person's words, for every kind of format."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragstone.documents import place_of, read, unit_of
from ragstone.types import Document, Element, Span


def found(document: Document, words: str):
    start = document.text.index(words)
    return place_of(document, Span(start, start + len(words)))


@given(st.lists(st.text(st.characters(exclude_characters="\r\n\f"), max_size=12), max_size=20))
def test_the_line_of_a_verbatim_text_holds_the_span(lines):
    text = "\n".join(lines)
    document = Document("x", "x.txt", "", text, "text")
    for start in range(0, len(text), 5):
        end = min(len(text), start + 7)
        place = place_of(document, Span(start, end))
        first = start + len(text[start:end]) - len(text[start:end].lstrip())
        if first < end:
            assert text[first] in text.split("\n")[place.first_line - 1]
        assert place.first_line <= place.last_line


def test_markdown_has_lines_and_headings(tmp_path):
    path = tmp_path / "a.md"
    path.write_text("# Guide\n\n## Install\n\nRun it.\nThen wait.\n\n## Use\n\nType.\n")
    (document,) = read(path)
    place = found(document, "Run it.\nThen wait.")
    assert place.words() == "lines 5-6"
    assert place.headings == ("Guide", "Install")
    assert found(document, "Type.").headings == ("Guide", "Use")
    assert found(document, "Type.").words() == "line 10"


def test_rows_of_csv(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("Town,Ships\nOslo,14\nBergen,9\n")
    (document,) = read(path)
    assert found(document, "Bergen").words() == "row 2"


def test_sheets_by_name_with_the_sheet_s_own_row():
    text = "Oslo; 14\nBergen; 9"
    elements = (
        Element("sheet", Span(0, len(text)), 2, "Budget"),
        Element("row", Span(0, 8), 11), Element("row", Span(9, 18), 12),
    )  # fmt: skip
    document = Document("x", "x.xlsx", "", text, "xlsx", elements)
    assert found(document, "Bergen").words() == "sheet Budget, row 12"
    assert found(document, "Oslo; 14\nB").words() == "sheet Budget, row 11"


def test_slides_and_pages_by_number_and_nothing_beyond_their_end():
    text = "One\n\nTwo\n\nLoose"
    elements = (Element("slide", Span(0, 3), 1), Element("slide", Span(5, 8), 2))
    document = Document("x", "x.pptx", "", text, "pptx", elements)
    assert found(document, "Two").words() == "slide 2"
    assert found(document, "Loose").words() == ""
    pages = (Element("page", Span(0, 9), 7),)
    assert found(Document("x", "x.pdf", "", text, "pdf", pages), "Two").words() == "page 7"


@pytest.mark.parametrize(
    ("source", "unit"),
    [
        ("/a/b.pdf", "page"), ("/a/b.pptx", "slide"), ("b.ODP", "slide"), ("b.odt", "page"),
        ("b.xlsx#Budget!12", "sheet"), ("b.xls.gz", "sheet"), ("row-7", "page"), ("", "page"),
    ],
)  # fmt: skip
def test_what_pages_are_called(source, unit):
    assert unit_of(source) == unit


def test_a_span_beyond_the_text_is_an_error():
    with pytest.raises(ValueError, match="ends at 9; the text has 3"):
        place_of(Document("x", "x", "", "abc", "text"), Span(0, 9))
