"""The bytes of one source before anything knows what they mean, and what a parser is given.

A parser is a function

    parse(raw: Raw, reading: Reading) -> Iterator[Document]

It takes the bytes as a stream (`raw.open()`), whole (`raw.read()`, bounded by the limits), or by
path (`raw.local_path`, only where the file lies unpacked on disk); it raises DocumentError, and
never an error of the library that it uses. A file found inside (an e-mail's attachment) goes
through `reading.inside(...)`, which detects its format and reads it by the same rules.

Law: nothing here holds a file open between calls. Must not know any format but gzip.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, Protocol

from ragstone.documents.compressed import unpack_stream
from ragstone.documents.limits import Limits
from ragstone.errors import DocumentError
from ragstone.types import Document

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Raw:
    """One source's bytes: on disk (`path`) or in memory (`data`), packed with gzip or not.

    `source` is what documents say of where they come from; `name` is the file's name without
    `.gz`, for its extension and for a title where the content gives none.
    """

    source: str
    name: str
    path: Path | None = None
    data: bytes = b""
    packed: bool = False
    depth: int = 0  # how many files this one lies inside
    limits: Limits = field(default_factory=Limits)

    @property
    def extension(self) -> str:
        """The last extension in lower case without its dot, "" where there is none."""
        return PurePosixPath(self.name).suffix[1:].lower()

    @property
    def stem(self) -> str:
        """The name without its last extension."""
        return PurePosixPath(self.name).stem or self.name

    @property
    def stored_bytes(self) -> int:
        """Size as it lies there: packed where it is packed."""
        if self.path is None:
            return len(self.data)
        try:
            return self.path.stat().st_size
        except OSError as error:
            raise unreadable(self.source, error) from error

    @property
    def local_path(self) -> Path | None:
        """The file on disk whose bytes these are, or None (packed, or inside another file)."""
        return None if self.packed else self.path

    def open(self) -> BinaryIO:
        """A fresh buffered stream from the start; the caller closes it. Raises DocumentError."""
        try:
            opened: BinaryIO = (
                io.BytesIO(self.data) if self.path is None else self.path.open("rb", 1 << 18)
            )
        except OSError as error:
            raise unreadable(self.source, error) from error
        if not self.packed:
            return opened
        size_bytes = self.stored_bytes
        return unpack_stream(
            opened, packed_bytes=size_bytes, source=self.source, limits=self.limits
        )

    def head(self, size_bytes: int = 8192) -> bytes:
        """The first bytes (unpacked), fewer only where there are no more."""
        with self.open() as stream:
            try:
                return stream.read(size_bytes)
            except OSError as error:
                raise unreadable(self.source, error) from error

    def read(self) -> bytes:
        """All bytes (unpacked). Raises DocumentError above `limits.max_whole_bytes`."""
        if self.path is None and not self.packed:
            data = self.data
        else:
            with self.open() as stream:
                try:
                    data = stream.read(self.limits.max_whole_bytes + 1)
                except OSError as error:
                    raise unreadable(self.source, error) from error
        if len(data) > self.limits.max_whole_bytes:
            raise DocumentError(
                f"{self.source} is larger than {self.limits.max_whole_bytes:,} bytes, "
                "the most that this format is read at once.",
                remedy="Split it, or raise the limit `max_whole_bytes`.",
            )
        return data

    def inside(self, name: str, data: bytes) -> Raw:
        """A file found inside this one; its source is `source#name`."""
        return replace(
            self,
            source=f"{self.source}#{name}",
            name=name,
            path=None,
            data=data,
            packed=False,
            depth=self.depth + 1,
        )


def unreadable(source: str, error: OSError) -> DocumentError:
    """What to say of a file that the operating system does not give."""
    return DocumentError(
        f"{source} cannot be read: {error.strerror or error}.",
        remedy="Check that it exists and that you may read it.",
    )


@dataclass(frozen=True, slots=True)
class RecognisedLine:
    """A line of text in an image: its box in pixels from the top left, confidence 0 to 1."""

    text: str
    left: float
    top: float
    right: float
    bottom: float
    confidence: float


class Recogniser(Protocol):
    """Optical character recognition; an extra, None where it is not installed or not wanted."""

    def recognise(self, image: npt.NDArray[np.uint8]) -> Sequence[RecognisedLine]:
        """Lines in reading order, from an RGB image of shape (height, width, 3)."""
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """What a parser may use besides the bytes.

    `inside` reads a file found in this one (`reading.inside(raw.inside(name, data))`), and raises
    DocumentError where that one cannot be read: the parser reports it in its own document.
    """

    limits: Limits
    inside: Callable[[Raw], Iterator[Document]]
    ocr: Recogniser | None = None


Parser = Callable[[Raw, Reading], Iterator[Document]]
