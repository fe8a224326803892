"""When an endpoint fails: what is tried again, how long is waited, and what is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragstone.errors import RemoteError, UsageError
from ragstone.models.faults import AttemptError, Endpoint, Retries, retried
from ragstone.protocols import Finish, Token, Usage

FINISH = Finish("stop", Usage(1, 1, 0.0))
AT = Endpoint(model="m", url="http://here/v1", key_variable="SOME_KEY")


def failing(*failures, tokens=()):
    """Attempts that fail in turn, after their tokens, and then one that succeeds."""
    left = list(failures)

    def attempt():
        for word in tokens:
            yield Token(word)
        if left:
            raise left.pop(0)
        yield FINISH

    return attempt


@given(
    attempt=st.integers(0, 8),
    attempts=st.integers(1, 8),
    asked=st.none() | st.floats(0, 100),
)
def test_every_wait_is_bounded_and_an_endpoints_wish_is_honoured(attempt, attempts, asked):
    retries = Retries(attempts=attempts, first_wait_s=0.5, longest_wait_s=30.0)
    wait = retries.wait_s(attempt, asked)
    if attempt + 1 >= attempts or (asked is not None and asked > 30.0):
        assert wait is None
    elif asked is not None:
        assert wait == asked
    else:
        assert min(30.0, 0.5 * 2**attempt) / 2 <= wait <= min(30.0, 0.5 * 2**attempt)


@given(failures=st.integers(0, 6))
def test_it_is_tried_as_often_as_allowed(failures):
    waits = []
    attempt = failing(*[AT.unreachable("refused")] * failures)
    stream = retried(attempt, Retries(attempts=4), sleep=waits.append)
    if failures < 4:
        assert list(stream) == [FINISH]
        assert len(waits) == failures
    else:
        with pytest.raises(RemoteError, match="No connection"):
            list(stream)
        assert len(waits) == 3


def test_nothing_is_tried_again_after_a_token_was_shown():
    waits = []
    stream = retried(failing(AT.cut("reset"), tokens=["one"]), Retries(), sleep=waits.append)
    assert next(stream) == Token("one")
    with pytest.raises(RemoteError, match="broke off"):
        next(stream)
    assert waits == []


def test_the_endpoint_says_how_long():
    waits = []
    busy = AT.refused(429, "slow down", headers={"retry-after": "7"})
    assert list(retried(failing(busy), Retries(), sleep=waits.append)) == [FINISH]
    assert waits == [7.0]
    hours = AT.refused(429, "come back later", headers={"retry-after": "7200"})
    with pytest.raises(RemoteError, match="is busy"):
        list(retried(failing(hours), Retries(), sleep=waits.append))


@pytest.mark.parametrize(
    ("status", "message", "code", "words", "retryable"),
    [
        (401, "Invalid API Key", "", "refused the key .* SOME_KEY", False),
        (404, "The model `m` does not exist", "model_not_found", "no model named 'm'", False),
        (404, "File Not Found", "", "no chat at this address .* /v1", False),
        (429, "Rate limit reached", "rate_limit_exceeded", "is busy", True),
        (429, "You exceeded your current quota", "insufficient_quota", "refused", False),
        (500, "Internal", "", "failed", True),
        (503, "Loading model", "", "failed", True),
        (400, "temperature is not a number", "", "refused .* temperature", False),
    ],
)
def test_each_status_has_its_words(status, message, code, words, retryable):
    error = AT.refused(status, message, code=code).error
    assert isinstance(error, RemoteError)
    assert error.retryable is retryable
    with pytest.raises(RemoteError, match=words):
        raise error


@pytest.mark.parametrize(
    ("status", "message", "code", "sizes"),
    [
        (400, "request (3031 tokens) exceeds the available context size (1024 tokens), "
         "try increasing it", "exceed_context_size_error", (3031, 1024)),
        (400, "This model's maximum context length is 8192 tokens. However, your messages "
         "resulted in 9001 tokens.", "context_length_exceeded", (9001, 8192)),
        (400, "This model's maximum context length is 4096 tokens. However, you requested 5000 "
         "tokens (4900 in the messages, 100 in the completion).", "BadRequestError", (5000, 4096)),
        (400, "prompt is too long: 210000 tokens > 200000 maximum", "invalid_request_error",
         (210000, 200000)),
        (400, "the input length exceeds the context length", "", ()),
    ],
)  # fmt: skip
def test_an_overflow_in_a_servers_own_words_names_both_sizes(status, message, code, sizes):
    error = AT.refused(status, message, code=code).error
    assert isinstance(error, UsageError)
    assert "does not fit" in str(error)
    assert all(str(size) in str(error) for size in sizes)


def test_closing_the_stream_closes_the_attempt():
    closed = []

    def attempt():
        try:
            yield Token("one")
            yield Token("two")
        finally:
            closed.append(True)

    stream = retried(attempt, Retries())
    next(stream)
    stream.close()
    assert closed == [True]


def test_an_attempt_error_carries_the_words():
    assert "No connection" in str(AttemptError(AT.unreachable("refused").error))
