"""The one door: detection, encodings, gzip, parts, refusals; and laws of every document read."""

from __future__ import annotations

import codecs
import gzip
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragstone.documents import Limits, formats, read
from ragstone.documents.builder import Builder, row_text
from ragstone.documents.encoding import decode
from ragstone.documents.formats import FORMATS
from ragstone.documents.raw import Raw
from ragstone.documents.reading import read_raw
from ragstone.errors import DocumentError
from ragstone.types import Document

KINDS_OF_TEXT = ["txt", "md", "rst", "org", "html", "csv", "tsv", "xml", "py", "toml", "jsonl"]


def parsed(data: bytes, name: str, limits: Limits | None = None) -> list[Document]:
    return list(read_raw(Raw(name, name, data=data, limits=limits or Limits())))


def holds_its_laws(document: Document) -> bool:
    document.text.encode("utf-8")  # no lone surrogate
    starts = [(e.span.start, -e.span.end) for e in document.elements]
    return (
        "\x00" not in document.text
        and "\r" not in document.text
        and starts == sorted(starts)
        and all(
            e.span.end <= len(document.text) and e.span.of(document.text).strip()
            for e in document.elements
        )
    )


MARKUP = st.lists(
    st.sampled_from(
        [
            *("<p>", "</p>", "<table><tr><td colspan=3>", "<th rowspan=9>", "<ul><li>", "</div>"),
            *("<pre>", "<!--", "&amp;", "&#0;", "<?xml?>", "<a>", "</a>", "<h1>", "<nav>", "<div>"),
            *("# A\n", "| a | b |\n|---|---|\n", "```\n", "- x\n  1. y\n", "> q\n", "===\n"),
            *("Title\n", ".. code::\n\n  x\n", ".. note:: n\n", "+---+\n| a |\n", ":f: v\n"),
            *("a,b\n", '"', "\t", "\n\n", "{", "[1,", '{"id": "1", "text": "t"}\n', "words. "),
            *("日本", "שלום", "é", "\U0001f600", "\r\n", "\x00", "\x0c", "---\nk: v\n---\n"),
            *("def f(x):\n", "class A:\n", "[section]\n", "=== b ===\n", "<sup>2</sup>"),
        ]
    ),
    max_size=25,
).map("".join)


@settings(max_examples=200, deadline=None)
@given(MARKUP, st.sampled_from(KINDS_OF_TEXT))
def test_whatever_comes_is_read_or_refused(markup: str, extension: str) -> None:
    try:
        documents = parsed(markup.encode(), f"a.{extension}")
    except DocumentError as caught:
        error = caught
    else:
        assert documents
        assert all(map(holds_its_laws, documents))
        return
    assert error.what
    assert error.remedy


@settings(deadline=None)
@given(st.binary(max_size=300), st.sampled_from([*KINDS_OF_TEXT, "json", "ipynb", "bin", ""]))
def test_any_bytes_are_read_or_refused(data: bytes, extension: str) -> None:
    try:
        documents = parsed(data, f"a.{extension}")
    except DocumentError:
        return
    assert all(map(holds_its_laws, documents))


@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\r\x00\ufeff")))
def test_utf8_is_never_read_as_anything_else(text: str) -> None:
    assert decode(text.encode(), source="s") == text
    assert decode(codecs.BOM_UTF8 + text.encode(), source="s") == text


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_wide_encodings(encoding: str) -> None:
    text = "Größe und Länge: 3 m. Naïve café, 日本."
    assert parsed(text.encode(encoding), "a.txt")[0].text == text


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "Die Straße ist schön. “L’été”, a dit Zoë – déjà vu… Preis: 5 €."),
        ("cp1251", "Съешь же ещё этих мягких французских булок, да выпей чаю. Это русский текст."),
        ("shift_jis", "これは日本語の文章です。文字コードの判定を試します。東京は晴れです。"),
        ("gb18030", "这是一个中文文件。我们用它来检验编码的判断是否正确。今天天气很好。"),
        ("cp1253", "Αυτό είναι ένα ελληνικό κείμενο για δοκιμή της κωδικοποίησης."),
    ],
)
def test_legacy_encodings_are_recognised(encoding: str, text: str) -> None:
    assert parsed((text * 3).encode(encoding), "a.txt")[0].text == text * 3


def test_a_declared_charset_is_honoured() -> None:
    page = '<html><head><meta charset="iso-8859-2"></head><p>Łódź, Gdańsk</p></html>'
    assert "Łódź, Gdańsk" in parsed(page.encode("iso-8859-2"), "a.html")[0].text
    xml = '<?xml version="1.0" encoding="windows-1251"?><a><b>Москва</b></a>'
    assert "Москва" in parsed(xml.encode("cp1251"), "a.xml")[0].text


def test_line_ends_are_one_kind() -> None:
    assert parsed(b"a\r\nb\rc\nd", "a.txt")[0].text == "a\nb\nc\nd"


def test_gzip_is_unwrapped_whatever_its_name(tmp_path: Path) -> None:
    path = tmp_path / "notes.md.gz"
    path.write_bytes(gzip.compress(b"# Notes\n\nText."))
    (document,) = read(path)
    assert (document.format, document.title) == ("markdown", "Notes")
    assert document.source == str(path)


def test_detection_goes_by_content_before_extension() -> None:
    assert parsed(b"<!doctype html><p>Hi there</p>", "page")[0].format == "html"
    assert parsed(b"<!doctype html><p>Hi there</p>", "download.docx")[0].format == "html"
    assert parsed(b"just words", "README")[0].format == "text"
    assert parsed(b"all: build\n", "Makefile")[0].format == "code"


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        (b"", "a.txt", "zero bytes"),
        (b" \n\t ", "a.txt", "no text"),
        (bytes(range(256)) * 40, "a.bin", "binary"),
        (b"\x00\x01\x02\x03" * 99, "data", "binary"),
        (b"PK\x03\x04" + b"\x00" * 60, "a.docx", "damaged"),
        (b"{", "a.json", "no valid JSON"),
        (b'{"id": 1}\n{"id":', "a.jsonl", "Line 2"),
        (b"\x1f\x8b\x08\x00broken", "a.txt.gz", "damaged"),
        (b"{}", "a.ipynb", "no Jupyter notebook"),
    ],
)
def test_refusals_name_the_source_and_the_remedy(
    tmp_path: Path, data: bytes, name: str, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(DocumentError, match=said) as caught:
        list(read(path))
    assert name in caught.value.what
    assert caught.value.remedy


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="cannot be read"):
        list(read(tmp_path / "none.txt"))
    with pytest.raises(DocumentError, match="folder"):
        list(read(tmp_path))


def test_an_archive_of_other_things_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.txt", "x")
    with pytest.raises(DocumentError, match="zip archive of 1 files"):
        list(read(path))


def test_a_decompression_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.txt.gz"
    path.write_bytes(gzip.compress(b"a" * 3_000_000))
    with pytest.raises(DocumentError, match="250 times"):
        list(read(path, limits=Limits(free_bytes=100_000)))
    assert len(next(iter(read(path))).text) == 3_000_000


@given(st.integers(40, 400), st.text("ab \n。", max_size=3000))
def test_a_stream_of_text_comes_in_parts_that_together_are_the_text(size: int, text: str) -> None:
    limits = Limits(part_characters=size)
    try:
        documents = parsed(text.encode(), "a.txt", limits)
    except DocumentError:
        assert not text.strip()
        return
    assert all(len(document.text) <= size for document in documents)
    got = "".join(document.text for document in documents)
    assert "".join(got.split()) == "".join(text.split())
    assert len({document.source for document in documents}) == len(documents)


def test_rows_with_ids_are_documents(tmp_path: Path) -> None:
    path = tmp_path / "corpus.jsonl.gz"
    rows = [{"id": n, "title": f"T{n}", "text": f"Text {n}.", "year": 1990 + n} for n in range(3)]
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    documents = list(read(path, source="c"))
    assert [(d.id, d.source, d.title, d.text) for d in documents] == [
        (str(n), f"c#{n}", f"T{n}", f"Text {n}.") for n in range(3)
    ]
    assert documents[2].metadata == {"year": 1992}


def test_other_rows_are_collected_and_a_long_file_comes_in_parts() -> None:
    data = "\n".join(json.dumps({"name": f"N{n}", "age": n}) for n in range(10)).encode()
    (one,) = parsed(data, "people.jsonl")
    assert one.text.split("\n")[3] == "name: N3; age: 3"
    parts = parsed(data, "people.jsonl", Limits(part_rows=4))
    assert [part.source for part in parts] == [
        "people.jsonl#rows-1-4", "people.jsonl#rows-5-8", "people.jsonl#rows-9-10",
    ]  # fmt: skip


def test_nesting_beyond_the_limit_is_refused_not_a_crash() -> None:
    for data, name in ((b"[" * 100_000 + b"]" * 100_000, "a.json"), (b"<a>" * 5000, "a.xml")):
        with pytest.raises(DocumentError):
            parsed(data, name)
    deep = b"<div>" * 4_000 + b"Deep inside" + b"</div>" * 4_000
    assert parsed(deep, "a.html")[0].text == "Deep inside"
    with pytest.raises(DocumentError, match="levels"):
        parsed(b"<div>" * 1_000_000, "a.html")


def test_ten_million_characters_on_one_line() -> None:
    documents = parsed(b"word " * 2_000_000, "a.txt")
    assert sum(len(document.text) for document in documents) >= 9_999_990


@given(st.lists(st.text("ab;: \n", max_size=8), max_size=6))
def test_a_row_keeps_every_cell(cells: list[str]) -> None:
    header = [f"H{n}" for n in range(len(cells))]
    text = row_text(cells, header)
    for name, cell in zip(header, cells, strict=True):
        assert (f"{name}: {' '.join(cell.split())}" in text) == bool(cell.strip())


def test_builder_keeps_elements_in_order_containers_first() -> None:
    built = Builder(Raw("s", "report.pdf"))
    with built.element("page", level=1):
        built.heading("Rain", 1)
        built.table([["Oslo", "4"]], header=["City", "Days"], caption="Days of rain")
    document = built.document(format="pdf")
    assert [e.kind for e in document.elements] == ["page", "heading", "table", "note", "row"]
    assert document.title == "Rain"
    assert document.elements[-1].span.of(document.text) == "City: Oslo; Days: 4"


def test_every_format_is_listed_once_and_its_parser_exists() -> None:
    extensions = [extension for _, known, _ in formats() for extension in known]
    assert len(extensions) == len(set(extensions))
    for known in FORMATS:
        assert callable(known.load()), known.name


def test_importing_the_room_is_cheap() -> None:
    code = (
        "import sys; import ragstone.documents;"
        "print([m for m in ('lxml', 'selectolax', 'markdown_it', 'docx', 'pptx', 'pypdfium2',"
        " 'charset_normalizer') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
