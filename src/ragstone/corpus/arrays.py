"""A file of named arrays: written once, checksummed, read by memory map.

Layout: 8 bytes magic, length and CRC-32 of the header (two little-endian uint32), the header as
JSON (for each array its dtype, shape, offset and CRC-32; free-form `meta`; the file's size),
then the arrays, little-endian, each at a multiple of 64 bytes. Law: what `open_arrays` returns
was written by one finished `write_arrays`; a torn, truncated or altered file is a CorpusError.
Knows nothing of what the arrays mean.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt

from ragstone.errors import CorpusError

MAGIC = b"RAGARR1\n"
_ALIGN = 64
REMEDY = "Run `ragstone doctor --repair`: it rebuilds derived files from the corpus's database."

AnyArray = npt.NDArray[np.generic]
Chunks = Sequence[AnyArray]  # one array in parts, joined along the first axis


@dataclass(frozen=True, slots=True)
class Arrays:
    """An opened file: its arrays (read-only views of the map), its free-form facts, its size."""

    path: Path
    size_bytes: int
    meta: Mapping[str, str | int | float]
    arrays: Mapping[str, AnyArray]

    def __getitem__(self, name: str) -> AnyArray:
        return self.arrays[name]


def write_arrays(
    path: Path,
    arrays: Mapping[str, AnyArray | Chunks],
    *,
    meta: Mapping[str, str | int | float],
) -> int:
    """Write the file whole or not at all, durably; give its size in bytes.

    The bytes go to a neighbour with the ending `.tmp`, are synced, and take the name last.
    Raises CorpusError when the disk refuses.
    """
    parts = {name: _chunks(value) for name, value in arrays.items()}
    entries: dict[str, dict[str, object]] = {}
    offset = 0
    for name, chunks in parts.items():
        rows = sum(len(chunk) for chunk in chunks)
        crc = 0
        size = 0
        for chunk in chunks:
            crc = zlib.crc32(_bytes(chunk), crc)
            size += chunk.nbytes
        shape = [rows, *chunks[0].shape[1:]]
        entries[name] = {"dtype": chunks[0].dtype.str, "shape": shape, "offset": offset, "crc": crc}
        offset += -(-size // _ALIGN) * _ALIGN
    header = json.dumps({"arrays": entries, "meta": dict(meta), "data": offset}).encode()
    start = -(-(16 + len(header)) // _ALIGN) * _ALIGN
    temporary = path.with_name(path.name + ".tmp")
    try:
        with temporary.open("wb") as file:
            file.write(MAGIC + struct.pack("<II", len(header), zlib.crc32(header)) + header)
            file.write(b"\0" * (start - 16 - len(header)))
            for chunks in parts.values():
                size = 0
                for chunk in chunks:
                    if chunk.size:
                        file.write(_bytes(chunk))
                    size += chunk.nbytes
                file.write(b"\0" * (-size % _ALIGN))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise CorpusError(
            f"Cannot write {path}: {error.strerror or error}.",
            remedy="Make room or permission for it, and run the command again: nothing was lost.",
        ) from error
    return start + offset


def _chunks(value: AnyArray | Chunks) -> list[AnyArray]:
    chunks = [value] if isinstance(value, np.ndarray) else list(value)
    return [np.ascontiguousarray(chunk.astype(chunk.dtype.newbyteorder("<"))) for chunk in chunks]


def _bytes(array: AnyArray) -> memoryview:
    """The array's bytes, without a copy."""
    return array.reshape(-1).view(np.uint8).data


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
        if verify and zlib.crc32(_bytes(array)) != entry["crc"]:
            raise CorpusError(f"The checksum of {name!r} in {path} does not fit.", remedy=REMEDY)
        arrays[name] = array
    return Arrays(path, size, cast("dict[str, str | int | float]", header["meta"]), arrays)


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` durable, where the system can (not on Windows)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
