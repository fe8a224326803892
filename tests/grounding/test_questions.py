"""What a question asks for, in whatever language it is asked."""

from __future__ import annotations

import pytest

from ragstone.grounding.questions import understand
from ragstone.grounding.words import terms_of


@pytest.mark.parametrize(
    ("question", "small", "telling"),
    [
        ("متى أضيئت المنارة لأول مرة؟", "متى", "المنارة"),
        ("Когда был впервые зажжён маяк на острове?", "когда", "маяк"),
        ("Wann wurde die Lampe des Turms zum ersten Mal entzündet?", "wann wurde die", "Lampe"),
        ("¿Cuándo se encendió por primera vez la lámpara del faro?", "cuándo se la", "lámpara"),
        ("When was the lamp of the tower first lit?", "when was the", "lamp"),
    ],
)
def test_function_words_of_its_language_are_no_terms_of_a_question(question, small, telling):
    terms = set(understand(question).terms)
    assert terms_of(telling) <= terms
    for word in small.split():
        assert not terms & terms_of(word), word


def test_a_question_of_nothing_else_keeps_its_words():
    assert understand("Wer ist es?").terms
    assert understand("?").terms == ()


def test_a_fiscal_year_is_a_year_and_no_name():
    question = understand("What is the net income of Acme in FY2019?")
    assert [name.text for name in question.names] == ["Acme"]
    assert "2019" in question.terms
    assert "fy2019" not in question.terms
    assert [(q.kind, q.value) for q in question.quantities] == [("year", 2019.0)]


@pytest.mark.parametrize(
    ("question", "kind"),
    [("What is the capital of Norway?", "place"),
     ("What is the capital expenditure of Acme?", "definition"),
     ("What is the capital expenditure amount of Acme?", "number")],
)  # fmt: skip
def test_capital_is_a_city_only_where_it_is_the_noun(question, kind):
    assert understand(question).kind == kind
