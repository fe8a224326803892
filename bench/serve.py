"""The server under load: requests per second, p50 and p99 of search and ask, by number of clients.

    python bench/serve.py COLLECTION.jsonl.gz [--encoder hashing|shipped] [--clients 1,8,64]

Syncs the collection into a corpus of its own, starts the server as a process on loopback, and sends
questions from a second process, one keep-alive connection for each client, each sending its next
request when it has the reply. Answers are made of quotes, so no language model is measured. Also:
memory of the server before and after, and what batching concurrent questions would save at most.
Prints one JSON document and keeps it in bench/results/serve.json.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import json
import multiprocessing
import os
import platform
import random
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from ragstone.build import Corpus, open_corpus
from ragstone.testing.hashing import HashingEncoder

RESULTS = Path(__file__).parent / "results" / "serve.json"


def opened(folder: Path, encoder: str) -> Corpus:
    given = HashingEncoder(dim=384) if encoder == "hashing" else None
    return open_corpus(folder, settings={"llm": "none", "threads": 1}, encoder=given)


def run_server(folder: Path, encoder: str, port: int) -> None:
    """In a process of its own."""
    from ragstone.serve import start
    from ragstone.serve.keys import Keys
    from ragstone.serve.library import Library, Shelf
    from ragstone.serve.metrics import Metrics
    from ragstone.serve.options import Options
    from ragstone.serve.work import Work

    options = Options(port=port, log="none", waiting=256, streams=64)
    corpus = opened(folder, encoder)
    shelf = Shelf("main", corpus, folder, folder / "uploads")
    work = Work(threads=options.workers, waiting=options.waiting, streams=options.streams)
    library = Library({"main": shelf}, options, Metrics(), work)
    start.serve(library, Keys(folder / "no-keys.json"))


def client(port: int, path: str, questions: list[str], until: float, out: list[float]) -> None:
    """Sends questions one after the other; keeps the milliseconds of each reply."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Content-Type": "application/json"}
    while time.monotonic() < until:
        body = json.dumps({"question": random.choice(questions), "k": 10})
        began = time.perf_counter()
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


def measured(port: int, path: str, questions: list[str], clients: int, seconds: float) -> object:
    context = multiprocessing.get_context("spawn")
    result = context.SimpleQueue()
    sender = context.Process(target=load, args=(port, path, questions, clients, seconds, result))
    sender.start()
    found = result.get()
    sender.join()
    return found


def resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)


def in_process(corpus: Corpus, questions: list[str]) -> dict[str, float]:
    """Milliseconds of a search without the server, and of encoding alone and in batches of 8."""
    corpus.search(questions[0])
    times = []
    for question in questions[:100]:
        began = time.perf_counter()
        corpus.search(question)
        times.append((time.perf_counter() - began) * 1000)
    encode = corpus.encoder.encode_queries
    began = time.perf_counter()
    for question in questions[:64]:
        encode([question])
    alone = (time.perf_counter() - began) / 64 * 1000
    began = time.perf_counter()
    for at in range(0, 64, 8):
        encode(questions[at : at + 8])
    batched = (time.perf_counter() - began) / 64 * 1000
    return {
        "search_p50_ms": round(statistics.median(times), 2),
        "encode_alone_ms": round(alone, 2),
        "encode_in_batches_of_8_ms": round(batched, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("collection", type=Path)
    parser.add_argument("--queries", type=Path, help="queries.jsonl.gz beside it by default")
    parser.add_argument("--encoder", choices=["hashing", "shipped"], default="hashing")
    parser.add_argument("--clients", default="1,8,64")
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--limit", type=int, default=0, help="only the first rows")
    given = parser.parse_args()
    queries = given.queries or given.collection.with_name("queries.jsonl.gz")
    with gzip.open(queries, "rt") as file:
        questions = [json.loads(line)["question"] for line in file][:500]
    with tempfile.TemporaryDirectory() as base:
        source = given.collection
        if given.limit:
            source = Path(base) / "corpus.jsonl"
            with gzip.open(given.collection, "rt") as rows, source.open("w") as out:
                for _, row in zip(range(given.limit), rows, strict=False):
                    out.write(row)
        folder = Path(base) / "corpus"
        with opened(folder, given.encoder) as corpus:
            report = corpus.sync(source)
            alone = in_process(corpus, questions)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        context = multiprocessing.get_context("spawn")
        server = context.Process(target=run_server, args=(folder, given.encoder, port))
        server.start()
        wait_until_ready(port)
        before = resident_mb(server.pid or 0)
        runs = {
            act: [
                measured(port, f"/api/corpora/main/{act}", questions, int(n), given.seconds)
                for n in given.clients.split(",")
            ]
            for act in ("search", "ask")
        }
        after = resident_mb(server.pid or 0)
        server.terminate()
        server.join(20)
    found = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "load_before": os.getloadavg()[0],
        "commit": subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True
        ).stdout.strip(),
        "collection": given.collection.parent.name,
        "passages": report.passages,
        "encoder": given.encoder,
        "in_process": alone,
        "memory_mb": {"before": before, "after": after},
        **runs,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2))


def wait_until_ready(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            connection.request("GET", "/ready")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise RuntimeError("the server did not start")


if __name__ == "__main__":
    main()
