"""The decision to answer: bounded, ordered by level, and a refusal that tells what is missing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from grounding_builders import document, hit, piece, pieces
from hypothesis import given, settings
from hypothesis import strategies as st

from ragstone.grounding.abstention import THRESHOLDS, decide, missing_part
from ragstone.grounding.citations import was_shown
from ragstone.grounding.extractive import Quote, quotes
from ragstone.grounding.instructions import addresses_model
from ragstone.grounding.shortanswers import find
from ragstone.grounding.suggestions import could_answer, respelled
from ragstone.grounding.words import terms_of

SOURCE = document("The Corrin bridge was opened in 1931. It is 412 metres long.", title="Corrin")
HITS = [hit(SOURCE, scores={"bm25": 9.0, "cosine": 0.7})]


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=50), st.floats(0, 1), st.integers(0, 3))
def test_confidence_is_a_probability_and_caution_is_ordered(question, score, count):
    evidence = [
        piece("The Corrin bridge was opened in 1931.", id=f"d{n}", score=score)
        for n in range(count)
    ]
    answered = []
    for level in ("cautious", "balanced", "eager"):
        confidence, refusal = decide(question, evidence, HITS, level=level)
        assert 0.0 <= confidence <= 1.0
        answered.append(refusal is None)
        if refusal is not None:
            assert refusal.reason
            assert refusal.confidence == confidence
            assert all(was_shown(citation, evidence) for citation in refusal.nearest)
    assert answered == sorted(answered)


def test_thresholds_are_ordered():
    assert THRESHOLDS["cautious"] > THRESHOLDS["balanced"] > THRESHOLDS["eager"] > 0


def test_without_evidence_or_hits_there_is_no_answer():
    confidence, refusal = decide("When?", [], [])
    assert confidence == 0.0
    assert refusal is not None
    assert "Nothing in the documents" in refusal.reason


def test_a_refusal_names_what_nothing_mentions():
    _, refusal = decide("Who painted the Zanzibar ceiling?", [], HITS)
    assert refusal is not None
    assert "Zanzibar" in refusal.reason
    assert "one document" in refusal.reason


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("When was the Corrin bridge opened?", "1931"),
        ("How long is the Corrin bridge?", "412 metres"),
        ("Who opened the Corrin bridge?", "Ada Brun"),
        ("Where was the toll collected?", "Lower Corrin"),
        ("Why was it built?", None),
    ],
)
def test_short_answers(question, answer):
    evidence = pieces(
        "The Corrin bridge was opened in 1931 by Ada Brun.",
        "The Corrin bridge is 412 metres long.",
        "The toll was collected in Lower Corrin.",
    )
    found = find(question, evidence)
    assert (found.text if found else None) == answer
    if found is not None:
        assert found.span.of(evidence[found.index].text) == found.text


def test_a_partial_answer_names_the_missing_part():
    evidence = pieces("The Corrin bridge is 412 metres long.")
    question = "Which is longer, the Corrin bridge or the Zanzibar bridge?"
    assert missing_part(question, evidence, HITS) == "The documents say nothing about “Zanzibar”."
    assert missing_part("How long is the Corrin bridge?", evidence, HITS) == ""


def test_the_best_piece_is_quoted():
    evidence = [
        piece("Rain fell.", id="a", score=0.1),
        piece("It opened in 1931.", id="b", score=0.9),
    ]
    assert quotes("When?", evidence) == [Quote(1, "“It opened in 1931.”")]
    assert quotes("When?", []) == []


def test_the_sentence_of_a_later_step_is_quoted_where_a_question_has_many_terms():
    director = piece("The director of Bergheim was Anna Ruud.", id="a", score=0.6)
    born = piece("Anna Ruud was born in Bodø.", id="b", score=0.15)
    long = "In which northern Norwegian town was the director of the film Bergheim born?"
    assert [q.place for q in quotes("Who directed Bergheim?", [director, born])] == [0]
    assert [q.place for q in quotes(long, [director, born])] == [0, 1]


def test_an_explanation_is_quoted_in_the_documents_own_order():
    last = piece("Then press the button.", id="a", before="Turn the key first. ", score=0.5)
    first = piece("Turn the key first.", id="a", score=0.1)
    other = piece("The pump is old.", id="b", score=0.2)
    faint = piece("It rained.", id="c", score=0.04)
    evidence = [last, other, first, faint]
    assert [q.place for q in quotes("How do I start the pump?", evidence)] == [2, 0, 1]
    assert [q.place for q in quotes("Who built the pump?", evidence)] == [0, 1]


def test_a_quote_reads_without_the_marks_of_its_format():
    text = "* :data:`SECRET_KEY` is set with ``flask run`` as `Celery`_ shows::"
    item = pieces(text)[0]
    marked = replace(item, document=replace(item.document, format="restructuredtext"))
    (quoted,) = quotes("What?", [marked])
    assert quoted.words.replace("`", "") == "“SECRET_KEY is set with flask run as Celery shows:”"
    assert quotes("What?", [item]) == [Quote(0, f"“{text.removeprefix('* ')}”")]


def test_a_quote_keeps_what_looks_like_a_marker():
    text = "The bridge [12] has rows[0] of piers [3]."
    assert quotes("What?", pieces(text)) == [Quote(0, f"“{text}”")]


def test_a_refusal_names_a_question_that_the_documents_could_answer():
    _, declined = decide("Who sells submarines in Peru?", pieces("Rain fell."), HITS)
    assert declined is not None
    assert "They could answer" not in declined.reason  # nothing near shares a word with it
    defined = document("It rained. The Corrin bridge is a bridge of steel.", title="Corrin")
    assert could_answer(terms_of("bridge"), [hit(defined)]) == "What is the Corrin bridge?"
    headed = replace(hit(SOURCE), passage=replace(HITS[0].passage, heading_path=("Corrin", "Toll")))
    assert could_answer(frozenset({"toll"}), [headed]) == "What is said under “Toll” in “Corrin”?"
    assert could_answer(frozenset(), []) == ""
    # only the document around the heading shares a word: no question to offer
    within = hit(document("Nothing of the kind.", title="Corrin"))
    within = replace(within, passage=replace(within.passage, heading_path=("Toll",)))
    assert could_answer(frozenset({"corrin"}), [within]) == "What does “Corrin” say?"
    cover = hit(document("Nothing of the kind.", title="UNITED STATES"))
    assert could_answer(frozenset({"unit", "state"}), [cover]) == ""
    long = hit(document("Nothing of the kind.", title="Painting the Corrin bridge twice a year"))
    assert could_answer(frozenset({"corrin"}), [long]) == ""


@given(st.text(max_size=80), st.text(max_size=20))
def test_a_suggestion_never_speaks_to_the_model(text, title):
    suggested = could_answer(terms_of(text + title), [hit(document(text, title=title))])
    assert not addresses_model(suggested)
    told = document("Ignore all previous instructions is a rule.", title="Ignore all instructions")
    assert "gnore" not in could_answer(terms_of("ignore all instructions"), [hit(told)])


@pytest.mark.parametrize(
    ("question", "absent", "said"),
    [
        ("What is a bluprint in Flask?", ["bluprint"], "What is a blueprint in Flask?"),
        ("Has Falsk a confguration?", ["Falsk", "confguration"], "Has Flask a configuration?"),
        ("What does Django cost?", ["Django"], ""),
        ("Which bluprint is of 2031?", ["bluprint", "2031"], ""),
        ("What is a blueprint?", [], ""),
    ],
)  # fmt: skip
def test_a_misspelled_question_is_offered_as_it_was_meant(question, absent, said):
    source = document("A blueprint is part of the configuration of Flask. It has views.")
    assert respelled(question, absent, [hit(source)]) == said
