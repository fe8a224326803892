"""Pictures of text (PNG, JPEG, TIFF, ...): read by OCR where that extra is installed.

Without it a picture is refused, with the remedy named. Bounded: a picture's pixels are counted
from its header before it is unpacked. Knows no PDF.
"""

from __future__ import annotations

import importlib
import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ragstone.documents.builder import Builder
from ragstone.documents.raw import Raw, Reading, RecognisedLine
from ragstone.errors import DocumentError
from ragstone.types import Document

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

MAX_PIXELS = 120_000_000  # of one picture: 360 MB unpacked
_OCR_PIXELS = 16_000_000  # larger pictures are made smaller before they are read


def parse(raw: Raw, reading: Reading) -> Iterator[Document]:
    """The text of a picture, a page for each of its frames. Raises DocumentError: no OCR
    installed, too many pixels, damaged, no text found."""
    if reading.ocr is None:
        raise DocumentError(
            f"{raw.source} is a picture, and text in pictures is read only with OCR.",
            remedy="Install it with `pip install 'ragstone[ocr]'` and read it again.",
        )
    built = Builder(raw)
    for number, frame in enumerate(_frames(raw), start=1):
        with built.element("page", number):
            for paragraph in _paragraphs(reading.ocr.recognise(frame)):
                built.paragraph(paragraph)
    if not built.position:
        raise DocumentError(
            f"{raw.source} is a picture in which no text was found.",
            remedy="If it holds text, scan it at 300 dpi.",
        )
    yield built.document(format="image")


def _frames(raw: Raw) -> Iterator[npt.NDArray[np.uint8]]:
    np = importlib.import_module("numpy")
    try:
        pillow = importlib.import_module("PIL.Image")
        sequence = importlib.import_module("PIL.ImageSequence")
        operations = importlib.import_module("PIL.ImageOps")
    except ImportError as error:
        raise DocumentError(
            f"{raw.source} is a picture, and Pillow, which unpacks pictures, is not installed.",
            remedy="Install it with `pip install 'ragstone[ocr]'`.",
        ) from error
    try:
        picture = pillow.open(io.BytesIO(raw.read()))
        for number, each in enumerate(sequence.Iterator(picture)):
            width, height = each.size
            if width * height > MAX_PIXELS or number >= raw.limits.max_pages:
                raise DocumentError(
                    f"{raw.source} is a picture of {width:,} x {height:,} pixels, the most is "
                    f"{MAX_PIXELS:,} in all.",
                    remedy="Make it smaller.",
                )
            frame = operations.exif_transpose(each).convert("RGB")
            if width * height > _OCR_PIXELS:
                factor = (_OCR_PIXELS / (width * height)) ** 0.5
                frame = frame.resize((max(1, int(width * factor)), max(1, int(height * factor))))
            yield np.asarray(frame, dtype=np.uint8)
    except (OSError, ValueError, SyntaxError, pillow.DecompressionBombError) as error:
        raise DocumentError(
            f"{raw.source} is a picture that cannot be opened: {error}.",
            remedy="Save it again as PNG or JPEG.",
        ) from error


def _paragraphs(lines: Sequence[RecognisedLine]) -> Iterator[str]:
    """Lines as paragraphs, parted where the gap between two exceeds most of a line."""
    run: list[RecognisedLine] = []
    for line in lines:
        if run and line.top - run[-1].bottom > 0.8 * (run[-1].bottom - run[-1].top):
            yield "\n".join(each.text for each in run)
            run = []
        run.append(line)
    if run:
        yield "\n".join(each.text for each in run)
