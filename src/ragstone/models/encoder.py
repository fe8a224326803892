"""Texts to unit vectors with an ONNX model on the processor, nothing downloaded.

    text --tokens--> ids --sorted by length, packed--> batches --threads--> vectors, in order

Laws: a row does not depend on which texts stand beside it, nor on how many threads work
(the shipped graph quantises with fixed scales; see docs/decisions/0002); memory is bounded by
the batch, not by the number of texts; equal texts are encoded once. One session with one
thread of its own is run from several threads at once: on a processor that scales better than
threads inside an operator, and concurrent queries do not wait for each other.
onnxruntime is loaded by the first encoder that is opened, not by an import.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ragstone.errors import ModelError, UsageError
from ragstone.models.cores import physical_cores
from ragstone.models.encoder_files import (
    MODEL_FILE,
    TOKENIZER_FILE,
    EncoderFolder,
    Pooling,
    read_folder,
    verify,
)
from ragstone.models.sessions import open_session
from ragstone.protocols import Vectors
from ragstone.types import Span

if TYPE_CHECKING:
    from ragstone.models.tokens import Tokens

SHIPPED = "all-MiniLM-L6-v2"

_WEIGHTS = Path(__file__).parent / "weights"
_BATCH_TOKENS = 2048  # per thread, padding included: its activations still fit the cache
_WINDOW_TEXTS = 2048  # tokenised and sorted together


def shipped_encoder(*, threads: int = 0) -> OnnxEncoder:
    """The encoder inside the package; `threads` 0 means one per physical core."""
    return open_encoder(_WEIGHTS / SHIPPED, threads=threads)


def open_encoder(folder: str | Path, *, threads: int = 0) -> OnnxEncoder:
    """The encoder in a local folder (see `encoder_files` for what lies there).

    Raises ModelError where files are missing, damaged or do not fit together.
    """
    return OnnxEncoder(read_folder(Path(folder)), threads=threads)


@dataclass(frozen=True, slots=True)
class _Batch:
    """Rows of one run: their places in the window, and right-padded ids (rows, tokens)."""

    places: list[int]
    ids: npt.NDArray[np.int32]
    lengths: npt.NDArray[np.int32]


class OnnxEncoder:
    """A protocols.Encoder over one folder. Safe to use from several threads at once."""

    def __init__(
        self, folder: EncoderFolder, *, threads: int = 0, batch_tokens: int = _BATCH_TOKENS
    ) -> None:
        from ragstone.models.tokens import open_tokens

        if threads < 0 or batch_tokens < 1:
            raise UsageError(
                f"An encoder cannot work with threads={threads}, batch_tokens={batch_tokens}.",
                remedy="Use threads >= 0 (0: one per physical core) and batch_tokens >= 1.",
            )
        self._folder = folder
        self._settings = folder.settings
        self._identity = folder.identity
        self._threads = threads or physical_cores()
        self._batch_tokens = batch_tokens
        self._tokens: Tokens = open_tokens(
            folder.path / TOKENIZER_FILE, max_tokens=self._settings.max_tokens
        )
        self._session = open_session(
            folder.path / MODEL_FILE,
            threads=1,
            fused=self._settings.optimised,
            remedy="Export it again, or update onnxruntime.",
        )
        self._inputs = {i.name: _integer_type(i.type) for i in self._session.get_inputs()}
        self._pooled, self._hidden = _outputs(self._session, folder.path)
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="ragstone-encoder")

    @property
    def name(self) -> str:
        return self._settings.name

    @property
    def identity(self) -> str:
        return self._identity

    @property
    def dim(self) -> int:
        return self._settings.dim

    @property
    def max_tokens(self) -> int:
        return self._settings.max_tokens

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, float32, shape (len(texts), dim)."""
        return self._encode(texts, prefix=self._settings.query_prefix)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, float32, shape (len(texts), dim)."""
        return self._encode(texts, prefix=self._settings.passage_prefix)

    def stream_passages(
        self, texts: Iterable[str], *, window_texts: int = _WINDOW_TEXTS
    ) -> Iterator[Vectors]:
        """Vectors of any number of passages, in order, window by window.

        Each item has shape (n, dim) with n = `window_texts` but for the last. Memory is one
        window's, however many texts come; they are read as they are needed.
        """
        if window_texts < 1:
            raise UsageError(f"A window holds at least one text, got window_texts={window_texts}.")
        source = iter(texts)
        while window := list(islice(source, window_texts)):
            yield self.encode_passages(window)

    def encode_tokens(self, texts: Sequence[str]) -> list[Vectors]:
        """Unit vectors of each text's own tokens: a list of arrays (tokens, dim).

        Row i of a text belongs to `token_spans(text)[i]`; a text longer than `max_tokens` has
        the vectors of its beginning. For late interaction (Khattab and Zaharia 2020).
        """
        if self._hidden is None:
            raise UsageError(
                f"{self.name} has no output with one vector per token.",
                remedy="Export the model with its last hidden state.",
            )
        prefix = self._settings.passage_prefix
        if prefix:
            raise UsageError(
                f"Token vectors of {self.name} would include those of its prefix {prefix!r}.",
                remedy="Use an encoder without a passage prefix.",
            )
        marked = self._tokens.marked_ids(texts)
        vectors: list[Vectors] = [np.empty((0, self.dim), np.float32)] * len(marked)

        def keep(batch: _Batch) -> None:
            (hidden,) = self._session.run([self._hidden], self._feed(batch))
            for row, place in enumerate(batch.places):
                own = np.asarray(marked[place][1])
                vectors[place] = _unit(hidden[row, : batch.lengths[row]][own])

        self._work(self._batches([ids for ids, _ in marked]), keep)
        return vectors

    def token_spans(self, text: str) -> list[Span]:
        """The code-point spans of the text's tokens, without special tokens, not truncated."""
        return self._tokens.spans(text)

    def verify(self) -> None:
        """Compare the files' contents with their recorded checksums. Raises ModelError."""
        verify(self._folder)

    def close(self) -> None:
        """Stop the threads. The encoder cannot be used afterwards; closing twice is harmless."""
        self._pool.shutdown()

    def __enter__(self) -> OnnxEncoder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _encode(self, texts: Sequence[str], *, prefix: str) -> Vectors:
        if isinstance(texts, str):
            raise UsageError("Texts to encode come as a sequence, got one string.")
        first: dict[str, int] = {}
        rows = np.fromiter((first.setdefault(text, len(first)) for text in texts), np.int64)
        unique = list(first)
        vectors = np.empty((len(unique), self.dim), np.float32)
        for start in range(0, len(unique), _WINDOW_TEXTS):
            window = [prefix + text for text in unique[start : start + _WINDOW_TEXTS]]
            self._encode_window(window, vectors[start : start + len(window)])
        return vectors if len(unique) == len(rows) else vectors[rows]

    def _encode_window(self, texts: list[str], vectors: Vectors) -> None:
        def keep(batch: _Batch) -> None:
            vectors[batch.places] = self._run(batch)

        self._work(self._batches(self._tokens.ids(texts)), keep)

    def _work(self, batches: list[_Batch], act: Callable[[_Batch], None]) -> None:
        """Do all batches, on the caller's thread where there is but one."""
        if len(batches) == 1:
            act(batches[0])
            return
        for _ in self._pool.map(act, batches):
            pass

    def _batches(self, ids: list[list[int]]) -> list[_Batch]:
        """Texts of like length together, longest first, so that threads end together."""
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]), reverse=True)
        batches: list[_Batch] = []
        start = 0
        while start < len(order):
            longest = max(1, len(ids[order[start]]))
            # a fair share for each thread where the texts would fit into fewer batches
            share = -(-(len(order) - start) // self._threads)
            rows = max(1, min(self._batch_tokens // longest, share))
            places = order[start : start + rows]
            lengths = np.array([len(ids[i]) for i in places], np.int32)
            padded = np.zeros((len(places), longest), np.int32)
            for row, i in enumerate(places):
                padded[row, : lengths[row]] = ids[i]
            batches.append(_Batch(places, padded, lengths))
            start += rows
        return batches

    def _feed(self, batch: _Batch) -> dict[str, npt.NDArray[np.integer]]:
        """The arrays that this graph asks for, by the names that exporters give them."""
        feed: dict[str, npt.NDArray[np.integer]] = {}
        for name, integer in self._inputs.items():
            if name == "input_ids":
                feed[name] = batch.ids.astype(integer, copy=False)
            elif name == "lengths":
                feed[name] = batch.lengths.astype(integer, copy=False)
            elif name == "attention_mask":
                places = np.arange(batch.ids.shape[1])
                feed[name] = (places < batch.lengths[:, None]).astype(integer)
            elif name == "token_type_ids":
                feed[name] = np.zeros(batch.ids.shape, integer)
            elif name == "position_ids":
                places = np.arange(batch.ids.shape[1], dtype=integer)
                feed[name] = np.broadcast_to(places, batch.ids.shape)
            else:
                raise ModelError(
                    f"{self.name} asks for the input {name!r}, which nobody here can give.",
                    remedy="Export it with input_ids, attention_mask and token_type_ids only.",
                )
        return feed

    def _run(self, batch: _Batch) -> Vectors:
        output = self._pooled or self._hidden
        (values,) = self._session.run([output], self._feed(batch))
        if not self._pooled:
            values = _pool_tokens(values, batch.lengths, self._settings.pooling)
        vectors: Vectors = _unit(values) if self._settings.normalise else values
        if vectors.shape[1] != self.dim:
            raise ModelError(
                f"{self.name} gives {vectors.shape[1]} dimensions where its encoder.json says "
                f"{self.dim}.",
                remedy=f'Write "dim": {vectors.shape[1]}.',
            )
        return vectors


def _integer_type(onnx_type: str) -> type[np.int32] | type[np.int64]:
    return np.int32 if onnx_type == "tensor(int32)" else np.int64


def _outputs(session: object, path: Path) -> tuple[str | None, str | None]:
    """Names of the graph's outputs with one vector per text and with one per token."""
    by_rank: dict[int, str] = {}
    for output in session.get_outputs():  # type: ignore[attr-defined]
        by_rank.setdefault(len(output.shape), output.name)
    if 2 not in by_rank and 3 not in by_rank:
        raise ModelError(
            f"{path} has no output of vectors.",
            remedy="Export it with its last hidden state (batch, tokens, dim).",
        )
    return by_rank.get(2), by_rank.get(3)


def _pool_tokens(hidden: Vectors, lengths: npt.NDArray[np.int32], pooling: Pooling) -> Vectors:
    """Token vectors (rows, tokens, dim) to one per row (Reimers and Gurevych 2019)."""
    if pooling == "cls":
        return hidden[:, 0]
    if pooling == "last":
        return hidden[np.arange(len(hidden)), lengths - 1]
    mask = (np.arange(hidden.shape[1]) < lengths[:, None]).astype(np.float32)
    pooled: Vectors = np.einsum("rtd,rt->rd", hidden, mask) / lengths[:, None].astype(np.float32)
    return pooled


def _unit(values: Vectors) -> Vectors:
    """Rows scaled to length 1; a row of zeros stays."""
    norms = np.linalg.norm(values, axis=-1, keepdims=True)
    unit: Vectors = values / np.maximum(norms, np.float32(1e-12))
    return unit
