"""Whole answers against a data set: what is right, what is proved, what is refused, how fast.

A question is answerable where the set gives an answer or a relevant document for it, and is not
marked otherwise. Right means that the answer holds a reference as whole words; where all
references are longer than `SHORT` words, that it cites a relevant document. EM and F1 are of the
words that an answer marks as answering most directly, and of all its words where it marks none.
Every number is a mean over questions, with a 95% bootstrap interval.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ragstone.applications.events import Done, Event, Stated
from ragstone.evaluation.abstention import aurc, refusal_measures
from ragstone.evaluation.answers import (
    citation_measures,
    containment,
    exact_match,
    normalised,
    token_f1,
    token_recall,
)
from ragstone.evaluation.confidence import bootstrap_interval
from ragstone.evaluation.datasets import Query
from ragstone.evaluation.retrieval import Evaluation, Judged
from ragstone.types import Answer, Scalar

SHORT = 8  # words; a longer reference is no phrase that an answer could contain
_NONE = frozenset({"insufficient information", "unanswerable", "no answer", "not answerable"})
RESAMPLES = 200  # for intervals of measures that are no means


@dataclass(frozen=True, slots=True)
class Asked:
    """One question with its answer, the seconds it took, and those to the first word."""

    query: Query
    answer: Answer
    seconds: float
    first_s: float
    answerable: bool
    gold: frozenset[str] = frozenset()  # ids of the relevant documents


def ask_all(
    ask: Callable[[str], tuple[Answer, float]],
    queries: Sequence[Query],
    qrels: Mapping[str, Mapping[str, int]],
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Asked]:
    """Put every query to `ask`, which gives the answer and the seconds to its first word."""
    asked: list[Asked] = []
    for number, query in enumerate(queries, start=1):
        started = time.perf_counter()
        answer, first_s = ask(query.standalone)
        seconds = time.perf_counter() - started
        gold = frozenset(id for id, gain in qrels.get(query.id, {}).items() if gain > 0)
        denied = bool(query.answers) and all(normalised(a) in _NONE for a in query.answers)
        answerable = query.answerable and not denied and bool(query.answers or gold)
        asked.append(Asked(query, answer, seconds, first_s, answerable, gold))
        if on_progress is not None:
            on_progress(number, len(queries))
    return asked


def timed(events: Iterator[Event]) -> tuple[Answer, float]:
    """The answer at the end of a stream, and the seconds to its first statement."""
    started, first_s = time.perf_counter(), 0.0
    for event in events:
        if isinstance(event, Stated) and not first_s:
            first_s = time.perf_counter() - started
        if isinstance(event, Done):
            return event.answer, first_s or time.perf_counter() - started
    raise ValueError("The answer ended without its last event.")


def evaluate_answers(
    asked: Sequence[Asked],
    qrels: Mapping[str, Mapping[str, int]],
    *,
    text_of: Callable[[str], str],
    dataset: str = "",
    settings: Mapping[str, Scalar] | None = None,
    seed: int = 0,
) -> Evaluation:
    """Measure answers that were given; `text_of` gives a document's text by its id."""
    columns: dict[str, list[float]] = {}
    judged: list[Judged] = []
    for item in asked:
        values = _values(item, qrels.get(item.query.id, {}), text_of)
        for name, value in values.items():
            columns.setdefault(name, []).append(value)
        ranking = tuple((hit.document.id, hit.score) for hit in item.answer.hits)
        question = item.query.standalone
        judged.append(Judged(item.query.id, question, ranking, values, item.seconds * 1000))
    measures = {name: float(np.mean(column)) for name, column in columns.items()}
    confidence = {name: bootstrap_interval(column, seed=seed) for name, column in columns.items()}
    measures |= _refusals(asked)
    confidence |= _intervals(asked, seed)
    seconds = np.array([item.seconds for item in asked]) * 1000
    return Evaluation(
        dataset=dataset,
        measures=measures,
        confidence=confidence,
        n=len(asked),
        timings_ms={
            "p50": float(np.median(seconds)),
            "p95": float(np.quantile(seconds, 0.95)),
            "first_p50": float(np.median([item.first_s for item in asked])) * 1000,
        },
        settings=dict(settings or {}),
        queries=tuple(judged),
    )


def is_right(item: Asked) -> bool:
    """Whether the answer holds a reference; a refusal of what cannot be answered is right."""
    if not item.answerable:
        return item.answer.abstained
    if item.answer.abstained:
        return False
    phrases = short_references(item.query.answers)
    if phrases or not item.gold:
        return containment(item.answer.text, phrases) == 1.0
    return any(citation.document_id in item.gold for citation in item.answer.citations)


def short_references(references: Sequence[str]) -> list[str]:
    """Those references that an answer could hold as they stand."""
    return [reference for reference in references if len(reference.split()) <= SHORT]


def _values(
    item: Asked, gains: Mapping[str, int], text_of: Callable[[str], str]
) -> dict[str, float]:
    """The measures of one question; those that have no meaning for it are left out."""
    answer, references = item.answer, item.query.answers
    values = {"right": float(is_right(item)), "confidence": answer.confidence}
    if item.answerable and references:
        said = "" if answer.abstained else _without_markers(answer)
        direct = answer.highlights[0].of(answer.text) if answer.highlights else said
        values["EM"] = exact_match(direct, references) if direct else 0.0
        values["F1"] = token_f1(direct, references) if direct else 0.0
        values["recall"] = token_recall(said, references)
        if short_references(references):
            values["containment"] = containment(said, references)
    if not answer.abstained and answer.claims:
        shown = [claim for claim in answer.claims if claim.verdict == "supported"]
        values["claims supported"] = len(shown) / len(answer.claims)
    if item.answerable and not answer.abstained:
        gold = [document_id for document_id, gain in gains.items() if gain > 0]
        ids = {citation.document_id for citation in answer.citations}
        found = citation_measures(
            answer,
            references=short_references(references),
            gold_documents=gold,
            texts={document_id: text_of(document_id) for document_id in ids},
        )
        values["citation precision"] = found.precision
        values["citation recall"] = found.recall
        values["citations exact"] = found.exact
    return values


def _refusals(asked: Sequence[Asked]) -> dict[str, float]:
    refused = [item.answer.abstained for item in asked]
    found = refusal_measures(refused, [item.answerable for item in asked])
    right = [is_right(item) for item in asked]
    confidences = [item.answer.confidence for item in asked]
    return {
        "refusal precision": found.precision,
        "refusal recall": found.recall,
        "answered": found.answered,
        "AURC": aurc(confidences, right),
    }


def _intervals(asked: Sequence[Asked], seed: int) -> dict[str, tuple[float, float]]:
    """95% percentile bootstrap over questions, for measures that are no means."""
    random = np.random.default_rng(seed)
    drawn: dict[str, list[float]] = {}
    for _ in range(RESAMPLES):
        places = random.integers(0, len(asked), len(asked))
        for name, value in _refusals([asked[place] for place in places]).items():
            drawn.setdefault(name, []).append(value)
    return {
        name: (float(np.quantile(values, 0.025)), float(np.quantile(values, 0.975)))
        for name, values in drawn.items()
    }


def _without_markers(answer: Answer) -> str:
    return " ".join(claim.text for claim in answer.claims) or answer.text
