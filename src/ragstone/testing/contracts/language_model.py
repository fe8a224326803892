"""What every `protocols.LanguageModel` must do, as plain functions that raise AssertionError.

A plug-in's author calls `check_language_model` from any test framework, or the single laws one
by one. The model must be open and able to answer; about a dozen short generations are made.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence

from ragstone.errors import ModelError, RagstoneError, RemoteError, UsageError
from ragstone.protocols import Finish, LanguageModel, Token
from ragstone.types import Message

QUESTION = (
    Message("system", "You are a helpful assistant."),
    Message("user", "Count from one to twenty in words."),
)
_SCHEMA = {
    "type": "object",
    "properties": {"colour": {"type": "string", "enum": ["red", "blue"]}},
    "required": ["colour"],
    "additionalProperties": False,
}


def check_language_model(
    model: LanguageModel, *, schemas: bool = True, deterministic: bool = True, counts: bool = True
) -> None:
    """All laws in turn; then the model is closed.

    `schemas` False for a model that cannot be held to a JSON schema, `deterministic` False for
    one whose greedy replies may differ, `counts` False for one that cannot know its window
    before it is asked.
    """
    describes_itself(model)
    streams_tokens_and_one_finish(model)
    ends_at_the_limit(model)
    stops_before_a_stop_string(model)
    is_cancelled_by_closing(model)
    is_usable_after_cancelling(model)
    refuses_nonsense(model)
    if deterministic:
        repeats_itself_when_greedy(model)
    if counts:
        refuses_what_does_not_fit(model)
    if schemas:
        keeps_to_a_schema(model)
    counts_tokens(model)
    closes_twice(model)


def describes_itself(model: LanguageModel) -> None:
    """A name to show, and a window that a prompt can be fitted into."""
    assert model.name.strip(), "name must not be empty"
    assert model.context_tokens >= 256, f"context_tokens is {model.context_tokens}"
    assert isinstance(model.capable, bool)


def streams_tokens_and_one_finish(model: LanguageModel) -> None:
    """Tokens of text, then exactly one Finish, and nothing after it."""
    items = list(model.generate(QUESTION, max_tokens=24))
    assert items, "the stream was empty"
    *tokens, finish = items
    assert isinstance(finish, Finish), f"the last item is {finish!r}, not a Finish"
    assert all(isinstance(token, Token) for token in tokens), "a Finish came before the end"
    assert all(token.text for token in tokens if isinstance(token, Token)), "an empty token"
    assert text_of(items).strip(), "the reply is blank"
    usage = finish.usage
    assert usage.prompt_tokens > 0, "no prompt tokens were counted"
    assert 0 < usage.completion_tokens <= 24, f"{usage.completion_tokens} tokens of at most 24"
    assert usage.first_token_ms >= 0.0
    assert 0 <= usage.cached_tokens <= usage.prompt_tokens


def ends_at_the_limit(model: LanguageModel) -> None:
    """`max_tokens` is kept, and the Finish says that it ended there."""
    *_, finish = model.generate(QUESTION, max_tokens=2)
    assert isinstance(finish, Finish)
    assert finish.reason == "length", f"it ended by {finish.reason!r} after two tokens"
    assert finish.usage.completion_tokens <= 2


def stops_before_a_stop_string(model: LanguageModel) -> None:
    """A stop string ends the reply and is not part of it."""
    whole = text_of(model.generate(QUESTION, max_tokens=24))
    words = whole.split()
    assert len(words) > 1, f"the reply {whole!r} is too short to be stopped"
    stop = words[len(words) // 2]
    items = list(model.generate(QUESTION, max_tokens=24, stop=(stop,)))
    assert stop not in text_of(items), f"{stop!r} is in {text_of(items)!r}"
    assert isinstance(items[-1], Finish)
    assert items[-1].reason == "stop"


def is_cancelled_by_closing(model: LanguageModel) -> None:
    """A stream that is closed gives nothing more."""
    stream = model.generate(QUESTION, max_tokens=200)
    next(stream)
    close = getattr(stream, "close", None)
    assert close is not None, "the iterator has no close()"
    close()
    assert next(stream, None) is None, "a closed stream went on"


def is_usable_after_cancelling(model: LanguageModel) -> None:
    """A cancelled generation does not stand in the way of the next one."""
    assert text_of(model.generate(QUESTION, max_tokens=4)).strip()


def refuses_nonsense(model: LanguageModel) -> None:
    """No messages, no text, no room for a reply: UsageErrors, not failures of the model."""
    for messages, limit in (((), 8), ((Message("user", "  "),), 8), (QUESTION, 0)):
        error = _error_of(lambda m=messages, n=limit: model.generate(m, max_tokens=n))  # type: ignore[misc]
        assert isinstance(error, UsageError), f"{error!r} for {messages!r}, {limit}"


def repeats_itself_when_greedy(model: LanguageModel) -> None:
    """At temperature 0 the same prompt has the same reply."""
    first, second = (text_of(model.generate(QUESTION, max_tokens=12)) for _ in range(2))
    assert first == second, f"{first!r}, then {second!r}"


def refuses_what_does_not_fit(model: LanguageModel) -> None:
    """A prompt beyond the window is a UsageError that names the window's size."""
    long = Message("user", "word " * (2 * model.context_tokens))
    error = _error_of(lambda: model.generate((long,), max_tokens=8))
    assert isinstance(error, UsageError), f"{error!r} for a prompt of twice the window"
    assert str(model.context_tokens) in str(error), f"no {model.context_tokens} in: {error}"


def keeps_to_a_schema(model: LanguageModel) -> None:
    """A JSON schema holds for the reply."""
    prompt = (Message("user", "Which colour has the sky? Answer as JSON."),)
    reply = text_of(model.generate(prompt, max_tokens=64, schema=_SCHEMA))
    assert json.loads(reply).get("colour") in ("red", "blue"), f"the reply was {reply!r}"


def counts_tokens(model: LanguageModel) -> None:
    """None for nothing, and not fewer for more."""
    assert model.count_tokens("") == 0
    short, long = model.count_tokens("a few words"), model.count_tokens("a few words " * 50)
    assert 0 < short < long


def closes_twice(model: LanguageModel) -> None:
    """`close` may be called again."""
    model.close()
    model.close()


def text_of(items: Iterator[Token | Finish] | Sequence[Token | Finish]) -> str:
    """The text of a stream."""
    return "".join(item.text for item in items if isinstance(item, Token))


def _error_of(generate: Callable[[], Iterator[Token | Finish]]) -> RagstoneError | None:
    try:
        for _ in generate():
            pass
    except (UsageError, ModelError, RemoteError) as error:
        return error
    return None
