"""What a sync needs at its peak, by kind and size of input: memory, processor time, passages.

    python bench/bounds.py tree=20000 csv=500000 text=250 file=PATH [--folder DIR] [--output FILE]
    python bench/bounds.py passages=25000 passages=100000 passages=400000

`tree=N`: N Markdown files of about 600 characters in folders of 100, then the same tree again,
unchanged. `csv=N`: N rows of five columns. `text=N`: N megabytes of prose in one file. `file=PATH`:
a file that is there. Words are made up and fall off as in a language (Zipf), so that nothing is
embedded twice. The encoder is `ragstone.testing`'s hashing one with 384 dimensions: the shipped one
would add hours and, whatever the input, its own 250 MB.

`passages=N`: N passages of sixty words, each a document, with random vectors, committed in batches
of 2,048; then only the merging of their indexes at the end of a sync is measured, its peak set back
before it (Linux).

Each case runs in a process of its own. "main" and "worker" are peaks of resident memory in MB: of
the process itself and of the largest of its children; CPU seconds are of both. With --output,
results are added to a JSON file.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

import ragstone
from ragstone.corpus import Batch, Prepared, Store, fingerprint
from ragstone.testing.hashing import HashingEncoder
from ragstone.types import Document, Passage, Span

DIM = 384
VOCABULARY = 200_000
SETTLED_S = 2.5  # a file younger than two seconds would be hashed again
SYLLABLES = [a + b for a in "bcdfghjklmnprstvz" for b in "aeiou"]


class Prose:
    """Sentences of made-up words, the same for the same seed."""

    def __init__(self, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)
        count = len(SYLLABLES)
        self._words = [
            SYLLABLES[n % count] + SYLLABLES[n // count % count] + SYLLABLES[n // count**2 % count]
            for n in range(VOCABULARY)
        ]
        odds = 1.0 / np.arange(1, VOCABULARY + 1)
        self._cumulated = np.cumsum(odds / odds.sum())

    def words(self, count: int) -> list[str]:
        ranks = np.searchsorted(self._cumulated, self._random.random(count))
        return [self._words[rank] for rank in ranks.tolist()]

    def sentences(self, words: int) -> str:
        """Sentences of twelve words."""
        given = self.words(words)
        rows = [given[at : at + 12] for at in range(0, words, 12)]
        return " ".join(" ".join(row).capitalize() + "." for row in rows)


def tree(folder: Path, count: int) -> Path:
    prose = Prose(1)
    for number in range(count):
        place = folder / f"{number // 100:04d}"
        place.mkdir(parents=True, exist_ok=True)
        text = f"# File {number}\n\n{prose.sentences(48)}\n\n{prose.sentences(48)}\n"
        (place / f"{number:06d}.md").write_text(text)
    return folder


def table(path: Path, count: int) -> Path:
    prose = Prose(2)
    with path.open("w") as out:
        out.write("number,name,place,amount,remark\n")
        for number in range(count):
            one, two, three, *rest = prose.words(12)
            out.write(f"{number},{one} {two},{three},{number * 7919 % 100_003},{' '.join(rest)}\n")
    return path


def text(path: Path, megabytes: int) -> Path:
    prose = Prose(3)
    with path.open("w") as out:
        while out.tell() < megabytes * 1_000_000:
            out.write("".join(prose.sentences(120) + "\n\n" for _ in range(100)))
    return path


def used() -> tuple[float, float, float]:
    """Processor seconds with children, peak MB of this process, peak MB of its largest child."""
    own, children = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    seconds = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
    return seconds, resident("VmHWM"), children.ru_maxrss / 1024


def resident(what: str) -> float:
    """MB by the kernel's account of this process: VmHWM is the peak, VmRSS is now."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) / 1024
    raise KeyError(what)


def synced(source: Path, corpus: Path) -> Iterator[dict[str, float]]:
    """One sync through the Python interface; for a folder a second one of the unchanged files."""
    time.sleep(SETTLED_S)
    for turn in range(1 + source.is_dir()):
        wall, (cpu, _, _) = time.perf_counter(), used()
        with ragstone.open(corpus, encoder=HashingEncoder(DIM)) as opened:
            report = opened.sync(source)
            seconds, main, worker = used()
            yield {
                "turn": turn + 1, "documents": len(report.added), "passages": report.passages,
                "unchanged": report.unchanged, "failed": len(report.failed), "cpu_s": seconds - cpu,
                "wall_s": time.perf_counter() - wall, "main_mb": main, "worker_mb": worker,
            }  # fmt: skip


def merged(count: int, corpus: Path) -> Iterator[dict[str, float]]:
    """Passages with random vectors through the writer; what merging their indexes needs."""
    prose, random = Prose(4), np.random.default_rng(4)
    store = Store.open(corpus, encoder_identity="random", dim=DIM, create=True)
    with store, store.writer() as writer:
        for at in range(0, count, 2048):
            batch = Batch()
            for number in range(at, min(count, at + 2048)):
                body = prose.sentences(60)
                item = Document(f"d{number}", f"/d#{number}", f"Row {number}", body, "text")
                digest = hashlib.sha256(body.encode() + number.to_bytes(8)).digest()[:16]
                vector = random.normal(size=DIM).astype(np.float32)
                batch.vectors[digest] = vector / np.linalg.norm(vector)
                passage = Passage(item.id, Span(0, len(body)), body)
                mark = fingerprint(item, "/d", "")
                batch.puts.append(Prepared(item, "/d", (passage,), (digest,), mark))
            writer.commit(batch)
        writer.publish()
        committed, before = resident("VmHWM"), resident("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # the peak is counted anew
        wall, (cpu, _, _) = time.perf_counter(), used()
        gone = writer.merge(all_=True)
        seconds, peak, _ = used()
    sizes = {e: sum(f.stat().st_size for f in corpus.rglob(f"*.{e}")) / 1e6 for e in ("lex", "vec")}
    yield {
        "passages": count, "segments_merged": gone + 1, "committing_peak_mb": committed,
        "before_merge_mb": before, "merge_peak_mb": peak, "cpu_s": seconds - cpu,
        "wall_s": time.perf_counter() - wall, "lex_mb": sizes["lex"],
        "vec_mb": sizes["vec"],
    }  # fmt: skip


MADE: dict[str, tuple[str, Callable[[Path, int], Path]]] = {
    "tree": ("tree", tree), "csv": ("rows.csv", table), "text": ("prose.txt", text),
}  # fmt: skip


def run(case: str, folder: Path) -> Iterator[dict[str, float]]:
    kind, _, value = case.partition("=")
    if kind == "passages":
        return merged(int(value), folder / "corpus")
    source = Path(value) if kind == "file" else folder / MADE[kind][0]
    return synced(source, folder / "corpus")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="+", metavar="KIND=SIZE")
    parser.add_argument("--folder", type=Path, help="for the inputs and the corpora")
    parser.add_argument("--output", type=Path, help="add the results to this JSON file")
    parser.add_argument("--run", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.run:
        for row in run(given.cases[0], given.folder):
            print(json.dumps({name: round(value, 1) for name, value in row.items()}), flush=True)
        return
    rows: list[dict[str, object]] = []
    for case in given.cases:
        with tempfile.TemporaryDirectory(dir=given.folder) as held:
            kind, _, value = case.partition("=")
            if kind in MADE:
                name, make = MADE[kind]
                make(Path(held) / name, int(value))
            done = subprocess.run(
                [sys.executable, __file__, case, "--run", "--folder", held],
                stdout=subprocess.PIPE, text=True, check=True,
            )  # fmt: skip
            for line in done.stdout.splitlines():
                row = {"case": case if kind != "file" else f"file={Path(value).name}"}
                row |= {"load": round(os.getloadavg()[0], 1), **json.loads(line)}
                print(row, flush=True)
                rows.append(row)
    if given.output:
        old = json.loads(given.output.read_text())["rows"] if given.output.exists() else []
        new = {row["case"] for row in rows}
        result = {
            "machine": f"{platform.machine()}, {os.cpu_count()} cores",
            "rows": [row for row in old if row["case"] not in new] + rows,
        }
        given.output.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
