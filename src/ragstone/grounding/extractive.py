"""An answer made of nothing but quotes: what is said when no model may or can say it.

Law: every statement is an evidence text, word for word. Only the marks of the document's format
are left out; the citation keeps them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ragstone.grounding.questions import Question, understand
from ragstone.text.wording import worded
from ragstone.types import Evidence


@dataclass(frozen=True, slots=True)
class Measure:
    """How many quotes at most, and the share of the best one's score that each is worth."""

    most: int
    worth: float


# A quote below this adds words, not an answer.
FACT = Measure(3, 0.35)
# The sentence of a later step scores less: HotpotQA's quotes hold the answer in .71 instead of .61
# (116 questions), at the same share of quotes that are of a gold page or hold it (.80).
STEPS = Measure(3, 0.2)
# What is explained takes more than one sentence: 52 such questions of MTRAG, against the answers
# that people wrote, F1 .26 to .29, recall of their words .23 to .29, quotes of a gold passage .33.
EXPLAINED = Measure(4, 0.1)


@dataclass(frozen=True, slots=True)
class Quote:
    """The words of `evidence[place]` on one line, in quotation marks."""

    place: int
    words: str


def quotes(question: str, evidence: Sequence[Evidence]) -> list[Quote]:
    """The best pieces of evidence as quotes; none for no evidence.

    By score; what tells how something is done reads in its documents' own order, the best document
    first.
    """
    if not evidence:
        return []
    order = sorted(range(len(evidence)), key=lambda place: (-evidence[place].score, place))
    best = order[0]
    asked = understand(question)
    measure = _measure(asked)
    least = measure.worth * evidence[best].score
    near = [p for p in order[1:] if evidence[p].score >= least]
    chosen = [best, *near[: measure.most - 1]]
    if asked.kind == "manner":
        documents = list(dict.fromkeys(evidence[place].document.id for place in chosen))
        chosen.sort(
            key=lambda p: (documents.index(evidence[p].document.id), evidence[p].span.start)
        )
    return [quote(evidence[place], place) for place in chosen]


def _measure(asked: Question) -> Measure:
    if asked.explained:
        return EXPLAINED
    return STEPS if asked.in_steps else FACT


def quote(item: Evidence, place: int) -> Quote:
    """One piece of evidence, which is number `place` (from 0) of what is shown."""
    words = worded(item.text, item.document.format) or " ".join(item.text.split())
    return Quote(place, f"“{words}”")
