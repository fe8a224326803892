"""CSV and TSV: each row as text that reads alone, `Name: Alice; Age: 30`.

The delimiter is the one that parts the first lines into the same number (above one) of fields;
the first row is a header unless it holds numbers, dates, blanks or repeats. A big file becomes
parts of `limits.part_rows` rows, `source#rows-5001-10000`, so that memory stays bounded.

Law: every cell that is not blank is in the text, under its column's name.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import chain, islice

from ragstone.documents.builder import Builder
from ragstone.documents.encoding import text_stream
from ragstone.documents.raw import Raw, Reading
from ragstone.errors import DocumentError
from ragstone.types import Document

_DELIMITERS = (",", ";", "\t", "|", ":")
_SAMPLE_LINES = 60
_VALUE = re.compile(r"\s*[-+(]?[$€£¥]?\s*\d[\d.,:/\s%)e+-]*(?:[TZ]\d*.*)?$")


def parse(raw: Raw, reading: Reading) -> Iterator[Document]:
    """One document with a row a line, or parts of so many rows."""
    csv.field_size_limit(reading.limits.max_characters)  # the module's own default is 128 KiB
    format_name = "tsv" if raw.extension in ("tsv", "tab") else "csv"
    with closing(raw.open()) as stream:
        lines = _lines(text_stream(stream, source=raw.source), raw)
        sample = list(islice(lines, _SAMPLE_LINES))
        delimiter = "\t" if format_name == "tsv" and _width(sample, "\t") > 1 else sniff(sample)
        rows = _rows(chain(sample, lines), delimiter, raw.source)
        first = list(islice(rows, 30))
        caption = _caption(first)
        header = first.pop(0) if first and has_header(first) else []
        yield from _documents(raw, reading, chain(first, rows), header, format_name, caption)


def _documents(
    raw: Raw,
    reading: Reading,
    rows: Iterable[Sequence[str]],
    header: Sequence[str],
    name: str,
    caption: str,
) -> Iterator[Document]:
    limits = reading.limits
    number = 0
    built: Builder | None = None
    begin = 1
    for row in rows:
        if built is not None and (
            number - begin + 1 >= limits.part_rows or built.position > limits.part_characters
        ):
            yield _part(built, raw, name, header, begin, number)
            built, begin = None, number + 1
        number += 1
        if built is None:
            built = Builder(raw)
            built.note(caption)
        built.row(row, header=header, number=number)
    if built is None:
        built = Builder(raw)
        built.row(header, number=1)
    if begin == 1:
        built.mark("table", 0, built.position)
        yield built.document(format=name, title=caption, metadata=_metadata(header, number))
    else:
        yield _part(built, raw, name, header, begin, number)


def _caption(rows: list[list[str]]) -> str:
    """Takes a title that stands in the first row alone, in a table of more columns."""
    said = [sum(bool(cell.strip()) for cell in row) for row in rows[:3]]
    if len(said) == 3 and said[0] == 1 and min(said[1:]) > 1 and rows[0][0].strip():
        return rows.pop(0)[0].strip()
    return ""


def _part(
    built: Builder, raw: Raw, name: str, header: Sequence[str], begin: int, end: int
) -> Document:
    built.mark("table", 0, built.position)
    return built.document(
        format=name,
        source=f"{raw.source}#rows-{begin}-{end}",
        title=f"{raw.stem} (rows {begin:,} to {end:,})",
        metadata=_metadata(header, end - begin + 1),
    )


def _metadata(header: Sequence[str], rows: int) -> dict[str, str | int | float | bool]:
    return {
        "columns": ", ".join(name.strip() for name in header if name.strip())[:500],
        "rows": rows,
    }


def _lines(pieces: Iterable[str], raw: Raw) -> Iterator[str]:
    """Lines with their ends, from a stream of text pieces; a line is bounded like a document."""
    held = ""
    for piece in pieces:
        *whole, held_next = (held + piece).split("\n")
        for line in whole:
            yield line + "\n"
        held = held_next
        if len(held) > raw.limits.max_characters:
            raise DocumentError(
                f"{raw.source} has a line of more than {raw.limits.max_characters:,} characters.",
                remedy="It may not be a table; or raise the limit `max_characters`.",
            )
    if held:
        yield held


def _rows(lines: Iterable[str], delimiter: str, source: str) -> Iterator[list[str]]:
    """Rows with something in them. Raises DocumentError with the line where it breaks."""
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield row
    except csv.Error as error:
        raise DocumentError(
            f"{source} breaks off as a table at line {reader.line_num:,}: {error}.",
            remedy="Look for an unclosed quotation mark there.",
        ) from error


def _width(sample: Sequence[str], delimiter: str) -> float:
    """How well a delimiter parts the sample: fields a row, times the share of rows that agree."""
    try:
        counts = [len(row) for row in csv.reader(sample, delimiter=delimiter) if row]
    except csv.Error:
        return 0.0
    if not counts:
        return 0.0
    usual = max(set(counts), key=counts.count)
    if usual < 2:
        return 0.0
    return float(min(usual, 20) ** 0.25) * counts.count(usual) / len(counts)


def sniff(sample: Sequence[str]) -> str:
    """The delimiter of these lines; a comma where none parts them."""
    best = max(_DELIMITERS, key=lambda delimiter: (_width(sample, delimiter), delimiter == ","))
    return best if _width(sample, best) > 0 else ","


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns: words, all different, none of them a value."""
    if len(rows) < 2:
        return bool(rows) and len(rows[0]) > 1 and not any(map(_VALUE.match, rows[0]))
    first = [cell.strip() for cell in rows[0]]
    named = [cell for cell in first if cell]
    if len(named) < max(1, len(first) - 1) or len(set(named)) < len(named):
        # blank or repeated names: a header all the same where values follow below words
        below = [cell for row in rows[1:] for cell in row if cell.strip()]
        values = sum(bool(_VALUE.match(cell)) for cell in below)
        names = not any(_VALUE.match(cell) and not _year(cell) for cell in named)
        return len(named) > 1 and names and values > 0.3 * len(below)
    if len(first) == 1:
        return False
    if any(_VALUE.match(cell) and not _year(cell) for cell in named):
        return False
    if all(map(_VALUE.match, named)) and first[0]:
        return False  # years alone are names only where the first column has none
    return max(map(len, named)) <= 120


def _year(cell: str) -> bool:
    return len(cell) == 4 and cell.isdigit() and cell[:2] in ("19", "20")
