"""Optical character recognition through rapidocr, an extra whose models come inside its wheel.

Used only where a page has no text of its own, and for pictures. Pages that were scanned lying or
upside down are turned first: the classifier that looks at single lines tells which way. Must not
be imported unless OCR is wanted; `recogniser` says whether it can be had.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterable, Sequence
from typing import Protocol, cast

import numpy as np
import numpy.typing as npt

from ragstone.documents.raw import RecognisedLine
from ragstone.errors import UsageError

Image = npt.NDArray[np.uint8]

MIN_CONFIDENCE = 0.5  # below it rapidocr's own lines are mostly specks and rules
_ALL = {"use_det": True, "use_cls": True, "use_rec": True}  # the engine remembers the last call's
_LOOKED_AT = 6  # lines by which a page's orientation is told


class _Lines(Protocol):
    """What rapidocr gives for a page."""

    boxes: npt.NDArray[np.float32] | None  # (lines, 4 corners, x and y)
    txts: Sequence[str] | None
    scores: Sequence[float] | None


class _Turns(Protocol):
    """What rapidocr gives for lines whose direction is asked: ("180", 0.99), ..."""

    cls_res: Sequence[tuple[str, float]] | None


def available() -> bool:
    """Whether the extra `ocr` is installed."""
    return importlib.util.find_spec("rapidocr") is not None


class RapidRecogniser:
    """A Recogniser on onnxruntime. Loads its three models (about 32 MB) when made.

    Raises UsageError where the extra is not installed.
    """

    def __init__(self) -> None:
        if not available():
            raise UsageError(
                "OCR is not installed.", remedy="Install it with `pip install 'ragstone[ocr]'`."
            )
        module = importlib.import_module("rapidocr")
        self._engine = module.RapidOCR(params={"Global.log_level": "critical"})

    def recognise(self, image: npt.NDArray[np.uint8]) -> list[RecognisedLine]:
        """Lines in reading order from an RGB image of shape (height, width, 3); boxes are in
        the given image's pixels, whichever way it was turned to be read."""
        height, width = image.shape[:2]
        turns = 0
        found = self._lines(image)
        if _mostly_upright(found):
            turns, found = self._turned(image)
        elif found and self._is_upside_down(image, found):
            turns, found = 2, self._lines(_turn(image, 2))
        return [_back(line, turns, width, height) for line in _in_order(found)]

    def _lines(self, image: Image) -> list[RecognisedLine]:
        result = cast("_Lines", self._engine(np.ascontiguousarray(image[:, :, ::-1]), **_ALL))
        if result.boxes is None or result.txts is None or result.scores is None:
            return []
        return [
            RecognisedLine(
                text,
                float(box[:, 0].min()),
                float(box[:, 1].min()),
                float(box[:, 0].max()),
                float(box[:, 1].max()),
                float(score),
            )
            for box, text, score in zip(result.boxes, result.txts, result.scores, strict=True)
            if score >= MIN_CONFIDENCE and text.strip()
        ]

    def _turned(self, image: Image) -> tuple[int, list[RecognisedLine]]:
        """A page whose lines run up or down, turned by a quarter: the way that reads upright."""
        left = self._lines(_turn(image, 1))
        if left and self._is_upside_down(_turn(image, 1), left):
            return 3, self._lines(_turn(image, 3))
        return 1, left

    def _is_upside_down(self, image: Image, lines: Sequence[RecognisedLine]) -> bool:
        longest = sorted(lines, key=lambda line: line.left - line.right)[:_LOOKED_AT]
        votes = 0
        for line in longest:
            crop = image[int(line.top) : int(line.bottom) + 1, int(line.left) : int(line.right) + 1]
            if min(crop.shape[:2]) < 4:
                continue
            asked = cast(
                "_Turns",
                self._engine(
                    np.ascontiguousarray(crop[:, :, ::-1]),
                    use_det=False,
                    use_cls=True,
                    use_rec=False,
                ),
            )
            for label, score in asked.cls_res or ():
                votes += (1 if label == "180" else -1) if score > 0.8 else 0
        return votes > 0


def _turn(image: Image, quarters: int) -> Image:
    """The image turned by quarters clockwise."""
    return np.ascontiguousarray(np.rot90(image, -quarters))


def _back(line: RecognisedLine, turns: int, width: int, height: int) -> RecognisedLine:
    """A line found after `turns` quarters clockwise, in the pixels of the image as given."""
    left, top, right, bottom = line.left, line.top, line.right, line.bottom
    if turns == 1:
        left, top, right, bottom = top, height - right, bottom, height - left
    elif turns == 2:
        left, top, right, bottom = width - right, height - bottom, width - left, height - top
    elif turns == 3:
        left, top, right, bottom = width - bottom, left, width - top, right
    return RecognisedLine(line.text, left, top, right, bottom, line.confidence)


def _mostly_upright(lines: Sequence[RecognisedLine]) -> bool:
    """Whether most letters stand in boxes that are taller than wide."""
    tall = sum(
        len(line.text)
        for line in lines
        if len(line.text) > 3 and line.bottom - line.top > 1.5 * (line.right - line.left)
    )
    return tall > 0.6 * max(1, sum(len(line.text) for line in lines))


def _in_order(lines: Iterable[RecognisedLine]) -> list[RecognisedLine]:
    """From the top; boxes on one line from the left."""
    rows: list[list[RecognisedLine]] = []
    for line in sorted(lines, key=lambda line: line.top + line.bottom):
        middle = (line.top + line.bottom) / 2
        if rows and rows[-1][0].top < middle < rows[-1][0].bottom:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda line: line.left)]
