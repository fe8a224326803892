"""The facade that a Python user meets: a corpus, and what can be done with it.

`open` gives a Corpus, which holds the folder on disk, the
encoder and (once it is needed) the language model; what it does are calls into the rooms
below. Heavy imports stay inside the functions that need them.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from ragstone import settings as settings_module
from ragstone.build.names import (
    SHIPPED_ENCODER,
    Download,
    open_encoder,
    open_model,
    open_reader,
    open_reranker,
    shared_encoder,
)
from ragstone.errors import CorpusError, UsageError
from ragstone.settings import Settings
from ragstone.types import Scalar

if TYPE_CHECKING:
    from ragstone.applications.ask import AskOptions, Components
    from ragstone.applications.chat import Chat
    from ragstone.applications.chat_turns import Turn
    from ragstone.applications.events import Event
    from ragstone.applications.structured.answer import StructuredAnswer
    from ragstone.applications.structured.schema import JsonSchema, ResponseModel
    from ragstone.applications.sync import Progress, SyncReport
    from ragstone.applications.sync_estimate import Estimate
    from ragstone.applications.writing.brief import Brief
    from ragstone.applications.writing.checking import CheckReport, Stated
    from ragstone.applications.writing.composing import WriteEvent
    from ragstone.applications.writing.ledger import Ledger
    from ragstone.applications.writing.manuscript import Kind, Manuscript
    from ragstone.corpus.history import VersionInfo
    from ragstone.corpus.store import Store
    from ragstone.protocols import Encoder, Filter, LanguageModel, Reranker, Retriever, Snapshot
    from ragstone.trace import Trace
    from ragstone.types import Answer, Document, DocumentInfo, Hit, Passage, Span

Mode = Literal["hybrid", "dense", "lexical"]
MOST_WORKERS = 4  # parsers that run by default: embedding costs several times what parsing does
RECIPE = "2"  # of parsing and chunking: raise it when files must be read again


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
        self._reranker: Reranker | None = None
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

    # --- what goes in and out

    def sync(
        self,
        *paths: str | PathLike[str],
        confirm_missing: bool = False,
        retry_failed: bool = False,
        follow_links: bool = False,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> SyncReport:
        """Mirror files and folders: add what is new, replace what changed, remove what is gone.

        One sync is one version, read back before it is reported. A file that could not be read is
        tried again when it changes, or with `retry_failed`; with `follow_links` links may lead out
        of the given folders. Raises UsageError for a missing path (with `confirm_missing`, what lay
        under it is removed instead).
        """
        from ragstone.applications.sync import sync
        from ragstone.build.reading import read_file

        return sync(
            self._opened(create=True),
            [Path(path) for path in paths],
            encoder=self.encoder,
            read=read_file,
            chunk=self._chunk,
            embedding_text=_embedding_text,
            recipe=RECIPE,
            workers=self.settings.workers or min(os.cpu_count() or 1, MOST_WORKERS),
            confirm_missing=confirm_missing,
            retry_failed=retry_failed,
            follow_links=follow_links,
            reader=_reader(),
            on_progress=on_progress,
        )

    def watch(
        self,
        *paths: str | PathLike[str],
        follow_links: bool = False,
        stop: Callable[[], bool] = lambda: False,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Iterator[SyncReport]:
        """Sync now, and again after each change under `paths`, until `stop` says so."""
        from ragstone.applications.sync_watch import watch

        def run() -> SyncReport:
            return self.sync(*paths, follow_links=follow_links, on_progress=on_progress)

        yield from watch(run, [Path(path) for path in paths], follow_links=follow_links, stop=stop)

    def estimate(
        self,
        *paths: str | PathLike[str],
        confirm_missing: bool = False,
        retry_failed: bool = False,
        follow_links: bool = False,
    ) -> Estimate:
        """What `sync` of these paths would do, and about how long and how large; writes nothing."""
        from ragstone.applications.sync_estimate import estimate
        from ragstone.build.reading import read_file

        try:
            store: Store | None = self.store
        except CorpusError:
            store = None
        return estimate(
            store,
            [Path(path) for path in paths],
            encoder=self.encoder,
            read=read_file,
            chunk=self._chunk,
            recipe=RECIPE,
            workers=self.settings.workers or min(os.cpu_count() or 1, MOST_WORKERS),
            confirm_missing=confirm_missing,
            retry_failed=retry_failed,
            follow_links=follow_links,
            reader=_reader(),
        )

    def add(
        self, path: str | PathLike[str], *, on_progress: Callable[[Progress], None] | None = None
    ) -> SyncReport:
        """Read one file, or one folder, into the corpus: `sync` of that path alone."""
        return self.sync(path, on_progress=on_progress)

    def remove(self, *names: str) -> list[DocumentInfo]:
        """Take documents out by id or source, as one version; earlier versions keep them.

        Their files stay, and the next sync of their folder reads them again. Raises UsageError
        for a name that fits none or several; then nothing is removed.
        """
        from ragstone.applications.sync_remove import remove

        with self.snapshot() as snapshot:
            found = [snapshot.find(name) for name in names]
        remove(self.store, [info.id for info in found], note=f"rm {', '.join(names)}"[:200])
        return found

    def reembed(self, on_progress: Callable[[int, int], None] | None = None) -> int:
        """Give the corpus the encoder of the settings; gives how many texts were embedded.

        Searching goes on with the old vectors until all new ones are there.
        """
        return self.store.reembed(self.encoder, _embedding_text, on_progress=on_progress)

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

    def extract(
        self,
        question: str,
        response_model: ResponseModel[object] | JsonSchema,
        *,
        k: int | None = None,
        where: str | None = None,
        at: int | str | None = None,
        llm: str | None = None,
        trace: Trace | None = None,
        on_progress: Download | None = None,
    ) -> StructuredAnswer:
        """A value for each field of a schema, each with the citation that proves it, else null.

        `question` is what the fields are about: a name, or a question of its own. `response_model`
        is a pydantic model class (or any with `model_json_schema`) or a JSON schema of an object;
        `answer.parsed(Model)` gives the class's object. Raises UsageError for other schemas.
        """
        from ragstone.applications.structured.filling import fill

        model = self.model(llm, on_progress=on_progress)
        with self.snapshot(at) as snapshot:
            return fill(
                _question(question),
                response_model,
                self._components(snapshot, model),
                options=self._options(k),
                where=_filter(where),
                trace=trace,
            )

    def write(
        self,
        brief: str,
        *,
        kind: Kind = "report",
        sections: int | None = None,
        words: int | None = None,
        audience: str = "",
        style: str = "",
        outline: str | None = None,
        where: str | None = None,
        at: int | str | None = None,
        llm: str | None = None,
    ) -> Manuscript:
        """A text to `brief` of which every sentence is proved by exact spans.

        `outline` is Markdown: a heading a section, below it the questions it should answer.
        Without a language model it is an ordered digest of quotes. `write_stream` gives it
        section by section, and goes on with work that was interrupted.
        """
        from ragstone.applications.writing import brief as briefs
        from ragstone.applications.writing.composing import Written

        asked = briefs.brief(
            brief, kind=kind, sections=sections, words=words, audience=audience, style=style
        )
        events = self.write_stream(asked, outline=outline, where=where, at=at, llm=llm)
        return next(event.manuscript for event in events if isinstance(event, Written))

    def write_stream(
        self,
        brief: Brief,
        *,
        outline: str | None = None,
        where: str | None = None,
        at: int | str | None = None,
        llm: str | None = None,
        resume: Manuscript | None = None,
        on_progress: Download | None = None,
    ) -> Iterator[WriteEvent]:
        """The plan, then each section as it stands; the last event is Written."""
        from ragstone.applications.writing import composing
        from ragstone.applications.writing.outline import parse

        planned = None if outline is None else parse(outline, title=brief.title)
        model = self.model(llm, on_progress=on_progress)
        with self.snapshot(at) as snapshot:
            yield from composing.write_stream(
                brief,
                self._components(snapshot, model),
                where=_filter(where),
                outline=planned,
                resume=resume,
            )

    def check(self, ledger: Ledger, stated: Sequence[Stated]) -> CheckReport:
        """Sentences of an edited manuscript held against the documents, if they changed."""
        from ragstone.applications.writing.checking import check

        with self.snapshot() as snapshot:
            return check(ledger, stated, self._components(snapshot, None))

    def chat(
        self,
        session: str | None = None,
        *,
        turns: Sequence[tuple[str, str] | Turn] = (),
        k: int | None = None,
        where: str | None = None,
        llm: str | None = None,
        on_progress: Download | None = None,
    ) -> Chat:
        """A dialogue: the one kept under the name `session`, or a new one.

        A named session is written to the corpus's folder after each turn. `turns` are questions
        and answers, or whole turns, of a dialogue that is kept elsewhere. Raises UsageError for a
        name that no session may bear, CorpusError for a session that cannot be read.
        """
        from functools import partial

        from ragstone.build.dialogue import open_chat

        return open_chat(
            self.store.path,
            partial(self._answering, llm, on_progress),
            session=session,
            turns=turns,
            options=self._options(k),
            where=_filter(where),
        )

    @contextmanager
    def _answering(self, llm: str | None, on_progress: Download | None) -> Iterator[Components]:
        model = self.model(llm, on_progress=on_progress)
        with self.snapshot() as snapshot:
            yield self._components(snapshot, model)

    def _components(self, snapshot: Snapshot, model: LanguageModel | None) -> Components:
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


def _reader() -> str:
    """What this installation can read: when it can read more, files that failed are tried again."""
    from importlib.metadata import version

    extras = [name for name in ("rapidocr", "PIL") if find_spec(name)]
    return " ".join([version("ragstone"), *extras])


def _embedding_text(document: Document, passage: Passage) -> str:
    from ragstone.documents import embedding_text, table_header

    return embedding_text(document.title, passage, header=table_header(document, passage))
