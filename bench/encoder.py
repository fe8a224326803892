"""How fast the shipped encoder is: tokens a second, one query, opening; beside others.

    python bench/encoder.py [--folder NAME=FOLDER ...] [--peer MODEL_FOLDER] [--texts 160]

`--folder` adds encoder folders (`python -m ragstone.training.encoder DIR --precision fp32` makes
the fused fp32 one); `--peer` adds sentence-transformers on that model folder, where it is
installed. Texts are paragraphs of Python's own reference, joined to about 160 tokens, so that
anybody can repeat it. Wall-clock figures suffer from other work on the machine; tokens per
second of processor time suffer less. Every contender runs in turn, several rounds; the best
round counts.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from pydoc_data.topics import topics

import numpy as np

from ragstone.models.cores import physical_cores
from ragstone.models.encoder import OnnxEncoder, open_encoder, shipped_encoder

RESULTS = Path(__file__).parent / "results" / "encoder.json"
QUESTION = "What is the effect of vitamin D on bone density in older people?"
Encode = Callable[[Sequence[str]], np.ndarray]


@dataclass
class Row:
    """One contender's best round."""

    name: str
    tokens_per_s: float = 0.0
    tokens_per_cpu_s: float = 0.0
    query_ms_p50: float = 0.0
    open_ms: float = 0.0
    cosine_to_reference: float = 0.0


def passages(count: int) -> list[str]:
    """Paragraphs joined to about 900 characters."""
    paragraphs = [
        p for topic in topics.values() for p in re.split(r"\n\s*\n", topic) if len(p) > 80
    ]
    joined, held = [], ""
    for paragraph in paragraphs:
        held = f"{held}\n\n{paragraph}" if held else paragraph
        if len(held) > 700:
            joined.append(held[:1000])
            held = ""
    return joined[:count]


def contenders(given: argparse.Namespace) -> list[tuple[Row, Encode, Encode]]:
    """Name and opening time, and how each encodes passages and queries."""
    openers: dict[str, Callable[[], OnnxEncoder]] = {
        "ragstone int8": shipped_encoder,
        "ragstone int8, 1 thread": lambda: shipped_encoder(threads=1),
    }
    for named in given.folder:
        name, folder = named.split("=", 1)
        openers[name] = lambda folder=folder: open_encoder(folder)
    found = []
    for name, opener in openers.items():
        started = time.perf_counter()
        encoder = opener()
        row = Row(name, open_ms=(time.perf_counter() - started) * 1e3)
        found.append((row, encoder.encode_passages, encoder.encode_queries))
    if given.peer:
        from sentence_transformers import SentenceTransformer

        started = time.perf_counter()
        peer = SentenceTransformer(given.peer, device="cpu")
        row = Row("sentence-transformers fp32", open_ms=(time.perf_counter() - started) * 1e3)

        def encode(texts: Sequence[str]) -> np.ndarray:
            return peer.encode(list(texts), batch_size=32, normalize_embeddings=True)

        found.append((row, encode, encode))
    return found


def measure(given: argparse.Namespace) -> list[Row]:
    texts = passages(given.texts)
    with shipped_encoder() as encoder:
        tokens = sum(min(len(encoder.token_spans(t)) + 2, encoder.max_tokens) for t in texts)
    opened = contenders(given)
    reference = opened[-1][1](texts)  # the last one given: fp32, where there is one
    for _ in range(given.rounds):
        for row, encode, ask in opened:
            wall, cpu = time.perf_counter(), time.process_time()
            vectors = encode(texts)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            row.tokens_per_s = max(row.tokens_per_s, tokens / wall)
            row.tokens_per_cpu_s = max(row.tokens_per_cpu_s, tokens / cpu)
            row.cosine_to_reference = float((vectors * reference).sum(axis=1).mean())
            times = []
            for i in range(20):
                started = time.perf_counter()
                ask([f"{QUESTION} {i}"])
                times.append((time.perf_counter() - started) * 1e3)
            p50 = statistics.median(times)
            row.query_ms_p50 = min(row.query_ms_p50 or p50, p50)
    return [row for row, _, _ in opened]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", action="append", default=[], metavar="NAME=FOLDER")
    parser.add_argument("--peer", help="a sentence-transformers model folder")
    parser.add_argument("--texts", type=int, default=160)
    parser.add_argument("--rounds", type=int, default=3)
    rows = measure(parser.parse_args())
    print(f"{'':30}{'tokens/s':>10}{'per cpu-s':>11}{'query ms':>10}{'open ms':>9}{'cosine':>9}")
    for r in rows:
        print(
            f"{r.name:30}{r.tokens_per_s:10.0f}{r.tokens_per_cpu_s:11.0f}"
            f"{r.query_ms_p50:10.2f}{r.open_ms:9.0f}{r.cosine_to_reference:9.4f}"
        )
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    result = {
        "machine": f"{platform.machine()}, {physical_cores()} cores",
        "load_average": os.getloadavg()[0],
        "commit": commit.stdout.strip(),
        "rows": [asdict(row) for row in rows],
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
