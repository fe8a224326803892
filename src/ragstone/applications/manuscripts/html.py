"""Manuscripts as one HTML file: nothing is asked of any other place, and no script runs.

Each note number opens its quote over the page (the popover of HTML); without popovers, and in
print, it leads to the notes at the end. Light and dark follow the reader's system.
"""

from __future__ import annotations

import html as markup
from pathlib import Path

from ragstone.applications.manuscripts.notes import (
    GAP,
    NOTHING,
    UNPROVED,
    described,
    gaps,
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
from ragstone.types import Citation, Span

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
STYLE = (Path(__file__).parent / "manuscript.css").read_text(encoding="utf-8")

_LONGEST_LAST = 24  # characters of a word that may not be parted from its note


def html(manuscript: Manuscript) -> str:
    """The whole manuscript as a self-contained page."""
    title = markup.escape(manuscript.title)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f"<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n"
        f"{_body(manuscript)}\n</body>\n</html>\n"
    )


def fragment(manuscript: Manuscript) -> str:
    """The manuscript for a notebook's cell: the same page, kept to itself."""
    page = markup.escape(html(manuscript), quote=True)
    return (
        f'<iframe srcdoc="{page}" style="width:100%;height:36rem;border:0" sandbox '
        f'title="{markup.escape(manuscript.title)}"></iframe>'
    )


def _body(manuscript: Manuscript) -> str:
    numbers = manuscript.numbers()
    parts = [
        "<main>",
        f"<header><h1>{markup.escape(manuscript.title)}</h1>",
        f'<p class="about">{markup.escape(described(manuscript))}</p></header>',
    ]
    if len(manuscript.shown) > 2 and not manuscript.outline.items:
        parts.append('<nav aria-label="Contents"><ol>')
        for place_, section in enumerate(manuscript.shown, start=1):
            parts.append(f'<li><a href="#s{place_}">{markup.escape(section.heading)}</a></li>')
        parts.append("</ol></nav>")
    if manuscript.outline.items:
        parts.append(_table(manuscript, numbers))
    else:
        for place_, section in enumerate(manuscript.shown, start=1):
            parts.append(f'<section id="s{place_}"><h2>{markup.escape(section.heading)}</h2>')
            if not section.blocks:
                parts.append(f'<p class="nothing">{NOTHING}</p>')
            parts += [_block(block, numbers) for block in section.blocks]
            parts.append("</section>")
    parts.append("</main>")
    if numbers:
        parts.append(_ends(manuscript))
    return "\n".join(parts)


def _block(block: Block, numbers: dict[tuple[str, Span], int]) -> str:
    parts = [f'<p class="label">{markup.escape(block.label)}</p>'] if block.label else []
    lines: list[str] = []
    listing = False
    for line in lines_of(block):
        item = line[0].form != "sentence"
        if item != listing:
            lines.append("<ul>" if item else "</ul>")
            listing = item
        texts = [
            (f'<span class="gap">{GAP}</span> ' if gap else "") + _stated(statement, numbers)
            for gap, statement in zip(gaps(line), line, strict=True)
        ]
        tag = "li" if item else "p"
        lines.append(f"<{tag}>{' '.join(texts)}</{tag}>")
    if listing:
        lines.append("</ul>")
    inside = "\n".join(lines)
    parts.append(f"<blockquote>\n{inside}\n</blockquote>" if block.quoted else inside)
    return "\n".join(parts)


def _stated(statement: Statement, numbers: dict[tuple[str, Span], int]) -> str:
    """The statement with its notes. The last word and the numbers stay on one line."""
    marks = "".join(reference(number) for number in numbers_of(statement, numbers))
    kind = "stated" if statement.stands else "stated unproved"
    before, _, last = statement.text.rpartition(" ")
    if not marks or not before or "`" in last or len(last) > _LONGEST_LAST:
        shown = f'<span class="{kind}">{_worded(statement.text)}</span>'
        return shown + (marks or f" <strong>{UNPROVED}</strong>")
    return (
        f'<span class="{kind}">{_worded(before)} '
        f'<span class="last">{markup.escape(last)}{marks}</span></span>'
    )


def _worded(text: str) -> str:
    """A statement with its code set as code."""
    return "".join(
        f"<code>{markup.escape(part)}</code>" if code else markup.escape(part)
        for part, code in code_parts(text)
    )


def reference(number: int) -> str:
    """A note's number as a button that opens its quote."""
    return (
        f'<sup><button type="button" popovertarget="q{number}" '
        f'aria-label="Note {number}">{number}</button></sup>'
    )


def opened(number: int, citation: Citation) -> str:
    """What a note's number opens: the place, the quote, and the way to the document."""
    url = link(citation.source, citation.page)
    where = markup.escape(place(citation))
    head = f'<a href="{markup.escape(url, quote=True)}">{where}</a>' if url else where
    return (
        f'<div popover id="q{number}" class="note" role="note"><p class="place">'
        f"<b>{number}</b> {head}</p>"
        f"<blockquote>{markup.escape(citation.quote.strip())}</blockquote>"
        f'<p class="source">{markup.escape(citation.source)}, characters '
        f"{citation.span.start}–{citation.span.end}, version {citation.version}</p></div>"
    )


def _table(manuscript: Manuscript, numbers: dict[tuple[str, Span], int]) -> str:
    heads = "".join(
        f'<th scope="col">{markup.escape(item.heading)}</th>' for item in manuscript.outline.items
    )
    rows = []
    for section in manuscript.shown:
        cells = "".join(
            f'<td data-item="{markup.escape(block.label, quote=True)}">'
            f"{' '.join(_stated(s, numbers) for s in block.statements) or '—'}</td>"
            for block in section.blocks
        )
        rows.append(f'<tr><th scope="row">{markup.escape(section.heading)}</th>{cells}</tr>')
    return (
        f'<div class="wide" tabindex="0"><table><thead><tr><td></td>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _ends(manuscript: Manuscript) -> str:
    """Bibliography, notes for print, and the quotes that the numbers open."""
    parts = ['<footer><section id="sources"><h2>Sources</h2><ul>']
    for source in manuscript.sources:
        url = link(source.source)
        line = markup.escape(source_line(source))
        shown = f'<a href="{markup.escape(url, quote=True)}">{line}</a>' if url else line
        cited = noted(notes_of_source(manuscript, source))
        parts.append(f"<li>{shown} <small>({cited})</small></li>")
    parts.append('</ul></section><section id="notes"><h2>Notes</h2><ol>')
    notes = manuscript.notes()
    for note in notes:
        quote = markup.escape(" ".join(note.citation.quote.split()))
        where = markup.escape(place(note.citation))
        parts.append(f'<li id="n{note.number}">{where}: <q>{quote}</q></li>')
    parts.append("</ol></section></footer>")
    parts += [opened(note.number, note.citation) for note in notes]
    return "\n".join(parts)
