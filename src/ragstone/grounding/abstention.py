"""Before anything is written: can this evidence answer this question?

Law: a pure function of question, evidence and hits; the refusal is a value that says what was
looked for, what is missing, and what came nearest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from ragstone.grounding.answerable import missing_words
from ragstone.grounding.citations import cite
from ragstone.grounding.questions import Question, understand
from ragstone.types import Abstention, Evidence, Hit

Level = Literal["cautious", "balanced", "eager"]

THRESHOLDS: dict[Level, float] = {"cautious": 0.5, "balanced": 0.3, "eager": 0.1}
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
    confidence = answerability(asked, evidence, hits)
    if evidence and confidence >= THRESHOLDS[level]:
        return confidence, None
    return confidence, Abstention(
        reason=refusal(asked, evidence, hits),
        confidence=confidence,
        nearest=tuple(cite(item) for item in evidence[:_NEAREST]),
    )


def answerability(asked: Question, evidence: Sequence[Evidence], hits: Sequence[Hit]) -> float:
    """The probability that the evidence holds the answer, 0 to 1."""
    if not evidence:
        return 0.0
    absent = len(missing_words(asked, evidence, hits)) / max(1, len(asked.terms))
    missing = 1.0
    for item in evidence:
        missing *= 1.0 - min(1.0, item.score)
    return (1.0 - missing) * (1.0 - absent)


def refusal(asked: Question, evidence: Sequence[Evidence], hits: Sequence[Hit]) -> str:
    """Why there is no answer, in one or two sentences for a reader."""
    if not hits:
        return "Nothing in the documents matches the question."
    documents = len({hit.passage.document_id for hit in hits})
    searched = (
        f"The {len(hits)} nearest passages, from {documents} "
        f"{'document' if documents == 1 else 'documents'}, do not answer this."
    )
    absent = missing_words(asked, evidence, hits)
    if absent:
        listed = " or ".join(f"“{word}”" for word in absent[:3])
        return f"{searched} None of them mentions {listed}."
    return f"{searched} They mention the words of the question, but not the answer."
