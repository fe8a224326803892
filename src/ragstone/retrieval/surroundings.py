"""What stands around a hit in its document: neighbouring text, and the section it is in.

Law: every span that comes back contains the passage's and is a span of the document's text.
"""

from __future__ import annotations

from ragstone.types import Document, Passage, Span


def neighbourhood(document: Document, passage: Passage, *, before: int = 1, after: int = 1) -> Span:
    """The passage with up to so many paragraphs (or other blocks) before and after it.

    Where the document tells no structure, blank lines part it.
    """
    blocks = [
        element.span
        for element in document.elements
        if element.kind in ("paragraph", "list_item", "table", "code", "quote", "heading")
        and len(element.span)
    ] or _parted(document.text)
    ahead = [span for span in blocks if span.end <= passage.span.start]
    behind = [span for span in blocks if span.start >= passage.span.end]
    ahead.sort(key=lambda span: span.start)
    behind.sort(key=lambda span: span.start)
    start = min([passage.span.start, *(span.start for span in ahead[-before:] if before)])
    end = max([passage.span.end, *(span.end for span in behind[:after] if after)])
    return Span(start, end)


def section(document: Document, passage: Passage) -> Span:
    """From the heading that rules the passage to the next one of its level or above.

    The whole document where no heading stands before the passage; a passage over several
    sections is in the one that holds all of it.
    """
    headings = sorted(
        (element for element in document.elements if element.kind == "heading"),
        key=lambda element: element.span.start,
    )
    ruling = [heading for heading in headings if heading.span.start <= passage.span.start]
    while ruling:
        heading = ruling.pop()
        following = (
            other.span.start
            for other in headings
            if other.span.start > heading.span.start and other.level <= heading.level
        )
        span = Span(heading.span.start, next(following, len(document.text)))
        if span.contains(passage.span):
            return span
    return Span(0, len(document.text))


def _parted(text: str) -> list[Span]:
    spans = []
    at = 0
    for piece in text.split("\n\n"):
        if piece.strip():
            spans.append(Span(at, at + len(piece)))
        at += len(piece) + 2
    return spans
