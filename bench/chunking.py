"""Chunkers side by side: how much of the reference text do the five best chunks hold?

    python bench/chunking.py DATA_DIR [--chunkers NAME ...] [--documents N] [--output FILE.json]

DATA_DIR holds `corpus.jsonl.gz` and `queries.jsonl.gz` whose questions name exact spans: either
`references` (start_index, end_index) or `answers` with `answer_starts`, in `gold_doc`. All chunks
of all documents are embedded with the shipped encoder and searched exactly; the best K are
compared with the reference spans in code points (the measure of Chroma's chunking evaluation,
Smith and Troynikov 2024):

    recall    = |references covered by the K chunks| / |references|
    precision = |references covered| / |the K chunks together|
    IoU       = |references covered| / |the K chunks together + references not covered|

averaged over questions, with a bootstrap interval over them. `recall@800` and `found@800` take
as many of the best chunks as fit into 800 tokens (at least one) instead of K, so that chunkers of
different sizes have the same room: what a reader or a language model is given. Peers are measured
where they are installed (chonkie, langchain-text-splitters, semantic-text-splitter); each gets the
same tokenizer to count with. `DATA_DIR` is never written to.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ragstone.documents import chunk, embedding_text
from ragstone.models.encoder import OnnxEncoder, shipped_encoder
from ragstone.types import Document

Chunks = list[tuple[int, int, str]]  # start, end, what is embedded
Chunker = Callable[[str, str], Chunks]  # (title, text) -> chunks


@dataclass(frozen=True)
class Question:
    text: str
    document: str
    spans: list[tuple[int, int]]


@dataclass(frozen=True)
class Score:
    chunker: str
    chunks: int
    mean_tokens: float
    recall: float
    precision: float
    iou: float
    found: float  # share of reference spans wholly inside one of the K chunks
    recall_800: float
    found_800: float
    half_width: dict[str, float]  # half of the 95% bootstrap interval
    chunking_us_per_kb: float


def load(
    folder: Path, limit: int, characters: int
) -> tuple[dict[str, tuple[str, str]], list[Question]]:
    """Documents (id -> title, text) and the questions whose spans match their text."""
    with gzip.open(folder / "corpus.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines][: limit or None]
    documents = {row["id"]: (row["title"], row["text"][: characters or None]) for row in rows}
    questions: list[Question] = []
    with gzip.open(folder / "queries.jsonl.gz", "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            if row["gold_doc"] not in documents:
                continue
            text = documents[row["gold_doc"]][1]
            if "references" in row:
                spans = [(r["start_index"], r["end_index"]) for r in row["references"]]
            else:
                pairs = zip(row["answer_starts"], row["answers"], strict=True)
                spans = [(at, at + len(a)) for at, a in pairs if text[at : at + len(a)] == a]
            if spans and max(end for _, end in spans) <= len(text):
                questions.append(Question(row["question"], row["gold_doc"], spans))
    return documents, questions


def located(text: str, pieces: list[str]) -> Chunks:
    """Chunks given as strings, found again in the text in order (peers that lose offsets)."""
    found: Chunks = []
    at = 0
    for piece in pieces:
        start = text.find(piece, at)
        if start < 0:
            start = text.find(piece)
        if start < 0:
            raise ValueError(f"A chunk is not in the text: {piece[:80]!r}")
        found.append((start, start + len(piece), piece))
        at = start + 1
    return found


def ours(encoder: OnnxEncoder, **settings: int) -> Chunker:
    def chunker(title: str, text: str) -> Chunks:
        document = Document("x", "x", title, text, "text")
        return [
            (p.span.start, p.span.end, embedding_text(title, p))
            for p in chunk(document, token_spans=encoder.token_spans, **settings)
        ]

    return chunker


def peers(encoder: OnnxEncoder, size: int) -> Iterator[tuple[str, Chunker]]:
    """Every installed peer at this size in tokens, no overlap unless its name says so."""

    def count(text: str) -> int:
        return len(encoder.token_spans(text))

    try:
        from chonkie import RecursiveChunker, SemanticChunker, SentenceChunker, TokenChunker
        from chonkie.embeddings import BaseEmbeddings
        from chonkie.tokenizer import TokenizerProtocol  # noqa: F401
    except ImportError:
        pass
    else:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(_tokenizer_file()))
        tokenizer.no_truncation()
        tokenizer.no_padding()

        def chonkie(made: object) -> Chunker:
            return lambda _title, text: [
                (c.start_index, c.end_index, text[c.start_index : c.end_index])
                for c in made.chunk(text)
            ]

        class Wrapped(BaseEmbeddings):
            def embed(self, text: str) -> np.ndarray:
                return encoder.encode_passages([text])[0]

            def embed_batch(self, texts: list[str]) -> list[np.ndarray]:
                return list(encoder.encode_passages(texts))

            @property
            def dimension(self) -> int:
                return encoder.dim

            def get_tokenizer(self) -> object:
                return tokenizer

        yield (
            f"chonkie sentence {size}",
            chonkie(SentenceChunker(tokenizer, chunk_size=size, chunk_overlap=0)),
        )
        yield f"chonkie recursive {size}", chonkie(RecursiveChunker(tokenizer, chunk_size=size))
        yield (
            f"chonkie semantic {size}",
            chonkie(SemanticChunker(Wrapped(), chunk_size=size, threshold=0.7)),
        )
        del TokenChunker  # its decoded text is not the document's: no offsets to trust
    try:
        from langchain_text_splitters import RecursiveCharacterTextSplitter
    except ImportError:
        pass
    else:
        splitter = RecursiveCharacterTextSplitter(
            chunk_size=size, chunk_overlap=0, length_function=count
        )
        yield (
            f"langchain recursive {size}",
            lambda _t, text: located(text, splitter.split_text(text)),
        )
        overlapping = RecursiveCharacterTextSplitter(
            chunk_size=size, chunk_overlap=size // 4, length_function=count
        )
        yield (
            f"langchain recursive {size}, overlap {size // 4}",
            lambda _t, text: located(text, overlapping.split_text(text)),
        )
    try:
        from semantic_text_splitter import TextSplitter
    except ImportError:
        pass
    else:
        rust = TextSplitter.from_huggingface_tokenizer_file(str(_tokenizer_file()), size)
        yield (
            f"semantic-text-splitter {size}",
            lambda _t, text: [
                (at, at + len(piece), piece) for at, piece in rust.chunk_indices(text)
            ],
        )

    def fixed(_title: str, text: str) -> Chunks:
        spans = encoder.token_spans(text)
        groups = [spans[i : i + size] for i in range(0, len(spans), size)]
        return [(g[0].start, g[-1].end, text[g[0].start : g[-1].end]) for g in groups]

    yield f"fixed {size}", fixed


def _tokenizer_file() -> Path:
    import ragstone.models.encoder as room

    return Path(room.__file__).parent / "weights" / room.SHIPPED / "tokenizer.json"


class Vectors:
    """Embeddings by text, kept in a file between runs where one is named."""

    def __init__(self, encoder: OnnxEncoder, cache: Path | None) -> None:
        self._encoder = encoder
        self._cache = cache
        self._known: dict[str, np.ndarray] = {}
        if cache is not None and cache.exists():
            with np.load(cache) as stored:
                self._known = dict(zip(stored["keys"].tolist(), stored["vectors"], strict=True))

    def of(self, texts: list[str]) -> np.ndarray:
        keys = [hashlib.sha256(text.encode()).hexdigest()[:24] for text in texts]
        new = [i for i, key in enumerate(keys) if key not in self._known]
        if new:
            vectors = self._encoder.encode_passages([texts[i] for i in new])
            for i, vector in zip(new, vectors, strict=True):
                self._known[keys[i]] = vector.astype(np.float16)
            if self._cache is not None:
                names = list(self._known)
                stack = np.stack([self._known[name] for name in names])
                np.savez(self._cache, keys=np.array(names), vectors=stack)
        return np.stack([self._known[key] for key in keys]).astype(np.float32)


def overlap(chunks: list[tuple[int, int]], spans: list[tuple[int, int]]) -> int:
    """Code points of the spans that at least one chunk covers."""
    covered: set[int] = set()
    for start, end in spans:
        for left, right in chunks:
            covered.update(range(max(start, left), min(end, right)))
    return len(covered)


def measure(
    name: str,
    chunker: Chunker,
    documents: dict[str, tuple[str, str]],
    questions: list[Question],
    encoder: OnnxEncoder,
    vectors: Vectors,
    k: int,
) -> Score:
    places: list[tuple[str, int, int]] = []
    texts: list[str] = []
    started = time.perf_counter()
    for id_, (title, text) in documents.items():
        for start, end, embedded in chunker(title, text):
            if text[start:end].strip():
                places.append((id_, start, end))
                texts.append(embedded)
    seconds = time.perf_counter() - started
    characters = sum(len(text) for _, text in documents.values())
    sizes = [len(encoder.token_spans(documents[d][1][a:b])) for d, a, b in places]
    matrix = vectors.of(texts)
    asked = vectors.of([question.text for question in questions])
    rows: list[tuple[float, ...]] = []
    for question, vector in zip(questions, asked, strict=True):
        order = np.argsort(-(matrix @ vector), kind="stable")[:60]
        best = order[:k]
        inside = [places[i][1:] for i in best if places[i][0] == question.document]
        chosen = sum(places[i][2] - places[i][1] for i in best)
        wanted = sum(end - start for start, end in question.spans)
        hit = overlap(inside, question.spans)
        room, roomy = 800, []
        for i in order:
            if roomy and sizes[i] > room:
                break
            room -= sizes[i]
            roomy.append(i)
        inside_800 = [places[i][1:] for i in roomy if places[i][0] == question.document]
        rows.append(
            (
                hit / wanted,
                hit / chosen,
                hit / (chosen + wanted - hit),
                _whole(inside, question.spans),
                overlap(inside_800, question.spans) / wanted,
                _whole(inside_800, question.spans),
            )
        )
    table = np.array(rows)
    means = table.mean(axis=0)
    draws = np.random.default_rng(0).integers(0, len(table), (1000, len(table)))
    low, high = np.percentile(table[draws].mean(axis=1), [2.5, 97.5], axis=0)
    names = ("recall", "precision", "iou", "found", "recall_800", "found_800")
    half = {n: round(float(w), 4) for n, w in zip(names, (high - low) / 2, strict=True)}
    return Score(
        name, len(places), round(float(np.mean(sizes)), 1), *(round(float(m), 4) for m in means),
        half, round(seconds * 1e6 / (characters / 1024), 1),
    )  # fmt: skip


def _whole(chunks: list[tuple[int, int]], spans: list[tuple[int, int]]) -> float:
    kept = sum(any(a <= start and end <= b for a, b in chunks) for start, end in spans)
    return kept / len(spans)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--chunkers", nargs="*", default=[], help="only names that contain these")
    parser.add_argument("--sizes", nargs="*", type=int, default=[128, 240], help="of the peers")
    parser.add_argument("--ours", nargs="*", default=["default"], help="MAX:TARGET in tokens")
    parser.add_argument("--documents", type=int, default=0, help="only the first N")
    parser.add_argument("--characters", type=int, default=0, help="only so many of each document")
    parser.add_argument("--threads", type=int, default=0, help="of the encoder")
    parser.add_argument("--k", type=int, default=5)
    parser.add_argument("--cache", type=Path, help="keep embeddings in this .npz")
    parser.add_argument("--output", type=Path, help="add the results to this JSON file")
    options = parser.parse_args()
    documents, questions = load(options.data, options.documents, options.characters)
    encoder = shipped_encoder(threads=options.threads)
    vectors = Vectors(encoder, options.cache)
    candidates: list[tuple[str, Chunker]] = []
    for spec in options.ours:
        if spec == "default":
            candidates.append(("ragstone", ours(encoder)))
        else:
            most, target = map(int, spec.split(":"))
            candidates.append(
                (f"ragstone {spec}", ours(encoder, max_tokens=most, target_tokens=target))
            )
    for size in options.sizes:
        candidates.extend(peers(encoder, size))
    scores: list[Score] = []
    print(f"{options.data.name}: {len(documents)} documents, {len(questions)} questions")
    print(
        f"{'chunker':<42}{'n':>6}{'tok':>6}{'rec':>7}{'prec':>7}{'IoU':>7}{'found':>7}{'r800':>7}{'f800':>7}{'us/KB':>8}"
    )
    for name, chunker in candidates:
        if options.chunkers and not any(part in name for part in options.chunkers):
            continue
        score = measure(name, chunker, documents, questions, encoder, vectors, options.k)
        scores.append(score)
        print(
            f"{name:<42}{score.chunks:>6}{score.mean_tokens:>6.0f}{score.recall:>7.3f}"
            f"{score.precision:>7.3f}{score.iou:>7.3f}{score.found:>7.3f}{score.recall_800:>7.3f}"
            f"{score.found_800:>7.3f}{score.chunking_us_per_kb:>8.0f}",
            flush=True,
        )
    if options.output:
        stored = json.loads(options.output.read_text()) if options.output.exists() else {}
        before = stored.get(options.data.name, {}).get("scores", [])
        new = [asdict(score) for score in scores]
        kept = [old for old in before if old["chunker"] not in {row["chunker"] for row in new}]
        stored[options.data.name] = {
            "k": options.k, "documents": len(documents), "questions": len(questions),
            "characters": sum(len(text) for _, text in documents.values()),
            "encoder": encoder.identity, "machine": f"{platform.machine()}, {platform.system()}",
            "python": platform.python_version(), "scores": kept + new,
        }  # fmt: skip
        options.output.write_text(json.dumps(stored, indent=1) + "\n")


if __name__ == "__main__":
    main()
