"""One committed version of a corpus, for reading: a `protocols.Snapshot`.

Law: everything a snapshot says is of one version, for as long as it is open, whatever a writer does
meanwhile: it holds a read transaction on the truth, and maps of the segments that the truth named
then. Scores count the passages of this version that pass the filter, and no others. Several threads
may share a snapshot.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Self, cast

import numpy as np

from ragstone.corpus import rows as row
from ragstone.corpus.fields import check
from ragstone.corpus.listing import Order, Page, page
from ragstone.corpus.naming import find, unknown
from ragstone.corpus.passages import Passages
from ragstone.corpus.truth import Truth, visible
from ragstone.corpus.view import IndexView, Passing
from ragstone.corpus.where import Where
from ragstone.corpus.where_parser import parse_where
from ragstone.errors import CorpusError, UsageError
from ragstone.protocols import Filter, Scored, Vectors
from ragstone.types import Document, DocumentInfo, Passage

_READ_BACK = 100  # documents read whole after a sync
_COMPARED = 5_000  # documents whose passages are compared at a time


class CorpusSnapshot:
    """Made by `Store.snapshot`; a context manager."""

    def __init__(self, truth: Truth, version: int, encoder_identity: str, view: IndexView) -> None:
        """`truth` has a read transaction open, and is the snapshot's own from now on."""
        self._truth = truth
        self._version = version
        self._encoder_identity = encoder_identity
        self._view = view
        self._passages = Passages(truth, version)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.close()

    def close(self) -> None:
        """Let go of the version."""
        self._truth.close()

    @property
    def version(self) -> int:
        return self._version

    @property
    def encoder_identity(self) -> str:
        return self._encoder_identity

    # --- documents

    def documents(self, where: Filter | None = None) -> Iterator[DocumentInfo]:
        """All documents of this version that pass `where`, ordered by source and id."""
        condition, parameters = self._condition(where)
        found = self._truth.all(
            f"SELECT {row.DOCUMENT_COLUMNS} FROM documents "
            f"WHERE {visible(self._version)} AND {condition} "
            "ORDER BY documents.source, documents.id",
            parameters,
        )
        for item in found:
            yield row.document_info(cast("row.DocumentRow", item))

    def listing(
        self, where: Filter | None = None, *, words: Sequence[str] = (), format: str = "",
        order: Order = "title", offset: int = 0, limit: int = 50,
    ) -> Page:  # fmt: skip
        """One page of the documents that pass `where`; see `listing.page`."""
        return page(
            self._truth, self._version, self._condition(where), words=words, format=format,
            order=order, offset=offset, limit=limit,
        )  # fmt: skip

    def document(self, document_id: str) -> Document:
        """The whole document. Raises UsageError for an unknown id, CorpusError for damage."""
        found = self._truth.all(
            f"SELECT content, {row.DOCUMENT_COLUMNS} FROM documents "
            f"WHERE documents.id = ? AND {visible(self._version)}",
            (document_id,),
        )
        if not found:
            raise unknown(self._truth, self._version, document_id)
        content, *rest = found[0]
        info = row.document_info(cast("row.DocumentRow", tuple(rest)))
        blocks = self._truth.all(
            "SELECT body FROM blocks WHERE content = ? ORDER BY start", (content,)
        )
        text = "".join(row.unpack_block(cast("bytes", body)) for (body,) in blocks)
        if row.text_hash(text).hex() != info.content_hash:
            raise row.damaged_row("the text of document", repr(document_id))
        ((elements,),) = self._truth.all("SELECT elements FROM contents WHERE id = ?", (content,))
        return Document(
            info.id, info.source, info.title, text, info.format,
            row.unpack_elements(cast("bytes", elements)), info.metadata, info.language,
        )  # fmt: skip

    def find(self, name: str, where: Filter | None = None) -> DocumentInfo:
        """By id, source, or a unique ending of a source, among the documents that pass `where`.

        Raises UsageError, with near matches.
        """
        return find(self._truth, self._version, name, self._condition(where))

    def _condition(self, where: Filter | None) -> tuple[str, list[str | int | float]]:
        if where is None:
            return "1", []
        parsed = where if isinstance(where, Where) else parse_where(where.expression)
        check(self._truth, self._version, parsed)
        return parsed.sql()

    # --- passages

    def fetch(self, keys: Sequence[int]) -> list[tuple[Passage, DocumentInfo]]:
        """Passages with their documents, in the order of `keys`.

        Raises CorpusError for a key that this version does not hold, or for damage.
        """
        return self._passages.fetch(keys)

    def passages(self, document_id: str) -> list[Passage]:
        """The document's passages in the order of its text. Raises UsageError for an unknown id."""
        keys = self._passages.keys_of(document_id)
        if not keys:
            self.find(document_id)
        return [passage for passage, _ in self.fetch(keys)]

    def unlike(self, expected: Mapping[str, int]) -> list[str]:
        """Those ids whose documents this version does not hold whole.

        For every id its number of passages is compared, and that each is in the indexes; of some
        documents, spread over all, the text is read and compared with its hash.
        """
        ids = list(expected)
        wrong: set[str] = set()
        for at in range(0, len(ids), _COMPARED):
            block = ids[at : at + _COMPARED]
            held = self._passages.of_documents(block)
            wrong.update(id for id in block if len(held.get(id, ())) != expected[id])
            wrong.update(set(block) - set(held))
            owner = {key: id for id, keys in held.items() for key in keys}
            keys = np.array(list(owner), dtype=np.int64)
            wrong.update(owner[int(key)] for key in keys[~self._view.holds(keys)])
        for id in ids[:: max(1, len(ids) // _READ_BACK)]:
            try:
                self.document(id)
                self.fetch(self._passages.keys_of(id)[:8])
            except (CorpusError, UsageError):
                wrong.add(id)
        return sorted(wrong)

    # --- search

    def _passing(self, where: Filter | None) -> Passing:
        """This version's documents that pass the filter, as the indexes know them."""
        condition, parameters = self._condition(where)
        found = self._truth.all(
            "SELECT documents.state, documents.language FROM documents "
            f"WHERE {visible(self._version)} AND {condition}",
            parameters,
        )
        states = np.array([state for state, _ in found], dtype=np.int64)
        return Passing(states, sorted({str(language) for _, language in found}) or [""])

    def lexical(
        self, question: str, k: int, where: Filter | None = None, *, language: str = ""
    ) -> list[Scored]:
        """The best `k` passages by BM25F, best first; equal scores by key.

        A question without a `language` is asked in all languages of the documents that pass. Empty
        where the question has no terms, or none that occurs.
        """
        return self._view.lexical(
            question, k, expression=None if where is None else where.expression,
            passing=lambda: self._passing(where), language=language,
        )  # fmt: skip

    def dense(
        self, vector: Vectors, k: int, where: Filter | None = None, *, exact: bool = False
    ) -> list[Scored]:
        """The best `k` passages by cosine to `vector` of shape (dim,), best first.

        With `exact`, all wanted passages are looked at, however many.
        """
        return self._view.dense(
            vector, k, expression=None if where is None else where.expression,
            passing=lambda: self._passing(where), exact=exact,
        )  # fmt: skip

    def vectors(self, keys: Sequence[int]) -> Vectors:
        """Stored unit vectors in the order of `keys`, shape (len(keys), dim)."""
        return self._view.vectors(keys)
