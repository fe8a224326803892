"""What of a ranking is shown: reranked by a better reader, diverse, a few a document.

Each class wraps a retriever and is one itself. Law: a wrapper only reorders and leaves out; it
never makes a hit, and ranks count from 1 without gaps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from ragstone.errors import UsageError
from ragstone.protocols import Encoder, Filter, Reranker, Retriever, Snapshot, Vectors
from ragstone.retrieval.fusion import zscores
from ragstone.retrieval.hits import renumbered, rescored, stage
from ragstone.retrieval.proximity import ordered_above
from ragstone.trace import Trace
from ragstone.types import Hit

FIRST_WEIGHT = 0.5  # of the wrapped score beside the reranker's; see docs/retrieval.md


class Reranked:
    """The first `depth` hits by a reranker's scores and the wrapped ones; the others stay below.

    Both are standardised and summed, the wrapped ones by `first_weight` (0: the reranker alone
    decides). A cross-encoder trained on web questions misreads others: alone it loses 19 points
    of nDCG@10 on multihop_rag, with half the first score 8, and gains 1 to 5 on three others.
    """

    def __init__(
        self,
        retriever: Retriever,
        reranker: Reranker,
        *,
        depth: int = 30,
        first_weight: float = FIRST_WEIGHT,
    ) -> None:
        self._retriever, self._reranker, self._depth = retriever, reranker, depth
        self._first_weight = first_weight

    def retrieve(
        self, question: str, *, k: int = 10, where: Filter | None = None, trace: Trace | None = None
    ) -> list[Hit]:
        """The best `k`; `scores["rerank"]` is what the reranker said."""
        hits = self._retriever.retrieve(question, k=max(k, self._depth), where=where, trace=trace)
        read, rest = hits[: self._depth], hits[self._depth :]
        with stage(trace, "rerank") as noted:
            noted.note(reranker=self._reranker.name, read=len(read))
            scores = self._reranker.score(question, [hit.passage.text for hit in read])
            told = zscores(dict(enumerate(scores)))
            first = zscores({at: hit.score for at, hit in enumerate(read)})
            moved = [
                rescored(hit, told[at] + self._first_weight * first[at], rerank=scores[at])
                for at, hit in enumerate(read)
            ]
        return ordered_above(moved, rest)[:k]


class Recosined:
    """The same hits with another encoder's cosines in `scores["cosine"]`; their order stays.

    For those who read that score: whether documents can answer was learned from the shipped
    encoder's cosines, and another's lie elsewhere (bge's mostly between 0.5 and 0.9).
    """

    def __init__(self, retriever: Retriever, encoder: Encoder) -> None:
        self._retriever, self._encoder = retriever, encoder

    def retrieve(
        self, question: str, *, k: int = 10, where: Filter | None = None, trace: Trace | None = None
    ) -> list[Hit]:
        """What the wrapped retriever gives."""
        hits = self._retriever.retrieve(question, k=k, where=where, trace=trace)
        if not hits:
            return hits
        with stage(trace, "recosine") as noted:
            noted.note(encoder=self._encoder.name, read=len(hits))
            asked = self._encoder.encode_queries([question])[0]
            cosines = self._encoder.encode_passages([hit.passage.text for hit in hits]) @ asked
            return [
                rescored(hit, hit.score, cosine=float(cosine))
                for hit, cosine in zip(hits, cosines, strict=True)
            ]


class Diverse:
    """Hits picked one by one, each for its score and for being unlike those already picked."""

    def __init__(
        self, retriever: Retriever, snapshot: Snapshot, *, balance: float = 0.7, depth: int = 50
    ) -> None:
        """`balance` 1 is the wrapped ranking, 0 is difference alone."""
        if not 0.0 <= balance <= 1.0:
            raise UsageError(
                f"The balance of diversity is {balance}.",
                remedy="Give a number from 0 (unlike each other) to 1 (as ranked).",
            )
        self._retriever, self._snapshot = retriever, snapshot
        self._balance, self._depth = balance, depth

    def retrieve(
        self, question: str, *, k: int = 10, where: Filter | None = None, trace: Trace | None = None
    ) -> list[Hit]:
        """`k` hits in the order of picking, which is not that of their scores."""
        hits = self._retriever.retrieve(question, k=max(k, self._depth), where=where, trace=trace)
        with stage(trace, "diversity") as noted:
            noted.note(balance=self._balance, candidates=len(hits))
            vectors = self._snapshot.vectors([hit.passage.key for hit in hits])
            picked = maximal_marginal_relevance(
                [hit.score for hit in hits], vectors, k, balance=self._balance
            )
        return renumbered(hits[at] for at in picked)


class PerDocument:
    """At most `most` hits of one document."""

    def __init__(self, retriever: Retriever, *, most: int = 1) -> None:
        if most < 1:
            raise UsageError(
                f"At most {most} passages of a document would be none.", remedy="Give 1 or more."
            )
        self._retriever, self._most = retriever, most

    def retrieve(
        self, question: str, *, k: int = 10, where: Filter | None = None, trace: Trace | None = None
    ) -> list[Hit]:
        """The best `k` that the limit lets through; asks for more until there are enough."""
        wanted = k
        while True:
            wanted *= 3
            hits = self._retriever.retrieve(question, k=wanted, where=where, trace=trace)
            kept = limit_per_document(hits, self._most)
            if len(kept) >= k or len(hits) < wanted:
                return kept[:k]


def limit_per_document(hits: Sequence[Hit], most: int) -> list[Hit]:
    """The hits in order without those after the `most`-th of their document."""
    seen: Counter[str] = Counter()
    kept = []
    for hit in hits:
        seen[hit.document.id] += 1
        if seen[hit.document.id] <= most:
            kept.append(hit)
    return renumbered(kept)


def maximal_marginal_relevance(
    scores: Sequence[float], vectors: Vectors, k: int, *, balance: float
) -> list[int]:
    """Places of `k` items: argmax of balance * relevance - (1 - balance) * likeness to picked ones.

    Carbonell and Goldstein (SIGIR 1998). Scores are brought to 0..1 over the candidates, the
    scale of the cosine between `vectors` (unit rows, shape (len(scores), dim)). With balance 1
    the order of the scores, equal ones by place.
    """
    count = len(scores)
    relevance = np.asarray(scores, dtype=np.float64)
    width = float(np.ptp(relevance)) if count else 0.0
    relevance = (relevance - relevance.min()) / width if width else np.ones(count)
    likeness = np.zeros(count)
    left = np.ones(count, dtype=np.bool_)
    picked: list[int] = []
    while len(picked) < min(k, count):
        gain = np.where(left, balance * relevance - (1.0 - balance) * likeness, -np.inf)
        at = int(gain.argmax())
        picked.append(at)
        left[at] = False
        near = np.asarray(vectors @ vectors[at], dtype=np.float64)
        likeness = near if len(picked) == 1 else np.maximum(likeness, near)
    return picked
