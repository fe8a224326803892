"""`list` and `show`: what a corpus holds."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ragstone.cli.options import Common, common, where_option
from ragstone.cli.output import counted, emit_json, path_shortened, say, shortened, terminal_width
from ragstone.errors import UsageError

if TYPE_CHECKING:
    from ragstone.types import Document, Element, Span


@click.command("list")
@where_option
@click.option("--at", "at", metavar="VERSION", help="As of an earlier version or tag.")
@common
def list_documents(common: Common, where: str | None, at: str | None) -> None:
    """List the documents of the corpus."""
    from ragstone.applications.wire import document_info_json

    with common.open() as corpus:
        documents = corpus.documents(where=where, at=at)
    if common.as_json:
        emit_json({"documents": [document_info_json(info) for info in documents]})
        return
    if not documents:
        say("The corpus holds no documents that fit." if where else "The corpus is empty.")
        return
    titled = terminal_width() > 100
    room = max(terminal_width() - 34 - 32 * titled, 20)
    click.secho(f"{'id':<13} {'format':<9} {'passages':>8}  document", bold=True)
    for info in documents:
        place = path_shortened(info.source, room)
        title = f"  {shortened(info.title, 30)}" if titled else ""
        columns = f"{shortened(info.id, 13):<13} {shortened(info.format, 9):<9}"
        click.echo(f"{columns} {info.passages:>8}  {place:<{room if titled else 0}}{title}")
    passages = sum(info.passages for info in documents)
    say(f"{counted(len(documents), 'document')}, {counted(passages, 'passage')}")


@click.command()
@click.argument("document")
@click.option("--page", type=click.IntRange(1), help="Only this page, slide or sheet.")
@click.option("--span", metavar="START:END", help="Only this span of code points.")
@click.option(
    "--highlight",
    metavar="START:END",
    multiple=True,
    help="Mark this span and say where it stands.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --page of a PDF: draw the page, with what is highlighted, to this PNG file.",
)
@click.option("--at", "at", metavar="VERSION", help="As of an earlier version or tag.")
@common
def show(
    common: Common,
    document: str,
    page: int | None,
    span: str | None,
    highlight: tuple[str, ...],
    output: Path | None,
    at: str | None,
) -> None:
    """Show DOCUMENT: an id, a source, or a unique ending of a source."""
    from ragstone.applications.wire import document_json
    from ragstone.types import Span

    with common.open() as corpus:
        found = corpus.document(document, at=at)
        marks = [_span(text, len(found.text)) for text in highlight]
        shown = Span(0, len(found.text))
        if page is not None:
            shown = _page_span(found.elements, page, found.source)
        if span is not None:
            shown = _span(span, len(found.text))
        if output is not None:
            if page is None and marks:
                page = _page_of(found.elements, marks[0])
            if page is None:
                raise UsageError("--output draws one page.", remedy="Name it with --page N.")
            output.write_bytes(corpus.page_image(found, page, marks))
            if common.as_json:
                emit_json({"document_id": found.id, "page": page, "file": str(output)})
            else:
                say(f"Drew page {page} to {output}.")
            return
    if common.as_json:
        emit_json({**document_json(found), "shown": {"start": shown.start, "end": shown.end}})
        return
    click.secho(f"{found.title or found.source}", bold=True)
    click.secho(f"{found.source}  {found.format}  {len(found.text)} characters", dim=True)
    for name, value in found.metadata.items():
        click.secho(f"{name}: {value}", dim=True)
    for mark in marks:
        click.secho(f"{mark.start}:{mark.end} is {_place(found, mark)}", fg="cyan")
    click.echo()
    click.echo(_marked(found.text, shown, marks))


def _place(document: Document, span: Span) -> str:
    """Where a person finds the span: page, slide, sheet and row, or line; under which headings."""
    from ragstone.documents import place_of

    place = place_of(document, span)
    parts = filter(None, (place.words(), " › ".join(place.headings)))
    return ", ".join(parts) or "in the text's only part"


def _page_of(elements: Sequence[Element], span: Span) -> int | None:
    pages = [part for part in elements if part.kind == "page" and part.span.overlaps(span)]
    return pages[0].level if pages else None


def _page_span(elements: Sequence[Element], page: int, source: str) -> Span:
    from ragstone.types import Span

    kinds = ("page", "slide", "sheet")
    parts = [element for element in elements if element.kind in kinds]
    if not 1 <= page <= len(parts):
        held = f"It has {len(parts)}." if parts else "It has no pages."
        raise UsageError(f"There is no page {page} in {source}.", remedy=held)
    numbered = [part for part in parts if part.level == page]
    span = (numbered or [parts[page - 1]])[0].span
    return Span(span.start, span.end)


def _span(words: str, characters: int) -> Span:
    from ragstone.types import Span

    start, colon, end = words.partition(":")
    try:
        span = Span(int(start), int(end))
    except ValueError:
        colon = ""
    if not colon or span.end > characters:
        raise UsageError(
            f"`{words}` is not a span of this document.",
            remedy=f"Spans are START:END in characters, 0 <= START <= END <= {characters}.",
        )
    return span


def _marked(text: str, shown: Span, marks: Sequence[Span]) -> str:
    """The shown part of `text`, the marks reversed on a terminal, in [[ ]] elsewhere."""
    pieces: list[str] = []
    position = shown.start
    for mark in sorted(marks):
        start, end = max(mark.start, position), min(mark.end, shown.end)
        if start >= end:
            continue
        pieces.append(text[position:start])
        inside = text[start:end]
        terminal = sys.stdout.isatty()
        pieces.append(click.style(inside, reverse=True) if terminal else f"[[{inside}]]")
        position = end
    pieces.append(text[position : shown.end])
    return "".join(pieces)


COMMANDS = (list_documents, show)
