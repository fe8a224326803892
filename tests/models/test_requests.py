"""What is refused before a model is asked, and how a document's text stays text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragstone.errors import UsageError
from ragstone.models import requests
from ragstone.types import Message

MARKS = [
    "<|im_start|>",
    "<|im_end|>",
    "<|eot_id|>",
    "<s>",
    "</s>",
    "<end_of_turn>",
    "[INST]",
    "[/INST]",
]


@given(st.lists(st.one_of(st.sampled_from(MARKS), st.text(max_size=6)), max_size=12).map("".join))
def test_no_mark_of_a_template_survives_and_nothing_else_changes(text):
    plain = requests.plain(text)
    assert not any(mark in plain for mark in MARKS)
    assert plain.replace("< ", "<").replace("[ ", "[") == text.replace("< ", "<").replace("[ ", "[")


@given(st.text(alphabet=st.characters(exclude_characters="<[")))
def test_text_without_marks_comes_back_as_it_is(text):
    assert requests.plain(text) == text


def test_a_call_without_meaning_is_refused():
    some = [Message("user", "Hello")]
    requests.check(some, max_tokens=1, temperature=0.0)
    for messages, limit, temperature in (
        ([], 8, 0.0),
        ([Message("user", " \n")], 8, 0.0),
        (some, 0, 0.0),
        (some, 8, -0.1),
        (some, 8, 9.0),
    ):
        with pytest.raises(UsageError):
            requests.check(messages, max_tokens=limit, temperature=temperature)


def test_an_overflow_names_both_sizes():
    requests.check_room("m", prompt_tokens=90, max_tokens=10, context_tokens=100)
    with pytest.raises(UsageError, match=r"91 tokens .* 10 .* 100"):
        requests.check_room("m", prompt_tokens=91, max_tokens=10, context_tokens=100)
