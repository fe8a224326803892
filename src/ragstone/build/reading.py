"""The reader that sync's worker processes run: every format, and OCR where its extra is there.

`read_file` is a module-level function, because it is sent to worker processes by its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ragstone.documents import read
from ragstone.documents.ocr import RapidRecogniser, available
from ragstone.documents.raw import RecognisedLine
from ragstone.types import Document


class _Lazy:
    """A Recogniser that loads its models when the first picture comes."""

    def recognise(self, image: npt.NDArray[np.uint8]) -> Sequence[RecognisedLine]:
        return self._engine.recognise(image)

    @cached_property
    def _engine(self) -> RapidRecogniser:
        return RapidRecogniser()


_recogniser = _Lazy()


def read_file(path: Path) -> Iterator[Document]:
    """The documents of a file; scans are recognised if the extra `ocr` is installed."""
    return read(path, ocr=_recogniser if available() else None)
