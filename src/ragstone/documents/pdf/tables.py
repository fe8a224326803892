"""Runs of rows that stand in columns, as lines that read alone: `Net sales; 2018: 32,765`.

The form is the one of every table of this package (`builder.row_text`). What is asked of filings is
numbers, so a name is put in front of a value only where a header cell stands above it; a value
without one stands alone. Pure geometry over the rows of a flow: knows no pdfium, no document.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ragstone.documents.pdf.characters import Word
from ragstone.documents.pdf.layout import Row, Segment

Piece = str | Word  # a literal that stands between words, or a word with its place

_CURRENCY = re.compile(r"(?:US|C|A|HK|NZ|R)?[$€£¥₹]|(?:EUR|USD|GBP|CHF)")
_TAIL = re.compile(r"(?:\)?\s?%\)?|\)|pts|bps|x)")
_NUMBER = re.compile(r"[-–—+(]{0,2}[$€£¥]?\(?(?:\d[\d.,']*|\.\d+)\)?\s?%?\)?|[-–—]{1,2}|N/?[AM]|nm")
_YEAR = re.compile(r"(?:FY)?(?:19|20)\d\d[AE]?(?:\s*\(?[a-z\d]?\)?)?")
_MARKER = re.compile(
    r"[•·▪■□◦‣○●►➢✓*–—-]|\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,5})[.)]|\d+(?:\.\d+)+\.?|\[\d+\]"
)
_UNIT = re.compile(r"\(.*(?:million|thousand|billion|unaudited|except|dollar|percent).*\)", re.I)
_OPEN_END = re.compile(r"(?:,|\b(?:and|or|of|to|the|for|in|from|on|by|with|a|net|per|at))$", re.I)


@dataclass(slots=True)
class TableRow:
    """One line of a table: its pieces, and the box's top and bottom in points."""

    pieces: list[Piece]
    top: float
    bottom: float


@dataclass(slots=True)
class Table:
    """A run of rows in columns, ready to be written."""

    rows: list[TableRow]


@dataclass(slots=True)
class _Column:
    left: float
    right: float
    rows: set[int] = field(default_factory=set)

    def shares(self, cell: Segment) -> bool:
        return min(self.right, cell.right) - max(self.left, cell.left) > 0.5


def is_number(text: str) -> bool:
    """Whether a cell holds one amount, share, dash or the like."""
    return bool(_NUMBER.fullmatch(text.replace(" ", "")))


def with_tables(rows: Sequence[Row]) -> list[Row | Table]:
    """The flow with each run of tabular rows replaced by a Table, in the same order."""
    cells = [_cells(row) for row in rows]
    result: list[Row | Table] = []
    known: _Header | None = None
    at = 0
    while at < len(rows):
        end = _run(rows, cells, at) if len(cells[at]) > 1 else at
        if end > at:
            start = at
            while (
                start > 0
                and at - start < 3
                and result
                and isinstance(result[-1], Row)
                and _heads(rows[start - 1], cells[start - 1], cells[at:end], rows[start].top)
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


def _cells(row: Row) -> list[Segment]:
    """A row's segments as cells: currency and percent signs with their numbers, markers with
    their text, numbers that stand close together apart."""
    if any(segment.rtl for segment in row.segments):
        return list(row.segments)
    parts = [part for segment in row.segments for part in _numbers_apart(segment)]
    cells: list[Segment] = []
    for part in parts:
        last = cells[-1] if cells else None
        if last is not None and (
            (_CURRENCY.fullmatch(last.words[-1].text) and part.text[0] in "0123456789(-–—.")
            or (_TAIL.fullmatch(part.text) and part.left - last.right < 2.5 * part.height)
            or (
                len(cells) == 1
                and _MARKER.fullmatch(last.text)
                and part.left - last.right < 5 * part.height
                and not is_number(part.text)
            )
        ):
            cells[-1] = _joined([last, part])
        else:
            cells.append(part)
    return cells


def _numbers_apart(segment: Segment) -> list[Segment]:
    words = segment.words
    runs: list[list[Word]] = [[words[0]]]
    for before, word in itertools.pairwise(words):
        gap = word.left - before.right
        if (
            is_number(before.text)
            and (
                _CURRENCY.fullmatch(word.text) or (is_number(word.text) and gap > 0.5 * word.height)
            )
        ) or (
            _CURRENCY.fullmatch(word.text)
            and gap > 0.6 * word.height
            and not _CURRENCY.fullmatch(before.text)
        ):
            runs.append([word])
        else:
            runs[-1].append(word)
    if len(runs) == 1:
        return [segment]
    return [_of(run) for run in runs]


def _of(words: list[Word]) -> Segment:
    return Segment(
        words,
        min(word.left for word in words),
        min(word.top for word in words),
        max(word.right for word in words),
        max(word.bottom for word in words),
    )


def _joined(segments: Sequence[Segment]) -> Segment:
    return _of([word for segment in segments for word in segment.words])


def _run(rows: Sequence[Row], cells: Sequence[list[Segment]], start: int) -> int:
    """The end of the tabular run that begins at `start`; `start` where there is none."""
    left = min(row.left for row in rows)
    width = max(row.right for row in rows) - left
    end = start + 1
    at = start + 1
    while at < len(rows):
        gap = rows[at].top - rows[at - 1].bottom
        height = max(1.0, cells[at][0].height)
        if gap > 4.5 * height:
            break
        if len(cells[at]) > 1:
            at += 1
            end = at
            continue
        only = cells[at][0]
        ahead = next((n for n in range(at, min(at + 6, len(rows))) if len(cells[n]) > 1), None)
        if ahead is None or only.width > 0.72 * width or gap > 2.6 * height:
            break
        if _MARKER.fullmatch(only.words[0].text) and len(only.words) > 6:
            break
        at += 1
    tabular = [cells[n] for n in range(start, end) if len(cells[n]) > 1]
    if len(tabular) < 2 or not _aligned(tabular):
        return start
    return end


def _aligned(tabular: Sequence[list[Segment]]) -> bool:
    """Whether some place beyond the first cell holds cells of several rows."""
    later = [cell for row in tabular for cell in row[1:]]
    if not later:
        return False
    need = max(2, len(tabular) // 3)
    for cell in later[:40]:
        same = sum(
            (abs(cell.right - other.right) < 4 and is_number(cell.text) and is_number(other.text))
            or abs(cell.left - other.left) < 4
            or abs(cell.left + cell.right - other.left - other.right) < 6
            for other in later
        )
        if same >= need:
            return True
    return False


def _heads(row: Row, cells: list[Segment], table: Sequence[list[Segment]], below: float) -> bool:
    """Whether a row with one cell right above a table stands over its value columns."""
    if len(cells) != 1 or below - row.bottom > 1.6 * cells[0].height or len(cells[0].text) > 90:
        return False
    first = min(cells_[1].left for cells_ in table if len(cells_) > 1)
    return cells[0].left > first - 60 and cells[0].left > min(c[0].left for c in table) + 40


def _columns(cells: Sequence[list[Segment]]) -> list[_Column]:
    columns: list[_Column] = []
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
            merged = _Column(min(c.left for c in shared), max(c.right for c in shared), set(rows))
            columns = [column for column in columns if column not in shared]
            columns.append(merged)
            shared = [merged]
        if not shared:
            columns.append(_Column(cell.left, cell.right, {number}))
            continue
        column = shared[0]
        column.left, column.right = min(column.left, cell.left), max(column.right, cell.right)
        column.rows.add(number)
    columns.sort(key=lambda column: column.left)
    return columns


def _place(cell: Segment, columns: Sequence[_Column]) -> list[int]:
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


def _is_data(row: list[Segment], columns: Sequence[_Column]) -> bool:
    """Whether a row names something and gives it a value."""
    if len(row) < 2 or 0 not in _place(row[0], columns):
        return False
    return any(
        is_number(cell.text) and not _YEAR.fullmatch(cell.text) and not _TAIL.fullmatch(cell.text)
        for cell in row[1:]
    )


@dataclass(frozen=True, slots=True)
class _Header:
    """The names of a table's columns, and where they stand."""

    columns: list[_Column]
    names: list[list[Word]]

    def fits(self, columns: Sequence[_Column]) -> bool:
        """Whether the values of another table end where those of this one do."""
        return len(columns) == len(self.columns) and all(
            abs(one.right - other.right) < 8
            for one, other in zip(self.columns[1:], columns[1:], strict=True)
        )


def _table(
    rows: Sequence[Row], cells: Sequence[list[Segment]], above: _Header | None
) -> tuple[Table, _Header] | None:
    """The table, and its header for a table that goes on below without one of its own."""
    columns = _columns(cells)
    if len(columns) < 2:
        return None
    flat = [cell for row in cells for cell in row]
    numbers = sum(is_number(cell.text) for cell in flat)
    numeric = numbers > 0.2 * len(flat)
    head = _head_rows(cells, columns, numeric=numeric)
    names = _names(cells[:head], columns)
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
    return Table(result), _Header(columns, names)


def _line(row: Row, parts: Sequence[list[Piece]]) -> TableRow:
    return TableRow([piece for part in parts for piece in part], row.top, row.bottom)


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


def _head_rows(cells: Sequence[list[Segment]], columns: Sequence[_Column], *, numeric: bool) -> int:
    """How many of the first rows name the columns."""
    if numeric:
        for at, row in enumerate(cells[:8]):
            if _is_data(row, columns):
                return at
            if (
                len(row) == 1
                and at
                and 0 in _place(row[0], columns)
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
    return 2 * sum(map(str.isdigit, text)) > len(text) and not _YEAR.fullmatch(text)


def _names(head: Sequence[list[Segment]], columns: Sequence[_Column]) -> list[list[Word]]:
    """For each column the words that stand above it, from the top down."""
    names: list[list[Word]] = [[] for _ in columns]
    for row in head:
        for cell in row:
            over = _place(cell, columns)
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


def _spans_all(cell: Segment, columns: Sequence[_Column]) -> bool:
    """Whether a header cell is centred over all the columns of values."""
    left, right = columns[1].left, columns[-1].right
    return abs(cell.left + cell.right - left - right) < 0.3 * (right - left) and not (
        _YEAR.fullmatch(cell.text)
    )


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
    columns: Sequence[_Column],
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
            line.cells[_place(cell, columns)[0]].extend(cell.words)
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
