"""What every language model does alike: checks before a prompt is read, its clock, its runtime.

Shared by the models of this room, so that all refuse the same calls with the same words, time
the first token from the same moment, and keep a document's text text.
"""

from __future__ import annotations

import importlib
import re
import time
from collections.abc import Sequence
from types import ModuleType

from ragstone.errors import ModelError, UsageError
from ragstone.types import Message

CAPABLE_PARAMETERS = 3_000_000_000  # below this, models copy and guess more than they obey

# The marks by which chat templates part turns. Read as such inside a document's text they would
# let that text speak as the system or as the user (prompt injection through the tokenizer).
_CONTROL = re.compile(
    r"<(?=\|[\w ]{1,40}\|>)"  # <|im_start|>, <|eot_id|>, <|endoftext|>: ChatML, Llama 3, Phi
    r"|<(?=/?s>)"  # <s>, </s>: Llama 2, Mistral
    r"|<(?=(?:start|end)_of_turn>)"  # Gemma
    r"|\[(?=/?INST\])"  # Mistral
)


def check(messages: Sequence[Message], *, max_tokens: int, temperature: float) -> None:
    """Refuse a call that cannot mean anything. Raises UsageError."""
    if not any(message.content.strip() for message in messages):
        raise UsageError(
            f"A language model was given {len(messages)} messages without any text.",
            remedy="Give at least one message with content.",
        )
    if max_tokens < 1:
        raise UsageError(f"max_tokens is {max_tokens}.", remedy="It must be 1 or more.")
    if not 0.0 <= temperature <= 2.0:
        raise UsageError(
            f"The temperature is {temperature}.", remedy="It must lie between 0 and 2."
        )


def check_room(name: str, *, prompt_tokens: int, max_tokens: int, context_tokens: int) -> None:
    """Refuse a prompt that leaves no room for the reply. Raises UsageError naming both sizes."""
    if prompt_tokens + max_tokens > context_tokens:
        raise overflow(
            name, f"{prompt_tokens} tokens of prompt and {max_tokens} of reply", context_tokens
        )


def overflow(name: str, needed: str, context_tokens: int) -> UsageError:
    """The one error for a prompt beyond the context window."""
    return UsageError(
        f"The prompt does not fit the model {name}: {needed} are needed, "
        f"its context holds {context_tokens}.",
        remedy="Give less evidence or a shorter history, or use a model with a larger context.",
    )


def plain(text: str) -> str:
    """`text` with control marks of chat templates made harmless by a space after their bracket.

    Law: text without such marks comes back as it is.
    """
    return _CONTROL.sub(lambda mark: mark.group() + " ", text)


class Clock:
    """The time of one call, from when it was made: over all attempts, and in any queue."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._first: float | None = None

    def saw_token(self) -> None:
        """A token came; only the first one counts."""
        if self._first is None:
            self._first = time.perf_counter()

    @property
    def has_token(self) -> bool:
        return self._first is not None

    @property
    def first_token_ms(self) -> float:
        """Milliseconds to the first token; 0 before it came."""
        return 0.0 if self._first is None else (self._first - self._started) * 1000.0


def package(name: str, what: str, *, extra: str) -> ModuleType:
    """An optional package, imported at first use. Raises ModelError naming the extra it is in."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ModelError(
            f"{what} is not installed ({name.replace('_', '-')}).",
            remedy=f"Install it with: pip install 'ragstone[{extra}]'",
        ) from error
