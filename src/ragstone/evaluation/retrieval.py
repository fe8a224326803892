"""Questions through a retriever against judgements -> an Evaluation that can be reproduced.

Passages are ranked, documents are judged: a ranking of passages becomes one of documents by
each document's best passage. Law: the values depend only on the retriever's hits and the
judgements; every query with a relevant document counts, also one without results.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

import numpy as np

from ragstone.errors import UsageError
from ragstone.evaluation.confidence import bootstrap_interval
from ragstone.evaluation.datasets import Query
from ragstone.evaluation.measures import DEFAULT_MEASURES, Measure
from ragstone.protocols import Retriever
from ragstone.types import Hit, Scalar

KEPT = 10  # results of each query that are kept to be looked at
Identify = Callable[[Hit], str]


def by_document(hit: Hit) -> str:
    """The id of the hit's document."""
    return hit.document.id


def by_page(hit: Hit) -> str:
    """`NAME#pN`: the file's name without its ending, and the page counted from 0."""
    page = (hit.passage.page or 1) - 1
    return f"{PurePath(hit.document.source).stem}#p{page}"


@dataclass(frozen=True, slots=True)
class Judged:
    """One query's ranking and values."""

    id: str
    question: str
    ranking: tuple[tuple[str, float], ...]  # the first `KEPT` documents with their scores
    values: Mapping[str, float]  # by measure
    ms: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a run of questions gave, with all that is needed to repeat it."""

    dataset: str
    measures: Mapping[str, float]  # means over `n` queries
    confidence: Mapping[str, tuple[float, float]]  # 95% bootstrap intervals
    n: int
    timings_ms: Mapping[str, float]  # p50, p95
    settings: Mapping[str, Scalar] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    checksums: Mapping[str, str] = field(default_factory=dict)
    queries: tuple[Judged, ...] = ()


def evaluate_retrieval(
    retriever: Retriever,
    queries: Sequence[Query],
    qrels: Mapping[str, Mapping[str, int]],
    *,
    dataset: str = "",
    measures: Sequence[Measure] = DEFAULT_MEASURES,
    depth: int = 100,
    identify: Identify = by_document,
    settings: Mapping[str, Scalar] | None = None,
    versions: Mapping[str, str] | None = None,
    checksums: Mapping[str, str] | None = None,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Ask every judged query for `depth` passages and measure what comes.

    `settings`, `versions` and `checksums` are recorded as given, beside what this function was
    given itself. Raises UsageError where no query has a relevant document.
    """
    asked = [q for q in queries if any(gain > 0 for gain in qrels.get(q.id, {}).values())]
    if not asked:
        raise UsageError(
            f"None of the {len(queries)} queries has a relevant document in the judgements.",
            remedy="Check that qrels.tsv names the queries' ids in its first column.",
        )
    retriever.retrieve(asked[0].standalone, k=1)  # what is loaded once is no query's latency
    judged = []
    for number, query in enumerate(asked, start=1):
        started = time.perf_counter()
        hits = retriever.retrieve(query.standalone, k=depth)
        ms = (time.perf_counter() - started) * 1000.0
        judged.append(_judge(query, hits, qrels[query.id], measures, identify, ms))
        if on_progress is not None:
            on_progress(number, len(asked))
    values = {str(m): [query.values[str(m)] for query in judged] for m in measures}
    times = np.array([query.ms for query in judged])
    return Evaluation(
        dataset=dataset,
        measures={name: float(np.mean(column)) for name, column in values.items()},
        confidence={name: bootstrap_interval(column, seed=seed) for name, column in values.items()},
        n=len(judged),
        timings_ms={"p50": float(np.median(times)), "p95": float(np.quantile(times, 0.95))},
        settings={**(settings or {}), "depth": depth, "seed": seed},
        versions=dict(versions or {}),
        checksums=dict(checksums or {}),
        queries=tuple(judged),
    )


def document_ranking(hits: Sequence[Hit], identify: Identify = by_document) -> dict[str, float]:
    """Documents, best first, each with the score of its best passage."""
    ranking: dict[str, float] = {}
    for hit in hits:
        ranking.setdefault(identify(hit), hit.score)
    return ranking


def _judge(
    query: Query,
    hits: Sequence[Hit],
    gains: Mapping[str, int],
    measures: Sequence[Measure],
    identify: Identify,
    ms: float,
) -> Judged:
    ranking = document_ranking(hits, identify)
    names = list(ranking)
    return Judged(
        query.id,
        query.standalone,
        tuple(ranking.items())[:KEPT],
        {str(measure): measure.of(names, gains) for measure in measures},
        ms,
    )
