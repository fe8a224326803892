"""`search`, `ask` and `explain`: questions to a corpus."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ragstone.cli.models import download_bar
from ragstone.cli.options import Common, common, llm_option, where_option
from ragstone.cli.output import emit_json, path_shortened, say, shortened, terminal_width
from ragstone.cli.rendering import Flow, print_answer, print_hit, print_scores, print_stage
from ragstone.cli.structured import ABSTAINED, fill_schema

if TYPE_CHECKING:
    from ragstone.types import Answer

MODES = click.Choice(["hybrid", "dense", "lexical"])


@click.command()
@click.argument("question")
@click.option("-k", type=click.IntRange(1, 1000), help="How many passages.  [default: 10]")
@click.option("--mode", type=MODES, help="How to search.  [default: hybrid]")
@click.option("--at", "at", metavar="VERSION", help="Search an earlier version or tag.")
@where_option
@common
def search(
    common: Common,
    question: str,
    k: int | None,
    mode: str | None,
    at: str | None,
    where: str | None,
) -> None:
    """Find the passages that bear on QUESTION."""
    from ragstone.applications.wire import hit_json

    with common.open(k=k, mode=mode) as corpus:
        hits = corpus.search(question, where=where, at=at)
    if common.as_json:
        emit_json({"question": question, "hits": [hit_json(hit) for hit in hits]})
        return
    if not hits:
        say("Nothing found.")
    for hit in hits:
        print_hit(hit)


@click.command()
@click.argument("question")
@click.option("-k", type=click.IntRange(1, 100), help="How many passages to read.  [default: 10]")
@click.option("--mode", type=MODES, help="How to search.  [default: hybrid]")
@click.option("--stream/--no-stream", default=None, help="Show each claim as it is verified.")
@click.option("--at", "at", metavar="VERSION", help="Ask an earlier version or tag.")
@click.option(
    "--caution",
    type=click.Choice(["cautious", "balanced", "eager"]),
    help="When to say that the documents do not hold the answer.  [default: balanced]",
)
@click.option(
    "--schema",
    "schema",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Fill the fields of a JSON schema about QUESTION, each with its citation.",
)
@llm_option
@where_option
@common
def ask(
    common: Common,
    question: str,
    k: int | None,
    mode: str | None,
    stream: bool | None,
    at: str | None,
    caution: str | None,
    schema: Path | None,
    llm: str | None,
    where: str | None,
) -> int:
    """Answer QUESTION from the documents, with exact citations.

    Exits with 4 when the documents do not hold the answer.
    """
    if schema is not None:
        with common.open(k=k, mode=mode, llm=llm, caution=caution) as corpus:
            return fill_schema(common, corpus, question, schema, where=where, at=at)
    from ragstone.applications.events import Done, Stated
    from ragstone.applications.wire import answer_json

    streaming = sys.stdout.isatty() if stream is None else stream
    with (
        common.open(k=k, mode=mode, llm=llm, caution=caution) as corpus,
        download_bar() as on_progress,
    ):
        answer: Answer | None = None
        shown = False
        flow = Flow()
        for event in corpus.ask_stream(question, where=where, at=at, on_progress=on_progress):
            if isinstance(event, Stated) and streaming and not common.as_json:
                flow.write(event.text)
                shown = True
            elif isinstance(event, Done):
                answer = event.answer
    if answer is None:  # a stream always ends with Done
        raise click.ClickException("The answer ended early.")
    if common.as_json:
        emit_json(answer_json(answer))
    else:
        print_answer(answer, text_shown=shown)
    return ABSTAINED if answer.abstained else 0


@click.command()
@click.argument("question")
@click.option("-k", type=click.IntRange(1, 100), help="How many passages.  [default: 10]")
@click.option("--mode", type=MODES, help="How to search.  [default: hybrid]")
@llm_option
@where_option
@common
def explain(
    common: Common,
    question: str,
    k: int | None,
    mode: str | None,
    llm: str | None,
    where: str | None,
) -> None:
    """Show every stage of an answer to QUESTION: scores, evidence, claims, verdicts."""
    from ragstone.applications.wire import answer_json, stage_json
    from ragstone.trace import Trace

    trace = Trace()
    with common.open(k=k, mode=mode, llm=llm) as corpus:
        answer = corpus.ask(question, where=where, trace=trace)
    if common.as_json:
        emit_json({**answer_json(answer), "trace": [stage_json(stage) for stage in trace.stages]})
        return
    click.secho("Stages", bold=True)
    for stage in trace.stages:
        print_stage(stage, depth=1)
    print_scores(answer.hits)
    click.secho("Evidence", bold=True)
    for item in answer.evidence:
        place = path_shortened(item.document.source, 40)
        click.echo(f"  {item.score:6.3f}  {place} [{item.span.start}:{item.span.end}]")
        click.echo(f"          {shortened(item.text, terminal_width() - 10)}")
    click.secho("Claims", bold=True)
    for claim in (*answer.claims, *answer.removed):
        click.echo(f"  {claim.verdict:12} {claim.confidence:.2f}  {shortened(claim.text, 56)}")
        if claim.reason:
            click.echo(f"               {shortened(claim.reason, terminal_width() - 16)}")
    click.echo()
    print_answer(answer, text_shown=False)


COMMANDS = (search, ask, explain)
