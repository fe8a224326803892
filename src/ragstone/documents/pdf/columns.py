"""The columns of a table and what names them: where cells of several rows stand above each other.

A header cell names the columns that it stands over; one that stands over all of them names none.
Pure geometry over cells: must not know how a table is written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ragstone.documents.pdf.cells import TAIL, YEAR, is_number
from ragstone.documents.pdf.characters import Word
from ragstone.documents.pdf.lines import Segment

_UNIT = re.compile(r"\(.*(?:million|thousand|billion|unaudited|except|dollar|percent).*\)", re.I)


@dataclass(slots=True)
class Column:
    """Cells that stand above each other: how far they reach in points, and in which rows."""

    left: float
    right: float
    rows: set[int] = field(default_factory=set)

    def shares(self, cell: Segment) -> bool:
        return min(self.right, cell.right) - max(self.left, cell.left) > 0.5


def columns_of(cells: Sequence[list[Segment]]) -> list[Column]:
    """The columns of these rows from the left; narrow cells decide, wide ones join or span."""
    columns: list[Column] = []
    ordered = sorted(
        ((number, cell) for number, row in enumerate(cells) if len(row) > 1 for cell in row),
        key=lambda each: (each[1].width, each[0]),
    )
    for number, cell in ordered:
        shared = [column for column in columns if column.shares(cell)]
        if len(shared) > 1:
            rows = [row for column in shared for row in column.rows]
            if len(rows) != len(set(rows)):
                continue  # a cell that spans columns which are filled side by side
            merged = Column(min(c.left for c in shared), max(c.right for c in shared), set(rows))
            columns = [column for column in columns if column not in shared]
            columns.append(merged)
            shared = [merged]
        if not shared:
            columns.append(Column(cell.left, cell.right, {number}))
            continue
        column = shared[0]
        column.left, column.right = min(column.left, cell.left), max(column.right, cell.right)
        column.rows.add(number)
    columns.sort(key=lambda column: column.left)
    return columns


def place(cell: Segment, columns: Sequence[Column]) -> list[int]:
    """The columns a cell stands over; the nearest where it stands over none."""
    over = [at for at, column in enumerate(columns) if column.shares(cell)]
    if over:
        return over
    middle = (cell.left + cell.right) / 2
    return [
        min(
            range(len(columns)),
            key=lambda at: abs((columns[at].left + columns[at].right) / 2 - middle),
        )
    ]


def _is_data(row: list[Segment], columns: Sequence[Column]) -> bool:
    """Whether a row names something and gives it a value."""
    if len(row) < 2 or 0 not in place(row[0], columns):
        return False
    return any(
        is_number(cell.text) and not YEAR.fullmatch(cell.text) and not TAIL.fullmatch(cell.text)
        for cell in row[1:]
    )


@dataclass(frozen=True, slots=True)
class Header:
    """The names of a table's columns, and where they stand."""

    columns: list[Column]
    names: list[list[Word]]

    def fits(self, columns: Sequence[Column]) -> bool:
        """Whether the values of another table end where those of this one do."""
        return len(columns) == len(self.columns) and all(
            abs(one.right - other.right) < 8
            for one, other in zip(self.columns[1:], columns[1:], strict=True)
        )


def head_rows(cells: Sequence[list[Segment]], columns: Sequence[Column], *, numeric: bool) -> int:
    """How many of the first rows name the columns."""
    if numeric:
        for at, row in enumerate(cells[:8]):
            if _is_data(row, columns):
                return at
            if (
                len(row) == 1
                and at
                and 0 in place(row[0], columns)
                and row[0].left <= (columns[0].left + 12)
                and any(len(each) > 1 for each in cells[:at])
            ):
                return at  # the first section's label, after the years
        return 0
    first = cells[0]
    bold = all(cell.words[0].bold and not _mostly_digits(cell.text) for cell in first)
    if bold and len(first) > 1 and not all(cell.words[0].bold for cell in cells[1]):
        return 1
    return 0


def _mostly_digits(text: str) -> bool:
    return 2 * sum(map(str.isdigit, text)) > len(text) and not YEAR.fullmatch(text)


def names_of(head: Sequence[list[Segment]], columns: Sequence[Column]) -> list[list[Word]]:
    """For each column the words that stand above it, from the top down."""
    names: list[list[Word]] = [[] for _ in columns]
    for row in head:
        for cell in row:
            over = place(cell, columns)
            if over == [0]:
                names[0].extend(cell.words)
                continue
            if len(row) <= 2 and len(columns) > 2 and _spans_all(cell, columns):
                continue  # it names no column more than another, and stands in its own row
            if _UNIT.fullmatch(cell.text):
                continue
            for at in over:
                if at > 0:
                    names[at].extend(cell.words)
    return [name if len(" ".join(word.text for word in name)) <= 90 else [] for name in names]


def _spans_all(cell: Segment, columns: Sequence[Column]) -> bool:
    """Whether a header cell is centred over all the columns of values."""
    left, right = columns[1].left, columns[-1].right
    return abs(cell.left + cell.right - left - right) < 0.3 * (right - left) and not (
        YEAR.fullmatch(cell.text)
    )
