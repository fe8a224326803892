"""One writer syncing in a loop, readers in other processes asking meanwhile.

    python bench/soak.py [--seconds N] [--readers N]

Every sync rewrites all files with the number of its generation. A reader opens a snapshot, and all
that it lists, finds and fetches must be of one generation, not older than one published before it
opened. Now and then old versions are forgotten. Prints questions answered, versions, the slowest
answer, and memory at the beginning and at the end; fails on any error or stale answer.
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
from ragstone.corpus import Store
from ragstone.testing.hashing import HashingEncoder
from ragstone.testing.reading import chunk_paragraphs, read_plain, titled_text

FILES = 20


def generation_of(text: str) -> int:
    return int(text.split()[1])


def read_on(folder: Path, until: float, out: Path) -> None:
    """Ask until the time is up; write what was seen as JSON."""
    encoder = HashingEncoder(64)
    answers, slowest, memory = 0, 0.0, []
    vector = encoder.encode_queries(["generation cat"])[0]
    with Store.open(folder) as store:
        while time.time() < until:
            published = store.head()
            started = time.perf_counter()
            with store.snapshot() as snapshot:
                assert snapshot.version >= published, "an older version than was published"
                found = [s.key for s in snapshot.lexical("generation cat", 50)]
                found += [s.key for s in snapshot.dense(vector, 50)]
                seen = {generation_of(passage.text) for passage, _ in snapshot.fetch(found)}
                seen |= {generation_of(snapshot.document(i.id).text) for i in snapshot.documents()}
                assert len(seen) == 1, f"a mixture of generations {seen}"
                assert len(found) == 4 * FILES, f"{len(found)} hits"
            slowest = max(slowest, time.perf_counter() - started)
            answers += 1
            if answers % 50 == 1:
                pages = int(Path("/proc/self/statm").read_text().split()[1])
                memory.append(pages * resource.getpagesize() / 1e6)
    early = memory[min(len(memory) - 1, 2)]
    out.write_text(json.dumps([answers, 1e3 * slowest, early, memory[-1]]))


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
            generation = 1
            children: list[int] = []
            while time.time() < until:
                write(generation)
                sync(store, [docs], encoder=encoder, read=read_plain, chunk=chunk_paragraphs,
                     embedding_text=titled_text, workers=0)  # fmt: skip
                if generation % 10 == 0:
                    store.optimize(keep=2)
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
        print(
            f"{options.readers} readers, {options.seconds:.0f} s: {int(seen[:, 0].sum())} answers, "
            f"{generation - 1} versions, slowest answer {seen[:, 1].max():.0f} ms, memory of a "
            f"reader {seen[:, 2].mean():.0f} -> {seen[:, 3].mean():.0f} MB, no error, none stale"
        )
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
