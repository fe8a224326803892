"""Kill the writer at random moments, many times, and look at what is left.

    python bench/durability.py [--kills N] [--seed N]

A child process syncs, removes, rolls back, re-embeds, optimises, repairs, exports or imports, and
is sent SIGKILL at a random moment of that work. Then in the parent: the corpus must open; readers
must see exactly the version before or the whole of the one after; `doctor` must find no error; and
when the work is done again it must end where a new corpus of the same files would, with no document
lost or doubled and no file left over. Prints a table by operation, and fails on any violation.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from ragstone.applications import sync_take
from ragstone.applications.sync import sync
from ragstone.applications.sync_remove import remove
from ragstone.corpus import Store, import_corpus
from ragstone.testing.hashing import HashingEncoder
from ragstone.testing.reading import chunk_paragraphs, read_plain, titled_text

FILES = 60
WORDS = ["cat", "dog", "fox", "eel", "lynx", "owl", "bee", "ant"]
QUESTIONS = ["cat fox", "owl", "bee ant eel"]
OPERATIONS = {  # method -> what the table calls it
    "sync": "sync", "remove": "rm", "rollback": "rollback", "reembed": "reembed",
    "optimize": "optimize", "merge": "merging indexes", "repair": "building indexes anew",
    "export": "export", "take_in": "import",
}  # fmt: skip


class Trial:
    """A folder of files, a corpus of it, and the work that is killed."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.docs = folder / "docs"
        self.docs.mkdir(parents=True)
        self.corpus = folder / "corpus"
        self.folder = folder
        self.seed = 0  # of the corpus's encoder
        self.change(FILES)
        self.sync()

    def change(self, count: int) -> None:
        for _ in range(count):
            path = self.docs / f"{self.random.randrange(FILES)}.txt"
            if path.exists() and self.random.random() < 0.25:
                path.unlink()
            elif path.exists() and self.random.random() < 0.2:
                path.rename(self.docs / f"{self.random.randrange(FILES)}.txt")
            else:
                paragraphs = self.random.randrange(1, 6)
                path.write_text(
                    "\n\n".join(
                        " ".join(self.random.choices(WORDS, k=30)) for _ in range(paragraphs)
                    )
                )

    def encoder(self) -> HashingEncoder:
        return HashingEncoder(64, seed=self.seed)

    def store(self) -> Store:
        return Store.open(
            self.corpus, encoder_identity=self.encoder().identity, dim=64, create=True
        )

    def sync(self, corpus: Path | None = None) -> None:
        encoder = self.encoder()
        with Store.open(
            corpus or self.corpus, encoder_identity=encoder.identity, dim=64, create=True
        ) as store:
            sync(store, [self.docs], encoder=encoder, read=read_plain, chunk=chunk_paragraphs,
                 embedding_text=titled_text, workers=0, confirm_missing=True)  # fmt: skip

    # Each work is done again after a kill: it must come to its end then.

    def remove(self) -> None:
        with self.store() as store, store.snapshot() as snapshot:
            ids = [info.id for info in snapshot.documents()][:3]
            if ids:
                remove(store, ids)

    def rollback(self) -> None:
        with self.store() as store:
            store.rollback(store.versions()[0].number)

    def reembed(self) -> None:
        with Store.open(self.corpus) as store:
            store.reembed(HashingEncoder(64, seed=self.seed + 1), titled_text)

    def optimize(self) -> None:
        with self.store() as store:
            store.optimize(keep=2)

    def merge(self) -> None:
        with self.store() as store, store.writer() as writer:
            writer.merge(all_=True)

    def repair(self) -> None:
        with self.store() as store:
            store.doctor(repair=True)

    def export(self) -> None:
        with self.store() as store:
            store.export(self.folder / "export.zip")

    def take_in(self) -> None:
        target = self.folder / "imported"
        if target.exists():
            shutil.rmtree(target)
        import_corpus(self.folder / "export.zip", target)

    def state(self, corpus: Path | None = None) -> tuple[int, list, list]:
        with Store.open(corpus or self.corpus) as store, store.snapshot() as snapshot:
            seed = int(snapshot.encoder_identity.rsplit("-", 1)[1])
            encoder = HashingEncoder(64, seed=seed)
            documents = [
                (info.source, snapshot.document(info.id).text, info.passages)
                for info in snapshot.documents()
            ]
            answers = []
            for question in QUESTIONS:
                vector = encoder.encode_queries([question])[0]
                for found in (snapshot.lexical(question, 500), snapshot.dense(vector, 500)):
                    hits = snapshot.fetch([s.key for s in found])
                    answers.append(
                        sorted((s.score, i.source, p.span.start, p.text)
                               for s, (p, i) in zip(found, hits, strict=True))
                    )  # fmt: skip
            if len({source for source, _, _ in documents}) != len(documents):
                raise AssertionError("a document is doubled")
            return seed, documents, answers


def child(work: Callable[[], None]) -> int:
    """Do the work in a forked process; gives its id."""
    pid = os.fork()
    if pid:
        return pid
    try:
        work()
    except BaseException as error:
        print(f"child: {type(error).__name__}: {error}", file=sys.stderr)
        os._exit(1)
    os._exit(0)


def killed(work: Callable[[], None], after_s: float) -> bool:
    """Whether the work was killed, and had not ended before."""
    pid = child(work)
    time.sleep(after_s)
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code not in (0, -signal.SIGKILL):
        raise AssertionError(f"the work failed with {code}")
    return code != 0


def timed(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    os.waitpid(child(work), 0)
    return time.perf_counter() - started


def trial(
    number: int, trial_: Trial, names: list[str], durations: dict[str, float]
) -> tuple[str, str]:
    """One kill; gives the operation and what was left of it: "old", "new" or "ended"."""
    name = names[number % len(names)]
    work: Callable[[], None] = getattr(trial_, name)
    if name == "sync":
        trial_.change(12)
    if name in ("take_in",):
        trial_.export()
    if name == "repair":  # something to mend
        victim = trial_.random.choice(sorted((trial_.corpus / "segments").iterdir()))
        before = trial_.state()
        victim.write_bytes(victim.read_bytes()[: trial_.random.randrange(200)])
    else:
        before = trial_.state()
    was_killed = killed(work, trial_.random.uniform(0, 1.1) * durations[name])
    if name == "repair":
        trial_.repair()
        assert trial_.state() == before, "repair changed an answer"
        outcome = "mended"
    else:
        after = trial_.state()
        with Store.open(trial_.corpus) as store:
            errors = [f for f in store.doctor() if f.severity == "error"]
        assert not errors, errors
        outcome = "old" if after == before else "new"
        if after[0] != trial_.seed:
            trial_.seed = after[0]
        work()
        if name == "reembed":
            trial_.seed = trial_.state()[0]
    if name == "take_in":
        assert trial_.state(trial_.folder / "imported") == trial_.state(), "import differs"
    if name in ("export", "optimize", "merge", "take_in"):
        assert trial_.state() == before, f"{name} changed an answer"
    trial_.sync()
    fresh = trial_.folder / "fresh"
    shutil.rmtree(fresh, ignore_errors=True)
    trial_.sync(fresh)
    assert trial_.state() == trial_.state(fresh), "not what a new corpus would be"
    with Store.open(trial_.corpus) as store, store.writer():
        pass  # its sweep
    with Store.open(trial_.corpus) as store:
        left = [f for f in store.doctor() if "left over" in f.what]
    assert not left, left
    assert not list(trial_.folder.rglob(".ragstone-*")), "a folder of a killed run is left over"
    return name, outcome if was_killed else "ended"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    sync_take.BATCH_PASSAGES = 16
    names = ["sync", "sync", *OPERATIONS]
    folder = Path(tempfile.mkdtemp(prefix="ragstone-durability-"))
    tally: dict[str, Counter[str]] = {name: Counter() for name in names}
    try:
        made = Trial(folder, options.seed)
        made.export()
        durations = {}
        for name in dict.fromkeys(names):
            durations[name] = timed(getattr(made, name))
            made.seed = made.state()[0]
        for path in (made.docs).iterdir():  # the first sync ran on an unchanged tree
            path.write_text(path.read_text() + " again")
        durations["sync"] = max(durations["sync"], timed(made.sync))
        kills = number = 0
        while kills < options.kills:
            name, outcome = trial(number, made, names, durations)
            tally[name][outcome] += 1
            kills += outcome != "ended"
            durations[name] *= 0.9 if outcome == "ended" else 1.1  # kills all along the work
            number += 1
    finally:
        shutil.rmtree(folder)
    print("| operation | kills | left as before | wholly done | ended before the kill |")
    print("|---|---|---|---|---|")
    for name in dict.fromkeys(names):
        count = tally[name]
        left = count["old"] + count["mended"]
        cells = [OPERATIONS[name], left + count["new"], left, count["new"], count["ended"]]
        print("| " + " | ".join(map(str, cells)) + " |")
    print(
        f"\n{kills} kills: no document lost, doubled or stale, no error found, nothing left over."
    )


if __name__ == "__main__":
    main()
