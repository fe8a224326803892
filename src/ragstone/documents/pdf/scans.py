"""A scanned page's text: the page drawn, its lines recognised, put back as words with places.

Used only where a page has no text of its own. Bounded: a page is drawn at 200 dots an inch, or
fewer where that would exceed the pixel limit.
"""

from __future__ import annotations

import math

import pypdfium2 as pdfium

from ragstone.documents.pdf.characters import Box, PageGlyphs, Word
from ragstone.documents.raw import Recogniser

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
    words: list[Word] = []
    boxes: list[Box | None] = []
    for line in ocr.recognise(image):
        letters = max(1, len(line.text))
        step = (line.right - line.left) / letters
        at = 0
        for text in line.text.split():
            at = line.text.index(text, at)
            glyphs = []
            for offset in range(len(text)):
                left = line.left + (at + offset) * step
                glyphs.append(len(boxes))
                boxes.append(
                    (left / scale, line.top / scale, (left + step) / scale, line.bottom / scale)
                )
            words.append(
                Word(
                    text,
                    glyphs,
                    (line.left + at * step) / scale,
                    line.top / scale,
                    (line.left + (at + len(text)) * step) / scale,
                    line.bottom / scale,
                    0,
                )
            )
            at += len(text)
    return PageGlyphs(words, boxes, width, height, 0, 0.0)
