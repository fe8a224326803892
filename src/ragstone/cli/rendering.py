"""How hits, answers and traces look on a terminal of 80 columns and in a pipe."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ragstone.cli.output import messages, out, path_shortened, shortened

if TYPE_CHECKING:
    from ragstone.trace import Stage
    from ragstone.types import Answer, Citation, Hit


def print_stage(stage: Stage, *, depth: int) -> None:
    notes = ", ".join(f"{name} {_note(value)}" for name, value in stage.notes.items())
    indent = "  " * depth
    click.echo(f"{indent}{stage.name:<{24 - len(indent)}}{stage.ms:9.1f} ms  {notes}")
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
    names = sorted({name for hit in hits for name in hit.scores})
    columns = "".join(f" {name:>9}" for name in names)
    click.secho(f"Passages\n{'rank':>6} {'score':>7}{columns}  passage", bold=True)
    room = max(out().width - 16 - 10 * len(names), 16)
    for hit in hits:
        scores = "".join(
            f" {hit.scores[name]:>9.3f}" if name in hit.scores else f" {'-':>9}" for name in names
        )
        place = f"{Path(hit.document.source).name}: {hit.passage.text}"
        click.echo(f"{hit.rank:>6} {hit.score:>7.3f}{scores}  {shortened(place, room)}")


def print_hit(hit: Hit) -> None:
    console = out()
    place = path_shortened(hit.document.source, max(console.width - 20, 30))
    head = click.style(f"{hit.rank:>2}. {place}", bold=True)
    where = _where(hit.document.source, hit.passage.page, hit.passage.heading_path)
    click.echo(f"{head}{where}  {hit.score:.3f}")
    click.echo(f"    {shortened(hit.passage.text, (console.width - 5) * 3)}", nl=True)


def _where(source: str, page: int | None, heading_path: tuple[str, ...]) -> str:
    from ragstone.documents.places import unit_of

    parts = [f"{unit_of(source)} {page}"] if page is not None else []
    if heading_path:
        parts.append(" › ".join(shortened(heading, 40) for heading in heading_path[-2:]))
    return f", {', '.join(parts)}" if parts else ""


def print_answer(answer: Answer, *, text_shown: bool) -> None:
    width = min(out().width, 100)

    def paragraph(text: str, indent: str = "") -> None:
        for line in text.splitlines() or [""]:
            click.echo(
                textwrap.fill(
                    line,
                    width,
                    initial_indent=indent,
                    subsequent_indent=indent,
                    break_long_words=False,
                    break_on_hyphens=False,
                )
            )

    if answer.abstention is not None:
        click.secho("The documents do not answer this.", bold=True)
        paragraph(answer.abstention.reason)
        if answer.abstention.nearest:
            click.echo("\nNearest passages:")
            for citation in answer.abstention.nearest:
                _print_citation(citation, "-", paragraph)
    else:
        if not text_shown:
            paragraph(answer.text)
        else:
            click.echo()
        for remark in (*answer.conflicts, *([answer.missing] if answer.missing else [])):
            click.echo()
            paragraph(remark)
        click.echo()
        for number, citation in enumerate(answer.citations, start=1):
            _print_citation(citation, f"[{number}]", paragraph)
    if answer.removed:
        click.secho(f"\n{len(answer.removed)} unproved statement(s) removed:", dim=True)
        for claim in answer.removed:
            paragraph(f"{claim.text} ({claim.reason})", indent="    ")
    _print_footer(answer)


def print_citations(found: Sequence[Citation]) -> None:
    """Numbered quotes with their places."""

    def paragraph(text: str, indent: str = "") -> None:
        width = min(out().width, 100)
        click.echo(textwrap.fill(text, width, initial_indent=indent, subsequent_indent=indent))

    for number, citation in enumerate(found, start=1):
        _print_citation(citation, f"[{number}]", paragraph)


def _print_citation(citation: Citation, mark: str, paragraph: Callable[..., None]) -> None:
    place = path_shortened(citation.source, 60)
    where = _where(citation.source, citation.page, citation.heading_path)
    click.secho(f"{mark} {place}{where}", fg="cyan")
    quote = " ".join(citation.quote.split())
    paragraph(f"“{quote}”", "    ")


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
    messages().print(f"[dim]{' · '.join(parts)}[/]")
