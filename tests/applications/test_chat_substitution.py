"""Follow-ups that name only what changes, put in the place of its like."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragstone.applications.chat_substitution import substituted


@pytest.mark.parametrize(
    ("said", "asked", "meant"),
    [
        ("and in 2019?", "How many visitors came in 2022?", "How many visitors came in 2019?"),
        ("and in 2019?", "How many visitors came?", "How many visitors came in 2019?"),
        ("what about Bergen?", "What is the population of Oslo?",
         "What is the population of Bergen?"),
        ("How about the Thames?", "How long is the Rhine?", "How long is the Thames?"),
        ("and in Norway?", "How many people live in Sweden in 2020?",
         "How many people live in Norway in 2020?"),
        ("in March 2021", "What was earned in 2020?", "What was earned in March 2021?"),
    ],
)  # fmt: skip
def test_what_is_new_takes_the_place_of_its_like(said: str, asked: str, meant: str) -> None:
    assert substituted(said, asked) == meant


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("why?", "How long is the Rhine?"),
        ("and the second one?", "What is the population of Oslo?"),
        ("Is Bergen bigger?", "Where is Oslo?"),
        ("what about Google in 2021?", "What did Apple earn in 2020?"),
        ("and Bergen?", "Is Oslo larger than Turku?"),  # which of the two is not told
        ("and for children?", "What is the price for adults?"),
        ("and in 2019?", ""),
    ],
)
def test_nothing_is_guessed(said: str, asked: str) -> None:
    assert substituted(said, asked) == ""


@settings(deadline=None)  # the first text loads the word lists
@given(st.integers(1000, 2099), st.integers(1000, 2099))
def test_a_year_is_the_only_thing_that_changes(old: int, new: int) -> None:
    meant = substituted(f"and in {new}?", f"How many came in {old}?")
    assert meant == f"How many came in {new}?"


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_is_taken(said: str, asked: str) -> None:
    assert isinstance(substituted(said, asked), str)


@pytest.mark.parametrize(
    "said", ["how does that compare with Bolide?", "compare it with Bolide", "and Bolide?"]
)
def test_comparing_asks_the_same_of_the_other(said: str) -> None:
    asked = "What was Astra's capital spending in 2018?"
    assert substituted(said, asked) == "What was Bolide's capital spending in 2018?"
