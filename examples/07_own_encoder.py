"""An encoder of your own: anything with these members can take the shipped one's place."""

import re
from pathlib import Path

import numpy as np

import ragstone
from ragstone import Span

LIBRARY = Path(__file__).parent / "library"


class Trigrams:
    """Counts of three-letter pieces: no weights, and robust against a mistyped word."""

    name, identity, dim, max_tokens = "trigrams", "trigrams-512", 512, 512

    def encode_passages(self, texts):
        vectors = np.zeros((len(texts), self.dim), dtype=np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            for a, b, c in zip(text, text[1:], text[2:], strict=False):
                vector[hash((ord(a), ord(b), ord(c))) % self.dim] += 1.0
            vector /= np.linalg.norm(vector) or 1.0
        return vectors

    encode_queries = encode_passages

    def token_spans(self, text):
        return [Span(*match.span()) for match in re.finditer(r"\w+|[^\w\s]", text)]

    def close(self): ...


with ragstone.open("trigrams", encoder=Trigrams(), llm="none") as corpus:
    corpus.sync(LIBRARY)
    print(corpus.search("defibrilator", k=1, mode="dense")[0].document.title)
