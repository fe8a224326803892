"""Retrieval that remembers: the question as it was said and as it is understood, in one list.

Both are searched for, and their standard scores are summed with weights; what earlier answers
cited comes along at the end, so that the next answer can stand on it too. Each is a
`protocols.Retriever` around another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ragstone.applications.chat_question import Understood
from ragstone.applications.chat_topic import content_terms
from ragstone.errors import UsageError
from ragstone.protocols import Filter, Retriever, Snapshot
from ragstone.retrieval.fusion import ranked, zscore_sum
from ragstone.trace import Trace
from ragstone.types import Citation, Hit, Passage

DEPTH = 50  # hits of each question that are summed
SETTLED = 10  # passages looked at for whether a topic goes on
KEPT = 3  # quotes of earlier answers that come along


def settled(
    understood: Understood, retriever: Retriever, *, where: Filter | None = None
) -> Understood:
    """The same turn, as one on a new topic where the documents never speak of it and the old one.

    A whole question ("How are files stored?") may go on with the topic or begin another. It begins
    another if a passage found for it holds all of its words, and none found for it with the carried
    words holds one of these besides. Where no passage holds all of its words, nothing is decided.
    What it carries still counts a little in the search, for the rule may err: left out there too,
    it gained nothing on one half of the dialogues of `eval chat` and lost 0.4 of Recall@5 on the
    other, none of which changes its topic.
    """
    if not (understood.is_whole and understood.carried):
        return understood
    own = frozenset(content_terms(understood.said))
    carried = frozenset(content_terms(" ".join(understood.carried)))
    together = retriever.retrieve(understood.meant, k=SETTLED, where=where)
    if any(own <= held and carried & held for held in map(_spoken_of, together)):
        return understood
    alone = retriever.retrieve(understood.said, k=SETTLED, where=where)
    if not any(own <= held for held in map(_spoken_of, alone)):
        return understood
    return replace(understood, new_topic=True)


def _spoken_of(hit: Hit) -> frozenset[str]:
    """The terms of a passage and of what it stands under."""
    passage = hit.passage
    return frozenset(
        content_terms(" ".join((hit.document.title, *passage.heading_path, passage.text)))
    )


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
