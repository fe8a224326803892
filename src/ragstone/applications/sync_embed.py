"""Making vectors while the next documents are read and the last ones are written.

    texts --512 sorted by length, 256 a call--> the encoder, on one thread of its own --> vectors

Law: vectors do not depend on how texts were grouped; no more than two batches are in memory; an
error of the encoder comes out where its vectors are awaited. Must not know documents.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from ragstone.corpus import Batch, Ledger
from ragstone.protocols import Encoder, Vectors

# Sorted by length together, and given to the encoder in one call, which is what a Ctrl-C waits for
# (6 s on two cores). Padding on abstracts 1.4%; calls of 128: 2.2%, of 512: 0.9%, of 2,048: 0.3%.
ENCODE_TEXTS = 512
CALL_TEXTS = 256


@dataclass(slots=True)
class Underway:
    """A batch whose vectors are being made."""

    batch: Batch = field(default_factory=Batch)
    digests: set[bytes] = field(default_factory=set)  # of all its texts
    waiting: dict[bytes, str] = field(default_factory=dict)  # not yet given to the encoder
    encoding: deque[tuple[list[bytes], Future[Vectors]]] = field(default_factory=deque)

    @property
    def is_ready(self) -> bool:
        """Whether every text was given to the encoder and every vector is there."""
        return not self.waiting and all(future.done() for _, future in self.encoding)


class Embedding:
    """One encoder and the thread that waits for it. `on_embedded` is told how many were made."""

    def __init__(
        self, encoder: Encoder, ledger: Ledger, *, on_embedded: Callable[[int], None]
    ) -> None:
        self._encoder = encoder
        self._ledger = ledger
        self._on_embedded = on_embedded
        self._stopped = threading.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ragstone-embedding")

    def add(
        self, underway: Underway, texts: dict[bytes, str], *, elsewhere: Collection[bytes]
    ) -> None:
        """Take texts by their digests; those `elsewhere` are made by a batch that comes before."""
        for digest, text in texts.items():
            if digest not in underway.digests and digest not in elsewhere:
                underway.digests.add(digest)
                underway.waiting[digest] = text
        if len(underway.waiting) >= ENCODE_TEXTS:
            self.begin(underway)
        self._gather(underway, wait=False)

    def begin(self, underway: Underway) -> None:
        """Give the encoder what waits and is not known already."""
        known = self._ledger.embedded(underway.waiting)
        new = [digest for digest in underway.waiting if digest not in known]
        for at in range(0, len(new), ENCODE_TEXTS):
            piece = new[at : at + ENCODE_TEXTS]
            texts = [underway.waiting[digest] for digest in piece]
            future = self._thread.submit(self._encode, texts)
            underway.encoding.append((piece, future))
        underway.waiting = {}

    def finish(self, underway: Underway) -> None:
        """Wait until the batch holds the vectors of all its new texts."""
        self.begin(underway)
        self._gather(underway, wait=True)

    def _gather(self, underway: Underway, *, wait: bool) -> None:
        encoding = underway.encoding
        while encoding and (wait or encoding[0][1].done()):
            piece, future = encoding.popleft()
            underway.batch.vectors.update(zip(piece, future.result(), strict=True))
            self._on_embedded(len(piece))

    def _encode(self, texts: list[str]) -> Vectors:
        """Vectors in the order of the texts, shape (len(texts), dim); like lengths together."""
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]), reverse=True)
        vectors: Vectors = np.empty((len(texts), self._encoder.dim), np.float32)
        for at in range(0, len(order), CALL_TEXTS):
            if self._stopped.is_set():
                raise CancelledError
            places = order[at : at + CALL_TEXTS]
            vectors[places] = self._encoder.encode_passages([texts[place] for place in places])
        return vectors

    def close(self) -> None:
        """Stop after the call in hand; what is left is dropped. Closing twice is harmless."""
        self._stopped.set()
        self._thread.shutdown(cancel_futures=True)
