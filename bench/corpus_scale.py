"""How fast and how large a corpus is, without parsing, and with random vectors.

    python bench/corpus_scale.py ROWS.jsonl.gz [--limit N] [--files N] [--folder DIR]

Each row is one document of one passage, with a random unit vector of 384 dimensions that leans
towards one of 500 centres. Prints documents a second through the writer, bytes by part, latency of
search (p50 and p95 of 100 questions made of the rows' own words; wall clock and processor): each
index, both with the shipped encoder embedding the question, and the whole of `search` as a user
calls it, a snapshot for every question; the time from opening to the first hit, and recall of the
two-step dense search against looking at every row. With --files, also how long a sync of so many
small files takes, and a second one of the unchanged tree. With --folder the corpus is kept there,
and used again.
"""

import argparse
import gzip
import hashlib
import json
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np

from ragstone.applications.sync import sync
from ragstone.corpus import Batch, Prepared, Store, fingerprint, parse_where
from ragstone.models.encoder import shipped_encoder
from ragstone.retrieval.retrievers import Hybrid, retriever
from ragstone.testing.hashing import HashingEncoder
from ragstone.testing.reading import chunk_paragraphs, read_plain, titled_text
from ragstone.types import Document, Passage, Span

Found = TypeVar("Found")

DIM = 384
BATCH = 4096


def rows(path: Path, limit: int):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in islice(file, limit):
            row = json.loads(line)
            if row["text"].strip():
                yield row


def build(path: Path, limit: int, folder: Path) -> dict[str, float]:
    random = np.random.default_rng(0)
    centres = random.normal(size=(500, DIM)).astype(np.float32)
    items = rows(path, limit)
    count = 0
    spent = 0.0
    store = Store.open(folder, encoder_identity="random", dim=DIM, create=True)
    with store, store.writer() as writer:
        while block := list(islice(items, BATCH)):
            made = random.normal(size=(len(block), DIM)).astype(np.float32)
            made += centres[random.integers(500, size=len(block))]
            made /= np.linalg.norm(made, axis=1, keepdims=True)
            batch = Batch()
            for row, vector in zip(block, made, strict=True):
                item = Document(row["id"], f"/c.jsonl#{row['id']}", row["title"], row["text"],
                                "jsonl")  # fmt: skip
                passage = Passage(item.id, Span(0, len(item.text)), item.text)
                digest = hashlib.sha256((item.id + item.text).encode()).digest()[:16]
                batch.vectors[digest] = vector
                mark = fingerprint(item, "/c.jsonl", "")
                batch.puts.append(Prepared(item, "/c.jsonl", (passage,), (digest,), mark))
            started = time.perf_counter()
            writer.commit(batch)
            spent += time.perf_counter() - started
            count += len(block)
        started = time.perf_counter()
        writer.publish()
        published = time.perf_counter() - started
        started = time.perf_counter()
        writer.merge()
        merged = time.perf_counter() - started
    sizes = {"corpus.db": (folder / "corpus.db").stat().st_size}
    for ending in ("lex", "vec"):
        sizes[ending] = sum(f.stat().st_size for f in (folder / "segments").glob(f"*.{ending}"))
    return {
        "documents": count, "documents_per_s": count / spent, "commit_s": spent,
        "publish_s": published, "merge_s": merged,
        **{f"{name}_mb": size / 1e6 for name, size in sizes.items()},
    }  # fmt: skip


class Shipped:
    """The shipped encoder under the name that the corpus of random vectors was built with."""

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self._encoder = shipped_encoder()
        self.name, self.dim = self._encoder.name, self._encoder.dim
        self.max_tokens = self._encoder.max_tokens
        self.encode_queries = self._encoder.encode_queries
        self.encode_passages = self._encoder.encode_passages
        self.token_spans = self._encoder.token_spans
        self.close = self._encoder.close


class Times:
    """Seconds on the wall and of the processor, by what was done."""

    def __init__(self) -> None:
        self.wall: dict[str, list[float]] = {}
        self.busy: dict[str, list[float]] = {}

    def of(self, name: str, step: Callable[[], Found]) -> Found:
        started, began = time.perf_counter(), time.process_time()
        found = step()
        self.wall.setdefault(name, []).append(time.perf_counter() - started)
        self.busy.setdefault(name, []).append(time.process_time() - began)
        return found

    def table(self) -> dict[str, float]:
        result = {}
        for name, values in self.wall.items():
            result[f"{name}_p50_ms"] = 1e3 * float(np.median(values))
            result[f"{name}_p95_ms"] = 1e3 * float(np.percentile(values, 95))
            result[f"{name}_cpu_p50_ms"] = 1e3 * float(np.median(self.busy[name]))
        return result


def cold(folder: Path) -> None:
    with Store.open(folder) as store, store.snapshot() as snapshot:
        snapshot.fetch([s.key for s in snapshot.lexical("install the driver", 10)])
        snapshot.dense(np.ones(DIM, np.float32), 10)


def searched(folder: Path) -> dict[str, float]:
    times = Times()
    for _ in range(5):
        times.of("cold", lambda: cold(folder))
    random = np.random.default_rng(1)
    where = parse_where("title LIKE '%install%'")
    recalls = []
    with Store.open(folder) as store:
        encoder = Shipped(store.info().encoder_identity)
        with store.snapshot() as snapshot:
            step = max(1, store.info().documents // 100)
            questions = [
                " ".join(snapshot.document(info.id).text.split()[3:11])
                for info in islice(snapshot.documents(), 0, None, step)
            ]
            keys = [s.key for s in snapshot.lexical("the", 2000)]

        def whole(question: str, *, all_: bool) -> None:
            with store.snapshot() as snapshot:
                made = retriever(snapshot, encoder) if all_ else Hybrid(snapshot, encoder)
                made.retrieve(question)

        whole(questions[0], all_=True)
        for question in questions:
            times.of("encode", lambda q=question: encoder.encode_queries([q]))
            with store.snapshot() as snapshot:
                base = snapshot.vectors([keys[random.integers(len(keys))]])[0]
                vector = base + 0.04 * random.normal(size=DIM).astype(np.float32)
                vector /= np.linalg.norm(vector)
                times.of("lexical", lambda q=question: snapshot.lexical(q, 100))
                found = times.of("dense", lambda v=vector: snapshot.dense(v, 100))
                exact = times.of("exact", lambda v=vector: snapshot.dense(v, 100, exact=True))
                times.of("filtered", lambda q=question: snapshot.lexical(q, 100, where))
                times.of("fetch10", lambda f=found: snapshot.fetch([s.key for s in f[:10]]))
                best = {s.key for s in exact}
                recalls.append(len(best & {s.key for s in found}) / len(best))
            times.of("both", lambda q=question: whole(q, all_=False))
            times.of("search", lambda q=question: whole(q, all_=True))
    return {"recall_at_100": float(np.mean(recalls)), **times.table()}


def mirrored(count: int, folder: Path) -> dict[str, float]:
    docs = folder / "docs"
    for number in range(count):
        place = docs / f"{number // 100:04d}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number:06d}.txt").write_text(f"file {number} of the tree\n\nand {number * 7}")
    encoder = HashingEncoder(DIM)
    result = {}
    with Store.open(
        folder / "mirror", encoder_identity=encoder.identity, dim=DIM, create=True
    ) as store:
        for name in ("sync_s", "settle_s", "resync_s"):
            started = time.perf_counter()
            sync(store, [docs], encoder=encoder, read=read_plain, chunk=chunk_paragraphs,
                 embedding_text=titled_text, workers=0)  # fmt: skip
            result[name] = time.perf_counter() - started
            time.sleep(2.5)
    result["files_per_s"] = count / result["sync_s"]
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=Path)
    parser.add_argument("--limit", type=int, default=10**9)
    parser.add_argument("--files", type=int, default=0)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="ragstone-bench-"))
    try:
        result: dict[str, float] = {}
        if not (folder / "c" / "corpus.db").exists():
            result |= build(options.rows, options.limit, folder / "c")
        result |= searched(folder / "c")
        result["search_peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        if options.files:
            result |= mirrored(options.files, folder)
    finally:
        if options.folder is None:
            shutil.rmtree(folder)
    print(json.dumps({name: round(value, 4) for name, value in result.items()}, indent=1))


if __name__ == "__main__":
    main()
