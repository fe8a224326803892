"""A section in the documents' own words: quotes grouped by where they stand, in order.

Law: every statement is a quote with its citation; a label names a place and states nothing.
Documents are ordered by their date where they have one, else by the numbers of their files, else by
what bears most on the section; within a document the order is the document's. Items of a list come
after the line that opens it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ragstone.applications.writing.headings import is_generic, readable
from ragstone.applications.writing.manuscript import Block, Statement
from ragstone.applications.writing.material import Piece
from ragstone.applications.writing.order import are_numbered, number_of
from ragstone.applications.writing.standing import leans
from ragstone.grounding.citations import cite
from ragstone.text.wording import called, worded
from ragstone.types import Evidence, Span

_UNIT = re.compile(r"\(([^()\d]{3,40})\)")


def compose(pieces: Sequence[Piece], *, heading: str = "") -> tuple[Block, ...]:
    """The pieces as blocks, one for each section of each document."""
    groups: dict[tuple[str, tuple[str, ...]], list[Piece]] = {}
    for piece in pieces:
        item = piece.evidence
        groups.setdefault((item.document.id, item.heading_path), []).append(piece)
    documents: dict[str, int] = {}
    for piece in pieces:
        documents.setdefault(piece.evidence.document.id, len(documents))
    for group in groups.values():
        group.sort(key=lambda piece: piece.evidence.span.start)

    def order(key: tuple[str, tuple[str, ...]]) -> tuple[str, int, int]:
        first = groups[key][0].evidence
        return (date_of(first), documents[key[0]], first.span.start)

    dated = all(date_of(group[0].evidence) for group in groups.values())
    sources = [group[0].evidence.document.source for group in groups.values()]
    numbered = not dated and are_numbered(sources)
    if numbered:
        by_number = sorted(documents, key=lambda name: number_of(_source(name, groups)))
        documents = {name: place for place, name in enumerate(by_number)}
    keys = sorted(groups, key=lambda key: order(key) if dated else ("", *order(key)[1:]))
    blocks: list[Block] = []
    before = ""
    for key in keys:
        first = groups[key][0].evidence
        shown = label(first, heading, titled=key[0] != before)
        if not blocks and shown.casefold() == heading.casefold():
            shown = ""  # the heading has just said it
        unit = unit_of_rows(groups[key])
        shown += f" ({unit})" if unit else ""
        statements = tuple(_with_openings(groups[key]))
        if blocks and (shown == blocks[-1].label or not shown):
            blocks[-1] = Block((*blocks[-1].statements, *statements), blocks[-1].label)
        else:
            blocks.append(Block(statements, shown))
        before = key[0]
    return tuple(blocks)


def _source(document_id: str, groups: Mapping[tuple[str, tuple[str, ...]], list[Piece]]) -> str:
    return next(g[0].evidence.document.source for key, g in groups.items() if key[0] == document_id)


def _with_openings(pieces: Sequence[Piece]) -> Iterator[Statement]:
    """The pieces as statements, each list after the line that opens it ("It takes:")."""
    opened: set[Span] = set()
    for piece in pieces:
        item = piece.evidence
        if piece.form == "item" and len(item.lead) == 1 and item.lead[0] not in opened:
            (span,) = item.lead
            opened.add(span)
            if not leans(item.lead_text) and span.end <= item.span.start:
                line = replace(item, span=span, text=item.lead_text, lead=(), lead_text="")
                yield quoted(replace(piece, evidence=line, form="sentence"))
        yield quoted(piece)


def unit_of_rows(pieces: Sequence[Piece]) -> str:
    """What a table's header says of all its figures in brackets: "Millions"; "" for nothing."""
    units = {
        match[1]
        for piece in pieces
        if piece.form == "row" and (match := _UNIT.search(piece.evidence.lead_text))
    }
    return units.pop() if len(units) == 1 else ""


def quoted(piece: Piece) -> Statement:
    """A piece as a statement: its words on one line, true by being a quote."""
    text = worded(piece.evidence.text, piece.evidence.document.format)
    cited = (cite(piece.evidence),)
    return Statement(text, "supported", "quoted", 1.0, True, piece.form, cited)


def label(item: Evidence, heading: str = "", *, titled: bool = True) -> str:
    """Where a quote stands: title, section and page. The section's own heading is not repeated,
    nor the title where the quote before is `titled` with it."""
    title = readable(called(item.document.title, item.document.source)) or item.document.source
    parts = [title] if titled else []
    inner = [name for name in map(readable, item.heading_path) if name]
    if inner and inner[-1].casefold() not in {title.casefold(), heading.casefold()}:
        last = inner[-1]
        if is_generic(last) and len(inner) > 1 and inner[-2].casefold() != title.casefold():
            last = f"{inner[-2]}, {last}"
        parts.append(f"“{last}”")
    if item.page is not None:
        parts.append(f"page {item.page}")
    return ", ".join(parts)


def date_of(item: Evidence) -> str:
    """The document's date where it tells one, as written in its metadata."""
    return str(item.document.metadata.get("date", ""))
