"""Scanned pages and pictures: words found by OCR stand where they were seen, whichever way up."""

from __future__ import annotations

import importlib.util
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragstone.documents import read
from ragstone.documents.ocr import _back, _in_order
from ragstone.documents.pdf import rectangles
from ragstone.documents.raw import RecognisedLine
from ragstone.errors import DocumentError
from ragstone.types import Document, Span

WIDTH, HEIGHT = 400, 600


class Seen:
    """A recogniser that sees what it is told, scaled to the picture it is given."""

    def __init__(self, lines: Sequence[tuple[str, float, float, float, float]]) -> None:
        self.lines = lines  # text and box, as shares of the page

    def recognise(self, image: npt.NDArray[np.uint8]) -> list[RecognisedLine]:
        height, width = image.shape[:2]
        assert image.shape[2] == 3
        return [
            RecognisedLine(text, left * width, top * height, right * width, bottom * height, 0.99)
            for text, left, top, right, bottom in self.lines
        ]


def scan(path: Path) -> Path:
    """A PDF of one page that shows a grey square and no text."""
    stream = zlib.compress(b"0.5 g 100 100 200 200 re f")
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents 4 0 R >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
        page % (WIDTH, HEIGHT),
        b"<< /Filter /FlateDecode /Length %d >> stream\n%s\nendstream" % (len(stream), stream),
    ]
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 5\n0000000000 65535 f \n"
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer << /Root 1 0 R /Size 5 >>\nstartxref\n%d\n%%%%EOF" % start
    path.write_bytes(out)
    return path


def only(path: Path, ocr: Seen) -> Document:
    (document,) = read(path, ocr=ocr)
    return document


def test_a_scanned_page_is_read_and_its_words_have_places(tmp_path):
    path = scan(tmp_path / "a.pdf")
    seen = Seen([
        ("It rained in June", 0.1, 0.10, 0.9, 0.13),
        ("and in July too.", 0.1, 0.14, 0.85, 0.17),
    ])  # fmt: skip
    document = only(path, seen)
    assert document.text == "It rained in June and in July too."
    start = document.text.index("July")
    (page,) = rectangles(path, document, Span(start, start + 4), ocr=seen)
    ((left, top, right, bottom),) = page.boxes
    assert 0.14 * HEIGHT - 1 <= top < bottom <= 0.17 * HEIGHT + 1
    assert 0.3 * WIDTH < left < right < 0.75 * WIDTH


def test_a_page_scanned_upside_down_is_read_from_its_foot(tmp_path):
    path = scan(tmp_path / "a.pdf")
    seen = Seen([
        ("Here begins the page", 0.1, 0.90, 0.9, 0.93),
        ("and here it goes on", 0.1, 0.86, 0.9, 0.89),
        ("until it ends here.", 0.1, 0.82, 0.9, 0.85),
    ])  # fmt: skip
    document = only(path, seen)
    assert document.text == "Here begins the page and here it goes on until it ends here."
    (page,) = rectangles(path, document, Span(0, 4), ocr=seen)
    ((left, top, right, bottom),) = page.boxes
    assert 0.90 * HEIGHT - 1 <= top < bottom <= 0.93 * HEIGHT + 1
    assert left > 0.7 * WIDTH  # the first word of a line that runs to the left
    assert right <= 0.9 * WIDTH + 1


def test_a_picture_is_read_only_with_ocr(tmp_path):
    from ragstone.documents.rendering import png

    path = tmp_path / "a.png"
    path.write_bytes(png(np.full((60, 40, 3), 200, dtype=np.uint8)))
    with pytest.raises(DocumentError, match=r"ragstone\[ocr\]"):
        list(read(path))


@pytest.mark.skipif(importlib.util.find_spec("PIL") is None, reason="Pillow is not installed")
def test_a_picture_with_text(tmp_path):
    from ragstone.documents.rendering import png

    path = tmp_path / "a.png"
    path.write_bytes(png(np.full((60, 40, 3), 200, dtype=np.uint8)))
    document = only(path, Seen([("One", 0, 0, 1, 0.1), ("Two", 0, 0.5, 1, 0.6)]))
    assert document.text == "One\n\nTwo"
    with pytest.raises(DocumentError, match="no text"):
        only(path, Seen([]))


@given(st.integers(0, 3), st.tuples(*[st.floats(0, 100)] * 4))
def test_a_box_turned_with_its_page_comes_back(turns, box):
    left, top, right, bottom = min(box[0], box[2]), min(box[1], box[3]), max(box[0], box[2]), 0.0
    bottom = max(box[1], box[3])
    width, height = 120, 110
    at = (left, top, right, bottom)
    for _ in range(turns):  # turn the page by a quarter clockwise
        at = (height - at[3], at[0], height - at[1], at[2])
        width, height = height, width
    if turns % 2:
        width, height = height, width
    line = _back(RecognisedLine("x", *at, 1.0), turns, width, height)
    assert (line.left, line.top, line.right, line.bottom) == pytest.approx(
        (left, top, right, bottom)
    )


def test_lines_side_by_side_are_read_from_the_left():
    right = RecognisedLine("right", 50, 10, 90, 20, 1)
    left = RecognisedLine("left", 0, 12, 40, 22, 1)
    below = RecognisedLine("below", 0, 30, 40, 40, 1)
    assert [line.text for line in _in_order([below, right, left])] == ["left", "right", "below"]


@pytest.mark.real
@pytest.mark.skipif(importlib.util.find_spec("rapidocr") is None, reason="the extra ocr is missing")
@pytest.mark.filterwarnings("ignore")
def test_real_recognition(collections):
    from ragstone.documents.ocr import RapidRecogniser

    path = collections / "doc_fixtures" / "files" / "pdf" / "docling__ocr_test_rotated_180.pdf"
    (document,) = read(path, ocr=RapidRecogniser())
    assert document.text.startswith("Docling bundles PDF document conversion to")
