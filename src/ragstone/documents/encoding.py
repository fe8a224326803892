"""Bytes to text: which encoding, and one kind of line end.

Order of trust: a byte order mark; UTF-8 if it decodes as such; the encoding the file declares
(HTML, XML) or the caller knows; UTF-16 without a mark by its zeros; else what charset-normalizer
finds. Line ends become "\\n" (CRLF and lone CR), so that lines and blank lines mean the same in
every file.

Law: valid UTF-8 is never read as anything else; the result holds no NUL and no lone surrogate.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from typing import BinaryIO

from charset_normalizer import from_bytes

from ragstone.documents.builder import storable
from ragstone.errors import DocumentError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE_BYTES = 1 << 18  # enough to know an encoding by


def decode(data: bytes, *, source: str, declared: str = "") -> str:
    """The text of these bytes. Raises DocumentError where no encoding makes sense of them."""
    encoding = detect_encoding(data, source=source, declared=declared)
    return unified(data.decode(encoding, "replace"))


def unified(text: str) -> str:
    """The text with "\\n" as its only line end, without a byte order mark, storable."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return storable(text.removeprefix("\ufeff"))


def detect_encoding(data: bytes, *, source: str, declared: str = "", cut: bool = False) -> str:
    """The name of a codec for these bytes. `cut`: more bytes follow (a sample of a stream)."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data, final=not cut)
    except UnicodeDecodeError:
        pass
    else:
        if b"\x00" not in data[:4096]:
            return "utf-8"
    if (
        declared
        and (named := _codec(declared))
        and not (b"\x00" in data[:4096] and "16" not in named)
    ):
        return named
    even, odd = data[:4096:2].count(0), data[1:4096:2].count(0)
    if max(even, odd) > 0.3 * len(data[:4096]) / 2:
        return "utf-16-be" if even > odd else "utf-16-le"
    best = from_bytes(data[:_SAMPLE_BYTES]).best()
    if best is None:
        if _nearly_utf8(data):
            return "utf-8"
        raise DocumentError(
            f"{source} is text in no encoding that can be recognised.",
            remedy="Save it as UTF-8.",
        )
    return _preferred(best.encoding, data)


def _codec(name: str) -> str:
    """The codec of a declared name as browsers take it (Latin-1 is Windows-1252), "" if none."""
    try:
        found = codecs.lookup(name.strip().strip("\"'")).name
    except (LookupError, ValueError):
        return ""
    return {"iso8859-1": "cp1252", "ascii": "cp1252", "gb2312": "gb18030", "gbk": "gb18030"}.get(
        found, found
    )


def _preferred(encoding: str, data: bytes) -> str:
    """Windows-1252 for the Western code pages that are guessed in its place on few bytes.

    On short Western texts detectors often name cp1250, mac_roman, cp437 and so on; when nothing
    but typographic marks and the usual accented letters stand above ASCII, cp1252 is likely.
    """
    if encoding in {"cp1250", "cp1252", "cp1254", "cp1257", "latin_1", "iso8859_9", "iso8859_15"}:
        return encoding if encoding == "cp1250" and _central_european(data) else "cp1252"
    return encoding


def _central_european(data: bytes) -> bool:
    # letters that mean something in cp1250 and are rare marks in cp1252: ą ę ł ś ź ć č ř š ž ů ő ű
    rare = sum(
        data.count(bytes([byte])) for byte in (0xB9, 0xEA, 0xB3, 0x9C, 0x9F, 0xE6, 0xF8, 0xF9)
    )
    return rare > 0.005 * max(1, len(data))


def _nearly_utf8(data: bytes) -> bool:
    """Whether it is UTF-8 with a few broken bytes."""
    text = data[:_SAMPLE_BYTES].decode("utf-8", "replace")
    return text.count("\ufffd") <= max(1, len(text) // 200)


def text_stream(stream: BinaryIO, *, source: str) -> Iterator[str]:
    """The text of a stream in pieces of about a quarter of a million characters.

    The encoding is judged by the first bytes; line ends are unified over the seams. When bytes
    beyond the sample do not fit UTF-8 they become U+FFFD. Raises DocumentError as `decode`.
    """
    sample = stream.read(_SAMPLE_BYTES)
    encoding = detect_encoding(sample, source=source, cut=len(sample) == _SAMPLE_BYTES)
    decoder = io.IncrementalNewlineDecoder(
        codecs.getincrementaldecoder(encoding)("replace"), translate=True
    )
    block, first = sample, True
    while block:
        text = decoder.decode(block)
        if text:
            yield storable(text.removeprefix("\ufeff") if first else text)
            first = False
        block = stream.read(_SAMPLE_BYTES)
    if tail := decoder.decode(b"", final=True):
        yield storable(tail)


_DECLARED = re.compile(
    rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w:.-]+)|<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]+)""",
    re.IGNORECASE,
)


def declared_encoding(data: bytes) -> str:
    """The charset that HTML or XML declares near its start, "" where it declares none."""
    found = _DECLARED.search(data[:4096])
    if not found:
        return ""
    return (found[1] or found[2]).decode("ascii", "replace")
