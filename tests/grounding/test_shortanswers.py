"""Short answers: slices of the evidence, of the kind that is asked for."""

from __future__ import annotations

import pytest
from grounding_builders import piece, pieces
from hypothesis import given
from hypothesis import strategies as st

from ragstone.grounding.questions import understand
from ragstone.grounding.shortanswers import find
from ragstone.grounding.spans import MOST_WORDS, SPAN, span_features, stretches
from ragstone.grounding.words import words_of

TEXTS = st.text(
    alphabet=st.sampled_from("ab AB12,.-$%()“”'é٣漢\u0301\n\U0001f600 of the in"), max_size=80
)


@given(TEXTS)
def test_stretches_are_slices_of_at_most_eight_words(text):
    words = words_of(text)
    for stretch in stretches(text):
        said = stretch.span.of(text)
        assert said
        assert 1 <= len(words_of(said)) <= MOST_WORDS
        assert stretch.span.start <= words[stretch.first].start
        assert stretch.span.end >= words[stretch.last].end


@given(TEXTS, st.sampled_from(["Who was it?", "When?", "How many of the AB?", "What is AB of é?"]))
def test_a_short_answer_is_a_slice_of_its_evidence(text, question):
    evidence = [piece(text, score=0.9)] if text else []
    found = find(question, evidence, sure=0.0)
    if found is not None:
        assert found.span.of(evidence[found.index].text) == found.text != ""
        assert 0.0 <= found.score <= 1.0


@given(TEXTS)
def test_one_row_of_finite_signs_for_each_stretch(text):
    found = stretches(text)
    rows = span_features(understand("What is AB?"), text, found, None, None)
    assert rows.shape == (len(found), len(SPAN))
    assert ((rows == rows) & (abs(rows) < 1e4)).all()


@pytest.mark.parametrize(
    ("question", "text", "kept"),
    [
        ("When was it sold?", "It was sold for 40 pounds to Ada Brun.", None),
        ("How many boats are there?", "The boats belong to Ada Brun.", None),
        ("Who owns the boats?", "the boats were sold twice.", None),
        ("Why was the bridge built?", "The bridge was built in 1931.", None),
        ("What is a narthex?", "A narthex is an entrance.", None),
        ("How long is the pier?", "The pier is 412 metres long.", "412 metres"),
    ],
)
def test_words_of_another_kind_than_asked_for_are_not_marked(question, text, kept):
    found = find(question, pieces(text), sure=0.0)
    assert (found.text if found else None) == kept


def test_without_evidence_there_is_nothing_to_mark():
    assert find("Who was it?", []) is None
