"""A PDF's page as a picture with spans of its text marked, as by a highlighter.

PNG is written here (ISO/IEC 15948: one IDAT, no interlace), so that no imaging library is needed.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ragstone.documents.limits import Limits
from ragstone.documents.pdf.characters import Box
from ragstone.documents.pdf.document import opened
from ragstone.documents.pdf.places import rectangles
from ragstone.documents.raw import Raw, Recogniser
from ragstone.errors import UsageError
from ragstone.types import Document, Span

Picture = npt.NDArray[np.uint8]

_MAX_PIXELS = 25_000_000
_MARKER = np.array([255, 230, 90], dtype=np.float32)  # yellow, multiplied in as ink is
_MARGIN = 1.0  # points around each line


def render_page(
    path: Path,
    page: int,
    highlights: Sequence[Span],
    document: Document,
    *,
    dots_per_inch: float = 110.0,
    ocr: Recogniser | None = None,
) -> bytes:
    """Page `page` (from 1) as PNG, with `document.text[span]` marked for each highlight.

    Parts of a span that stand on other pages are left out. Raises UsageError for a page that
    the document lacks or a format without pages; DocumentError where the file cannot be read or
    has changed since.
    """
    if document.format != "pdf":
        raise UsageError(
            f"{document.source} is {document.format or 'no PDF'}: only pages of PDFs can be drawn.",
            remedy="Show its text instead.",
        )
    raw = Raw(document.source, path.name, path=path, limits=Limits())
    picture, scale = drawn(raw, page, lambda _: dots_per_inch / 72.0, most_pixels=_MAX_PIXELS)
    for element in document.elements:
        if element.kind != "page" or element.level != page:
            continue
        for span in highlights:
            start, end = max(span.start, element.span.start), min(span.end, element.span.end)
            if start >= end:
                continue
            for places in rectangles(path, document, Span(start, end), ocr=ocr):
                for box in places.boxes:
                    _mark(picture, box, scale)
    return png(picture)


def drawn(
    raw: Raw, page: int, scale_for: Callable[[float], float], *, most_pixels: int
) -> tuple[Picture, float]:
    """Page `page` (from 1) as pixels of shape (height, width, 3), and the pixels in a point.

    `scale_for` gives the wanted scale for the page's width in points; it is lowered where the
    picture would have more than `most_pixels`. Raises UsageError for a page that is not there,
    DocumentError where the file cannot be opened.
    """
    with opened(raw) as pdf:
        if not 1 <= page <= len(pdf):
            raise UsageError(
                f"{raw.source} has pages 1 to {len(pdf)}, not {page}.", remedy="Name one of these."
            )
        sheet = pdf[page - 1]
        try:
            width, height = sheet.get_size()
            wanted = scale_for(max(1.0, width))
            scale = min(wanted, math.sqrt(most_pixels / max(1.0, width * height)))
            bitmap = sheet.render(scale=scale, rev_byteorder=True)
            try:
                return bitmap.to_numpy()[:, :, :3].copy(), scale
            finally:
                bitmap.close()
        finally:
            sheet.close()


def _mark(picture: Picture, box: Box, scale: float) -> None:
    """Multiply the marker's colour in, so that what is printed stays dark."""
    height, width = picture.shape[:2]
    left = max(0, math.floor((box[0] - _MARGIN) * scale))
    top = max(0, math.floor((box[1] - _MARGIN) * scale))
    right = min(width, math.ceil((box[2] + _MARGIN) * scale))
    bottom = min(height, math.ceil((box[3] + _MARGIN) * scale))
    if left < right and top < bottom:
        part = picture[top:bottom, left:right]
        part[:] = (part.astype(np.float32) * _MARKER / 255.0).astype(np.uint8)


def png(picture: Picture) -> bytes:
    """RGB pixels of shape (height, width, 3) as a PNG file's bytes."""
    height, width = picture.shape[:2]
    lines = np.zeros((height, 1 + 3 * width), dtype=np.uint8)
    lines[:, 1:] = picture.reshape(height, 3 * width)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _part(b"IHDR", header),
            _part(b"IDAT", zlib.compress(lines.tobytes(), 6)),
            _part(b"IEND", b""),
        )
    )


def _part(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
