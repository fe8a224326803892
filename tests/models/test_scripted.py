"""The scripted double keeps the laws of a language model."""

import pytest

from ragstone.errors import UsageError
from ragstone.testing.contracts.language_model import check_language_model, text_of
from ragstone.testing.scripted import ScriptedModel
from ragstone.types import Message

HELLO = [Message("user", "Hello there")]


def test_it_keeps_the_contract():
    words = "one two three four five six seven eight nine ten eleven twelve thirteen"
    check_language_model(ScriptedModel(words, context_tokens=512), schemas=False)


def test_a_reply_for_each_turn_and_the_last_one_stays():
    model = ScriptedModel(["first", "second one"])
    assert [text_of(model.generate(HELLO)) for _ in range(3)] == [
        "first",
        "second one",
        "second one",
    ]
    assert model.asked == [tuple(HELLO)] * 3


def test_a_function_answers_from_the_messages():
    model = ScriptedModel(lambda messages: messages[-1].content.upper())
    assert text_of(model.generate(HELLO)) == "HELLO THERE"


def test_it_notes_a_cancelled_stream_and_refuses_when_closed():
    model = ScriptedModel("one two three")
    stream = model.generate(HELLO)
    next(stream)
    stream.close()
    assert model.cancelled == 1
    model.close()
    with pytest.raises(UsageError):
        list(model.generate(HELLO))
