"""What a reader makes of the hits: where in them the answer stands, and how sure that is.

Words and vectors say what a sentence is about; a reader, which sees question and passage
together, says whether it answers (Clark and Gardner 2018; Rajpurkar et al. 2018 for "no answer").
Law: a pure function of hits and readings; nothing is read but the best hits of a language that
the reader knows, and what it says is a sign among others, never the only one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ragstone.grounding.questions import AnswerKind, Question
from ragstone.protocols import PassageReading, Reader
from ragstone.text.language import detect_language
from ragstone.types import Hit, Span, UnitKind

READ = 4  # best hits that are read: the cost is theirs
MOST_TOKENS = 24  # of an answer
READABLE: frozenset[UnitKind] = frozenset({"sentence", "list_item"})  # it was trained on prose
_LANGUAGES = frozenset({"en", ""})
_SURE = 12.0  # log-odds beyond which nothing is learned


@dataclass(frozen=True, slots=True)
class Found:
    """A likely answer in a stretch of text: its code points, and the log-odds that this is the
    answer rather than that what was read holds none."""

    span: Span
    score: float


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a reading says of the tokens in a stretch of text: log-probabilities that an answer
    starts or ends there, as in `PassageReading`; `places` (tokens, 2) count from the stretch's
    start."""

    places: npt.NDArray[np.int64]
    starts: npt.NDArray[np.float64]
    ends: npt.NDArray[np.float64]
    none: float

    def likeliest(self, most: int = 1) -> list[Found]:
        """The `most` likeliest answers, the best first; they may overlap."""
        scores = self.starts[:, None] + self.ends[None, :]
        shape = np.ones(scores.shape, dtype=bool)
        scores = np.where(np.triu(shape) & ~np.triu(shape, MOST_TOKENS), scores, -np.inf)
        found = []
        for place in np.argsort(-scores, axis=None, kind="stable")[:most]:
            begin, end = np.unravel_index(int(place), scores.shape)
            if np.isfinite(scores[begin, end]):
                span = Span(int(self.places[begin, 0]), int(self.places[end, 1]))
                found.append(Found(span, _bounded(float(scores[begin, end]) - self.none)))
        return found


def stretch_of(reading: PassageReading, span: Span) -> Stretch | None:
    """The part of a reading inside `span` of the text that was read; None where no token is."""
    own = (reading.places[:, 0] >= span.start) & (reading.places[:, 1] <= span.end)
    if not own.any():
        return None
    places = reading.places[own] - span.start
    return Stretch(places, reading.starts[own], reading.ends[own], reading.none)


@dataclass(frozen=True, slots=True)
class Comprehension:
    """The readings of the best hits, by passage."""

    readings: Mapping[int, tuple[Hit, PassageReading]]  # by the hit's rank

    def __bool__(self) -> bool:
        return bool(self.readings)

    def stretch(self, rank: int, span: Span) -> Stretch | None:
        """What the hit of that rank says of `span` (of the document); None where the hit was not
        read or no token lies in the span."""
        if rank not in self.readings:
            return None
        hit, reading = self.readings[rank]
        start = hit.passage.span.start
        inside = Span(max(span.start, start) - start, max(span.end, start) - start)
        return stretch_of(reading, inside)

    def within(self, rank: int, span: Span) -> Found | None:
        """The likeliest answer inside `span` (of the document) in the hit of that rank; None where
        the hit was not read or no token lies in the span."""
        stretch = self.stretch(rank, span)
        if stretch is None:
            return None
        (best,) = stretch.likeliest()
        start = max(span.start, self.readings[rank][0].passage.span.start)
        return Found(Span(start + best.span.start, start + best.span.end), best.score)

    def answers(self) -> float:
        """The largest log-odds that a hit as a whole answers; -12 where none was read."""
        return max((_bounded(r.answers) for _, r in self.readings.values()), default=-_SURE)


NOTHING = Comprehension({})

# Weights of logistic regressions over the signs below, the constant last; made by
# `ragstone.training.comprehension`. Where a person, a place, a time or a number is asked for, the
# reader is nearly always right about whether it stands there; an answer of several sentences ("how
# do I ...", "is it worth ...") it doubts too much. A question of many terms asks several things,
# which one passage does not answer: its decision is the trees'.
UNIT = (0.4412, 0.2306, -0.4557)
FACT = (0.4132, 0.672, -0.3908)
OTHER = (0.74, 0.5058, 1.1476)
LONG = (1.6102, 0.0, 1.4697)
SHORT_TERMS = 7
FACTS: frozenset[AnswerKind] = frozenset({"person", "place", "time", "number"})


def unit_signs(
    read: Comprehension, rank: int, span: Span, probability: float
) -> list[float] | None:
    """Log-odds by the scorer of evidence and of the likeliest answer in the unit; None where it
    was not read."""
    found = read.within(rank, span)
    return None if found is None else [log_odds(probability), found.score]


def held_in_unit(read: Comprehension, rank: int, span: Span, probability: float) -> float:
    """The probability that a unit holds the answer, by the scorer of evidence and the reader."""
    row = unit_signs(read, rank, span, probability)
    return probability if row is None else _sigmoid(row, UNIT)


def decision_signs(read: Comprehension, probability: float) -> list[float]:
    """Log-odds that the evidence answers by the trees of abstention, and the largest that a
    passage answers by the reader."""
    return [log_odds(probability), read.answers()]


def can_answer(read: Comprehension, probability: float, *, asked: Question) -> float:
    """The probability that the evidence answers what is asked, by the trees of abstention and
    the reader."""
    if not read:
        return probability
    return _sigmoid(decision_signs(read, probability), weights_for(asked))


def weights_for(asked: Question) -> tuple[float, float, float]:
    """How much trees and reader count for this kind of question."""
    if len(asked.terms) > SHORT_TERMS:
        return LONG
    return FACT if asked.kind in FACTS or "name" in asked.focus else OTHER


def _sigmoid(row: Sequence[float], weights: Sequence[float]) -> float:
    total = sum(value * weight for value, weight in zip(row, weights[:-1], strict=True))
    return 1.0 / (1.0 + math.exp(-_bounded(total + weights[-1])))


def knows(language: str) -> bool:
    """Whether the reader was trained on a language; "" is a text too short to tell."""
    return language in _LANGUAGES


def comprehend(question: str, hits: Sequence[Hit], reader: Reader | None) -> Comprehension:
    """Read the best hits; empty without a reader, and for languages that it does not know."""
    if reader is None or not knows(detect_language(question)):
        return NOTHING
    chosen = [hit for hit in hits[:READ] if knows(hit.document.language)]
    if not chosen:
        return NOTHING
    texts = [hit.passage.text for hit in chosen]
    titles = [hit.document.title for hit in chosen]
    readings = reader.read(question, texts, titles=titles)
    return Comprehension(
        {hit.rank: (hit, reading) for hit, reading in zip(chosen, readings, strict=True)}
    )


def log_odds(probability: float) -> float:
    """ln(p / (1 - p)), within -12 and 12."""
    inner = min(1.0 - 1e-9, max(1e-9, probability))
    return _bounded(math.log(inner / (1.0 - inner)))


def _bounded(value: float) -> float:
    return min(_SURE, max(-_SURE, value))
