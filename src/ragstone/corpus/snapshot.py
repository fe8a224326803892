"""One committed version of a corpus, for reading: a `protocols.Snapshot`.

Law: everything a snapshot says is of one version, for as long as it is open, whatever a writer does
meanwhile: it holds a read transaction on the truth, and maps of the segments that the truth named
then. Scores count the passages of this version alone. Several threads may share a snapshot.
"""

from __future__ import annotations

import difflib
import sqlite3
from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self, cast

import numpy as np
import numpy.typing as npt

from ragstone.corpus import rows as row
from ragstone.corpus.postings import (
    Bm25,
    LexicalPart,
    LexicalStatistics,
    bm25_scores,
    length_norms,
)
from ragstone.corpus.schema import BROKEN, DATABASE, damaged
from ragstone.corpus.segments import LexicalSegment, query_terms
from ragstone.corpus.vectors import Bools, DenseIndex, DensePart, dense_scores, restore
from ragstone.corpus.where import COLUMNS, Where, parse_where
from ragstone.errors import CorpusError, UsageError
from ragstone.protocols import Filter, Scored, Vectors
from ragstone.types import Document, DocumentInfo, Passage, Span

_CACHED_BLOCKS = 128  # of 64 Ki characters
_NEAR = 20_000  # names compared to find what was meant
_AT_ONCE = 500  # parameters of one statement
_READ_BACK = 100  # documents read whole after a sync


class CorpusSnapshot:
    """Made by `Store.snapshot`; a context manager."""

    def __init__(
        self,
        folder: Path,
        connection: sqlite3.Connection,
        version: int,
        encoder_identity: str,
        lexical: Sequence[LexicalSegment],
        dense: Sequence[DenseIndex],
        *,
        bm25: Bm25,
    ) -> None:
        self._folder = folder
        self._connection = connection
        self._version = version
        self._encoder_identity = encoder_identity
        self._lexical = lexical
        self._dense = dense
        self._bm25 = bm25
        self._lock = Lock()
        self._blocks: OrderedDict[tuple[int, int], str] = OrderedDict()
        self._masks: OrderedDict[str, list[Bools]] = OrderedDict()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.close()

    def close(self) -> None:
        """Let go of the version."""
        with self._lock:
            self._connection.close()

    @property
    def version(self) -> int:
        return self._version

    @property
    def encoder_identity(self) -> str:
        return self._encoder_identity

    def _query(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[object, ...]]:
        try:
            with self._lock:
                return self._connection.execute(sql, tuple(parameters)).fetchall()
        except BROKEN as error:
            raise damaged(self._folder / DATABASE, error) from error

    @property
    def _visible(self) -> str:
        v = int(self._version)
        return f"documents.added <= {v} AND (documents.removed IS NULL OR documents.removed > {v})"

    # --- documents

    def documents(self, where: Filter | None = None) -> Iterator[DocumentInfo]:
        """All documents of this version that pass `where`, ordered by source and id."""
        condition, parameters = self._condition(where)
        found = self._query(
            f"SELECT {row.DOCUMENT_COLUMNS} FROM documents WHERE {self._visible} AND {condition} "
            "ORDER BY documents.source, documents.id",
            parameters,
        )
        for item in found:
            yield row.document_info(cast("row.DocumentRow", item))

    def document(self, document_id: str) -> Document:
        """The whole document. Raises UsageError for an unknown id, CorpusError for damage."""
        found = self._query(
            f"SELECT content, {row.DOCUMENT_COLUMNS} FROM documents "
            f"WHERE documents.id = ? AND {self._visible}",
            (document_id,),
        )
        if not found:
            raise self._unknown(document_id)
        content, *rest = found[0]
        info = row.document_info(cast("row.DocumentRow", tuple(rest)))
        blocks = self._query("SELECT body FROM blocks WHERE content = ? ORDER BY start", (content,))
        text = "".join(row.unpack_block(cast("bytes", body)) for (body,) in blocks)
        if row.text_hash(text).hex() != info.content_hash:
            raise row.damaged_row("the text of document", repr(document_id))
        ((elements,),) = self._query("SELECT elements FROM contents WHERE id = ?", (content,))
        return Document(
            info.id, info.source, info.title, text, info.format,
            row.unpack_elements(cast("bytes", elements)), info.metadata, info.language,
        )  # fmt: skip

    def find(self, name: str) -> DocumentInfo:
        """By id, source, or a unique ending of a source. Raises UsageError, with near matches."""
        select = f"SELECT {row.DOCUMENT_COLUMNS} FROM documents WHERE {self._visible} AND "
        for condition in ("documents.id = ?", "documents.source = ?"):
            found = self._query(select + condition + " LIMIT 2", (name,))
            if len(found) == 1:
                return row.document_info(cast("row.DocumentRow", found[0]))
        ending = name.replace("\\", "/").removeprefix("./")
        found = self._query(
            select + "substr(documents.source, -length(?)) = ? ORDER BY documents.source LIMIT 20",
            (ending, ending),
        )
        whole = [
            r
            for r in found
            if str(r[2])[: -len(ending)].endswith(("/", "\\", "#", ""))
            and (len(str(r[2])) == len(ending) or str(r[2])[-len(ending) - 1] in "/\\#")
        ]
        found = whole or found
        if len(found) == 1:
            return row.document_info(cast("row.DocumentRow", found[0]))
        if found and ending:
            names = ", ".join(repr(item[2]) for item in found[:5])
            raise UsageError(
                f"{name!r} fits several documents: {names}.", remedy="Give more of the path."
            )
        raise self._unknown(name)

    def _unknown(self, name: str) -> UsageError:
        names = [
            str(item)
            for pair in self._query(
                f"SELECT id, source FROM documents WHERE {self._visible} LIMIT {_NEAR}"
            )
            for item in pair
        ]
        last = {n.rsplit("/", 1)[-1] for n in names}
        near = difflib.get_close_matches(name.rsplit("/", 1)[-1], last, n=3)
        whole = [n for n in names if n.rsplit("/", 1)[-1] in near]
        whole.sort(key=lambda n: -difflib.SequenceMatcher(None, name, n).ratio())
        guess = f" Near: {', '.join(whole[:3])}." if near else ""
        return UsageError(
            f"Version {self._version} of the corpus holds no document {name!r}.{guess}",
            remedy="`ragstone list` shows what it holds.",
        )

    def _condition(self, where: Filter | None) -> tuple[str, list[str | int | float]]:
        if where is None:
            return "1", []
        parsed = where if isinstance(where, Where) else parse_where(where.expression)
        for compare in parsed.fields():
            if compare.field.lower() not in COLUMNS and not self._query(
                "SELECT 1 FROM documents, json_each(documents.metadata) WHERE key = ? LIMIT 1",
                (compare.field,),
            ):
                known = self._query(
                    "SELECT DISTINCT key FROM documents, json_each(documents.metadata)"
                )
                if known or self._query("SELECT 1 FROM documents LIMIT 1"):
                    raise parsed.unknown_field(compare, [*COLUMNS, *(str(k) for (k,) in known)])
        return parsed.sql()

    # --- passages

    def fetch(self, keys: Sequence[int]) -> list[tuple[Passage, DocumentInfo]]:
        """Passages with their documents, in the order of `keys`.

        Raises CorpusError for a key that this version does not hold, or for damage.
        """
        found: dict[int, tuple[Passage, DocumentInfo]] = {}
        wanted = sorted(set(keys))
        for at in range(0, len(wanted), _AT_ONCE):
            block = wanted[at : at + _AT_ONCE]
            marks = ", ".join("?" * len(block))
            for item in self._query(
                'SELECT passages.key, passages.start, passages."end", passages.headings, '
                f"passages.page, passages.checksum, documents.content, {row.DOCUMENT_COLUMNS} "
                "FROM passages JOIN documents ON documents.state = passages.state "
                f"WHERE passages.key IN ({marks}) AND {self._visible}",
                block,
            ):
                passage, info = self._passage(item)
                found[passage.key] = (passage, info)
        missing = [key for key in keys if key not in found]
        if missing:
            raise CorpusError(
                f"Version {self._version} of the corpus has no passage {missing[0]}.",
                remedy="Search again: the key is of another version or corpus.",
            )
        return [found[key] for key in keys]

    def passages(self, document_id: str) -> list[Passage]:
        """The document's passages in the order of its text. Raises UsageError for an unknown id."""
        found = self._query(
            "SELECT passages.key FROM passages JOIN documents ON documents.state = passages.state "
            f"WHERE documents.id = ? AND {self._visible} ORDER BY passages.start, passages.key",
            (document_id,),
        )
        if not found:
            self.find(document_id)
        return [passage for passage, _ in self.fetch([cast("int", key) for (key,) in found])]

    def unlike(self, expected: Mapping[str, int]) -> list[str]:
        """Those ids whose documents this version does not hold whole.

        For every id its number of passages is compared, and that each is in the indexes; of some
        documents, spread over all, the text is read and compared with its hash.
        """
        counts: dict[str, int] = {}
        keys: dict[int, str] = {}
        ids = list(expected)
        for at in range(0, len(ids), _AT_ONCE):
            block = ids[at : at + _AT_ONCE]
            for key, id in self._query(
                "SELECT passages.key, documents.id FROM documents "
                "LEFT JOIN passages ON passages.state = documents.state "
                f"WHERE documents.id IN ({', '.join('?' * len(block))}) AND {self._visible}",
                block,
            ):
                counts.setdefault(str(id), 0)
                if key is not None:
                    counts[str(id)] += 1
                    keys[cast("int", key)] = str(id)
        wrong = {id for id, count in expected.items() if counts.get(id) != count}
        indexed = np.concatenate([s.keys for s in self._lexical] or [np.zeros(0, np.int64)])
        held = np.array(list(keys), dtype=np.int64)
        wrong.update(keys[int(key)] for key in held[~np.isin(held, indexed)])
        for id in ids[:: max(1, len(ids) // _READ_BACK)]:
            try:
                self.document(id)
                self.fetch([p.key for p in self.passages(id)[:8]])
            except (CorpusError, UsageError):
                wrong.add(id)
        return sorted(wrong)

    def _passage(self, item: tuple[object, ...]) -> tuple[Passage, DocumentInfo]:
        key, start, end, headings, page, checksum, content, *rest = cast(
            "tuple[int, int, int, str, int | None, int, int, object]", item
        )
        info = row.document_info(cast("row.DocumentRow", tuple(rest)))
        try:
            text = self._slice(content, start, end)
            path = row.unpack_headings(headings)
            passage = Passage(info.id, Span(start, end), text, path, page, key)
            state = cast("int", rest[0])
            fits = row.passage_checksum(state, passage, headings) == checksum
        except (TypeError, ValueError, AttributeError) as error:
            raise row.damaged_row("the row of passage", str(key)) from error
        if not fits:
            raise row.damaged_row("the row of passage", str(key))
        return passage, info

    def _slice(self, content: int, start: int, end: int) -> str:
        size = row.BLOCK_CHARACTERS
        first = start // size * size
        parts = [self._block(content, at) for at in range(first, max(end, start + 1), size)]
        return "".join(parts)[start - first : end - first]

    def _block(self, content: int, start: int) -> str:
        with self._lock:
            text = self._blocks.get((content, start))
        if text is None:
            found = self._query(
                "SELECT body FROM blocks WHERE content = ? AND start = ?", (content, start)
            )
            text = row.unpack_block(cast("bytes", found[0][0])) if found else ""
            with self._lock:
                self._blocks[content, start] = text
                if len(self._blocks) > _CACHED_BLOCKS:
                    self._blocks.popitem(last=False)
        return text

    # --- search

    @cached_property
    def _hidden(self) -> npt.NDArray[np.int64]:
        found = self._query(
            "SELECT state FROM documents WHERE added > ? "
            "UNION SELECT state FROM documents WHERE removed IS NOT NULL AND removed <= ?",
            (self._version, self._version),
        )
        return np.array([state for (state,) in found], dtype=np.int64)

    @cached_property
    def _alive(self) -> list[Bools | None]:
        masks: list[Bools | None] = []
        for segment in self._lexical:
            hidden = self._hidden
            if len(hidden) and len(segment.states):
                low, high = segment.states.min(), segment.states.max()
                hidden = hidden[(hidden >= low) & (hidden <= high)]
            masks.append(~np.isin(segment.states, hidden) if len(hidden) else None)
        return masks

    def _wanted(self, where: Filter | None) -> list[Bools | None]:
        """Per segment the rows of this version that pass the filter; None means all."""
        if where is None:
            return self._alive
        with self._lock:
            masks = self._masks.get(where.expression)
        if masks is None:
            condition, parameters = self._condition(where)
            found = self._query(
                f"SELECT documents.state FROM documents WHERE {self._visible} AND {condition}",
                parameters,
            )
            states = np.array([state for (state,) in found], dtype=np.int64)
            masks = [np.isin(segment.states, states) for segment in self._lexical]
            with self._lock:
                self._masks[where.expression] = masks
                if len(self._masks) > 16:
                    self._masks.popitem(last=False)
        return list(masks)

    @cached_property
    def _statistics(self) -> tuple[LexicalStatistics, list[npt.NDArray[np.float32]]]:
        parts = self._lexical_parts(self._alive)
        statistics = LexicalStatistics.of(parts)
        return statistics, length_norms(parts, statistics, self._bm25)

    @cached_property
    def _languages(self) -> list[str]:
        """The languages of this version's documents, by skipping along the index."""
        found = self._query(
            "WITH RECURSIVE names (name) AS (SELECT MIN(language) FROM documents UNION ALL "
            "SELECT (SELECT MIN(language) FROM documents WHERE language > name) FROM names "
            "WHERE name IS NOT NULL) SELECT name FROM names WHERE name IS NOT NULL AND EXISTS "
            f"(SELECT 1 FROM documents WHERE language = name AND {self._visible})"
        )
        return [str(name) for (name,) in found] or [""]

    def _lexical_parts(self, wanted: Sequence[Bools | None]) -> list[LexicalPart]:
        return [
            LexicalPart(segment.postings, alive, None if mask is alive else mask)
            for segment, alive, mask in zip(self._lexical, self._alive, wanted, strict=True)
        ]

    def lexical(
        self, question: str, k: int, where: Filter | None = None, *, language: str = ""
    ) -> list[Scored]:
        """The best `k` passages by BM25F, best first; equal scores by key.

        A question without a `language` is asked in all languages of the version's documents,
        because each document's terms are stems of its own language. Empty where the question has
        no terms, or none that occurs.
        """
        statistics, norms = self._statistics
        parts = self._lexical_parts(self._wanted(where))
        terms: Counter[str] = Counter()
        for name in [language] if language else self._languages:
            terms |= query_terms(question, name)
        scores = bm25_scores(parts, statistics, norms, terms, self._bm25)
        keys, values = [], []
        for segment, score in zip(self._lexical, scores, strict=True):
            hits = np.flatnonzero(score)
            keys.append(segment.keys[hits])
            values.append(score[hits])
        return _best(keys, values, k)

    def dense(
        self, vector: Vectors, k: int, where: Filter | None = None, *, exact: bool = False
    ) -> list[Scored]:
        """The best `k` passages by cosine to `vector` of shape (dim,), best first."""
        dims = {index.dim for index in self._dense}
        if dims and vector.shape != (dim := dims.pop(),):
            raise UsageError(
                f"The question's vector has the shape {vector.shape}; the corpus has {dim} "
                "dimensions.",
                remedy="Search with the encoder that the corpus was built with.",
            )
        wanted = self._wanted(where)
        parts = [DensePart(i, mask) for i, mask in zip(self._dense, wanted, strict=True)]
        found = dense_scores(parts, vector, k, exact=exact)
        keys = [s.keys[rows] for s, (rows, _) in zip(self._lexical, found, strict=True)]
        return _best(keys, [scores for _, scores in found], k)

    def vectors(self, keys: Sequence[int]) -> Vectors:
        """Stored unit vectors in the order of `keys`, shape (len(keys), dim)."""
        dim = self._dense[0].dim if self._dense else 0
        wanted = np.array(keys, dtype=np.int64)
        result = np.zeros((len(wanted), dim), dtype=np.float32)
        left = np.ones(len(wanted), dtype=np.bool_)
        for segment, index in zip(self._lexical, self._dense, strict=True):
            places = np.minimum(np.searchsorted(segment.keys, wanted), len(segment.keys) - 1)
            here = segment.keys[places] == wanted
            result[here] = restore(index.codes[places[here]], index.scales[places[here]])
            left &= ~here
        if left.any():
            raise CorpusError(
                f"The corpus has no vector for passage {wanted[left][0]}.",
                remedy="Search again; if it stays so, run `ragstone doctor`.",
            )
        return result


def _best(
    keys: Sequence[npt.NDArray[np.int64]], values: Sequence[npt.NDArray[np.float32]], k: int
) -> list[Scored]:
    if not keys or k < 1:
        return []
    all_keys, scores = np.concatenate(keys), np.concatenate(values)
    if len(scores) > k:
        least = np.partition(scores, len(scores) - k)[len(scores) - k]
        kept = np.flatnonzero(scores >= least)
        all_keys, scores = all_keys[kept], scores[kept]
    order = np.lexsort((all_keys, -scores))[:k]
    return [Scored(int(all_keys[i]), float(scores[i])) for i in order]
