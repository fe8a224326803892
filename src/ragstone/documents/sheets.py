"""Spreadsheets (XLSX, XLSM, XLSB, XLS, ODS) through calamine: every row with its columns' names.

A sheet is read as blocks of rows parted by empty rows; each block's first row names the columns
where it holds names. Merged cells are repeated, empty rows cost nothing. A workbook whose text
outgrows `limits.part_characters` comes out as several documents (`source#sheet!row`). Formulas
come out as their last computed values. Sizes are held against the limits before calamine, which
lays out a sheet's whole used rectangle in memory, sees the file.
"""

from __future__ import annotations

import datetime as dt
import io
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError

from ragstone.documents.builder import Builder
from ragstone.documents.grids import Cell, header_rows
from ragstone.documents.packages import Package
from ragstone.documents.raw import Raw, Reading
from ragstone.documents.sheet_size import check_size
from ragstone.errors import DocumentError
from ragstone.text.spaces import one_line
from ragstone.types import Document, Scalar

_PEEK_ROWS = 20  # of a block, to tell its header
_PLAIN_NAME = re.compile(r"(?:sheet|tabelle|feuil|hoja|foglio|лист|シート)\s*\d*", re.IGNORECASE)

Value = (
    int | float | str | bool | dt.time | dt.date | dt.datetime | dt.timedelta
)  # what calamine gives


def parse(raw: Raw, reading: Reading) -> Iterator[Document]:
    """A workbook's documents, mostly one. Raises DocumentError: locked, damaged, too large."""
    facts = _facts(raw)
    check_size(raw)
    data = io.BytesIO(raw.read())
    try:
        book = CalamineWorkbook.from_filelike(data)
    except PasswordError as error:
        raise DocumentError(
            f"{raw.source} is locked with a password.",
            remedy="Open it, remove the password and save it again.",
        ) from error
    except CalamineError as error:
        raise _broken(raw, error) from error
    yield from _Writer(raw, facts).write(book)


def _broken(raw: Raw, error: Exception) -> DocumentError:
    return DocumentError(
        f"{raw.source} is not a workbook that can be opened ({error}).",
        remedy="Open it in a spreadsheet program and save it as XLSX.",
    )


def _facts(raw: Raw) -> dict[str, Scalar]:
    if not raw.head(4).startswith(b"PK"):
        return {}
    with Package(raw) as package:
        facts = package.facts()
    facts.pop("language", "")
    return facts


@dataclass(slots=True)
class _Block:
    """Rows since the last empty one, and the names of their columns."""

    header: list[str] = field(default_factory=list)
    width: int = 0


class _Rows:
    """A sheet's filled rows, as (row number from 0, cells), with a look ahead."""

    def __init__(self, rows: Iterator[tuple[int, list[str]]]) -> None:
        self._rows = rows
        self._ahead: deque[tuple[int, list[str]]] = deque()

    def next(self) -> tuple[int, list[str]] | None:
        return self._ahead.popleft() if self._ahead else next(self._rows, None)

    def adjoining(self, at: int) -> list[list[str]]:
        """The rows that follow row `at` without an empty one between, a few of them."""
        while len(self._ahead) < _PEEK_ROWS:
            row = next(self._rows, None)
            if row is None:
                break
            self._ahead.append(row)
        found: list[list[str]] = []
        for offset, (number, cells) in enumerate(self._ahead, start=1):
            if number != at + offset:
                break
            found.append(cells)
        return found


class _Writer:
    """Writes sheet after sheet; starts a new document where one grows too long."""

    def __init__(self, raw: Raw, facts: dict[str, Scalar]) -> None:
        self._raw = raw
        self._title = str(facts.pop("title", ""))
        self._facts = facts
        self._builder = Builder(raw)
        self._source = raw.source

    def write(self, book: CalamineWorkbook) -> Iterator[Document]:
        for number, name in enumerate(book.sheet_names, start=1):
            try:
                sheet = book.get_sheet_by_name(name)
            except (CalamineError, ValueError) as error:
                raise _broken(self._raw, error) from error
            rows = _Rows(_filled(sheet))
            row = rows.next()
            if row is None:
                continue
            with self._builder.element("sheet", number, name):
                if not _PLAIN_NAME.fullmatch(name.strip()):
                    self._builder.heading(name, 2)
                row, block = self._fill(rows, row, None)
            while row is not None:
                yield self._document()
                self._builder = Builder(self._raw)
                self._source = f"{self._raw.source}#{name}!{row[0] + 1}"
                with self._builder.element("sheet", number, name):
                    row, block = self._fill(rows, row, block)
        yield self._document()

    def _document(self) -> Document:
        return self._builder.document(
            format=self._raw.extension
            if self._raw.extension in ("ods", "xls", "xlsb", "xlsm")
            else "xlsx",
            title=self._title,
            metadata=self._facts,
            source=self._source,
        )

    def _fill(
        self, rows: _Rows, row: tuple[int, list[str]] | None, last: _Block | None
    ) -> tuple[tuple[int, list[str]] | None, _Block]:
        """Write rows until the sheet ends or the document is full: then where to go on."""
        block = last or _Block()
        expected = row[0] if row is not None and last is not None else -1
        while row is not None:
            at, cells = row
            if self._builder.position > self._raw.limits.part_characters:
                return row, block
            following = rows.adjoining(at) if at != expected else []
            filled = {cell for cell in cells if cell}
            if at != expected and len(filled) == 1 and following:
                self._builder.paragraph(filled.pop())  # a title; the next row opens the block
            elif at != expected and _is_header(cells, following):
                block = _Block(list(cells), len(cells))
                expected = at + 1
            else:
                if at != expected and len(cells) != block.width:
                    block = _Block(width=len(cells))
                expected = at + 1
                self._builder.row(
                    _said_once(cells, block.header), header=block.header, number=at + 1
                )
            row = rows.next()
        return None, block


def _said_once(cells: list[str], header: list[str]) -> list[str]:
    """The cells without copies under columns that have no name to say them under."""
    return [
        "" if isinstance(cell, _Copy) and not (at < len(header) and header[at]) else cell
        for at, cell in enumerate(cells)
    ]


def _is_header(cells: list[str], following: list[list[str]]) -> bool:
    if not following:
        return False
    grid = [[Cell(cell) for cell in each] for each in (cells, *following)]
    return bool(header_rows(grid)) or _all_names(cells, following)


def _all_names(cells: Sequence[str], following: Sequence[Sequence[str]]) -> bool:
    """Whether a first row holds a distinct short text in every column that has data below."""
    if len(following) < 1 or sum(bool(cell) for cell in cells) < 2:
        return False
    said = [cell for cell in cells if cell]
    if len(set(said)) != len(said) or any(len(cell) > 80 or _amount(cell) for cell in said):
        return False
    width = max(len(row) for row in following)
    return sum(1 for at in range(1, width) if at >= len(cells) or not cells[at]) == 0


def _amount(text: str) -> bool:
    return bool(re.fullmatch(r"[-+]?[\d.,]+%?|\d{4}-\d\d-\d\d.*", text)) and not re.fullmatch(
        r"(?:19|20)\d\d", text
    )


def _filled(sheet: CalamineSheet) -> Iterator[tuple[int, list[str]]]:
    """(row number from 0, cells as text) of every row with a value; merged cells repeated."""
    top, left = sheet.start or (0, 0)
    merged = _Merged(sheet.merged_cell_ranges or [])
    for number, values in enumerate(sheet.iter_rows()):
        cells = [_text(each) for each in values]
        row = number + (top if sheet.height != sheet.total_height else 0)
        if merged.any:
            merged.fill(row, cells, left if sheet.width != sheet.total_width else 0)
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield row, cells


class _Copy(str):
    """A merged cell's text where it reaches over a further column."""

    __slots__ = ()


class _Merged:
    """Merged ranges, asked row by row from the top."""

    def __init__(self, ranges: Iterable[tuple[tuple[int, int], tuple[int, int]]]) -> None:
        self._ranges = sorted(ranges)[:20_000]
        self._open: list[tuple[int, int, int, str]] = []  # last row, columns, value
        self._next = 0
        self.any = bool(self._ranges)

    def fill(self, row: int, cells: list[str], left: int) -> None:
        while self._next < len(self._ranges) and self._ranges[self._next][0][0] <= row:
            (_, first), (last_row, last) = self._ranges[self._next]
            self._next += 1
            at = first - left
            value = cells[at] if 0 <= at < len(cells) else ""
            if value:
                self._open.append((last_row, at, min(last - left, at + 200), value))
        self._open = [each for each in self._open if each[0] >= row]
        for _, first, last, value in self._open:
            if last >= len(cells):
                cells.extend([""] * (last + 1 - len(cells)))
            for at in range(first, last + 1):
                if not cells[at]:
                    cells[at] = value if at == first else _Copy(value)


def _text(value: Value) -> str:
    """A cell as a person reads it: whole numbers without a point, dates in ISO 8601."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}"
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ")
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    return one_line(str(value))
