"""Questions with a passage each, for the reader: where the answer stands, or that it does not.

From open sets in BEIR's form. Besides the passage that answers, a question gets one that BM25
finds and that holds no answer; SQuAD 2.0's unanswerable questions come with the paragraph that
they were written to be mistaken in. One in five questions, by article, is never trained on:
`is_held_out` is what everything that is measured or fitted afterwards keeps to.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ragstone.text.sentences import sentence_spans
from ragstone.training.pools import Asked, Pool, Row, read_pool, rows
from ragstone.types import Document, Span

Kind = Literal["answers", "bears", "unanswerable", "other"]

SETS = ("squad2", "hotpotqa", "covidqa", "multihop_rag")
_HELD_OUT_GROUPS = {
    "squad2": frozenset(
        {
            "1973_oil_crisis",
            "Huguenot",
            "Jacksonville,_Florida",
            "Private_school",
            "Victoria_(Australia)",
        }
    ),
    "covidqa": frozenset(
        map(
            str,
            [1546, 1551, 1560, 1561, 1567, 1570, 1574, 1588, 1595, 1671, 1674, 1676, 1689, 186,
             187, 2463, 2519, 2620, 2684, 776],
        )
    ),
}  # fmt: skip
_HELD_OUT_PLACES = {"hotpotqa": (50, 8), "multihop_rag": (40, 8)}  # place in the file: of, below
_MOST_CHARACTERS = 1_000
_LONGEST_ANSWER = 400


@dataclass(frozen=True, slots=True)
class Sample:
    """`spans` are the answers' code points in `text`; "bears": a passage that is needed and
    does not hold the answer itself (the first step of two)."""

    question: str
    title: str
    text: str
    spans: tuple[Span, ...]
    kind: Kind


def is_held_out(name: str, place: int, question: Asked) -> bool:
    """Whether the reader never saw this question, which is number `place` of the set `name`."""
    if name in _HELD_OUT_GROUPS:
        return question.group in _HELD_OUT_GROUPS[name]
    if name in _HELD_OUT_PLACES:
        of, below = _HELD_OUT_PLACES[name]
        return place % of < below
    return True


def training_samples(data: Path, *, seed: int = 1) -> list[Sample]:
    """All samples of questions that are not held out."""
    draw = random.Random(seed)
    found: list[Sample] = []
    for name in SETS:
        pool = read_pool(data / name)
        lines = rows(data / name / "queries.jsonl.gz")
        for place, (question, row) in enumerate(zip(pool.questions, lines, strict=True)):
            if not is_held_out(name, place, question):
                found += _of_question(name, place, question, row, pool, draw)
    return found


def _of_question(
    name: str, place: int, question: Asked, row: Row, pool: Pool, draw: random.Random
) -> Iterator[Sample]:
    if question.unanswerable:
        yield from _unanswerable(question, pool, draw)
        return
    if name == "multihop_rag" and place % 3:
        return  # its 2,556 questions go over 981 short facts
    gold = [pool.documents[id] for id in question.gold][:2]
    for document in gold:
        spans = _answers(document, question, row)
        if spans:
            around = window(document, spans[0], draw)
            inside = tuple(
                Span(s.start - around.start, s.end - around.start)
                for s in spans
                if around.start <= s.start and s.end <= around.end
            )
            text = around.of(document.text)
            yield Sample(question.question, document.title, text, inside, "answers")
        elif name in ("hotpotqa", "multihop_rag"):
            text = document.text[:_MOST_CHARACTERS]
            yield Sample(question.question, document.title, text, (), "bears")
    if draw.random() < 0.5:
        yield from _other(question, pool)


def _unanswerable(question: Asked, pool: Pool, draw: random.Random) -> Iterator[Sample]:
    for id in question.gold:
        document = pool.documents[id]
        at = draw.randrange(max(1, len(document.text)))
        text = window(document, Span(at, at + 1), draw).of(document.text)
        yield Sample(question.question, document.title, text, (), "unanswerable")
    if not question.gold:  # a null question: what is found does not answer it
        for hit in pool.hits(question.question, 2):
            text = hit.passage.text[:_MOST_CHARACTERS]
            yield Sample(question.question, hit.document.title, text, (), "unanswerable")


def _other(question: Asked, pool: Pool) -> Iterator[Sample]:
    """The best passage by BM25 that is of no gold document and holds no answer."""
    for hit in pool.hits(question.question, 8):
        low = hit.passage.text.lower()
        if hit.passage.document_id not in question.gold and not any(
            answer.strip().lower() in low for answer in question.answers
        ):
            text = hit.passage.text[:_MOST_CHARACTERS]
            yield Sample(question.question, hit.document.title, text, (), "other")
            return


def _answers(document: Document, question: Asked, row: Row) -> list[Span]:
    """Where the answers stand: at the set's own offsets, or wherever their words do."""
    said = row.get("all_annotations") or row.get("answers") or ()
    starts = row.get("answer_starts")
    if isinstance(starts, list) and isinstance(said, list):
        marked = {Span(int(s), int(s) + len(a)) for s, a in zip(starts, said, strict=False)}
        true = [span for span in marked if span.of(document.text) in said]
        if true:
            return sorted((s for s in true if len(s) <= _LONGEST_ANSWER), key=lambda s: s.start)
    return occurrences(document.text, [a for a in question.answers if len(a.strip()) > 3])


def occurrences(text: str, answers: Sequence[str]) -> list[Span]:
    """Every place where an answer stands as whole words, in any case."""
    low = text.lower()
    found: list[Span] = []
    for answer in dict.fromkeys(one.strip() for one in answers):
        at = low.find(answer.lower()) if answer else -1
        while at >= 0:
            end = at + len(answer)
            before = at > 0 and text[at - 1].isalnum()
            if not before and not (end < len(text) and text[end].isalnum()):
                found.append(Span(at, end))
            at = low.find(answer.lower(), at + 1)
    return found


def window(document: Document, wanted: Span, draw: random.Random) -> Span:
    """Sentences around `wanted`, at most about 1,000 characters, grown to either side at random
    so that an answer's place in a passage tells nothing."""
    text = document.text
    if len(text) <= _MOST_CHARACTERS + 200:
        return Span(0, len(text))
    lowest, highest = wanted.start - 2 * _MOST_CHARACTERS, wanted.end + 2 * _MOST_CHARACTERS
    sentences = sentence_spans(text, max(0, lowest), min(len(text), highest))
    touched = [n for n, span in enumerate(sentences) if span.overlaps(wanted)] or [0]
    first, last = touched[0], touched[-1]
    while True:
        sides = [-1] * (first > 0) + [1] * (last < len(sentences) - 1)
        if not sides:
            break
        side = draw.choice(sides)
        low, high = (first - 1, last) if side < 0 else (first, last + 1)
        if sentences[high].end - sentences[low].start > _MOST_CHARACTERS:
            break
        first, last = low, high
    return Span(sentences[first].start, sentences[last].end)
