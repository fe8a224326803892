"""A document's text as a row of units that chunking may part: sentences, rows, lines of code.

Law: the units are ordered, disjoint, trimmed, and cover every non-blank character outside
furniture; no unit weighs more than it may, one huge word included. Must not know how units are
packed.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from ragstone.documents.cohesion import content_words, leaning
from ragstone.text.sentences import sentence_spans
from ragstone.text.spaces import trimmed
from ragstone.types import Document, ElementKind, Span

TokenSpans = Callable[[str], list[Span]]

LEAVES = frozenset(
    ("heading", "paragraph", "list_item", "row", "code", "quote", "note", "header", "furniture")
)
_PIECE_CHARACTERS = 100_000  # text is tokenised in pieces of this size
_CHARACTERS_PER_TOKEN = 16  # a token longer than this on average weighs more than one

_UNWRAPPED = (
    200  # characters: nobody wraps lines so late, so where one is longer, lines are paragraphs
)

_BLANK_LINE = re.compile(r"\n[^\S\n]*\n\s*")
_LINE = re.compile(r"\n\s*")
_CODE_GAP = re.compile(r"\n(?:[^\S\n]*\n)*")
_CLAUSE = re.compile(r"(?<=[,;:)\]—–。，；：、])\s*|\s*(?=[(\[—–])")
_WORDS = re.compile(r"\w")
_RULE = re.compile(r"""[ \t]*([=\-~^"'`:.*+#_<>])\1{2,}[ \t]*""")
_SPACE = re.compile(r"\s+")


@dataclass(slots=True)
class Unit:
    """A piece that is not parted; `joint` says what lies between it and the unit before."""

    start: int
    end: int
    weight: int  # tokens, or more where the tokens are very long
    kind: ElementKind
    joint: str  # "hard", "heading", "block", "sentence", "row", "item", "clause", "word", ...
    level: int = 0
    lean: float = 0.0  # how far it leans on the unit before to be understood, 0 to 1


class Tokens:
    """Counts tokens in any range of a text that was tokenised once."""

    def __init__(self, text: str, token_spans: TokenSpans) -> None:
        self._starts = array("q")
        self._ends = array("q")
        for start, end in _pieces(text):
            for span in token_spans(text[start:end]):
                if span.end > span.start:
                    self._starts.append(start + span.start)
                    self._ends.append(start + span.end)

    def __len__(self) -> int:
        return len(self._starts)

    def weight(self, start: int, end: int) -> int:
        """Tokens that touch `[start, end)`; at least one for each sixteen characters."""
        count = bisect_left(self._starts, end) - bisect_right(self._ends, start)
        return max(1, count, (end - start) // _CHARACTERS_PER_TOKEN)

    def boundary(self, start: int, tokens: int) -> int:
        """Where the token begins that stands `tokens` after the first one at or after `start`."""
        index = bisect_left(self._starts, start) + tokens
        return self._starts[index] if index < len(self._starts) else -1


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    while start < len(text):
        end = min(len(text), start + _PIECE_CHARACTERS)
        if end < len(text):
            for mark in ("\n", " "):
                found = text.rfind(mark, start + _PIECE_CHARACTERS // 2, end)
                if found > 0:
                    end = found + 1
                    break
        yield start, end
        start = end


@dataclass(slots=True)
class Block:
    """A stretch of one kind; `hard` where no passage may reach over its start."""

    start: int
    end: int
    kind: ElementKind
    level: int
    hard: bool


def blocks(document: Document) -> Iterator[Block]:
    """The text as leaf blocks in order; what no leaf element covers is parted into paragraphs.

    Where leaves nest, the innermost rules. A new slide or sheet, and furniture, are hard joints.
    """
    text = document.text
    leaves = [
        (*(_heading_lines(text, e.span) if e.kind == "heading" else (e.span.start, e.span.end)), e)
        for e in document.elements
        if e.kind in LEAVES
    ]
    leaves.sort(key=lambda leaf: leaf[0])
    hard_at = {e.span.start for e in document.elements if e.kind in ("slide", "sheet")}
    cuts = sorted({0, len(text)} | {at for leaf in leaves for at in leaf[:2]} | hard_at)
    open_leaves: list[int] = []
    upcoming = 0
    hard = True
    for begin, stop in pairwise(cuts):
        while upcoming < len(leaves) and leaves[upcoming][0] <= begin:
            open_leaves.append(upcoming)
            upcoming += 1
        open_leaves = [i for i in open_leaves if leaves[i][1] > begin]
        hard = hard or begin in hard_at
        inner = leaves[open_leaves[-1]][2] if open_leaves else None
        if any(leaves[i][2].kind == "furniture" for i in open_leaves):
            hard = True
            continue
        for start, end in _paragraphs(text, begin, stop) if inner is None else [(begin, stop)]:
            if text[start:end].strip():
                kind: ElementKind = "paragraph" if inner is None else inner.kind
                yield Block(start, end, kind, inner.level if inner else 0, hard)
                hard = False


def _heading_lines(text: str, span: Span) -> tuple[int, int]:
    """The heading with the marks around it that are no words: `##`, a line of `====`."""
    start, end = span.start, span.end
    line = text.rfind("\n", max(0, start - 40), start) + 1
    if (line or start <= 40) and not _WORDS.search(text, line, start):
        start = line
        above = text.rfind("\n", max(0, line - 200), max(0, line - 1)) + 1
        if line and _RULE.fullmatch(text, above, line - 1):
            start = above
    stop = text.find("\n", end, end + 200)
    if stop >= 0 and not _WORDS.search(text, end, stop):
        end = stop
        below = text.find("\n", stop + 1, stop + 200)
        below = below if below >= 0 else min(len(text), stop + 200)
        if _RULE.fullmatch(text, stop + 1, below):
            end = below
    return start, end


def _paragraphs(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """What stands between blank lines; where lines are not wrapped, each line."""
    for left, right in _parted(text, start, end, _BLANK_LINE):
        lines = _parted(text, left, right, _LINE)
        if max(b - a for a, b in lines) > _UNWRAPPED:
            yield from lines
        else:
            yield left, right


def _parted(text: str, start: int, end: int, gap: re.Pattern[str]) -> list[tuple[int, int]]:
    parts: list[tuple[int, int]] = []
    left = start
    for found in gap.finditer(text, start, end):
        parts.append((left, found.start()))
        left = found.end()
    parts.append((left, end))
    return parts


def units(document: Document, tokens: Tokens, max_weight: int, piece_weight: int) -> Iterator[Unit]:
    """The document's units in order, none heavier than `max_weight`; what has to be broken is
    broken into pieces of at most `piece_weight`."""
    text = document.text
    previous: Block | None = None
    before: frozenset[str] = frozenset()
    for block in blocks(document):
        joint = "hard" if block.hard else _joint(block, previous, text)
        prose = block.kind not in ("code", "row", "heading")
        for start, end, inner in _inside(document, block):
            words = content_words(text, start, end) if prose else frozenset()
            lean = leaning(text, start, end, before, words) if prose else 0.0
            before = words
            for left, right, finer in _held(text, start, end, tokens, max_weight, piece_weight):
                yield Unit(
                    left, right, tokens.weight(left, right), block.kind,
                    finer or inner or joint, block.level, lean,
                )  # fmt: skip
        previous = block


def _joint(block: Block, previous: Block | None, text: str) -> str:
    if previous is not None and previous.kind == "heading":
        return "headed"  # a heading stays with what it heads, be it the next heading
    if block.kind == "heading":
        return "heading"
    if previous is None:
        return "block"
    if previous.kind == "note" and block.kind == "row":
        return "headed"
    if block.kind == "row" and previous.kind == "row":
        return "row"
    if block.kind == "list_item":
        if previous.kind == "list_item":
            return "deeper" if block.level > previous.level else "item"
        return "lead"  # a list stays with the sentence that leads in to it
    if _leads(text, previous.start, previous.end) or _is_term(text, previous, block):
        return "lead"
    return "block"


def _leads(text: str, start: int, end: int) -> bool:
    return text[start:end].rstrip().endswith(":")


def _is_term(text: str, previous: Block, block: Block) -> bool:
    """Whether a line alone stands over a paragraph set in deeper, which explains it."""
    line = text[previous.start : previous.end].strip()
    return "\n" not in line and _indent(text, block) > _indent(text, previous)


def _indent(text: str, block: Block) -> int:
    first = (
        block.start
        + len(text[block.start : block.end])
        - len(text[block.start : block.end].lstrip())
    )
    line = text[text.rfind("\n", 0, first) + 1 : first]
    return len(line.expandtabs(8)) if not line.strip() else 0


def _inside(document: Document, block: Block) -> Iterator[tuple[int, int, str]]:
    """The block's own pieces with the joint before each ("" for the first)."""
    text = document.text
    if block.kind == "code":
        inner = ""
        left = block.start
        for gap in _CODE_GAP.finditer(text, block.start, block.end):
            if text[left : gap.start()].strip():
                yield left, gap.start(), inner
                inner = "code_gap" if gap[0].count("\n") > 1 else "line"
            left = gap.end()
        if text[left : block.end].strip():
            yield left, block.end, inner
    elif block.kind == "row":
        yield block.start, block.end, ""
    else:
        inner = ""
        for span in sentence_spans(text, block.start, block.end, document.language):
            yield span.start, span.end, inner
            inner = "lead" if _leads(text, span.start, span.end) else "sentence"


def _held(
    text: str, start: int, end: int, tokens: Tokens, max_weight: int, piece_weight: int
) -> Iterator[tuple[int, int, str]]:
    """The range whole, or where it is too heavy in pieces: by clauses, words, characters."""
    start, end = trimmed(text, start, end)
    finer = ""
    most = max_weight
    while start < end and tokens.weight(start, end) > most:
        most = piece_weight
        at, how = _cut(text, start, end, tokens, most)
        left, right = trimmed(text, start, at)
        if left < right:
            yield left, right, finer
            finer = how
        start, end = trimmed(text, at, end)
    if start < end:
        yield start, end, finer


def _cut(text: str, start: int, end: int, tokens: Tokens, max_weight: int) -> tuple[int, str]:
    """The best place to part a range that is too heavy: late, at a clause or a space if it can."""
    limit = tokens.boundary(start, max_weight - 1)
    if limit <= start or limit > end:
        limit = end
    limit = min(limit, start + max_weight * _CHARACTERS_PER_TOKEN)
    floor = start + (limit - start) // 2
    for pattern, how in ((_LINE, "line"), (_CLAUSE, "clause"), (_SPACE, "word")):
        last = 0
        for found in pattern.finditer(text, floor, limit):
            last = found.end()
        if start < last < end:
            return last, how
    at = max(start + 1, limit)
    while start + 1 < at < end and _sticks(text[at]):
        at -= 1
    return at, "inside"


def _sticks(character: str) -> bool:
    """Whether a character belongs to the one before it (combining marks, joiners, selectors)."""
    return unicodedata.combining(character) > 0 or unicodedata.category(character) in (
        "Mn",
        "Me",
        "Mc",
        "Cf",
    )
