"""A snapshot and an encoder small enough to read, for the tests of retrieval."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from ragstone.errors import UsageError
from ragstone.protocols import Filter, Scored, Vectors
from ragstone.text.analysis import analyse, analyse_question
from ragstone.types import Document, DocumentInfo, Passage, Span

DIM = 64

LIBRARY = {
    "rivers": "The Rhine flows through Basel and Cologne.\n\nThe Danube ends in the Black Sea."
    "\n\nRivers carry sand and stones to the sea.",
    "bread": "Bread is baked from flour and water.\n\nSourdough needs time; yeast is faster.",
    "mountains": "The Matterhorn stands between Switzerland and Italy.",
    "mixed": "北京是中国的首都。\n\nการุงเทพเป็นเมืองหลวงของไทย",
}


class HashedWords:
    """An honest encoder: a text's vector is the sum of its terms' fixed random directions."""

    name = identity = "hashed-words"
    dim = DIM
    max_tokens = 512

    def _encode(self, texts: Sequence[str]) -> Vectors:
        rows = np.zeros((len(texts), DIM), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for term in analyse(text):
                seed = int.from_bytes(hashlib.sha256(term.encode()).digest()[:4], "big")
                row += np.random.default_rng(seed).standard_normal(DIM).astype(np.float32)
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        return (rows / np.where(norms > 0, norms, 1)).astype(np.float32)

    encode_queries = encode_passages = _encode

    def token_spans(self, text: str) -> list[Span]:
        return [Span(i, i + 1) for i in range(len(text))]

    def close(self) -> None:
        pass


class MemorySnapshot:
    """Documents cut at blank lines, ranked by textbook BM25 and cosine over everything."""

    version = 1

    def __init__(self, texts: dict[str, str], encoder: HashedWords | None = None) -> None:
        encoder = encoder or HashedWords()
        self.encoder_identity = encoder.identity
        self._documents = {
            name: Document(name, f"/{name}", name, text, "text") for name, text in texts.items()
        }
        self._rows: list[tuple[Passage, DocumentInfo]] = []
        for document in self._documents.values():
            pieces = [piece for piece in document.text.split("\n\n") if piece.strip()]
            info = DocumentInfo(
                document.id, document.source, document.title, "text", {}, "",
                hashlib.sha256(document.text.encode()).hexdigest(), len(document.text),
                len(pieces), 1,
            )  # fmt: skip
            at = 0
            for piece in pieces:
                start = document.text.index(piece, at)
                at = start + len(piece)
                passage = Passage(document.id, Span(start, at), piece, key=len(self._rows))
                self._rows.append((passage, info))
        self._terms = [Counter(analyse(passage.text)) for passage, _ in self._rows]
        self._vectors = encoder.encode_passages([passage.text for passage, _ in self._rows])

    def documents(self, where: Filter | None = None) -> Iterator[DocumentInfo]:
        seen = {info.id: info for _, info in self._rows}
        return iter(seen.values())

    def document(self, document_id: str) -> Document:
        if document_id not in self._documents:
            raise UsageError(f"No document {document_id!r}.", remedy="Name one that is there.")
        return self._documents[document_id]

    def find(self, name: str, where: Filter | None = None) -> DocumentInfo:
        return next(info for info in self.documents() if name in (info.id, info.source))

    def lexical(self, question: str, k: int, where: Filter | None = None) -> list[Scored]:
        lengths = [sum(terms.values()) for terms in self._terms]
        average = sum(lengths) / len(lengths)
        scores = []
        for key, terms in enumerate(self._terms):
            score = 0.0
            for term in analyse_question(question):
                holding = sum(term in other for other in self._terms)
                idf = math.log(1 + (len(self._terms) - holding + 0.5) / (holding + 0.5))
                norm = 1.2 * (0.25 + 0.75 * lengths[key] / average)
                score += idf * 2.2 * terms[term] / (terms[term] + norm)
            if score > 0:
                scores.append(Scored(key, score))
        return sorted(scores, key=lambda scored: (-scored.score, scored.key))[:k]

    def dense(self, vector: Vectors, k: int, where: Filter | None = None) -> list[Scored]:
        scores = [Scored(key, float(row @ vector)) for key, row in enumerate(self._vectors)]
        return sorted(scores, key=lambda scored: (-scored.score, scored.key))[:k]

    def fetch(self, keys: Sequence[int]) -> list[tuple[Passage, DocumentInfo]]:
        return [self._rows[key] for key in keys]

    def vectors(self, keys: Sequence[int]) -> Vectors:
        return self._vectors[list(keys)]

    def close(self) -> None:
        pass


@pytest.fixture
def encoder() -> HashedWords:
    return HashedWords()


@pytest.fixture
def library() -> MemorySnapshot:
    return MemorySnapshot(LIBRARY)


@pytest.fixture
def make_library() -> type[MemorySnapshot]:
    return MemorySnapshot
