"""What the measuring commands share: a data set's own corpus, its sample, answers with their times.

A data set's corpus is synced once into a corpus of its own (in the cache folder, or --corpus), and
again only if it changed.
"""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from ragstone.cli.options import Common
from ragstone.cli.output import emit_json, say
from ragstone.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ragstone.applications.wire import JsonObject
    from ragstone.build import Corpus
    from ragstone.evaluation.datasets import Dataset, Query
    from ragstone.evaluation.retrieval import Evaluation
    from ragstone.types import Answer


def put_out(common: Common, result: Evaluation, *, output: Path | None, html: Path | None) -> None:
    """Write the run and its page where that was asked for, and print it."""
    from ragstone.evaluation.report import render_html, render_text
    from ragstone.evaluation.runs import evaluation_json, save_evaluation

    if output is not None:
        save_evaluation(result, output)
    if html is not None:
        html.write_text(render_html(result), encoding="utf-8")
    if common.as_json:
        emit_json(cast("JsonObject", evaluation_json(result)))
    else:
        click.echo(render_text(result))


def report_answers(
    common: Common,
    dataset: Dataset,
    queries: list[Query],
    plain: bool,
    llm: str | None,
    limit: int | None,
    seed: int,
    output: Path | None,
    html: Path | None = None,
) -> None:
    """Ask the queries, judge the answers, and put out what was measured."""
    from ragstone.evaluation.answering import ask_all, evaluate_answers
    from ragstone.evaluation.datasets import sample

    with corpus_of(common, dataset, llm=llm) as corpus:
        ask = _plainly(corpus) if plain else _checked(corpus)
        asked = ask_all(ask, sample(queries, limit=limit, seed=seed), dataset.qrels)
        with corpus.snapshot() as snapshot:
            result = evaluate_answers(
                asked,
                dataset.qrels,
                text_of=lambda document_id: snapshot.document(document_id).text,
                dataset=dataset.name,
                settings={
                    "llm": asked[0].answer.model if asked else "none",
                    "caution": corpus.settings.caution,
                    "limit": limit or 0,
                    "seed": seed,
                },
                seed=seed,
            )
    put_out(common, result, output=output, html=html)


def _checked(corpus: Corpus) -> Callable[[str], tuple[Answer, float]]:
    from ragstone.evaluation.answering import timed

    return lambda question: timed(corpus.ask_stream(question))


def _plainly(corpus: Corpus) -> Callable[[str], tuple[Answer, float]]:
    from ragstone.evaluation.baselines import plain_rag

    model = corpus.model()
    if model is None:
        raise UsageError(
            "Plain RAG needs a language model.", remedy="Give one with --llm, such as --llm local."
        )

    def ask(question: str) -> tuple[Answer, float]:
        with corpus.snapshot() as snapshot:
            return plain_rag(question, retriever=corpus.retriever(snapshot), model=model)

    return ask


def load(folder: Path) -> Dataset:
    """The data set in `folder`. Raises UsageError where there is none."""
    from ragstone.evaluation.datasets import load_dataset

    return load_dataset(folder)


def corpus_of(
    common: Common, dataset: Dataset, *, mode: str | None = None, llm: str | None = None
) -> Corpus:
    """The data set's own corpus, in step with its file."""
    from platformdirs import user_cache_path

    from ragstone.build import open_corpus

    named = {"mode": mode, "llm": llm}
    values = {key: value for key, value in named.items() if value is not None}
    if dataset.corpus is None:
        if not common.is_named:
            raise UsageError(
                f"{dataset.folder} holds no corpus.jsonl[.gz].",
                remedy="Give the corpus to search with --corpus.",
            )
        return common.open(mode=mode, llm=llm)
    digest = hashlib.sha256(str(dataset.folder.resolve()).encode()).hexdigest()[:8]
    folder: Path = user_cache_path("ragstone") / "eval" / f"{dataset.name}-{digest}"
    if common.is_named:
        folder = Path(common.corpus)
    corpus = open_corpus(folder, config=common.config, settings=values)
    report = corpus.sync(dataset.corpus)
    if report.is_change:
        say(f"Read {dataset.corpus} into {folder} ({report.seconds:.0f} s).")
    return corpus


def versions_of(corpus: Corpus) -> dict[str, str]:
    """What a run was measured with, to be kept in it."""
    return {
        "ragstone": version("ragstone"),
        "encoder": corpus.encoder.identity,
        "python": platform.python_version(),
        "machine": platform.machine(),
    }
