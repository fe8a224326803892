"""Small documents, hits and evidence for this room's tests."""

from __future__ import annotations

import hashlib

from ragstone.types import Document, DocumentInfo, Element, Evidence, Hit, Passage, Span


def document(
    text: str, *, id: str = "d1", title: str = "", elements: tuple[Element, ...] = ()
) -> Document:
    return Document(id, f"/docs/{id}.txt", title, text, "text", elements)


def info(source: Document, *, version: int = 1) -> DocumentInfo:
    digest = hashlib.sha256(source.text.encode()).hexdigest()
    return DocumentInfo(
        source.id,
        source.source,
        source.title,
        source.format,
        source.metadata,
        "en",
        digest,
        len(source.text),
        1,
        version,
    )


def hit(
    source: Document,
    *,
    rank: int = 1,
    span: Span | None = None,
    scores: dict[str, float] | None = None,
) -> Hit:
    span = span or Span(0, len(source.text))
    passage = Passage(source.id, span, span.of(source.text))
    return Hit(passage, info(source), 1.0 / rank, rank, scores or {})


def piece(
    text: str,
    *,
    id: str = "d1",
    title: str = "",
    score: float = 0.9,
    lead: str = "",
    before: str = "",
) -> Evidence:
    """Evidence of a document that consists of `before` and the text."""
    source = document(before + text, id=id, title=title)
    span = Span(len(before), len(before) + len(text))
    return Evidence(info(source), span, text, score, lead_text=lead, rank=1)


def pieces(*texts: str) -> list[Evidence]:
    return [piece(text, id=f"d{number}") for number, text in enumerate(texts, start=1)]


class ByWord:
    """A token encoder without weights: equal words (case folded) have equal unit vectors."""

    name = "by word"
    identity = "by-word-1"
    dim = 64
    max_tokens = 512

    def encode_queries(self, texts):
        return self.encode_passages(texts)

    def encode_passages(self, texts):
        import numpy as np

        rows = [
            vectors.mean(axis=0) if len(vectors) else np.zeros(self.dim)
            for vectors in self.encode_tokens(texts)
        ]
        return np.array(
            [row / max(1e-9, float(np.linalg.norm(row))) for row in rows], dtype=np.float32
        )

    def encode_tokens(self, texts):
        import numpy as np

        return [
            np.array(
                [self._vector(span.of(text)) for span in self.token_spans(text)], dtype=np.float32
            ).reshape(-1, self.dim)
            for text in texts
        ]

    def token_spans(self, text):
        import re

        return [Span(match.start(), match.end()) for match in re.finditer(r"\w+|[^\w\s]", text)]

    def _vector(self, word):
        import numpy as np

        seed = int.from_bytes(hashlib.sha256(word.casefold().encode()).digest()[:4], "big")
        vector = np.random.default_rng(seed).normal(size=self.dim)
        return vector / np.linalg.norm(vector)

    def close(self) -> None:
        pass
