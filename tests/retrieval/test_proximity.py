"""Phrases and windows: bounds, the obvious version, and what the wrapper does to a ranking."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragstone.retrieval.links import Linked, links
from ragstone.retrieval.proximity import (
    Proximate,
    asks,
    ordered_above,
    phrase_share,
    pool_idf,
    window_share,
)
from ragstone.retrieval.retrievers import Hybrid
from ragstone.trace import Trace

TERMS = st.lists(st.sampled_from("abcdefgh"), max_size=30)
WEIGHTS = st.dictionaries(st.sampled_from("abcd"), st.floats(0.1, 5), max_size=4)


def obvious_window(terms, weights, width) -> float:
    windows = [set(terms[at : at + width]) & weights.keys() for at in range(len(terms))]
    best = max((sum(weights[term] for term in held) for held in windows), default=0.0)
    return best / sum(weights.values()) if weights else 0.0


@given(TERMS, WEIGHTS, st.integers(1, 10))
def test_the_sliding_window_equals_the_obvious_one(terms, weights, width) -> None:
    expected = obvious_window(terms, weights, width)
    assert window_share(terms, weights, width=width) == pytest.approx(expected)


@given(TERMS, TERMS, WEIGHTS)
def test_phrase_share_is_the_share_of_held_pairs(question, terms, weights) -> None:
    pairs = set(pairwise(question))
    worth = {pair: sum(weights.get(term, 0.0) for term in pair) for pair in pairs}
    held = [pair for pair in pairs if pair in set(pairwise(terms))]
    total = sum(worth.values())
    expected = sum(worth[pair] for pair in held) / total if total else 0.0
    assert phrase_share(question, terms, weights) == pytest.approx(expected)


@given(TERMS, WEIGHTS)
def test_a_text_holds_all_phrases_of_itself(terms, weights) -> None:
    share = phrase_share(terms, terms, weights)
    assert share == 0.0 or share == pytest.approx(1.0)


def test_rarer_terms_weigh_more() -> None:
    weights = pool_idf("ab", [["a", "b"], ["a"], ["a", "a"]])
    assert weights["b"] > weights["a"] > 0


def test_the_passage_with_the_phrase_moves_up(library, encoder) -> None:
    plain = Hybrid(library, encoder)
    question = "Where is the Black Sea?"
    hits = Proximate(plain, phrase_weight=50.0).retrieve(question, k=3)
    assert hits[0].passage.text == "The Danube ends in the Black Sea."
    assert hits[0].scores["phrase"] > hits[1].scores["phrase"]
    assert {"bm25", "cosine", "fusion", "phrase", "window"} <= hits[0].scores.keys()


@pytest.mark.parametrize("wrapper", [Proximate, Linked])
def test_without_weight_the_ranking_stays(library, encoder, wrapper) -> None:
    plain = Hybrid(library, encoder)
    none = (
        Proximate(plain, phrase_weight=0.0, window_weight=0.0)
        if wrapper is Proximate
        else Linked(plain, weight=0.0)
    )
    for question in ("Which river flows to the sea?", "bread", "北京"):
        expected = [hit.passage.key for hit in plain.retrieve(question, k=99)]
        assert [hit.passage.key for hit in none.retrieve(question, k=99)] == expected


def test_what_was_not_read_stays_below(library, encoder) -> None:
    hits = Proximate(Hybrid(library, encoder), depth=2).retrieve("Which water and sea?", k=99)
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert ["phrase" in hit.scores for hit in hits] == [True] * 2 + [False] * (len(hits) - 2)
    assert ordered_above([], []) == []


def test_a_title_named_by_the_best_passage_moves_up(make_library, encoder) -> None:
    snapshot = make_library(
        {
            "Kiss and Tell (1945 film)": "Corliss Archer is played by the young Shirley Temple.",
            "Shirley Temple": "She was named ambassador to Ghana by the government.",
            "Archer": "Archer is a town. Corliss is another town in the county.",
            "Ghana": "The government of Ghana held a film festival about a woman.",
        }
    )
    question = "What government position was held by the woman who played Corliss Archer?"
    plain, trace = Hybrid(snapshot, encoder), Trace()
    before = [hit.document.id for hit in plain.retrieve(question)]
    # among four titles none is rare, so the link must weigh more than among a hundred
    linked = Linked(plain, weight=10.0).retrieve(question, trace=trace)
    after = [hit.document.id for hit in linked]
    assert after.index("Shirley Temple") < before.index("Shirley Temple")
    (moved,) = [hit for hit in linked if "link" in hit.scores]
    assert moved.document.id == "Shirley Temple"
    assert 0 < moved.scores["link"] <= 1
    assert trace.stages[-1].notes["linked"] == ["Shirley Temple"]
    short = Linked(plain, weight=10.0).retrieve("Who played Corliss Archer?")  # one step
    assert not any("link" in hit.scores for hit in short)


def test_a_title_links_neither_its_own_document_nor_by_one_word(make_library, encoder) -> None:
    snapshot = make_library(
        {"Two words": "Two words stand here.\n\nTwo words again.", "Ghana": "x"}
    )
    hits = Hybrid(snapshot, encoder).retrieve("Ghana two words")
    assert links(hits) == {}


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("Who built the bridge?", True),
        ("how do I reset my password", True),
        ("In which year was it opened", True),
        ("Wer baute die Brücke?", True),
        ("The bridge was built by Garrick.", False),
        ("Vitamin D lowers the risk of fractures", False),
    ],
)
def test_a_statement_is_told_from_a_question(text: str, is_one: bool) -> None:
    assert asks(text) is is_one
