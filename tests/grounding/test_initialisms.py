"""Initialisms stand for the first letters of adjacent words, and the words for them."""

import pytest
from grounding_builders import pieces
from hypothesis import given
from hypothesis import strategies as st

from ragstone.grounding.abstention import missing_part
from ragstone.grounding.initialisms import shortened, spelled_out


@pytest.mark.parametrize(
    ("initialism", "text"),
    [
        ("CEO", "Its chief executive officer resigned."),
        ("CEOs", "The chief executive officers met."),
        ("C.E.O.", "He was named chief\nexecutive officer."),
        ("ceo", "Ada Lee, Chief Executive Officer"),
        ("WHO", "the World Health Organization said"),
        ("USA", "in the United States of America"),
        ("DoD", "the Department of Defense"),
        ("UN", "the United Nations"),
        ("RTOS", "a real-time operating system"),
        ("AI", "Amnesty International"),
    ],
)
def test_what_stands_for_the_letters(initialism, text):
    assert spelled_out(initialism, text)


@pytest.mark.parametrize(
    ("initialism", "text"),
    [
        ("CEO", "The chief executive resigned. Officers met."),
        ("CEO", "chief, executive, officer"),
        ("CEO", "old careless early observers watched"),  # inside a phrase
        ("ceo", "careful early observers"),  # nobody said that it is an initialism
        ("AI", "an idea: average income"),
        ("US", "an unusual situation"),
        ("Norway", "National order reigns while all yield"),
        ("B", "B"),
        ("2021", "two zero two one"),
    ],
)
def test_what_does_not(initialism, text):
    assert not spelled_out(initialism, text)


@pytest.mark.parametrize(
    ("text", "other", "words"),
    [
        (
            "Who is the chief executive officer?",
            "The CEO is Ada.",
            ["chief", "executive", "officer"],
        ),
        ("Who leads the World Health Organization?", "WHO", ["World", "Health", "Organization"]),
        ("What did the United Nations say?", "The U.N. said", ["United", "Nations"]),
        ("How does average income grow?", "AI grows", []),
        ("Who is the chief executive officer?", "the ceo", []),
        ("Who is chief? Executive officer?", "The CEO", []),
    ],
)
def test_the_words_of_initials_that_are_written(text, other, words):
    found = shortened(text, other)
    assert [word for word in text.rstrip("?").split() if text.index(word) in found] == words


@given(st.text(max_size=40), st.text(max_size=80))
def test_any_text_is_read(one, other):
    spelled_out(one, other)
    assert all(0 <= place < len(one) for place in shortened(one, other))


def test_an_answer_does_not_miss_what_stands_there_in_the_other_form():
    question = "Is Corrin's CEO older than that of Zanzibar?"
    evidence = pieces("Corrin named its chief executive officer in May.")
    assert missing_part(question, evidence, []) == "The documents say nothing about “Zanzibar”."
    evidence = pieces("The WHO met in Geneva.")
    assert missing_part("When did the World Health Organization meet?", evidence, []) == ""
