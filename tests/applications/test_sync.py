"""What `sync` does with real folders: each case of the mirror, and each way that reading fails."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from ragstone.applications.sync import sync
from ragstone.applications.sync_estimate import estimate
from ragstone.applications.sync_remove import remove
from ragstone.applications.sync_watch import watch
from ragstone.corpus import Store, parse_where
from ragstone.errors import CorpusError, UsageError
from ragstone.testing.hashing import HashingEncoder
from ragstone.testing.reading import chunk_paragraphs, read_plain, titled_text

NOBODY = 65534


class Place:
    """A folder of documents and a corpus of it."""

    def __init__(self, folder: Path) -> None:
        self.docs = folder / "docs"
        self.docs.mkdir()
        self.encoder = HashingEncoder()
        self.read = read_plain
        self.store = Store.open(
            folder / "corpus",
            encoder_identity=self.encoder.identity,
            dim=self.encoder.dim,
            create=True,
        )

    def write(self, name: str, text: str) -> Path:
        path = self.docs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def sync(self, *paths, workers: int = 0, **options):
        return sync(
            self.store, paths or [self.docs], encoder=self.encoder, read=self.read,
            chunk=chunk_paragraphs, embedding_text=titled_text, workers=workers, **options,
        )  # fmt: skip

    def texts(self, at=None) -> dict[str, str]:
        with self.store.snapshot(at) as snapshot:
            return {
                os.path.relpath(info.source, self.docs): snapshot.document(info.id).text
                for info in snapshot.documents()
            }

    def ids(self) -> dict[str, str]:
        with self.store.snapshot() as snapshot:
            return {os.path.relpath(i.source, self.docs): i.id for i in snapshot.documents()}

    def search(self, question: str, **options) -> list[str]:
        with self.store.snapshot() as snapshot:
            found = snapshot.lexical(question, 10, **options)
            return [passage.text for passage, _ in snapshot.fetch([s.key for s in found])]


@pytest.fixture
def place(tmp_path):
    made = Place(tmp_path)
    yield made
    made.store.close()


def names(sources, place) -> list[str]:
    return [os.path.relpath(source, place.docs) for source in sources]


def test_add_change_remove(place):
    place.write("a.txt", "one cat\n\ntwo dogs")
    place.write("b/c.txt", "three eels")
    report = place.sync()
    assert names(report.added, place) == ["a.txt", "b/c.txt"]
    assert (report.version, report.passages, report.embedded) == (1, 3, 3)
    ids = place.ids()

    place.write("a.txt", "one cat\n\ntwo foxes")
    (place.docs / "b/c.txt").unlink()
    report = place.sync()
    assert names(report.changed, place) == ["a.txt"]
    assert names(report.removed, place) == ["b/c.txt"]
    assert report.embedded == 1  # "one cat" was known
    assert place.texts() == {"a.txt": "one cat\n\ntwo foxes"}
    assert place.ids()["a.txt"] == ids["a.txt"]
    assert place.search("dogs eels") == []
    assert place.texts(1)["a.txt"] == "one cat\n\ntwo dogs"


def test_what_is_unchanged_is_not_read_and_makes_no_version(place):
    path = place.write("a.txt", "one cat")
    os.utime(path, ns=(10**18, 10**18))
    assert place.sync().version == 1
    path.chmod(0o000)  # reading it would fail, for anybody but root
    report = place.sync()
    assert (report.version, report.unchanged, report.is_change) == (1, 1, False)
    path.chmod(0o644)
    os.utime(path, ns=(2 * 10**18, 2 * 10**18))  # touched: hashed, not read
    report = place.sync()
    assert (report.version, report.unchanged, report.is_change) == (1, 1, False)


def test_a_change_within_the_time_stamp_is_seen(place):
    path = place.write("a.txt", "one cat")
    place.sync()
    stamp = path.stat().st_mtime_ns
    path.write_text("one dog")
    os.utime(path, ns=(stamp, stamp))
    assert names(place.sync().changed, place) == ["a.txt"]


def test_renaming_and_moving_keep_the_identity(place):
    place.write("a.txt", "one cat")
    place.write("b.txt", "two dogs")
    place.sync()
    ids = place.ids()
    (place.docs / "a.txt").rename(place.docs / "c.txt")
    (place.docs / "sub").mkdir()
    (place.docs / "b.txt").rename(place.docs / "sub/b.txt")
    report = place.sync()
    assert [tuple(names(pair, place)) for pair in report.renamed] == [
        ("a.txt", "c.txt"), ("b.txt", "sub/b.txt"),
    ]  # fmt: skip
    assert report.added == report.removed == report.changed == ()
    assert place.ids() == {"c.txt": ids["a.txt"], "sub/b.txt": ids["b.txt"]}
    place.write("a.txt", "three eels")  # a new file under the old name is another document
    place.sync()
    assert len(set(place.ids().values())) == 3


def test_case_only_rename(place):
    place.write("Readme.txt", "one cat")
    place.sync()
    (place.docs / "Readme.txt").rename(place.docs / "README.txt")
    place.sync()
    assert place.texts() == {"README.txt": "one cat"}


def test_two_sources_with_equal_content_are_two_documents(place):
    place.write("a.txt", "one cat")
    place.write("b.txt", "one cat")
    report = place.sync()
    assert place.texts() == {"a.txt": "one cat", "b.txt": "one cat"}
    assert report.embedded == 2  # their titles differ
    (place.docs / "a.txt").unlink()
    place.sync()
    assert place.texts() == {"b.txt": "one cat"}


def test_spellings_overlaps_and_links_are_one_source(place):
    place.write("sub/a.txt", "one cat")
    (place.docs / "link").symlink_to(place.docs / "sub")
    (place.docs / "sub/loop").symlink_to(place.docs)
    (place.docs / "dangling").symlink_to(place.docs / "nowhere")
    (place.docs / "b.txt").symlink_to(place.docs / "sub/a.txt")
    report = place.sync(
        place.docs, str(place.docs) + "/./sub/../", place.docs / "sub", place.docs / "link"
    )
    assert names(report.added, place) == ["sub/a.txt"]
    assert not report.failed
    assert [(Path(f.source).name, f.reason) for f in report.skipped] == [
        ("dangling", "It is a link to something that is not there.")
    ]
    assert not place.sync(place.docs / "sub").is_change


def test_links_out_of_the_folder_are_skipped_unless_followed(place, tmp_path):
    place.write("a.txt", "one cat")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/b.txt").write_text("two dogs")
    (tmp_path / "c.txt").write_text("three eels")
    (place.docs / "folder").symlink_to(tmp_path / "elsewhere")
    (place.docs / "file.txt").symlink_to(tmp_path / "c.txt")
    (place.docs / "self").symlink_to(place.docs / "self")
    report = place.sync()
    assert list(place.texts()) == ["a.txt"]
    skipped = {Path(f.source).name: f for f in report.skipped}
    assert sorted(skipped) == ["file.txt", "folder", "self"]
    assert str(tmp_path / "c.txt") in skipped["file.txt"].reason
    assert "--follow-links" in skipped["folder"].remedy
    assert "leads to itself" in skipped["self"].reason
    report = place.sync(place.docs, tmp_path / "elsewhere")  # naming the target is enough
    assert names(report.added, place) == ["../elsewhere/b.txt"]
    assert "folder" not in {Path(f.source).name for f in report.skipped}
    report = place.sync(follow_links=True)
    assert names(report.added, place) == ["../c.txt"]
    report = place.sync()  # a mirror: what is not followed any more is taken out
    assert names(report.removed, place) == ["../c.txt"]  # and what has a root of its own stays


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="POSIX")
def test_what_is_no_file_is_skipped(place):
    os.mkfifo(place.docs / "pipe.txt")
    place.write("a.txt", "one cat")
    report = place.sync()
    assert [f.source for f in report.skipped] == [str(place.docs / "pipe.txt")]
    assert not report.failed


def test_syncing_a_part_touches_that_part_alone(place):
    place.write("a/1.txt", "one cat")
    place.write("b/2.txt", "two dogs")
    place.sync()
    (place.docs / "a/1.txt").unlink()
    (place.docs / "b/2.txt").unlink()
    place.write("a/3.txt", "three")
    place.sync(place.docs / "a")
    assert place.texts() == {"a/3.txt": "three", "b/2.txt": "two dogs"}


def test_a_root_that_is_gone_deletes_nothing_unless_confirmed(place, tmp_path):
    place.write("a.txt", "one cat")
    place.write("b.txt", "two dogs")
    place.sync()
    place.docs.rename(tmp_path / "unmounted")
    with pytest.raises(UsageError, match="is gone, and the corpus holds 2 files"):
        place.sync()
    place.docs.mkdir()  # the empty mount point
    with pytest.raises(UsageError, match="is empty, and the corpus holds 2 files"):
        place.sync()
    assert len(place.texts()) == 2
    report = place.sync(confirm_missing=True)
    assert len(report.removed) == 2
    with pytest.raises(UsageError, match="There is no file or folder"):
        place.sync(place.docs / "never")


def read_by(place, work) -> list[str]:
    """The files that a sync reads."""
    seen = []
    place.read = lambda path: seen.append(str(path)) or read_plain(path)
    work()
    place.read = read_plain
    return seen


def test_what_cannot_be_read_keeps_its_old_state_and_is_tried_again(place):
    path = place.write("a.txt", "one cat")
    place.write("b.txt", "two dogs")
    place.sync()
    path.write_text("!refuse to be read")
    report = place.sync()
    assert [f.source for f in report.failed] == [str(path)]
    assert "holds no text" in report.failed[0].reason
    assert report.failed[0].remedy
    assert place.texts()["a.txt"] == "one cat"
    assert [f.source for f in place.store.failures()] == [str(path)]
    os.utime(path, ns=(10**18, 10**18))
    read_again = [len(read_by(place, place.sync)) for _ in range(3)]
    assert read_again == [1, 0, 0]  # it failed twice for one reason: listed, and not read again
    assert [f.source for f in place.sync().failed] == [str(path)]
    assert len(read_by(place, lambda: place.sync(retry_failed=True))) == 1
    assert len(read_by(place, lambda: place.sync(reader="with another extra"))) == 1
    path.write_text("one cat again")
    assert not place.sync().failed
    assert place.store.failures() == []
    assert place.texts()["a.txt"] == "one cat again"
    path.write_text("!refuse")
    place.sync()
    path.unlink()
    place.sync()
    assert place.store.failures() == []
    assert list(place.texts()) == ["b.txt"]


def as_nobody(place, work) -> None:
    """Do the work as a user who may not read everything; root may, so root becomes another."""
    if not hasattr(os, "fork"):
        pytest.skip("POSIX permissions")
    if os.geteuid() != 0:
        work()
        return
    for path in [place.docs.parent, *place.docs.parent.rglob("*")]:
        os.chown(path, NOBODY, NOBODY)
    for parent in place.docs.parents:  # the test's folders are the test user's alone
        if parent.owner() == "root" and not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)
    child = os.fork()
    if not child:
        try:
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            work()
            os._exit(0)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_lost_permission_keeps_what_was_read(place):
    place.write("sub/a.txt", "one cat")
    place.write("b.txt", "two dogs")
    place.sync()

    def work():
        (place.docs / "sub").chmod(0)
        (place.docs / "b.txt").write_text("changed")
        (place.docs / "b.txt").chmod(0)
        try:
            report = place.sync()
            assert len(report.failed) == 2
            assert all("permission" in f.remedy for f in report.failed)
            assert place.texts() == {"sub/a.txt": "one cat", "b.txt": "two dogs"}
        finally:
            (place.docs / "sub").chmod(0o755)
            (place.docs / "b.txt").chmod(0o644)
        assert not place.sync().failed  # permission is no content: it is looked at every time
        assert place.texts() == {"sub/a.txt": "one cat", "b.txt": "changed"}

    as_nobody(place, work)


def test_permission_lost_in_the_midst_of_a_sync(place, monkeypatch):
    monkeypatch.setattr("ragstone.applications.sync_take.BATCH_PASSAGES", 2)
    place.write("0.txt", "first")
    place.sync()
    for number in range(9):
        place.write(f"{number}.txt", f"text number {number}")

    def work():
        def lose(progress):
            if progress.files == 4:
                for path in (place.store.path, place.store.path / "segments"):
                    path.chmod(0o555)

        try:
            with pytest.raises(CorpusError, match=r"permission|may write") as caught:
                place.sync(on_progress=lose)
            assert caught.value.remedy
            assert place.texts() == {"0.txt": "first"}
        finally:
            for path in (place.store.path, place.store.path / "segments"):
                path.chmod(0o755)
        assert len(place.sync().failed) == 0
        assert len(place.texts()) == 9
        assert place.store.doctor() == []

    as_nobody(place, work)


def test_a_file_becomes_a_folder(place):
    place.write("a.txt", "one cat")
    place.write("z.txt", "zebra")
    place.sync()
    (place.docs / "a.txt").unlink()
    place.write("a.txt/inner.txt", "two dogs")
    place.sync()
    assert place.texts() == {"a.txt/inner.txt": "two dogs", "z.txt": "zebra"}


def test_what_is_left_out(place):
    for name in (".git/x.txt", ".hidden.txt", "__pycache__/y.txt", "~$lock.txt", "keep.txt"):
        place.write(name, "words " + name)
    place.write("drafts/a.txt", "draft")
    place.write("drafts/final.txt", "final")
    place.write("build/deep/o.txt", "object")
    place.write("sub/build.txt", "kept too")
    place.write(".ragstoneignore", "# comment\ndrafts/*\n!drafts/final.txt\nbuild/\n*.log\n")
    place.write("x.log", "log")
    inside = Store.open(
        place.docs / "mine", encoder_identity="e", dim=4, create=True
    )  # a corpus inside the folder
    inside.close()
    place.sync()
    assert sorted(place.texts()) == ["drafts/final.txt", "keep.txt", "sub/build.txt"]


def rows(path: Path, items: dict[str, str]) -> None:
    path.write_text("".join(json.dumps({"id": i, "text": t}) + "\n" for i, t in items.items()))


def test_rows_of_a_collection_keep_their_ids_and_change_alone(place):
    path = place.docs / "c.jsonl"
    rows(path, {f"r{n}": f"row number {n}" for n in range(50)})
    assert len(place.sync().added) == 50
    assert place.ids()["c.jsonl#r7"] == "r7"
    rows(path, {f"r{n}": f"row number {n if n != 7 else 'seven'}" for n in range(1, 51)})
    report = place.sync()
    assert names(report.added, place) == ["c.jsonl#r50"]
    assert names(report.changed, place) == ["c.jsonl#r7"]
    assert names(report.removed, place) == ["c.jsonl#r0"]
    assert (report.unchanged, report.embedded) == (48, 2)
    path.rename(place.docs / "d.jsonl")
    report = place.sync()
    assert len(report.renamed) == 50
    assert place.ids()["d.jsonl#r7"] == "r7"


def test_colliding_ids_of_two_collections_are_told_apart(place):
    rows(place.docs / "a.jsonl", {"1": "one cat", "2": "two"})
    rows(place.docs / "b.jsonl", {"1": "one dog"})
    place.sync()
    assert place.ids() == {"a.jsonl#1": "1", "a.jsonl#2": "2", "b.jsonl#1": "b/1"}
    assert not place.sync().is_change
    (place.docs / "c.jsonl").write_text('{"id":"9","text":"x"}\n{"id":"9","text":"y"}\n')
    report = place.sync()
    assert "1 rows have an id" in report.failed[0].reason
    assert place.texts()["c.jsonl#9"] == "x"


def test_another_recipe_reads_everything_again(place):
    place.write("a.txt", "one cat")
    place.sync(recipe="1")
    assert not place.sync(recipe="1").is_change
    assert names(place.sync(recipe="2").changed, place) == ["a.txt"]


@pytest.mark.parametrize("word", ["!crash", "!hang", "!spin", "!raise"])
def test_a_parser_that_fails_costs_one_file(place, word):
    for number in range(6):
        place.write(f"{number}.txt", f"text number {number}")
    bad = place.write("3.txt", word)
    report = place.sync(workers=2, timeout_s=2.0)
    assert [f.source for f in report.failed] == [str(bad)]
    assert len(report.added) == 5
    says = {"!crash": "crashed", "!raise": "RuntimeError"}.get(word, "no sign of life")
    assert says in report.failed[0].reason


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the clock alone counts")
def test_a_parser_that_waits_for_a_processor_is_not_given_up(place):
    """It works a sixth of the time: three seconds by the clock, half a second of its own."""
    place.write("a.txt", "!slow but at work")
    report = place.sync(workers=1, timeout_s=1.5)
    assert (len(report.added), report.failed) == (1, ())


def test_workers_change_nothing(place, tmp_path):
    for number in range(30):
        place.write(f"{number}.txt", f"text number {number}\n\nand more {number * 7}")
    other = Place(tmp_path / "other") if (tmp_path / "other").mkdir() is None else None
    place.sync(workers=2)
    other.sync(place.docs, workers=0)
    assert place.texts() == {
        os.path.relpath(other.docs / k, place.docs): v for k, v in other.texts().items()
    }
    other.store.close()


def test_ctrl_c_publishes_what_was_finished(place, monkeypatch):
    monkeypatch.setattr("ragstone.applications.sync_take.BATCH_PASSAGES", 1)
    for number in range(5):
        place.write(f"{number}.txt", f"text number {number}")

    def stop(progress):
        if progress.files == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        place.sync(on_progress=stop)
    assert place.store.versions()[-1].note == "sync (interrupted)"
    # the vectors of the third may still have been on their way
    done = sorted(place.texts())
    assert done in (["0.txt", "1.txt"], ["0.txt", "1.txt", "2.txt"])
    report = place.sync()
    assert done + names(report.added, place) == [f"{number}.txt" for number in range(5)]


def test_another_encoder_is_refused_with_both_names(place):
    place.write("a.txt", "one cat")
    place.sync()
    other = HashingEncoder(32)
    with pytest.raises(CorpusError, match=r"hashing-64-256-0 \(64 .*hashing-32-256-0 \(32 "):
        sync(place.store, [place.docs], encoder=other, read=read_plain, chunk=chunk_paragraphs,
             embedding_text=titled_text, workers=0)  # fmt: skip
    with pytest.raises(CorpusError, match="reembed"):
        Store.open(place.store.path, encoder_identity=other.identity, dim=32)


def test_estimate_writes_nothing_and_is_near(place):
    for number in range(40):
        place.write(f"{number}.txt", "\n\n".join(f"word {number} {n}" for n in range(number + 1)))
    options = {"encoder": place.encoder, "read": read_plain, "chunk": chunk_paragraphs}
    expected = estimate(None, [place.docs], workers=0, **options)
    assert (expected.new, expected.changed, expected.failed) == (40, 0, ())
    report = place.sync()
    assert 0.7 < expected.passages / report.passages < 1.4
    place.write("0.txt", "changed")
    (place.docs / "1.txt").unlink()
    before = place.store.info()
    again = estimate(place.store, [place.docs], workers=0, **options)
    assert (again.new, again.changed, again.removed, again.unchanged) == (0, 1, 1, 38)
    assert place.store.info() == before


def test_the_encoder_is_timed_on_what_it_will_embed(place):
    """Passages of all files that were sampled, with their titles in front."""
    for number in range(5):
        place.write(f"{number}.txt", "\n\n".join(f"paragraph {number} {n}" for n in range(200)))
    timed: list[str] = []

    class Watched(HashingEncoder):
        def encode_passages(self, texts):
            timed.extend(texts)
            return super().encode_passages(texts)

    estimate(None, [place.docs], encoder=Watched(64), read=read_plain, chunk=chunk_paragraphs,
             workers=1)  # fmt: skip
    assert {text.split()[-2] for text in timed} == set("01234")
    assert all(text.split()[0] in set("01234") for text in timed)
    assert len(timed) < 100


def test_remove_takes_single_documents(place):
    place.write("a.txt", "one cat")
    place.write("b.txt", "two dogs")
    place.sync()
    assert remove(place.store, ["a.txt"]) == 2
    assert place.texts() == {"b.txt": "two dogs"}
    with pytest.raises(UsageError, match="no document 'zzz'"):
        remove(place.store, ["b.txt", "zzz"])
    assert place.texts() == {"b.txt": "two dogs"}
    assert names(place.sync().added, place) == ["a.txt"]


def test_watch_follows_changes_and_save_patterns(place):
    place.write("a.txt", "one cat")
    looks = []

    def sleep(seconds):
        looks.append(seconds)
        if len(looks) == 2:
            temporary = place.write("a.txt.swp~", "two dogs")  # an editor's way to save
            (place.docs / "a.txt").rename(place.docs / "a.bak")
            temporary.rename(place.docs / "a.txt")
        if len(looks) == 3:
            (place.docs / "a.bak").unlink()

    reports = list(watch(place.sync, [place.docs], sleep=sleep, stop=lambda: len(looks) > 6))
    assert [r.version for r in reports] == [1, 2]
    assert place.texts() == {"a.txt": "two dogs"}


def test_filters_find_before_they_rank(place):
    for number in range(40):
        place.write(f"{number}.txt", "cat " * (40 - number))
    place.sync()
    found = place.search("cat", where=parse_where("words <= 2"))
    assert sorted(map(len, (t.split() for t in found))) == [1, 2]
    with pytest.raises(UsageError, match="Did you mean 'words'"):
        place.search("cat", where=parse_where("wrods = 2"))


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_a_folder_nobody_can_write_to_is_still_read(place, tmp_path):
    place.write("a.txt", "one cat")
    place.sync()
    place.store.close()
    copy = tmp_path / "copy"
    shutil.copytree(place.store.path, copy)
    for name in ("corpus.db-wal", "corpus.db-shm"):
        (copy / name).unlink(missing_ok=True)
    copy.chmod(0o555)
    try:
        with Store.open(copy, read_only=True) as store, store.snapshot() as snapshot:
            assert len(list(snapshot.documents())) == 1
    finally:
        copy.chmod(0o755)


def test_batches_that_overlap_embed_each_text_once_and_keep_owners(place, monkeypatch):
    """Batches of two passages, so that texts and ids of one are still on their way at the next."""
    monkeypatch.setattr("ragstone.applications.sync_take.BATCH_PASSAGES", 2)
    monkeypatch.setattr("ragstone.applications.sync_embed.ENCODE_TEXTS", 1)
    rows = [{"id": f"r{i}", "title": "", "text": f"word{i % 3}"} for i in range(9)]
    place.write("a.jsonl", "\n".join(json.dumps(row) for row in rows))
    place.write("b.jsonl", json.dumps({"id": "r8", "title": "", "text": "from b"}))
    report = place.sync()
    assert report.embedded == place.encoder.encoded == 4
    assert sorted(place.texts().values()) == sorted(["from b"] + [f"word{i % 3}" for i in range(9)])
    assert place.sync().is_change is False


def test_a_row_that_moves_to_another_file_keeps_its_id(place):
    place.write("a.jsonl", json.dumps({"id": "r1", "title": "", "text": "one cat"}))
    place.sync()
    place.write("a.jsonl", json.dumps({"id": "r2", "title": "", "text": "two dogs"}))
    place.write("b.jsonl", json.dumps({"id": "r1", "title": "", "text": "one cat"}))
    place.sync()
    with place.store.snapshot() as snapshot:
        assert sorted(info.id for info in snapshot.documents()) == ["r1", "r2"]


def test_an_encoder_that_fails_fails_the_sync_and_the_next_one_goes_on(place, monkeypatch):
    place.write("a.txt", "one cat")
    with monkeypatch.context() as patch:

        def broken(texts):
            raise RuntimeError("no vectors today")

        patch.setattr(place.encoder, "encode_passages", broken)
        with pytest.raises(RuntimeError, match="no vectors today"):
            place.sync()
    assert names(place.sync().added, place) == ["a.txt"]
