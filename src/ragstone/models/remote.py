"""What models behind an endpoint have in common: their name and address, and facts asked for once.

Law: nothing is asked of an endpoint before it is needed, and what it has told is not asked again.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass

from ragstone.errors import UsageError
from ragstone.models.requests import CAPABLE_PARAMETERS

BYTES_PER_TOKEN = 3.0  # English has 4 to 4.5, code 3, Chinese 2 to 3: errs on the safe side
DISCOVERY_TIMEOUT_S = 5.0
ASSUMED_CONTEXT_TOKENS = 8192  # where the endpoint does not tell


@dataclass(frozen=True, slots=True)
class Facts:
    """What an endpoint tells of a model; `parameters` None where it does not say."""

    context_tokens: int
    parameters: int | None


class Known:
    """A model's window and whether it is capable: as given, else as its endpoint tells."""

    def __init__(
        self,
        discover: Callable[[], Facts | None],
        *,
        context_tokens: int = 0,
        capable: bool | None = None,
    ) -> None:
        """`discover` asks the endpoint; None while it does not answer: asking will say why.

        `context_tokens` 0 and `capable` None are asked for when they are needed.
        """
        self._discover = discover
        self._given_context = context_tokens
        self._given_capable = capable
        self._facts: Facts | None = None

    @property
    def context_tokens(self) -> int:
        return self._given_context or self._told().context_tokens

    @property
    def capable(self) -> bool:
        if self._given_capable is not None:
            return self._given_capable
        parameters = self._told().parameters
        return parameters is None or parameters >= CAPABLE_PARAMETERS

    def _told(self) -> Facts:
        """What is known of the model; remembered once the endpoint has told it."""
        if self._facts is None:
            self._facts = self._discover()
        return self._facts or Facts(ASSUMED_CONTEXT_TOKENS, None)


def check_name(model: str, example: str) -> None:
    """Refuse an empty name with what to say instead. Raises UsageError."""
    if not model:
        raise UsageError("No model is named.", remedy=f"Say {example}.")


def or_environment(given: str, variable: str, default: str = "") -> str:
    """`given`, else what the environment variable holds, else `default`; empty is not given."""
    return given or os.environ.get(variable, "") or default


def count_tokens(text: str, *, bytes_per_token: float = BYTES_PER_TOKEN) -> int:
    """About how many tokens `text` has: its bytes by a rate, rounded up."""
    return math.ceil(len(text.encode()) / bytes_per_token)
