"""Before anything is written: can this evidence answer this question?

Law: a pure function of question, evidence and hits; the refusal is a value that says what was
looked for, what is missing, and what came nearest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from ragstone.grounding.answerable import missing_words, signs
from ragstone.grounding.citations import cite
from ragstone.grounding.questions import Question, understand
from ragstone.grounding.scoring import answerability
from ragstone.grounding.words import terms_of
from ragstone.types import Abstention, Evidence, Hit

Level = Literal["cautious", "balanced", "eager"]

# Probability from which an answer is tried. Out of fold over five sets, 0.3 answers 96% of what
# can be answered and refuses 97% of questions put to the wrong corpus (which mostly score below
# 0.05). "balanced" is a little lower, so that short questions without names ("How many steps are
# there?", 0.25) are answered; that step was not measured on the sets.
THRESHOLDS: dict[Level, float] = {"cautious": 0.55, "balanced": 0.24, "eager": 0.15}
_NEAREST = 3


def decide(
    question: str,
    evidence: Sequence[Evidence],
    hits: Sequence[Hit],
    *,
    level: Level = "balanced",
) -> tuple[float, Abstention | None]:
    """The probability that `evidence` answers `question`, and a refusal where it is too low."""
    asked = understand(question)
    confidence = answerable(asked, evidence, hits)
    if evidence and confidence >= THRESHOLDS[level]:
        return confidence, None
    return confidence, Abstention(
        reason=refusal(asked, evidence, hits),
        confidence=confidence,
        nearest=tuple(cite(item) for item in evidence[:_NEAREST]),
    )


def answerable(asked: Question, evidence: Sequence[Evidence], hits: Sequence[Hit]) -> float:
    """The probability that the evidence holds the answer, 0 to 1; 0 without evidence."""
    if not evidence:
        return 0.0
    return float(answerability().probabilities(signs(asked, evidence, hits))[0])


def refusal(asked: Question, evidence: Sequence[Evidence], hits: Sequence[Hit]) -> str:
    """Why there is no answer, in one or two sentences for a reader."""
    if not hits:
        return "Nothing in the documents matches the question."
    count = len({hit.passage.document_id for hit in hits})
    documents = "one document" if count == 1 else f"{count} documents"
    if len(hits) == 1:
        searched = f"The nearest passage, from {documents}, does not answer this."
    else:
        searched = f"The {len(hits)} nearest passages, from {documents}, do not answer this."
    absent = missing_words(asked, evidence, hits)
    if absent:
        listed = " or ".join(f"“{word}”" for word in absent[:3])
        return f"{searched} Nothing there mentions {listed}."
    return f"{searched} The words of the question are there, the answer is not."


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
