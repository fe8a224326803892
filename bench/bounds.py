"""What a sync needs at its peak, by kind and size of input: memory, processor time, passages.

    python bench/bounds.py tree=20000 csv=500000 text=250 file=PATH [--folder DIR] [--output FILE]
    python bench/bounds.py passages=25000 passages=100000 passages=400000

`tree=N`: N Markdown files of about 600 characters in folders of 100, then the same tree again,
unchanged. `csv=N`: N rows of five columns. `text=N`: N megabytes of prose in one file. `file=PATH`:
a file that is there. Words are made up and fall off as in a language (Zipf), so that nothing is
embedded twice. The encoder is `ragstone.testing`'s hashing one with 384 dimensions: the shipped one
would add hours and, whatever the input, its own 250 MB.

`passages=N`: segments of 2,048 passages each, of sixty words, with random vectors, are written as a
sync's batches write them, without a database (100,000 passages at most: beyond, the same files are
taken several times); then all are merged into one, as at the end of a sync, and only that is
measured, the peak set back before it (Linux).

Each case runs in a process of its own. "main" and "worker" are peaks of resident memory in MB: of
the process itself and of the largest of its children; CPU seconds are of both. With --output,
results are added to a JSON file.
"""

from __future__ import annotations

import argparse
import gc
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
from ragstone.corpus.arrays import open_arrays, write_arrays
from ragstone.corpus.postings import PostingsBuilder
from ragstone.corpus.segments import FOLDER, LexicalSegment, merge_dense, merge_lexical
from ragstone.corpus.vectors import DenseIndex, signs_of
from ragstone.testing.hashing import HashingEncoder

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


def merged(count: int, folder: Path) -> Iterator[dict[str, float]]:
    """Segments of passages with random vectors; what merging them into one needs."""
    (folder / FOLDER).mkdir(parents=True)
    random = np.random.default_rng(4)
    words = Prose(4)
    made: list[tuple[Path, Path]] = []
    different = min(count, 100_000)
    for at in range(0, different, 2048):
        rows = min(2048, different - at)
        keys = np.arange(at, at + rows, dtype=np.int64)
        builder = PostingsBuilder()
        for _ in range(rows):
            builder.add(words.words(60), (), words.words(2))
        paths = folder / FOLDER / f"{at}.lex", folder / FOLDER / f"{at}.vec"
        write_arrays(paths[0], {"keys": keys, "states": keys, **builder.arrays()}, meta={})
        codes = random.integers(-127, 128, size=(rows, DIM), dtype=np.int8)
        scales = np.full(rows, 0.001, np.float32)
        arrays = {"keys": keys, "codes": codes, "scales": scales, "signs": signs_of(codes)}
        write_arrays(paths[1], arrays, meta={})
        made.append(paths)
    made *= count // different
    del words, builder, codes, arrays
    gc.collect()
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted anew
    wall, (cpu, _, _) = time.perf_counter(), used()
    lexical = [LexicalSegment.opened(open_arrays(path)) for path, _ in made]
    whole = [np.ones(len(segment.keys), dtype=bool) for segment in lexical]
    first = merge_lexical(folder, list(zip(lexical, whole, strict=True)))
    dense = [DenseIndex(open_arrays(path)) for _, path in made]
    keys_of = [segment.keys for segment in lexical]
    second = merge_dense(folder, 1, list(zip(keys_of, dense, whole, strict=True)))
    seconds, peak, _ = used()
    if first is None or second is None:
        raise SystemExit("nothing was merged")
    yield {
        "passages": first.rows, "segments_merged": len(made), "before_mb": before, "peak_mb": peak,
        "cpu_s": seconds - cpu, "wall_s": time.perf_counter() - wall,
        "lexical_mb": first.size_bytes / 1e6, "vectors_mb": second.size_bytes / 1e6,
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
