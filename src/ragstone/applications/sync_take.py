"""Taking documents into the corpus as they are read: identity, difference, passages, vectors.

While a batch is gathered the vectors of the one before are made (`sync_embed`); batches are
committed in order. Law: a document that came out as it was before costs no write; a text whose
vector is known is not embedded again; a source counts as read only in the batch that holds its
last document.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ragstone.applications.sync_embed import Embedding, Underway
from ragstone.applications.sync_plan import Plan, source_state
from ragstone.applications.sync_read import Finished, Message
from ragstone.applications.sync_scan import FoundFile
from ragstone.corpus import Batch, FailedSource, Prepared, Writer, fingerprint
from ragstone.protocols import Encoder
from ragstone.types import Document, Failure, Passage

BATCH_PASSAGES = 2048  # of one commit, about half a minute of embedding on two cores
BATCH_DOCUMENTS = 4096
BATCH_SECONDS = 60.0  # of gathering; a kill costs this batch and the one that is embedded
_SETTLED_NS = 2_000_000_000  # a file written so recently may change again within its time stamp


@dataclass(slots=True)
class Tally:
    """What happened so far."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    renamed: list[tuple[str, str]] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    written: dict[str, int] = field(default_factory=dict)  # passages by document id
    unchanged: int = 0
    documents: int = 0
    passages: int = 0
    embedded: int = 0


@dataclass(slots=True)
class _Reading:
    """One source in the middle of being read."""

    file: FoundFile
    held: dict[str, bytes]  # fingerprints by id
    by_source: dict[str, str]  # ids by source
    old_path: str | None
    old_sources: dict[str, str]
    old_ids: dict[str, str]  # sources by id, under the old path
    seen: set[str] = field(default_factory=set)
    doubled: int = 0


@dataclass(slots=True)
class _Gathered:
    """Documents on their way into the corpus."""

    underway: Underway = field(default_factory=Underway)
    origins: dict[str, str] = field(default_factory=dict)  # by document id, "" where removed
    passages: int = 0
    since: float = field(default_factory=time.monotonic)


class Taker:
    """Collects documents into batches and commits them; `close` it."""

    def __init__(
        self,
        writer: Writer,
        plan: Plan,
        *,
        encoder: Encoder,
        chunk: Callable[[Document], Sequence[Passage]],
        embedding_text: Callable[[Document, Passage], str],
        recipe: str,
        attempt: str,
        on_embedded: Callable[[], None] = lambda: None,
    ) -> None:
        self.tally = Tally()
        self._writer = writer
        self._ledger = writer.ledger
        self._plan = plan
        self._embedding = Embedding(encoder, writer.ledger, on_embedded=self._count)
        self._chunk = chunk
        self._embedding_text = embedding_text
        self._recipe = recipe
        self._attempt = attempt
        self._on_embedded = on_embedded
        self._files = {file.path: file for file in plan.to_read}
        self._reading: _Reading | None = None
        self._owners: dict[str, str] = {}  # origin by given id, of documents that are stored
        self._gathered = _Gathered()  # the batch in hand
        self._before: _Gathered | None = None  # the one whose vectors are being made

    def close(self) -> None:
        """Stop embedding; what was not committed is dropped."""
        self._embedding.close()

    def remove_missing(self) -> None:
        """Take out what is gone (renamed files wait for their new name), note what failed."""
        renamed = set(self._plan.renames.values())
        for path in self._plan.missing:
            if path in renamed:
                continue
            sources = self._ledger.held_sources(path)
            self._remove(sources.values())
            self.tally.removed.extend(sources)
            self._batch.forgotten.append(path)
        self._batch.sources.extend(self._plan.touched)
        for failure in self._plan.failed:
            self._fail(failure)
        self.tally.failed.extend(self._plan.still_failing)
        self.flush()

    def take(self, message: Message) -> None:
        """Take some documents of a source, or its end."""
        reading = self._reading
        if reading is None:
            reading = self._reading = self._begin(message.path)
        if isinstance(message, Finished):
            self._end(reading, message)
            self._reading = None
        else:
            given = [document.id for document in message.documents if _has_given_id(document)]
            self._owners = self._ledger.origins(given)
            for document in message.documents:
                self._take(reading, document)
                gathered = self._gathered
                if (
                    gathered.passages >= BATCH_PASSAGES
                    or len(gathered.underway.batch.puts) >= BATCH_DOCUMENTS
                ):
                    self._turn()
        self.commit_ready()
        if time.monotonic() - self._gathered.since > BATCH_SECONDS:
            self._turn()

    def _begin(self, path: str) -> _Reading:
        old = self._plan.renames.get(path)
        old_sources = self._ledger.held_sources(old) if old else {}
        return _Reading(
            self._files[path], self._ledger.held(path), self._ledger.held_sources(path), old,
            old_sources, {id: source for source, id in old_sources.items()},
        )  # fmt: skip

    def _take(self, reading: _Reading, document: Document) -> None:
        path = reading.file.path
        document_id = self._identity(reading, document)
        if document_id in reading.seen:
            reading.doubled += 1
            return
        reading.seen.add(document_id)
        title = document.title.encode("utf-8", "replace").decode()  # no lone surrogates in columns
        named = replace(document, id=document_id, title=title)
        mark = fingerprint(named, path, self._recipe)
        if reading.held.get(document_id) == mark:
            self.tally.unchanged += 1
            return
        passages = tuple(self._chunk(named))
        hashes = []
        texts: dict[bytes, str] = {}
        for passage in passages:
            text = self._embedding_text(named, passage)
            digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]
            texts[digest] = text
            hashes.append(digest)
        gathered = self._gathered
        self._batch.puts.append(Prepared(named, path, passages, tuple(hashes), mark))
        before = self._before.underway.digests if self._before is not None else frozenset()
        self._embedding.add(gathered.underway, texts, elsewhere=before)
        gathered.origins[document_id] = path
        gathered.passages += len(passages)
        self._note(reading, named, len(passages))

    def _note(self, reading: _Reading, document: Document, passages: int) -> None:
        tally = self.tally
        tally.documents += 1
        tally.passages += passages
        tally.written[document.id] = passages
        old = reading.old_ids.get(document.id)
        if old is not None:
            tally.renamed.append((old, document.source))
        elif document.id in reading.held:
            tally.changed.append(document.source)
        else:
            tally.added.append(document.source)

    def _identity(self, reading: _Reading, document: Document) -> str:
        """A given id, or the id it had before, or one made of its source; never another's."""
        path = reading.file.path
        if _has_given_id(document):
            owner = self._origin(document.id, self._owners.get(document.id, ""))
            if owner in ("", path, reading.old_path):
                return document.id
            stem = Path(path).name.split(".")[0]
            choices = [f"{stem}/{document.id}", f"{_digest(path)}/{document.id}"]
            for choice in choices:  # what it was called before
                if choice in reading.held:
                    return choice
        else:
            if document.source in reading.by_source:
                return reading.by_source[document.source]
            if reading.old_path is not None:
                before = reading.old_path + document.source.removeprefix(path)
                if before in reading.old_sources:
                    return reading.old_sources[before]
            choices = [_digest(document.source), _digest(document.source + "\0again")]
            choices.append(_digest(document.source + "\0" + str(time.time_ns())))
        taken = self._ledger.origins(choices)
        for choice in choices:
            if self._origin(choice, taken.get(choice, "")) in ("", path, reading.old_path):
                return choice
        return choices[-1]

    def _origin(self, document_id: str, stored: str) -> str:
        """Where a document comes from, "" where from nowhere: on its way, else as it is stored."""
        before = self._before.origins if self._before is not None else {}
        return self._gathered.origins.get(document_id, before.get(document_id, stored))

    def _remove(self, document_ids: Iterable[str]) -> None:
        for document_id in document_ids:
            self._batch.removes.append(document_id)
            self._gathered.origins[document_id] = ""

    def _end(self, reading: _Reading, end: Finished) -> None:
        path = reading.file.path
        if end.failed:
            file, before = reading.file, self._plan.failed_before.get(path)
            again = before is not None and (before.reason, before.size) == (end.reason, file.size)
            self._fail(
                # Only what failed before in the same way is left alone while it stays as it is: a
                # crash or a hang may have been the machine's.
                FailedSource(path, file.root, end.reason, end.remedy, file.size,
                             file.mtime_ns if again and _is_settled(file) else -1, self._attempt)
            )  # fmt: skip
            return
        for source, document_id in reading.by_source.items():
            if document_id not in reading.seen:
                self._remove([document_id])
                self.tally.removed.append(source)
        if reading.old_path is not None:
            self._remove(i for i in reading.old_sources.values() if i not in reading.seen)
            self._batch.forgotten.append(reading.old_path)
        self._batch.sources.append(
            source_state(reading.file, self._plan.hashes[path], self._recipe,
                         settled=_is_settled(reading.file))
        )  # fmt: skip
        if reading.doubled:
            self.tally.failed.append(
                Failure(
                    path, f"{reading.doubled} rows have an id that an earlier row has.",
                    "The first of them was taken. Give each row its own id.",
                )
            )  # fmt: skip

    def _fail(self, failure: FailedSource) -> None:
        self._batch.failed.append(failure)
        self.tally.failed.append(Failure(failure.path, failure.reason, failure.remedy))

    @property
    def _batch(self) -> Batch:
        return self._gathered.underway.batch

    def flush(self) -> None:
        """Embed what is new, and commit all that was taken."""
        self._turn()
        self._commit_before()

    def commit_ready(self) -> None:
        """Commit the batch before this one, if its vectors are there."""
        if self._before is not None and self._before.underway.is_ready:
            self._commit_before()

    def _turn(self) -> None:
        """Let this batch be embedded while the next one is gathered; commit the one before."""
        self._embedding.begin(self._gathered.underway)
        self._commit_before()
        self._before, self._gathered = self._gathered, _Gathered()

    def _commit_before(self) -> None:
        if self._before is not None:
            self._embedding.finish(self._before.underway)
            self._writer.commit(self._before.underway.batch)
            self._owners.update(self._before.origins)
            self._before = None

    def _count(self, embedded: int) -> None:
        self.tally.embedded += embedded
        self._on_embedded()


def _has_given_id(document: Document) -> bool:
    return bool(document.id) and document.id != document.source


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _is_settled(file: FoundFile) -> bool:
    """Whether the file's stat is still as it was, and old enough to tell a later change."""
    try:
        status = Path(file.path).stat()
    except OSError:
        return False
    same = status.st_size == file.size and status.st_mtime_ns == file.mtime_ns
    return same and time.time_ns() - file.mtime_ns > _SETTLED_NS
