"""Taking documents into the corpus as they are read: identity, difference, passages, vectors.

Law: a document that came out as it was before costs no write; a text whose vector is known is not
embedded again; a source counts as read only in the batch that holds its last document.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ragstone.applications.sync_plan import Plan, source_state
from ragstone.applications.sync_read import Finished, Message
from ragstone.applications.sync_scan import FoundFile
from ragstone.corpus import Batch, FailedSource, Prepared, Writer, fingerprint
from ragstone.protocols import Encoder
from ragstone.types import Document, Failure, Passage

BATCH_PASSAGES = 2048  # of one commit, about half a minute of embedding on two cores
ENCODE_TEXTS = 512  # at once: enough to sort by length, few enough to show progress
BATCH_DOCUMENTS = 4096
BATCH_SECONDS = 60.0  # what a kill may cost
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


class Taker:
    """Collects documents into batches and commits them."""

    def __init__(
        self,
        writer: Writer,
        plan: Plan,
        *,
        encoder: Encoder,
        chunk: Callable[[Document], Sequence[Passage]],
        embedding_text: Callable[[Document, Passage], str],
        recipe: str,
        on_embedded: Callable[[], None] = lambda: None,
    ) -> None:
        self.tally = Tally()
        self._writer = writer
        self._ledger = writer.ledger
        self._plan = plan
        self._encoder = encoder
        self._chunk = chunk
        self._embedding_text = embedding_text
        self._recipe = recipe
        self._on_embedded = on_embedded
        self._files = {file.path: file for file in plan.to_read}
        self._reading: _Reading | None = None
        self._batch = Batch()
        self._texts: dict[bytes, str] = {}
        self._owners: dict[str, str] = {}  # origin by given id, of documents that are stored
        self._ids: dict[str, str] = {}  # origin by id, of the documents of this batch
        self._passages = 0
        self._since = time.monotonic()

    def remove_missing(self) -> None:
        """Take out what is gone (renamed files wait for their new name), note what failed."""
        renamed = set(self._plan.renames.values())
        for path in self._plan.missing:
            if path in renamed:
                continue
            sources = self._ledger.held_sources(path)
            self._batch.removes.extend(sources.values())
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
                if self._passages >= BATCH_PASSAGES or len(self._batch.puts) >= BATCH_DOCUMENTS:
                    self.flush()
        if time.monotonic() - self._since > BATCH_SECONDS:
            self.flush()

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
        for passage in passages:
            text = self._embedding_text(named, passage)
            digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]
            self._texts[digest] = text
            hashes.append(digest)
        self._batch.puts.append(Prepared(named, path, passages, tuple(hashes), mark))
        self._ids[document_id] = path
        self._passages += len(passages)
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
            owner = self._ids.get(document.id, self._owners.get(document.id, path))
            if owner in (path, reading.old_path):
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
            owner = self._ids.get(choice, taken.get(choice, path))
            if owner in (path, reading.old_path):
                return choice
        return choices[-1]

    def _end(self, reading: _Reading, end: Finished) -> None:
        path = reading.file.path
        if end.failed:
            file = reading.file
            self._fail(
                FailedSource(path, file.root, end.reason, end.remedy, file.size, file.mtime_ns,
                             self._recipe)
            )  # fmt: skip
            return
        for source, document_id in reading.by_source.items():
            if document_id not in reading.seen:
                self._batch.removes.append(document_id)
                self.tally.removed.append(source)
        if reading.old_path is not None:
            gone = [i for i in reading.old_sources.values() if i not in reading.seen]
            self._batch.removes.extend(gone)
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

    def flush(self) -> None:
        """Embed what is new, and commit the batch."""
        batch = self._batch
        used = [digest for put in batch.puts for digest in put.embedded]
        known = self._ledger.embedded(set(used))
        new = [digest for digest in dict.fromkeys(used) if digest not in known]
        if new:
            for at in range(0, len(new), ENCODE_TEXTS):
                piece = new[at : at + ENCODE_TEXTS]
                vectors = self._encoder.encode_passages([self._texts[digest] for digest in piece])
                batch.vectors.update(zip(piece, vectors, strict=True))
                self.tally.embedded += len(piece)
                self._on_embedded()
        self._writer.commit(batch)
        self._batch = Batch()
        self._texts = {}
        self._ids = {}
        self._passages = 0
        self._since = time.monotonic()


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
