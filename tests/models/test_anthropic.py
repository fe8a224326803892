"""Anthropic's protocol: events, cache marks, and its errors in our words."""

import json

import pytest

pytest.importorskip("anthropic")

from ragstone.errors import RemoteError, UsageError
from ragstone.models.anthropic import AnthropicModel
from ragstone.models.faults import Retries
from ragstone.protocols import Token
from ragstone.testing.contracts.language_model import text_of
from ragstone.types import Message

HELLO = [Message("system", "Be brief."), Message("user", "Hello")]
STREAM = {"Content-Type": "text/event-stream"}


def event(kind: str, **data: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n".encode()


def words(text: str) -> bytes:
    return event("content_block_delta", index=0, delta={"type": "text_delta", "text": text})


START = event(
    "message_start",
    message={
        "id": "1", "type": "message", "role": "assistant", "model": "m", "content": [],
        "stop_reason": None, "stop_sequence": None,
        "usage": {"input_tokens": 5, "output_tokens": 1, "cache_read_input_tokens": 40,
                  "cache_creation_input_tokens": 0},
    },
)  # fmt: skip
END = event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 2})
WHOLE = (START, event("ping"), words("Good"), words(" day"), END, event("message_stop"))


@pytest.fixture
def model(endpoint):
    with AnthropicModel(
        "m", base_url=endpoint.url, api_key="k", timeout_s=2.0, retries=Retries(2, 0.01)
    ) as model:
        yield model


def test_a_reply_is_streamed_and_the_stable_prefix_is_marked(endpoint, reply, model):
    endpoint.answers(reply(WHOLE, headers=STREAM))
    *tokens, finish = model.generate(HELLO, max_tokens=7, stop=["END"], schema={"type": "object"})
    assert tokens == [Token("Good"), Token(" day")]
    assert finish.reason == "stop"
    assert (finish.usage.prompt_tokens, finish.usage.cached_tokens) == (45, 40)
    assert finish.usage.completion_tokens == 2
    body = endpoint.asked[0][2]
    assert body["system"][0]["cache_control"] == {"type": "ephemeral"}
    assert body["messages"] == [{"role": "user", "content": "Hello"}]
    assert (body["max_tokens"], body["stop_sequences"]) == (7, ["END"])
    assert body["output_config"]["format"]["schema"] == {"type": "object"}


def test_the_limit_is_told(endpoint, reply, model):
    end = event("message_delta", delta={"stop_reason": "max_tokens"}, usage={"output_tokens": 2})
    endpoint.answers(reply((START, words("Good"), end), headers=STREAM))
    *_, finish = model.generate(HELLO)
    assert finish.reason == "length"


@pytest.mark.parametrize(
    ("status", "kind", "message", "words_"),
    [
        (401, "authentication_error", "invalid x-api-key", "refused the key .* ANTHROPIC_API_KEY"),
        (404, "not_found_error", "model: m", "no model named 'm'"),
        (529, "overloaded_error", "Overloaded", "failed .* Overloaded"),
    ],
)
def test_errors_are_told_in_our_words(endpoint, reply, model, status, kind, message, words_):
    told = {"type": "error", "error": {"type": kind, "message": message}}
    endpoint.answers(reply([json.dumps(told).encode()], status))
    with pytest.raises(RemoteError, match=words_):
        list(model.generate(HELLO))
    assert len(endpoint.asked) == (2 if status == 529 else 1)


def test_an_overflow_names_both_sizes(endpoint, reply, model):
    message = "prompt is too long: 210000 tokens > 200000 maximum"
    told = {"type": "error", "error": {"type": "invalid_request_error", "message": message}}
    endpoint.answers(reply([json.dumps(told).encode()], 400))
    with pytest.raises(UsageError, match=r"210000 .* 200000"):
        list(model.generate(HELLO))


def test_overload_in_the_middle_of_the_stream(endpoint, reply, model):
    told = event("error", error={"type": "overloaded_error", "message": "Overloaded"})
    endpoint.answers(reply((START, told), headers=STREAM), reply(WHOLE, headers=STREAM))
    assert text_of(model.generate(HELLO)) == "Good day"


@pytest.mark.parametrize(
    ("body", "cut", "message"),
    [
        ((START, words("Good")), True, "broke off"),
        ((START, words("Good")), False, "broke off"),
        ((START, words("Good"), b"event: message_delta\ndata: {oops\n\n"), False, "no JSON"),
        ((START, words("Good"), event("message_delta")), False, "another form"),
    ],
)
def test_a_reply_that_goes_wrong_in_the_middle(endpoint, reply, model, body, cut, message):
    endpoint.answers(reply(body, headers=STREAM, cut=cut))
    stream = model.generate(HELLO)
    assert next(stream) == Token("Good")
    with pytest.raises(RemoteError, match=message):
        list(stream)
    assert len(endpoint.asked) == 1


def test_silence_and_nobody_there(endpoint, reply, model):
    endpoint.answers(reply(WHOLE, headers=STREAM, wait_s=6.0))
    with pytest.raises(RemoteError, match="silent"):
        list(model.generate(HELLO))
    with (
        AnthropicModel("m", base_url="http://127.0.0.1:9", api_key="k", retries=Retries(1)) as gone,
        pytest.raises(RemoteError, match="No connection"),
    ):
        list(gone.generate(HELLO))


def test_closing_the_stream_closes_the_connection(endpoint, reply, model):
    endpoint.answers(reply((START, words("on ")), headers=STREAM, endless=True))
    stream = model.generate(HELLO)
    next(stream)
    stream.close()
    assert endpoint.left.wait(5), "the server still has its client"


def test_what_cannot_be_asked(endpoint):
    with pytest.raises(UsageError, match="ANTHROPIC_API_KEY"):
        AnthropicModel("m")
    with (
        AnthropicModel("m", api_key="k") as model,
        pytest.raises(UsageError, match="system message alone"),
    ):
        list(model.generate([Message("system", "Be brief.")]))
