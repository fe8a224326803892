"""An answer made of nothing but quotes: what is said when no model may or can say it.

Law: every statement is an evidence text, word for word. Only the marks of the document's format
are left out; the citation keeps them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ragstone.grounding.questions import understand
from ragstone.text.wording import worded
from ragstone.types import Evidence

MAX_QUOTES = 3
_WORTH = 0.35  # of the best score: a sentence below it adds words, not an answer
# The sentence of a later step scores less. With .2 for questions of several steps HotpotQA's quotes
# hold the answer in .71 instead of .61 (116 questions), at the same share of quotes that are of a
# gold page or hold it (.80); with .1 in .72, at .78.
_WORTH_OF_STEP = 0.2


@dataclass(frozen=True, slots=True)
class Quote:
    """The words of `evidence[place]` on one line, in quotation marks."""

    place: int
    words: str


def quotes(
    question: str, evidence: Sequence[Evidence], *, max_quotes: int = MAX_QUOTES
) -> list[Quote]:
    """The best one to three pieces of evidence as quotes, none for no evidence.

    The best comes first; others follow if they score within reach of it, those of the same
    document in the document's order.
    """
    if not evidence:
        return []
    order = sorted(range(len(evidence)), key=lambda place: (-evidence[place].score, place))
    best = order[0]
    worth = _WORTH_OF_STEP if understand(question).in_steps else _WORTH
    least = worth * evidence[best].score
    near = [p for p in order[1:] if evidence[p].score >= least]
    return [quote(evidence[place], place) for place in (best, *near[: max_quotes - 1])]


def quote(item: Evidence, place: int) -> Quote:
    """One piece of evidence, which is number `place` (from 0) of what is shown."""
    words = worded(item.text, item.document.format) or " ".join(item.text.split())
    return Quote(place, f"“{words}”")
