r"""The server under load: requests per second, p50 and p99 of search and ask, by number of clients.

    python bench/serve.py COLLECTION.jsonl.gz [--limit N] [--encoder hashing|shipped]
    python bench/serve.py --corpus DIR --queries QUERIES.jsonl.gz
    python bench/serve.py COLLECTION.jsonl.gz --limit N --peer PYTHON --weights DIR
    python bench/serve.py COLLECTION.jsonl.gz --corpus DIR --peer PYTHON --weights DIR \
                          --random-vectors

Syncs the collection into a corpus of its own (or opens DIR for reading), starts the server as a
process on loopback, and sends questions from a second process, one keep-alive connection for each
client, each sending its next request when it has the reply. `ask` is answered by a scripted model
that repeats its first piece of evidence at once, so no language model is measured. The processor
time of a request is that of the server's process, whatever else the machine does. Also: memory of
the server before and after, and what batching concurrent questions would save at most.

With --peer, txtai's own API (`uvicorn txtai.api:app`) serves the same rows to the same load in the
same run, with the weights in DIR; with --random-vectors its rows get such (their embedding would
take hours), and only questions are embedded. Prints one JSON document and keeps it in
bench/results.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import http.client
import json
import multiprocessing
import os
import platform
import random
import re
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from urllib.parse import urlencode

from ragstone.build import Corpus, open_corpus
from ragstone.testing.hashing import HashingEncoder
from ragstone.testing.scripted import ScriptedModel
from ragstone.types import Message

RESULTS = Path(__file__).parent / "results" / "serve.json"


_QUOTE = re.compile(r'\[1\] <quote from="[^"]*">(.*?)</quote>')
PEER_APP = """path: {index}
writable: false
embeddings: {{path: {weights}, content: true}}
"""
PEER_BUILD = """import gzip, json, sys, itertools
import numpy as np
from txtai import Embeddings
source, limit, weights, folder, vectors = sys.argv[1:]
rows = map(json.loads, itertools.islice(gzip.open(source, "rt"), int(limit)))
draw = np.random.default_rng(0)
def given(texts):
    found = draw.standard_normal((len(texts), 384), dtype=np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)
own = {"path": weights}
index = Embeddings(
    content=True, **({"method": "external", "transform": given} if vectors == "random" else own)
)
index.index((row["id"], row["title"] + " " + row["text"], None) for row in rows)
for key in ("method", "transform"):
    index.config.pop(key, None)
index.config.update(own)  # what questions are embedded with
index.save(folder)
"""


def instant(messages: Sequence[Message]) -> str:
    """The first piece of evidence, word for word."""
    found = _QUOTE.search(messages[-1].content)
    return f"{found.group(1)} [1]" if found else "NO ANSWER"


def opened(folder: Path, encoder: str, *, read_only: bool = False) -> Corpus:
    given = HashingEncoder(dim=384) if encoder == "hashing" else None
    return open_corpus(
        folder, settings={"llm": "none", "threads": 1}, encoder=given, read_only=read_only,
        model=ScriptedModel(instant, context_tokens=1 << 20),
    )  # fmt: skip


def run_server(folder: Path, encoder: str, port: int, read_only: bool) -> None:
    """In a process of its own."""
    from ragstone.serve import start
    from ragstone.serve.keys import Keys
    from ragstone.serve.library import Library, Shelf
    from ragstone.serve.metrics import Metrics
    from ragstone.serve.options import Options
    from ragstone.serve.work import Work

    options = Options(port=port, log="none", waiting=256, streams=64, read_only=read_only)
    corpus = opened(folder, encoder, read_only=read_only)
    shelf = Shelf("main", corpus, folder, folder / "uploads")
    work = Work(threads=options.workers, waiting=options.waiting, streams=options.streams)
    library = Library({"main": shelf}, options, Metrics(), work)
    start.serve(library, Keys(folder / "no-keys.json"))


def client(port: int, path: str, questions: list[str], until: float, out: list[float]) -> None:
    """Sends questions one after the other; keeps the milliseconds of each reply."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Content-Type": "application/json"}
    while time.monotonic() < until:
        question = random.choice(questions)
        began = time.perf_counter()
        if path.startswith("/search?"):  # the peer's
            connection.request("GET", path + urlencode({"query": question, "limit": 10}))
        else:
            body = json.dumps({"question": question, "k": 10})
            connection.request("POST", path, body, headers)
        reply = connection.getresponse()
        reply.read()
        if reply.status == 200:
            out.append((time.perf_counter() - began) * 1000)
        elif reply.status == 429:
            time.sleep(0.05)
        else:
            raise RuntimeError(f"the server answered {reply.status}")
    connection.close()


def load(
    port: int, path: str, questions: list[str], clients: int, seconds: float, result: object
) -> None:
    """In a process of its own, so that sending does not share a lock with serving."""
    times: list[list[float]] = [[] for _ in range(clients)]
    until = time.monotonic() + seconds
    threads = [
        threading.Thread(target=client, args=(port, path, questions, until, out)) for out in times
    ]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - began
    whole = sorted(ms for out in times for ms in out)
    result.put(  # type: ignore[attr-defined]
        {
            "clients": clients,
            "requests": len(whole),
            "per_second": round(len(whole) / took, 1),
            "p50_ms": round(statistics.median(whole), 1),
            "p99_ms": round(whole[int(0.99 * (len(whole) - 1))], 1),
        }
    )


def measured(
    pid: int, port: int, path: str, questions: list[str], clients: int, seconds: float
) -> dict[str, float]:
    context = multiprocessing.get_context("spawn")
    result = context.SimpleQueue()
    sender = context.Process(target=load, args=(port, path, questions, clients, seconds, result))
    before = processor_s(pid)
    sender.start()
    found: dict[str, float] = result.get()
    sender.join()
    spent = processor_s(pid) - before
    return {**found, "processor_ms_each": round(1000 * spent / max(1, found["requests"]), 1)}


def processor_s(pid: int) -> float:
    """Seconds that all threads of the process and its ended children have run."""
    values = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(value) for value in values[11:15]) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)


def in_process(corpus: Corpus, questions: list[str]) -> dict[str, float]:
    """Milliseconds of a search without the server, and of encoding alone and in batches of 8."""
    corpus.search(questions[0])
    times = []
    for question in questions[:30]:
        began = time.perf_counter()
        corpus.search(question)
        times.append((time.perf_counter() - began) * 1000)
    encode = corpus.encoder.encode_queries
    began = time.perf_counter()
    for question in questions[:32]:
        encode([question])
    alone = (time.perf_counter() - began) / 32 * 1000
    began = time.perf_counter()
    for at in range(0, 32, 8):
        encode(questions[at : at + 8])
    batched = (time.perf_counter() - began) / 32 * 1000
    return {
        "search_p50_ms": round(statistics.median(times), 2),
        "encode_alone_ms": round(alone, 2),
        "encode_in_batches_of_8_ms": round(batched, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("collection", type=Path, nargs="?")
    parser.add_argument("--corpus", type=Path, help="an existing corpus, opened for reading")
    parser.add_argument("--queries", type=Path, help="queries.jsonl.gz beside it by default")
    parser.add_argument("--encoder", choices=["hashing", "shipped"], default="hashing")
    parser.add_argument("--clients", default="1,8,64")
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--limit", type=int, default=10**9, help="only the first rows")
    parser.add_argument("--peer", type=Path, help="a Python that has txtai[api]")
    parser.add_argument("--weights", type=Path, help="the peer's encoder")
    parser.add_argument("--random-vectors", action="store_true", help="of the peer's rows")
    parser.add_argument("--output", type=Path, default=RESULTS)
    given = parser.parse_args()
    queries = given.queries or given.collection.with_name("queries.jsonl.gz")
    with gzip.open(queries, "rt") as file:
        questions = [json.loads(line)["question"] for line in file][:500]
    clients = [int(n) for n in given.clients.split(",")]
    with tempfile.TemporaryDirectory() as base:
        folder = given.corpus or Path(base) / "corpus"
        with opened(folder, given.encoder, read_only=given.corpus is not None) as corpus:
            if given.corpus is None:
                corpus.sync(first_rows(given.collection, given.limit, Path(base)))
            version = corpus.versions()[-1]
            alone = in_process(corpus, questions)
        peer = None
        if given.peer is not None:
            peer = of_peer(given, questions, clients, Path(base))
        with running(folder, given) as (pid, port):
            before = resident_mb(pid)
            runs = {
                act: [
                    measured(pid, port, f"/api/corpora/main/{act}", questions, n, given.seconds)
                    for n in clients
                ]
                for act in ("search", "ask")
            }
            after = resident_mb(pid)
    found = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "load_before": os.getloadavg()[0],
        "commit": subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True
        ).stdout.strip(),
        "collection": queries.parent.name,
        "documents": version.documents,
        "passages": version.passages,
        "encoder": given.encoder,
        "in_process": alone,
        "memory_mb": {"before": before, "after": after},
        **runs,
        **({"txtai": peer} if peer else {}),
    }
    given.output.parent.mkdir(exist_ok=True)
    given.output.write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2))


def first_rows(collection: Path, limit: int, base: Path) -> Path:
    """The first rows of a collection as a file of their own."""
    source = base / "corpus.jsonl"
    with gzip.open(collection, "rt") as rows, source.open("w") as out:
        out.writelines(islice(rows, limit))
    return source


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(folder: Path, given: argparse.Namespace) -> Iterator[tuple[int, int]]:
    """The server over the corpus: its process and its port."""
    port = free_port()
    context = multiprocessing.get_context("spawn")
    arguments = (folder, given.encoder, port, given.corpus is not None)
    server = context.Process(target=run_server, args=arguments)
    server.start()
    try:
        wait_until_ready(port, "/ready")
        yield server.pid or 0, port
    finally:
        server.terminate()
        server.join(20)


def of_peer(
    given: argparse.Namespace, questions: list[str], clients: list[int], base: Path
) -> dict[str, object]:
    """txtai's API over the same rows, under the same load."""
    index, settings = base / "txtai", base / "app.yml"
    vectors = "random" if given.random_vectors else "embedded"
    build = [
        *(given.peer, "-c", PEER_BUILD, given.collection, str(given.limit)),
        *(given.weights, index, vectors),
    ]
    began = time.monotonic()
    subprocess.run([str(part) for part in build], check=True)
    built = time.monotonic() - began
    settings.write_text(PEER_APP.format(index=index, weights=given.weights))
    port = free_port()
    serve = [given.peer, "-m", "uvicorn", "txtai.api:app", "--port", port, "--log-level", "error"]
    server = subprocess.Popen(
        [str(part) for part in serve], env={**os.environ, "CONFIG": str(settings)}
    )
    try:
        wait_until_ready(port, "/count")
        before = resident_mb(server.pid)
        runs = [
            measured(server.pid, port, "/search?", questions, n, given.seconds) for n in clients
        ]
        return {
            "build_s": round(built, 1), "search": runs,
            "memory_mb": {"before": before, "after": resident_mb(server.pid)},
        }  # fmt: skip
    finally:
        server.terminate()
        server.wait(20)


def wait_until_ready(port: int, path: str) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise RuntimeError("the server did not start")


if __name__ == "__main__":
    main()
