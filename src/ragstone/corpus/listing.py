"""Pages of a list of documents, counted, chosen and ordered in the database.

Law: pages of one version in one order, laid end to end, are the whole list, each document once;
what is held in memory is one page, however many documents there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from ragstone.corpus import rows as row
from ragstone.corpus.truth import Truth, visible
from ragstone.types import DocumentInfo

Order = Literal["title", "newest", "size", "source"]
_ORDERS: dict[Order, str] = {
    "title": "CASE WHEN documents.title = '' THEN documents.source ELSE documents.title END "
    "COLLATE NOCASE",
    "newest": "documents.added DESC",
    "size": "documents.characters DESC",
    "source": "documents.source COLLATE NOCASE",
}
_MOST_WORDS = 20


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the documents that were asked for. `total` fit all of the question; `every` and
    `formats` (documents by format) are of those that pass the filter, whatever the words."""

    documents: tuple[DocumentInfo, ...]
    total: int
    every: int
    formats: Mapping[str, int]


def page(
    truth: Truth,
    version: int,
    condition: tuple[str, Sequence[str | int | float]],
    *,
    words: Sequence[str] = (),
    format: str = "",
    order: Order = "title",
    offset: int = 0,
    limit: int = 50,
) -> Page:
    """`limit` documents from `offset` on that pass `condition` and have all `words` in title or
    source. Case counts for nothing in ASCII; of other letters the cases of a word are tried."""
    sql, parameters = condition
    passing = f"FROM documents WHERE {visible(version)} AND {sql}"
    counted = truth.all(
        f"SELECT documents.format, COUNT(*) {passing} GROUP BY documents.format", parameters
    )
    formats = {str(name): int(cast("int", count)) for name, count in sorted(counted)}
    chosen, wanted = passing, list(parameters)
    for word in words[:_MOST_WORDS]:
        likes = sorted({word, word.lower(), word.upper(), word.capitalize()})
        shown = "documents.title || char(10) || documents.source"
        either = " OR ".join([f"{shown} LIKE ? ESCAPE '\\'"] * len(likes))
        chosen += f" AND ({either})"
        wanted += [f"%{_escaped(like)}%" for like in likes]
    if format:
        chosen += " AND documents.format = ?"
        wanted.append(format)
    every = sum(formats.values())
    total = every
    if chosen is not passing:
        total = int(cast("int", truth.all(f"SELECT COUNT(*) {chosen}", wanted)[0][0]))
    found = truth.all(
        f"SELECT {row.DOCUMENT_COLUMNS} {chosen} ORDER BY {_ORDERS[order]}, documents.source, "
        "documents.id LIMIT ? OFFSET ?",
        [*wanted, limit, offset],
    )
    infos = tuple(row.document_info(cast("row.DocumentRow", item)) for item in found)
    return Page(infos, total, every, formats)


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
