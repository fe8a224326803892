"""Documents to passages: spans on sentence and structure boundaries, sized in tokens.

The text becomes units (sentences, rows, lines of code; `blocks.py`), and dynamic programming
packs them into the cheapest row of passages: a passage pays for missing the target size, and
each joint at which it ends has a price: inside a sentence a high one, between sentences less,
between paragraphs little, before a heading there is a reward, and behind a heading, a lead-in
or a table's caption it costs most. So passages come out even, not with a crumb at the end.

Law: `passage.text == document.text[start:end]`; every non-blank character outside furniture is in
exactly one passage; none has more than `max_tokens` tokens; the same input gives the same
passages. Time is linear in the length of the text.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import groupby

from ragstone.documents.blocks import Tokens, TokenSpans, Unit, units
from ragstone.text.spaces import trimmed
from ragstone.types import Document, Passage, Span

MAX_TOKENS = 240
# The size aimed at. An abstract or a paragraph is one thought and is ranked best in large pieces; a
# long text has many, and each is found better by a vector of its own (docs/decisions/0004).
TARGET_TOKENS = 140
LONG_TARGET_TOKENS = 120
LONG_TOKENS = 600  # from here on a document is long

# The price of ending a passage at a joint, in the units of the size's squared relative error.
_PRICES = {
    "hard": -10.0, "heading": -0.6, "block": 0.15, "row": 0.1, "item": 0.25, "deeper": 0.6,
    "code_gap": 0.35, "line": 1.0, "sentence": 0.3, "lead": 0.8, "headed": 3.0,
    "clause": 1.5, "word": 2.5, "inside": 5.0,
}  # fmt: skip
# How much of it a unit that leans on the one before adds.
_LEANING = {"sentence": 1.0, "block": 0.3, "item": 0.2}
_SURE = 0.8  # below this share of the limit, counts in the whole text are trusted for the slice
_OVER_TARGET = 0.6  # what a passage pays that is too large by the share below; it grows squared
_LARGE = 0.42


def chunk(
    document: Document,
    *,
    token_spans: TokenSpans,
    max_tokens: int = MAX_TOKENS,
    target_tokens: int | None = None,
) -> list[Passage]:
    """The document's passages in order; none overlap.

    `token_spans` gives a text's token spans, without special tokens; sizes are counted by it.
    Without `target_tokens`, `TARGET_TOKENS` is aimed at, in long documents `LONG_TARGET_TOKENS`. A
    document that fits whole is one passage, unless headings part it. Raises ValueError where
    `max_tokens` is below 8.
    """
    if max_tokens < 8:
        raise ValueError(f"max_tokens is {max_tokens}; it takes at least 8 to hold a sentence.")
    tokens = Tokens(document.text, token_spans)
    if target_tokens is None:
        target_tokens = LONG_TARGET_TOKENS if len(tokens) >= LONG_TOKENS else TARGET_TOKENS
    target = min(target_tokens, max_tokens)
    pieces = list(units(document, tokens, max_tokens, target))
    held: list[Span] = []
    begin = 0
    for index in range(1, len(pieces) + 1):
        if index == len(pieces) or pieces[index].joint == "hard":
            packed = _packed(pieces[begin:index], max_tokens, target)
            for first, last in packed:
                inside = pieces[begin + first : begin + last]
                span = Span(inside[0].start, inside[-1].end)
                if sum(piece.weight for piece in inside) <= _SURE * max_tokens:
                    held.append(span)
                else:
                    held.extend(_counted(document.text, span, token_spans, max_tokens))
            begin = index
    return _placed(document, held)


def _packed(pieces: Sequence[Unit], max_tokens: int, target: int) -> list[tuple[int, int]]:
    """The cheapest partition of the units into passages, as index ranges."""
    weight = sum(piece.weight for piece in pieces)
    if weight <= max_tokens and not any(piece.joint == "heading" for piece in pieces[2:]):
        return [(0, len(pieces))]
    sizes = [_size_price(size, target) for size in range(max_tokens + 1)]
    count = len(pieces)
    best = [0.0] * (count + 1)
    since = [0] * (count + 1)
    total = [0] * (count + 1)
    for index, piece in enumerate(pieces):
        total[index + 1] = total[index] + piece.weight
    for end in range(1, count + 1):
        lowest, chosen = float("inf"), end - 1
        reach = total[end]
        for begin in range(end - 1, -1, -1):
            size = reach - total[begin]
            if size > max_tokens:
                break
            price = best[begin] + sizes[size]
            if price < lowest:
                lowest, chosen = price, begin
        best[end] = lowest + (_price(pieces[end]) if end < count else 0.0)
        since[end] = chosen
    ranges: list[tuple[int, int]] = []
    end = count
    while end > 0:
        ranges.append((since[end], end))
        end = since[end]
    ranges.reverse()
    return ranges


def _size_price(size: int, target: int) -> float:
    if size <= target:
        return ((target - size) / target) ** 2
    return _OVER_TARGET * ((size - target) / (_LARGE * target)) ** 2


def _price(unit: Unit) -> float:
    """What it costs to begin a passage at this unit."""
    price = _PRICES[unit.joint]
    if unit.joint == "heading":
        return price * (1.0 if unit.level > 2 else 1.5)
    return price + _LEANING.get(unit.joint, 0.0) * unit.lean


def _counted(text: str, span: Span, token_spans: TokenSpans, max_tokens: int) -> list[Span]:
    """The span, halved for as long as its own text has too many tokens.

    A slice can have a token more than the same stretch had inside the whole text.
    """
    if len(span) < 2 or len(token_spans(span.of(text))) <= max_tokens:
        return [span]
    middle = (span.start + span.end) // 2
    for mark in ("\n", " "):
        found = text.find(mark, middle, span.end - 1)
        if found >= 0:
            middle = found
            break
    halves = (Span(*trimmed(text, span.start, middle)), Span(*trimmed(text, middle, span.end)))
    return [
        part
        for half in halves
        if len(half)
        for part in _counted(text, half, token_spans, max_tokens)
    ]


def _placed(document: Document, spans: Sequence[Span]) -> list[Passage]:
    """Passages with their heading path and page."""
    text = document.text
    headings = [e for e in document.elements if e.kind == "heading"]
    pages = [e for e in document.elements if e.kind in ("page", "slide", "sheet")]
    starts = [page.span.start for page in pages]
    numbers = [
        page.level or index
        for _, group in groupby(pages, key=lambda e: e.kind)
        for index, page in enumerate(group, start=1)
    ]
    path: list[tuple[int, str]] = []
    upcoming = 0
    passages: list[Passage] = []
    for span in spans:
        front = span.start  # of what comes behind the headings that the passage begins with
        while upcoming < len(headings) and _begins(
            text, headings[upcoming].span.start, Span(front, max(front, span.end))
        ):
            heading = headings[upcoming]
            front = max(front, heading.span.end)
            while path and path[-1][0] >= heading.level:
                path.pop()
            path.append((heading.level, " ".join(heading.span.of(text).split())))
            upcoming += 1
        at = bisect_right(starts, span.start) - 1
        passages.append(
            Passage(
                document_id=document.id,
                span=span,
                text=span.of(text),
                heading_path=tuple(name for _, name in path),
                page=numbers[at] if at >= 0 else None,
            )
        )
    return passages


def _begins(text: str, heading: int, span: Span) -> bool:
    """Whether a heading stands before `span`, or is what it begins with (after marks)."""
    return heading <= span.start or (
        heading < span.end
        and heading - span.start < 200
        and not any(character.isalnum() for character in text[span.start : heading])
    )
