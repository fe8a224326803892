"""A folder of files, a corpus of it, and the work on both that the harnesses here let fail.

`durability.py` kills the work, `faults.py` lets the system's calls fail beneath it; what must hold
afterwards is the same, and stands here.
"""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

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
    """A folder of files, a corpus of it, and the work that is made to fail."""

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

    # Each work is done again after a kill or fault: it must come to its end then.

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


def prepare(made: Trial, name: str) -> Callable[[], None]:
    """Something to do for the operation, and the operation."""
    if name == "sync":
        made.change(12)
    if name == "take_in":
        made.export()
        shutil.rmtree(made.folder / "imported", ignore_errors=True)
    if name == "repair":
        victim = made.random.choice(sorted((made.corpus / "segments").iterdir()))
        victim.write_bytes(victim.read_bytes()[: made.random.randrange(200)])
    return getattr(made, name)


def examine(made: Trial, name: str, before: tuple, work: Callable[[], None]) -> str:
    """After the kill or fault: nothing is lost, and the work comes to its end when done again.

    Gives what was left: "as before" (or mended) or "wholly done". Fails on any violation.
    """
    if name == "repair":
        made.repair()
        assert made.state() == before, "repair changed an answer"
        left = "as before"
    else:
        after = made.state()
        with Store.open(made.corpus) as store:
            errors = [f for f in store.doctor() if f.severity == "error"]
        assert not errors, errors
        left = "as before" if after == before else "wholly done"
        made.seed = after[0]
        work()
        made.seed = made.state()[0]
    if name in ("export", "optimize", "merge", "take_in"):
        assert made.state() == before, f"{name} changed an answer"
    if name == "take_in":
        assert made.state(made.folder / "imported") == made.state(), "import differs"
    made.sync()
    fresh = made.folder / "fresh"
    shutil.rmtree(fresh, ignore_errors=True)
    made.sync(fresh)
    assert made.state() == made.state(fresh), "not what a new corpus would be"
    with Store.open(made.corpus) as store, store.writer():
        pass  # its sweep
    with Store.open(made.corpus) as store:
        orphans = [f for f in store.doctor() if "left over" in f.what]
    assert not orphans, orphans
    return left
