"""Any sequence of file operations, syncs and kills ends where a fresh corpus would."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from ragstone.applications import sync_take
from ragstone.applications.sync import sync
from ragstone.corpus import Store, store
from ragstone.testing.hashing import HashingEncoder
from ragstone.testing.reading import chunk_paragraphs, read_plain, titled_text

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked process")

NAMES = st.sampled_from(["a.txt", "b.txt", "c.txt", "sub/a.txt", "sub/d.txt", "e.jsonl"])
TEXTS = st.sampled_from(
    ["cat", "dog eel", "cat cat dog\n\nfox", "a fox\n\nan eel\n\na cat", "!refuse", "größe 東京"]
)
ROWS = st.dictionaries(st.sampled_from("123"), st.sampled_from(["cat", "eel fox", "dog"]))
QUESTIONS = ["cat", "fox eel", "dog cat größe"]
KILLED = 86


def run_sync(folder: Path, corpus: Path):
    encoder = HashingEncoder(16)
    with Store.open(corpus, encoder_identity=encoder.identity, dim=16, create=True) as opened:
        return sync(
            opened, [folder], encoder=encoder, read=read_plain, chunk=chunk_paragraphs,
            embedding_text=titled_text, workers=0, confirm_missing=True,
        )  # fmt: skip


def state(corpus: Path):
    """Everything that a reader can tell, without ids and keys (they keep history on purpose)."""
    encoder = HashingEncoder(16)
    with Store.open(corpus) as opened, opened.snapshot() as snapshot:
        documents = {
            info.source: (snapshot.document(info.id).text, info.title, dict(info.metadata),
                          info.passages, info.format)
            for info in snapshot.documents()
        }  # fmt: skip
        answers = []
        for question in QUESTIONS:
            vector = encoder.encode_queries([question])[0]
            for found in (snapshot.lexical(question, 100), snapshot.dense(vector, 100)):
                hits = snapshot.fetch([s.key for s in found])
                answers.append(
                    sorted((s.score, i.source, p.span.start, p.text)
                           for s, (p, i) in zip(found, hits, strict=True))
                )  # fmt: skip
        return documents, answers


def killed_sync(folder: Path, corpus: Path, steps: int) -> int:
    """Sync in a child that dies at its n-th step: before an SQL statement, an fsync, a rename."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    left = steps

    def step(*_):
        nonlocal left
        left -= 1
        if left < 0:
            os._exit(KILLED)

    try:
        connect, fsync, replace = store.connect, os.fsync, Path.replace

        def traced(path, *, write):
            connection = connect(path, write=write)
            connection.set_trace_callback(step)
            return connection

        store.connect = traced
        os.fsync = lambda descriptor: (step(), fsync(descriptor))[1]
        Path.replace = lambda self, target: (step(), replace(self, target))[1]
        sync_take.BATCH_PASSAGES = 2
        run_sync(folder, corpus)
        os._exit(0)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        os._exit(1)


class Mirror(RuleBasedStateMachine):
    @initialize()
    def start(self):
        self.folder = Path(tempfile.mkdtemp(prefix="ragstone-test-")).resolve()
        self.docs = self.folder / "docs"
        self.docs.mkdir()
        self.corpus = self.folder / "corpus"
        self.readable = {}  # path -> text, as the corpus should have it: failed files keep theirs
        run_sync(self.docs, self.corpus)
        self.published = state(self.corpus)

    def teardown(self):
        shutil.rmtree(self.folder)

    @rule(name=NAMES, text=TEXTS, rows=ROWS)
    def write(self, name, text, rows):
        path = self.docs / name
        if path.is_dir() or path.parent.is_file():
            return
        path.parent.mkdir(exist_ok=True)
        if name.endswith(".jsonl"):
            text = "".join(f'{{"id": "{i}", "text": "{t}"}}\n' for i, t in rows.items())
        path.write_text(text, "utf-8")

    @rule(name=NAMES)
    def delete(self, name):
        (self.docs / name).unlink(missing_ok=True)

    @rule(old=NAMES, new=NAMES)
    def rename(self, old, new):
        if (self.docs / old).is_file() and Path(old).suffix == Path(new).suffix:
            (self.docs / new).parent.mkdir(exist_ok=True)
            (self.docs / old).replace(self.docs / new)

    @rule(name=NAMES)
    def touch(self, name):
        if (self.docs / name).is_file():
            os.utime(self.docs / name, ns=(10**18, 10**18))

    @rule()
    def sync(self):
        run_sync(self.docs, self.corpus)
        self.published = state(self.corpus)
        self.compare()

    @rule(steps=st.integers(0, 90))
    def kill(self, steps):
        ended = killed_sync(self.docs, self.corpus, steps)
        assert ended in (0, KILLED)
        after = state(self.corpus)
        if ended == KILLED and after != self.published:
            # killed after publishing: then it must be the whole of the new version
            self.published = after
            self.compare()
        self.published = after

    @rule()
    def optimize(self):
        with Store.open(self.corpus) as opened:
            if opened.head():
                opened.optimize(keep=1)

    @precondition(lambda self: self.published[0])
    @rule()
    def roll_back_and_forth(self):
        with Store.open(self.corpus) as opened:
            first = opened.versions()[0].number
            opened.rollback(first)
        self.published = state(self.corpus)

    @invariant()
    def readers_see_the_published_state(self):
        assert state(self.corpus) == self.published

    def compare(self):
        """What was read since holds; a file that cannot be read has what it had, or nothing."""
        documents, answers = self.published
        failing = {
            str(p) for p in self.docs.rglob("*.txt") if p.read_text("utf-8").startswith("!refuse")
        }
        fresh = self.folder / "fresh"
        shutil.rmtree(fresh, ignore_errors=True)
        run_sync(self.docs, fresh)
        expected, expected_answers = state(fresh)
        kept = {source for source in documents if source in failing}
        assert {s: d for s, d in documents.items() if s not in kept} == expected
        if not kept:
            assert answers == expected_answers


TestMirror = Mirror.TestCase
TestMirror.settings = settings(
    max_examples=12,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
