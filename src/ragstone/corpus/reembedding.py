"""Another encoder for a whole corpus: beside the old vectors, then switched in one transaction.

Search goes on with the old encoder until the switch. Vectors are committed in batches, so after a
kill the next run goes on from there. Law: before the switch every answer is by the old encoder,
after it by the new one, and never by a mixture. All kept versions are re-embedded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np

from ragstone.corpus import rows as row
from ragstone.corpus.rebuilding import rebuild_dense
from ragstone.corpus.segments import SegmentRow, open_segment
from ragstone.corpus.stored import store_vectors, stored_elements, stored_text
from ragstone.corpus.writer import Writer
from ragstone.errors import CorpusError
from ragstone.protocols import Encoder
from ragstone.types import Document, Passage, Span

BATCH = 1024  # texts of one commit

EmbeddingText = Callable[[Document, Passage], str]


def reembed(
    writer: Writer,
    encoder: Encoder,
    embedding_text: EmbeddingText,
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> int:
    """Embed every stored text that `encoder` has no vector for, and switch to it.

    Gives how many texts were embedded. `on_progress` gets texts done and texts in all. With the
    corpus's own encoder, missing vectors are made anew. Raises CorpusError where the texts are put
    together otherwise than when the corpus was built.
    """
    connection = writer.connection
    with writer.transaction():
        connection.execute(
            "INSERT OR IGNORE INTO encoders (identity, dim) VALUES (?, ?)",
            (encoder.identity, encoder.dim),
        )
        ((new, dim),) = connection.execute(
            "SELECT id, dim FROM encoders WHERE identity = ?", (encoder.identity,)
        ).fetchall()
        connection.execute(
            "DELETE FROM vectors WHERE encoder = ? AND length(codes) <> ?", (new, dim)
        )
    (total,) = connection.execute("SELECT COUNT(*) FROM embeddings").fetchone()
    (known,) = connection.execute(
        "SELECT COUNT(*) FROM vectors WHERE encoder = ?", (new,)
    ).fetchone()
    done = 0
    texts = _missing(writer, new, embedding_text)
    while batch := list(islice(texts, BATCH)):
        vectors = encoder.encode_passages([text for _, text in batch])
        with writer.transaction():
            store_vectors(connection, new, [id for id, _ in batch], vectors)
        done += len(batch)
        if on_progress is not None:
            on_progress(known + done, total)
    with writer.transaction():
        rebuild_dense(writer.folder, connection, new, dim, lambda segment: _keys(writer, segment))
        connection.execute("UPDATE settings SET value = ? WHERE name = 'encoder'", (str(new),))
        connection.execute("DELETE FROM vectors WHERE encoder <> ?", (new,))
        connection.execute("DELETE FROM encoders WHERE id <> ?", (new,))
    writer.sweep()
    return done


def _keys(writer: Writer, segment: SegmentRow) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return open_segment(writer.folder, segment)["keys"].view(np.int64)


def _missing(
    writer: Writer, encoder: int, embedding_text: EmbeddingText
) -> Iterator[tuple[int, str]]:
    """Embedding ids without a vector, with their texts, by document so that each is read once."""
    connection = writer.connection
    found = connection.execute(
        "SELECT embeddings.id, embeddings.hash, MIN(passages.key) FROM embeddings "
        "JOIN passages ON passages.embedding = embeddings.id WHERE NOT EXISTS (SELECT 1 "
        "FROM vectors WHERE encoder = ? AND vectors.embedding = embeddings.id) "
        "GROUP BY embeddings.id ORDER BY 3",
        (encoder,),
    ).fetchall()
    document: Document | None = None
    state = -1
    for id, hash, key in found:
        wanted, start, end, headings, page = connection.execute(
            'SELECT state, start, "end", headings, page FROM passages WHERE key = ?', (key,)
        ).fetchone()
        if document is None or wanted != state:
            document, state = _document(writer, wanted), wanted
        path = row.unpack_headings(headings)
        passage = Passage(document.id, Span(start, end), document.text[start:end], path, page, key)
        text = embedding_text(document, passage)
        if hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16] != hash:
            raise CorpusError(
                f"The text that was embedded for a passage of {document.source} is put together "
                "otherwise by this release.",
                remedy="Run `ragstone sync` on the sources first, or make a new corpus.",
            )
        yield id, text


def _document(writer: Writer, state: int) -> Document:
    connection = writer.connection
    content, *rest = connection.execute(
        f"SELECT content, {row.DOCUMENT_COLUMNS} FROM documents WHERE state = ?", (state,)
    ).fetchone()
    info = row.document_info(tuple(rest))
    return Document(
        info.id, info.source, info.title, stored_text(connection, content), info.format,
        stored_elements(connection, content), info.metadata, info.language,
    )  # fmt: skip
