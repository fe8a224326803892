"""Segments: immutable derived files, named by the truth, that hold the indexes of some passages.

A segment is one lexical file (`keys`, `states` and the postings) and, for each encoder, one dense
file with the same rows. Files are written and synced first; the transaction that names them comes
last, so that every named file is whole. Files that nothing names are swept under the writer's
lock. Law: the rows of all named segments are the passages of the truth, each once.
"""

from __future__ import annotations

import secrets
import sqlite3
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ragstone.corpus.arrays import Arrays, open_arrays, write_arrays
from ragstone.corpus.postings import Postings, PostingsBuilder, merge_postings
from ragstone.corpus.rows import labels
from ragstone.corpus.vectors import Bools, Bytes, DenseIndex, Floats, vector_arrays
from ragstone.text.analysis import analyse

FOLDER = "segments"
_PROBE = (  # enough to notice that terms are made otherwise than they were
    "The houses' e-mail of Mr. O'Neill: 3.14 running CamelCase snake_case naïve Ærø",
    "Die Häuser am größten See", "les élèves étaient là", "по-русски ёлками", "कमल के फूल",
    "東京都に行きました カタカナ", "中文分词", "ภาษาไทยไม่มีช่องว่าง", "한국에서는", "كتابين", "ἀγαθῶν",
)  # fmt: skip
_VERIFY_BELOW = 512 << 20  # bytes; larger files are verified by `doctor` alone

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class IndexedPassage:
    """What the lexical index needs of a passage; `headings` end with its document's labels."""

    key: int
    state: int
    text: str
    headings: tuple[str, ...]
    title: str
    language: str


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """A row of the truth's table `segments`; `encoder` is None for a lexical file."""

    id: int
    kind: str
    encoder: int | None
    file: str
    rows: int
    first_key: int
    last_key: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class LexicalSegment:
    """An opened lexical file: passage keys (ascending), document states, postings."""

    keys: Ints
    states: Ints
    postings: Postings
    analysis: str  # `analysis_name()` of the release that made its terms; "" where several did

    @classmethod
    def opened(cls, arrays: Arrays) -> LexicalSegment:
        """Read the file's arrays as a segment."""
        keys, states = arrays["keys"].view(np.int64), arrays["states"].view(np.int64)
        return cls(keys, states, Postings(arrays), str(arrays.meta.get("analysis", "")))


@cache
def analysis_name() -> str:
    """A name for how this release makes terms of texts: another name, other terms."""
    languages = ("", "de", "fr", "ru", "hi", "ja", "zh", "th", "ko", "ar", "el")
    terms = [analyse(text, language) for text, language in zip(_PROBE, languages, strict=True)]
    spoken = labels({"a": "The Verge", "b": "https://a.b", "c": "2023-10-01", "d": "x" * 80})
    return f"{zlib.crc32(repr((terms, spoken)).encode()):08x}"


def new_name(kind: str) -> str:
    """A file name never used before, even by a process that died."""
    return f"{secrets.token_hex(8)}.{kind}"


def query_terms(question: str, language: str = "") -> Counter[str]:
    """The question's terms with how often each is asked."""
    return Counter(analyse(question, language))


def write_lexical(folder: Path, passages: Iterable[IndexedPassage]) -> SegmentRow:
    """Index passages (keys ascending) into a new file; its row of the truth has no id yet."""
    builder = PostingsBuilder()
    keys: list[int] = []
    states: list[int] = []
    titles: dict[tuple[str, str], list[str]] = {}
    for passage in passages:
        title = titles.get((passage.title, passage.language))
        if title is None:
            title = titles[passage.title, passage.language] = analyse(
                passage.title, passage.language
            )
        headings = " \n ".join(h for h in passage.headings if h != passage.title)
        builder.add(
            analyse(passage.text, passage.language),
            analyse(headings, passage.language) if headings else (),
            title,
        )
        keys.append(passage.key)
        states.append(passage.state)
    return _write(
        folder, "lexical", None, np.array(keys, np.int64), np.array(states, np.int64),
        dict(builder.arrays()), analysis_name(),
    )  # fmt: skip


def _write(
    folder: Path,
    kind: str,
    encoder: int | None,
    keys: Ints,
    states: Ints,
    arrays: dict[str, object],
    analysis: str = "",
) -> SegmentRow:
    name = new_name("lex" if kind == "lexical" else "vec")
    content = {"keys": keys, **arrays}
    if kind == "lexical":
        content["states"] = states
    meta = {"kind": kind, "analysis": analysis}
    size = write_arrays(folder / FOLDER / name, content, meta=meta)  # type: ignore[arg-type]
    return SegmentRow(-1, kind, encoder, name, len(keys), int(keys[0]), int(keys[-1]), size)


def write_dense(
    folder: Path, encoder: int, keys: Ints, codes: Sequence[Bytes], scales: Sequence[Floats]
) -> SegmentRow:
    """Write the vectors of passages (keys ascending) into a new file."""
    arrays: dict[str, object] = dict(vector_arrays(codes, scales))
    return _write(folder, "dense", encoder, keys, keys, arrays)


def merge_lexical(folder: Path, parts: Sequence[tuple[LexicalSegment, Bools]]) -> SegmentRow | None:
    """Join segments (in order of their keys), keeping masked rows; None when nothing is left."""
    keys = np.concatenate([segment.keys[keep] for segment, keep in parts])
    states = np.concatenate([segment.states[keep] for segment, keep in parts])
    if not len(keys):
        return None
    arrays: dict[str, object] = dict(merge_postings([(s.postings, keep) for s, keep in parts]))
    names = {segment.analysis for segment, _ in parts}
    analysis = names.pop() if len(names) == 1 else ""
    return _write(folder, "lexical", None, keys, states, arrays, analysis)


def merge_dense(
    folder: Path, encoder: int, parts: Sequence[tuple[Ints, DenseIndex, Bools]]
) -> SegmentRow | None:
    """As `merge_lexical`, for the vectors."""
    keys = np.concatenate([keys[keep] for keys, _, keep in parts])
    if not len(keys):
        return None
    return write_dense(
        folder, encoder, keys,
        [index.codes[keep] for _, index, keep in parts],
        [index.scales[keep] for _, index, keep in parts],
    )  # fmt: skip


def open_segment(folder: Path, row: SegmentRow) -> Arrays:
    """Map a segment's file. Raises FileNotFoundError or CorpusError (damaged)."""
    return open_arrays(folder / FOLDER / row.file, verify=row.size_bytes < _VERIFY_BELOW)


def segment_rows(connection: sqlite3.Connection) -> list[SegmentRow]:
    """The segments that the truth names, in the order of their keys."""
    found = connection.execute(
        "SELECT id, kind, encoder, file, rows, first_key, last_key, size_bytes FROM segments "
        "ORDER BY first_key"
    )
    return [SegmentRow(*item) for item in found]


def insert_segment(connection: sqlite3.Connection, segment: SegmentRow) -> None:
    """Name a segment's file in the truth."""
    connection.execute(
        "INSERT INTO segments (kind, encoder, file, rows, first_key, last_key, size_bytes) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (segment.kind, segment.encoder, segment.file, segment.rows, segment.first_key,
         segment.last_key, segment.size_bytes),
    )  # fmt: skip
