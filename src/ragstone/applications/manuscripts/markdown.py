"""Manuscripts as Markdown with footnotes (the form of GitHub, Pandoc and most readers).

Quotes stand in block quotes, word for word; marks that Markdown would read are escaped.
"""

from __future__ import annotations

import re

from ragstone.applications.manuscripts.notes import (
    GAP,
    NOTHING,
    UNPROVED,
    described,
    gaps,
    labelled,
    lines_of,
    link,
    noted,
    notes_of_source,
    numbers_of,
    place,
    source_line,
)
from ragstone.applications.writing.manuscript import Block, Manuscript, Statement
from ragstone.text.wording import code_parts
from ragstone.types import Span

_MARKS = re.compile(r"[\\`*\[\]<>|]|(?<!\w)_|_(?!\w)|^(?=[#>+-]|\d+[.)]\s)")


def markdown(manuscript: Manuscript) -> str:
    """The whole manuscript: sections, notes, bibliography."""
    numbers = manuscript.numbers()
    lines = [f"# {escaped(manuscript.title)}", "", f"*{described(manuscript)}*"]
    if manuscript.outline.items:
        lines += ["", *_table(manuscript, numbers)]
    else:
        for section in manuscript.shown:
            lines += ["", f"## {escaped(section.heading)}"]
            if not section.blocks:
                lines += ["", f"*{NOTHING}*"]
            for block in section.blocks:
                lines += ["", *_block(block, numbers)]
    if numbers:
        lines += ["", "## Sources", ""]
        for source in manuscript.sources:
            cited = noted(notes_of_source(manuscript, source))
            lines.append(f"- {escaped(source_line(source))} ({cited})")
        lines.append("")
        for note in manuscript.notes():
            citation = note.citation
            url = link(citation.source, citation.page)
            name = escaped(place(citation))
            shown = f"[{name}](<{url}>)" if url else name
            quote = escaped(" ".join(citation.quote.split()))
            span = f"{citation.span.start}–{citation.span.end}"
            lines.append(f"[^{note.number}]: {shown}, characters {span}: “{quote}”")
    return "\n".join(lines) + "\n"


def _block(block: Block, numbers: dict[tuple[str, Span], int]) -> list[str]:
    lines = [f"*{escaped(labelled(block.label))}*", ""] if block.label else []
    before = "> " if block.quoted else ""
    previous = ""
    for line in lines_of(block):
        item = line[0].form != "sentence"
        if previous and not (item and previous == "item"):
            lines.append(before.rstrip())
        parts = [
            f"{GAP} {text}" if gap else text
            for gap, text in zip(gaps(line), (_stated(s, numbers) for s in line), strict=True)
        ]
        lines.append(f"{before}{'- ' if item else ''}{' '.join(parts)}")
        previous = "item" if item else "text"
    return lines


def _stated(statement: Statement, numbers: dict[tuple[str, Span], int]) -> str:
    marks = "".join(f"[^{number}]" for number in numbers_of(statement, numbers))
    return f"{escaped(statement.text)}{marks or f' {UNPROVED}'}"


def _table(manuscript: Manuscript, numbers: dict[tuple[str, Span], int]) -> list[str]:
    heads = [escaped(item.heading) for item in manuscript.outline.items]
    lines = ["| | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|"]
    for section in manuscript.shown:
        cells = [
            " ".join(_stated(s, numbers) for s in block.statements) or "—"
            for block in section.blocks
        ]
        lines.append(f"| **{escaped(section.heading)}** | " + " | ".join(cells) + " |")
    return lines


def escaped(text: str) -> str:
    """Text on one line that Markdown shows as it is; code stays between its backquotes."""
    return "".join(
        f"`{part}`" if code and "|" not in part else _escaped(part)
        for part, code in code_parts(" ".join(text.split()))
    )


def _escaped(text: str) -> str:
    return _MARKS.sub(lambda match: f"\\{match.group()}", text)
