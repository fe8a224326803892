"""An encoder without weights: hashed bags of words. Honest, deterministic, and tiny.

Two texts that share words are near, two that share none are not; so everything around an encoder
can be tested for real. Law: the vector of a text depends on the text alone.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

import numpy as np

from ragstone.protocols import Vectors
from ragstone.types import Span

_WORD = re.compile(r"\w+|[^\w\s]")


class HashingEncoder:
    """A `protocols.Encoder`: each word adds to two of `dim` places, with signs by its hash."""

    def __init__(self, dim: int = 64, *, max_tokens: int = 256, seed: int = 0) -> None:
        self._dim = dim
        self._max_tokens = max_tokens
        self._seed = seed
        self.encoded = 0  # texts encoded so far: shows what a cache saved

    @property
    def name(self) -> str:
        return "hashing"

    @property
    def identity(self) -> str:
        return f"hashing-{self._dim}-{self._max_tokens}-{self._seed}"

    @property
    def dim(self) -> int:
        return self._dim

    @property
    def max_tokens(self) -> int:
        return self._max_tokens

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, float32, shape (len(texts), dim)."""
        return self.encode_passages(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, float32, shape (len(texts), dim)."""
        self.encoded += len(texts)
        vectors = np.zeros((len(texts), self._dim), dtype=np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            for word in _WORD.findall(text.casefold())[: self._max_tokens]:
                code = zlib.crc32(word.encode("utf-8", "surrogatepass"), self._seed)
                vector[code % self._dim] += 1.0 if code & 0x10000 else -1.0
                vector[(code >> 8) % self._dim] += 0.5 if code & 0x20000 else -0.5
            norm = float(np.linalg.norm(vector))
            if norm == 0.0:
                vector[0] = norm = 1.0
            vector /= norm
        return vectors

    def token_spans(self, text: str) -> list[Span]:
        """Words and single marks."""
        return [Span(*match.span()) for match in _WORD.finditer(text)]

    def close(self) -> None:
        """Nothing to let go."""
