"""The second hop: passages whose title stands in the text of the best ones move up.

A question such as "Where was the director of X born?" is answered by two passages, of which
only the first holds the question's words; but it names the second. So the best passages are
read for the titles of other candidates. Nothing is searched a second time and no model is
asked: what cannot be linked keeps its score.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from ragstone.protocols import Filter, Retriever
from ragstone.retrieval.hits import rescored, stage
from ragstone.retrieval.proximity import ordered_above, pool_idf
from ragstone.text.analysis import analyse, analyse_question
from ragstone.text.language import detect_language
from ragstone.trace import Trace
from ragstone.types import Hit

DEPTH = 60  # candidates that may be linked to
READ = 4  # best passages that are read for titles
WEIGHT = 2.0  # standard scores that a rare title is worth
_FULL = 8.0  # sum of idf from which a title counts fully
_FEW = 3  # a title of more candidates than this names none of them
_LEAST_TERMS = 2  # a single word is too often just a word
# Terms of a question that may have a second hop. Without the limit short questions lose (nDCG@10 of
# MTRAG's on Wikipedia 45.4 to 44.2, with it 44.6), and HotpotQA's gain 2.5 instead of 2.4.
_LEAST_ASKED = 5
_BRACKETS = re.compile(r"\s*\([^()]*\)")  # "Kiss and Tell (1945 film)" is written "Kiss and Tell"


class Linked:
    """Hits of another retriever, those that the best of them name by title moved up.

    Made for a score that is a sum of standard scores.
    """

    def __init__(
        self,
        retriever: Retriever,
        *,
        depth: int = DEPTH,
        read: int = READ,
        weight: float = WEIGHT,
    ) -> None:
        self._retriever, self._depth, self._read, self._weight = retriever, depth, read, weight

    def retrieve(
        self, question: str, *, k: int = 10, where: Filter | None = None, trace: Trace | None = None
    ) -> list[Hit]:
        """The best `k`; the score is the wrapped one plus `weight` times the link's, 0 to 1."""
        hits = self._retriever.retrieve(question, k=max(k, self._depth), where=where, trace=trace)
        candidates, rest = hits[: self._depth], hits[self._depth :]
        with stage(trace, "links") as noted:
            asked = analyse_question(question, (detect_language(question),))
            found = links(candidates, read=self._read) if len(asked) >= _LEAST_ASKED else {}
            noted.note(linked=[candidates[at].document.title for at in found][:10])
            if not found:
                return hits[:k]
            moved = [
                rescored(hit, hit.score + self._weight * found[at], link=found[at])
                if at in found
                else hit
                for at, hit in enumerate(candidates)
            ]
        return ordered_above(moved, rest)[:k]


def links(hits: Sequence[Hit], *, read: int = READ) -> dict[int, float]:
    """How surely each hit, by its place, is named in the text of one of the first `read`.

    0 to 1 by the rarity of the title's terms among the titles; only hits that are named.
    """
    titles = [_title(hit) for hit in hits]
    shared = Counter(titles)
    weights = pool_idf({term for title in titles for term in title}, titles)
    found: dict[int, float] = {}
    for reader in hits[:read]:
        text = _joined(analyse(reader.passage.text, reader.document.language))
        for at, (hit, title) in enumerate(zip(hits, titles, strict=True)):
            if len(title) < _LEAST_TERMS or shared[title] > _FEW or at in found:
                continue
            if hit.document.id != reader.document.id and _joined(title) in text:
                found[at] = min(1.0, sum(weights[term] for term in title) / _FULL)
    return dict(sorted(found.items()))


def _title(hit: Hit) -> tuple[str, ...]:
    return _title_terms(hit.document.title, hit.document.language)


@lru_cache(maxsize=4096)
def _title_terms(title: str, language: str) -> tuple[str, ...]:
    return tuple(analyse(_BRACKETS.sub("", title), language))


def _joined(terms: Sequence[str]) -> str:
    return f" {' '.join(terms)} "
