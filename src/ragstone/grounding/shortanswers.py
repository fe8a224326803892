"""The few words inside the evidence that answer a question, where few words can.

Law: a short answer is a slice of one piece of evidence. A question for a reason, a manner or a
definition, and one that offers a choice, is better served by the whole sentence.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from ragstone.grounding.comprehension import NOTHING, Comprehension
from ragstone.grounding.lexicon import MONTHS, NUMBER_WORDS, SCALES, word_set
from ragstone.grounding.quantities import quantities_of
from ragstone.grounding.questions import Question, understand
from ragstone.grounding.rereading import Rereading, said_of
from ragstone.grounding.spans import SPAN, span_features, stretches
from ragstone.grounding.tokens import Encoded, TokenMemory
from ragstone.grounding.trees import Trees, shipped
from ragstone.grounding.words import words_of
from ragstone.types import Evidence, Span

_MOST = 0.8  # of a sentence: more is the sentence
_LEAST = 0.2  # share of the best evidence's score below which a piece is not read
_TRIED = 4  # likeliest stretches of a piece, of which the first of the right kind counts
# Probability from which words are marked. With the set left out of training, the likeliest
# stretch of the right sentence shares .36 of its words (F1) with the reference at .1, .53 at .5.
_SURE = 0.1
_FIGURES = NUMBER_WORDS.keys() | SCALES.keys() | {"one", "once", "twice", "half", "none"}
_TIMES = MONTHS.keys() | word_set(
    """century centuries decade decades day days week weeks month months year years hour hours
    minute minutes morning noon evening night midnight today yesterday tomorrow daily weekly monthly
    yearly annually monday tuesday wednesday thursday friday saturday sunday spring summer autumn
    fall winter christmas easter am pm a.m p.m era age ages war period antiquity medieval"""
)


@dataclass(frozen=True, slots=True)
class ShortAnswer:
    """`text` is `evidence[index].text[span]`; `score` is the probability that it answers."""

    text: str
    index: int
    span: Span
    score: float


def find(
    question: str,
    evidence: Sequence[Evidence],
    *,
    memory: TokenMemory | None = None,
    sure: float = _SURE,
    read: Comprehension = NOTHING,
    again: Rereading | None = None,
) -> ShortAnswer | None:
    """The likeliest short answer, None where few words cannot answer or none are likely.

    `read` is what a reader makes of the hits, `again` of the evidence together; what it did not
    read is left to the scorer of stretches, to which `memory` gives token vectors, if the encoder
    has them.
    """
    asked = understand(question)
    if not evidence or asked.explained:
        return None
    comprehended = _by_reader(asked, evidence, read, again)
    if comprehended is not None:
        return comprehended
    top = max(item.score for item in evidence)
    places = [place for place, item in enumerate(evidence) if item.score >= _LEAST * top]
    texts = [evidence[place].text for place in places]
    encoded: Sequence[Encoded | None] = [None] * (len(texts) + 1)
    if memory is not None:
        encoded = memory.encode([question, *texts])
    found: list[ShortAnswer] = []
    for place, text, unit in zip(places, texts, encoded[1:], strict=True):
        spans = [stretch for stretch in stretches(text) if _fits(asked, stretch.span.of(text))]
        if not spans:
            continue
        rows = span_features(asked, text, spans, encoded[0], unit)
        probabilities = _scorer().probabilities(rows)
        best = int(np.argmax(probabilities))
        likely = float(probabilities[best])
        if likely >= sure:
            span = _narrowed(asked, text, spans[best].span)
            found.append(ShortAnswer(span.of(text), place, span, likely))
    return max(
        found,
        key=lambda answer: (answer.score * evidence[answer.index].score, -answer.index),
        default=None,
    )


def _by_reader(
    asked: Question, evidence: Sequence[Evidence], read: Comprehension, again: Rereading | None
) -> ShortAnswer | None:
    """The likeliest answer by the reader; None where nothing was read, or where no likely one is of
    the kind that is asked for and less than most of its sentence."""
    best: ShortAnswer | None = None
    likelier = -math.inf  # log-odds by the reader plus the log of the evidence's probability
    top = max(item.score for item in evidence)
    for place, item in enumerate(evidence):
        said = said_of(item, read, again)
        if said is None or item.score < _LEAST * top:
            continue
        for found in said.likeliest(_TRIED):
            words = found.span.of(item.text)
            if words.strip() and _fits(asked, words) and len(words) < _MOST * len(item.text):
                likely = found.score + math.log(max(item.score, 1e-6))
                if likely > likelier:
                    score = item.score / (1.0 + math.exp(-found.score))
                    best, likelier = ShortAnswer(words, place, found.span, score), likely
                break
    return best


@cache
def _scorer() -> Trees:
    """Whether a stretch of a sentence is the short answer; by `ragstone.training.shortanswers`."""
    return shipped("shortanswers", SPAN)


def _fits(asked: Question, words: str) -> bool:
    """Whether words can be of the kind that is asked for: a figure for a number or a time, a
    capital letter for a person or a place (where the script has any)."""
    if asked.kind in {"time", "number"}:
        kinds = {quantity.kind for quantity in quantities_of(words)}
        said = {word.text.lower() for word in words_of(words)}
        if asked.kind == "time":
            return bool(kinds & {"date", "year"} or said & _TIMES)
        return bool(kinds - {"date", "year", "ordinal"} or said & _FIGURES)
    if asked.kind in {"person", "place"}:
        return words != words.lower() or words.lower() == words.upper()
    return True


def _narrowed(asked: Question, text: str, span: Span) -> Span:
    """A stretch that holds one figure of the kind asked for is narrowed to it and its unit."""
    if asked.kind not in {"time", "number"}:
        return span
    dated = asked.kind == "time"
    held = [
        q
        for q in quantities_of(text)
        if span.start <= q.start
        and q.end <= span.end
        and (q.kind in {"date", "year"}) == dated
        and q.kind != "ordinal"
    ]
    return Span(held[0].start, held[0].end) if len(held) == 1 else span
