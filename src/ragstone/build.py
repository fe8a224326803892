"""The composition root: settings -> objects, and the facade that a Python user meets.

Only here do names become objects. `open` gives a Corpus, which holds the folder on disk, the
encoder and (once it is needed) the language model; what it does are calls into the rooms
below. Heavy imports stay inside the functions that need them.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from ragstone import settings as settings_module
from ragstone.errors import ModelError, UsageError
from ragstone.settings import Settings
from ragstone.types import Scalar

if TYPE_CHECKING:
    from ragstone.applications.ask import AskOptions, Components
    from ragstone.applications.events import Event
    from ragstone.applications.sync import Progress, SyncReport
    from ragstone.corpus.store import Store, VersionInfo
    from ragstone.protocols import Encoder, Filter, LanguageModel, Retriever, Snapshot
    from ragstone.trace import Trace
    from ragstone.types import Answer, Document, DocumentInfo, Hit, Passage, Span

_log = logging.getLogger(__name__)

Download = Callable[[int, int], None]  # bytes done, bytes in all (0 where unknown)
Mode = Literal["hybrid", "dense", "lexical"]
SHIPPED_ENCODER = "all-MiniLM-L6-v2"
RECIPE = "1"  # of parsing and chunking: raise it when files must be read again


def open(  # noqa: A001 - the name that a user of `ragstone.open` expects
    path: str | PathLike[str] = ".ragstone",
    *,
    read_only: bool = False,
    config: Path | None = None,
    encoder: Encoder | str | None = None,
    llm: LanguageModel | str | None = None,
    **settings: Scalar,
) -> Corpus:
    """The corpus in the folder `path`; use it in a `with` statement, or `close` it.

    A folder that does not exist yet is made by the first `sync`. `encoder` and `llm` are
    names, as in the settings, or objects of the protocols; `settings` are those that
    `ragstone config` lists. Raises UsageError for an unknown setting, CorpusError for a folder
    that is no corpus of this version.
    """
    given: dict[str, Scalar] = dict(settings)
    if isinstance(encoder, str):
        given["encoder"] = encoder
    if isinstance(llm, str):
        given["llm"] = llm
    return open_corpus(
        path,
        read_only=read_only,
        config=config,
        settings=given,
        encoder=None if isinstance(encoder, str) else encoder,
        model=None if isinstance(llm, str) else llm,
    )


def open_corpus(
    path: str | PathLike[str],
    *,
    read_only: bool = False,
    config: Path | None = None,
    settings: Mapping[str, Scalar] | None = None,
    encoder: Encoder | None = None,
    model: LanguageModel | None = None,
) -> Corpus:
    """`open` for callers that hold their settings in a mapping and their models as objects."""
    loaded = settings_module.load(settings, config=config)
    return Corpus(Path(path), loaded, read_only=read_only, encoder=encoder, model=model)


class Corpus:
    """Documents in a folder, and what can be asked of them. Safe to use from several threads.

    Every answer is made from one snapshot: it sees one committed version for its whole length.
    """

    def __init__(
        self,
        path: Path,
        settings: Settings,
        *,
        read_only: bool = False,
        encoder: Encoder | None = None,
        model: LanguageModel | None = None,
    ) -> None:
        self.path = path
        self.settings = settings
        self._read_only = read_only
        self._encoder = encoder
        self._owns_encoder = encoder is None
        self._models: dict[str, LanguageModel | None] = {}
        self._given_model = model
        self._store: Store | None = None
        self._lock = threading.RLock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

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

    # --- what it is made of

    @property
    def encoder(self) -> Encoder:
        """The encoder, opened at first use."""
        with self._lock:
            if self._encoder is None:
                self._encoder = open_encoder(self.settings.encoder, threads=self.settings.threads)
            return self._encoder

    @property
    def store(self) -> Store:
        """The corpus on disk: versions, tags, export and repair. Raises CorpusError if missing."""
        return self._opened(create=False)

    def _opened(self, *, create: bool) -> Store:
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
        """One committed version, for reading; by number or tag, the newest when None."""
        snapshot = self.store.snapshot(at)
        try:
            yield snapshot
        finally:
            snapshot.close()

    def retriever(self, snapshot: Snapshot, mode: Mode | None = None) -> Retriever:
        """The retriever that the settings name, over a snapshot."""
        from ragstone.retrieval.retrievers import retriever

        return retriever(snapshot, self.encoder, mode or self.settings.mode)

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

    # --- what goes in and out

    def sync(
        self,
        *paths: str | PathLike[str],
        confirm_missing: bool = False,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> SyncReport:
        """Mirror files and folders: add what is new, replace what changed, remove what is gone.

        One sync is one version, read back before it is reported. Raises UsageError for a
        missing path (with `confirm_missing`, what lay under it is removed instead).
        """
        from ragstone.applications.sync import sync
        from ragstone.documents import embedding_text, read

        store = self._opened(create=True)
        return sync(
            store,
            [Path(path) for path in paths],
            encoder=self.encoder,
            read=read,
            chunk=self._chunk,
            embedding_text=lambda document, passage: embedding_text(document.title, passage),
            recipe=RECIPE,
            workers=self.settings.workers or os.cpu_count() or 1,
            confirm_missing=confirm_missing,
            on_progress=on_progress,
        )

    def add(
        self, path: str | PathLike[str], *, on_progress: Callable[[Progress], None] | None = None
    ) -> SyncReport:
        """Read one file, or one folder, into the corpus: `sync` of that path alone."""
        return self.sync(path, on_progress=on_progress)

    def remove(self, *names: str) -> list[DocumentInfo]:
        """Take documents out by id or source; earlier versions keep them. Raises UsageError."""
        from ragstone.applications.removal import remove

        return remove(self.store, names, lock_timeout_s=self.settings.lock_timeout_s)

    def _chunk(self, document: Document) -> list[Passage]:
        from ragstone.documents import chunk

        return chunk(document, token_spans=self.encoder.token_spans)

    # --- what can be asked

    def documents(
        self, *, where: str | None = None, at: int | str | None = None
    ) -> list[DocumentInfo]:
        """What the corpus holds, by source; `where` as in `search`."""
        with self.snapshot(at) as snapshot:
            return sorted(snapshot.documents(_filter(where)), key=lambda info: info.source)

    def document(self, name: str, *, at: int | str | None = None) -> Document:
        """One document by id, source, or a unique ending of its source. Raises UsageError."""
        with self.snapshot(at) as snapshot:
            return snapshot.document(snapshot.find(name).id)

    def page_image(self, document: Document, page: int, highlights: Sequence[Span] = ()) -> bytes:
        """Page `page` (from 1) of a PDF as PNG, drawn from the source with the spans marked.

        Raises UsageError for a document without pages, DocumentError for a source that is gone
        or has changed since it was read.
        """
        from ragstone.documents.rendering import render_page

        path = Path(document.source)
        return render_page(path, page, highlights, document)

    def versions(self) -> list[VersionInfo]:
        """Every version that is kept, oldest first."""
        return self.store.versions()

    def search(
        self,
        question: str,
        k: int | None = None,
        mode: Mode | None = None,
        where: str | None = None,
        *,
        at: int | str | None = None,
        trace: Trace | None = None,
    ) -> list[Hit]:
        """The `k` passages that bear on the question most, best first."""
        with self.snapshot(at) as snapshot:
            return self.retriever(snapshot, mode).retrieve(
                _question(question), k=k or self.settings.k, where=_filter(where), trace=trace
            )

    def ask(
        self,
        question: str,
        *,
        k: int | None = None,
        where: str | None = None,
        at: int | str | None = None,
        llm: str | None = None,
        trace: Trace | None = None,
    ) -> Answer:
        """An answer whose every claim is proved by exact spans, or an abstention."""
        from ragstone.applications.events import Done

        events = self.ask_stream(question, k=k, where=where, at=at, llm=llm, trace=trace)
        return next(event.answer for event in events if isinstance(event, Done))

    def ask_stream(
        self,
        question: str,
        *,
        k: int | None = None,
        where: str | None = None,
        at: int | str | None = None,
        llm: str | None = None,
        trace: Trace | None = None,
        on_progress: Download | None = None,
    ) -> Iterator[Event]:
        """The answer as it is checked and shown; the last event is Done. See `events`.

        `on_progress` is told of the download when the local model is pulled at first use.
        """
        from ragstone.applications import ask

        question = _question(question)
        model = self.model(llm, on_progress=on_progress)
        with self.snapshot(at) as snapshot:
            yield from ask.ask_stream(
                question,
                self._components(snapshot, model),
                options=self._options(k),
                where=_filter(where),
                trace=trace,
            )

    def _components(self, snapshot: Snapshot, model: LanguageModel | None) -> Components:
        from ragstone.applications.ask import Components
        from ragstone.grounding.verification import RuleJudge

        return Components(
            snapshot=snapshot,
            retriever=self.retriever(snapshot),
            encoder=self.encoder,
            judge=RuleJudge(),
            model=model,
        )

    def _options(self, k: int | None) -> AskOptions:
        from ragstone.applications.ask import AskOptions

        return AskOptions(
            k=k or self.settings.k,
            caution=self.settings.caution,
            failed_claims=self.settings.failed_claims,
            evidence_tokens=self.settings.evidence_tokens,
            answer_tokens=self.settings.answer_tokens,
        )


def _question(question: str) -> str:
    if not question.strip():
        raise UsageError("The question is empty.", remedy="Put it in quotation marks.")
    return question.strip()


def _filter(where: str | None) -> Filter | None:
    if where is None:
        return None
    from ragstone.corpus.where import parse_where

    return parse_where(where)


# --- names to objects


def open_encoder(spec: str, *, threads: int = 0) -> Encoder:
    """The encoder that a setting names: the shipped one, or a folder. Raises ModelError."""
    from ragstone.models import encoder

    if spec == SHIPPED_ENCODER:
        return encoder.shipped_encoder(threads=threads)
    return encoder.open_encoder(Path(spec).expanduser(), threads=threads)


def open_model(
    spec: str, settings: Settings, *, on_progress: Download | None = None
) -> LanguageModel | None:
    """The language model of a spec; None for `none`, which answers in quotes.

    `auto` is the local model where its runtime is installed and its file can be had, else none.
    Raises UsageError for an unknown kind, ModelError for missing files or runtimes.
    """
    kind, _, name = spec.partition(":")
    if spec == "none":
        return None
    if spec == "auto":
        return _local_if_possible(on_progress)
    if spec == "local" or (kind == "local" and name):
        return _local(name, on_progress)
    if kind == "file" and name:
        from ragstone.models.local import LocalModel
        from ragstone.models.registry import converted_folder

        return LocalModel(Path(name).expanduser(), keep_converted=converted_folder())
    if kind == "openai" and name:
        from ragstone.models.openai import OpenAIModel

        return OpenAIModel(name, timeout_s=settings.llm_timeout_s)
    if kind == "ollama" and name:
        from ragstone.models.ollama import ollama_model

        return ollama_model(name, timeout_s=settings.llm_timeout_s)
    if kind == "anthropic" and name:
        from ragstone.models.anthropic import AnthropicModel

        return AnthropicModel(name, timeout_s=settings.llm_timeout_s)
    raise UsageError(
        f"There is no language model {spec!r}.",
        remedy="Use local, none, openai:MODEL, ollama:MODEL, anthropic:MODEL or file:PATH.",
    )


def _local(name: str, on_progress: Download | None) -> LanguageModel:
    """The local model of that name (the built-in one for ""), pulled if it is not there yet."""
    from ragstone.models import registry
    from ragstone.models.local import LocalModel

    known = name or registry.BUILT_IN
    path = registry.pull(known, on_progress=on_progress)
    return LocalModel(path, name=known, keep_converted=registry.converted_folder())


def _local_if_possible(on_progress: Download | None) -> LanguageModel | None:
    if importlib.util.find_spec("openvino_genai") is None:
        return None
    try:
        return _local("", on_progress)
    except ModelError as error:
        _log.warning("%s Answering in quotes; `--llm none` says so without this message.", error)
        return None
