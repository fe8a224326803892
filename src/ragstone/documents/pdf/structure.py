"""What only the whole document shows: running headers and footers, and what is a heading.

Pure functions over the pages' blocks. Law: they say what a block is; its text stays.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

from ragstone.documents.pdf.page import Block, PageText

_MARGIN = 0.11  # of a page's height: where running headers and footers stand
_NEAR = 6  # pages to either side among which a running line recurs
_PAGE_NUMBER = re.compile(
    r"(?:page|seite|p\\.|página|стр\\.?)?\s*[-–—|]?\s*(?:[a-z]{1,2}-)?#+\s*[-–—|]?"
    r"(?:\s*(?:of|/|von|de)\s*#+)?|[ivxl]{1,7}",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d+")
_BLANK = re.compile(r"\s+")
_NUMBERED = re.compile(
    r"(?:\d+(?:\.\d+)*\.?|[IVX]+\.|[A-Z]\.|(?:Item|Part|Note)\s+\w+\.?)\s+\S", re.I
)


def furniture(pages: Sequence[PageText]) -> set[tuple[int, int]]:
    """(page index, block index) of every running header, running footer and page number.

    A line in a page's margin that recurs, digits aside, on at least three of the pages near it
    (on both of a document of two), or that is nothing but a page number. The names of a table's
    columns are neither, though the same table may stand on top of several pages.
    """
    places: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    found: set[tuple[int, int]] = set()
    for number, page in enumerate(pages):
        for at in _margin_blocks(page):
            block = page.blocks[at]
            text = page.text[block.start : block.end]
            if len(text) > 250 or block.names:
                continue
            zone = "top" if block.top < page.height / 2 else "bottom"
            bare = _NUMBER.sub("#", text) if block.kind != "row" else text
            bare = _BLANK.sub(" ", bare).strip().casefold()
            if _PAGE_NUMBER.fullmatch(bare) and len(pages) > 1:
                found.add((number, at))
            places[zone, bare].append((number, at))
    need = 3 if len(pages) > 2 else 2
    if len(pages) < 2:
        return found
    for occurrences in places.values():
        numbers = sorted({number for number, _ in occurrences})
        for number, at in occurrences:
            if sum(abs(other - number) <= _NEAR for other in numbers) >= need:
                found.add((number, at))
    return found


def _margin_blocks(page: PageText) -> list[int]:
    if not page.blocks:
        return []
    high, low = _MARGIN * page.height, (1 - _MARGIN) * page.height
    first = min(block.top for block in page.blocks) + 2  # a page that ends early has its
    last = max(block.bottom for block in page.blocks) - 2  # footer right below its text
    return [
        at
        for at, block in enumerate(page.blocks)
        if block.lines <= 3
        and (block.bottom < high or block.top > low or block.top < first or block.bottom > last)
    ]


def body_size(pages: Sequence[PageText]) -> float:
    """The type size, in points, in which most of the document's prose is set; 0 for no prose."""
    letters: Counter[float] = Counter()
    for page in pages:
        for block in page.blocks:
            if block.kind != "row":
                letters[round(block.size * 2) / 2] += block.end - block.start
    return letters.most_common(1)[0][0] if letters else 0.0


def headings(pages: Sequence[PageText], skip: set[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """(page index, block index) -> heading level 1 to 6.

    A heading is short, ends without a full stop, and is set larger than the body's type or, in a
    document whose body is not bold, in bold. Levels are ranks of size.
    """
    body = body_size(pages)
    if not body:
        return {}
    bold_letters = sum(b.end - b.start for p in pages for b in p.blocks if b.bold)
    letters = sum(b.end - b.start for p in pages for b in p.blocks)
    bold_tells = bold_letters < 0.4 * letters
    candidates: dict[tuple[int, int], float] = {}
    for number, page in enumerate(pages):
        for at, block in enumerate(page.blocks):
            if (number, at) in skip or block.kind == "row":
                continue
            text = page.text[block.start : block.end]
            if not _can_head(text, block):
                continue
            if block.size >= 1.12 * body:
                candidates[number, at] = round(block.size * 2) / 2 + (0.2 if block.bold else 0)
            elif block.bold and bold_tells and block.size > 0.85 * body:
                candidates[number, at] = body
    # A size that only ever holds one or two letters in a row, or too many blocks, says nothing.
    if len(candidates) > 0.6 * sum(len(page.blocks) for page in pages) and len(candidates) > 12:
        return {}
    sizes = sorted(set(candidates.values()), reverse=True)
    ranks = {size: min(rank, 6) for rank, size in enumerate(_clustered(sizes), start=1)}
    return {key: _rank(size, ranks) for key, size in candidates.items()}


def _clustered(sizes: Sequence[float]) -> list[float]:
    """Sizes, largest first, with those within 4% of the one before left out."""
    kept: list[float] = []
    for size in sizes:
        if not kept or size < 0.96 * kept[-1]:
            kept.append(size)
    return kept


def _rank(size: float, ranks: dict[float, int]) -> int:
    return min((abs(known - size), rank) for known, rank in ranks.items())[1]


def _can_head(text: str, block: Block) -> bool:
    if block.lines > 3 or len(text) > 160 or sum(map(str.isalpha, text)) < 2:
        return False
    if block.kind == "list_item" and not _NUMBERED.match(text):
        return False
    last = text.rstrip("\"'”’)")[-1:]
    if last in ".;,。" and not (len(text) < 60 and _NUMBERED.match(text)):
        return False
    return sum(map(str.isalpha, text)) > 0.4 * len(text)
