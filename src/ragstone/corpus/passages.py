"""Passages of one version, read from the truth: rows by key, texts out of compressed blocks.

Law: a passage whose place or text does not fit its checksum is a CorpusError, never a wrong quote.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import cast

from ragstone.corpus import rows as row
from ragstone.corpus.truth import Row, Truth, visible
from ragstone.errors import CorpusError
from ragstone.types import DocumentInfo, Passage, Span

_CACHED_BLOCKS = 512  # of 16 Ki characters
_AT_ONCE = 500  # parameters of one statement

_Place = tuple[int, int, int, str, int | None, int, int]  # a row's columns before its document's
_PLACE = 7


class Passages:
    """Reads passages of one version; remembers the blocks of text that it unpacked."""

    def __init__(self, truth: Truth, version: int) -> None:
        self._truth = truth
        self._version = version
        self._lock = Lock()
        self._blocks: OrderedDict[tuple[int, int], str] = OrderedDict()

    def fetch(self, keys: Sequence[int]) -> list[tuple[Passage, DocumentInfo]]:
        """Passages with their documents, in the order of `keys`.

        Raises CorpusError for a key that this version does not hold, or for damage.
        """
        found: dict[int, tuple[Passage, DocumentInfo]] = {}
        wanted = sorted(set(keys))
        for at in range(0, len(wanted), _AT_ONCE):
            block = wanted[at : at + _AT_ONCE]
            rows = self._truth.all(
                'SELECT passages.key, passages.start, passages."end", passages.headings, '
                f"passages.page, passages.checksum, documents.content, {row.DOCUMENT_COLUMNS} "
                "FROM passages JOIN documents ON documents.state = passages.state "
                f"WHERE passages.key IN ({_marks(block)}) AND {visible(self._version)}",
                block,
            )
            infos: dict[object, DocumentInfo] = {}
            for item in rows:  # several passages of one document share its row
                if item[_PLACE] not in infos:
                    infos[item[_PLACE]] = row.document_info(cast("row.DocumentRow", item[_PLACE:]))
            self._load_short({cast("int", r[_PLACE - 1]): infos[r[_PLACE]] for r in rows})
            for item in rows:
                place = cast("_Place", item[:_PLACE])
                info = infos[item[_PLACE]]
                found[place[0]] = self._passage(place, cast("int", item[_PLACE]), info), info
        missing = [key for key in keys if key not in found]
        if missing:
            raise CorpusError(
                f"Version {self._version} of the corpus has no passage {missing[0]}.",
                remedy="Search again: the key is of another version or corpus.",
            )
        return [found[key] for key in keys]

    def keys_of(self, document_id: str) -> list[int]:
        """The keys of the document's passages in the order of its text; none for an unknown id."""
        found = self._truth.all(
            "SELECT passages.key FROM passages JOIN documents ON documents.state = passages.state "
            f"WHERE documents.id = ? AND {visible(self._version)} "
            "ORDER BY passages.start, passages.key",
            (document_id,),
        )
        return [cast("int", key) for (key,) in found]

    def of_documents(self, ids: Sequence[str]) -> dict[str, list[int]]:
        """The keys of the passages of those of the documents that this version holds."""
        keys: dict[str, list[int]] = {}
        for at in range(0, len(ids), _AT_ONCE):
            block = ids[at : at + _AT_ONCE]
            for key, id in self._truth.all(
                "SELECT passages.key, documents.id FROM documents "
                "LEFT JOIN passages ON passages.state = documents.state "
                f"WHERE documents.id IN ({_marks(block)}) AND {visible(self._version)}",
                block,
            ):
                held = keys.setdefault(str(id), [])
                if key is not None:
                    held.append(cast("int", key))
        return keys

    def _passage(self, place: _Place, state: int, info: DocumentInfo) -> Passage:
        key, start, end, headings, page, checksum, content = place
        try:
            text = self._slice(content, start, end)
            path = row.unpack_headings(headings)
            passage = Passage(info.id, Span(start, end), text, path, page, key)
            fits = row.passage_checksum(state, passage, headings) == checksum
        except (TypeError, ValueError, AttributeError) as error:
            raise row.damaged_row("the row of passage", str(key)) from error
        if not fits:
            raise row.damaged_row("the row of passage", str(key))
        return passage

    def _load_short(self, infos: Mapping[int, DocumentInfo]) -> None:
        """Unpack the texts of documents of one block, all with one question to the truth."""
        with self._lock:
            short = [
                content
                for content, info in infos.items()
                if info.characters <= row.BLOCK_CHARACTERS and (content, 0) not in self._blocks
            ]
        for content, body in self._truth.all(
            f"SELECT content, body FROM blocks WHERE start = 0 AND content IN ({_marks(short)})",
            short,
        ):
            self._keep(cast("int", content), 0, row.unpack_block(cast("bytes", body)))

    def _slice(self, content: int, start: int, end: int) -> str:
        """The text of a span. Blocks may be of any length: each begins where the last ends."""
        with self._lock:
            first = self._blocks.get((content, 0))
        if first is not None and end <= len(first):
            return first[start:end]
        starts = self._truth.all(
            "SELECT start FROM blocks WHERE content = ?1 AND start < MAX(?3, 1) AND start >= "
            "(SELECT MAX(start) FROM blocks WHERE content = ?1 AND start <= ?2) ORDER BY start",
            (content, start, end),
        )
        parts = [self._block(content, cast("int", at)) for (at,) in starts]
        begin = cast("int", starts[0][0]) if starts else 0
        return "".join(parts)[start - begin : end - begin]

    def _block(self, content: int, start: int) -> str:
        with self._lock:
            text = self._blocks.get((content, start))
        if text is None:
            found: list[Row] = self._truth.all(
                "SELECT body FROM blocks WHERE content = ? AND start = ?", (content, start)
            )
            text = row.unpack_block(cast("bytes", found[0][0])) if found else ""
            self._keep(content, start, text)
        return text

    def _keep(self, content: int, start: int, text: str) -> None:
        with self._lock:
            self._blocks[content, start] = text
            if len(self._blocks) > _CACHED_BLOCKS:
                self._blocks.popitem(last=False)


def _marks(items: Sequence[object]) -> str:
    return ", ".join("?" * len(items))
