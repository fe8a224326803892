"""How much the words weigh beside the meaning, question by question.

Standard scores stretch both lists to the same size, whatever they know. Two figures of the lists
themselves say which knows more: how far BM25 tells the passages apart (words that all share say
little), and how near the nearest meaning is (a passage that means what is asked needs no words).
Pure functions of question and lists, without judgements of relevance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ragstone.retrieval.fusion import Scores, relative_spread
from ragstone.retrieval.proximity import asks

Weigh = Callable[[str, Scores, Scores], float]  # question, BM25, cosines -> weight of the words

PLACES = 100  # of the list by words; empty ones count 0
# BM25 scores that spread less than this, relative to their mean, weigh less in proportion. Against
# equal weights nDCG@10 gains 3.6 on fiqa_subset, 6.6 on financebench's pages, 0.9 on mtrag, and
# changes by at most 0.2 on four others (docs/retrieval.md).
FULL_SPREAD = 0.4
MOST = 1.25


def by_spread(question: str, lexical: Scores, dense: Scores) -> float:
    """min(1, spread / 0.4): for every encoder, and for statements, which are no questions."""
    return min(1.0, relative_spread(lexical, places=PLACES) / FULL_SPREAD)


@dataclass(frozen=True, slots=True)
class BySpreadAndCosine:
    """constant + spread * (BM25's relative spread) - cosine * (best cosine), 0 to 1.25.

    A cosine means something else with each encoder, so the numbers are one encoder's own.
    """

    constant: float
    spread: float
    cosine: float

    def __call__(self, question: str, lexical: Scores, dense: Scores) -> float:
        if not asks(question) or not dense:
            return by_spread(question, lexical, dense)
        spread = relative_spread(lexical, places=PLACES)
        weight = self.constant + self.spread * spread - self.cosine * max(dense.values())
        return min(MOST, max(0.0, weight))


# By `Encoder.name`. Fitted on ten open collections; with each left out in turn nDCG@10 changes by
# +1.0 on average and by -0.6 at worst (docs/retrieval.md). What has no numbers goes by spread.
_KNOWN: dict[str, Weigh] = {"all-MiniLM-L6-v2": BySpreadAndCosine(1.6, 3.0, 3.5)}


def weigh_for(encoder: str) -> Weigh:
    """The way for the encoder of that name."""
    return _KNOWN.get(encoder, by_spread)
