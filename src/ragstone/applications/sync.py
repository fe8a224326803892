"""`sync`: make the corpus mirror files: add, change, rename and remove, each exactly once.

    scan -> compare stat, then hash -> read (worker processes) -> chunk -> embed what is new
         (on threads, meanwhile) -> commit in batches -> publish one version -> read it back

Laws: an unchanged file is never read; what cannot be read keeps its old state and is reported; a
root that is gone deletes nothing unless that is confirmed; the corpus after any sequence of
changes and syncs (with kills between) holds what a new corpus of the same files would.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ragstone.applications.sync_plan import make_plan
from ragstone.applications.sync_read import FILE_TIMEOUT_S, Finished, ReadFile, read_files
from ragstone.applications.sync_scan import scan
from ragstone.applications.sync_take import Taker
from ragstone.corpus import Store, Writer
from ragstone.errors import CorpusError
from ragstone.protocols import Encoder
from ragstone.types import Document, Failure, Passage

Chunk = Callable[[Document], Sequence[Passage]]
EmbeddingText = Callable[[Document, Passage], str]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sync is: files of all files that are to be read, passages so far, the file."""

    files: int
    all_files: int
    documents: int
    passages: int
    path: str
    embedded: int = 0  # passages whose vectors were made; those known already are not counted


@dataclass(slots=True)
class _Files:
    """How many files were read of how many, and the one in hand."""

    all_: int
    done: int = 0
    path: str = ""


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync did. Names are sources of documents (`path`, or `path#part`)."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...]  # from, to
    unchanged: int  # files that were not read, and documents that came out the same
    skipped: tuple[Failure, ...]  # left out on purpose
    failed: tuple[Failure, ...]  # kept as they were before, tried again when they change
    version: int
    passages: int  # of the documents that were written
    embedded: int  # texts that were embedded; the others were known
    seconds: float

    @property
    def is_change(self) -> bool:
        """Whether the corpus is another than before."""
        return bool(self.added or self.changed or self.removed or self.renamed)


def sync(
    store: Store,
    paths: Iterable[str | Path],
    *,
    encoder: Encoder,
    read: ReadFile,
    chunk: Chunk,
    embedding_text: EmbeddingText,
    recipe: str = "",
    workers: int = 1,
    timeout_s: float = FILE_TIMEOUT_S,
    confirm_missing: bool = False,
    retry_failed: bool = False,
    follow_links: bool = False,
    reader: str = "",
    on_progress: Callable[[Progress], None] | None = None,
    note: str = "sync",
) -> SyncReport:
    """Mirror files and folders into the corpus and publish one version.

    `read` must be picklable when there are workers. `recipe` names everything that decides how a
    file becomes passages; files read by another recipe are read again. `reader` names what the
    reader can do (its release, the extras that are installed): files that failed twice are tried
    again when that or they changed, or with `retry_failed`. With `confirm_missing` what lies under
    a root that is gone is removed; with `follow_links` links may lead out of the given paths.
    Ctrl-C publishes what was finished. Raises UsageError for a missing path, CorpusError for a
    corpus that cannot be written.
    """
    started = time.monotonic()
    with store.writer() as writer:
        _check_encoder(writer, encoder)
        found = scan(paths, follow_links=follow_links)
        attempt = f"{recipe} {reader}"
        plan = make_plan(
            writer.ledger, found, recipe=recipe, confirm_missing=confirm_missing, attempt=attempt,
            retry_failed=retry_failed,
        )  # fmt: skip
        files = _Files(len(plan.to_read))

        def report() -> None:
            if on_progress is not None:
                tally = taker.tally
                on_progress(
                    Progress(files.done, files.all_, tally.documents, tally.passages, files.path,
                             tally.embedded)
                )  # fmt: skip

        taker = Taker(
            writer, plan, encoder=encoder, chunk=chunk, embedding_text=embedding_text,
            recipe=recipe, attempt=attempt, on_embedded=report,
        )  # fmt: skip
        try:
            taker.remove_missing()
            for message in read_files(
                [file.path for file in plan.to_read], read=read,
                workers=min(workers, len(plan.to_read)), timeout_s=timeout_s,
            ):  # fmt: skip
                files.path = message.path
                taker.take(message)
                files.done += isinstance(message, Finished)
                report()
            taker.flush()
        except KeyboardInterrupt:
            taker.commit_ready()
            writer.publish(note=f"{note} (interrupted)")
            raise
        finally:
            taker.close()
        version = writer.publish(note=note)
        writer.merge()
    tally = taker.tally
    _read_back(store, version, taker)
    return SyncReport(
        tuple(tally.added), tuple(tally.changed), tuple(tally.removed), tuple(tally.renamed),
        tally.unchanged + len(plan.unchanged), tuple(found.skipped), tuple(tally.failed), version,
        tally.passages, tally.embedded, time.monotonic() - started,
    )  # fmt: skip


def _check_encoder(writer: Writer, encoder: Encoder) -> None:
    if encoder.identity != writer.encoder_identity:
        raise CorpusError(
            f"The corpus was built with the encoder {writer.encoder_identity} ({writer.dim} "
            f"dimensions); the given one is {encoder.identity} ({encoder.dim} dimensions).",
            remedy="Run `ragstone reembed`, or sync with the encoder it was built with.",
        )


def _read_back(store: Store, version: int, taker: Taker) -> None:
    """Nothing is reported as done that cannot be read: open the version and look."""
    if not taker.tally.written:
        return
    with store.snapshot(version) as snapshot:
        wrong = snapshot.unlike(taker.tally.written)
    if wrong:
        raise CorpusError(
            f"{len(wrong)} documents are not read back as they were written, {wrong[0]!r} first.",
            remedy="Run `ragstone doctor`, and please report this.",
        )
