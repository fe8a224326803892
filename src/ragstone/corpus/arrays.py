"""A file of named arrays: written once, checksummed, read by memory map.

Layout: 8 bytes magic, length and CRC-32 of the header (two little-endian uint32), the header as
JSON (for each array its dtype, shape, offset and CRC-32; free-form `meta`; the data's size; blanks
at its end), then the arrays, little-endian, each at a multiple of 64 bytes. Law: what `open_arrays`
returns was written by one finished `ArraysFile`; a torn, truncated or altered file is a
CorpusError. Neither writing nor checking needs a whole array in memory. Knows nothing of what the
arrays mean.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import numpy as np
import numpy.typing as npt

from ragstone.errors import CorpusError

MAGIC = b"RAGARR1\n"
_ALIGN = 64
_START = 4096  # where the arrays begin in a file that is written now; the header has room below
_PIECE = 4 << 20  # bytes that are checked at a time
REMEDY = "Run `ragstone doctor --repair`: it rebuilds derived files from the corpus's database."

AnyArray = npt.NDArray[np.generic]


@dataclass(frozen=True, slots=True)
class Arrays:
    """An opened file: its arrays (read-only views of the map), its free-form facts, its size."""

    path: Path
    size_bytes: int
    meta: Mapping[str, str | int | float]
    arrays: Mapping[str, AnyArray]
    map: mmap.mmap

    def __getitem__(self, name: str) -> AnyArray:
        return self.arrays[name]

    def release(self) -> None:
        """Give back the memory of what was read so far, where the system can; reading goes on."""
        _release(self.map)


@dataclass(slots=True)
class _Section:
    """A stretch of the file that grows from its begin to its end."""

    at: int
    size: int
    filled: int = 0
    crc: int = 0


@dataclass(slots=True)
class _Entry:
    dtype: np.dtype[np.generic]
    shape: tuple[int, ...]
    sections: list[_Section] = field(default_factory=list)

    def crc(self) -> int:
        """The checksum of all sections in a row.

        A CRC is linear: that of A before B is that of A before as many zeros, that of B, and that
        of the zeros, all xored.
        """
        whole = self.sections[0].crc
        for section in self.sections[1:]:
            whole = _zeros(section.size, whole) ^ section.crc ^ _zeros(section.size, 0)
        return whole


class ArraysFile:
    """A file on its way: arrays are reserved, then filled piece by piece; a context manager.

    The bytes go to a neighbour with the ending `.tmp`, are synced, and take the name in `finish`.
    Left without that, nothing remains. Raises CorpusError when the disk refuses.
    """

    def __init__(self, path: Path, *, meta: Mapping[str, str | int | float]) -> None:
        self._path = path
        self._meta = dict(meta)
        self._entries: dict[str, _Entry] = {}
        self._end = _START
        self._temporary = path.with_name(path.name + ".tmp")
        try:
            self._file = self._temporary.open("wb")
        except OSError as error:
            raise self._refused(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        if not self._file.closed:  # not finished
            try:
                self._file.close()
            except OSError as refused:
                raise self._refused(refused) from error
            finally:
                self._temporary.unlink(missing_ok=True)

    def reserve(
        self, name: str, dtype: npt.DTypeLike, shape: tuple[int, ...], *, by_column: bool = False
    ) -> None:
        """Room for an array; with `by_column` it grows along the second axis, not the first."""
        kind = np.dtype(dtype).newbyteorder("<")
        entry = self._entries[name] = _Entry(kind, shape)
        rows = shape[0] if by_column else 1
        size = kind.itemsize * int(np.prod(shape, dtype=np.int64)) // rows
        entry.sections = [_Section(self._end + size * row, size) for row in range(rows)]
        self._end += -(-size * rows // _ALIGN) * _ALIGN

    def extend(self, name: str, piece: AnyArray) -> None:
        """Append rows of the array, or columns where it grows by them."""
        entry = self._entries[name]
        values = np.ascontiguousarray(piece, dtype=entry.dtype)
        try:
            if len(entry.sections) == 1:
                self._append(entry.sections[0], values)
            else:
                for section, row in zip(entry.sections, values, strict=True):
                    self._append(section, row)
        except OSError as error:
            raise self._refused(error) from error

    def add(self, name: str, array: AnyArray) -> None:
        """A whole array."""
        self.reserve(name, array.dtype, array.shape)
        self.extend(name, array)

    def _append(self, section: _Section, values: AnyArray) -> None:
        data = _bytes(values)
        if section.filled + len(data) > section.size:
            raise ValueError(f"{self._path}: {len(data)} bytes more than was reserved")
        if len(data):
            self._file.seek(section.at + section.filled)
            self._file.write(data)
            section.filled += len(data)
            section.crc = zlib.crc32(data, section.crc)

    def finish(self) -> int:
        """Write the header, sync, and give the file its name; the size in bytes."""
        entries: dict[str, dict[str, object]] = {}
        for name, entry in self._entries.items():
            if any(section.filled != section.size for section in entry.sections):
                raise ValueError(f"{self._path}: {name!r} was not filled")
            entries[name] = {
                "dtype": entry.dtype.str, "shape": list(entry.shape),
                "offset": entry.sections[0].at - _START, "crc": entry.crc(),
            }  # fmt: skip
        facts = {"arrays": entries, "meta": self._meta, "data": self._end - _START}
        header = json.dumps(facts).encode().ljust(_START - 16)
        if len(header) > _START - 16:
            raise ValueError(f"{self._path}: the header has {len(header)} bytes")
        try:
            self._file.truncate(self._end)
            self._file.seek(0)
            self._file.write(MAGIC + struct.pack("<II", len(header), zlib.crc32(header)) + header)
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._temporary.replace(self._path)
            sync_folder(self._path.parent)
        except OSError as error:
            raise self._refused(error) from error
        return self._end

    def _refused(self, error: OSError) -> CorpusError:
        self._temporary.unlink(missing_ok=True)
        return CorpusError(
            f"Cannot write {self._path}: {error.strerror or error}.",
            remedy="Make room or permission for it, and run the command again: nothing was lost.",
        )


def write_arrays(
    path: Path, arrays: Mapping[str, AnyArray], *, meta: Mapping[str, str | int | float]
) -> int:
    """Write whole arrays as one file; give its size in bytes. Raises as `ArraysFile` does."""
    with ArraysFile(path, meta=meta) as file:
        for name, array in arrays.items():
            file.add(name, array)
        return file.finish()


def _bytes(array: AnyArray) -> memoryview:
    """The array's bytes, without a copy."""
    return array.reshape(-1).view(np.uint8).data


def _zeros(size: int, crc: int) -> int:
    """The CRC-32 of so many zero bytes, going on from `crc`."""
    block = bytes(min(size, 1 << 16))
    for at in range(0, size, 1 << 16):
        crc = zlib.crc32(block[: size - at], crc)
    return crc


def _release(map_: mmap.mmap) -> None:
    if hasattr(mmap, "MADV_DONTNEED"):  # not on Windows, which takes the memory back as it needs it
        map_.madvise(mmap.MADV_DONTNEED)


def open_arrays(path: Path, *, verify: bool = True) -> Arrays:
    """Map the file. With `verify`, every array's checksum is compared (about 3 GB/s).

    Raises FileNotFoundError where there is no file, CorpusError where it is damaged.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(16)
        if len(head) < 16 or head[:8] != MAGIC:
            raise CorpusError(f"{path} is not a file of arrays, or is cut off.", remedy=REMEDY)
        length, crc = struct.unpack("<II", head[8:])
        raw = file.read(min(length, size))
        if len(raw) != length or zlib.crc32(raw) != crc:
            raise CorpusError(f"The header of {path} is damaged.", remedy=REMEDY)
        header = json.loads(raw)
        start = -(-(16 + length) // _ALIGN) * _ALIGN
        if size != start + header["data"]:
            raise CorpusError(
                f"{path} has {size} bytes instead of {start + header['data']}.", remedy=REMEDY
            )
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    arrays: dict[str, AnyArray] = {}
    for name, entry in header["arrays"].items():
        dtype, shape = np.dtype(entry["dtype"]), tuple(entry["shape"])
        count = int(np.prod(shape, dtype=np.int64))
        array: AnyArray
        if count:
            array = np.frombuffer(data, dtype, count, start + entry["offset"]).reshape(shape)
        else:
            array = np.empty(shape, dtype)
        if verify and _checked(array, data) != entry["crc"]:
            raise CorpusError(f"The checksum of {name!r} in {path} does not fit.", remedy=REMEDY)
        arrays[name] = array
    return Arrays(path, size, cast("dict[str, str | int | float]", header["meta"]), arrays, data)


def _checked(array: AnyArray, map_: mmap.mmap) -> int:
    """The array's CRC-32, a piece at a time: what was only checked takes no memory."""
    whole = _bytes(array)
    crc = 0
    for at in range(0, len(whole), _PIECE):
        crc = zlib.crc32(whole[at : at + _PIECE], crc)
        _release(map_)
    return crc


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` durable, where the system can (not on Windows)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
