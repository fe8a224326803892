"""From segments to flows: the rows of a page in the order in which a person reads them.

Columns are found as vertical gutters that no segment crosses, with prose on both sides; a region
without such a gutter is read row by row. Pure geometry: knows no pdfium, no document.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from ragstone.documents.pdf.characters import Word
from ragstone.documents.pdf.lines import Row, Segment, segment_of, segments_of

_LETTERS = re.compile(r"[^\W\d_]")


def flows(words: Sequence[Word]) -> list[list[Row]]:
    """The page's flows in reading order, each as rows from top to bottom.

    Text turned against the page's direction (a stamp in the margin) comes last, as flows of
    its own.
    """
    upright = [word for word in words if word.turn == 0 and word.height > 0]
    result = [_rows(region) for region in _ordered(segments_of(upright), 0)]
    for turn in (90, 180, 270):
        result.extend(_turned_flows([word for word in words if word.turn == turn], turn))
    return [flow for flow in result if flow]


def _turned_flows(words: list[Word], turn: int) -> list[list[Row]]:
    """Each line of turned text as a flow of one row, in the file's order."""
    lines: list[list[Word]] = []
    for word in words:
        last = lines[-1][-1] if lines else None
        if last is not None and (
            abs(word.left - last.left) < 2 if turn != 180 else abs(word.top - last.top) < 2
        ):
            lines[-1].append(word)
        else:
            lines.append([word])
    return [[Row([segment_of(line)])] for line in lines]


def _rows(segments: list[Segment]) -> list[Row]:
    """Segments of one flow as rows: those whose heights overlap stand side by side."""
    rows: list[list[Segment]] = []
    top = bottom = 0.0
    for segment in sorted(segments, key=lambda each: (each.top + each.bottom, each.left)):
        shared = min(bottom, segment.bottom) - max(top, segment.top)
        if rows and shared > 0.5 * min(bottom - top, segment.height):
            rows[-1].append(segment)
        else:
            rows.append([segment])
            top, bottom = segment.top, segment.bottom
    result = []
    for row in rows:
        rtl = sum(segment.rtl for segment in row) * 2 > len(row)
        row.sort(key=lambda each: -each.right if rtl else each.left)
        result.append(Row(row))
    return result


def _ordered(segments: list[Segment], depth: int) -> list[list[Segment]]:
    """The region's segments as flows in reading order: bands from the top, columns within."""
    if len(segments) < 6 or depth > 6:
        return [segments] if segments else []
    split = _columns(segments)
    if split is None:
        return [segments]
    before, left, right, after = split
    if sum(each.rtl for each in segments) * 2 > len(segments):
        left, right = right, left
    return [
        *_ordered(before, depth + 1),
        *_ordered(left, depth + 1),
        *_ordered(right, depth + 1),
        *_ordered(after, depth + 1),
    ]


_Split = tuple[list[Segment], list[Segment], list[Segment], list[Segment]]


def _columns(segments: list[Segment]) -> _Split | None:
    """The best gutter: what is above its band, left of it, right of it, below its band."""
    best: _Split | None = None
    most = 0.0
    for gutter in _gutters(segments):
        for split in _bands(segments, gutter):
            weight = sum(len(each.text) for each in (*split[1], *split[2]))
            if weight > most and _is_prose(split[1]) and _is_prose(split[2]):
                best, most = split, weight
    return best


def _gutters(segments: list[Segment]) -> list[float]:
    """Places where many lines begin after others ended: candidates, the strongest first."""
    left = min(each.left for each in segments)
    right = max(each.right for each in segments)
    width = int(right - left) + 2
    if width < 40 or width > 20_000:
        return []
    cover = [0] * (width + 1)
    for each in segments:
        cover[int(each.left - left)] += 1
        cover[min(width, int(each.right - left) + 1)] -= 1
    level = 0
    profile = []
    for change in cover[:width]:
        level += change
        profile.append(level)
    inner = range(int(0.12 * width), int(0.88 * width))
    candidates: list[tuple[int, float]] = []
    at = inner.start
    while at < inner.stop:
        end = at
        while end + 1 < inner.stop and profile[end + 1] == profile[at]:
            end += 1
        before = max(profile[max(0, at - 60) : at], default=0)
        behind = max(profile[end + 1 : end + 61], default=0)
        if profile[at] < 0.5 * min(before, behind) and min(before, behind) >= 3:
            candidates.append((profile[at] * 10 - (end - at), left + (at + end) / 2 + 0.5))
        at = end + 1
    candidates.sort()
    return [place for _, place in candidates[:8]]


def _bands(segments: list[Segment], gutter: float) -> list[_Split]:
    """Every run from top to bottom in which nothing crosses the gutter, with both sides."""
    ordered = sorted(segments, key=_middle)
    edges = [-1, *(at for at, each in enumerate(ordered) if _crosses(each, gutter)), len(ordered)]
    result: list[_Split] = []
    for low, high in pairwise(edges):
        if high - low < 7:
            continue
        inside = ordered[low + 1 : high]
        left = [each for each in inside if each.right <= gutter + 1]
        right = [each for each in inside if each.left >= gutter - 1]
        if len(left) >= 3 and len(right) >= 3 and _side_by_side(left, right):
            result.append((ordered[: low + 1], left, right, ordered[high:]))
    return result


def _middle(segment: Segment) -> float:
    return segment.top + segment.bottom


def _crosses(segment: Segment, gutter: float) -> bool:
    return segment.left < gutter - 1 and segment.right > gutter + 1


def _side_by_side(left: list[Segment], right: list[Segment]) -> bool:
    """Whether the two share a good part of the shorter one's height."""
    top = max(min(each.top for each in left), min(each.top for each in right))
    bottom = min(max(each.bottom for each in left), max(each.bottom for each in right))
    shorter = min(
        max(each.bottom for each in side) - min(each.top for each in side) for side in (left, right)
    )
    return bottom - top > 0.4 * shorter


def _is_prose(segments: list[Segment]) -> bool:
    """Whether most letters stand in lines that fill the column and hold several words."""
    width = max(each.right for each in segments) - min(each.left for each in segments)
    if width < 50:
        return False
    total = filled = 0
    for each in segments:
        size = len(each.text)
        total += size
        letters = len(_LETTERS.findall(each.text))
        wordy = len(each.words) >= 3 or (
            letters == size and size > 8 and ord(each.text[0]) > 0x2E80
        )
        if wordy and each.width > 0.62 * width and letters > 0.55 * size:
            filled += size
    return filled > 0.55 * total
