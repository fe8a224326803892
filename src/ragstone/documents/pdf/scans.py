"""A scanned page's text: the page drawn, its lines recognised, put back as words with places.

Used only where a page has no text of its own. Bounded: a page is drawn at 200 dots an inch, or
fewer where that would exceed the pixel limit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import pypdfium2 as pdfium

from ragstone.documents.pdf.characters import Box, PageGlyphs, Word, turned
from ragstone.documents.raw import RecognisedLine, Recogniser

DOTS_PER_INCH = 200
MAX_PIXELS = 12_000_000


def recognise_page(page: pdfium.PdfPage, ocr: Recogniser) -> PageGlyphs:
    """The words that OCR finds on the page. A word's place is its share of its line's box."""
    width, height = page.get_size()
    scale = min(DOTS_PER_INCH / 72, math.sqrt(MAX_PIXELS / max(1.0, width * height)))
    bitmap = page.render(scale=scale, rev_byteorder=True)
    try:
        image = bitmap.to_numpy()[:, :, :3].copy()
    finally:
        bitmap.close()
    lines = ocr.recognise(image)
    turn = _turn(lines)
    words: list[Word] = []
    boxes: list[Box | None] = []
    for line in lines:
        box = (line.left / scale, line.top / scale, line.right / scale, line.bottom / scale)
        _split(line.text, turned(box, turn, width, height), words, boxes)
    if turn in (90, 270):
        width, height = height, width
    return PageGlyphs(words, boxes, width, height, turn, 0.0)


def _split(text: str, box: Box, words: list[Word], boxes: list[Box | None]) -> None:
    """A line's words, each with its share of the line's box."""
    left, top, right, bottom = box
    step = (right - left) / max(1, len(text))
    at = 0
    for word in text.split():
        at = text.index(word, at)
        glyphs = list(range(len(boxes), len(boxes) + len(word)))
        places = [left + (at + offset) * step for offset in range(len(word) + 1)]
        boxes.extend((one, top, other, bottom) for one, other in pairwise(places))
        words.append(Word(word, glyphs, places[0], top, places[-1], bottom, 0))
        at += len(word)


def _turn(lines: Sequence[RecognisedLine]) -> int:
    """Degrees clockwise by which the page was scanned, from where its lines, which come in
    reading order, lie on it."""
    long = [line for line in lines if len(line.text) > 3]
    upright = sum(line.bottom - line.top > 1.5 * (line.right - line.left) for line in long)
    if upright * 2 > len(long) > 0:
        steps = [below.left - above.left for above, below in pairwise(long)]
        return 270 if sum(step > 0 for step in steps) * 2 > len(steps) else 90
    steps = [below.top - above.top for above, below in pairwise(long)]
    back = sum(
        step < -(above.bottom - above.top) / 2 for step, above in zip(steps, long, strict=False)
    )
    return 180 if back * 2 > len(steps) > 0 else 0
