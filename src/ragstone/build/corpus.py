"""The facade that a Python user meets: a corpus, and what can be done with it.

A Corpus holds its `Parts`; what it does are calls into the rooms below. Heavy imports stay inside
the methods that need them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ragstone.build.asking import filter_of, options_of, outline_of, question_of
from ragstone.build.names import Download
from ragstone.build.parts import Mode, Parts

if TYPE_CHECKING:
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
    from ragstone.protocols import Encoder, LanguageModel, Retriever, Snapshot
    from ragstone.trace import Trace
    from ragstone.types import Answer, Document, DocumentInfo, Hit, Span


class Corpus:
    """Documents in a folder, and what can be asked of them. Safe to use from several threads.

    Every answer is made from one snapshot: it sees one committed version for its whole length.
    """

    def __init__(self, parts: Parts) -> None:
        """`parts` are the corpus's own from now on: closing it closes them."""
        self.path = parts.path
        self.settings = parts.settings
        self._parts = parts

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
        self._parts.close()

    # --- what it is made of

    @property
    def encoder(self) -> Encoder:
        """The encoder, opened at first use."""
        return self._parts.encoder

    @property
    def store(self) -> Store:
        """The corpus on disk: versions, tags, export and repair. Raises CorpusError if missing."""
        return self._parts.store()

    def snapshot(self, at: int | str | None = None) -> AbstractContextManager[Snapshot]:
        """One committed version, for reading; by number or tag, the newest when None."""
        return self._parts.snapshot(at)

    def retriever(self, snapshot: Snapshot, mode: Mode | None = None) -> Retriever:
        """The retriever that the settings name, over a snapshot."""
        return self._parts.retriever(snapshot, mode)

    def model(
        self, spec: str | None = None, *, on_progress: Download | None = None
    ) -> LanguageModel | None:
        """The language model of a spec (the setting's, when None), opened once; None for quotes."""
        return self._parts.model(spec, on_progress=on_progress)

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
        from ragstone.build import intake

        return intake.sync(
            self._parts,
            [Path(path) for path in paths],
            confirm_missing=confirm_missing,
            retry_failed=retry_failed,
            follow_links=follow_links,
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
        from ragstone.build import intake

        return intake.estimate(
            self._parts,
            [Path(path) for path in paths],
            confirm_missing=confirm_missing,
            retry_failed=retry_failed,
            follow_links=follow_links,
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
        from ragstone.build import intake

        return intake.reembed(self._parts, on_progress)

    # --- what can be asked

    def documents(
        self, *, where: str | None = None, at: int | str | None = None
    ) -> list[DocumentInfo]:
        """What the corpus holds, by source; `where` as in `search`."""
        with self.snapshot(at) as snapshot:
            return sorted(snapshot.documents(filter_of(where)), key=lambda info: info.source)

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

        return render_page(Path(document.source), page, highlights, document)

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
                question_of(question), k=k or self.settings.k, where=filter_of(where), trace=trace
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
        from ragstone.applications import ask

        question = question_of(question)
        with self._parts.answering(llm, at=at) as components:
            return ask.ask(
                question,
                components,
                options=options_of(self.settings, k),
                where=filter_of(where),
                trace=trace,
            )

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

        question = question_of(question)
        with self._parts.answering(llm, at=at, on_progress=on_progress) as components:
            yield from ask.ask_stream(
                question,
                components,
                options=options_of(self.settings, k),
                where=filter_of(where),
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

        with self._parts.answering(llm, at=at, on_progress=on_progress) as components:
            return fill(
                question_of(question),
                response_model,
                components,
                options=options_of(self.settings, k),
                where=filter_of(where),
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
        from ragstone.applications.writing import composing

        asked = briefs.brief(
            brief, kind=kind, sections=sections, words=words, audience=audience, style=style
        )
        planned = outline_of(outline, asked)
        with self._parts.answering(llm, at=at) as components:
            return composing.write(asked, components, where=filter_of(where), outline=planned)

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

        planned = outline_of(outline, brief)
        with self._parts.answering(llm, at=at, on_progress=on_progress) as components:
            yield from composing.write_stream(
                brief, components, where=filter_of(where), outline=planned, resume=resume
            )

    def check(self, ledger: Ledger, stated: Sequence[Stated]) -> CheckReport:
        """Sentences of an edited manuscript held against the documents, if they changed."""
        from ragstone.applications.writing.checking import check

        with self.snapshot() as snapshot:
            return check(ledger, stated, self._parts.components(snapshot, None))

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
        from ragstone.build.dialogue import open_chat

        return open_chat(
            self.store.path,
            partial(self._parts.answering, llm, on_progress=on_progress),
            session=session,
            turns=turns,
            options=options_of(self.settings, k),
            where=filter_of(where),
        )
