"""Before anything is written: can this evidence answer this question?

Law: a pure function of question, evidence and hits; the refusal is a value that says what was
looked for, what is missing, and what came nearest.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Literal

from ragstone.grounding.answerable import SIGNS, held_by, missing_words, signs
from ragstone.grounding.citations import cite
from ragstone.grounding.comprehension import NOTHING, READABLE, Comprehension, can_answer
from ragstone.grounding.lexicon import LIGHT_VERBS
from ragstone.grounding.questions import Question, understand
from ragstone.grounding.suggestions import could_answer, respelled
from ragstone.grounding.trees import Trees, shipped
from ragstone.grounding.words import terms_of
from ragstone.types import Abstention, Evidence, Hit

Level = Literal["cautious", "balanced", "eager"]

# Probability from which an answer is tried, with the shipped retriever's own hits. By the trees
# alone (rows, other languages than English, no reader): of questions put to the wrong corpus (275
# over five corpora) and of those whose gold passage was found (630) "balanced" refuses 97.5% and
# answers 95.4%.
THRESHOLDS: dict[Level, float] = {"cautious": 0.55, "balanced": 0.4, "eager": 0.25}
# With the reader, out of fold: of 216 and 1,079 over seven sets, "balanced" refuses 98.1% and
# answers 93.2%, "cautious" 99.1% and 86.5%, "eager" 95.8% and 97.6%.
READ_THRESHOLDS: dict[Level, float] = {"cautious": 0.7, "balanced": 0.55, "eager": 0.35}
# Where the best evidence holds every word of the question, which it does for 0.4% of the wrong
# corpus' questions: a short question without names ("How many steps are there?") has a low
# probability only because it has few words to find. Of 81 found questions of this kind none lies
# below .3 with the reader, of 15 of SQuAD's unanswerable ones 2.
HELD_THRESHOLDS: dict[Level, float] = {"cautious": 0.3, "balanced": 0.15, "eager": 0.1}
READ_HELD_THRESHOLDS: dict[Level, float] = {"cautious": 0.45, "balanced": 0.3, "eager": 0.2}
_NEAREST = 3


def decide(
    question: str,
    evidence: Sequence[Evidence],
    hits: Sequence[Hit],
    *,
    level: Level = "balanced",
    read: Comprehension = NOTHING,
) -> tuple[float, Abstention | None]:
    """The probability that `evidence` answers `question`, and a refusal where it is too low.

    `read` is what a reader makes of the same hits. A question all of whose words stand in the best
    piece of evidence (or in the title and headings over it) is tried from a lower probability on.
    """
    asked = understand(question)
    confidence = answerable(asked, evidence, hits, read=read)
    if evidence and confidence >= threshold(asked, evidence, level, read=read):
        return confidence, None
    absent = missing_words(asked, evidence, hits)
    other = respelled(question, absent, hits) or could_answer(frozenset(asked.terms), hits)
    return confidence, Abstention(
        reason=refusal(hits, absent=absent, other=other),
        confidence=confidence,
        nearest=tuple(cite(item) for item in evidence[:_NEAREST]),
        could_answer=other,
    )


def threshold(
    asked: Question, evidence: Sequence[Evidence], level: Level, *, read: Comprehension = NOTHING
) -> float:
    """The probability from which `level` tries to answer from this evidence."""
    light = terms_of(" ".join(LIGHT_VERBS))
    wanted = frozenset(asked.terms) - light
    is_held = bool(wanted) and held_by(evidence[0], asked) >= wanted
    if _is_read(read, evidence):
        return READ_HELD_THRESHOLDS[level] if is_held else READ_THRESHOLDS[level]
    return HELD_THRESHOLDS[level] if is_held else THRESHOLDS[level]


def _is_read(read: Comprehension, evidence: Sequence[Evidence]) -> bool:
    """Whether the reader can speak of the best evidence: prose, which it was trained on."""
    return bool(read) and evidence[0].kind in READABLE


def answerable(
    asked: Question,
    evidence: Sequence[Evidence],
    hits: Sequence[Hit],
    *,
    read: Comprehension = NOTHING,
) -> float:
    """The probability that the evidence holds the answer, 0 to 1; 0 without evidence."""
    if not evidence:
        return 0.0
    by_trees = without_reading(asked, evidence, hits)
    if not _is_read(read, evidence):
        return by_trees
    return can_answer(read, by_trees, asked=asked)


def without_reading(asked: Question, evidence: Sequence[Evidence], hits: Sequence[Hit]) -> float:
    """The same by the signs of question, evidence and hits alone."""
    if not evidence:
        return 0.0
    return float(_model().probabilities(signs(asked, evidence, hits))[0])


@cache
def _model() -> Trees:
    """Whether evidence answers a question; made by `ragstone.training.abstention`."""
    return shipped("abstention", SIGNS)


def refusal(hits: Sequence[Hit], *, absent: Sequence[str], other: str) -> str:
    """Why there is no answer, in a few sentences for a reader: what was searched, which words of
    the question are `absent`, and the `other` question that the nearest passages could answer."""
    if not hits:
        return "Nothing in the documents matches the question."
    count = len({hit.passage.document_id for hit in hits})
    documents = "one document" if count == 1 else f"{count} documents"
    if len(hits) == 1:
        searched = f"The nearest passage, from {documents}, does not answer this."
    else:
        searched = f"The {len(hits)} nearest passages, from {documents}, do not answer this."
    why = "The words of the question are there, the answer is not."
    if absent:
        listed = " or ".join(f"“{word}”" for word in absent[:3])
        why = f"Nothing there mentions {listed}."
    return f"{searched} {why}" + (f" They could answer: {other}" if other else "")


def missing_part(question: str, evidence: Sequence[Evidence], hits: Sequence[Hit]) -> str:
    """What an answer from this evidence cannot speak of, as a sentence; "" where nothing.

    Names and quoted titles of the question count, which stand in no evidence and in no hit: the
    half of "Compare A with B" that the documents do not have.
    """
    asked = understand(question)
    named = {term for name in asked.names for term in name.terms}
    absent = [
        word for word in missing_words(asked, evidence, hits) if named.intersection(terms_of(word))
    ]
    if not absent:
        return ""
    listed = ", ".join(f"“{word}”" for word in absent[:3])
    return f"The documents say nothing about {listed}."
