"""EPUB: the spine's order, chapters' headings, no navigation; copy protection refused."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from ragstone.documents import read
from ragstone.documents.epub import as_html
from ragstone.errors import DocumentError

_CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OPS/book.opf"/></rootfiles></container>'
)


def book(path: Path, chapters: dict[str, str], spine: list[str], **more: str) -> Path:
    items = "".join(
        f'<item id="{name}" href="{name}.xhtml" media-type="application/xhtml+xml"'
        f"{' properties=' + chr(34) + 'nav' + chr(34) if name == 'nav' else ''}/>"
        for name in chapters
    )
    order = "".join(f'<itemref idref="{name}"/>' for name in spine)
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        "<metadata><dc:title>The Harbour</dc:title><dc:creator>A. Nansen</dc:creator>"
        "<dc:creator>O. Lie</dc:creator><dc:language>nb-NO</dc:language></metadata>"
        f"<manifest>{items}</manifest><spine>{order}</spine></package>"
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr("META-INF/container.xml", _CONTAINER)
        archive.writestr("OPS/book.opf", package)
        for name, body in chapters.items():
            archive.writestr(
                f"OPS/{name}.xhtml",
                '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title/>'
                f"</head><body>{body}</body></html>",
            )
        for name, content in more.items():
            archive.writestr(f"META-INF/{name}.xml", content)
    return path


def test_chapters_come_in_the_spines_order_without_navigation(tmp_path):
    chapters = {
        "two": "<h1>Second</h1><p>It ended.</p>",
        "nav": "<nav><ol><li>First</li></ol></nav>",
        "one": '<h1>First</h1><p>It <a id="x"/>began.</p>',
    }
    (document,) = read(book(tmp_path / "a.epub", chapters, ["nav", "one", "two"]))
    assert [(e.kind, e.span.of(document.text)) for e in document.elements] == [
        ("heading", "First"),
        ("paragraph", "It began."),
        ("heading", "Second"),
        ("paragraph", "It ended."),
    ]
    assert document.title == "The Harbour"
    assert document.metadata["author"] == "A. Nansen; O. Lie"
    assert document.language == "nb"


def test_copy_protection_is_refused(tmp_path):
    locked = (
        '<encryption xmlns:e="http://www.w3.org/2001/04/xmlenc#"><e:EncryptedData>'
        '<e:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/>'
        '<e:CipherData><e:CipherReference URI="OPS/one.xhtml"/></e:CipherData>'
        "</e:EncryptedData></encryption>"
    )
    path = book(tmp_path / "a.epub", {"one": "<p>x</p>"}, ["one"], encryption=locked)
    with pytest.raises(DocumentError, match="copy-protected"):
        list(read(path))


def test_elements_that_close_themselves_do_not_swallow_the_page():
    assert as_html('<title/><a id="x"/><br/><p class="a > b"/>').startswith(
        '<title></title><a id="x"></a><br/>'
    )


def test_a_described_picture_says_its_description(tmp_path):
    words = "A lighthouse in the storm, drawn from the harbour"
    body = f'<div><img src="a.png" alt="{words}"/><img src="b.png" alt="b.png"/></div>'
    (document,) = read(book(tmp_path / "a.epub", {"one": body}, ["one"]))
    assert [(e.kind, e.span.of(document.text)) for e in document.elements] == [("note", words)]
