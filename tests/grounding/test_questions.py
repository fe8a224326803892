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
