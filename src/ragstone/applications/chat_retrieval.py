"""Retrieval that remembers: the question as it was said and as it is understood, in one list.

Both are searched for, and their standard scores are summed with weights; what earlier answers
cited comes along at the end, so that the next answer can stand on it too. Each is a
`protocols.Retriever` around another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ragstone.errors import UsageError
from ragstone.protocols import Filter, Retriever, Snapshot
from ragstone.retrieval.fusion import ranked, zscore_sum
from ragstone.trace import Trace
from ragstone.types import Citation, Hit, Passage

DEPTH = 50  # hits of each question that are summed
KEPT = 3  # quotes of earlier answers that come along


class Remembering:
    """Searches for `said` and `meant` and sums, `weight` being that of `meant` (0 to 1).

    `kept` come after what was found, at most as many as leave room for half of `k`; hits that
    overlap `known` are left out, for the reader who asks for more than was said.
    """

    def __init__(
        self,
        base: Retriever,
        *,
        said: str,
        meant: str,
        weight: float,
        kept: Sequence[Hit] = (),
        known: Sequence[Citation] = (),
    ) -> None:
        self._base = base
        self._questions = [(said, 1.0 - weight), (meant, weight)]
        self._kept, self._known = kept, known

    def retrieve(
        self, question: str, *, k: int = 10, where: Filter | None = None, trace: Trace | None = None
    ) -> list[Hit]:
        """The best `k` hits. `question` is only the name under which they are asked for."""
        del question  # what is searched for was decided when this was made
        wanted = {text: weight for text, weight in self._questions if weight > 0.0}
        depth = k if len(wanted) == 1 else max(k, DEPTH)
        lists = [self._base.retrieve(text, k=depth, where=where, trace=trace) for text in wanted]
        hits = lists[0] if len(lists) == 1 else fused(lists, list(wanted.values()))
        hits = [hit for hit in hits if not any(_holds(hit, known) for known in self._known)][:k]
        kept = [hit for hit in self._kept if not any(_covers(found, hit) for found in hits)]
        kept = kept[: k // 2]
        if kept:
            hits = [*hits[: k - len(kept)], *kept]
        return [replace(hit, rank=rank) for rank, hit in enumerate(hits, start=1)]


def fused(lists: Sequence[Sequence[Hit]], weights: Sequence[float]) -> list[Hit]:
    """Lists of hits as one, by the weighted sum of their standard scores."""
    by_key = {hit.passage.key: hit for hits in reversed(lists) for hit in hits}
    scores = zscore_sum(
        [{hit.passage.key: hit.score for hit in hits} for hits in lists], weights=weights
    )
    return [replace(by_key[key], score=scores[key]) for key in ranked(scores)]


def hits_of(citations: Sequence[Citation], snapshot: Snapshot) -> list[Hit]:
    """Cited quotes as hits, of those documents that still hold them word for word."""
    found: list[Hit] = []
    for citation in citations[:KEPT]:
        try:
            document = snapshot.document(citation.document_id)
            info = snapshot.find(citation.document_id)
        except UsageError:  # removed since
            continue
        if citation.span.of(document.text) != citation.quote:
            continue
        passage = Passage(
            citation.document_id, citation.span, citation.quote, citation.heading_path,
            citation.page,
        )  # fmt: skip
        found.append(Hit(passage, info, 0.0, len(found) + 1, {"kept": 1.0}))
    return found


def _holds(hit: Hit, citation: Citation) -> bool:
    passage = hit.passage
    return passage.document_id == citation.document_id and passage.span.overlaps(citation.span)


def _covers(found: Hit, kept: Hit) -> bool:
    one, other = found.passage, kept.passage
    return one.document_id == other.document_id and one.span.contains(other.span)
