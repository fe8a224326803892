"""What every form of a manuscript shows alike: joints between quotes, places, links, counts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from urllib.parse import quote as percent_encoded

from ragstone.applications.writing.manuscript import Block, Manuscript, Source, Statement, place_of
from ragstone.documents.places import unit_of
from ragstone.text.wording import called
from ragstone.types import Citation, Span

GAP = "[…]"  # stands where words of the document are left out between two quotes
UNPROVED = "[unproved]"
NOTHING = "The documents hold nothing about this."
_ADJOINING = 3  # characters between two sentences that follow each other


def lines_of(block: Block) -> list[list[Statement]]:
    """The statements that run on in one line; list items and rows have lines of their own."""
    lines: list[list[Statement]] = []
    for statement in block.statements:
        if statement.form != "sentence" or not lines or lines[-1][-1].form != "sentence":
            lines.append([statement])
        else:
            lines[-1].append(statement)
    return lines


def gaps(line: Sequence[Statement]) -> list[bool]:
    """For each statement of a line: whether words are left out before it, between two quotes."""
    found = [False]
    for one, other in pairwise(line):
        if not (one.quoted and other.quoted):
            found.append(False)
            continue
        before, after = one.citations[-1], other.citations[0]
        adjoin = (
            before.document_id == after.document_id
            and 0 <= after.span.start - before.span.end <= _ADJOINING
        )
        found.append(not adjoin)
    return found[: len(line)]


def numbers_of(statement: Statement, numbers: dict[tuple[str, Span], int]) -> list[int]:
    """The note numbers of a statement, each once."""
    return list(dict.fromkeys(numbers[place_of(citation)] for citation in statement.citations))


def place(citation: Citation) -> str:
    """Where a quote stands, for a reader: title, headings, and page, slide or sheet."""
    title = called(citation.title, citation.source)
    parts = [title]
    path = [head for head in citation.heading_path if head.strip() and head != title]
    if path:
        parts.append(" › ".join(path[-2:]))
    if citation.page is not None:
        parts.append(f"{unit_of(citation.source)} {citation.page}")
    return ", ".join(" ".join(part.split()) for part in parts)


def link(source: str, page: int | None = None) -> str:
    """A link to a source: its URL, or a file URI with the page where it has pages; "" for an
    id that is neither."""
    if source.startswith(("http://", "https://")):
        return source
    if not source.startswith("/") and not (len(source) > 2 and source[1] == ":"):
        return ""
    path = source.partition("#")[0].replace("\\", "/")
    fragment = f"#page={page}" if page is not None and path.lower().endswith(".pdf") else ""
    return (
        f"file://{'' if path.startswith('/') else '/'}{percent_encoded(path, safe='/:')}{fragment}"
    )


def described(manuscript: Manuscript) -> str:
    """What the manuscript is, in one line: how many statements, from what, by whom."""
    statements = manuscript.statements
    quoted = sum(statement.quoted for statement in statements)
    unproved = sum(not statement.stands for statement in statements)
    by = "quotes only" if quoted == len(statements) else f"written by {manuscript.model}"
    sources = len(manuscript.sources)
    parts = [
        f"{len(statements)} statements ({quoted} quoted) from {_counted(sources)}",
        by,
        f"corpus version {manuscript.version}",
    ]
    if unproved:
        parts.insert(1, f"{unproved} unproved and marked")
    return " · ".join(parts)


def _counted(documents: int) -> str:
    return "1 document" if documents == 1 else f"{documents} documents"


def source_line(source: Source) -> str:
    """A line of the bibliography: who, title, when, where."""
    who = str(source.metadata.get("author", "")).strip()
    when = str(source.metadata.get("date", "")).strip()[:10]
    title = called(source.title, source.source)
    parts = [part for part in (who, title, when) if part]
    return " ".join(p if p.endswith((".", "?", "!", "…")) else f"{p}." for p in parts) + (
        f" {source.source}"
    )


def notes_of_source(manuscript: Manuscript, source: Source) -> list[int]:
    """The numbers of the notes that cite a source."""
    return [
        note.number
        for note in manuscript.notes()
        if note.citation.document_id == source.document_id
    ]


def noted(numbers: Sequence[int]) -> str:
    """`note 3` or `notes 1–3, 5`."""
    return f"{'note' if len(numbers) == 1 else 'notes'} {ranges(numbers)}"


def labelled(label: str) -> str:
    """A block's label before what stands under it; one that ends in a mark keeps that."""
    return label if label.endswith(("?", "!", ":", "？", "！")) else f"{label}:"


def ranges(numbers: Sequence[int]) -> str:
    """1, 2, 3, 5 as `1–3, 5`."""
    parts: list[str] = []
    start = previous = None
    for number in (*sorted(numbers), None):
        if previous is not None and number == previous + 1:
            previous = number
            continue
        if start is not None:
            parts.append(f"{start}" if start == previous else f"{start}–{previous}")
        start = previous = number
    return ", ".join(parts)
