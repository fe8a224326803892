"""Anthropic's own API, through the official client, which is imported at first use.

The stable prefix of a prompt (the system message) carries a cache mark, so that the provider
reads it once; what it read from its cache is in `Usage.cached_tokens`.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from ragstone.errors import UsageError
from ragstone.models import remote, requests
from ragstone.models.faults import Endpoint, Retries, retried
from ragstone.protocols import Finish, Token, Usage
from ragstone.types import Message

if TYPE_CHECKING:
    from anthropic import APIStatusError
    from anthropic.types import MessageParam, RawMessageStreamEvent

PUBLIC_URL = "https://api.anthropic.com"
_CONTEXT_TOKENS = 200_000  # every current model there holds at least this


class AnthropicModel:
    """One of Anthropic's models. Safe to use from several threads."""

    def __init__(
        self,
        model: str,
        *,
        base_url: str = "",
        api_key: str = "",
        context_tokens: int = 0,
        timeout_s: float = 120.0,
        retries: Retries = Retries(),  # noqa: B008 - a frozen value
    ) -> None:
        """`base_url` and `api_key` default to ANTHROPIC_BASE_URL and ANTHROPIC_API_KEY.

        `context_tokens` 0 means 200,000. `timeout_s` is the longest silence. Raises UsageError
        without a model or a key, ModelError without the client package.
        """
        remote.check_name(model, "anthropic:MODEL")
        url = remote.or_environment(base_url, "ANTHROPIC_BASE_URL", PUBLIC_URL).rstrip("/")
        key = remote.or_environment(api_key, "ANTHROPIC_API_KEY")
        if not key:
            raise UsageError("No key for Anthropic is set.", remedy="Set ANTHROPIC_API_KEY.")
        self._model = model
        self._endpoint = Endpoint(model=model, url=url, key_variable="ANTHROPIC_API_KEY")
        self._context_tokens = context_tokens or _CONTEXT_TOKENS
        self._timeout_s = timeout_s
        self._retries = retries
        client = requests.package("anthropic", "The client for Anthropic's API", extra="anthropic")
        self._client = client.Anthropic(base_url=url, api_key=key, timeout=timeout_s, max_retries=0)

    @property
    def name(self) -> str:
        return self._model

    @property
    def context_tokens(self) -> int:
        return self._context_tokens

    @property
    def capable(self) -> bool:
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. May be called again."""
        self._client.close()

    def count_tokens(self, text: str) -> int:
        """About how many tokens `text` has, rather too many than too few (bytes / 3)."""
        return remote.count_tokens(text)

    def generate(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = 256,
        temperature: float = 0.0,
        stop: Sequence[str] = (),
        schema: Mapping[str, object] | None = None,
        seed: int = 0,
    ) -> Iterator[Token | Finish]:
        """Stream the reply; see `protocols.LanguageModel`. Raises RemoteError or UsageError.

        The API knows no seed, and temperatures up to 1; a higher one counts as 1.
        """
        requests.check(messages, max_tokens=max_tokens, temperature=temperature)
        body: dict[str, object] = {"temperature": min(temperature, 1.0)}
        system = "\n\n".join(message.content for message in messages if message.role == "system")
        if system:
            mark = {"type": "ephemeral"}
            body["system"] = [{"type": "text", "text": system, "cache_control": mark}]
        if stop:
            body["stop_sequences"] = list(stop)
        if schema is not None:
            body["output_config"] = {"format": {"type": "json_schema", "schema": dict(schema)}}
        turns = _turns(messages)
        clock = requests.Clock()
        yield from retried(lambda: self._attempt(turns, body, max_tokens, clock), self._retries)

    def _attempt(
        self,
        turns: Sequence[MessageParam],
        body: Mapping[str, object],
        max_tokens: int,
        clock: requests.Clock,
    ) -> Generator[Token | Finish]:
        import anthropic
        import httpx2  # the client's own transport, whose errors it lets through mid-stream

        reply = _Reply(clock)
        try:
            stream = self._client.messages.create(
                model=self._model,
                max_tokens=max_tokens,
                messages=list(turns),
                stream=True,
                extra_body=dict(body),
            )
            with stream:
                for event in stream:
                    yield from reply.read(event)
        except (anthropic.APITimeoutError, httpx2.TimeoutException) as error:
            raise self._endpoint.silent(self._timeout_s, started=clock.has_token) from error
        except anthropic.APIStatusError as error:
            message, code = _told(error)
            status = {"overloaded_error": 529, "rate_limit_error": 429}.get(code, error.status_code)
            if status < 400:  # told in the middle of a stream that began well
                status = 500
            raise self._endpoint.refused(
                status, message, code=code, headers=error.response.headers
            ) from error
        except anthropic.APIConnectionError as error:
            raise self._endpoint.unreachable(str(error.__cause__ or error)) from error
        except httpx2.TransportError as error:
            raise self._endpoint.cut(str(error)) from error
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise self._endpoint.malformed(f"an event is no JSON ({error})") from error
        except (AttributeError, TypeError, KeyError) as error:
            raise self._endpoint.malformed(f"an event has another form ({error})") from error
        if reply.reason is None:
            if not reply.events:
                raise self._endpoint.malformed("the answer holds no event of a reply")
            raise self._endpoint.cut("it ended without a reason to stop")
        yield Finish(reply.reason, reply.usage())


class _Reply:
    """What the events of one attempt have told so far."""

    def __init__(self, clock: requests.Clock) -> None:
        self.reason: Literal["stop", "length"] | None = None
        self.events = 0
        self._prompt_tokens = 0
        self._cached_tokens = 0
        self._completion_tokens = 0
        self._clock = clock

    def read(self, event: RawMessageStreamEvent) -> Iterator[Token]:
        self.events += 1
        if event.type == "message_start":
            used = event.message.usage
            self._cached_tokens = used.cache_read_input_tokens or 0
            written = used.cache_creation_input_tokens or 0
            self._prompt_tokens = used.input_tokens + self._cached_tokens + written
        elif event.type == "content_block_delta" and event.delta.type == "text_delta":
            self._clock.saw_token()
            yield Token(event.delta.text)
        elif event.type == "message_delta":
            self._completion_tokens = event.usage.output_tokens
            if event.delta.stop_reason:
                full = event.delta.stop_reason in ("max_tokens", "model_context_window_exceeded")
                self.reason = "length" if full else "stop"

    def usage(self) -> Usage:
        return Usage(
            prompt_tokens=self._prompt_tokens,
            completion_tokens=self._completion_tokens,
            first_token_ms=self._clock.first_token_ms,
            cached_tokens=self._cached_tokens,
        )


def _turns(messages: Sequence[Message]) -> list[MessageParam]:
    turns: list[MessageParam] = []
    for message in messages:
        if message.role == "user":
            turns.append({"role": "user", "content": message.content})
        elif message.role == "assistant":
            turns.append({"role": "assistant", "content": message.content})
    if not turns:
        raise UsageError(
            "A prompt for Anthropic holds a system message alone.",
            remedy="Add a message of the user.",
        )
    return turns


def _told(error: APIStatusError) -> tuple[str, str]:
    """The message and the type in an error's body."""
    body = error.body
    inner = body.get("error") if isinstance(body, dict) else None
    if isinstance(inner, dict):
        return str(inner.get("message") or error.message), str(inner.get("type") or "")
    return error.message, ""
