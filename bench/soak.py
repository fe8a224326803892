"""One writer syncing in a loop, readers in other processes asking meanwhile.

    python bench/soak.py [--seconds N] [--readers N]

Every sync rewrites all files with the number of its generation. A reader opens a snapshot, and all
that it lists, finds and fetches must be of one generation, not older than one published before it
opened. Now and then old versions are forgotten, exported, tagged or rolled back and forth. Prints
questions answered, versions, how long answers took, and memory early, in the middle and at the end;
fails on any error or stale answer.
"""

import argparse
import json
import os
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from ragstone.applications.sync import sync
from ragstone.corpus import Store, parse_where
from ragstone.testing.hashing import HashingEncoder
from ragstone.testing.reading import chunk_paragraphs, read_plain, titled_text

FILES = 20


def generation_of(text: str) -> int:
    return int(text.split()[1])


def resident_mb() -> float:
    """What this process holds of the machine's memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


class Memory:
    """Resident memory early (a tenth of the time), in the middle, and last."""

    def __init__(self, seconds: float) -> None:
        self._started = time.time()
        self._marks = [0.1 * seconds, 0.5 * seconds]
        self.seen: list[float] = []

    def look(self) -> None:
        if self._marks and time.time() - self._started > self._marks[0]:
            self._marks.pop(0)
            self.seen.append(resident_mb())

    def all(self) -> list[float]:
        return [*self.seen, *[resident_mb()] * (3 - len(self.seen))]


def read_on(folder: Path, until: float, out: Path) -> None:
    """Ask until the time is up; write what was seen as JSON."""
    encoder = HashingEncoder(64)
    took: list[float] = []
    memory = Memory(until - time.time())
    vector = encoder.encode_queries(["generation cat"])[0]
    where = parse_where("words > 0")
    with Store.open(folder) as store:
        while time.time() < until:
            published = store.head()
            started = time.perf_counter()
            with store.snapshot() as snapshot:
                assert snapshot.version >= published, "an older version than was published"
                found = [s.key for s in snapshot.lexical("generation cat", 50)]
                found += [s.key for s in snapshot.dense(vector, 50)]
                assert len(found) == 4 * FILES, f"{len(found)} hits"
                assert len(snapshot.lexical("generation cat", 50, where)) == 2 * FILES
                seen = {generation_of(passage.text) for passage, _ in snapshot.fetch(found)}
                seen |= {generation_of(snapshot.document(i.id).text) for i in snapshot.documents()}
                assert len(seen) == 1, f"a mixture of generations {seen}"
            took.append(time.perf_counter() - started)
            memory.look()
    p50, p99 = np.percentile(took, [50, 99])
    out.write_text(json.dumps([len(took), 1e3 * p50, 1e3 * p99, 1e3 * max(took), *memory.all()]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--readers", type=int, default=8)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="ragstone-soak-"))
    docs = folder / "docs"
    docs.mkdir()
    encoder = HashingEncoder(64)

    def write(generation: int) -> None:
        for number in range(FILES):
            text = f"generation {generation} cat {number}\n\ngeneration {generation} again cat"
            (docs / f"{number}.txt").write_text(text)

    try:
        corpus = folder / "corpus"
        with Store.open(corpus, encoder_identity=encoder.identity, dim=64, create=True) as store:
            until = time.time() + options.seconds
            memory = Memory(options.seconds)
            generation = 1
            children: list[int] = []
            while time.time() < until:
                write(generation)
                sync(store, [docs], encoder=encoder, read=read_plain, chunk=chunk_paragraphs,
                     embedding_text=titled_text, workers=0)  # fmt: skip
                if generation % 10 == 0:
                    store.optimize(keep=2)
                if generation % 25 == 0:
                    store.tag("last")
                    store.export(folder / "out.zip")
                    store.rollback(store.rollback(store.versions()[0].number) - 1)
                memory.look()
                while len(children) < options.readers:
                    pid = os.fork()
                    if not pid:
                        try:
                            read_on(corpus, until, folder / f"reader-{len(children)}.json")
                        except BaseException as error:  # the child must end here
                            print(f"reader: {type(error).__name__}: {error}", file=sys.stderr)
                            os._exit(1)
                        os._exit(0)
                    children.append(pid)
                generation += 1
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
        if any(codes):
            raise SystemExit(f"{sum(code != 0 for code in codes)} readers failed")
        seen = np.array([json.loads(f.read_text()) for f in sorted(folder.glob("reader-*.json"))])
        early, middle, last = seen[:, 4:].mean(axis=0)
        first, half, end = memory.all()
        print(
            f"{options.readers} readers, {options.seconds:.0f} s: {int(seen[:, 0].sum())} answers, "
            f"{generation - 1} syncs; an answer p50 {np.median(seen[:, 1]):.0f} ms, p99 "
            f"{np.median(seen[:, 2]):.0f} ms, slowest {seen[:, 3].max():.0f} ms; a reader's memory "
            f"{early:.1f} -> {middle:.1f} -> {last:.1f} MB, the writer's {first:.1f} -> "
            f"{half:.1f} -> {end:.1f} MB; no error, none stale"
        )
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
