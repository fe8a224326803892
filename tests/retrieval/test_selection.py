"""Wrappers that reorder or leave out, and what stands around a hit."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragstone.errors import UsageError
from ragstone.retrieval.fusion import zscores
from ragstone.retrieval.retrievers import Hybrid, Lexical
from ragstone.retrieval.selection import (
    Diverse,
    PerDocument,
    Recosined,
    Reranked,
    maximal_marginal_relevance,
)
from ragstone.retrieval.surroundings import neighbourhood, section
from ragstone.testing.hashing import HashingEncoder
from ragstone.types import Document, Element, Passage, Span


class ByLength:
    """A reranker that likes short passages."""

    name = "by-length"

    def score(self, question, passages) -> list[float]:
        return [-float(len(passage)) for passage in passages]


def test_a_reranker_decides_over_what_it_read_and_no_more(library, encoder) -> None:
    plain = Hybrid(library, encoder)
    alone = Reranked(plain, ByLength(), depth=4, first_weight=0)
    hits = alone.retrieve("sea and bread", k=99)
    before = plain.retrieve("sea and bread", k=99)
    lengths = [len(hit.passage.text) for hit in hits[:4]]
    assert lengths == sorted(lengths)
    assert all(hit.scores["rerank"] == -len(hit.passage.text) for hit in hits[:4])
    assert [hit.passage.key for hit in hits[4:]] == [hit.passage.key for hit in before[4:]]
    assert [hit.rank for hit in hits] == list(range(1, len(before) + 1))
    assert "cosine" in hits[0].scores


@pytest.mark.parametrize("weight", [0.0, 0.5, 2.0, 1e6])
def test_a_reranker_and_the_first_score_are_weighed(library, encoder, weight) -> None:
    plain = Hybrid(library, encoder)
    before = plain.retrieve("sea and bread", k=4)
    hits = Reranked(plain, ByLength(), depth=4, first_weight=weight).retrieve("sea and bread", k=4)
    told = zscores({hit.passage.key: -float(len(hit.passage.text)) for hit in before})
    first = zscores({hit.passage.key: hit.score for hit in before})
    for hit in hits:
        key = hit.passage.key
        assert hit.score == pytest.approx(told[key] + weight * first[key])
    if weight == 1e6:
        assert [hit.passage.key for hit in hits] == [hit.passage.key for hit in before]


def test_another_encoders_cosines_change_no_order(library, encoder) -> None:
    plain = Hybrid(library, encoder)
    other = HashingEncoder(64)
    hits = Recosined(plain, other).retrieve("bread and water", k=5)
    before = plain.retrieve("bread and water", k=5)
    assert [(hit.passage, hit.rank, hit.score) for hit in hits] == [
        (hit.passage, hit.rank, hit.score) for hit in before
    ]
    asked = other.encode_queries(["bread and water"])[0]
    for hit in hits:
        told = other.encode_passages([hit.passage.text])[0] @ asked
        assert hit.scores["cosine"] == pytest.approx(float(told), abs=1e-6)
    assert not Recosined(Lexical(library), other).retrieve("zzzyx")


@pytest.mark.parametrize("most", [1, 2])
def test_no_document_gives_more_than_its_share(library, encoder, most) -> None:
    hits = PerDocument(Hybrid(library, encoder), most=most).retrieve("rivers to the sea", k=5)
    names = [hit.document.id for hit in hits]
    assert max(names.count(name) for name in names) <= most
    assert len(hits) == min(5, sum(min(most, d.passages) for d in library.documents()))
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=12), st.integers(1, 15))
def test_full_balance_is_the_ranking_itself(scores, k) -> None:
    vectors = np.eye(len(scores), dtype=np.float32)
    picked = maximal_marginal_relevance(scores, vectors, k, balance=1.0)
    assert len(picked) == len(set(picked)) == min(k, len(scores))
    picked_scores = [scores[at] for at in picked]
    width = max(scores) - min(scores)
    for first, second in pairwise(picked_scores):
        assert first >= second - 1e-9 * max(1.0, width)


def test_a_copy_of_what_was_picked_comes_last() -> None:
    vectors = np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32)
    assert maximal_marginal_relevance([1.0, 0.9, 0.8], vectors, 3, balance=1.0) == [0, 1, 2]
    assert maximal_marginal_relevance([1.0, 0.9, 0.8], vectors, 3, balance=0.5) == [0, 2, 1]


def test_diverse_hits_are_hits_of_the_wrapped_retriever(library, encoder) -> None:
    plain = Hybrid(library, encoder)
    hits = Diverse(plain, library, balance=0.5).retrieve("rivers to the sea", k=4)
    known = {hit.passage.key for hit in plain.retrieve("rivers to the sea", k=50)}
    assert {hit.passage.key for hit in hits} <= known
    assert [hit.rank for hit in hits] == [1, 2, 3, 4]


def test_meaningless_options_are_refused(library, encoder) -> None:
    plain = Hybrid(library, encoder)
    with pytest.raises(UsageError, match=r"balance of diversity is 1\.5"):
        Diverse(plain, library, balance=1.5)
    with pytest.raises(UsageError, match="At most 0"):
        PerDocument(plain, most=0)


TEXT = "Title\n\nOne.\n\nTwo.\n\nPart\n\nThree.\n\nFour."


def document(*, structured: bool) -> Document:
    def element(kind, word, level=0) -> Element:
        start = TEXT.index(word)
        return Element(kind, Span(start, start + len(word)), level)

    elements = (
        element("heading", "Title", 1), element("paragraph", "One."), element("paragraph", "Two."),
        element("heading", "Part", 2), element("paragraph", "Three."),
        element("paragraph", "Four."),
    )  # fmt: skip
    return Document("d", "/d", "Title", TEXT, "text", elements if structured else ())


def passage(word: str) -> Passage:
    start = TEXT.index(word)
    return Passage("d", Span(start, start + len(word)), word)


@pytest.mark.parametrize("structured", [True, False])
def test_neighbours_are_whole_blocks_on_either_side(structured) -> None:
    whole = document(structured=structured)
    assert neighbourhood(whole, passage("Two.")).of(TEXT) == "One.\n\nTwo.\n\nPart"
    assert neighbourhood(whole, passage("Two."), before=0).of(TEXT) == "Two.\n\nPart"
    assert neighbourhood(whole, passage("Two."), before=0, after=0).of(TEXT) == "Two."
    assert neighbourhood(whole, passage("One."), before=9, after=9).of(TEXT) == TEXT


def test_a_section_goes_to_the_next_heading_of_its_level() -> None:
    whole = document(structured=True)
    assert section(whole, passage("Three.")).of(TEXT) == "Part\n\nThree.\n\nFour."
    assert section(whole, passage("One.")) == Span(0, len(TEXT))
    assert section(document(structured=False), passage("Two.")) == Span(0, len(TEXT))
    across = Passage("d", Span(TEXT.index("Two."), TEXT.index("Four.")), "")
    assert section(whole, across) == Span(0, len(TEXT))
