"""HTML tables as rows that read alone; merged cells are repeated where they reach.

Law: a cell's text is in the row, under the names of its column; spans are bounded, so that
`colspan=10000000` costs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

from selectolax.lexbor import LexborNode

from ragstone.documents.builder import Builder
from ragstone.documents.html_frame import hidden
from ragstone.documents.tabular import has_header
from ragstone.text.spaces import one_line

_BLOCKY = "h1, h2, h3, h4, pre, blockquote, article, section, form"
_MAX_COLUMNS = 200
_MAX_ROWSPAN = 1000
_ITEMS = re.compile(r"\s*\x1f[\s\x1f]*")
_EXPONENT = re.compile(r"[-+−]?[\dnkxy.]{1,4}")
_UNSEEN = re.compile("[\u200b\ufeff\u00ad]")
_SIGNS_BEFORE = frozenset(("$", "€", "£", "¥", "("))
_SIGNS_AFTER = frozenset((")", "%", ")%", "%)", "x"))
_SPACES = re.compile(r"[ \t\r\n\f\xa0]+")


def is_data(table: LexborNode) -> bool:
    """Whether a table holds data; one that lays out the page (nested tables, blocks) does not."""
    attributes = table.attributes
    if attributes.get("role") in ("presentation", "none"):
        return False
    if len(table.css("table")) > 1 or table.css_first(f"td :is({_BLOCKY})") is not None:
        return table.css_first("th") is not None and len(table.css("table")) == 1
    cells = table.css("td, th")
    if len(cells) < 2:
        return False
    long_cells = sum(len(cell.text()) > 1000 for cell in cells)
    return long_cells <= 0.3 * len(cells)


def write_table(built: Builder, table: LexborNode) -> None:
    """The caption and the rows, each with its header's names."""
    caption = table.css_first("caption")
    rows, head = _grid(table)
    rows = _without_spacers(rows)
    header: Sequence[str] = ()
    if head:
        header = _joined(rows[:head])
        rows = rows[head:]
    elif len(rows) > 1 and table.css_first("th") is None and has_header(list(map(_plain, rows))):
        header, rows = _plain(rows[0]), rows[1:]
    named = not header and table.css_first("th") is not None
    built.table(
        (_first_names(_plain(row)) if named else _merged(row, header) for row in rows),
        header=header,
        caption=one_line(caption.text()) if caption is not None else "",
    )


class _Again(str):
    """The text of a cell once more, in a further column that the merged cell covers."""

    __slots__ = ()


def _plain(row: Sequence[str]) -> list[str]:
    """The row with each merged cell once."""
    return ["" if isinstance(cell, _Again) else cell for cell in row]


def _merged(row: Sequence[str], header: Sequence[str]) -> list[str]:
    """The row with merged cells repeated where another column's name stands over them; a cell
    over the whole row (a heading within the table) once."""
    if not header or all(isinstance(cell, _Again) or not cell for cell in row[1:]):
        return _plain(row) if header and len(row) < 2 else _alone(row, header)
    names = [*header, *[""] * len(row)]
    return [
        "" if isinstance(cell, _Again) and names[at] == names[at - 1] else str(cell)
        for at, cell in enumerate(row)
    ]


def _alone(row: Sequence[str], header: Sequence[str]) -> list[str]:
    once = _plain(row)
    spans = len(row) > 1 and isinstance(row[1], _Again)
    return [*[""] * len(header), once[0]] if header and spans else once


def _without_spacers(rows: list[list[str]]) -> list[list[str]]:
    """Without columns that are blank throughout; signs that have a column of their own ($, %, a
    closing bracket) go to their number. Filings are full of both."""
    width = max(map(len, rows), default=0)
    columns = [[row[at] if at < len(row) else "" for row in rows] for at in range(width)]
    kept: list[list[str]] = []
    pending: list[str] | None = None
    for at, column in enumerate(columns):
        following = columns[at + 1] if at + 1 < width else [""] * len(rows)
        said = {  # a cell that is merged with the next column does not make this one a column
            cell
            for cell, right in zip(column, following, strict=True)
            if cell and not isinstance(cell, _Again) and not isinstance(right, _Again)
        }
        if not said and not (kept and any(map(_differs, column, kept[-1]))):
            continue
        if said and said <= _SIGNS_AFTER and kept:
            kept[-1] = [_glued(a, b) for a, b in zip(kept[-1], column, strict=True)]
            continue
        if pending is not None:
            column = [_glued(a, b) for a, b in zip(pending, column, strict=True)]
            pending = None
        if said and said <= _SIGNS_BEFORE:
            pending = column
            continue
        kept.append(column)
    if pending is not None:
        kept.append(pending)
    return [list(row) for row in zip(*kept, strict=True)] if kept else rows


def _differs(cell: str, left: str) -> bool:
    return bool(cell) and cell != left


def _glued(left: str, right: str) -> str:
    """Two cells that are one; a merged one over both stays itself."""
    if isinstance(right, _Again):
        return left
    return left + right if left and right else (left or right)


def _first_names(row: Sequence[str]) -> Sequence[str]:
    """A row that is headed by its first cell, as `Name: value`."""
    if len(row) > 1 and row[0] and any(row[1:]):
        seen = [
            cell
            for at, cell in enumerate(row[1:])
            if cell and cell != row[0] and cell not in row[1:][:at]
        ]
        return [f"{row[0].rstrip(':')}: {'; '.join(seen)}"] if seen else [row[0]]
    return row


def _joined(rows: Sequence[Sequence[str]]) -> list[str]:
    """The names of the columns from several header rows: `2023 / Revenue`, each part once."""
    width = max(map(len, rows))
    names: list[str] = []
    for column in range(width):
        parts: list[str] = []
        for row in rows:
            cell = row[column] if column < len(row) else ""
            if cell and cell not in parts:
                parts.append(cell)
        names.append(" / ".join(parts))
    return names


def _grid(table: LexborNode) -> tuple[list[list[str]], int]:
    """Cells by row and column with merged ones repeated, and how many rows are the header."""
    rows: list[list[str]] = []
    heads: list[bool] = []
    reaching: dict[int, tuple[str, int]] = {}  # column -> cell, rows that it still reaches over
    for line in table.css("tr"):
        row: list[str] = []
        all_heads, lone, own, reached = True, True, 0, len(reaching)
        cell = line.child
        while cell is not None or len(row) in reaching:
            while len(row) in reaching:
                text, left = reaching[len(row)]
                if left > 1:
                    reaching[len(row)] = (text, left - 1)
                else:
                    del reaching[len(row)]
                row.append(text)
            if cell is None:
                break
            if cell.tag in ("td", "th") and not hidden(cell, cell.tag):
                all_heads = all_heads and cell.tag == "th"
                text = _cell_text(cell)
                down = _number(cell, "rowspan", _MAX_ROWSPAN)
                wide = max(1, min(_number(cell, "colspan", _MAX_COLUMNS), _MAX_COLUMNS - len(row)))
                for at in range(wide):
                    again = _Again(text) if at else text
                    if down > 1:
                        reaching[len(row)] = (again, down - 1)
                    row.append(again)
                own += wide
                lone = lone and down > 1
            cell = cell.next
        if not own or not any(row) or (rows and lone and len(row) < len(rows[0])):
            continue  # blank, or only cells that reach over the rows below and are repeated there
        rows.append(row)
        parent = line.parent
        in_head = parent is not None and parent.tag == "thead"
        heads.append(in_head or (all_heads and own + reached >= len(rows[0])))
    head = sum(1 for _ in takewhile(bool, heads))
    return rows, head if head < len(rows) else min(head, 1)


def _number(cell: LexborNode, name: str, most: int) -> int:
    value = cell.attributes.get(name) or "1"
    return min(max(int(value), 1), most) if value.isdigit() and len(value) < 9 else 1


def _cell_text(cell: LexborNode) -> str:
    """The seen text of a cell on one line; blocks in it are parted by blanks."""
    parts: list[str] = []
    node, depth = cell.child, 1
    while node is not None and depth:
        tag = node.tag or ""
        descend = None
        if tag == "-text":
            parts.append(node.text_content or "")
        elif not hidden(node, tag):
            if tag in ("br", "p", "div"):
                parts.append(" ")
            elif tag == "li":
                parts.append("\x1f")
            elif tag == "sup" and parts and raises(parts[-1], node):
                parts.append("^")
            descend = node.child
        if descend is not None:
            node, depth = descend, depth + 1
            continue
        while depth and node.next is None:
            parent = node.parent
            depth -= 1
            if parent is None or not depth:
                break
            node = parent
        if not depth:
            break
        node = node.next
    text = _ITEMS.sub(", ", _UNSEEN.sub("", "".join(parts)).strip("\x1f \n\t"))
    return one_line(_SPACES.sub(" ", text))


def raises(before: str, node: LexborNode) -> bool:
    """Whether a `sup` is an exponent (`x^2`) rather than a note's mark or an ordinal's ending."""
    return before[-1:].isalnum() and bool(_EXPONENT.fullmatch(node.text().strip()))
