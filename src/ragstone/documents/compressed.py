"""Gzip as a stream that refuses to become a bomb.

Law: never more than a block beyond the limit is unpacked, and what is read is exactly what
`gzip` would give. Must not know what the bytes mean.
"""

from __future__ import annotations

import gzip
import io
import zlib
from typing import BinaryIO

from ragstone.documents.limits import Limits
from ragstone.errors import DocumentError


class GuardedStream(io.RawIOBase):
    """A readable stream over unpacked bytes that raises DocumentError beyond the limits.

    `packed_bytes` is the size of what was packed; the ratio to it and the total are bounded.
    """

    def __init__(self, packed: BinaryIO, *, packed_bytes: int, source: str, limits: Limits) -> None:
        self._packed = packed
        self._stream = gzip.GzipFile(fileobj=packed, mode="rb")
        self._source = source
        self._limits = limits
        by_ratio = max(limits.free_bytes, packed_bytes * limits.max_ratio)
        self._by_ratio = by_ratio < limits.max_stream_bytes
        self._left = min(by_ratio, limits.max_stream_bytes)
        self._allowed = self._left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        try:
            block = self._stream.read(len(buffer))
        except (EOFError, zlib.error, OSError) as error:
            raise DocumentError(
                f"{self._source} is compressed, and damaged: {error}.",
                remedy="Fetch it again, or unpack it by hand.",
            ) from error
        self._left -= len(block)
        if self._left < 0:
            why = (
                f"more than {self._limits.max_ratio} times its compressed size"
                if self._by_ratio
                else "the largest stream allowed"
            )
            raise DocumentError(
                f"{self._source} unpacks to over {self._allowed:,} bytes, {why}.",
                remedy="If it is not a decompression bomb, unpack it and add the unpacked file.",
            )
        buffer[: len(block)] = block
        return len(block)

    def close(self) -> None:
        self._stream.close()
        self._packed.close()  # GzipFile leaves a stream that it was given open
        super().close()


def unpack_stream(
    packed: BinaryIO, *, packed_bytes: int, source: str, limits: Limits
) -> io.BufferedReader:
    """The bytes inside a gzip stream, buffered. Raises DocumentError where damaged or a bomb."""
    guarded = GuardedStream(packed, packed_bytes=packed_bytes, source=source, limits=limits)
    return io.BufferedReader(guarded, buffer_size=1 << 18)
