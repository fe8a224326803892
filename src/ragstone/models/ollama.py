"""A model in Ollama, through its own protocol (https://docs.ollama.com/api), by the standard
library alone.

Not through Ollama's OpenAI-compatible address: that one ignores the size of the context and cuts
a longer prompt without a word, so that an answer would be written from evidence that the model
never saw. Here the window is stated, and a prompt that does not fit is an error.
"""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Generator, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from ragstone.errors import UsageError
from ragstone.models import remote, requests
from ragstone.models.faults import AttemptError, Endpoint, Retries, retried
from ragstone.models.remote import Facts, Known
from ragstone.protocols import Finish, Token, Usage
from ragstone.types import Message

DEFAULT_HOST = "127.0.0.1:11434"
# Memory grows with the window; models would often allow far more.
_MOST_CONTEXT_TOKENS = remote.ASSUMED_CONTEXT_TOKENS


class OllamaModel:
    """One model of an Ollama server. Safe to use from several threads."""

    def __init__(
        self,
        model: str,
        *,
        host: str = "",
        context_tokens: int = 0,
        capable: bool | None = None,
        timeout_s: float = 120.0,
        retries: Retries = Retries(),  # noqa: B008 - a frozen value
    ) -> None:
        """`host` defaults to OLLAMA_HOST, else this machine's port 11434.

        `context_tokens` is the window that the server is told to hold (0: 8192, or the model's
        own if that is smaller); `capable` None asks the server for the model's size.
        `timeout_s` is the longest silence, loading included. Raises UsageError without a model.
        """
        remote.check_name(model, "ollama:MODEL, e.g. ollama:qwen3:4b")
        self._model = model
        self._url = address(host)
        self._endpoint = Endpoint(
            model=model,
            url=self._url,
            key_variable="OLLAMA_HOST",
            missing_model_remedy=f"Fetch it with: ollama pull {model}",
            unreachable_remedy="Start it with: ollama serve, or set OLLAMA_HOST.",
        )
        self._known = Known(self._discovered, context_tokens=context_tokens, capable=capable)
        self._timeout_s = timeout_s
        self._retries = retries

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
        """Nothing is held between calls."""

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
        """Stream the reply; see `protocols.LanguageModel`. Raises RemoteError or UsageError."""
        requests.check(messages, max_tokens=max_tokens, temperature=temperature)
        body: dict[str, object] = {
            "model": self._model,
            "messages": [
                {"role": message.role, "content": requests.plain(message.content)}
                for message in messages
            ],
            "stream": True,
            # Since 0.12.6: an error instead of a prompt that is cut without a word.
            "truncate": False,
            "shift": False,
            "options": {
                "num_ctx": self.context_tokens,
                "num_predict": max_tokens,
                "temperature": temperature,
                "seed": seed,
                "stop": list(stop),
            },
        }
        if schema is not None:
            body["format"] = dict(schema)
        clock = requests.Clock()
        yield from retried(lambda: self._attempt(body, clock), self._retries)

    def _attempt(
        self, body: Mapping[str, object], clock: requests.Clock
    ) -> Generator[Token | Finish]:
        connection = _connection(self._url, self._timeout_s)
        begun = False
        try:
            response = self._post(connection, "/api/chat", body)
            begun = True
            for event in self._events(response):
                text = _content(event)
                if text:
                    clock.saw_token()
                    yield Token(text)
                if event.get("done") is True:
                    yield _finish(event, clock.first_token_ms)
                    return
        except TimeoutError as error:
            raise self._endpoint.silent(self._timeout_s, started=clock.has_token) from error
        except (OSError, http.client.HTTPException) as error:
            reason = str(error) or type(error).__name__
            failed = self._endpoint.cut(reason) if begun else self._endpoint.unreachable(reason)
            raise failed from error
        except (ValueError, TypeError, AttributeError) as error:
            raise self._endpoint.malformed(f"a line of the reply: {error}") from error
        finally:
            connection.close()
        raise self._endpoint.cut("it ended before it was done")

    def _post(
        self, connection: http.client.HTTPConnection, path: str, body: Mapping[str, object]
    ) -> http.client.HTTPResponse:
        payload = json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "ragstone"}
        connection.request("POST", urlsplit(self._url).path + path, payload, headers)
        response = connection.getresponse()
        if response.status != http.client.OK:
            told = response.read(65536).decode("utf-8", errors="replace")
            given = {name.lower(): value for name, value in response.getheaders()}
            raise self._endpoint.refused(response.status, _error_text(told), headers=given)
        return response

    def _events(self, response: http.client.HTTPResponse) -> Iterator[Mapping[str, object]]:
        while line := response.readline():
            if line.strip():
                event = json.loads(line)
                if "error" in event:
                    raise self._endpoint.refused(500, str(event["error"]))
                yield event

    def _discovered(self) -> Facts | None:
        """What the server tells; None while it does not: asking will say why."""
        connection = _connection(self._url, remote.DISCOVERY_TIMEOUT_S)
        try:
            with self._post(connection, "/api/show", {"model": self._model}) as response:
                told = json.load(response)
            info = {key.rpartition(".")[2]: value for key, value in told["model_info"].items()}
            context = int(info.get("context_length") or _MOST_CONTEXT_TOKENS)
            parameters = info.get("parameter_count")
        except (OSError, http.client.HTTPException, AttemptError, ValueError, KeyError, TypeError):
            return None
        finally:
            connection.close()
        return Facts(
            min(context, _MOST_CONTEXT_TOKENS),
            parameters if isinstance(parameters, int) else None,
        )


def address(host: str = "") -> str:
    """The server's address, of `host` or else OLLAMA_HOST, without a slash at its end.

    By Ollama's own rules scheme and port are optional. Raises UsageError.
    """
    host = remote.or_environment(host, "OLLAMA_HOST", DEFAULT_HOST)
    scheme, mark, rest = host.strip().partition("://")
    if not mark:
        scheme, rest = "http", host.strip()
    parts = urlsplit(f"//{rest}")
    try:
        port = parts.port or (11434 if not mark else 443 if scheme == "https" else 80)
    except ValueError as error:
        raise UsageError(
            f"OLLAMA_HOST is {host!r}.", remedy="It must read HOST, HOST:PORT or a URL."
        ) from error
    # A server that listens on all addresses is asked on this machine's own.
    name = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1"}.get(parts.hostname or "", parts.hostname)
    return f"{scheme}://{name}:{port}{parts.path.rstrip('/')}"


def _connection(url: str, timeout_s: float) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, parts.port, timeout=timeout_s, context=context)
    return http.client.HTTPConnection(host, parts.port, timeout=timeout_s)


def _content(event: Mapping[str, object]) -> str:
    message = event.get("message") or {}
    if not isinstance(message, Mapping):
        raise TypeError("its message is no object")
    content = message.get("content") or ""
    if not isinstance(content, str):
        raise TypeError("its content is no text")
    return content


def _finish(event: Mapping[str, object], first_token_ms: float) -> Finish:
    def count(key: str) -> int:
        value = event.get(key)  # absent where everything came from the server's cache
        return value if isinstance(value, int) else 0

    usage = Usage(count("prompt_eval_count"), count("eval_count"), first_token_ms)
    return Finish("length" if event.get("done_reason") == "length" else "stop", usage)


def _error_text(told: str) -> str:
    try:
        return str(json.loads(told)["error"])
    except (ValueError, KeyError, TypeError):
        return told or "no reason given"
