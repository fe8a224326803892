"""Any endpoint that speaks OpenAI's chat protocol: OpenAI, llama.cpp, vLLM, LM Studio, OpenRouter.

Through the official client, which is imported at first use. Retries are ours (`faults`), so
that every protocol waits and gives up alike. Law: closing the stream closes the connection.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from ragstone.errors import UsageError
from ragstone.models import remote, requests
from ragstone.models.faults import Endpoint, Retries, retried
from ragstone.models.remote import Facts, Known
from ragstone.protocols import Finish, Token, Usage
from ragstone.types import Message

if TYPE_CHECKING:
    from openai import APIStatusError
    from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam

PUBLIC_URL = "https://api.openai.com/v1"
_PUBLIC_CONTEXT_TOKENS = 128_000  # every current chat model there holds at least this


class OpenAIModel:
    """One model behind an OpenAI-compatible endpoint. Safe to use from several threads."""

    def __init__(
        self,
        model: str,
        *,
        base_url: str = "",
        api_key: str = "",
        context_tokens: int = 0,
        capable: bool | None = None,
        logprobs: bool = False,
        timeout_s: float = 120.0,
        retries: Retries = Retries(),  # noqa: B008 - a frozen value
    ) -> None:
        """`base_url` and `api_key` default to OPENAI_BASE_URL and OPENAI_API_KEY.

        A key is needed only for the public endpoint; local servers are asked without one.
        `context_tokens` 0 and `capable` None ask the endpoint, once, when they are needed.
        `timeout_s` is the longest silence: to the first token, and between two. Raises
        UsageError without a model or a needed key, ModelError without the client package.
        """
        remote.check_name(model, "openai:MODEL, e.g. openai:gpt-5-mini")
        self._url = remote.or_environment(base_url, "OPENAI_BASE_URL", PUBLIC_URL).rstrip("/")
        key = remote.or_environment(api_key, "OPENAI_API_KEY")
        if not key and self._url == PUBLIC_URL:
            raise UsageError(
                "No key for the OpenAI endpoint is set.",
                remedy="Set OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own.",
            )
        self._model = model
        self._endpoint = Endpoint(
            model=model, url=self._url, key_variable="OPENAI_API_KEY",
            missing_model_remedy=f"Check the model's name; {self._url}/models lists what it has.",
        )  # fmt: skip
        self._logprobs = logprobs
        self._timeout_s = timeout_s
        self._retries = retries
        self._known = Known(self._discovered, context_tokens=context_tokens, capable=capable)
        self._bytes_per_token = remote.BYTES_PER_TOKEN
        client = requests.package(
            "openai", "The client for OpenAI-compatible endpoints", extra="openai"
        )
        self._client = client.OpenAI(
            base_url=self._url, api_key=key or "none", timeout=timeout_s, max_retries=0
        )

    @property
    def name(self) -> str:
        return self._model

    @property
    def context_tokens(self) -> int:
        return self._known.context_tokens

    @property
    def capable(self) -> bool:
        return self._known.capable

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
        """About how many tokens `text` has, rather too many than too few.

        The protocol cannot count; this divides bytes by a rate that starts on the safe side
        and follows what this endpoint reports of the prompts that it has read.
        """
        return remote.count_tokens(text, bytes_per_token=self._bytes_per_token)

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
        """Stream the reply; see `protocols.LanguageModel`. Raises RemoteError or UsageError."""
        requests.check(messages, max_tokens=max_tokens, temperature=temperature)
        options: dict[str, object] = {
            "max_completion_tokens" if self._url == PUBLIC_URL else "max_tokens": max_tokens,
            "temperature": temperature,
            "seed": seed,
            "stream_options": {"include_usage": True},
        }
        if stop:
            options["stop"] = list(stop)
        if self._logprobs:
            options["logprobs"] = True
        if schema is not None:
            named = {"name": "reply", "schema": dict(schema), "strict": True}
            options["response_format"] = {"type": "json_schema", "json_schema": named}
        clock = requests.Clock()
        yield from retried(lambda: self._attempt(messages, options, clock), self._retries)

    def _attempt(
        self, messages: Sequence[Message], options: Mapping[str, object], clock: requests.Clock
    ) -> Generator[Token | Finish]:
        import openai

        reply = _Reply(self._logprobs, clock)
        try:
            stream = self._client.chat.completions.create(
                model=self._model,
                messages=[_turn(message) for message in messages],
                stream=True,
                extra_body=dict(options),
            )
            with stream:
                for chunk in stream:
                    yield from reply.read(chunk)
        except openai.APITimeoutError as error:
            raise self._endpoint.silent(self._timeout_s, started=clock.has_token) from error
        except openai.APIStatusError as error:
            message, code = _told(error)
            raise self._endpoint.refused(
                error.status_code, message, code=code, headers=error.response.headers
            ) from error
        except openai.APIConnectionError as error:
            reason = str(error.__cause__ or error)
            if reply.chunks:
                raise self._endpoint.cut(reason) from error
            raise self._endpoint.unreachable(reason) from error
        except openai.APIError as error:  # an error told in the middle of the stream
            raise self._endpoint.refused(500, error.message, code=error.code or "") from error
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise self._endpoint.malformed(f"a chunk is no JSON ({error})") from error
        except (AttributeError, TypeError, KeyError, IndexError) as error:
            raise self._endpoint.malformed(f"a chunk has another form ({error})") from error
        if reply.reason is None:
            if not reply.chunks:
                raise self._endpoint.malformed("the answer holds no chunk of a reply")
            raise self._endpoint.cut("it ended without a reason to stop")
        usage = reply.usage or Usage(
            prompt_tokens=sum(self.count_tokens(message.content) for message in messages),
            completion_tokens=reply.pieces,  # servers that tell no usage send a token a chunk
            first_token_ms=clock.first_token_ms,
        )
        if reply.usage:
            self._learn_rate(messages, usage.prompt_tokens)
        yield Finish(reply.reason, usage)

    def _learn_rate(self, messages: Sequence[Message], prompt_tokens: int) -> None:
        """Follow the endpoint's counts; the template's tokens in them err on the safe side."""
        size = sum(len(message.content.encode()) for message in messages)
        if prompt_tokens >= 200:  # below that, the template's own tokens weigh too much
            self._bytes_per_token = min(4.0, max(1.0, size / prompt_tokens))

    def _discovered(self) -> Facts | None:
        """What the endpoint's list tells; None while it does not: asking will say why."""
        import openai

        if self._url == PUBLIC_URL:
            return Facts(_PUBLIC_CONTEXT_TOKENS, None)
        try:
            listed = list(
                self._client.with_options(timeout=remote.DISCOVERY_TIMEOUT_S).models.list()
            )
        except (openai.APIError, ValueError, TypeError, AttributeError):
            return None
        named = [entry for entry in listed if entry.id == self._model]
        extra: dict[str, object] = {}
        for entry in named or (listed if len(listed) == 1 else []):
            meta = (entry.model_extra or {}).get("meta")  # llama.cpp
            extra = {**(entry.model_extra or {}), **(meta if isinstance(meta, dict) else {})}
        sizes = (extra.get(name) for name in _CONTEXT_NAMES)
        context = next((size for size in sizes if isinstance(size, int) and size > 0), 0)
        parameters = extra.get("n_params")
        return Facts(
            context or remote.ASSUMED_CONTEXT_TOKENS,
            parameters if isinstance(parameters, int) else None,
        )


# As llama.cpp, vLLM, OpenRouter and LM Studio, and Groq name it.
_CONTEXT_NAMES = ("n_ctx", "max_model_len", "context_length", "context_window")


class _Reply:
    """What the chunks of one attempt have told so far."""

    def __init__(self, logprobs: bool, clock: requests.Clock) -> None:
        self.reason: Literal["stop", "length"] | None = None
        self.usage: Usage | None = None
        self.chunks = 0
        self.pieces = 0
        self._logprobs = logprobs
        self._clock = clock

    def read(self, chunk: ChatCompletionChunk) -> Iterator[Token]:
        """The tokens of a chunk; Attribute-, Type- and IndexErrors mean another protocol."""
        choices = chunk.choices
        self.chunks += 1
        for choice in choices[:1]:
            text = choice.delta.content or choice.delta.refusal or ""
            if not isinstance(text, str):
                raise TypeError(f"content is a {type(text).__name__}")
            if text:
                self._clock.saw_token()
                self.pieces += 1
                logprob = None
                if self._logprobs and choice.logprobs and choice.logprobs.content:
                    logprob = sum(piece.logprob for piece in choice.logprobs.content)
                yield Token(text, logprob)
            if choice.finish_reason:
                self.reason = "length" if choice.finish_reason == "length" else "stop"
        if chunk.usage:
            details = chunk.usage.prompt_tokens_details
            self.usage = Usage(
                prompt_tokens=chunk.usage.prompt_tokens,
                completion_tokens=chunk.usage.completion_tokens,
                first_token_ms=self._clock.first_token_ms,
                cached_tokens=(details.cached_tokens if details else 0) or 0,
            )


def _turn(message: Message) -> ChatCompletionMessageParam:
    content = requests.plain(message.content)
    match message.role:
        case "system":
            return {"role": "system", "content": content}
        case "user":
            return {"role": "user", "content": content}
        case "assistant":
            return {"role": "assistant", "content": content}


def _told(error: APIStatusError) -> tuple[str, str]:
    """The message and the code in an error's body, whatever form the server gives it."""
    body = error.body
    inner = body.get("error") if isinstance(body, dict) else None
    if isinstance(inner, dict):
        body = inner
    if isinstance(body, dict):
        code = body.get("type") if isinstance(body.get("code"), int) else body.get("code")
        return str(body.get("message") or error.message), str(code or "")
    return str(body or error.message), ""
