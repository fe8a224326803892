"""Title, author and date in an old office file's property set ([MS-OLEPS]). Knows no text."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta

from ragstone.documents.builder import storable
from ragstone.documents.compound import CompoundFile
from ragstone.documents.packages import sensible_title
from ragstone.text.spaces import one_line
from ragstone.types import Scalar

_NAMES = {2: "title", 3: "subject", 4: "author", 5: "keywords"}
_CODE_PAGE, _CREATED, _SAVED = 1, 12, 13
_TEXT, _WIDE_TEXT, _TIME = 0x1E, 0x1F, 0x40


def facts_of(file: CompoundFile) -> dict[str, Scalar]:
    """What the file says of itself; nothing where its summary is missing or damaged."""
    try:
        return _read(file.stream("\x05SummaryInformation"))
    except (struct.error, LookupError, OverflowError):
        return {}


def _read(data: bytes) -> dict[str, Scalar]:
    facts: dict[str, Scalar] = {}
    if len(data) < 56:
        return facts
    base = struct.unpack_from("<I", data, 44)[0]
    count = min(struct.unpack_from("<I", data, base + 4)[0], 200)
    places = dict(struct.iter_unpack("<II", data[base + 8 : base + 8 + 8 * count]))
    codec = "cp1252"
    if _CODE_PAGE in places:
        page = struct.unpack_from("<H", data, base + places[_CODE_PAGE] + 4)[0]
        codec = {65001: "utf-8", 1200: "utf-16-le", 10000: "mac_roman"}.get(page, f"cp{page}")
    for number, offset in places.items():
        at = base + offset
        kind, size = struct.unpack_from("<II", data, at)
        if number in _NAMES and kind in (_TEXT, _WIDE_TEXT):
            length = min(size * (2 if kind == _WIDE_TEXT else 1), 4000)
            text = data[at + 8 : at + 8 + length].decode(
                "utf-16-le" if kind == _WIDE_TEXT else codec, "replace"
            )
            text = one_line(storable(text.split("\x00", 1)[0]))
            if text:
                facts[_NAMES[number]] = text[:500]
        elif number in (_CREATED, _SAVED) and kind == _TIME:
            ticks = struct.unpack_from("<Q", data, at + 4)[0]
            moment = datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=ticks // 10)
            if moment.year > 1980 and (number == _SAVED or "date" not in facts):
                facts["date"] = moment.replace(microsecond=0).isoformat()
    facts["title"] = sensible_title(str(facts.get("title", "")))
    return facts
