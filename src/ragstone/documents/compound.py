"""OLE compound files: the little file system inside DOC, PPT and MSG files.

Source: [MS-CFB]. Law: every chain of sectors is bounded by the file's own size, so that no loop
and no false length can make a reader run on. Knows sectors and names; knows no format.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from ragstone.errors import DocumentError

_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_END = 0xFFFFFFFA  # this and above name no sector


@dataclass(slots=True)
class Entry:
    """A stream (with bytes) or a storage (with children by name) of a compound file."""

    name: str
    kind: int  # 1 storage, 2 stream, 5 root
    start: int
    size: int
    children: dict[str, Entry] = field(default_factory=dict)


class CompoundFile:
    """The streams of one file in memory, by path.

    Raises DocumentError where the bytes are no compound file or are cut short.
    """

    def __init__(self, data: bytes, source: str) -> None:
        self._data = data
        self._source = source
        if len(data) < 512 or not data.startswith(_MAGIC):
            raise self._broken("its header is missing")
        shift, mini_shift = struct.unpack_from("<HH", data, 30)
        if shift not in (9, 12) or mini_shift != 6:
            raise self._broken("its sector sizes make no sense")
        self._sector = 1 << shift
        self._most = len(data) // self._sector + 2
        directory, _, self._cutoff, mini, _, difat, count = struct.unpack_from("<7I", data, 48)
        table = [each for each in struct.unpack_from("<109I", data, 76) if each < _END]
        for _ in range(min(count, self._most)):
            if difat >= _END:
                break
            block = struct.unpack(f"<{self._sector // 4}I", self._block(difat))
            table.extend(each for each in block[:-1] if each < _END)
            difat = block[-1]
        self._next = self._table(table)
        self._mini_next = self._table(self._chain(mini))
        self.root = self._read_directory(self._bytes(directory))
        self._mini = self._bytes(self.root.start)[: self.root.size]

    def find(self, *path: str) -> Entry | None:
        """The entry at this path of names, upper and lower case alike; None where there is none."""
        entry = self.root
        for name in path:
            found = entry.children.get(name.casefold())
            if found is None:
                return None
            entry = found
        return entry

    def read(self, entry: Entry) -> bytes:
        """A stream's bytes."""
        if entry.size >= self._cutoff:
            return self._bytes(entry.start, entry.size)[: entry.size]
        blocks: list[bytes] = []
        sector, left = entry.start, entry.size
        while sector < len(self._mini_next) and left > 0:
            blocks.append(self._mini[sector * 64 : sector * 64 + 64])
            left -= 64
            sector = self._mini_next[sector]
        return b"".join(blocks)[: entry.size]

    def stream(self, *path: str) -> bytes:
        """The bytes of the stream at this path, empty where there is none."""
        entry = self.find(*path)
        return self.read(entry) if entry is not None and entry.kind == 2 else b""

    def _block(self, sector: int) -> bytes:
        start = (sector + 1) * self._sector
        block = self._data[start : start + self._sector]
        if not block:
            raise self._broken("it is cut short")
        return block.ljust(self._sector, b"\xff")

    def _table(self, sectors: list[int]) -> list[int]:
        if len(sectors) > self._most:
            raise self._broken("its table of sectors is longer than the file")
        return [
            number
            for sector in sectors
            for number in struct.unpack(f"<{self._sector // 4}I", self._block(sector))
        ]

    def _chain(self, sector: int) -> list[int]:
        found: list[int] = []
        while sector < min(_END, len(self._next)):
            found.append(sector)
            if len(found) > self._most:
                raise self._broken("a chain of sectors runs in a circle")
            sector = self._next[sector]
        return found

    def _bytes(self, sector: int, size: int | None = None) -> bytes:
        chain = self._chain(sector)
        if size is not None:
            chain = chain[: -(-size // self._sector)]
        return b"".join(self._block(each) for each in chain)

    def _read_directory(self, data: bytes) -> Entry:
        entries: list[tuple[Entry, int, int, int]] = []
        for at in range(0, len(data) - 127, 128):
            length = struct.unpack_from("<H", data, at + 64)[0]
            name = data[at : at + max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")
            left, right, child = struct.unpack_from("<III", data, at + 68)
            start, size = struct.unpack_from("<II", data, at + 116)
            entries.append((Entry(name, data[at + 66], start, size), left, right, child))
        if not entries or entries[0][0].kind != 5:
            raise self._broken("its directory is missing")
        seen = {0}
        waiting = [(entries[0][0], entries[0][3])]
        while waiting:
            parent, number = waiting.pop()
            if number >= len(entries) or number in seen:
                continue
            seen.add(number)
            entry, left, right, child = entries[number]
            parent.children[entry.name.casefold()] = entry
            waiting += [(parent, left), (parent, right)]
            if entry.kind == 1:
                waiting.append((entry, child))
        return entries[0][0]

    def _broken(self, why: str) -> DocumentError:
        return DocumentError(
            f"{self._source} is damaged: {why}.",
            remedy="Open it in its own program and save it again.",
        )
