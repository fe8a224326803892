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

_MOST = 40  # columns among which runs are sought: their number grows with its cube
_CLOSE = 4.0  # points between columns that are one, where no row fills both
_UNNAMED = 6.0  # points of misplacement that leaving a column without a name is worth
_ALIGNED = 6.0  # points within which a name and the one column under it begin, end or centre
_UNIT = re.compile(r"\(.*(?:million|thousand|billion|unaudited|except|dollar|percent).*\)", re.I)


@dataclass(slots=True)
class Column:
    """Cells that stand above each other: how far they reach in points, and in which rows."""

    left: float
    right: float
    rows: set[int] = field(default_factory=set)

    def shares(self, cell: Segment) -> bool:
        return min(self.right, cell.right) - max(self.left, cell.left) > 0.5


def columns_of(cells: Sequence[list[Segment]], *, numeric: bool) -> list[Column]:
    """The columns of these rows from the left; narrow cells decide, wide ones join or span.

    Where a table is one of numbers, the rows that hold some decide: a name that is set between
    two columns of values would join them.
    """
    columns: list[Column] = []
    rows = [number for number, row in enumerate(cells) if len(row) > 1]
    valued = [number for number in rows if any(is_value(cell) for cell in cells[number][1:])]
    if numeric and len(valued) > 1:
        rows = valued
    ordered = sorted(
        ((number, cell) for number in rows for cell in cells[number]),
        key=lambda each: (each[1].width, each[0]),
    )
    for number, cell in ordered:
        shared = [column for column in columns if column.shares(cell)]
        if len(shared) > 1:
            filled = [row for column in shared for row in column.rows]
            if len(filled) != len(set(filled)):
                continue  # a cell that spans columns which are filled side by side
            merged = Column(min(c.left for c in shared), max(c.right for c in shared), set(filled))
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
    kept: list[Column] = []
    for column in columns:
        last = kept[-1] if kept else None
        if last and not last.rows & column.rows and column.left - last.right < _CLOSE:
            last.right, last.rows = column.right, last.rows | column.rows  # a 1 beside a dash
        else:
            kept.append(column)
    return kept


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
    return any(is_value(cell) for cell in row[1:])


def is_value(cell: Segment) -> bool:
    """Whether a cell holds an amount and not the name of a column."""
    return is_number(cell.text) and not YEAR.fullmatch(cell.text) and not TAIL.fullmatch(cell.text)


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
    """For each column the words that stand above it, from the top down.

    The lowest row is read first: a column reaches as far as its own name, which is often wider
    than its numbers, and what stands higher is centred over names.
    """
    names: list[list[Word]] = [[] for _ in columns]
    values = [Column(column.left, column.right) for column in columns[1:]]
    for row in reversed(head):
        over_values = [cell for cell in row if _over_values(cell, columns)]
        for cell in row:
            if cell not in over_values and place(cell, columns)[0] == 0:
                names[0][:0] = cell.words
        groups = _groups(over_values, values)
        for cell, (first, end) in zip(over_values, groups, strict=True):
            every = end - first == len(values)
            if len(values) > 1 and (every or (len(row) == 1 and end - first > 1)):
                continue  # it names no column more than another, or is a title over the table
            if not _stands_over(cell, values[first:end]):
                continue
            for at in range(first, end):
                names[at + 1][:0] = cell.words
            if end - first == 1:
                only = values[first]
                only.left, only.right = min(only.left, cell.left), max(only.right, cell.right)
    return [name if len(" ".join(word.text for word in name)) <= 90 else [] for name in names]


def _over_values(cell: Segment, columns: Sequence[Column]) -> bool:
    """Whether a header cell stands over columns of values, not over the labels, and is no unit."""
    if _UNIT.fullmatch(cell.text):
        return False
    label, values = columns[0], columns[1:]
    over = any(column.shares(cell) for column in values)
    if label.shares(cell):
        return over and cell.left > (label.left + label.right) / 2
    return over or values[0].left - cell.right < cell.left - label.right


def _groups(cells: Sequence[Segment], columns: Sequence[Column]) -> list[tuple[int, int]]:
    """For each header cell the run of columns that it stands over, as a half-open range.

    Of all ways to give the cells runs of neighbouring columns in their order, the one whose runs
    lie best under their cells; a column without a name costs a little, so that a name reaches over
    all columns that it is centred on.
    """
    count = len(columns)
    if len(cells) == count:
        return [(at, at + 1) for at in range(count)]
    if len(cells) > count or count > _MOST:
        return [(at, at + 1) for at in (place(cell, columns)[0] for cell in cells)]
    runs = _cheapest(cells, columns, count)
    if sum(end - first for first, end in runs) < count:
        # What does not reach over all columns, and stands right above one, is the name of that one.
        single = _cheapest(cells, columns, 1)
        if all(
            _distance(cell, columns[first:end]) < _ALIGNED
            for cell, (first, end) in zip(cells, single, strict=True)
        ):
            return single
    return runs


def _cheapest(
    cells: Sequence[Segment], columns: Sequence[Column], widest: int
) -> list[tuple[int, int]]:
    """The runs that lie best, none of more than `widest` columns."""
    count = len(columns)
    # best[n][end]: price and runs of the first n cells within the first `end` columns
    best: list[list[tuple[float, list[tuple[int, int]]]]] = [
        [(_UNNAMED * end, []) for end in range(count + 1)]
    ]
    for number, cell in enumerate(cells):
        row: list[tuple[float, list[tuple[int, int]]]] = []
        for end in range(count + 1):
            ways = [
                (before + _distance(cell, columns[first:end]), [*runs, (first, end)])
                for first in range(max(number, end - widest), end)
                for before, runs in (best[number][first],)
            ]
            if row:
                ways.append((row[-1][0] + _UNNAMED, row[-1][1]))
            row.append(min(ways, default=(float("inf"), [])))
        best.append(row)
    return best[-1][-1][1]


def _stands_over(cell: Segment, run: Sequence[Column]) -> bool:
    return cell.left < run[-1].right + _UNNAMED and cell.right > run[0].left - _UNNAMED


def _distance(cell: Segment, run: Sequence[Column]) -> float:
    """How far a header cell is from standing over a run of columns, in points."""
    left, right = run[0].left, run[-1].right
    middle = abs(cell.left + cell.right - left - right) / 2
    if len(run) > 1:
        return middle
    return min(middle, abs(cell.left - left), abs(cell.right - right))
