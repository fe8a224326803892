"""Tables of office files as grids: merged cells repeated, header rows told from data.

Pure functions over rows of strings; what is wrong here makes rows lie, so a header is only
assumed where the file says so or the cells show it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ragstone.documents.builder import Builder
from ragstone.text.spaces import one_line

_NUMBER = re.compile(r"[-+(]?\s*[$€£¥]?\s*\d[\d.,\s]*\)?\s*[%€]?")


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as the file has it: its text, how far it reaches, whether it is set as a header."""

    text: str
    columns: int = 1
    rows: int = 1
    strong: bool = False


def spread(rows: Sequence[Sequence[Cell]], *, max_columns: int = 1000) -> list[list[Cell]]:
    """The rows with every merged cell repeated over the places that it covers."""
    result: list[list[Cell]] = []
    below: dict[int, tuple[int, Cell]] = {}  # column -> (rows still covered, cell)
    for row in rows:
        line: list[Cell] = []
        pending = list(row)
        while pending or any(column >= len(line) for column in below):
            at = len(line)
            if at >= max_columns:
                below.clear()
                break
            if at in below:
                left, cell = below.pop(at)
                line.append(cell)
                if left > 1:
                    below[at] = (left - 1, cell)
                continue
            if not pending:
                line.append(Cell(""))
                continue
            cell = pending.pop(0)
            for step in range(max(1, min(cell.columns, max_columns - at))):
                if step and len(line) in below:
                    break  # two merged cells that overlap: the upper one was there first
                if cell.rows > 1:
                    below[len(line)] = (cell.rows - 1, cell)
                line.append(cell)
        result.append(line)
    return result


def is_number(text: str) -> bool:
    """Whether a cell holds an amount or share."""
    return bool(_NUMBER.fullmatch(text.strip()))


def header_rows(rows: Sequence[Sequence[Cell]], *, stated: int = 0) -> int:
    """How many of the first rows name the columns; `stated` is what the file itself says.

    Otherwise the first row does if it is strong and the second is not, or if it holds only names
    while some column below holds only numbers.
    """
    if stated:
        return min(stated, len(rows) - 1) if len(rows) > 1 else 0
    if len(rows) < 2 or len(rows[0]) < 2:
        return 0
    first, rest = rows[0], rows[1:]
    texts = [one_line(cell.text) for cell in first]
    named = [text for text in texts if text]
    if any(is_number(text) and not re.fullmatch(r"(?:19|20)\d\d", text) for text in named):
        return 0
    if len(named) < 2 or any(len(text) > 80 for text in named):
        return 0
    strong = all(cell.strong for cell in first if cell.text.strip())
    if strong and not all(cell.strong for cell in rest[0] if cell.text.strip()):
        return 1
    for column in range(len(first)):
        below = [row[column].text for row in rest if column < len(row) and row[column].text.strip()]
        if len(below) >= 2 and all(is_number(text) for text in below) and texts[column]:
            return 1
    enough = len(first) >= 3 and len(rest) >= 2 and len(named) == len(first)
    return int(enough and len(set(texts)) == len(texts) and max(map(len, texts)) <= 40)


def names(rows: Sequence[Sequence[Cell]], head: int) -> list[str]:
    """The columns' names from the first `head` rows, repeated parts said once."""
    width = max((len(row) for row in rows), default=0)
    result = []
    for column in range(width):
        parts: list[str] = []
        for row in rows[:head]:
            text = one_line(row[column].text) if column < len(row) else ""
            if text and text not in parts:
                parts.append(text)
        result.append(" ".join(parts))
    return result


def write_grid(
    builder: Builder, rows: Sequence[Sequence[Cell]], *, stated: int = 0, caption: str = ""
) -> None:
    """Write a table: merged cells repeated, each row with its columns' names."""
    grid = [row for row in spread(rows) if any(cell.text.strip() for cell in row)]
    if not grid:
        return
    head = header_rows(grid, stated=stated)
    header = names(grid, head) if head else []
    data = []
    for row in grid[head:]:
        # a cell merged across columns is said once in its row
        cells = [
            "" if at and cell is row[at - 1] and cell.columns > 1 else cell.text
            for at, cell in enumerate(row)
        ]
        data.append(cells)
    builder.table(data, header=header, caption=caption)
