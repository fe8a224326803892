"""Token vectors of short texts, remembered: the meaning side of this room.

Law: what is remembered is what the encoder gave; a text met again costs nothing. One vector
per token lets a changed or missing word show where one vector per sentence hides it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from ragstone.grounding.words import words_of
from ragstone.protocols import Vectors
from ragstone.types import Span


@runtime_checkable
class TokenEncoder(Protocol):
    """An encoder that also gives one unit vector per token."""

    @property
    def name(self) -> str: ...

    def token_spans(self, text: str) -> list[Span]: ...

    def encode_tokens(self, texts: Sequence[str]) -> list[Vectors]: ...


def token_encoder(encoder: object) -> TokenEncoder | None:
    """`encoder` where it gives one vector per token, else None."""
    return encoder if isinstance(encoder, TokenEncoder) else None


@dataclass(frozen=True, slots=True)
class Encoded:
    """A text's token vectors (tokens, dim), the word each token belongs to (-1 for none), and
    the mean of the vectors at unit length."""

    vectors: Vectors
    words: npt.NDArray[np.int64]
    mean: Vectors


class TokenMemory:
    """Token vectors by text, so that the evidence of one answer is encoded once."""

    def __init__(self, encoder: TokenEncoder, *, texts: int = 512) -> None:
        self._encoder = encoder
        self._texts = texts
        self._known: dict[str, Encoded] = {}

    def encode(self, texts: Sequence[str]) -> list[Encoded]:
        """The encoded texts in order; new ones in one batch."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if len(self._known) + len(new) > self._texts:
            self._known = {text: self._known[text] for text in texts if text in self._known}
        if new:
            for text, vectors in zip(new, self._encoder.encode_tokens(new), strict=True):
                spans = self._encoder.token_spans(text)[: len(vectors)]
                self._known[text] = _encoded(text, vectors, spans)
        return [self._known[text] for text in texts]


def _encoded(text: str, vectors: Vectors, spans: Sequence[Span]) -> Encoded:
    ends = np.array([word.end for word in words_of(text)])
    starts = np.array([word.start for word in words_of(text)])
    owners = np.full(len(vectors), -1, dtype=np.int64)
    for token, span in enumerate(spans):
        if len(ends):
            place = int(np.searchsorted(ends, span.start, side="right"))
            if place < len(ends) and starts[place] <= span.start:
                owners[token] = place
    mean = vectors.mean(axis=0) if len(vectors) else np.zeros(vectors.shape[1], np.float32)
    norm = float(np.linalg.norm(mean))
    return Encoded(vectors, owners, mean / norm if norm > 0 else mean)
