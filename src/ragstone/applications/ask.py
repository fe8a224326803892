"""Question answering: retrieve, choose evidence, decide, write, check, show.

Law: what is yielded as `Stated` has been checked against exact spans before, and is never
taken back. A language model here is a writer that nobody trusts: its draft is split into
claims, each claim is aligned to the evidence it was shown and judged, and what fails is
removed, marked or asked for once more. Where nothing survives, the quotes are the answer.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ragstone.applications import prompts
from ragstone.applications.events import Abstained, Done, Event, Removed, Retrieved, Stated
from ragstone.applications.fitting import fitted
from ragstone.applications.stepwise import complete
from ragstone.grounding import (
    abstention,
    citations,
    claims,
    comprehension,
    conflicts,
    evidence,
    extractive,
    shortanswers,
)
from ragstone.grounding.tokens import TokenMemory, token_encoder
from ragstone.protocols import (
    Encoder,
    Filter,
    Finish,
    Judge,
    LanguageModel,
    Reader,
    Retriever,
    Snapshot,
)
from ragstone.trace import Trace
from ragstone.types import (
    Abstention,
    Answer,
    Citation,
    Claim,
    Document,
    Evidence,
    Hit,
    Message,
    Span,
)

UNPROVED = "[unproved]"  # marks a failed claim that is shown on request
_MOST_REPEATS = 2  # a small model that turns in circles is stopped


@dataclass(frozen=True, slots=True)
class AskOptions:
    """How a question is answered; the defaults' reasons are in `settings`."""

    k: int = 10
    caution: Literal["cautious", "balanced", "eager"] = "balanced"
    failed_claims: Literal["drop", "mark", "retry"] = "drop"
    evidence_tokens: int = 320
    answer_tokens: int = 160


@dataclass(frozen=True, slots=True)
class Components:
    """What an answer is made with: one snapshot for its whole length, and the models."""

    snapshot: Snapshot
    retriever: Retriever
    encoder: Encoder  # the corpus's own, whose vectors are stored
    judge: Judge
    model: LanguageModel | None  # none: the quotes are the answer
    # What evidence is read with: the trained models know the shipped encoder's vectors alone.
    # None: `encoder`.
    evidence_encoder: Encoder | None = None
    reader: Reader | None = None  # none: words and vectors alone say where an answer stands

    @property
    def reads_with(self) -> Encoder:
        return self.evidence_encoder or self.encoder


def ask(
    question: str,
    components: Components,
    *,
    options: AskOptions | None = None,
    where: Filter | None = None,
    trace: Trace | None = None,
) -> Answer:
    """The whole answer to `question`. Raises what retrieval or the language model raises."""
    events = ask_stream(question, components, options=options, where=where, trace=trace)
    return next(event.answer for event in events if isinstance(event, Done))


def ask_stream(
    question: str,
    components: Components,
    *,
    options: AskOptions | None = None,
    where: Filter | None = None,
    trace: Trace | None = None,
) -> Iterator[Event]:
    """The answer as it is found, checked and shown; ends with one Done.

    Closing the iterator stops a generation that is under way. Raises what retrieval or the
    language model raises.
    """
    options = options or AskOptions()
    trace = trace or Trace()
    with trace.stage("retrieve"):
        hits = components.retriever.retrieve(question, k=options.k, where=where, trace=trace)
    with trace.stage("read") as stage:
        read = comprehension.comprehend(question, hits, components.reader)
        stage.note(passages=len(read.readings), answers=round(read.answers(), 3))
    by_token = token_encoder(components.reads_with)
    memory = None if by_token is None else TokenMemory(by_token)
    with trace.stage("evidence") as stage:
        chosen = evidence.select(
            question,
            hits,
            encoder=components.reads_with,
            document_of=components.snapshot.document,
            max_tokens=options.evidence_tokens,
            memory=memory,
            read=read,
        )
        stage.note(chosen=len(chosen))
    with trace.stage("decide") as stage:
        confidence, declined = abstention.decide(
            question, chosen, hits, level=options.caution, read=read
        )
        stage.note(confidence=confidence, caution=options.caution, answers=declined is None)
    if declined is None:
        with trace.stage("complete") as stage:
            before = len(chosen)
            chosen = complete(
                question,
                chosen,
                hits,
                encoder=components.reads_with,
                document_of=components.snapshot.document,
                max_tokens=options.evidence_tokens,
                memory=memory,
            )
            stage.note(added=len(chosen) - before)
    yield Retrieved(tuple(hits), tuple(chosen), confidence, question)
    sheet = _Sheet(question, components, hits, chosen, confidence, trace)
    if declined is not None:
        yield Abstained(declined)
        yield sheet.done(declined)
        return
    if components.model is not None:
        declined = yield from _written(sheet, components.model, options)
        if declined is not None:
            yield Abstained(declined)
            yield sheet.done(declined)
            return
    if not sheet.claims:
        for claim in _quotes(question, chosen):
            yield sheet.show(claim, "\n")
    sheet.highlight(shortanswers.find(question, sheet.cited(), memory=memory, read=read))
    yield sheet.done(None)


def _written(
    sheet: _Sheet, model: LanguageModel, options: AskOptions
) -> Generator[Event, None, Abstention | None]:
    """Let the model write, and show what stands; gives an abstention if a capable model says
    that the evidence does not hold the answer and nothing it wrote proves otherwise."""

    def asking(shown: Sequence[Evidence]) -> list[Message]:
        return prompts.answer_messages(sheet.question, shown, capable=model.capable)

    messages, room = fitted(asking, sheet.evidence, model, answer_tokens=options.answer_tokens)
    draft = yield from _draft(sheet, model, messages, replace(options, answer_tokens=room))
    failed = [claim for claim in sheet.failed if claim.verdict != "supported"]
    if options.failed_claims == "retry" and failed:

        def again(shown: Sequence[Evidence]) -> list[Message]:
            return prompts.retry_messages(sheet.question, shown, failed, capable=model.capable)

        messages, room = fitted(again, sheet.evidence, model, answer_tokens=options.answer_tokens)
        yield from _draft(sheet, model, messages, replace(options, answer_tokens=room))
    if model.capable and claims.is_refusal(draft) and not sheet.claims:
        return Abstention(
            "The passages found do not hold the answer, says the model that read them.",
            min(sheet.confidence, 0.5),
            tuple(citations.cite(item) for item in sheet.evidence[:3]),
        )
    return None


def _draft(
    sheet: _Sheet, model: LanguageModel, messages: Sequence[Message], options: AskOptions
) -> Generator[Event, None, str]:
    """One generation: each statement is judged as soon as the next one begins."""
    draft = ""
    judged = 0
    with sheet.trace.stage("generate") as stage:
        stream = model.generate(messages, max_tokens=options.answer_tokens)
        try:
            for item in stream:
                if isinstance(item, Finish):
                    usage = item.usage
                    stage.note(
                        prompt_tokens=usage.prompt_tokens,
                        completion_tokens=usage.completion_tokens,
                        first_token_ms=usage.first_token_ms,
                        finish=item.reason,
                    )
                    break
                draft += item.text
                if _may_end(item.text):
                    found = claims.split(draft)[judged:-1]
                    judged += len(found)
                    for claim in found:
                        yield from sheet.judge(claim, draft, options)
                if sheet.repeats > _MOST_REPEATS:
                    break
        finally:
            if isinstance(stream, Generator):
                stream.close()
        for claim in claims.split(draft)[judged:]:
            yield from sheet.judge(claim, draft, options)
    return draft


def _may_end(text: str) -> bool:
    """Whether a statement may have ended in this piece of a draft."""
    return any(mark in text for mark in ".!?;\n。！？।؟")


def _quotes(question: str, evidence_: Sequence[Evidence]) -> Iterator[Claim]:
    """The answer in the documents' own words; true by being quotes."""
    for line in extractive.compose(question, evidence_).splitlines():
        for number in claims.markers_of(line)[-1:]:
            text = claims.without_markers(line)
            cited = (citations.cite(evidence_[number - 1]),)
            yield Claim(text, Span(0, 0), "supported", "quoted", 1.0, cited)


class _Sheet:
    """What has been shown so far: the text, its claims, and numbered citations."""

    def __init__(
        self,
        question: str,
        components: Components,
        hits: Sequence[Hit],
        evidence: Sequence[Evidence],
        confidence: float,
        trace: Trace,
    ) -> None:
        self.question = question
        self.evidence = tuple(evidence)
        self.confidence = confidence
        self.trace = trace
        self.text = ""
        self.claims: list[Claim] = []
        self.failed: list[Claim] = []
        self.highlights: list[Span] = []
        self.repeats = 0
        self._components = components
        self._hits = tuple(hits)
        self._numbers: dict[tuple[str, Span], int] = {}
        self._citations: list[Citation] = []
        self._documents: dict[str, Document] = {}  # a cited document is read once
        self._said: set[str] = set()
        self._end = 0  # of the last claim, in its draft

    def judge(self, found: claims.DraftClaim, draft: str, options: AskOptions) -> Iterator[Event]:
        """Check one statement of a draft, and show it if it stands."""
        words = " ".join(found.stated.casefold().split())
        if words in self._said:
            self.repeats += 1
            return
        self._said.add(words)
        between = draft[self._end : found.span.start]
        self._end = found.span.end
        claim = Claim(found.text, Span(0, 0), "unsupported")
        claim = self._components.judge.judge(claim, self.evidence)
        claim = replace(claim, text=found.stated)
        if claim.verdict == "supported" and claim.citations:
            yield self.show(claim, "\n" if "\n" in between else " ")
            return
        self.failed.append(claim)
        if options.failed_claims == "mark":
            yield self.show(replace(claim, citations=()), " ")
        else:
            yield Removed(claim)

    def show(self, claim: Claim, separator: str) -> Stated:
        """Append a claim and its citation numbers; every citation is checked first."""
        marks = ""
        for citation in claim.citations:
            citations.check(citation, self._document(citation.document_id))
            key = (citation.document_id, citation.span)
            if key not in self._numbers:
                self._numbers[key] = len(self._numbers) + 1
                self._citations.append(citation)
            marks += f"[{self._numbers[key]}]"
        before = separator if self.text else ""
        start = len(self.text) + len(before)
        placed = replace(claim, span=Span(start, start + len(claim.text)))
        added = f"{before}{claim.text} {marks or UNPROVED}"
        self.text += added
        self.claims.append(placed)
        return Stated(added, placed)

    def cited(self) -> list[Evidence]:
        """The evidence that the shown claims stand on, the most telling first."""
        spans = {(c.document_id, c.span) for claim in self.claims for c in claim.citations}
        return [item for item in self.evidence if (item.document.id, item.span) in spans]

    def _document(self, document_id: str) -> Document:
        if document_id not in self._documents:
            self._documents[document_id] = self._components.snapshot.document(document_id)
        return self._documents[document_id]

    def highlight(self, short: shortanswers.ShortAnswer | None) -> None:
        """Mark the few words that answer most directly, where they stand in the text."""
        if short is None:
            return
        item = self.cited()[short.index]
        words = " ".join(short.text.split())
        before = len(" ".join(item.text[: short.span.start].split()))
        for claim in self.claims:
            if not any(citation.span == item.span for citation in claim.citations):
                continue
            start = claim.text.find(words, before)  # in a quote; a model's words may stand earlier
            start = start if start >= 0 else claim.text.find(words)
            if start >= 0:
                start += claim.span.start
                self.highlights.append(Span(start, start + len(words)))
                return

    def done(self, declined: Abstention | None) -> Done:
        """The end, with everything in one value."""
        model = self._components.model
        shown = {claim.text for claim in self.claims}
        return Done(
            Answer(
                question=self.question,
                text=declined.reason if declined else self.text,
                claims=tuple(self.claims),
                citations=tuple(self._citations),
                hits=self._hits,
                evidence=self.evidence,
                removed=tuple(claim for claim in self.failed if claim.text not in shown),
                abstention=declined,
                confidence=self.confidence,
                missing=""
                if declined
                else abstention.missing_part(self.question, self.evidence, self._hits),
                conflicts=()
                if declined
                else tuple(
                    conflict.worded(self.evidence) for conflict in conflicts.find(self.evidence)
                ),
                highlights=tuple(self.highlights),
                model=model.name if model else "none",
                version=self._components.snapshot.version,
                timings_ms=self.trace.timings_ms(),
            )
        )
