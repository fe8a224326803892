"""HTML tables as rows that read alone; merged cells are repeated where they reach.

Law: a cell's text is in the row, under the names of its column; spans are bounded, so that
`colspan=10000000` costs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

from selectolax.lexbor import LexborNode

from ragstone.documents.builder import Builder, one_line
from ragstone.documents.html_frame import hidden
from ragstone.documents.tabular import has_header

_BLOCKY = "h1, h2, h3, h4, pre, blockquote, article, section, form"
_MAX_COLUMNS = 200
_MAX_ROWSPAN = 1000
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
    long_cells = sum(len(cell.text_content or "") > 1000 for cell in cells)
    return long_cells <= 0.3 * len(cells)


def write_table(built: Builder, table: LexborNode) -> None:
    """The caption and the rows, each with its header's names."""
    caption = table.css_first("caption")
    rows, head = _grid(table)
    header: Sequence[str] = ()
    if head:
        header = _joined(rows[:head])
        rows = rows[head:]
    elif len(rows) > 1 and table.css_first("th") is None and has_header(rows):
        header, rows = rows[0], rows[1:]
    named = not header and table.css_first("th") is not None
    built.table(
        (_first_names(row) if named else row for row in rows),
        header=header,
        caption=one_line(caption.text_content or "") if caption is not None else "",
    )


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
        all_heads, any_cell = True, False
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
                any_cell = True
                all_heads = all_heads and cell.tag == "th"
                text = _cell_text(cell)
                down = _number(cell, "rowspan", _MAX_ROWSPAN)
                for _ in range(_number(cell, "colspan", _MAX_COLUMNS)):
                    if len(row) >= _MAX_COLUMNS:
                        break
                    if down > 1:
                        reaching[len(row)] = (text, down - 1)
                    row.append(text)
            cell = cell.next
        if any_cell and any(row):
            rows.append(row)
            parent = line.parent
            heads.append(all_heads or (parent is not None and parent.tag == "thead"))
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
            if tag in ("br", "p", "div", "li", "ul", "ol"):
                parts.append(" ")
            elif tag == "sup" and "".join(parts[-1:])[-1:].isdigit():
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
    return one_line(_SPACES.sub(" ", "".join(parts)))
