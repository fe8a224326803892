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
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ragstone.corpus.arrays import Arrays, ArraysFile, open_arrays
from ragstone.corpus.joining import join_postings
from ragstone.corpus.postings import Postings, PostingsBuilder
from ragstone.corpus.rows import labels
from ragstone.corpus.vectors import (
    Bools,
    Bytes,
    DenseIndex,
    Floats,
    join_vectors,
    kept_vectors,
)
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
    row, path = _new(folder, "lexical", None, np.array(keys, np.int64))
    with ArraysFile(path, meta={"kind": "lexical", "analysis": analysis_name()}) as file:
        file.add("keys", np.array(keys, np.int64))
        file.add("states", np.array(states, np.int64))
        for name, array in builder.arrays().items():
            file.add(name, array)
        return replace(row, size_bytes=file.finish())


def _new(folder: Path, kind: str, encoder: int | None, keys: Ints) -> tuple[SegmentRow, Path]:
    """The row of a file that is to be written, without its size, and the file's path."""
    name = new_name("lex" if kind == "lexical" else "vec")
    row = SegmentRow(-1, kind, encoder, name, len(keys), int(keys[0]), int(keys[-1]), 0)
    return row, folder / FOLDER / name


def write_dense(
    folder: Path, encoder: int, keys: Ints, dim: int, blocks: Iterable[tuple[Bytes, Floats]]
) -> SegmentRow:
    """Write the vectors of passages (keys ascending), given in blocks, into a new file."""
    row, path = _new(folder, "dense", encoder, keys)
    with ArraysFile(path, meta={"kind": "dense", "analysis": ""}) as file:
        file.add("keys", keys)
        join_vectors(file, len(keys), dim, blocks)
        return replace(row, size_bytes=file.finish())


def merge_lexical(folder: Path, parts: Sequence[tuple[LexicalSegment, Bools]]) -> SegmentRow | None:
    """Join segments (in order of their keys), keeping masked rows; None when nothing is left."""
    keys = np.concatenate([segment.keys[keep] for segment, keep in parts])
    if not len(keys):
        return None
    names = {segment.analysis for segment, _ in parts}
    row, path = _new(folder, "lexical", None, keys)
    meta = {"kind": "lexical", "analysis": names.pop() if len(names) == 1 else ""}
    with ArraysFile(path, meta=meta) as file:
        file.add("keys", keys)
        file.add("states", np.concatenate([segment.states[keep] for segment, keep in parts]))
        join_postings(file, [(segment.postings, keep) for segment, keep in parts])
        return replace(row, size_bytes=file.finish())


def merge_dense(
    folder: Path, encoder: int, parts: Sequence[tuple[Ints, DenseIndex, Bools]]
) -> SegmentRow | None:
    """As `merge_lexical`, for the vectors."""
    keys = np.concatenate([keys[keep] for keys, _, keep in parts])
    if not len(keys):
        return None
    blocks = kept_vectors((index, keep) for _, index, keep in parts)
    return write_dense(folder, encoder, keys, parts[0][1].dim, blocks)


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
