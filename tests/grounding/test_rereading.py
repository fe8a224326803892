"""Evidence read as one text: each piece's own code points, and what one piece says for another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from grounding_builders import pieces
from hypothesis import given, settings
from hypothesis import strategies as st

from ragstone.grounding.comprehension import NOTHING, Stretch
from ragstone.grounding.rereading import Rereading, reread, said_of
from ragstone.grounding.shortanswers import find
from ragstone.protocols import PassageReading
from ragstone.testing.pointing import PointingReader

QUESTION = "In which northern town of Norway was the director of the film Bergheim born?"
DIRECTED = "The film Bergheim was directed by Anna Ruud."
BORN = "Ruud was born in Bodø and moved to Tromsø."


class Linking(PointingReader):
    """Knows the answer only where both steps stand in one text."""

    def read(self, question, texts, *, titles):
        knows = all(DIRECTED in text and BORN in text for text in texts)
        reader = PointingReader({QUESTION: "Bodø"} if knows else {})
        return reader.read(question, texts, titles=titles)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text("ab é𝔘\n.", min_size=1, max_size=30), min_size=1, max_size=6))
def test_what_is_said_of_a_piece_stands_in_that_piece(texts):
    evidence = pieces(*texts)
    again = reread(QUESTION, evidence, PointingReader({QUESTION: "b"}))
    assert again is not None
    words = PointingReader({})
    for item in evidence:
        (alone,) = words.read("", [item.text], titles=[""])
        stretch = again.stretch(item)
        if not len(alone.places):
            assert stretch is None
            continue
        assert stretch is not None
        assert stretch.places.tolist() == alone.places.tolist()


def test_the_second_step_is_answered_where_the_first_stands_beside_it():
    evidence = pieces(DIRECTED, BORN)
    again = reread(QUESTION, evidence, Linking({}))
    assert reread(QUESTION, evidence[1:], Linking({})).reading.answers < 0 < again.reading.answers
    found = find(QUESTION, evidence, again=again)
    assert found is not None
    assert (found.text, found.index) == ("Bodø", 1)


def test_rows_and_other_languages_are_not_read():
    prose, row, german = pieces(DIRECTED, "Film: Bergheim; Town: Bodø", BORN)
    row = replace(row, kind="row")
    german = replace(german, document=replace(german.document, language="de"))
    reader = PointingReader({QUESTION: "Bodø"})
    again = reread(QUESTION, [prose, row, german], reader)
    assert reader.asked == [(QUESTION, (DIRECTED,))]
    assert again is not None
    assert again.stretch(row) is None
    assert reread(QUESTION, [row], reader) is None
    assert reread(QUESTION, [prose], None) is None
    german_question = (
        "In welcher Stadt im Norden Norwegens wurde die Regisseurin des Films Bergheim geboren?"
    )
    assert reread(german_question, [prose], reader) is None
    assert reread("Who directed Bergheim?", [prose], reader) is None  # one step
    explained = "Why was the director of the film Bergheim born in a northern town of Norway?"
    assert reread(explained, [prose], reader) is None  # no few words answer


def test_two_readings_of_a_piece_are_added_and_one_stands_alone():
    (item,) = pieces("Bodø")
    logs = PassageReading(np.array([[0, 4]]), np.array([-1.0]), np.array([-2.0]), -3.0, 0.0)
    again = Rereading(logs, {(item.document.id, item.span): 0})

    class Read:
        def stretch(self, rank, span):
            return Stretch(logs.places, logs.starts, logs.ends, -1.0)

    both = said_of(item, Read(), again)
    assert (both.starts.tolist(), both.ends.tolist(), both.none) == ([-2.0], [-4.0], -4.0)
    assert said_of(item, NOTHING, again).none == -3.0
    assert said_of(item, Read(), None).none == -1.0
    assert said_of(item, NOTHING, None) is None
