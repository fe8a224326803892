"""One page's text and blocks, with the glyphs behind every character.

Law: the text is a function of the page alone, so that reading the page again gives the same text,
and with it the rectangle of every character (`documents.pdf.places`). What can only be known from
the whole document (what a heading is, what recurs on every page) becomes elements over this
text and never changes it.

Lines are joined into paragraphs. A hyphen at a line's end is dropped only where the page gives
no reason to keep it: not if the compound stands elsewhere on the page with its hyphen, not if
both halves are words of the page, not after a usual first half (`long-`, `non-`). The joined
word's characters keep their glyphs; the hyphen's glyph has no character any more.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from ragstone.documents.pdf.characters import PageGlyphs, Word
from ragstone.documents.pdf.layout import flows
from ragstone.documents.pdf.lines import Row
from ragstone.documents.pdf.tables import Piece, Table, with_tables

BlockKind = Literal["paragraph", "list_item", "row"]

_MARKER = re.compile(r"(?:[•·▪■□◦‣○●►➢✓*]|[-–—]|\(?(?:\d{1,2}|[a-z]|[ivx]{1,5})[.)])$")
_WORDS = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_HYPHENS = "-\u2010\u00ad"
_FIRST_HALVES = frozenset(
    (
        *("all", "anti", "bi", "by", "co", "cross", "de", "ex", "full", "half", "high", "inter"),
        *("intra", "large", "long", "low", "lower", "mid", "multi", "near", "new", "non", "off"),
        *("on", "one", "open", "over", "part", "post", "pre", "real", "right", "self", "semi"),
        *("short", "side", "single", "small", "so", "sub", "third", "to", "top", "two", "under"),
        *("up", "upper", "well", "wide", "year"),
    )
)
_SENTENCE_END = re.compile(r"[.!?:;。！？：；؟。]['\"”’)\]]*$")


@dataclass(slots=True)
class Block:
    """A paragraph, list item or table row: half-open range in the page's text, its box in
    points from the top left, its type's size and weight. `table` numbers the page's tables;
    `names` is set for a table's rows that name its columns."""

    kind: BlockKind
    start: int
    end: int
    left: float
    top: float
    right: float
    bottom: float
    size: float
    bold: bool
    lines: int
    table: int = -1
    names: bool = False


@dataclass(slots=True)
class PageText:
    """A page's text with its blocks; `sources[i]` is the glyph behind `text[i]`, -1 for none."""

    text: str
    blocks: list[Block]
    sources: list[int]
    width: float
    height: float


class _Page:
    """Grows a page's text piece by piece."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.sources: list[int] = []
        self.blocks: list[Block] = []
        self.last: Word | None = None

    def literal(self, text: str) -> None:
        self.parts.append(text)
        self.sources.extend([-1] * len(text))

    def word(self, word: Word) -> None:
        self.parts.append(word.text)
        self.sources.extend(word.glyphs)
        self.last = word

    def drop_hyphen(self) -> None:
        self.parts[-1] = self.parts[-1][:-1]
        self.sources.pop()


def compose(glyphs: PageGlyphs) -> PageText:
    """The page's text in reading order. Pure: the same glyphs give the same text."""
    words = _vocabulary(glyphs.words)
    page = _Page()
    tables = 0
    for flow in flows(glyphs.words):
        run: list[Row] = []
        for item in with_tables(flow):
            if isinstance(item, Row):
                run.append(item)
                continue
            _write_lines(page, run, words)
            run = []
            _write_table(page, item, tables)
            tables += 1
        _write_lines(page, run, words)
    return PageText("".join(page.parts), page.blocks, page.sources, glyphs.width, glyphs.height)


def _vocabulary(words: Sequence[Word]) -> set[str]:
    """The page's words in lower case, without the halves that a line's end has made."""
    found: set[str] = set()
    for before, word in pairwise([None, *words]):
        if word is None or word.text[-1] in _HYPHENS:
            continue
        pieces = _WORDS.findall(word.text.lower())
        halved = before is not None and len(before.text) > 1 and before.text[-1] in _HYPHENS
        found.update(pieces[1:] if halved else pieces)
    return found


def _write_table(page: _Page, table: Table, number: int) -> None:
    if page.parts:
        page.literal("\n\n")
    for at, row in enumerate(table.rows):
        words = [piece for piece in row.pieces if isinstance(piece, Word)]
        if not words:
            continue
        if at:
            page.literal("\n")
        start = len(page.sources)
        for piece in row.pieces:
            _write(page, piece)
        page.blocks.append(
            Block(
                "row",
                start,
                len(page.sources),
                min(word.left for word in words),
                row.top,
                max(word.right for word in words),
                row.bottom,
                _size(words),
                _bold(words),
                1,
                number,
                row.names,
            )
        )


def _write(page: _Page, piece: Piece) -> None:
    if isinstance(piece, str):
        page.literal(piece)
    else:
        page.word(piece)


def _size(words: Sequence[Word]) -> float:
    return round(max(words, key=lambda word: len(word.text)).height, 1)


def _bold(words: Sequence[Word]) -> bool:
    letters = sum(len(word.text) for word in words)
    return 2 * sum(len(word.text) for word in words if word.bold) > letters


def _words(row: Row) -> list[Word]:
    return [word for segment in row.segments for word in segment.words]


def _write_lines(page: _Page, rows: Sequence[Row], vocabulary: set[str]) -> None:
    if not rows:
        return
    left = min(row.left for row in rows)
    right = max(row.right for row in rows)
    gaps = sorted(max(0.0, below.top - above.bottom) for above, below in pairwise(rows))
    usual = gaps[len(gaps) // 3] if gaps else 0.0
    paragraph: list[Row] = []
    paragraphs: list[list[Row]] = []
    for row in rows:
        if paragraph and (
            (row is rows[-1] and _is_page_number(row))
            or _begins(paragraph, row, left, right, usual)
        ):
            paragraphs.append(paragraph)
            paragraph = []
        paragraph.append(row)
    paragraphs.append(paragraph)
    for number, each in enumerate(paragraphs):
        _write_paragraph(page, each, vocabulary, first=number == 0)


def _is_page_number(row: Row) -> bool:
    words = _words(row)
    return len(words) == 1 and len(words[0].text) <= 5 and words[0].text.strip("-–—").isdigit()


def _begins(paragraph: Sequence[Row], row: Row, left: float, right: float, usual: float) -> bool:
    """Whether a row begins a new paragraph."""
    above = paragraph[-1]
    words, before = _words(row), _words(above)
    size, other = _size(words), _size(before)
    gap = row.top - above.bottom
    if gap > usual + 0.45 * min(size, other) or gap < -1.5 * size:
        return True
    if row.left > above.right or row.right < above.left:
        return True
    if abs(size - other) > 0.13 * max(size, other) and min(len(words), len(before)) > 1:
        return True
    if _MARKER.match(words[0].text) and len(words) > 1:
        return not (
            words[0].text[0] in "-–—(" and above.right > right - 0.1 * (right - left)
        ) or bool(_SENTENCE_END.search(before[-1].text))
    if _bold(words) != _bold(before) and (len(paragraph) == 1 or above.right < right - 2 * size):
        return True
    rtl = sum(segment.rtl for segment in row.segments) * 2 > len(row.segments)
    start, ends_short = (
        (right - row.right, above.left > left + 0.12 * (right - left))
        if rtl
        else (row.left - left, above.right < right - 0.12 * (right - left))
    )
    if ends_short and (_SENTENCE_END.search(before[-1].text) or len(paragraph) == 1):
        return not words[0].text[:1].islower()
    marked = bool(_MARKER.match(_words(paragraph[0])[0].text))
    indented = start > 0.9 * size and row.left > above.left + 0.9 * size
    return not rtl and indented and not marked and ends_short is False and len(paragraph) > 1


def _write_paragraph(
    page: _Page, rows: Sequence[Row], vocabulary: set[str], *, first: bool
) -> None:
    """Append a paragraph; the first of a column goes on with the last of the column before
    where that one stopped in mid-sentence."""
    every = [word for row in rows for word in _words(row)]
    block = page.blocks[-1] if page.blocks else None
    goes_on = first and block is not None and _goes_on(page, block, every)
    if page.parts and not goes_on:
        page.literal("\n\n")
    start = len(page.sources)
    for number, row in enumerate(rows):
        words = _words(row)
        if number or goes_on:
            _join(page, words[0], vocabulary)
        for at, word in enumerate(words):
            if at:
                page.literal(" ")
            page.word(word)
    if goes_on and block is not None:
        block.end = len(page.sources)
        block.lines += len(rows)
        return
    marked = len(every) > 1 and bool(_MARKER.match(every[0].text))
    page.blocks.append(
        Block(
            "list_item" if marked else "paragraph",
            start,
            len(page.sources),
            min(row.left for row in rows),
            min(row.top for row in rows),
            max(row.right for row in rows),
            max(row.bottom for row in rows),
            _size(every),
            _bold(every),
            len(rows),
        )
    )


def _goes_on(page: _Page, block: Block, words: Sequence[Word]) -> bool:
    """Whether words at the top of a column continue the block at the foot of the one before."""
    if block.kind == "row" or page.last is None or abs(block.size - _size(words)) > 0.6:
        return False
    above = min(word.top for word in words) < block.top  # a column to the right begins higher
    last, letter = page.last.text, words[0].text[0]
    return above and block.lines > 2 and letter.islower() and not _SENTENCE_END.search(last)


def _join(page: _Page, after: Word, vocabulary: set[str]) -> None:
    """What stands between a line's last word and the next line's first."""
    before = page.last.text if page.last is not None else ""
    if _is_ideograph(before[-1:]) and _is_ideograph(after.text[:1]):
        return
    if _is_hangul(before[-1:]) and _is_hangul(after.text[:1]):
        if page.last is not None and page.last.spaced:  # lines break inside of words
            page.literal(" ")
        return
    if len(before) < 2 or before[-1] not in _HYPHENS:
        page.literal(" ")
        return
    first = _WORDS.findall(before.lower().rstrip(_HYPHENS))
    second = _WORDS.findall(after.text.lower())
    if before[-1] == "\u00ad":
        page.drop_hyphen()
        return
    if not first or not second or not before[-2].isalpha():
        if not before[-2].isalnum():
            page.literal(" ")
        return
    half, rest = first[-1], second[0]
    joined, compound = half.split("-")[-1] + rest, f"{half}-{rest}"
    if (
        not after.text[0].islower()
        or compound in vocabulary
        or half.split("-")[-1] in _FIRST_HALVES
    ):
        return
    if joined not in vocabulary and half in vocabulary and rest in vocabulary:
        return
    page.drop_hyphen()


def _is_hangul(letter: str) -> bool:
    return "\uac00" <= letter <= "\ud7a3"


def _is_ideograph(letter: str) -> bool:
    return (
        "\u2e80" <= letter <= "\u9fff"
        or "\uf900" <= letter <= "\ufaff"
        or ("\uff00" <= letter <= "\uffef" or letter >= "\U00020000")
    )
