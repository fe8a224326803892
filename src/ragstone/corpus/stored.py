"""Texts, passages and vectors as the truth holds them, for those who build from them or check."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from ragstone.corpus import rows as row
from ragstone.corpus.segments import IndexedPassage
from ragstone.corpus.vectors import Bytes, Floats, quantise
from ragstone.errors import CorpusError
from ragstone.types import Element


def stored_text(connection: sqlite3.Connection, content: int) -> str:
    """The whole text of a content. Raises CorpusError for a block that cannot be unpacked."""
    blocks = connection.execute(
        "SELECT body FROM blocks WHERE content = ? ORDER BY start", (content,)
    )
    return "".join(row.unpack_block(body) for (body,) in blocks)


def stored_elements(connection: sqlite3.Connection, content: int) -> tuple[Element, ...]:
    """The structure of a content. Raises CorpusError where it cannot be unpacked."""
    (elements,) = connection.execute(
        "SELECT elements FROM contents WHERE id = ?", (content,)
    ).fetchone()
    return row.unpack_elements(elements)


_BLOCK = 16_384  # vectors read at a time


def stored_passages(
    connection: sqlite3.Connection, condition: str, parameters: Sequence[object] = ()
) -> Iterator[IndexedPassage]:
    """Passages with what their index needs, in the order of their keys, read from the truth."""
    text, content = "", -1
    for key, state, start, end, headings, title, language, metadata, wanted in connection.execute(
        'SELECT key, passages.state, start, "end", headings, title, language, metadata, content '
        f"FROM passages JOIN documents ON documents.state = passages.state WHERE {condition} "
        "ORDER BY key",
        tuple(parameters),
    ):
        if wanted != content:
            text, content = stored_text(connection, wanted), wanted
        path = row.unpack_headings(headings) + row.labels(json.loads(metadata))
        yield IndexedPassage(key, state, text[start:end], path, title, language)


def stored_vectors(
    connection: sqlite3.Connection, encoder: int, keys: npt.NDArray[np.int64], dim: int
) -> Iterator[tuple[Bytes, Floats]]:
    """Codes and scales of passages (keys ascending) from the truth, in blocks.

    Raises CorpusError where the truth has not one vector for each.
    """
    for at in range(0, len(keys), _BLOCK):
        block = keys[at : at + _BLOCK]
        found = connection.execute(
            "SELECT vectors.codes, vectors.scale FROM passages JOIN vectors "
            "ON vectors.embedding = passages.embedding AND vectors.encoder = ? "
            "WHERE passages.key BETWEEN ? AND ? ORDER BY passages.key",
            (encoder, int(block[0]), int(block[-1])),
        ).fetchall()
        codes = np.frombuffer(b"".join(code for code, _ in found), dtype=np.int8)
        if len(found) != len(block) or codes.size != len(block) * dim:
            raise CorpusError(
                f"The corpus has {len(found)} vectors for {len(block)} passages.",
                remedy="Run `ragstone doctor --repair`.",
            )
        yield codes.reshape(len(block), dim), np.array([s for _, s in found], dtype=np.float32)


def store_vectors(
    connection: sqlite3.Connection, encoder: int, ids: Sequence[int], matrix: Floats
) -> None:
    """Quantise rows of `matrix` and store them under embedding ids."""
    codes, scales = quantise(np.asarray(matrix, dtype=np.float32))
    connection.executemany(
        "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?)",
        [(encoder, id, float(scale), code.tobytes())
         for id, scale, code in zip(ids, scales, codes, strict=True)],
    )  # fmt: skip
