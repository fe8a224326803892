"""`doctor` finds each kind of damage, explains it, and mends what can be mended without loss."""

import os
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from ragstone.applications.sync import sync
from ragstone.corpus import Store
from ragstone.corpus import segments as segments_module
from ragstone.corpus.arrays import open_arrays, write_arrays
from ragstone.corpus.sessions import Sessions
from ragstone.testing.hashing import HashingEncoder
from ragstone.testing.reading import chunk_paragraphs, read_plain, titled_text

ENCODER = HashingEncoder(32)


class Corpus:
    """A synced folder of three files."""

    def __init__(self, folder: Path) -> None:
        self.docs, self.folder = folder / "docs", folder / "corpus"
        self.docs.mkdir()
        for name, text in (("a", "one cat"), ("b", "two dogs\n\nthree eels"), ("c", "four foxes")):
            (self.docs / f"{name}.txt").write_text(text)
        self.sync()

    def sync(self):
        with Store.open(
            self.folder, encoder_identity=ENCODER.identity, dim=ENCODER.dim, create=True
        ) as store:
            return sync(
                store, [self.docs], encoder=ENCODER, read=read_plain, chunk=chunk_paragraphs,
                embedding_text=titled_text, workers=0,
            )  # fmt: skip

    def doctor(self, *, repair: bool = False):
        with Store.open(self.folder) as store:
            return store.doctor(repair=repair)

    def answers(self):
        with Store.open(self.folder) as store, store.snapshot() as snapshot:
            found = [s.key for s in snapshot.lexical("cat dogs eels foxes", 9)]
            found += [s.key for s in snapshot.dense(ENCODER.encode_queries(["eels"])[0], 9)]
            return [passage.text for passage, _ in snapshot.fetch(found)]

    def file(self, ending: str) -> Path:
        return next((self.folder / "segments").glob(f"*.{ending}"))

    def rewrite(self, ending: str, change) -> None:
        """Another content of an index file, with checksums that fit."""
        path = self.file(ending)
        opened = open_arrays(path)
        arrays, meta = {n: a.copy() for n, a in opened.arrays.items()}, dict(opened.meta)
        change(arrays, meta)
        write_arrays(path, arrays, meta=meta)

    def sql(self, *statements: str) -> None:
        connection = sqlite3.connect(self.folder / "corpus.db")
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        connection.close()


@pytest.fixture
def corpus(tmp_path):
    return Corpus(tmp_path)


def test_a_sound_corpus_has_nothing_to_tell(corpus):
    Sessions(corpus.folder).save("talk", [{"question": "a cat?"}])
    assert corpus.doctor() == []


def drop_last_row(arrays, meta):
    for name in ("keys", "scales", "codes"):
        arrays[name] = arrays[name][:-1]
    arrays["signs"] = arrays["signs"][:, :-1]


def flip(path: Path) -> None:
    """Another bit in the middle of the largest array (behind the header, 4,096 bytes)."""
    content = bytearray(path.read_bytes())
    content[4096 + (len(content) - 4096) * 3 // 5] ^= 1
    path.write_bytes(content)


INDEX_HARMS = {
    "missing": (lambda c: c.file("lex").unlink(), "is missing"),
    "truncated": (
        lambda c: os.truncate(c.file("lex"), c.file("lex").stat().st_size - 64),
        "bytes instead of",
    ),
    "empty": (lambda c: c.file("vec").write_bytes(b""), "cut off"),
    "altered": (lambda c: flip(c.file("vec")), "checksum"),
    "shape": (
        lambda c: c.rewrite("vec", lambda a, m: a.update(codes=a["codes"][:, :-1].copy())),
        "of the shape",
    ),
    "nan": (
        lambda c: c.rewrite("vec", lambda a, m: a["scales"].fill(np.nan)),
        "not finite",
    ),
    "vectors behind": (lambda c: c.rewrite("vec", drop_last_row), "of the shape"),
    "unnamed": (lambda c: c.sql("DELETE FROM segments"), "index holds 0 passages, the database 4"),
    "other release": (
        lambda c: c.rewrite("lex", lambda a, m: m.update(analysis="old")),
        "another release",
    ),
}


@pytest.mark.parametrize("harm", INDEX_HARMS)
def test_indexes_are_found_out_and_built_anew(corpus, harm):
    before = corpus.answers()
    do, says = INDEX_HARMS[harm]
    do(corpus)
    found = corpus.doctor()
    told = [f for f in found if says in f.what]
    assert told, found
    assert told[0].severity == ("warning" if harm == "other release" else "error")
    assert "--repair" in told[0].remedy
    assert all(f.mended for f in corpus.doctor(repair=True))
    assert corpus.doctor() == []
    assert corpus.answers() == before


def test_a_damaged_text_is_read_again_from_its_source(corpus):
    before = corpus.answers()
    corpus.sql("UPDATE documents SET title = 'altered' WHERE source LIKE '%a.txt'")
    (finding,) = corpus.doctor()
    assert finding.severity == "error"
    assert "a.txt" in finding.what
    assert "sync" in finding.remedy
    corpus.doctor(repair=True)
    assert len(corpus.sync().changed) == 1
    assert sorted(corpus.answers()) == sorted(before)
    assert all(f.severity == "warning" for f in corpus.doctor())  # the old state, until optimize
    with Store.open(corpus.folder) as store:
        store.optimize()
    assert corpus.doctor() == []


def test_a_missing_vector_is_told_and_reembedding_mends_it(corpus):
    corpus.sql("DELETE FROM vectors WHERE embedding = 1")
    (finding,) = corpus.doctor()
    assert "1 vectors are missing" in finding.what
    assert "reembed" in finding.remedy
    with Store.open(corpus.folder) as store:
        store.reembed(ENCODER, titled_text)
    assert corpus.doctor() == []


def test_a_damaged_database_is_told(corpus):
    whole = (corpus.folder / "corpus.db").read_bytes()
    (corpus.folder / "corpus.db").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(Exception, match="cannot be used"):
        corpus.answers()
    from ragstone.corpus.repairing import doctor

    findings = doctor(corpus.folder)
    assert findings
    assert findings[0].severity == "error"
    assert "import" in findings[0].remedy or "sync" in findings[0].remedy


def test_orphans_sources_failures_and_stopped_syncs_are_told(corpus):
    (corpus.folder / "segments/x.lex").write_bytes(b"left over")
    (corpus.docs / "a.txt").unlink()
    (corpus.docs / "d.txt").write_text("!refuse")
    corpus.docs.joinpath("a.txt").touch()
    corpus.sync()
    corpus.docs.joinpath("b.txt").unlink()
    (corpus.folder / "segments/x.lex").write_bytes(b"left over")
    corpus.sql("UPDATE documents SET added = 9 WHERE source LIKE '%c.txt'")
    told = {f.what.split()[0]: f for f in corpus.doctor()}
    text = " ".join(f.what for f in told.values())
    assert "1 files (9 bytes) of an interrupted run are left over" in text
    assert "b.txt is gone" in text
    assert "d.txt could not be read" in text
    assert "A sync was stopped: 1 changes" in text
    assert all(f.remedy for f in told.values())
    assert {f.severity for f in told.values()} == {"warning", "note"}


def test_a_corpus_from_elsewhere_is_one_finding_not_one_for_each_source(corpus):
    corpus.docs.rename(corpus.docs.with_name("moved"))
    (finding,) = corpus.doctor()
    assert "None of the 3 sources is on this machine" in finding.what
    assert "--confirm-missing" in finding.remedy


def test_a_damaged_conversation_is_told(corpus):
    sessions = Sessions(corpus.folder)
    sessions.save("good", [{"question": "a cat?"}])
    sessions.save("bad", [{"question": "a dog?"}])
    path = corpus.folder / "sessions/bad.json"
    path.write_text(path.read_text()[:20])
    (finding,) = corpus.doctor()
    assert finding.severity == "warning"
    assert "bad.json cannot be read" in finding.what
    assert "--delete" in finding.remedy


def test_looking_changes_nothing(corpus):
    corpus.file("lex").unlink()

    def content():  # without what SQLite puts beside a database that is being read
        files = [p for p in corpus.folder.rglob("*") if p.is_file() and "corpus.db-" not in p.name]
        return {p: p.read_bytes() for p in files}

    before = content()
    assert corpus.doctor()
    assert content() == before


def test_an_index_says_which_analysis_made_it(corpus, monkeypatch):
    name = segments_module.analysis_name()
    assert open_arrays(corpus.file("lex")).meta["analysis"] == name
    segments_module.analysis_name.cache_clear()
    monkeypatch.setattr(segments_module, "analyse", lambda text, language="": text.split())
    assert segments_module.analysis_name() != name
    segments_module.analysis_name.cache_clear()
