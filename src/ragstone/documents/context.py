"""What is embedded around a passage, and never stored: title, headings, a table's header.

Law: the passage's own text stands at the end, unchanged; the same document gives the same words
whether it was just read or comes out of a corpus.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from operator import attrgetter

from ragstone.types import Document, Passage

MAX_HEADER = 300  # characters of a table's header that are repeated
_CELLS = re.compile(r"\s*\|\s*|\s{2,}")


def embedding_text(title: str, passage: Passage, *, header: str = "") -> str:
    """What is embedded for a passage: title and headings in front of its text.

    A heading that the passage itself begins with is not said twice. `header` is a table's header
    that stands above the passage (`table_header`), said between the two.
    """
    names: list[str] = []
    for name in (title, *passage.heading_path):
        if name and name not in names and not passage.text.startswith(name):
            names.append(name)
    return "\n".join(filter(None, (" > ".join(names), header, passage.text)))


def table_header(document: Document, passage: Passage) -> str:
    """The names of the columns for a passage that begins inside a table below its header.

    Only where the text keeps the header's own rows, as elements of level 0: Markdown and
    reStructuredText, whose rows name no columns, and PDF, where the header also says the measure
    ("in millions"). Everywhere else each row says its columns' names itself, and this is "".
    """
    elements = document.elements
    at = bisect_right(elements, passage.span.start, key=attrgetter("span.start")) - 1
    if at < 0 or elements[at].kind != "row" or elements[at].span.end <= passage.span.start:
        at += 1  # the passage may begin with the rule above a row
    if (
        at >= len(elements)
        or elements[at].kind != "row"
        or elements[at].span.start >= passage.span.end
        or any(map(str.isalnum, document.text[passage.span.start : elements[at].span.start]))
    ):
        return ""
    first = at - elements[at].level  # its own number says how far below the header it stands
    if (
        elements[at].level < 1
        or first < 0
        or elements[first].kind != "row"
        or elements[first].level != 0
    ):
        return ""
    begin = first
    while begin > 0 and elements[begin - 1].kind == "row" and elements[begin - 1].level == 0:
        begin -= 1
    lines = [
        "; ".join(filter(None, _CELLS.split(header.span.of(document.text).strip("|+ \t"))))
        for header in elements[begin : first + 1]
    ]
    return "\n".join(lines)[:MAX_HEADER]
