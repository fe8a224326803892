"""How hits, answers and traces look on a terminal of 80 columns and in a pipe."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ragstone.cli.output import UNBROKEN, counted, path_shortened, shortened, terminal_width
from ragstone.grounding.claims import without_markers
from ragstone.text.wording import worded

if TYPE_CHECKING:
    from ragstone.trace import Stage
    from ragstone.types import Answer, Citation, Hit

MOST_COLUMNS = 100  # a longer line is hard to read, however wide the terminal


def print_stage(stage: Stage, *, depth: int) -> None:
    said = {name: _note(value) for name, value in stage.notes.items()}
    notes = ", ".join(f"{name} {note}" for name, note in said.items() if note)
    indent = "  " * depth
    click.echo(f"{indent}{stage.name:<{24 - len(indent)}}{stage.ms:9.1f} ms  {notes}".rstrip())
    for inner in stage.stages:
        print_stage(inner, depth=depth + 1)


def _note(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, dict):
        return " ".join(f"{name}={number:.3f}" for name, number in value.items())
    if isinstance(value, list):
        return " ".join(str(item) for item in value)
    return str(value)


def print_scores(hits: Sequence[Hit]) -> None:
    """A table of hits with the score that each stage gave."""
    widths = {name: max(len(name), 6) for name in sorted({n for hit in hits for n in hit.scores})}
    columns = "".join(f" {name:>{width}}" for name, width in widths.items())
    click.secho(f"Passages\n{'rank':>4} {'score':>6}{columns}  passage", bold=True)
    room = max(terminal_width() - len(columns) - 13, 16)
    for hit in hits:
        scores = "".join(
            f" {hit.scores[name]:>{width}.3f}" if name in hit.scores else f" {'-':>{width}}"
            for name, width in widths.items()
        )
        text = _below_headings(hit.passage.text, hit.passage.heading_path)
        place = f"{Path(hit.document.source).name}: {text}"
        click.echo(f"{hit.rank:>4} {hit.score:>6.3f}{scores}  {shortened(place, room)}")


def print_hit(hit: Hit) -> None:
    """One passage: its place and score, and how its text begins, below its headings."""
    width = terminal_width()
    place = path_shortened(hit.document.source, max(width - 20, 30))
    where = _where(hit.document.source, hit.passage.page, hit.passage.heading_path)
    head = textwrap.fill(
        f"{hit.rank:>2}. {hit.score:.3f}  {place}{where}",
        width,
        subsequent_indent=" " * 4,
        **UNBROKEN,
    )
    click.echo(head.replace(place, click.style(place, bold=True), 1))
    text = _below_headings(hit.passage.text, hit.passage.heading_path)
    for line in textwrap.wrap(text, width - 4, max_lines=3, placeholder=" …", **UNBROKEN):
        click.echo(f"    {line}")


def _below_headings(text: str, headings: Sequence[str]) -> str:
    """A passage's text without the headings that its place has named already."""
    lines = [line for line in text.splitlines() if line.strip()]
    named = {" ".join(_letters(heading)) for heading in headings}
    first = next((place for place, line in enumerate(lines) if _is_own(line, named)), None)
    if first is None:  # a heading with nothing below it
        return " ".join(" ".join(line for line in lines if _letters(line)).split())
    return " ".join(" ".join(lines[first:]).split())


def _is_own(line: str, named: set[str]) -> bool:
    words = " ".join(_letters(line))
    return bool(words) and words not in named


def _letters(text: str) -> list[str]:
    """The words of `text` without case, punctuation and the marks of its format."""
    return re.findall(r"\w+", text.casefold())


def _where(source: str, page: int | None, heading_path: tuple[str, ...]) -> str:
    from ragstone.documents.places import unit_of

    parts = [f"{unit_of(source)} {page}"] if page is not None else []
    if heading_path:
        parts.append(" › ".join(shortened(heading, 60) for heading in heading_path[-2:]))
    return f", {', '.join(parts)}" if parts else ""


class Flow:
    """Text that arrives in pieces, broken between words where the terminal's line ends."""

    def __init__(self) -> None:
        self._width = min(terminal_width(), MOST_COLUMNS)
        self._column = 0

    def write(self, text: str) -> None:
        """Print `text` behind what stands already."""
        for piece in re.findall(r"\n|[^\S\n]+|\S+", text):
            if piece == "\n":
                self._column = 0
            elif self._column + len(piece) > self._width and self._column:
                click.echo()
                self._column = 0
                piece = piece.lstrip()
            elif piece.isspace() and not self._column:
                continue
            click.echo(piece, nl=False)
            self._column += len(piece) if piece != "\n" else 0


def print_answer(answer: Answer, *, text_shown: bool) -> None:
    """An answer or a refusal with its citations; the text itself, where it was not streamed.

    A quote that the answer shows word for word is not repeated under its place.
    """
    if answer.abstention is not None:
        click.secho("The documents do not answer this.", bold=True)
        _paragraph(answer.abstention.reason)
        if answer.abstention.nearest:
            click.echo("\nNearest passages:")
            for citation in answer.abstention.nearest:
                _print_place(citation, "-")
                _paragraph(f"“{shortened(citation.quote, 3 * 76)}”", "    ")
    else:
        if not text_shown:
            click.echo(_emphasised(answer))
        else:
            click.echo()
        for remark in (*answer.conflicts, *([answer.missing] if answer.missing else [])):
            click.echo()
            _paragraph(remark)
        click.echo()
        shown = _shown_quotes(answer)
        for number, citation in enumerate(answer.citations, start=1):
            _print_place(citation, f"[{number}]")
            if citation not in shown:
                _paragraph(_quoted(citation.quote), "    ")
    if answer.removed:
        click.secho(f"\n{counted(len(answer.removed), 'unproved statement')} removed:", dim=True)
        for claim in answer.removed:
            _paragraph(f"{claim.text} ({claim.reason})", "    ")
    _print_footer(answer)


def print_citations(found: Sequence[Citation]) -> None:
    """Numbered places with their quotes."""
    for number, citation in enumerate(found, start=1):
        _print_place(citation, f"[{number}]")
        _paragraph(_quoted(citation.quote), "    ")


def _shown_quotes(answer: Answer) -> set[Citation]:
    """The citations whose quote is, letter for letter, the statement that they prove."""
    return {
        citation
        for claim in answer.claims
        for citation in claim.citations
        if _letters(claim.text) in _readings(citation.quote)
    }


def _readings(quote: str) -> list[list[str]]:
    """The words of a quote, as they stand and without the marks that its format may have.

    A statement never holds what looks like a citation's number (`git-rebase[1]`).
    """
    forms = (quote, worded(quote, "restructuredtext"), worded(quote, "markdown"))
    return [_letters(read) for form in forms for read in (form, without_markers(form))]


def _emphasised(answer: Answer) -> str:
    """The answer's text in lines, the words that answer most directly in bold."""
    text = _wrapped(answer.text)
    for span in answer.highlights:
        words = r"\s+".join(map(re.escape, span.of(answer.text).split()))
        text = re.sub(words, lambda found: click.style(found[0], bold=True), text, count=1)
    return text


def _quoted(quote: str) -> str:
    return f"“{' '.join(quote.split())}”"


def _print_place(citation: Citation, mark: str) -> None:
    place = path_shortened(citation.source, 60)
    where = _where(citation.source, citation.page, citation.heading_path)
    line = textwrap.fill(
        f"{mark} {place}{where}", terminal_width(), subsequent_indent="    ", **UNBROKEN
    )
    click.secho(line, fg="cyan")


def _paragraph(text: str, indent: str = "") -> None:
    click.echo(_wrapped(text, indent))


def _wrapped(text: str, indent: str = "") -> str:
    width = min(terminal_width(), MOST_COLUMNS)
    return "\n".join(
        textwrap.fill(line, width, initial_indent=indent, subsequent_indent=indent, **UNBROKEN)
        for line in text.splitlines() or [""]
    )


def _print_footer(answer: Answer) -> None:
    seconds = answer.timings_ms.get("total", 0.0) / 1000
    supported = sum(claim.verdict == "supported" for claim in answer.claims)
    parts = [
        f"{supported} of {len(answer.claims) + len(answer.removed)} statements verified"
        if not answer.abstained
        else "abstained",
        f"confidence {answer.confidence:.2f}",
        "quotes only" if answer.model == "none" else answer.model,
        f"{seconds:.1f} s",
    ]
    click.secho(textwrap.fill(" · ".join(parts), terminal_width(), **UNBROKEN), dim=True, err=True)
