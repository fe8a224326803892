"""`eval` and `compare`: measuring retrieval and answers on collections with judgements.

A data set is a folder in BEIR's form: corpus.jsonl[.gz], queries.jsonl[.gz], qrels.tsv.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import click

from ragstone.cli.measuring import corpus_of, load, put_out, report_answers, versions_of
from ragstone.cli.options import Common, common, llm_option, shared_options
from ragstone.cli.output import emit_json, say
from ragstone.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ragstone.applications.wire import JsonObject

_DATA = click.Path(exists=True, file_okay=False, path_type=Path)
_OUTPUT = click.Path(dir_okay=False, path_type=Path)
MODES = click.Choice(["hybrid", "dense", "lexical"])


@click.group("eval")
@shared_options
def evaluate() -> None:
    """Measure retrieval and answers on a folder of questions with judgements."""


def _measuring(command: Callable[..., object]) -> Callable[..., object]:
    """Options that all measuring commands share."""
    for option in (
        click.option("--output", type=_OUTPUT, help="Write the run, for `compare`."),
        click.option("--seed", type=int, default=0, show_default=True, help="Of every sample."),
        click.option("--limit", type=click.IntRange(1), help="Only N questions by --seed."),
    ):
        command = option(command)
    return command


@evaluate.command()
@click.argument("data_dir", type=_DATA)
@click.option("--mode", type=MODES, help="How to search.  [default: hybrid]")
@click.option("--html", type=_OUTPUT, help="Also write a page with plots.")
@_measuring
@common
def retrieval(
    common: Common,
    data_dir: Path,
    mode: str | None,
    html: Path | None,
    limit: int | None,
    seed: int,
    output: Path | None,
) -> None:
    """nDCG@10, Recall@k and others of `search` on DATA_DIR, with confidence intervals."""
    from ragstone.evaluation.datasets import sample
    from ragstone.evaluation.retrieval import evaluate_retrieval

    dataset = load(data_dir)
    with corpus_of(common, dataset, mode=mode) as corpus, corpus.snapshot() as snapshot:
        result = evaluate_retrieval(
            corpus.retriever(snapshot),
            sample(dataset.judged(), limit=limit, seed=seed),
            dataset.qrels,
            dataset=dataset.name,
            settings={"mode": corpus.settings.mode, "limit": limit or 0},
            versions=versions_of(corpus),
            checksums=dataset.checksums,
            seed=seed,
        )
    put_out(common, result, output=output, html=html)


@evaluate.command()
@click.argument("data_dir", type=_DATA)
@click.option("--plain", is_flag=True, help="Measure plain RAG instead: no checks, same model.")
@_measuring
@llm_option
@common
def answers(
    common: Common,
    data_dir: Path,
    plain: bool,
    llm: str | None,
    limit: int | None,
    seed: int,
    output: Path | None,
) -> None:
    """Exact match, F1, containment, citations, refusals and seconds of `ask` on DATA_DIR."""
    dataset = load(data_dir)
    report_answers(common, dataset, list(dataset.queries), plain, llm, limit, seed, output)


@evaluate.command()
@click.argument("data_dir", type=_DATA)
@click.option("--foreign", type=_DATA, help="Also ask this other data set's questions: all wrong.")
@click.option("--html", type=_OUTPUT, help="Also write a page with the risk-coverage curve.")
@_measuring
@llm_option
@common
def abstention(
    common: Common,
    data_dir: Path,
    foreign: Path | None,
    html: Path | None,
    llm: str | None,
    limit: int | None,
    seed: int,
    output: Path | None,
) -> None:
    """Precision and recall of refusals and the area under the risk-coverage curve (AURC)."""
    import dataclasses

    from ragstone.evaluation.datasets import sample

    dataset = load(data_dir)
    queries = list(dataset.queries)
    if foreign is not None:
        queries = sample(queries, limit=limit, seed=seed)
        others = sample(load(foreign).queries, limit=limit, seed=seed)
        queries += [
            dataclasses.replace(query, id=f"foreign-{query.id}", answers=(), answerable=False)
            for query in others
        ]
        limit = None
    report_answers(common, dataset, queries, False, llm or "none", limit, seed, output, html)


@evaluate.command("init")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--most", type=click.IntRange(1), default=50, show_default=True, help="Questions.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the choice.")
@common
def init(common: Common, folder: Path, most: int, seed: int) -> None:
    """Draft questions about your own corpus into FOLDER, for you to edit and then measure with.

    Made from headings, definitions and dates, without a model; each is marked as a draft.
    Measure with: ragstone eval retrieval FOLDER --corpus DIR.
    """
    from ragstone.evaluation.drafting import draft_questions, write_drafts

    with common.open() as corpus, corpus.snapshot() as snapshot:
        documents = (snapshot.document(info.id) for info in snapshot.documents())
        drafts = draft_questions(documents, most=most, seed=seed)
    if not drafts:
        raise UsageError(
            "The corpus gives no drafts: it has no questions, definitions or dated sentences.",
            remedy="Write queries.jsonl and qrels.tsv by hand; `eval retrieval` reads them.",
        )
    write_drafts(drafts, folder)
    if common.as_json:
        emit_json({"folder": str(folder), "questions": len(drafts)})
    else:
        say(f"Drafted {len(drafts)} questions in {folder}: read them, mend them, delete the bad.")


@evaluate.command("chat")
@click.argument("data_dir", type=_DATA)
@click.option(
    "--part",
    type=click.Choice(["tuning", "held-out", "all"]),
    default="held-out",
    show_default=True,
    help="Which conversations: the half that the defaults were tuned on, or the other.",
)
@click.option("--mode", type=MODES, help="How to search.  [default: hybrid]")
@llm_option
@common
def dialogues(
    common: Common,
    data_dir: Path,
    part: Literal["tuning", "held-out", "all"],
    mode: str | None,
    llm: str | None,
) -> None:
    """Recall@5 and nDCG@5 of follow-ups: last turn, as understood, and as a person rewrote it.

    Each domain of DATA_DIR is searched among its own passages.
    """
    from functools import partial

    from ragstone.applications.chat_rewriting import rewritten
    from ragstone.corpus import parse_where
    from ragstone.evaluation import dialogue

    dataset = load(data_dir)
    chosen = dialogue.part_of(dialogue.load_dialogues(data_dir), part)
    with corpus_of(common, dataset, mode=mode, llm=llm or "none") as corpus:
        model = corpus.model()
        capable = model if model is not None and model.capable else None
        with corpus.snapshot() as snapshot:
            result = dialogue.evaluate_dialogues(
                corpus.retriever(snapshot),
                chosen,
                dataset.qrels,
                filter_of=lambda name: parse_where(f"domain = '{name}'") if name else None,
                rewriter=partial(rewritten, model=capable) if capable else None,
            )
        settings = {"part": part, "mode": corpus.settings.mode, "llm": llm or "none"}
    if common.as_json:
        emit_json(
            cast(
                "JsonObject",
                {
                    "dataset": dataset.name,
                    **dialogue.dialogue_json(result),
                    "settings": settings,
                    "checksums": dict(dataset.checksums),
                },
            )
        )
    else:
        click.echo(dialogue.dialogue_text(result))


@click.command()
@click.argument("run_a", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("run_b", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--measure", default="nDCG@10", show_default=True, help="The one to look into.")
@click.option("--html", type=_OUTPUT, help="Also write a page with plots.")
@common
def compare(common: Common, run_a: Path, run_b: Path, measure: str, html: Path | None) -> None:
    """Compare two runs written by `eval --output`: paired tests, wins and losses."""
    from ragstone.evaluation.comparison import compare as compare_runs
    from ragstone.evaluation.report import comparison_json, render_html, render_text
    from ragstone.evaluation.runs import load_evaluation

    result = compare_runs(load_evaluation(run_a), load_evaluation(run_b), main=measure)
    if html is not None:
        html.write_text(render_html(result), encoding="utf-8")
    if common.as_json:
        emit_json(cast("JsonObject", comparison_json(result)))
    else:
        click.echo(render_text(result))


COMMANDS = (evaluate, compare)
