"""A prompt that fits the model's window: as much evidence as there is room for, by counted tokens.

Law: evidence is left out from the end only, so that the numbers of what is shown stay; where
everything fits, nothing is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ragstone.protocols import LanguageModel
from ragstone.types import Evidence, Message

PER_MESSAGE = 12  # tokens that a chat template puts around a message, at most
LEAST_ANSWER = 32  # tokens of a reply below which asking is not worth it
Prompt = Callable[[Sequence[Evidence]], Sequence[Message]]


def fitted(
    prompt: Prompt, evidence: Sequence[Evidence], model: LanguageModel, *, answer_tokens: int
) -> tuple[list[Message], int]:
    """The messages of `prompt` over the evidence that fits, and the tokens left for the reply.

    At least one piece is shown; where even that leaves no room for `answer_tokens`, the reply
    gets what there is. Nothing fits a window below the instructions: then the model's own error
    names both sizes.
    """
    count = len(evidence)
    while True:
        messages = list(prompt(evidence[:count]))
        room = model.context_tokens - size(messages, model)
        if room >= answer_tokens or count <= 1:
            return messages, min(answer_tokens, max(room, LEAST_ANSWER))
        count -= 1


def size(messages: Sequence[Message], model: LanguageModel) -> int:
    """Tokens of a conversation as this model counts them, with what its template may add."""
    return sum(model.count_tokens(message.content) + PER_MESSAGE for message in messages)
