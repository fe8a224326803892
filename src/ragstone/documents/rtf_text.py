"""RTF's tokens and the text between them: groups, destinations, code pages, Unicode.

Source: Rich Text Format Specification 1.9.1. Law: any bytes are read without recursion, in time
proportional to their number. Knows no documents.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])"
    rb"|([{}])|[\r\n]+|([^\\{}\r\n]+)"
)
_SKIPPED = frozenset(
    (
        *("fonttbl", "colortbl", "stylesheet", "info", "pict", "object", "objdata", "themedata"),
        *("colorschememapping", "latentstyles", "datastore", "listtable", "listoverridetable"),
        *("rsidtbl", "generator", "xmlnstbl", "fldinst", "bkmkstart", "bkmkend", "pntext", "pn"),
        *("nonshppict", "revtbl", "filetbl", "mmathPr", "wgrffmtfilter", "listpicture", "template"),
        *("shpinst", "sp", "sn", "sv", "themedata", "passwordhash", "xe", "tc", "do", "xmlopen"),
    )
)
_KEPT = frozenset(("shptxt", "shprslt", "listtext", "fldrslt", "ud", "upr", "result"))
_CHARSETS = {
    0: "cp1252", 77: "mac_roman", 128: "cp932", 129: "cp949", 134: "gb18030", 136: "cp950",
    161: "cp1253", 162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257",
    204: "cp1251", 222: "cp874", 238: "cp1250",
}  # fmt: skip
_LITERAL = {
    "tab": "\t", "line": "\n", "emdash": "—", "endash": "–", "lquote": "‘", "rquote": "’",
    "ldblquote": "“", "rdblquote": "”", "bullet": "•", "emspace": " ", "enspace": " ",
    "qmspace": " ",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class State:
    """What holds inside the current group."""

    skipped: bool = False
    destination: str = ""  # "", "header", "footer", "footnote", "listtext"
    fallback: int = 1  # how many bytes stand in for a Unicode letter
    codec: str = ""
    bold: bool = False
    hidden: bool = False
    outline: int = -1
    style: int = 0
    in_table: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """Text, or a control word that ends something: "par", "cell", "row", "footnote"."""

    kind: str
    text: str
    state: State


def events(data: bytes) -> Iterator[Event]:
    """The text and the ends of paragraphs, cells, rows and groups, with the state they stand in."""
    default = "cp1252"
    fonts: dict[int, str] = {}
    font = 0
    state = State()
    stack: list[State] = []
    depth = 0
    pending = bytearray()
    skip = 0
    high = 0
    star = False
    table = False  # inside the font table
    for match in _TOKEN.finditer(data):
        word, number, code, symbol, brace, run = match.groups()
        if pending and code is None:
            yield Event("text", _decoded(pending, state.codec or default), state)
            pending.clear()
        if brace == b"{":
            depth += 1
            if len(stack) > 100_000:
                return
            stack.append(state)
            star, skip = False, 0
        elif brace == b"}":
            if stack:
                before = state
                state = stack.pop()
                if before.destination != state.destination:
                    yield Event("end", before.destination, before)
                if table and not state.skipped:
                    table = False
            skip = 0
        elif word is not None:
            name = word.decode("ascii")
            value = int(number) if number is not None else None
            if name == "bin":
                continue
            if name == "ansicpg" and value:
                default = _codec(f"cp{value}") or default
            elif name == "mac":
                default = "mac_roman"
            elif name == "fonttbl":
                table = True
                state = replace(state, skipped=True)
            elif table and name == "f" and value is not None:
                font = value
            elif table and name == "fcharset":
                fonts[font] = _CHARSETS.get(value or 0, "")
            elif name in _SKIPPED or (star and name not in _KEPT):
                state = replace(state, skipped=True)
            elif name == "shptxt":  # a drawing is left out, the text in it is not
                state = replace(state, skipped=False)
            elif name in ("header", "headerl", "headerr", "headerf"):
                state = replace(state, destination="header")
            elif name in ("footer", "footerl", "footerr", "footerf"):
                state = replace(state, destination="footer")
            elif name in ("footnote", "listtext"):
                state = replace(state, destination=name)
            elif name == "uc":
                state = replace(state, fallback=value or 0)
            elif name == "u" and value is not None:
                point = value + 65536 if value < 0 else value
                if 0xD800 <= point < 0xDC00:
                    high = point
                else:
                    if 0xDC00 <= point < 0xE000 and high:
                        point = 0x10000 + ((high - 0xD800) << 10) + point - 0xDC00
                    high = 0
                    if not state.skipped and not state.hidden and point < 0x110000:
                        yield Event("text", chr(point), state)
                skip = state.fallback
            elif name == "f" and value is not None:
                state = replace(state, codec=fonts.get(value, ""))
            elif name == "plain":
                state = replace(state, bold=False, hidden=False, codec="")
            elif name == "pard":
                state = replace(state, outline=-1, style=0, in_table=False)
            elif name == "b":
                state = replace(state, bold=value != 0)
            elif name == "v":
                state = replace(state, hidden=value != 0)
            elif name == "outlinelevel" and value is not None:
                state = replace(state, outline=value)
            elif name == "s" and value is not None:
                state = replace(state, style=value)
            elif name == "intbl":
                state = replace(state, in_table=True)
            elif not state.skipped and not state.hidden:
                if name in ("par", "sect", "page", "column"):
                    yield Event("par", "", state)
                elif name in ("cell", "nestcell"):
                    yield Event("cell", "", state)
                elif name in ("row", "nestrow", "trowd"):
                    yield Event(name, "", state)
                elif name in _LITERAL:
                    yield Event("text", _LITERAL[name], state)
            star = False
        elif code is not None:
            if skip:
                skip -= 1
            elif not state.skipped and not state.hidden:
                pending.append(int(code, 16))
        elif symbol is not None:
            if symbol == b"*":
                star = True
            elif not state.skipped and not state.hidden:
                text = {b"~": "\xa0", b"_": "-", b"-": "", b"\\": "\\", b"{": "{", b"}": "}"}
                if symbol in (b"\n", b"\r"):
                    yield Event("par", "", state)
                elif symbol in text:
                    yield Event("text", text[symbol], state)
        elif run is not None:
            if skip:
                cut = min(skip, len(run))
                skip -= cut
                run = run[cut:]
            if run and not state.skipped and not state.hidden:
                yield Event("text", _decoded(run, state.codec or default), state)
    if pending:
        yield Event("text", _decoded(pending, state.codec or default), state)


def _decoded(data: bytes | bytearray, codec: str) -> str:
    return bytes(data).decode(codec, "replace")


def _codec(name: str) -> str:
    try:
        return codecs.lookup("utf-8" if name == "cp65001" else name).name
    except LookupError:
        return ""


def rtf_to_text(data: bytes) -> str:
    """The plain text of an RTF, a line for each paragraph; empty for empty bytes."""
    parts: list[str] = []
    for event in events(data):
        if event.kind == "text":
            parts.append(event.text)
        elif event.kind in ("par", "row"):
            parts.append("\n")
        elif event.kind == "cell":
            parts.append("\t")
    return "".join(parts).replace("\x00", "")
