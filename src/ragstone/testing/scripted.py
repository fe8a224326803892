"""A language model that says what it was given to say. Honest, deterministic, and tiny.

What surrounds a model is tested for real with it: it streams, counts, stops, cuts at the limit,
refuses an overflow, and records what it was asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from ragstone.errors import UsageError
from ragstone.protocols import Finish, Token, Usage
from ragstone.types import Message

Script = str | Sequence[str] | Callable[[Sequence[Message]], str]
_PIECE = re.compile(r"\s*\S+|\s+$")


class ScriptedModel:
    """A `protocols.LanguageModel` whose tokens are words with the blanks before them."""

    def __init__(
        self,
        script: Script,
        *,
        name: str = "scripted",
        context_tokens: int = 4096,
        capable: bool = True,
    ) -> None:
        """`script` is the one reply; or replies in turn, the last one repeated; or a function
        of the messages."""
        self._script = script
        self._name = name
        self._context_tokens = context_tokens
        self._capable = capable
        self.asked: list[tuple[Message, ...]] = []  # the messages of every generation
        self.cancelled = 0  # generations whose stream was closed before its end
        self.closed = False

    @property
    def name(self) -> str:
        return self._name

    @property
    def context_tokens(self) -> int:
        return self._context_tokens

    @property
    def capable(self) -> bool:
        return self._capable

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
        """Stream the next reply of the script, whatever the schema, seed and temperature."""
        if self.closed:
            raise UsageError("The scripted model is closed.", remedy="Make a new one.")
        if max_tokens < 1 or not any(message.content.strip() for message in messages):
            raise UsageError("A scripted model was asked for nothing.", remedy="Ask something.")
        prompt_tokens = sum(self.count_tokens(message.content) for message in messages)
        if prompt_tokens + max_tokens > self._context_tokens:
            raise UsageError(
                f"The prompt has {prompt_tokens} tokens and the reply {max_tokens}; "
                f"the context holds {self._context_tokens}.",
                remedy="Give less.",
            )
        text = self._reply(messages)
        ends = [place for word in stop if (place := text.find(word)) >= 0]
        pieces = _PIECE.findall(text[: min(ends)] if ends else text)
        self.asked.append(tuple(messages))
        done = False
        try:
            for piece in pieces[:max_tokens]:
                yield Token(piece)
            done = True
        finally:
            self.cancelled += not done
        reached = min(len(pieces), max_tokens)
        usage = Usage(prompt_tokens, reached, first_token_ms=0.0)
        yield Finish("length" if len(pieces) > max_tokens else "stop", usage)

    def _reply(self, messages: Sequence[Message]) -> str:
        if callable(self._script):
            return self._script(messages)
        if isinstance(self._script, str):
            return self._script
        return self._script[min(len(self.asked), len(self._script) - 1)]

    def count_tokens(self, text: str) -> int:
        """Words, by blanks."""
        return len(text.split())

    def close(self) -> None:
        """Refuse everything from now on. May be called again."""
        self.closed = True
