"""The corpora that a server holds, and what a caller may see of them.

Law: every question passes through `Shelf.visible`, which joins the caller's own filter to the
one he asks with, before anything is retrieved. A corpus or document that he may not see is
answered exactly as one that does not exist, and changes nothing of what else is answered.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ragstone.corpus.listing import Order, Page
from ragstone.corpus.where_parser import parse_where
from ragstone.errors import UsageError
from ragstone.serve.jobs import Jobs
from ragstone.serve.keys import Caller
from ragstone.serve.metrics import Metrics
from ragstone.serve.options import Options
from ragstone.serve.pages import Pages
from ragstone.serve.problem import Problem, from_error
from ragstone.serve.work import Work
from ragstone.types import Document, DocumentInfo

if TYPE_CHECKING:
    from ragstone.build import Corpus

_IDS_AT_ONCE = 50  # in one filter expression


class Shelf:
    """One corpus under the name that callers use for it."""

    def __init__(self, name: str, corpus: Corpus, folder: Path, uploads: Path) -> None:
        self.name = name
        self.corpus = corpus
        self.folder = folder
        self.uploads = uploads
        self.writing = threading.Lock()  # one writer: the others wait here, not in the database
        self.keeping = threading.Lock()  # of the files that callers keep: read, changed, replaced

    def visible(self, caller: Caller, where: str = "") -> str | None:
        """The filter for this caller and this question, or None. Raises Problem (400).

        Both are read on their own before they are joined, so that no bracket in the one can
        change the meaning of the other. The question's is asked within the caller's, so that a
        field which only hidden documents have is unknown to him.
        """
        parts = [part for part in (where, caller.where) if part.strip()]
        try:
            for part in parts:
                parse_where(part)
        except UsageError as error:
            raise from_error(error) from error
        return " WITHIN ".join(f"({part})" for part in parts) or None

    @property
    def version(self) -> int:
        """The newest published version."""
        return self.corpus.store.head()

    def listing(
        self, where: str | None, *, words: Sequence[str] = (), format: str = "",
        order: Order = "title", offset: int = 0, limit: int = 0,
    ) -> Page:  # fmt: skip
        """One page of the documents that fit, and how many there are."""
        version = self.version
        if not version:
            return Page((), 0, 0, {})
        with self.corpus.store.snapshot(version) as snapshot:
            return snapshot.listing(
                parse_where(where) if where else None, words=words, format=format, order=order,
                offset=offset, limit=limit,
            )  # fmt: skip

    def find(
        self, id_: str, caller: Caller, *, at: int | None = None, text: bool = False
    ) -> tuple[DocumentInfo, Document | None]:
        """One document as it was in version `at` (the newest, when None), on request with its text.

        Raises Problem (404), also where it is not visible; UsageError for an unknown version. An
        earlier state is no way around a filter that hides the document as it is now.
        """
        exactly = "id = '" + id_.replace("'", "''") + "'"
        where = self.visible(caller, exactly)
        if at is not None and self.hidden(caller, (id_,)):
            raise _no_document()
        with self.corpus.store.snapshot(at) as snapshot:
            for info in snapshot.documents(parse_where(where) if where else None):
                return info, snapshot.document(info.id) if text else None
        raise _no_document()

    def hidden(self, caller: Caller, ids: Collection[str]) -> frozenset[str]:
        """Those of the documents that exist now and that this caller may not see."""
        if not caller.where or not ids:
            return frozenset()
        found: set[str] = set()
        wanted = sorted(set(ids))
        with self.corpus.store.snapshot() as snapshot:
            for start in range(0, len(wanted), _IDS_AT_ONCE):
                some = wanted[start : start + _IDS_AT_ONCE]
                listed = ", ".join("'" + id_.replace("'", "''") + "'" for id_ in some)
                named = f"id IN ({listed})"
                found |= {info.id for info in snapshot.documents(parse_where(named))}
                seen = parse_where(self.visible(caller, named) or named)
                found -= {info.id for info in snapshot.documents(seen)}
        return frozenset(found)


def _no_document() -> Problem:
    return Problem(
        404, "no_document", "There is no such document.", remedy="List them at /documents."
    )


class Library:
    """Everything that the operations share."""

    def __init__(
        self, shelves: Mapping[str, Shelf], options: Options, metrics: Metrics, work: Work
    ) -> None:
        if not shelves:
            raise UsageError("A server needs a corpus.", remedy="Give --corpus NAME=FOLDER.")
        self.shelves = dict(shelves)
        self.options = options
        self.metrics = metrics
        self.work = work
        self.pages = Pages()
        self.jobs = Jobs(threads=options.jobs, waiting=options.waiting)
        self.uploading = 0
        self.ready = False

    def shelf(self, name: str, caller: Caller) -> Shelf:
        """The corpus of this name. Raises Problem (404), also where it is not visible."""
        shelf = self.shelves.get(name)
        if shelf is None or not caller.sees(name):
            raise Problem(
                404, "no_corpus", "There is no such corpus.", remedy="List them at /api/corpora."
            )
        return shelf

    def seen_by(self, caller: Caller) -> list[Shelf]:
        """The corpora that this caller may see, in the order they were given."""
        return [shelf for name, shelf in self.shelves.items() if caller.sees(name)]

    def close(self) -> None:
        """Stop taking work, let what is under way end, then close every corpus."""
        self.work.close()
        self.jobs.close()
        self.pages.close()
        for shelf in self.shelves.values():
            shelf.corpus.close()
