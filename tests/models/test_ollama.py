"""Ollama's protocol: the window is stated, and its errors are told in our words."""

import json

import pytest

from ragstone.errors import RemoteError, UsageError
from ragstone.models.faults import Retries
from ragstone.models.ollama import OllamaModel, address
from ragstone.protocols import Finish, Token
from ragstone.testing.contracts.language_model import text_of
from ragstone.types import Message

HELLO = [Message("user", "Hello")]
QUICK = Retries(attempts=2, first_wait_s=0.01)


def line(**event: object) -> bytes:
    return json.dumps(event).encode() + b"\n"


def words(text: str) -> bytes:
    return line(model="m", message={"role": "assistant", "content": text}, done=False)


LAST = line(
    message={"role": "assistant", "content": ""},
    done=True,
    done_reason="stop",
    prompt_eval_count=11,
    eval_count=2,
)


@pytest.fixture
def model(endpoint):
    return OllamaModel("m", host=endpoint.url, context_tokens=2048, timeout_s=2.0, retries=QUICK)


def test_a_reply_is_streamed_with_its_usage_and_the_window_is_stated(endpoint, reply, model):
    endpoint.answers(reply([words("Good"), words(" day"), LAST]))
    items = list(model.generate(HELLO, max_tokens=9, stop=["END"], schema={"type": "object"}))
    assert items[:2] == [Token("Good"), Token(" day")]
    assert (items[2].reason, items[2].usage.prompt_tokens) == ("stop", 11)
    path, _, body = endpoint.asked[0]
    assert path == "/api/chat"
    assert body["options"]["num_ctx"] == 2048
    assert (body["options"]["num_predict"], body["options"]["stop"]) == (9, ["END"])
    assert body["format"] == {"type": "object"}
    assert (body["truncate"], body["shift"]) == (False, False)


def test_a_line_in_two_pieces_is_one_line(endpoint, reply, model):
    first = words("Grüße")
    endpoint.answers(reply([first[:70], first[70:], LAST]))
    assert text_of(model.generate(HELLO)) == "Grüße"


def test_a_model_that_was_not_pulled(endpoint, reply, model):
    endpoint.answers(reply([line(error="model 'm' not found")], 404))
    with pytest.raises(RemoteError, match=r"no model named 'm' .* ollama pull m"):
        list(model.generate(HELLO))


def test_an_overflow_is_a_usage_error(endpoint, reply, model):
    endpoint.answers(reply([line(error="the input length exceeds the context length")], 400))
    with pytest.raises(UsageError, match="does not fit"):
        list(model.generate(HELLO))


def test_no_server(endpoint):
    model = OllamaModel("m", host="127.0.0.1:9", context_tokens=99, retries=QUICK)
    with pytest.raises(RemoteError, match=r"No connection .* ollama serve"):
        list(model.generate(HELLO))


@pytest.mark.parametrize(
    ("body", "cut", "message"),
    [
        ([words("Good")], True, "broke off"),
        ([words("Good")], False, "before it was done"),
        ([words("Good"), b"{not json\n"], False, "expected protocol"),
        ([words("Good"), b"[1]\n"], False, "expected protocol"),
        ([words("Good"), line(message={"content": 5})], False, "no text"),
        ([words("Good"), line(error="llama runner died")], False, "llama runner died"),
    ],
)
def test_a_reply_that_goes_wrong_in_the_middle(endpoint, reply, model, body, cut, message):
    endpoint.answers(reply(body, cut=cut))
    stream = model.generate(HELLO)
    assert next(stream) == Token("Good")
    with pytest.raises(RemoteError, match=message):
        list(stream)
    assert len(endpoint.asked) == 1


def test_silence(endpoint, reply, model):
    endpoint.answers(reply([words("late"), LAST], wait_s=6.0))
    with pytest.raises(RemoteError, match="silent for"):
        list(model.generate(HELLO))


def test_closing_the_stream_closes_the_connection(endpoint, reply, model):
    endpoint.answers(reply([words("on and on ")], endless=True))
    stream = model.generate(HELLO)
    next(stream)
    stream.close()
    assert endpoint.left.wait(5), "the server still has its client"


def test_the_window_and_the_size_are_what_the_server_tells(endpoint, reply):
    shown = {"model_info": {"llama.context_length": 4096, "general.parameter_count": 1_200_000_000}}
    endpoint.answers(reply([json.dumps(shown).encode()]))
    model = OllamaModel("m", host=endpoint.url)
    assert (model.context_tokens, model.capable) == (4096, False)
    endpoint.answers(reply([b"[]"]))
    model = OllamaModel("m", host=endpoint.url)
    assert (model.context_tokens, model.capable) == (8192, True)


def test_a_server_that_was_restarted_is_asked_again(endpoint, reply, model):
    endpoint.answers(reply([line(error="starting")], 503), reply([words("Good"), LAST]))
    assert isinstance(list(model.generate(HELLO))[-1], Finish)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("", "http://127.0.0.1:11434"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("box:9000", "http://box:9000"),
        ("http://box", "http://box:80"),
        ("https://box/ollama/", "https://box:443/ollama"),
    ],
)
def test_the_host_is_read_by_ollamas_rules(host, url):
    assert address(host) == url


def test_a_host_that_is_none():
    with pytest.raises(UsageError, match="OLLAMA_HOST"):
        OllamaModel("m", host="box:port")
