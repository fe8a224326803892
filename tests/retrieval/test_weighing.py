"""The weight of the words: its bounds, what moves it, and whom it is for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragstone.models.encoder import shipped_encoder
from ragstone.retrieval.weighing import MOST, by_spread, weigh_for

QUESTION = "Who lit the lamp?"
STATEMENT = "The lamp was lit by hand"
SCORES = st.dictionaries(st.integers(0, 50), st.floats(0.01, 40), min_size=1, max_size=30)
COSINES = st.dictionaries(st.integers(0, 50), st.floats(-1, 1), min_size=1, max_size=30)


@pytest.fixture(scope="module")
def shipped():
    with shipped_encoder() as encoder:
        return weigh_for(encoder.name)


@given(SCORES, COSINES)
def test_the_weight_stays_in_its_bounds_and_falls_as_the_best_cosine_rises(lexical, dense):
    weigh = weigh_for("all-MiniLM-L6-v2")
    weight = weigh(QUESTION, lexical, dense)
    assert 0 <= weight <= MOST
    assert weigh(QUESTION, lexical, {**dense, 99: 1.0}) <= weight
    assert weigh(QUESTION, dict.fromkeys(lexical, 1.0), dense) <= MOST


def test_the_shipped_encoder_has_numbers_of_its_own_and_others_go_by_spread(shipped):
    spread = {key: 1.0 + (key == 0) for key in range(100)}
    near, far = {1: 0.9}, {1: 0.1}
    assert shipped(QUESTION, spread, near) < shipped(QUESTION, spread, far)
    other = weigh_for("another-encoder")
    assert other is by_spread
    assert other(QUESTION, spread, near) == other(QUESTION, spread, far)


def test_statements_go_by_spread(shipped):
    spread = {key: 1.0 + (key < 9) for key in range(100)}
    assert shipped(STATEMENT, spread, {1: 0.9}) == by_spread(STATEMENT, spread, {1: 0.9})
