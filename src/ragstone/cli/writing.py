"""`write`: a text to a brief, with a note for every sentence; and the check of an edited one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import click

from ragstone.cli.models import download_bar
from ragstone.cli.options import Common, common, llm_option, where_option
from ragstone.cli.output import emit_json, say, shortened
from ragstone.cli.progress import ProgressLine
from ragstone.errors import UsageError

if TYPE_CHECKING:
    from ragstone.applications.wire import Json, JsonObject
    from ragstone.applications.writing.brief import Brief
    from ragstone.applications.writing.checking import CheckReport
    from ragstone.applications.writing.composing import WriteEvent
    from ragstone.applications.writing.ledger import Ledger
    from ragstone.applications.writing.manuscript import Kind, Manuscript
    from ragstone.build import Corpus

ABSTAINED = 4
SOME_FAILED = 3
FORMS = (".md", ".markdown", ".html", ".htm", ".docx")
FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("brief", required=False)
@click.option(
    "--output", "-o", type=FILE, help="FILE.md, .html or .docx; Markdown is printed else."
)
@click.option(
    "--kind",
    type=click.Choice(["report", "summary", "briefing", "faq", "table"]),
    default="report",
    show_default=True,
    help="What to write; a summary is of one document or of --where.",
)
@click.option("--outline", type=FILE, help="Your own outline: a heading a line, questions below.")
@click.option("--sections", type=click.IntRange(1, 60), help="How many sections to plan.")
@click.option("--length", type=click.IntRange(50, 20_000), metavar="WORDS", help="About how long.")
@click.option("--audience", default="", help="For whom, as you would tell a writer.")
@click.option("--style", default="", help="How it should read, e.g. 'plain, short sentences'.")
@click.option(
    "--failed",
    type=click.Choice(["drop", "mark"]),
    default="drop",
    show_default=True,
    help="What becomes of a drafted sentence that is not proved.",
)
@click.option("--plan", is_flag=True, help="Print the outline, to be edited for --outline.")
@click.option("--fresh", is_flag=True, help="Begin anew, whatever stands in the ledger.")
@click.option("--ledger", type=FILE, help="The claim ledger.  [default: FILE.ledger.json]")
@click.option("--check", "check_", type=FILE, help="Verify what was edited in this FILE.")
@llm_option
@where_option
@common
def write(
    common: Common,
    brief: str | None,
    output: Path | None,
    kind: str,
    outline: Path | None,
    sections: int | None,
    length: int | None,
    audience: str,
    style: str,
    failed: str,
    plan: bool,
    fresh: bool,
    ledger: Path | None,
    check_: Path | None,
    llm: str | None,
    where: str | None,
) -> int:
    """Write a text to BRIEF from the documents, each sentence with its note.

    The claim ledger beside the output lists every sentence with its evidence and verdict. What
    was interrupted goes on from it. Exits with 4 when the documents hold nothing for BRIEF,
    and --check with 3 when an edited sentence is not proved.
    """
    from ragstone.applications.writing import brief as briefs

    if check_ is not None:
        return _check(common, check_, ledger or _beside(check_))
    if brief is None:
        raise UsageError("There is no BRIEF.", remedy='For example: ragstone write "The lamp".')
    if output is not None and output.suffix.lower() not in FORMS:
        raise UsageError(
            f"{output} is of no kind that can be written.", remedy=f"Use {', '.join(FORMS)}."
        )
    asked = briefs.brief(
        brief,
        kind=cast("Kind", kind),
        sections=sections,
        words=length,
        audience=audience,
        style=style,
        failed_claims=cast('Literal["drop", "mark"]', failed),
    )
    own = _read(outline) if outline is not None else None
    place = ledger or (_beside(output) if output is not None else None)
    with common.open(llm=llm) as corpus:
        if plan:
            return _print_plan(common, corpus, asked, own, where)
        written = _write(corpus, asked, own, where, place, fresh=fresh)
    manuscript = written.manuscript
    if output is not None and not manuscript.abstained:
        _save(manuscript, output)
    if common.as_json:
        from ragstone.applications.writing.ledger import ledger_json

        emit_json(ledger_json(written))
    elif output is None and not manuscript.abstained:
        from ragstone.applications.manuscripts.markdown import markdown

        click.echo(markdown(manuscript), nl=False)
    _say_counts(manuscript, output)
    return ABSTAINED if manuscript.abstained else 0


def _write(
    corpus: Corpus,
    asked: Brief,
    outline: str | None,
    where: str | None,
    place: Path | None,
    *,
    fresh: bool,
) -> Ledger:
    """Write, or go on with what stands in the ledger; it is saved after each section."""
    from ragstone.applications.writing.composing import Written
    from ragstone.applications.writing.ledger import Ledger, asked_of, load, save

    with download_bar() as on_progress:
        model = corpus.model(on_progress=on_progress)
    digest = asked_of(
        asked,
        model=model.name if model else "none",
        where=where or "",
        outline=outline or "",
        version=corpus.store.head(),
    )
    before: Ledger | None = None
    if place is not None and place.exists() and not fresh:
        before = load(place)
        if before.asked != digest:
            raise UsageError(
                f"{place} belongs to another brief, model or corpus version "
                f"({shortened(before.manuscript.brief, 40)!r}).",
                remedy="Name another --output, or begin anew with --fresh.",
            )
        if before.complete:
            say("Nothing to write: the ledger is complete. --fresh begins anew.")
            return before
    written: Ledger | None = None
    with _progress() as show:
        events = corpus.write_stream(
            asked, outline=outline, where=where, resume=before.manuscript if before else None
        )
        for event in events:
            show(event)
            manuscript = getattr(event, "manuscript", None)
            if manuscript is not None:
                written = Ledger(manuscript, digest, complete=isinstance(event, Written))
                if place is not None and manuscript.sections:
                    save(written, place)
    if written is None:  # a stream always ends with Written
        raise click.ClickException("The writing ended early.")
    return written


def _print_plan(
    common: Common, corpus: Corpus, asked: Brief, outline: str | None, where: str | None
) -> int:
    from ragstone.applications.writing.composing import PlanMade
    from ragstone.applications.writing.outline import render

    events = corpus.write_stream(asked, outline=outline, where=where, llm="none")
    for event in events:
        if isinstance(event, PlanMade):
            if common.as_json:
                headings: list[Json] = [planned.heading for planned in event.outline.sections]
                emit_json({"outline": render(event.outline), "sections": headings})
            else:
                click.echo(render(event.outline), nl=False)
            return 0 if event.outline.sections else ABSTAINED
    return ABSTAINED


def _check(common: Common, file: Path, place: Path) -> int:
    from ragstone.applications.manuscripts.reading import read_statements
    from ragstone.applications.writing.ledger import ledger_json, load, save

    ledger = load(place)
    stated = read_statements(file, [s.text for s in ledger.manuscript.statements])
    with common.open() as corpus:
        report = corpus.check(ledger, stated)
    save(report.ledger, place)
    if common.as_json:
        emit_json({**ledger_json(report.ledger), "check": _report_json(report)})
    else:
        _print_report(report)
    return SOME_FAILED if report.failed or report.stale else 0


def _report_json(report: CheckReport) -> JsonObject:
    return {
        "unchanged": report.unchanged,
        "changed": [
            {"text": s.text, "verdict": s.verdict, "reason": s.reason} for s in report.changed
        ],
        "gone": [s.text for s in report.gone],
        "stale": [{"source": c.source, "quote": c.quote} for c in report.stale],
    }


def _print_report(report: CheckReport) -> None:
    for statement in report.changed:
        mark = click.style("proved  ", fg="green") if statement.stands else None
        mark = mark or click.style(f"{statement.verdict:<12}", fg="red")
        click.echo(f"{mark} {statement.text}")
        if statement.reason and not statement.stands:
            click.echo(f"             {statement.reason}")
        for citation in statement.citations:
            click.echo(f"             {citation.source}: “{shortened(citation.quote, 60)}”")
    for citation in report.stale:
        click.secho(f"no longer in {citation.source}: “{shortened(citation.quote, 60)}”", fg="red")
    click.secho(
        f"{report.unchanged} unchanged, {len(report.changed)} judged "
        f"({len(report.failed)} not proved), {len(report.gone)} gone",
        bold=True,
    )


def _save(manuscript: Manuscript, output: Path) -> None:
    from ragstone.applications.writing.ledger import write_whole

    suffix = output.suffix.lower()
    if suffix in (".html", ".htm"):
        from ragstone.applications.manuscripts.html import html

        write_whole(output, html(manuscript).encode("utf-8", "replace"))
    elif suffix == ".docx":
        from ragstone.applications.manuscripts.docx import docx

        write_whole(output, docx(manuscript))
    else:
        from ragstone.applications.manuscripts.markdown import markdown

        write_whole(output, markdown(manuscript).encode("utf-8", "replace"))


def _say_counts(manuscript: Manuscript, output: Path | None) -> None:
    from ragstone.applications.manuscripts.notes import described

    if manuscript.abstained:
        say("The documents hold nothing for this brief.")
        return
    removed = len(manuscript.removed)
    place = f"{output}: " if output is not None else ""
    say(f"{place}{described(manuscript)}; {removed} drafted statements removed")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise UsageError(
            f"The outline {path} cannot be read: {why}.",
            remedy="It is a text file in UTF-8, a heading a line.",
        ) from error


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.ledger.json")


@contextmanager
def _progress() -> Iterator[Callable[[WriteEvent], None]]:
    """A progress line on a terminal; silence in a pipe."""
    from ragstone.applications.writing.composing import PlanMade, SectionWritten

    sections = 0
    with ProgressLine() as line:

        def show(event: WriteEvent) -> None:
            nonlocal sections
            if isinstance(event, PlanMade):
                sections = len(event.outline.sections)
                line.show("writing", done=event.done, total=sections, unit="sections")
            elif isinstance(event, SectionWritten):
                done = len(event.manuscript.sections)
                line.show(event.section.heading, done=done, total=sections, unit="sections")

        line.show("planning", done=0, total=0, unit="sections")
        yield show


COMMANDS = (write,)
