"""The seams: what a component must do to take another's place. Structural, no inheritance.

Components receive objects, never names; `build` alone turns names into objects. A contract
suite for each protocol is public in `ragstone.testing.contracts`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from ragstone.trace import Trace
from ragstone.types import Claim, Document, DocumentInfo, Evidence, Hit, Message, Passage, Span

Vectors = npt.NDArray[np.float32]


class Encoder(Protocol):
    """Texts to unit vectors. `identity` names weights and tokenizer down to their checksum."""

    @property
    def name(self) -> str: ...
    @property
    def identity(self) -> str: ...
    @property
    def dim(self) -> int: ...
    @property
    def max_tokens(self) -> int: ...

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, float32, shape (len(texts), dim)."""
        ...

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, float32, shape (len(texts), dim)."""
        ...

    def token_spans(self, text: str) -> list[Span]:
        """The code-point spans of the text's tokens, without special tokens, not truncated."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a model's output as it arrives."""

    text: str
    logprob: float | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that one generation read and wrote, and milliseconds to its first token."""

    prompt_tokens: int
    completion_tokens: int
    first_token_ms: float
    cached_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Finish:
    """The end of a generation: why it ended and what it used. Always the last item."""

    reason: Literal["stop", "length", "cancelled"]
    usage: Usage


class LanguageModel(Protocol):
    """Messages to a stream of tokens that ends with one Finish."""

    @property
    def name(self) -> str: ...
    @property
    def context_tokens(self) -> int: ...
    @property
    def capable(self) -> bool:
        """Whether it can be trusted with instructions (rewriting, planning, JSON)."""
        ...

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
        """Stream the reply. Closing the iterator cancels the generation.

        Raises ModelError or RemoteError; a context overflow is a UsageError naming both sizes.
        """
        ...

    def count_tokens(self, text: str) -> int: ...

    def close(self) -> None: ...


class Reranker(Protocol):
    """Scores (question, passage) pairs; higher is better; any scale."""

    @property
    def name(self) -> str: ...

    def score(self, question: str, passages: Sequence[str]) -> Sequence[float]: ...


@dataclass(frozen=True, slots=True)
class PassageReading:
    """Where one passage holds the answer to a question, as log-probabilities over its tokens.

    `starts` and `ends` (tokens,): the answer begins or ends with this token, which stands at the
    code points `places` (tokens, 2) of the passage. `none`: that it holds no answer, to be compared
    with a start plus an end. `answers`: the log-odds that the passage as a whole answers.
    """

    places: npt.NDArray[np.int64]
    starts: npt.NDArray[np.float64]
    ends: npt.NDArray[np.float64]
    none: float
    answers: float


class Reader(Protocol):
    """Reads a question and passages together and says where an answer stands."""

    @property
    def name(self) -> str: ...

    def read(
        self, question: str, texts: Sequence[str], *, titles: Sequence[str]
    ) -> list[PassageReading]:
        """One reading for each text, in their order; `titles` has as many entries."""
        ...

    def close(self) -> None: ...


class Judge(Protocol):
    """Verifies a claim against its evidence; the verdict, its reason and confidence are in the
    claim that comes back."""

    @property
    def name(self) -> str: ...

    def judge(self, claim: Claim, evidence: Sequence[Evidence]) -> Claim: ...


@dataclass(frozen=True, slots=True)
class Scored:
    """A passage's key in the corpus with a score; higher is better."""

    key: int
    score: float


class Filter(Protocol):
    """A parsed `--where` expression. Made by `corpus.where.parse_where`, opaque elsewhere."""

    @property
    def expression(self) -> str: ...


class Snapshot(Protocol):
    """One committed version of a corpus, for reading; unaffected by later commits."""

    @property
    def version(self) -> int: ...
    @property
    def encoder_identity(self) -> str: ...

    def documents(self, where: Filter | None = None) -> Iterator[DocumentInfo]: ...

    def document(self, document_id: str) -> Document:
        """The whole document. Raises UsageError for an unknown id."""
        ...

    def find(self, name: str, where: Filter | None = None) -> DocumentInfo:
        """By id, source, or a unique ending of a source, among the documents that pass `where`.

        Raises UsageError, with near matches.
        """
        ...

    def lexical(self, question: str, k: int, where: Filter | None = None) -> list[Scored]:
        """The best `k` passages by BM25, best first."""
        ...

    def dense(self, vector: Vectors, k: int, where: Filter | None = None) -> list[Scored]:
        """The best `k` passages by cosine to `vector` of shape (dim,), best first."""
        ...

    def fetch(self, keys: Sequence[int]) -> list[tuple[Passage, DocumentInfo]]:
        """Passages with their documents, in the order of `keys`."""
        ...

    def vectors(self, keys: Sequence[int]) -> Vectors:
        """Stored unit vectors in the order of `keys`, shape (len(keys), dim)."""
        ...

    def close(self) -> None: ...


class Retriever(Protocol):
    """Question to hits, best first."""

    def retrieve(
        self, question: str, *, k: int = 10, where: Filter | None = None, trace: Trace | None = None
    ) -> list[Hit]: ...
