"""How closely a passage's words stand as the question has them: phrases and dense windows.

BM25 and cosines do not see order. Two measures of the passage's terms do: the share of the
question's adjacent pairs that are adjacent there too (Metzler and Croft, "A Markov random field
model for term dependencies", SIGIR 2005), and the most of the question that stands within a
few words (Tao and Zhai, "An exploration of proximity measures", SIGIR 2007). Pure functions,
and a wrapper that adds both to the scores of the best hits.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from ragstone.protocols import Filter, Retriever
from ragstone.retrieval.fusion import zscores
from ragstone.retrieval.hits import renumbered, rescored, stage
from ragstone.text.analysis import analyse, analyse_question
from ragstone.trace import Trace
from ragstone.types import Hit

DEPTH = 30  # hits that are read; deeper ones stay below. 50 gains nothing and costs 4 ms more
WINDOW = 8  # terms
# Chosen on eight collections, kept since none of them loses: docs/retrieval.md.
PHRASE_WEIGHT = WINDOW_WEIGHT = 0.2

# How English questions begin that end without a question mark.
_ASKS = re.compile(
    r"\W*(?:who|whom|whose|what|when|where|which|why|how|is|are|was|were|do|does|did|can|could|"
    r"should|would|will|has|have|had|in (?:what|which)|name|list|give|tell|find|explain|compare)\b",
    re.IGNORECASE,
)

Terms = Sequence[str]


def pool_idf(asked: Iterable[str], texts: Sequence[Terms]) -> dict[str, float]:
    """ln(1 + (N - n + 0.5) / (n + 0.5)) of each asked term among the N texts read.

    Of the candidates, not of the corpus: what they all share tells them apart no more.
    """
    wanted = set(asked)
    held = Counter(term for terms in texts for term in wanted.intersection(terms))
    count = len(texts)
    return {term: math.log1p((count - held[term] + 0.5) / (held[term] + 0.5)) for term in wanted}


def phrase_share(question: Terms, terms: Terms, weights: Mapping[str, float]) -> float:
    """The weighted share, 0 to 1, of the question's adjacent pairs that `terms` hold adjacent.

    A pair weighs what its terms weigh; terms without weight (stop words) count 0.
    """
    pairs = {pair: weights.get(pair[0], 0.0) + weights.get(pair[1], 0.0)
             for pair in pairwise(question)}  # fmt: skip
    total = sum(pairs.values())
    if total <= 0:
        return 0.0
    held = set(pairwise(terms))
    return sum(weight for pair, weight in pairs.items() if pair in held) / total


def window_share(terms: Terms, weights: Mapping[str, float], *, width: int = WINDOW) -> float:
    """The largest share, 0 to 1, of all weight that `width` successive terms hold.

    Each distinct term counts once in a window.
    """
    total = sum(weights.values())
    if total <= 0:
        return 0.0
    places = [(at, term) for at, term in enumerate(terms) if term in weights]
    inside: Counter[str] = Counter()
    best = current = 0.0
    first = 0
    for at, term in places:
        if not inside[term]:
            current += weights[term]
        inside[term] += 1
        while places[first][0] <= at - width:
            left = places[first][1]
            inside[left] -= 1
            if not inside[left]:
                current -= weights[left]
            first += 1
        best = max(best, current)
    return min(1.0, best / total)


class Proximate:
    """Hits of another retriever, those that hold the question's phrases moved up.

    Made for a score that is a sum of standard scores, to which it adds two more.
    """

    def __init__(
        self,
        retriever: Retriever,
        *,
        depth: int = DEPTH,
        phrase_weight: float = PHRASE_WEIGHT,
        window_weight: float = WINDOW_WEIGHT,
    ) -> None:
        self._retriever, self._depth = retriever, depth
        self._phrase_weight, self._window_weight = phrase_weight, window_weight

    def retrieve(
        self, question: str, *, k: int = 10, where: Filter | None = None, trace: Trace | None = None
    ) -> list[Hit]:
        """The best `k`; the score is the wrapped one plus both weighted standard scores."""
        hits = self._retriever.retrieve(question, k=max(k, self._depth), where=where, trace=trace)
        read, rest = hits[: self._depth], hits[self._depth :]
        if len(read) < 2 or not asks(question):
            return hits[:k]
        with stage(trace, "proximity") as noted:
            phrases, windows = proximities(question, read)
            phrase_scores, window_scores = zscores(phrases), zscores(windows)
            moved = [
                rescored(
                    hit,
                    hit.score
                    + self._phrase_weight * phrase_scores[at]
                    + self._window_weight * window_scores[at],
                    phrase=phrases[at],
                    window=windows[at],
                )
                for at, hit in enumerate(read)
            ]
            noted.note(read=len(read))
        return ordered_above(moved, rest)[:k]


def asks(text: str) -> bool:
    """Whether a text is a question rather than a statement.

    A statement (a claim to be looked up) shares its phrases with whatever speaks of its topic: on
    SciFact's claims reading for phrases cost 0.7 to 1.0 points of nDCG@10.
    """
    return text.rstrip().endswith(("?", "？", "؟")) or bool(_ASKS.match(text))


def proximities(question: str, hits: Sequence[Hit]) -> tuple[dict[int, float], dict[int, float]]:
    """Phrase and window shares of each hit's passage, by its place in `hits`."""
    languages = {hit.document.language for hit in hits}
    asked = {language: analyse(question, language) for language in languages}
    telling = {language: analyse_question(question, (language,)) for language in languages}
    texts = [analyse(hit.passage.text, hit.document.language) for hit in hits]
    weights = {language: pool_idf(telling[language], texts) for language in languages}
    phrases, windows = {}, {}
    for at, (hit, terms) in enumerate(zip(hits, texts, strict=True)):
        language = hit.document.language
        phrases[at] = phrase_share(asked[language], terms, weights[language])
        windows[at] = window_share(terms, weights[language])
    return phrases, windows


def ordered_above(moved: Sequence[Hit], rest: Sequence[Hit]) -> list[Hit]:
    """`moved` by score, then `rest`, renumbered, scores never rising.

    What was not read cannot be compared with what was: it stays below, its score held down.
    """
    best = sorted(moved, key=lambda hit: (-hit.score, hit.rank))
    floor = best[-1].score if best else math.inf
    below = [rescored(hit, min(hit.score, floor)) for hit in rest]
    return renumbered([*best, *below])
