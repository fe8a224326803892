"""Rows as cells, and which runs of rows are a table: numbers apart, signs with their numbers.

Pure geometry over the rows of a flow: must not know how a table is written.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from ragstone.documents.pdf.characters import Word
from ragstone.documents.pdf.lines import Row, Segment, segment_of

_CURRENCY = re.compile(r"(?:US|C|A|HK|NZ|R)?[$€£¥₹]|(?:EUR|USD|GBP|CHF)")
TAIL = re.compile(r"(?:\)?\s?%\)?|\)|pts|bps|x)")
_NUMBER = re.compile(r"[-–—+(]{0,2}[$€£¥]?\(?(?:\d[\d.,']*|\.\d+)\)?\s?%?\)?|[-–—]{1,2}|N/?[AM]|nm")
YEAR = re.compile(r"(?:FY)?(?:19|20)\d\d[AE]?(?:\s*\(?[a-z\d]?\)?)?")
_MARKER = re.compile(
    r"[•·▪■□◦‣○●►➢✓*–—-]|\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,5})[.)]|\d+(?:\.\d+)+\.?|\[\d+\]"
)


# Of the type's size, in most fonts; everything else is as wide as a digit, about.
_WIDTHS = {"(": 0.33, ")": 0.33, ",": 0.25, ".": 0.25, " ": 0.25, "%": 0.83}


def is_number(text: str) -> bool:
    """Whether a cell holds one amount, share, dash or the like."""
    return bool(_NUMBER.fullmatch(text.replace(" ", "")))


def cells_of(row: Row) -> list[Segment]:
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
            or (TAIL.fullmatch(part.text) and part.left - last.right < 2.5 * part.height)
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
    return [segment_of(run) for run in runs]


def _joined(segments: Sequence[Segment]) -> Segment:
    return segment_of([word for segment in segments for word in segment.words])


def run_end(rows: Sequence[Row], cells: Sequence[list[Segment]], start: int) -> int:
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
    if any(_stands_under(above, row) for above, row in itertools.pairwise(tabular)):
        return True
    need = max(2, len(tabular) // 3)
    for cell in later[:40]:
        same = sum(
            (
                abs(_last_digit(cell) - _last_digit(other)) < 4
                and is_number(cell.text)
                and is_number(other.text)
            )
            or abs(cell.left - other.left) < 4
            or abs(cell.left + cell.right - other.left - other.right) < 6
            for other in later
        )
        if same >= need:
            return True
    return False


def _stands_under(above: list[Segment], row: list[Segment]) -> bool:
    """Whether two amounts or more stand one by one under as many cells of the row above."""
    values = [cell for cell in row if is_number(cell.text)]
    names = above[-len(values) :]
    return len(names) == len(values) > 1 and all(
        min(name.right, value.right) - max(name.left, value.left) > 0.5 * value.height
        for name, value in zip(names, values, strict=True)
    )


def _last_digit(cell: Segment) -> float:
    """Where a number's last digit ends, about: brackets and percent signs hang out of a column."""
    word = cell.words[-1]
    hanging = word.text[len(word.text.rstrip(")% ")) :]
    total = sum(_WIDTHS.get(each, 0.5) for each in word.text)
    share = sum(_WIDTHS.get(each, 0.5) for each in hanging) / total
    return cell.right - share * (word.right - word.left)


def heads(row: Row, cells: list[Segment], table: Sequence[list[Segment]], below: float) -> bool:
    """Whether a row with one cell right above a table stands over its value columns."""
    if len(cells) != 1 or below - row.bottom > 1.6 * cells[0].height or len(cells[0].text) > 90:
        return False
    first = min(cells_[1].left for cells_ in table if len(cells_) > 1)
    return cells[0].left > first - 60 and cells[0].left > min(c[0].left for c in table) + 40
