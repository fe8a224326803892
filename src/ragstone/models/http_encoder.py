"""An encoder behind OpenAI's embeddings protocol: Ollama, vLLM, llama.cpp, hosted, our own server.

    texts --prefix of the model's family--> batches of 64 --POST /embeddings--> unit vectors

Texts leave this machine only to the address that was named. Passages are cut by the shipped
tokenizer's count, so the same passages can be embedded anew by another encoder. The identity is
the model's name with its dimensions and prefixes: what weights stand behind a name, the
endpoint alone knows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ragstone.errors import RemoteError, UsageError
from ragstone.models.encoder_files import TOKENIZER_FILE
from ragstone.models.faults import Retries
from ragstone.models.http_json import check_address, post_json
from ragstone.protocols import Vectors
from ragstone.types import Span

if TYPE_CHECKING:
    from ragstone.models.tokens import Tokens

_TOKENIZER = Path(__file__).parent / "weights" / "all-MiniLM-L6-v2" / TOKENIZER_FILE
_BATCH_TEXTS = 64
_CONNECTIONS = 4
_PROBE = "What is this model's size?"
_NOTHING = "."  # sent for a text of blanks, which most endpoints refuse
_SEARCH = "Represent this sentence for searching relevant passages: "
_INSTRUCT = (
    "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: "
)

# What a model was trained to see in front of a question and of a passage, from its model card.
# The first pattern that occurs in the model's name counts.
PREFIXES: tuple[tuple[str, str, str], ...] = (
    (r"e5.*instruct|qwen3-embedding", _INSTRUCT, ""),
    (r"\be5\b|multilingual-e5", "query: ", "passage: "),
    (r"bge-(?:small|base|large)-en|mxbai-embed|arctic-embed-(?!.*v2)", _SEARCH, ""),
    (r"arctic-embed.*v2", "query: ", ""),
    (r"nomic-embed", "search_query: ", "search_document: "),
    (r"embeddinggemma", "task: search result | query: ", "title: none | text: "),
)


def prefixes_of(model: str) -> tuple[str, str]:
    """What the model of that name wants in front of a question and of a passage; "" mostly."""
    folded = model.lower()
    for pattern, query, passage in PREFIXES:
        if re.search(pattern, folded):
            return query, passage
    return "", ""


class HttpEncoder:
    """A protocols.Encoder over `POST {url}/embeddings`. Safe to use from several threads."""

    def __init__(
        self,
        model: str,
        *,
        url: str,
        key: str = "",
        max_tokens: int = 512,
        timeout_s: float = 60.0,
        retries: Retries | None = None,
    ) -> None:
        """`url` ends before `/embeddings`, such as http://127.0.0.1:11434/v1.

        Asks the endpoint once, for the size of its vectors. Raises RemoteError, UsageError.
        """
        if not model:
            raise UsageError(
                "An encoder behind an address needs a model's name.",
                remedy="Write it as http://HOST/v1#MODEL or openai:MODEL.",
            )
        self._url = check_address(url, "embeddings", "http://127.0.0.1:11434/v1") + "/embeddings"
        self._model, self._key, self._timeout_s = model, key, timeout_s
        self._max_tokens = max_tokens
        self._retries = retries or Retries()
        self._query_prefix, self._passage_prefix = prefixes_of(model)
        self._pool = ThreadPoolExecutor(_CONNECTIONS, thread_name_prefix="ragstone-embeddings")
        self._dim = len(self._asked([_PROBE])[0])

    @property
    def name(self) -> str:
        return self._model

    @property
    def identity(self) -> str:
        """The model's name, dimensions, and prefixes where it has any."""
        marks = [mark for mark in (self._query_prefix, self._passage_prefix) if mark]
        told = "".join(f"-{mark.strip()!r}" for mark in marks)
        return f"{self._model}-http-{self._dim}{told}"

    @property
    def dim(self) -> int:
        return self._dim

    @property
    def max_tokens(self) -> int:
        return self._max_tokens

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, float32, shape (len(texts), dim). Raises RemoteError."""
        return self._encode(texts, self._query_prefix)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, float32, shape (len(texts), dim). Raises RemoteError."""
        return self._encode(texts, self._passage_prefix)

    def token_spans(self, text: str) -> list[Span]:
        """The tokens' spans by the shipped tokenizer, which measures passages for every encoder."""
        return self._tokens.spans(text)

    def close(self) -> None:
        """Close the connections' threads."""
        self._pool.shutdown()

    @cached_property
    def _tokens(self) -> Tokens:
        from ragstone.models.tokens import open_tokens

        return open_tokens(_TOKENIZER, max_tokens=self._max_tokens)

    def _encode(self, texts: Sequence[str], prefix: str) -> Vectors:
        first: dict[str, int] = {}
        rows = np.fromiter((first.setdefault(text, len(first)) for text in texts), np.int64)
        if not first:
            return np.empty((0, self._dim), np.float32)
        unique = [prefix + (self._cut(text) if text.strip() else _NOTHING) for text in first]
        batches = [unique[i : i + _BATCH_TEXTS] for i in range(0, len(unique), _BATCH_TEXTS)]
        found = list(self._pool.map(self._asked, batches)) if batches[1:] else [
            self._asked(batches[0])
        ]  # fmt: skip
        vectors: Vectors = np.concatenate(found)
        if vectors.shape[1] != self._dim:
            raise RemoteError(
                f"{self._url} gives {vectors.shape[1]} dimensions, and gave {self._dim} before.",
                remedy="The model behind the name changed: run `ragstone reembed`.",
            )
        return vectors[rows]

    def _cut(self, text: str) -> str:
        """`text` up to `max_tokens` tokens; a token is at least a character."""
        if len(text) <= self._max_tokens:
            return text
        spans = self._tokens.spans(text)
        return text if len(spans) <= self._max_tokens else text[: spans[self._max_tokens].start]

    def _asked(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of at most one batch, by the endpoint."""
        reply = post_json(
            self._url,
            {"model": self._model, "input": list(texts), "encoding_format": "float"},
            key=self._key, timeout_s=self._timeout_s, retries=self._retries,
        )  # fmt: skip
        try:
            data = reply["data"]
            if not isinstance(data, list):
                raise TypeError("data is no list")
            by_index = {int(row["index"]): row["embedding"] for row in data}
            vectors = np.array([by_index[at] for at in range(len(texts))], dtype=np.float32)
            if vectors.ndim != 2 or not vectors.shape[1] or not np.isfinite(vectors).all():
                raise ValueError(f"vectors of the shape {vectors.shape}, or not of numbers")
            norms = np.linalg.norm(vectors, axis=1, keepdims=True)
            if not (norms > 0).all():
                raise ValueError("a vector of zeros")
        except (KeyError, TypeError, ValueError) as error:
            raise RemoteError(
                f"{self._url} did not answer with a vector for each of {len(texts)} texts "
                f"({type(error).__name__}: {error}).",
                remedy="It must speak OpenAI's embeddings protocol, and the model must embed.",
            ) from error
        unit: Vectors = vectors / norms
        return unit
