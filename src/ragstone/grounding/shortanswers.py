"""The few words inside the evidence that answer a question, where its kind tells them apart.

Law: a short answer is a slice of one piece of evidence. Only questions for a person, a place,
a time or a number are answered; others are better served by the whole sentence.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ragstone.grounding.names import names_of
from ragstone.grounding.quantities import agree, quantities_of
from ragstone.grounding.questions import Question, understand
from ragstone.grounding.words import words_of
from ragstone.types import Evidence, Span

_FAR = 6.0  # words; how quickly nearness to the question's words fades
_LEAST = 0.05  # share of the evidence's score below which a piece is not read


@dataclass(frozen=True, slots=True)
class ShortAnswer:
    """`text` is `evidence[index].text[span]`; `score` compares answers of one question only."""

    text: str
    index: int
    span: Span
    score: float


def find(question: str, evidence: Sequence[Evidence]) -> ShortAnswer | None:
    """The likeliest short answer, None where no kind of answer is asked for or none is there."""
    asked = understand(question)
    if not evidence:
        return None
    top = max(item.score for item in evidence)
    found: list[ShortAnswer] = []
    for index, item in enumerate(evidence):
        if item.score < _LEAST * top:
            continue
        for span in _spans(asked, item.text):
            worth = item.score * _nearness(asked, item.text, span)
            found.append(ShortAnswer(span.of(item.text), index, span, worth))
    return max(found, key=lambda answer: (answer.score, -answer.index), default=None)


def _spans(asked: Question, text: str) -> Iterator[Span]:
    said = set(asked.terms)
    if asked.kind in {"person", "place"}:
        for name in names_of(text):
            if name.terms and not said.intersection(name.terms):
                yield Span(name.start, name.end)
    elif asked.kind in {"time", "number"}:
        for quantity in quantities_of(text):
            dated = quantity.kind in {"date", "year"}
            if dated != (asked.kind == "time") or quantity.kind == "ordinal":
                continue
            if not any(agree(quantity, other) for other in asked.quantities):
                yield Span(quantity.start, quantity.end)


def _nearness(asked: Question, text: str, span: Span) -> float:
    """How near the question's words stand to a span, each counting once by its nearest place."""
    wanted = set(asked.terms)
    nearest: dict[str, int] = {}
    words = words_of(text)
    own = [place for place, word in enumerate(words) if span.start <= word.start < span.end]
    if not own:
        return 0.0
    for place, word in enumerate(words):
        distance = min(abs(place - own[0]), abs(place - own[-1]))
        for term in wanted.intersection(word.terms):
            nearest[term] = min(nearest.get(term, distance), distance)
    return 0.01 + sum(math.exp(-distance / _FAR) for distance in nearest.values())
