"""What can go wrong at an endpoint, said once for every protocol, and when to try again.

An `AttemptError` carries the error that the user will see and how long the endpoint asked to
wait. Law: nothing is tried again after a token was shown, and every wait is bounded.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass

from ragstone.errors import RagstoneError, RemoteError, UsageError
from ragstone.protocols import Finish, Token


class AttemptError(Exception):
    """A failed attempt: the error to raise, and the seconds that the endpoint asked to wait."""

    def __init__(self, error: RagstoneError, *, wait_s: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class Retries:
    """How often, and after how long, a call is tried again: exponential with full jitter.

    The n-th wait is random in `[d/2, d]`, d = `first_wait_s` * 2^n, at most `longest_wait_s`
    (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015). An endpoint's own
    Retry-After is honoured up to `longest_wait_s`; beyond that, waiting is the user's decision.
    """

    attempts: int = 4
    first_wait_s: float = 0.5
    longest_wait_s: float = 30.0

    def wait_s(self, attempt: int, asked_s: float | None) -> float | None:
        """Seconds to wait after the failed `attempt` (from 0); None to give up."""
        if attempt + 1 >= self.attempts:
            return None
        if asked_s is not None:
            return asked_s if asked_s <= self.longest_wait_s else None
        longest = min(self.longest_wait_s, self.first_wait_s * 2.0**attempt)
        return random.uniform(longest / 2, longest)


def retried(
    attempt: Callable[[], Generator[Token | Finish]],
    retries: Retries,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Token | Finish]:
    """The items of `attempt()`, tried again while its faults allow it and nothing was shown."""
    tried = 0
    while True:
        shown = False
        try:
            with closing(attempt()) as items:
                for item in items:
                    shown = True
                    yield item
            return
        except AttemptError as failed:
            again = isinstance(failed.error, RemoteError) and failed.error.retryable and not shown
            wait_s = retries.wait_s(tried, failed.wait_s) if again else None
            if wait_s is None:
                raise failed.error from failed.__cause__
        sleep(wait_s)
        tried += 1


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How errors name an endpoint: the model, where it is asked, and what repairs it."""

    model: str
    url: str
    key_variable: str  # the environment variable that holds the key
    missing_model_remedy: str = "Check the model's name."
    unreachable_remedy: str = (
        "Is the server running there? `--llm local` and `--llm none` need none."
    )

    def refused(
        self, status: int, message: str, *, code: str = "", headers: Mapping[str, str] | None = None
    ) -> AttemptError:
        """The fault for an answer with an error status, in the server's own words."""
        said = _shortened(message)
        if sizes := _overflow_sizes(message, code):
            return AttemptError(self._overflow(sizes, said))
        if status in (401, 403):
            return AttemptError(
                RemoteError(
                    f"{self.url} refused the key (HTTP {status}: {said}).",
                    remedy=f"Set {self.key_variable} to a valid key for this endpoint.",
                )
            )
        if status == 404 and "model" not in message.lower():
            return AttemptError(
                RemoteError(
                    f"{self.url} has no chat at this address (HTTP 404: {said}).",
                    remedy="Check it; for OpenAI-compatible servers it mostly ends in /v1.",
                )
            )
        if status == 404:
            return AttemptError(
                RemoteError(
                    f"{self.url} knows no model named {self.model!r} (HTTP 404: {said}).",
                    remedy=self.missing_model_remedy,
                )
            )
        spent = code == "insufficient_quota"  # a 429 that no waiting mends
        retryable = (status in (408, 409, 429) or status >= 500) and not spent
        what = (
            "is busy" if status == 429 and not spent else "failed" if status >= 500 else "refused"
        )
        return AttemptError(
            RemoteError(
                f"{self.url} {what} (model {self.model}, HTTP {status}: {said}).",
                remedy="Try again later." if retryable else "See what the endpoint says.",
                retryable=retryable,
            ),
            wait_s=_retry_after_s(headers or {}),
        )

    def unreachable(self, reason: str) -> AttemptError:
        """The fault for a connection that was never made."""
        return AttemptError(
            RemoteError(
                f"No connection to {self.url}: {reason}.",
                remedy=self.unreachable_remedy,
                retryable=True,
            )
        )

    def silent(self, timeout_s: float, *, started: bool) -> AttemptError:
        """The fault for a server from which nothing came. Not tried again: it has had its time."""
        when = "in the middle of the reply" if started else "before the first word"
        return AttemptError(
            RemoteError(
                f"{self.url} was silent for {timeout_s:g} s {when} (model {self.model}).",
                remedy="Raise `llm_timeout_s`, or use a smaller model.",
            )
        )

    def cut(self, reason: str) -> AttemptError:
        """The fault for a reply that broke off; a repetition is free while nothing was shown."""
        return AttemptError(
            RemoteError(
                f"{self.url} broke off in the middle of the reply ({reason}).",
                remedy="Ask again; if it persists, look into the server's log.",
                retryable=True,
            )
        )

    def malformed(self, what: str) -> AttemptError:
        """The fault for an answer that is not of the protocol."""
        return AttemptError(
            RemoteError(
                f"{self.url} does not speak the expected protocol: {_shortened(what)}.",
                remedy="Check the address; for OpenAI-compatible servers it mostly ends in /v1.",
            )
        )

    def _overflow(self, sizes: tuple[int, ...], said: str) -> UsageError:
        if len(sizes) == 2:
            needed, context = max(sizes), min(sizes)
            what = f"{needed} tokens are needed, its context holds {context}"
        else:
            what = said
        return UsageError(
            f"The prompt does not fit the model {self.model}: {what}.",
            remedy="Give less evidence or a shorter history, or use a larger context.",
        )


# As llama.cpp, OpenAI, vLLM, Ollama and Anthropic word it, in this order:
# "request (3031 tokens) exceeds the available context size (1024 tokens), try increasing it"
# "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001"
# "maximum context length is 4096 tokens. However, you requested 5000 tokens (4900 in the ..."
# "input length (5000) exceeds maximum context length (4096)"
# "prompt is too long: 210000 tokens > 200000 maximum"
_OVERFLOW = re.compile(
    r"context (?:size|length|window)|prompt is too long|exceed_context_size", re.IGNORECASE
)
_OVERFLOW_CODES = frozenset({"context_length_exceeded", "exceed_context_size_error"})
_FEWEST_TOKENS = 64  # smaller numbers in such a message are not sizes of prompts


def _overflow_sizes(message: str, code: str) -> tuple[int, ...]:
    """The two sizes in an overflow's message; (0,) if it names none; () if it is no overflow."""
    if code not in _OVERFLOW_CODES and not (
        _OVERFLOW.search(message) and re.search(r"exceed|maximum|too long", message)
    ):
        return ()
    numbers = [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", message)]
    sizes = [number for number in numbers if number >= _FEWEST_TOKENS]
    return (sizes[0], sizes[1]) if len(sizes) >= 2 else (0,)


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds that the endpoint asks to wait (RFC 9110, 10.2.3; dates are not honoured)."""
    for name, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers[name]) * unit_s)
        except (KeyError, ValueError):
            continue
    return None


def _shortened(message: str) -> str:
    flat = " ".join(message.split())
    return flat if len(flat) <= 300 else flat[:297] + "..."
