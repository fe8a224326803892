"""What an open corpus is made of: the folder on disk, the encoder, language models, the reranker.

Each is opened at first use and given back once; what was passed in stays open. Law: one lock, so
that threads which ask at the same moment share what the first of them opens.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ragstone.build.names import (
    SHIPPED_ENCODER,
    Download,
    open_encoder,
    open_model,
    open_reader,
    open_reranker,
    shared_encoder,
)
from ragstone.settings import Settings

if TYPE_CHECKING:
    from ragstone.applications.ask import Components
    from ragstone.corpus.store import Store
    from ragstone.protocols import Encoder, LanguageModel, Reranker, Retriever, Snapshot

Mode = Literal["hybrid", "dense", "lexical"]


class Parts:
    """The parts that the settings name, for one corpus. Safe to use from several threads."""

    def __init__(
        self,
        path: Path,
        settings: Settings,
        *,
        read_only: bool = False,
        encoder: Encoder | None = None,
        model: LanguageModel | None = None,
    ) -> None:
        """`encoder` and `model` take the place of those in the settings, and are not closed."""
        self.path = path
        self.settings = settings
        self._read_only = read_only
        self._encoder = encoder
        self._owns_encoder = encoder is None
        self._models: dict[str, LanguageModel | None] = {}
        self._given_model = model
        self._reranker: Reranker | None = None
        self._store: Store | None = None
        self._lock = threading.RLock()

    def close(self) -> None:
        """Give back files and models; objects that were passed in stay open."""
        with self._lock:
            for model in self._models.values():
                if model is not None:
                    model.close()
            self._models.clear()
            if self._encoder is not None and self._owns_encoder:
                self._encoder.close()
                self._encoder = None
            if self._store is not None:
                self._store.close()
                self._store = None

    @property
    def encoder(self) -> Encoder:
        """The encoder, opened at first use."""
        with self._lock:
            if self._encoder is None:
                self._encoder = open_encoder(self.settings.encoder, threads=self.settings.threads)
            return self._encoder

    def store(self, *, create: bool = False) -> Store:
        """The corpus on disk; with `create`, made where it is missing. Raises CorpusError."""
        from ragstone.corpus.store import Store

        with self._lock:
            if self._store is None:
                if create:
                    self._store = Store.open(
                        self.path,
                        encoder_identity=self.encoder.identity,
                        dim=self.encoder.dim,
                        create=True,
                        read_only=self._read_only,
                    )
                else:
                    self._store = Store.open(self.path, read_only=self._read_only)
            return self._store

    @contextmanager
    def snapshot(self, at: int | str | None = None) -> Iterator[Snapshot]:
        """One committed version, by number or tag, the newest when None; closed after the block."""
        snapshot = self.store().snapshot(at)
        try:
            yield snapshot
        finally:
            snapshot.close()

    def retriever(self, snapshot: Snapshot, mode: Mode | None = None) -> Retriever:
        """The retriever that the settings name, over a snapshot."""
        from ragstone.retrieval.retrievers import retriever
        from ragstone.retrieval.selection import Diverse, PerDocument, Reranked

        found: Retriever = retriever(snapshot, self.encoder, mode or self.settings.mode)
        reranker = self._opened_reranker()
        if reranker is not None:
            found = Reranked(found, reranker)
        if self.settings.diversity:
            found = Diverse(found, snapshot, balance=1.0 - min(self.settings.diversity, 1.0))
        if self.settings.per_document:
            found = PerDocument(found, most=self.settings.per_document)
        return found

    def _opened_reranker(self) -> Reranker | None:
        with self._lock:
            if self._reranker is None:
                self._reranker = open_reranker(self.settings.reranker)
            return self._reranker

    def model(
        self, spec: str | None = None, *, on_progress: Download | None = None
    ) -> LanguageModel | None:
        """The language model of a spec (the setting's, when None), opened once; None for quotes."""
        if spec is None and self._given_model is not None:
            return self._given_model
        name = spec or self.settings.llm
        with self._lock:
            if name not in self._models:
                self._models[name] = open_model(name, self.settings, on_progress=on_progress)
            return self._models[name]

    def components(self, snapshot: Snapshot, model: LanguageModel | None) -> Components:
        """What an answer over `snapshot` is made with; quotes where there is no `model`."""
        from ragstone.applications.ask import Components
        from ragstone.applications.stepwise import Stepwise
        from ragstone.grounding.verification import judge_for
        from ragstone.retrieval.selection import Recosined

        evidence_encoder = self.encoder
        found = self.retriever(snapshot)
        if self._owns_encoder and self.settings.encoder != SHIPPED_ENCODER:
            evidence_encoder = shared_encoder()
            found = Recosined(found, evidence_encoder)
        return Components(
            snapshot=snapshot,
            retriever=Stepwise(found),
            encoder=self.encoder,
            judge=judge_for(evidence_encoder),
            model=model,
            evidence_encoder=evidence_encoder,
            reader=open_reader(self.settings.reader),
        )

    @contextmanager
    def answering(
        self,
        llm: str | None = None,
        *,
        at: int | str | None = None,
        on_progress: Download | None = None,
    ) -> Iterator[Components]:
        """The components with the model of `llm` over one snapshot, which lasts as the block."""
        model = self.model(llm, on_progress=on_progress)
        with self.snapshot(at) as snapshot:
            yield self.components(snapshot, model)
