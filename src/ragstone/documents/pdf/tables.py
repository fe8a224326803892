"""Runs of rows that stand in columns, as lines that read alone: `Net sales; 2018: 32,765`.

The form is the one of every table of this package (`builder.row_text`). What is asked of filings is
numbers, so a name is put in front of a value only where a header cell stands above it; a value
without one stands alone. Pure geometry over the rows of a flow: knows no pdfium, no document.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ragstone.documents.pdf.cells import cells_of, heads, is_number, run_end
from ragstone.documents.pdf.characters import Word
from ragstone.documents.pdf.columns import Column, Header, columns_of, head_rows, names_of, place
from ragstone.documents.pdf.lines import Row, Segment

Piece = str | Word  # a literal that stands between words, or a word with its place

_OPEN_END = re.compile(r"(?:,|\b(?:and|or|of|to|the|for|in|from|on|by|with|a|per|at))$", re.I)


@dataclass(slots=True)
class TableRow:
    """One line of a table: its pieces, the box's top and bottom in points, and whether it is
    one of those that name the columns."""

    pieces: list[Piece]
    top: float
    bottom: float
    names: bool = False


@dataclass(slots=True)
class Table:
    """A run of rows in columns, ready to be written."""

    rows: list[TableRow]


def with_tables(rows: Sequence[Row]) -> list[Row | Table]:
    """The flow with each run of tabular rows replaced by a Table, in the same order."""
    cells = [cells_of(row) for row in rows]
    result: list[Row | Table] = []
    known: Header | None = None
    at = 0
    while at < len(rows):
        end = run_end(rows, cells, at) if len(cells[at]) > 1 else at
        if end > at:
            start = at
            while (
                start > 0
                and at - start < 3
                and result
                and isinstance(result[-1], Row)
                and heads(rows[start - 1], cells[start - 1], cells[at:end], rows[start].top)
            ):
                result.pop()
                start -= 1
            made = _table(rows[start:end], cells[start:end], known)
            if made is not None:
                table, known = made
                result.append(table)
                at = end
                continue
            result.extend(rows[start:at])
        result.append(rows[at])
        at += 1
    return result


def _table(
    rows: Sequence[Row], cells: Sequence[list[Segment]], above: Header | None
) -> tuple[Table, Header] | None:
    """The table, and its header for a table that goes on below without one of its own."""
    flat = [cell for row in cells for cell in row]
    numbers = sum(is_number(cell.text) for cell in flat)
    numeric = numbers > 0.2 * len(flat)
    columns = columns_of(cells, numeric=numeric)
    if len(columns) < 2:
        return None
    head = head_rows(cells, columns, numeric=numeric)
    names = names_of(cells[:head], columns)
    if not any(names[1:]) and above is not None and above.fits(columns):
        names = above.names
    result = [_line(rows[at], [list(_plain(cells[at]))]) for at in range(head)]
    grid = _grid(rows, cells, head, columns, numeric=numeric)
    for line in grid:
        parts: list[list[Piece]] = []
        for at, cell in enumerate(line.cells):
            if not cell:
                continue
            name = names[at] if (at > 0 or not numeric) and len(line.filled) > 1 else []
            value: list[Piece] = [*_spaced(cell)]
            own = " ".join(word.text for word in cell)
            if name and " ".join(word.text for word in name) != own:
                parts.append([*_spaced(name), ": ", *value])
            else:
                parts.append(value)
        pieces: list[Piece] = []
        for part in parts:
            if pieces:
                last = pieces[-1]
                asks = isinstance(last, Word) and last.text.endswith(":")  # `Name:` its value
                pieces.append(" " if asks and isinstance(part[0], Word) else "; ")
            pieces.extend(part)
        result.append(TableRow(pieces, line.top, line.bottom))
    return Table(result), Header(columns, names)


def _line(row: Row, parts: Sequence[list[Piece]]) -> TableRow:
    return TableRow([piece for part in parts for piece in part], row.top, row.bottom, names=True)


def _plain(cells: Sequence[Segment]) -> list[Piece]:
    pieces: list[Piece] = []
    for cell in cells:
        if pieces:
            pieces.append("; ")
        pieces.extend(_spaced(cell.words))
    return pieces


def _spaced(words: Sequence[Word]) -> list[Piece]:
    pieces: list[Piece] = []
    for word in words:
        if pieces:
            pieces.append(" ")
        pieces.append(word)
    return pieces


@dataclass(slots=True)
class _GridLine:
    cells: list[list[Word]]
    top: float
    bottom: float

    @property
    def filled(self) -> list[list[Word]]:
        return [cell for cell in self.cells if cell]


def _grid(
    rows: Sequence[Row],
    cells: Sequence[list[Segment]],
    head: int,
    columns: Sequence[Column],
    *,
    numeric: bool,
) -> list[_GridLine]:
    """The data rows by column; a label or a text that goes on below joins the row it began in."""
    gaps = sorted(rows[n].top - rows[n - 1].bottom for n in range(head + 1, len(rows)))
    tight = gaps[len(gaps) // 5] if gaps else 0.0
    wide = gaps[(len(gaps) * 4) // 5] if gaps else 0.0
    lines: list[_GridLine] = []
    for at in range(head, len(rows)):
        line = _GridLine([[] for _ in columns], rows[at].top, rows[at].bottom)
        for cell in cells[at]:
            line.cells[place(cell, columns)[0]].extend(cell.words)
        last = lines[-1] if lines else None
        if last is not None and _goes_on(last, line, tight=tight, wide=wide, numeric=numeric):
            for into, more in zip(last.cells, line.cells, strict=True):
                into.extend(more)
            last.bottom = line.bottom
        else:
            lines.append(line)
    return lines


def _goes_on(last: _GridLine, line: _GridLine, *, tight: float, wide: float, numeric: bool) -> bool:
    gap = line.top - last.bottom
    if not numeric:
        if not line.cells[0]:
            return True
        return wide > 1.6 * max(tight, 0.0) + 4 and gap < (tight + wide) / 2
    label = " ".join(word.text for word in last.cells[0])
    more = " ".join(word.text for word in line.cells[0])
    if gap > tight + 4:
        return False
    if len(last.filled) == 1 and last.cells[0] and more:  # a label without values yet
        return bool(_OPEN_END.search(label)) or more[0].islower()
    return len(line.filled) == 1 and bool(more) and more[0].islower() and label[-1:] != ":"
