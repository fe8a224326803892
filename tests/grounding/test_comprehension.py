"""What a reader makes of the hits: the likeliest answer of a stretch, against the obvious way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from grounding_builders import document, hit
from hypothesis import given, settings
from hypothesis import strategies as st

from ragstone.grounding.abstention import decide
from ragstone.grounding.comprehension import (
    FACT,
    LONG,
    MOST_TOKENS,
    NOTHING,
    OTHER,
    READ,
    Comprehension,
    can_answer,
    comprehend,
    held_in_unit,
    log_odds,
    weights_for,
)
from ragstone.grounding.evidence import select
from ragstone.grounding.questions import understand
from ragstone.grounding.shortanswers import find
from ragstone.protocols import PassageReading
from ragstone.testing.pointing import PointingReader
from ragstone.types import Span

TEXT = (
    "The Corrin bridge was planned for years. It was opened by Ada Brun on a wet day. "
    "The mayor praised the bridge, which Ines Falk had drawn."
)
QUESTION = "Who opened the Corrin bridge?"


def reading(starts, ends, none=-3.0):
    places = np.array([(3 * n, 3 * n + 2) for n in range(len(starts))], np.int64).reshape(-1, 2)
    return PassageReading(places, np.array(starts), np.array(ends), none, 0.0)


LOGS = st.lists(
    st.tuples(st.floats(-20, 0), st.floats(-20, 0)), min_size=1, max_size=40
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(LOGS, st.integers(0, 120), st.integers(0, 120), st.integers(0, 50))
def test_the_likeliest_answer_equals_a_search_over_all_pairs(logs, one, other, offset):
    starts, ends = zip(*logs, strict=True)
    text = "ab " * len(logs)
    source = document(" " * offset + text)
    found_hit = hit(source, span=Span(offset, offset + len(text)))
    own = reading(starts, ends)
    comprehension = Comprehension({found_hit.rank: (found_hit, own)})
    span = Span(offset + min(one, other), offset + max(one, other) + 1)
    found = comprehension.within(found_hit.rank, span)
    pairs = [
        (starts[a] + ends[b] + 3.0, offset + 3 * a, offset + 3 * b + 2)
        for a in range(len(logs))
        for b in range(a, min(len(logs), a + MOST_TOKENS))
        if span.start <= offset + 3 * a and offset + 3 * b + 2 <= span.end
    ]
    if not pairs:
        assert found is None
        return
    best = max(pairs)[0]
    assert found is not None
    assert found.score == pytest.approx(min(12, max(-12, best)))
    assert any(
        (found.span.start, found.span.end) == pair[1:] and pair[0] == pytest.approx(best)
        for pair in pairs
    )


def test_only_the_best_hits_are_read_and_only_in_languages_that_the_reader_knows():
    source = document(TEXT)
    hits = [hit(source, rank=rank) for rank in range(1, READ + 3)]
    german = replace(hits[1].document, language="de")
    hits[1] = replace(hits[1], document=german)
    reader = PointingReader({QUESTION: "Ada Brun"})
    read = comprehend(QUESTION, hits, reader)
    assert sorted(read.readings) == [rank for rank in range(1, READ + 1) if rank != 2]
    assert comprehend(QUESTION, hits, None) is NOTHING
    assert not comprehend("Кто открыл мост в этом городе?", hits, reader)
    assert not comprehend(QUESTION, [], reader)


def test_the_sentence_that_the_reader_points_to_comes_first_and_its_words_are_marked():
    source = document(TEXT)
    hits = [hit(source, scores={"bm25": 5.0, "cosine": 0.6})]
    read = comprehend(QUESTION, hits, PointingReader({QUESTION: "Ada Brun"}))
    chosen = select(QUESTION, hits, encoder=None, document_of=lambda _: source, read=read)
    assert "Ada Brun" in chosen[0].text
    short = find(QUESTION, chosen, read=read)
    assert short is not None
    assert short.text == "Ada Brun" == short.span.of(chosen[short.index].text)


def test_what_the_reader_says_moves_the_decision():
    source = document(TEXT)
    hits = [hit(source, scores={"bm25": 5.0, "cosine": 0.6})]
    confidences = []
    for answer in ("", "Ada Brun"):
        read = comprehend(QUESTION, hits, PointingReader({QUESTION: answer}))
        chosen = select(QUESTION, hits, encoder=None, document_of=lambda _: source, read=read)
        confidences.append(decide(QUESTION, chosen, hits, read=read)[0])
    assert confidences[0] < 0.3 < 0.6 < confidences[1]


@pytest.mark.parametrize(
    ("question", "weights"),
    [
        ("Who opened the Corrin bridge?", FACT),
        ("What was the name of the keeper's dog?", FACT),
        ("How do I renew the licence?", OTHER),
        ("Is the museum worth a visit?", OTHER),
        ("Which bridge, market, tower, harbour, school, mill and chapel were built first?", LONG),
    ],
)
def test_the_reader_weighs_by_what_is_asked_for(question, weights):
    assert weights_for(understand(question)) == weights


@given(st.floats(0, 1))
def test_without_a_reading_probabilities_stay(probability):
    assert can_answer(NOTHING, probability, asked=understand(QUESTION)) == probability
    assert held_in_unit(NOTHING, 1, Span(0, 1), probability) == probability
    assert -12 <= log_odds(probability) <= 12
