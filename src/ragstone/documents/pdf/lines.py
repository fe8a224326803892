"""From words to segments: runs of words on one line without a wide gap.

A segment is a cell of a table or a line of a column. Lines are cut at wide gaps, at dot leaders,
and at gutters: places at which the gaps of many lines agree. Pure geometry over the words of a
page: must not know in which order columns are read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ragstone.documents.pdf.characters import Word, is_rtl

_WIDE_GAP = 1.05  # of a line's height: what parts cells and columns, beyond any space between words
_AGREEING_LINES = 10
_AGREEING_SHARE = 0.6  # of the lines over a place, those with a gap there; by chance about 0.15
_LEADER = re.compile(r"[.\u2026_·]{4,}|[-–—]{6,}")


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


def segment_of(words: list[Word], *, rtl: bool = False) -> Segment:
    """The words, in reading order, with the box around them."""
    return Segment(
        words,
        min(word.left for word in words),
        min(word.top for word in words),
        max(word.right for word in words),
        max(word.bottom for word in words),
        rtl,
    )


def segments_of(words: list[Word]) -> list[Segment]:
    """Words grouped by line, each line cut at wide gaps, at gutters and at dot leaders."""
    result: list[Segment] = []
    lines = _lines(words)
    for line in lines:
        line.sort(key=lambda word: word.left)
    gutters = _narrow_gutters(lines)
    for line in lines:
        run: list[Word] = []
        edge = 0.0
        least = _least_gap(line)
        for word in line:
            if _LEADER.fullmatch(word.text):
                if run:
                    result.append(_directed(run))
                run = []
                continue
            if run and _parts(edge, word, run[-1], gutters, least):
                result.append(_directed(run))
                run = []
            edge = max(edge, word.right) if run else word.right
            run.append(word)
        if run:
            result.append(_directed(run))
    return result


def _parts(edge: float, word: Word, before: Word, gutters: Sequence[float], least: float) -> bool:
    """Whether the gap between `edge` and the word parts two cells or columns.

    At a gutter a gap of `least` does; a caption's usual space that happens to lie there does not.
    """
    wide = _WIDE_GAP * (2.2 if is_rtl(word.text[0]) else 1.0)  # such lines are stretched
    size = min(max(word.height, before.height), 1.6 * min(word.height, before.height))
    if word.left - edge > wide * size:
        return True
    return word.left - edge >= least and any(edge < gutter < word.left for gutter in gutters)


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
    least = _least_gap(line)
    return [(start, end) for start, end in _gaps(line) if end - start >= least]


def _least_gap(line: Sequence[Word]) -> float:
    """From which width, in points, a gap is clearly wider than this line's usual space."""
    widths = sorted(end - start for start, end in _gaps(line))
    usual = widths[len(widths) // 2] if len(widths) > 2 else 0.0
    return max(1.5 * usual, 0.4 * line[0].height)


def _gaps(line: Sequence[Word]) -> list[tuple[float, float]]:
    gaps: list[tuple[float, float]] = []
    edge = line[0].right
    for word in line[1:]:
        if word.left > edge:
            gaps.append((edge, word.left))
        edge = max(edge, word.right)
    return gaps


def _directed(words: list[Word]) -> Segment:
    """A segment whose words stand in reading order; `words` come from left to right."""
    rtl = sum(is_rtl(word.text[0]) or is_rtl(word.text[-1]) for word in words)
    if not rtl:
        return segment_of(words)
    latin = sum(bool(re.match(r"[A-Za-z]", word.text)) for word in words)
    if rtl < latin:
        return segment_of(words)
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
    return segment_of(ordered, rtl=True)


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
