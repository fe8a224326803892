"""Embeddings remembered across runs of a recipe: texts are encoded once per encoder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ragstone.protocols import Encoder, Vectors
from ragstone.types import Span


class Remembered:
    """An encoder that keeps what it has encoded; `save` writes it for the next run.

    Queries and passages are kept apart only where their vectors differ, so it suits
    symmetric encoders alone.
    """

    def __init__(self, encoder: Encoder, path: Path | None = None) -> None:
        self._encoder = encoder
        self._path = path
        self._rows: dict[str, Vectors] = {}
        if path is not None and path.exists():
            with np.load(path, allow_pickle=False) as arrays:
                vectors = arrays["vectors"].astype(np.float32)
                self._rows = dict(zip(arrays["texts"].tolist(), vectors, strict=True))

    @property
    def name(self) -> str:
        return self._encoder.name

    @property
    def identity(self) -> str:
        return self._encoder.identity

    @property
    def dim(self) -> int:
        return self._encoder.dim

    @property
    def max_tokens(self) -> int:
        return self._encoder.max_tokens

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self.encode_passages(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        new = [text for text in dict.fromkeys(texts) if text not in self._rows]
        if new:
            vectors = self._encoder.encode_passages(new)
            self._rows.update(zip(new, vectors, strict=True))
        if not texts:
            return np.zeros((0, self.dim), dtype=np.float32)
        return np.stack([self._rows[text] for text in texts])

    def token_spans(self, text: str) -> list[Span]:
        return self._encoder.token_spans(text)

    def save(self) -> None:
        """Write all vectors in half precision."""
        if self._path is not None and self._rows:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            vectors = np.stack(list(self._rows.values())).astype(np.float16)
            np.savez(self._path, texts=np.array(list(self._rows)), vectors=vectors)

    def close(self) -> None:
        self._encoder.close()
