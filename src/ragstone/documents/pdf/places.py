"""From a span of a PDF's text back to rectangles on its pages.

Nothing is stored for this: a page is read again, which gives the same text (a law of
`documents.pdf.page`), and with it the glyph behind every character. Where the text differs, the
file has changed since it was read, and that is an error, never a wrong rectangle.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ragstone.documents.limits import Limits
from ragstone.documents.pdf.characters import Box, PageGlyphs, turned
from ragstone.documents.pdf.document import opened, page_glyphs
from ragstone.documents.pdf.page import compose
from ragstone.documents.raw import Raw, Recogniser
from ragstone.errors import DocumentError
from ragstone.types import Document, Element, Span


@dataclass(frozen=True, slots=True)
class PageBoxes:
    """Where a span stands on one page: boxes (left, top, right, bottom) in points from the
    displayed page's top left corner, one for each line; the page's width and height in points."""

    page: int  # from 1
    boxes: tuple[Box, ...]
    width: float
    height: float


def rectangles(
    path: Path, document: Document, span: Span, *, ocr: Recogniser | None = None
) -> list[PageBoxes]:
    """The boxes of `document.text[span]` on each page that it touches, in page order.

    Raises DocumentError where the file cannot be read or is not the one that was read.
    """
    raw = Raw(document.source, path.name, path=path, limits=Limits())
    found: list[PageBoxes] = []
    with opened(raw) as pdf:
        for element in pages_of(document, span):
            if element.level > len(pdf):
                raise _changed(document, element.level)
            glyphs = page_glyphs(pdf, element.level - 1, ocr=ocr)
            page = compose(glyphs)
            if page.text.strip() != element.span.of(document.text):
                raise _changed(document, element.level)
            start = max(span.start, element.span.start) - element.span.start
            end = min(span.end, element.span.end) - element.span.start
            boxes = _lines(glyphs, page.sources[start:end])
            width, height = glyphs.width, glyphs.height
            if glyphs.turn:
                back = (360 - glyphs.turn) % 360
                boxes = [turned(box, back, width, height) for box in boxes]
                if glyphs.turn in (90, 270):
                    width, height = height, width
            found.append(PageBoxes(element.level, tuple(boxes), width, height))
    return found


def pages_of(document: Document, span: Span) -> list[Element]:
    """The document's page elements that share a character with the span."""
    return [each for each in document.elements if each.kind == "page" and each.span.overlaps(span)]


def _changed(document: Document, number: int) -> DocumentError:
    return DocumentError(
        f"Page {number} of {document.source} does not hold the text that was read from it.",
        remedy="The file has changed: sync it again.",
    )


def _lines(glyphs: PageGlyphs, sources: list[int]) -> list[Box]:
    """The glyphs' boxes, joined along each line."""
    lines: list[list[float]] = []
    seen: set[int] = set()
    for source in sources:
        box = glyphs.boxes[source] if source >= 0 and source not in seen else None
        if box is None:
            continue
        seen.add(source)
        last = lines[-1] if lines else None
        height = box[3] - box[1]
        if (
            last is not None
            and min(last[3], box[3]) - max(last[1], box[1]) > 0.4 * min(height, last[3] - last[1])
            and max(box[0] - last[2], last[0] - box[2]) < 1.5 * height
        ):
            last[0], last[1] = min(last[0], box[0]), min(last[1], box[1])
            last[2], last[3] = max(last[2], box[2]), max(last[3], box[3])
        else:
            lines.append(list(box))
    return [(line[0], line[1], line[2], line[3]) for line in lines]
