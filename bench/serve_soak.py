"""The server for a long time, and killed while it writes: memory, errors, and what is lost.

    python bench/serve_soak.py COLLECTION.jsonl.gz [--limit N] [--encoder hashing|shipped]
                               [--minutes 60] [--kills 10]

Syncs the first rows into a corpus of its own and serves it on loopback. Then, at a fixed rate:
three searches and one question a second (answered by a model that repeats its first piece of
evidence), and every four seconds an upload, a replacement or a deletion. Says how much memory the
server holds and how many threads and open files it has, as time goes by, and counts replies by
status. At the end four clients do nothing but write while the server is killed (SIGKILL) at random
moments: what was acknowledged before a kill must be there after it, what was deleted must not.
Prints one JSON document and keeps it in bench/results.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import json
import os
import random
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import serve
from ragstone.corpus import Store

RESULTS = Path(__file__).parent / "results" / "serve_soak.json"
API = "/api/corpora/main/"
SEARCHES, QUESTIONS, CHANGES = 3.0, 1.0, 0.25  # a second
WRITERS = 4


class Client:
    """One keep-alive connection; counts what came back."""

    def __init__(self, port: int, told: Counter[str]) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._told = told

    def send(self, method: str, path: str, body: bytes = b"", *, kind: str) -> dict[str, object]:
        """The reply as JSON. Raises OSError or HTTPException where the server is gone."""
        headers = {"Content-Type": "application/json"} if method == "POST" else {}
        try:
            self._connection.request(method, API + path, body or None, headers)
            reply = self._connection.getresponse()
            content = reply.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise
        self._told[f"{kind} {reply.status}"] += 1
        return json.loads(content) if reply.status < 300 else {}


class Files:
    """What a client uploaded and deleted: by name the word that the file must hold, or none.

    A name whose last request got no reply may be as it was before or after it.
    """

    def __init__(self, prefix: str, seed: int) -> None:
        self._prefix = prefix
        self._random = random.Random(seed)
        self._made = 0
        self.held: dict[str, str | None] = {}
        self.unsure: set[str] = set()
        self._ids: dict[str, str] = {}

    def change(self, client: Client) -> None:
        """One upload, replacement or deletion."""
        live = [name for name, word in self.held.items() if word and name not in self.unsure]
        if len(live) > 20 or (live and self._random.random() < 0.3):
            name = self._random.choice(live)
            self.unsure.add(name)
            path = "document?" + urlencode({"id": self._ids[name]})
            if client.send("DELETE", path, kind="delete"):
                self.held[name] = None
                self.unsure.discard(name)
            return
        self._made += 1
        name = f"{self._prefix}-{self._made}.md"
        if live and self._random.random() < 0.3:
            name = self._random.choice(live)
        word = f"{self._prefix}x{self._made}x{self._random.randrange(10**9)}"
        text = f"# Note {word}\n\n" + f"The word of this note is {word}. " * 20
        self.unsure.add(name)
        told = client.send("PUT", f"files/{name}", text.encode(), kind="upload")
        if told:
            documents = told["documents"]
            assert isinstance(documents, list)
            self._ids[name] = documents[0]["document_id"]
            self.held[name] = word
            self.unsure.discard(name)

    def lost(self, client: Client) -> list[str]:
        """Names that are not as they were acknowledged to be."""
        wrong = []
        for name, word in self.held.items():
            if name in self.unsure:
                continue
            path = "documents?" + urlencode({"query": name})
            listed = client.send("GET", path, kind="check")["documents"]
            assert isinstance(listed, list)
            ids = [row["document_id"] for row in listed if row["source"].endswith(f"/{name}")]
            if word is None:
                wrong += [name] if ids else []
                continue
            texts = [
                client.send("GET", "document?" + urlencode({"id": id_}), kind="check")["text"]
                for id_ in ids
            ]
            wrong += [] if len(texts) == 1 and word in str(texts[0]) else [name]
        self.unsure.clear()
        return wrong


def every(seconds: float, until: float, act: Callable[[], object]) -> None:
    """Call `act` at a fixed rate, later calls not sooner because one was late."""
    due = time.monotonic()
    while (due := max(due + seconds, time.monotonic())) < until:
        time.sleep(max(0.0, due - time.monotonic()))
        act()


def state(pid: int, minutes: float) -> dict[str, float]:
    threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
    files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return {
        "minutes": round(minutes, 1), "resident_mb": serve.resident_mb(pid),
        "anonymous_mb": anonymous_mb(pid), "threads": threads, "open_files": files,
    }  # fmt: skip


def anonymous_mb(pid: int) -> float:
    """Memory that is not a map of a file."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return round(int(line.split()[1]) / 1024, 1)
    return 0.0


def soak(
    pid: int, port: int, questions: list[str], minutes: float, told: Counter[str]
) -> tuple[list[dict[str, float]], dict[str, list[float]]]:
    began, until = time.monotonic(), time.monotonic() + 60 * minutes
    times: dict[str, list[float]] = {"search": [], "ask": [], "change": []}
    files = Files("soak", 1)

    def guarded(kind: str, act: Callable[[Client], object]) -> Callable[[], None]:
        client = Client(port, told)

        def one() -> None:
            started = time.perf_counter()
            try:
                act(client)
            except (OSError, http.client.HTTPException) as error:
                told[f"{kind} {type(error).__name__}"] += 1
            times[kind].append(1000 * (time.perf_counter() - started))

        return one

    def asked(path: str) -> Callable[[Client], object]:
        def act(client: Client) -> object:
            body = json.dumps({"question": random.choice(questions), "k": 10})
            return client.send("POST", path, body.encode(), kind=path)

        return act

    plan = [
        (1 / SEARCHES, guarded("search", asked("search"))),
        (1 / QUESTIONS, guarded("ask", asked("ask"))),
        (1 / CHANGES, guarded("change", files.change)),
    ]
    threads = [threading.Thread(target=every, args=(s, until, act)) for s, act in plan]
    for thread in threads:
        thread.start()
    states = [state(pid, 0)]
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(60.0, left))
        states.append(state(pid, (time.monotonic() - began) / 60))
        print(json.dumps(states[-1]), flush=True)
    for thread in threads:
        thread.join()
    told["lost in the soak"] = len(files.lost(Client(port, told)))
    return states, times


def kills(folder: Path, given: argparse.Namespace, count: int, told: Counter[str]) -> int:
    """Kill the server `count` times while clients write; gives how much was lost."""
    writers = [Files(f"w{number}", number) for number in range(WRITERS)]
    chance = random.Random(7)
    lost: list[str] = []
    for _ in range(count):
        with serve.running(folder, given) as (pid, port):
            for files in writers:
                lost += files.lost(Client(port, told))
            enough = told["upload 201"] + chance.randint(1, 8)

            def write(files: Files, port: int = port) -> None:
                client = Client(port, told)
                try:
                    while True:
                        files.change(client)
                except (OSError, http.client.HTTPException):
                    told["cut off by a kill"] += 1

            threads = [threading.Thread(target=write, args=(files,)) for files in writers]
            for thread in threads:
                thread.start()
            waited = time.monotonic() + 60
            while told["upload 201"] < enough and time.monotonic() < waited:
                time.sleep(0.01)
            time.sleep(chance.uniform(0.0, 1.5))
            os.kill(pid, signal.SIGKILL)
            for thread in threads:
                thread.join()
    with serve.running(folder, given) as (_, port):
        for files in writers:
            lost += files.lost(Client(port, told))
    return len(lost)


def percentiles(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {
        f"p{part}_ms": round(ordered[int(part / 100 * (len(ordered) - 1))], 1)
        for part in (50, 99)
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("collection", type=Path)
    parser.add_argument("--limit", type=int, default=3000)
    parser.add_argument("--encoder", choices=["hashing", "shipped"], default="shipped")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--output", type=Path, default=RESULTS)
    given = parser.parse_args()
    given.corpus = None
    with gzip.open(given.collection.with_name("queries.jsonl.gz"), "rt") as file:
        questions = [json.loads(line)["question"] for line in file][:500]
    told: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as base:
        folder = Path(base) / "corpus"
        with serve.opened(folder, given.encoder) as corpus:
            corpus.sync(serve.first_rows(given.collection, given.limit, Path(base)))
            version = corpus.versions()[-1]
        with serve.running(folder, given) as (pid, port):
            states, times = soak(pid, port, questions, given.minutes, told)
        soaked, told_in_kills = dict(told), Counter[str]()
        lost = kills(folder, given, given.kills, told_in_kills)
        with Store.open(folder) as store:
            findings = [f"{f.severity}: {f.what}" for f in store.doctor() if f.severity == "error"]
    found = {
        "documents": version.documents,
        "passages": version.passages,
        "encoder": given.encoder,
        "load": os.getloadavg()[0],
        "replies": soaked,
        "times": {kind: percentiles(values) for kind, values in times.items() if values},
        "states": states,
        "kills": given.kills,
        "replies_around_kills": dict(told_in_kills),
        "lost": lost,
        "doctor": findings,
    }
    given.output.parent.mkdir(exist_ok=True)
    given.output.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
