"""The corpus folder: what goes in comes out; versions, damage, repair, export, encoders."""

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragstone.corpus import Batch, Prepared, SourceState, Store, import_corpus, parse_where
from ragstone.corpus.rows import BLOCK_CHARACTERS, KINDS, fingerprint
from ragstone.corpus.scratch import scratch_folder
from ragstone.corpus.sessions import Sessions
from ragstone.errors import CorpusError, UsageError
from ragstone.testing.hashing import HashingEncoder
from ragstone.testing.reading import chunk_paragraphs, titled_text
from ragstone.types import Document, Element, Passage, Span

ENCODER = HashingEncoder(32)
FIXTURES = Path(__file__).parent / "fixtures"


def document(id: str, text: str, **fields) -> Document:
    return Document(id, fields.pop("source", f"/docs/{id}"), fields.pop("title", id), text, "text",
                    **fields)  # fmt: skip


def prepared(
    item: Document, passages: list[Passage] | None = None, origin: str = "/docs"
) -> Prepared:
    found = chunk_paragraphs(item) if passages is None else passages
    hashes = tuple(digest(titled_text(item, passage)) for passage in found)
    return Prepared(item, origin, tuple(found), hashes, fingerprint(item, origin, ""))


def digest(text: str) -> bytes:
    import hashlib

    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]


def batch_of(*puts: Prepared, **fields) -> Batch:
    texts = {
        hash: titled_text(put.document, passage)
        for put in puts
        for passage, hash in zip(put.passages, put.embedded, strict=True)
    }
    vectors = dict(zip(texts, ENCODER.encode_passages(list(texts.values())), strict=True))
    return Batch(puts=list(puts), vectors=vectors, **fields)


def opened(folder: Path) -> Store:
    return Store.open(folder, encoder_identity=ENCODER.identity, dim=ENCODER.dim, create=True)


def put(store: Store, *documents: Document, removes: tuple[str, ...] = ()) -> int:
    with store.writer() as writer:
        writer.commit(batch_of(*map(prepared, documents), removes=list(removes)))
        return writer.publish()


def contents(store: Store, at=None) -> dict[str, str]:
    with store.snapshot(at) as snapshot:
        return {info.id: snapshot.document(info.id).text for info in snapshot.documents()}


@pytest.fixture
def store(tmp_path):
    with opened(tmp_path / "corpus") as made:
        yield made


TEXT = st.text(st.characters(), max_size=300) | st.text("ab \n\ud800", max_size=50)


@st.composite
def documents(draw):
    text = draw(TEXT)
    if draw(st.booleans()):
        text = text + "x" * draw(st.integers(BLOCK_CHARACTERS - 2, 2 * BLOCK_CHARACTERS)) + text
    spans = st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).map(
        lambda pair: Span(min(pair), max(pair))
    )
    elements = draw(
        st.lists(
            st.builds(Element, st.sampled_from(KINDS), spans, st.integers(0, 9), TEXT), max_size=4
        )
    )
    scalars = TEXT | st.integers(-(2**60), 2**60) | st.booleans() | st.floats(allow_nan=False)
    passages = draw(
        st.lists(
            st.builds(
                lambda span, path, page: Passage("d", span, span.of(text), path, page),
                spans, st.lists(TEXT, max_size=3).map(tuple), st.none() | st.integers(1, 9),
            ), max_size=4,
        )
    )  # fmt: skip
    made = Document(
        "d", draw(st.text("abc/#é", min_size=1)), draw(st.text("ab é", max_size=9)), text, "text",
        tuple(elements), draw(st.dictionaries(TEXT, scalars, max_size=3)), "en",
    )  # fmt: skip
    return made, passages


@settings(max_examples=25, deadline=None)
@given(documents())
def test_what_goes_in_comes_out(tmp_path_factory, made):
    item, passages = made
    with opened(tmp_path_factory.mktemp("store") / "c") as store:
        with store.writer() as writer:
            writer.commit(batch_of(prepared(item, passages)))
            writer.publish()
        with store.snapshot() as snapshot:
            assert snapshot.document("d") == item
            back = snapshot.passages("d")
            plain = [(p.span, p.text, p.heading_path, p.page) for p in back]
            given_ = [(p.span, p.text, p.heading_path, p.page) for p in passages]
            assert sorted(plain, key=repr) == sorted(given_, key=repr)
            for passage in back:
                assert passage.span.of(item.text) == passage.text
            if back:
                stored = snapshot.vectors([p.key for p in back])
                exact = ENCODER.encode_passages([titled_text(item, p) for p in back])
                assert ((stored * exact).sum(axis=1) > 0.999).all()


def test_a_reader_sees_one_version_whatever_the_writer_does(store):
    put(store, document("a", "cat"), document("b", "dog"))
    with store.snapshot() as before:
        put(store, document("a", "fox"), document("c", "eel"), removes=("b",))
        store.optimize(keep=1)
        assert {i.id for i in before.documents()} == {"a", "b"}
        assert before.document("a").text == "cat"
        assert len(before.lexical("cat dog", 9)) == 2
        assert before.lexical("fox eel", 9) == []
        assert [p.text for p, _ in before.fetch([s.key for s in before.lexical("dog", 1)])] == [
            "dog"
        ]
    assert contents(store) == {"a": "fox", "c": "eel"}


def test_unpublished_batches_are_hidden_and_go_on(store):
    put(store, document("a", "cat"))
    with store.writer() as writer:
        writer.commit(batch_of(prepared(document("b", "dog"))))
    assert contents(store) == {"a": "cat"}
    assert store.info().pending == 1
    with store.snapshot() as snapshot:
        assert snapshot.lexical("dog", 5) == []
        assert len(snapshot.dense(ENCODER.encode_queries(["dog"])[0], 5)) == 1
    with store.writer() as writer:
        writer.publish()
    assert contents(store) == {"a": "cat", "b": "dog"}


def test_another_corpus_in_the_same_place_is_seen(tmp_path):
    """A snapshot never reads through a connection to a file that is gone."""
    with opened(tmp_path / "c") as store:
        put(store, document("a", "cat"))
        assert contents(store) == {"a": "cat"}
        with store.snapshot() as held:
            shutil.move(tmp_path / "c", tmp_path / "old")
            with opened(tmp_path / "c") as other:
                put(other, document("b", "dog"))
            assert [i.id for i in held.documents()] == ["a"]
        assert contents(store) == {"b": "dog"}
        with pytest.raises(CorpusError, match="was closed"):
            held.document("a")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="POSIX")
def test_a_forked_reader_uses_connections_of_its_own(store):
    put(store, document("a", "cat"))
    assert contents(store) == {"a": "cat"}
    child = os.fork()
    if not child:
        same = contents(store) == {"a": "cat"}
        os._exit(0 if same else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    put(store, document("a", "dog"))
    assert contents(store) == {"a": "dog"}


def test_versions_tags_diff_and_rollback(store):
    put(store, document("a", "cat"), document("b", "dog"))
    put(store, document("a", "fox"), document("c", "eel"), removes=("b",))
    store.tag("v1", 1)
    difference = store.diff("v1", 2)
    assert [i for i, _ in difference.added] == ["c"]
    assert [i for i, _ in difference.changed] == ["a"]
    assert [i for i, _ in difference.removed] == ["b"]
    assert contents(store, "v1") == {"a": "cat", "b": "dog"}
    assert store.rollback("v1") == 3
    assert contents(store) == contents(store, 1)
    assert contents(store, 2) == {"a": "fox", "c": "eel"}
    assert store.rollback(2) == 4
    assert contents(store) == {"a": "fox", "c": "eel"}
    with store.snapshot() as snapshot:
        assert len(snapshot.lexical("cat dog fox eel", 9)) == 2
    for wrong in (99, "nothing"):
        with pytest.raises(UsageError, match="no version or tag"):
            store.snapshot(wrong)
    store.optimize(keep=1)
    assert [v.number for v in store.versions()] == [1, 4]
    assert contents(store, "v1") == {"a": "cat", "b": "dog"}
    assert [f for f in store.doctor() if f.severity == "error"] == []


def test_merging_changes_no_answer(store):
    words = ["cat", "dog", "fox", "eel"]
    for number in range(20):
        put(store, document(f"d{number}", f"{words[number % 4]} {words[number % 3]} {number}"))
    put(store, removes=("d3", "d4"))

    def answers():
        with store.snapshot() as snapshot:
            found = [snapshot.lexical("cat eel 7", 50)]
            found.append(snapshot.dense(ENCODER.encode_queries(["dog fox"])[0], 50))
            found.append(snapshot.lexical("cat", 50, parse_where("id LIKE 'd1%'")))
            return found

    before = answers()
    with store.writer() as writer:
        assert writer.merge() > 0
    assert answers() == before
    with store.writer() as writer:
        writer.merge(all_=True)
    assert answers() == before
    assert len(list((store.path / "segments").iterdir())) == 2
    store.optimize()
    assert answers() == before


def test_find_by_id_source_and_ending(store):
    put(
        store,
        document("x1", "cat", source="/a/b/notes.md"),
        document("x2", "dog", source="/a/c/notes.md"),
    )
    with store.snapshot() as snapshot:
        assert snapshot.find("x1").id == "x1"
        assert snapshot.find("/a/b/notes.md").id == "x1"
        assert snapshot.find("c/notes.md").id == "x2"
        with pytest.raises(UsageError, match="fits several"):
            snapshot.find("notes.md")
        with pytest.raises(UsageError, match=r"Near: /a/b/notes\.md"):
            snapshot.find("b/nodes.md")


def test_a_question_is_asked_in_the_languages_of_the_documents(store):
    put(store, document("de", "die Häuser am Meer", language="de"))
    put(store, document("en", "running houses", language="en"))
    with store.snapshot() as snapshot:
        for question, id in (("Haus", "de"), ("house", "en"), ("run", "en")):
            found = snapshot.fetch([s.key for s in snapshot.lexical(question, 5)])
            assert [passage.document_id for passage, _ in found] == [id]


def test_names_in_the_metadata_are_found_and_addresses_are_not(store):
    said = {"source": "The Verge", "url": "https://www.theverge.com/ftx", "day": "2023-10-01"}
    with store.writer() as writer:
        writer.commit(
            batch_of(
                prepared(document("a", "The trial began.", metadata=said)),
                prepared(document("b", "The trial began too.")),
            )
        )
        writer.publish()
        with store.snapshot() as snapshot:
            (hit,) = snapshot.lexical("verge", 5)
            ((passage, _),) = snapshot.fetch([hit.key])
            assert passage.document_id == "a"
            assert passage.heading_path == ("a",)
            assert not snapshot.lexical("https theverge ftx 2023", 5)
        before = [hit]
        writer.merge()
    with store.snapshot() as snapshot:
        assert snapshot.lexical("verge", 5) == before


def test_a_document_cannot_be_live_twice(store):
    put(store, document("a", "cat"))
    with store.writer() as writer, pytest.raises(CorpusError), writer.transaction() as connection:
        connection.execute(
            "INSERT INTO documents SELECT 99, id, source, origin, title, format, language, date, "
            "metadata, content, text_hash, characters, passages, fingerprint, checksum, 2, NULL "
            "FROM documents"
        )
    assert contents(store) == {"a": "cat"}


def test_a_second_writer_waits_and_is_told_who_holds_the_lock(store):
    script = (
        "import sys, time\nfrom ragstone.corpus import Store\n"
        f"with Store.open({str(store.path)!r}).writer():\n"
        "    print('held', flush=True)\n    time.sleep(60)\n"
    )
    holder = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(CorpusError, match=f"process {holder.pid} on "),
            store.writer(timeout_s=0.1),
        ):
            pass
        assert contents(store) == {}  # readers do not wait
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    with store.writer(timeout_s=5):  # a dead holder keeps nothing
        pass


@pytest.mark.parametrize("kind", ["missing", "foreign", "other format"])
def test_what_cannot_be_opened_is_a_clear_error(tmp_path, kind):
    if kind == "foreign":
        sqlite3.connect(tmp_path / "corpus.db").execute("CREATE TABLE t (x)").connection.close()
    if kind == "other format":
        opened(tmp_path).close()
        connection = sqlite3.connect(tmp_path / "corpus.db")
        connection.execute("PRAGMA user_version = 99")
        connection.close()
    says = {"missing": "no corpus", "foreign": "not a ragstone", "other format": "format 99"}[kind]
    with pytest.raises(CorpusError, match=says) as caught:
        Store.open(tmp_path)
    assert caught.value.remedy
    assert caught.value.args


def filled(folder: Path) -> Store:
    store = opened(folder)
    texts = {f"d{n}": f"cat number {n}\n\nand dog {n * n}\n\n" + "eel " * n for n in range(12)}
    for number in range(3):
        put(store, *(document(i, t) for i, t in texts.items() if int(i[1:]) % 3 == number))
    put(store, document("d1", "changed fox"), removes=("d2",))
    return store


def all_answers(folder: Path):
    with Store.open(folder) as store, store.snapshot() as snapshot:
        return (
            [(i, snapshot.document(i.id).text) for i in snapshot.documents()],
            [snapshot.fetch([s.key for s in snapshot.lexical(q, 9)]) for q in ("cat eel", "fox")],
            snapshot.dense(ENCODER.encode_queries(["dog"])[0], 9),
            store.versions(),
        )


def test_missing_and_broken_indexes_are_found_and_mended(tmp_path):
    filled(tmp_path / "c").close()
    before = all_answers(tmp_path / "c")
    files = sorted((tmp_path / "c/segments").iterdir())
    for file, harm in zip(files, ("delete", "cut", "flip", "empty") * 9, strict=False):
        data = file.read_bytes()
        if harm == "delete":
            file.unlink()
        else:
            middle = len(data) // 2
            flipped = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
            file.write_bytes({"cut": data[:middle], "flip": flipped, "empty": b""}[harm])
    (tmp_path / "c/segments/orphan.lex").write_bytes(b"x")
    with pytest.raises(CorpusError, match="doctor --repair"):
        all_answers(tmp_path / "c")
    with Store.open(tmp_path / "c") as store:
        findings = store.doctor()
        assert sum(f.severity == "error" for f in findings) >= len(files) - 1
        assert any("left over" in f.what for f in findings)
        assert all(f.remedy for f in findings if f.severity == "error")
        assert all(f.mended for f in store.doctor(repair=True))
        assert store.doctor() == []
    after = all_answers(tmp_path / "c")
    assert after[0] == before[0]
    assert after[3] == before[3]
    assert [[p.text for p, _ in hits] for hits in after[1]] == [
        [p.text for p, _ in hits] for hits in before[1]
    ]


def test_flipped_bytes_are_detected_or_harmless(tmp_path):
    """In the truth: never another title, text or quote, whatever byte changes."""
    filled(tmp_path / "c").close()
    documents_, lexical, *_ = all_answers(tmp_path / "c")
    quotes = {p.text for hits in lexical for p, _ in hits}
    whole = (tmp_path / "c/corpus.db").read_bytes()
    random_ = random.Random(5)
    detected = 0
    for _ in range(80):
        at = random_.randrange(len(whole))
        flipped = bytearray(whole)
        flipped[at] ^= 1 << random_.randrange(8)
        (tmp_path / "c/corpus.db").write_bytes(flipped)
        for left in ("corpus.db-wal", "corpus.db-shm"):
            (tmp_path / "c" / left).unlink(missing_ok=True)
        try:
            after = all_answers(tmp_path / "c")
        except (CorpusError, UsageError):
            detected += 1
            continue
        known = {(info.id, info.title, text) for info, text in documents_}
        assert {(info.id, info.title, text) for info, text in after[0]} <= known
        assert {p.text for hits in after[1] for p, _ in hits} <= quotes | {
            passage for _, text in documents_ for passage in text.split("\n\n")
        }
    assert detected > 0


def test_export_and_import_are_identity(tmp_path):
    with filled(tmp_path / "c") as store:
        store.tag("first", 1)
        store.export(tmp_path / "out/corpus.zip")
    import_corpus(tmp_path / "out/corpus.zip", tmp_path / "d")
    assert all_answers(tmp_path / "d") == all_answers(tmp_path / "c")
    with Store.open(tmp_path / "d") as back:
        assert contents(back, "first")["d3"].startswith("cat number 3")
        assert back.doctor() == []
        put(back, document("new", "lynx"))
        assert contents(back)["new"] == "lynx"
    with pytest.raises(UsageError, match="not empty"):
        import_corpus(tmp_path / "out/corpus.zip", tmp_path / "d")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["corpus.zip"]


def test_a_damaged_export_is_refused_and_leaves_nothing(tmp_path):
    with filled(tmp_path / "c") as store:
        store.export(tmp_path / "e.zip")
    whole = (tmp_path / "e.zip").read_bytes()
    random_ = random.Random(3)
    harmed = [whole[: len(whole) // 2], b"", b"hello"]
    for _ in range(30):
        flipped = bytearray(whole)
        flipped[random_.randrange(len(whole))] ^= 0x10
        harmed.append(bytes(flipped))
    for data in harmed:
        (tmp_path / "bad.zip").write_bytes(data)
        try:
            import_corpus(tmp_path / "bad.zip", tmp_path / "d")
        except CorpusError:
            assert not (tmp_path / "d").exists()
        else:  # a byte that zip does not mean anything by, such as a time stamp
            assert all_answers(tmp_path / "d") == all_answers(tmp_path / "c")
            shutil.rmtree(tmp_path / "d")
    assert not list(tmp_path.glob(".ragstone-*"))
    with pytest.raises(UsageError, match="no file"):
        import_corpus(tmp_path / "never.zip", tmp_path / "d")


def test_an_export_holds_what_people_keep_beside_the_corpus(tmp_path):
    filled(tmp_path / "c").close()
    Sessions(tmp_path / "c").save("talk", [{"question": "größe?"}])
    (tmp_path / "c/callers/k1/sessions").mkdir(parents=True)
    (tmp_path / "c/callers/k1/sessions/x.json").write_text("{}")
    (tmp_path / "c/sessions/.half.tmp").write_text("unfinished")
    with Store.open(tmp_path / "c") as store:
        store.export(tmp_path / "whole.zip")
        store.export(tmp_path / "bare.zip", kept=False)
    import_corpus(tmp_path / "whole.zip", tmp_path / "d")
    assert all_answers(tmp_path / "d") == all_answers(tmp_path / "c")
    assert Sessions(tmp_path / "d").load("talk") == Sessions(tmp_path / "c").load("talk")
    assert (tmp_path / "d/callers/k1/sessions/x.json").read_text() == "{}"
    assert not (tmp_path / "d/sessions/.half.tmp").exists()
    import_corpus(tmp_path / "bare.zip", tmp_path / "e")
    assert not (tmp_path / "e/sessions").exists()


@pytest.mark.parametrize("harm", ["kept/../../out.txt", "kept/c:/x", "kept/segments/x", "altered"])
def test_an_export_cannot_write_elsewhere_nor_alter_what_was_kept(tmp_path, harm):
    filled(tmp_path / "c").close()
    Sessions(tmp_path / "c").save("talk", [{"question": "cat"}])
    with Store.open(tmp_path / "c") as store:
        store.export(tmp_path / "a.zip")
    with (
        zipfile.ZipFile(tmp_path / "a.zip") as old,
        zipfile.ZipFile(tmp_path / "b.zip", "w") as new,
    ):
        manifest = json.loads(old.read("manifest.json"))
        name, content = "kept/sessions/talk.json", old.read("kept/sessions/talk.json")
        if harm == "altered":
            content = content.replace(b"cat", b"dog")
        else:
            manifest["files"] = {harm: manifest["files"][name]}
            name = harm
        new.writestr(name, content)
        new.writestr("corpus.db", old.read("corpus.db"))
        new.writestr("manifest.json", json.dumps(manifest))
    with pytest.raises(CorpusError, match="damaged"):
        import_corpus(tmp_path / "b.zip", tmp_path / "d")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.zip", "b.zip", "c"]


def test_what_a_killed_export_left_is_swept_and_a_living_ones_is_not(tmp_path):
    with scratch_folder(tmp_path, "export") as living, scratch_folder(tmp_path, "export") as other:
        assert living.is_dir()
        assert other.is_dir()
        dead = tmp_path / ".ragstone-export-dead"
        dead.mkdir()
        (dead / "in-use.lock").touch()
        (dead / "corpus.db").touch()
        with scratch_folder(tmp_path, "export"):
            assert living.is_dir()
            assert not dead.exists()
    assert list(tmp_path.iterdir()) == []


def test_a_corpus_of_another_platform_is_read(tmp_path):
    with opened(tmp_path / "c") as store:
        sources = {"a": "C:\\Docs\\Sub\\a.txt", "b": "C:\\Docs\\b.txt"}
        with store.writer() as writer:
            puts = [prepared(document(i, f"cat {i}", source=s), origin=s)
                    for i, s in sources.items()]  # fmt: skip
            states = [SourceState(s, "C:\\Docs", 1, 1, 1, b"h", "") for s in sources.values()]
            writer.commit(batch_of(*puts, sources=states))
            writer.publish()
        store.export(tmp_path / "x.zip")
    import_corpus(tmp_path / "x.zip", tmp_path / "d")
    with Store.open(tmp_path / "d") as store, store.snapshot() as snapshot:
        assert snapshot.find("Sub/a.txt").id == snapshot.find("Sub\\a.txt").id == "a"
        assert snapshot.find("b.txt").source == "C:\\Docs\\b.txt"
        assert len(snapshot.lexical("cat", 9)) == 2
        (finding,) = store.doctor()
        assert "None of the 2 sources is on this machine" in finding.what


def test_corpora_of_every_format_so_far_are_read(tmp_path):
    found = sorted(FIXTURES.glob("format-*.zip"))
    assert found
    for fixture in found:
        import_corpus(fixture, tmp_path / fixture.stem)
        with Store.open(tmp_path / fixture.stem) as store, store.snapshot() as snapshot:
            assert json.loads(zipfile.ZipFile(fixture).read("manifest.json"))["documents"] == 11
            assert [p.text for p, _ in snapshot.fetch([snapshot.lexical("fox", 1)[0].key])] == [
                "changed fox"
            ]
            assert store.doctor() == []


def test_reembedding_switches_at_once_and_goes_on_after_a_stop(tmp_path, monkeypatch):
    monkeypatch.setattr("ragstone.corpus.reembedding.BATCH", 4)
    with filled(tmp_path / "c") as store:
        other = HashingEncoder(48, seed=7)

        class Stopping(HashingEncoder):
            def encode_passages(self, texts):
                if self.encoded > 8:
                    raise KeyboardInterrupt
                return super().encode_passages(texts)

        with pytest.raises(KeyboardInterrupt):
            store.reembed(Stopping(48, seed=7), titled_text)
        with store.snapshot() as snapshot:
            assert snapshot.encoder_identity == ENCODER.identity
            assert len(snapshot.dense(ENCODER.encode_queries(["dog"])[0], 50)) > 20
        with store.snapshot() as during:
            store.reembed(other, titled_text)
            assert during.dense(ENCODER.encode_queries(["dog"])[0], 3)
        distinct = {titled_text(d, p) for d in all_documents(store) for p in chunk_paragraphs(d)}
        assert 0 < other.encoded <= len(distinct) + 6
        with store.snapshot() as snapshot:
            assert snapshot.encoder_identity == other.identity
            keys = [s.key for s in snapshot.dense(other.encode_queries(["fox"])[0], 50)]
            exact = other.encode_passages([titled_text(snapshot.document(i.id), p)
                                           for p, i in snapshot.fetch(keys)])  # fmt: skip
            assert ((snapshot.vectors(keys) * exact).sum(axis=1) > 0.999).all()
        assert store.doctor() == []
    with pytest.raises(CorpusError, match="was built with the encoder hashing-48"):
        Store.open(tmp_path / "c", encoder_identity=ENCODER.identity, dim=32)


def all_documents(store: Store) -> list[Document]:
    found = []
    for version in store.versions():
        with store.snapshot(version.number) as snapshot:
            found += [snapshot.document(i.id) for i in snapshot.documents()]
    return found


def test_a_full_disk_loses_nothing(tmp_path):
    """A limit on file sizes makes writes fail as a full disk does."""
    resource = pytest.importorskip("resource")
    filled(tmp_path / "c").close()
    before = all_answers(tmp_path / "c")
    child = os.fork()
    if not child:
        try:
            import signal

            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
            words = np.random.default_rng(0).integers(0, 10**9, (400, 300))
            store = Store.open(tmp_path / "c")
            put(store, *(document(f"n{i}", " ".join(map(str, w))) for i, w in enumerate(words)))
        except CorpusError as error:
            os._exit(7 if error.remedy else 8)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert all_answers(tmp_path / "c") == before
    with Store.open(tmp_path / "c") as store:
        put(store, document("new", "lynx"))
        assert [f for f in store.doctor() if f.severity == "error"] == []


def test_sources_and_failures_are_kept(store):
    with store.writer() as writer:
        state = SourceState("/docs/a", "/docs", 3, 4, 5, b"hash", "recipe")
        writer.commit(Batch(sources=[state]))
        assert writer.publish() == 0  # nothing a reader could see
        assert writer.ledger.sources() == {"/docs/a": state}
        writer.commit(Batch(forgotten=["/docs/a"]))
        assert writer.ledger.sources() == {}
