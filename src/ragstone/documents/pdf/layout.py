"""From words to rows of segments, in the order in which a person reads a page.

A segment is a run of words on one line without a wide gap; a cell of a table or a line of a
column. Columns are found as vertical gutters that no segment crosses, with prose on both sides;
a region without such a gutter is read row by row. Pure geometry: knows no pdfium, no document.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ragstone.documents.pdf.characters import Word, is_rtl

_WIDE_GAP = 1.05  # of a line's height: what parts cells and columns, beyond any space between words
_AGREEING_LINES = 10
_AGREEING_SHARE = 0.6  # of the lines over a place, those with a gap there; by chance about 0.15
_LEADER = re.compile(r"[.\u2026_·]{4,}|[-–—]{6,}")
_LETTERS = re.compile(r"[^\W\d_]")


@dataclass(slots=True)
class Segment:
    """Words of one line, in reading order, with the box around them."""

    words: list[Word]
    left: float
    top: float
    right: float
    bottom: float
    rtl: bool = False
    text: str = field(default="", init=False)

    def __post_init__(self) -> None:
        self.text = " ".join(word.text for word in self.words)

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def size(self) -> float:
        """Height of the tallest word that holds most of the line: the type's size in points."""
        return max(self.words, key=lambda word: len(word.text)).height


@dataclass(slots=True)
class Row:
    """Segments of one flow that stand on one line, from the reading direction's start."""

    segments: list[Segment]

    @property
    def left(self) -> float:
        return min(segment.left for segment in self.segments)

    @property
    def right(self) -> float:
        return max(segment.right for segment in self.segments)

    @property
    def top(self) -> float:
        return min(segment.top for segment in self.segments)

    @property
    def bottom(self) -> float:
        return max(segment.bottom for segment in self.segments)


def flows(words: Sequence[Word]) -> list[list[Row]]:
    """The page's flows in reading order, each as rows from top to bottom.

    Text turned against the page's direction (a stamp in the margin) comes last, as flows of
    its own.
    """
    upright = [word for word in words if word.turn == 0 and word.height > 0]
    result = [_rows(region) for region in _ordered(_segments(upright), 0)]
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
    return [[Row([_segment(line)])] for line in lines]


def _segment(words: list[Word], *, rtl: bool = False) -> Segment:
    return Segment(
        words,
        min(word.left for word in words),
        min(word.top for word in words),
        max(word.right for word in words),
        max(word.bottom for word in words),
        rtl,
    )


def _segments(words: list[Word]) -> list[Segment]:
    """Words grouped by line, each line cut at wide gaps, at gutters and at dot leaders."""
    result: list[Segment] = []
    lines = _lines(words)
    for line in lines:
        line.sort(key=lambda word: word.left)
    gutters = _narrow_gutters(lines)
    for line in lines:
        run: list[Word] = []
        edge = 0.0
        for word in line:
            if _LEADER.fullmatch(word.text):
                if run:
                    result.append(_directed(run))
                run = []
                continue
            if run and _parts(edge, word, run[-1], gutters):
                result.append(_directed(run))
                run = []
            edge = max(edge, word.right) if run else word.right
            run.append(word)
        if run:
            result.append(_directed(run))
    return result


def _parts(edge: float, word: Word, before: Word, gutters: Sequence[float]) -> bool:
    """Whether the gap between `edge` and the word parts two cells or columns."""
    wide = _WIDE_GAP * (2.2 if is_rtl(word.text[0]) else 1.0)  # such lines are stretched
    size = min(max(word.height, before.height), 1.6 * min(word.height, before.height))
    if word.left - edge > wide * size:
        return True
    return any(edge < gutter < word.left for gutter in gutters)


def _narrow_gutters(lines: Sequence[Sequence[Word]]) -> list[float]:
    """Places at which most lines that reach over them have the gap between two words.

    Spaces between words fall anywhere; where they fall on one place in six of ten lines, a
    column ends, however narrow the gap. At least ten lines have to agree.
    """
    right = max((line[-1].right for line in lines), default=0.0)
    width = int(right) + 3
    if width > 20_000 or len(lines) < _AGREEING_LINES:
        return []
    gaps = [0] * width
    reach = [0] * width
    for line in lines:
        low, high = max(0, int(line[0].left)), max(0, int(line[-1].right))
        if any(is_rtl(word.text[0]) for word in line):
            continue
        reach[low] += 1
        reach[min(high + 1, width - 1)] -= 1
        for left, end in _roomy_gaps(line):
            first, last = int(left) + 1, int(end)
            if 0 <= first <= last < width - 1:
                gaps[first] += 1
                gaps[last + 1] -= 1
    found: list[float] = []
    covered = reaching = 0
    best, start = 0.0, -1
    for at in range(width):
        covered += gaps[at]
        reaching += reach[at]
        if covered >= _AGREEING_LINES and covered > _AGREEING_SHARE * reaching:
            share = covered / reaching
            if start < 0 or at - start > 30:
                found.append(at + 0.5)
                best, start = share, at
            elif share > best:
                found[-1], best = at + 0.5, share
        elif start >= 0 and at - start > 6:
            start = -1
    return found


def _roomy_gaps(line: Sequence[Word]) -> list[tuple[float, float]]:
    """The gaps of a line that are clearly wider than its usual space between words."""
    gaps: list[tuple[float, float]] = []
    edge = line[0].right
    for word in line[1:]:
        if word.left > edge:
            gaps.append((edge, word.left))
        edge = max(edge, word.right)
    if not gaps:
        return []
    widths = sorted(end - start for start, end in gaps)
    usual = widths[len(widths) // 2] if len(widths) > 2 else 0.0
    least = max(1.5 * usual, 0.4 * line[0].height)
    return [(start, end) for start, end in gaps if end - start >= least]


def _directed(words: list[Word]) -> Segment:
    """A segment whose words stand in reading order; `words` come from left to right."""
    rtl = sum(is_rtl(word.text[0]) or is_rtl(word.text[-1]) for word in words)
    if not rtl:
        return _segment(words)
    latin = sum(bool(re.match(r"[A-Za-z]", word.text)) for word in words)
    if rtl < latin:
        return _segment(words)
    ordered: list[Word] = []
    run: list[Word] = []
    for word in reversed(words):
        if re.match(r"[A-Za-z0-9]", word.text):
            run.append(word)
            continue
        ordered.extend(reversed(run))
        run = []
        ordered.append(word)
    ordered.extend(reversed(run))
    return _segment(ordered, rtl=True)


def _lines(words: list[Word]) -> list[list[Word]]:
    """Words whose heights overlap by half, from the top; a small raised mark joins its line."""
    lines: list[tuple[float, float, list[Word]]] = []
    for word in sorted(words, key=lambda word: word.top + word.bottom):
        best, most = -1, 0.0
        for at in range(len(lines) - 1, max(-1, len(lines) - 5), -1):
            top, bottom, _ = lines[at]
            shared = min(bottom, word.bottom) - max(top, word.top)
            share = shared / max(0.1, min(bottom - top, word.height))
            if share > 0.55 and share > most:
                best, most = at, share
        if best < 0:
            lines.append((word.top, word.bottom, [word]))
        else:
            top, bottom, members = lines[best]
            members.append(word)
            if word.height > bottom - top and word.height < 1.5 * (bottom - top):
                lines[best] = (word.top, word.bottom, members)
    return [members for _, _, members in lines]


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
