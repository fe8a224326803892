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
from ragstone.applications.events import Abstained, Done, Event, Retrieved
from ragstone.applications.fitting import fitted
from ragstone.applications.sheet import Sheet
from ragstone.applications.stepwise import complete
from ragstone.grounding import (
    abstention,
    citations,
    claims,
    comprehension,
    evidence,
    extractive,
    rereading,
    shortanswers,
)
from ragstone.grounding.tokens import TokenMemory, token_encoder
from ragstone.grounding.words import terms_of
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
    Claim,
    Evidence,
    Message,
    Span,
)

_HELD = 2 / 3  # of the likeliest answer's terms: "176 steps" says "176 steps and no lift"
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
    model = components.model
    sheet = Sheet(
        question,
        chosen,
        hits=hits,
        confidence=confidence,
        judge=components.judge,
        snapshot=components.snapshot,
        model=model.name if model else "none",
        trace=trace,
    )
    if declined is not None:
        yield Abstained(declined)
        yield sheet.done(declined)
        return
    if model is not None:
        declined = yield from _written(sheet, model, options)
        if declined is not None:
            yield Abstained(declined)
            yield sheet.done(declined)
            return
    with trace.stage("reread"):
        again = rereading.reread(question, chosen, components.reader)
    quotes = extractive.quotes(question, chosen)
    weak = model is not None and not model.capable
    pool = [chosen[quote.place] for quote in quotes] if weak or not sheet.claims else sheet.cited()
    likely = shortanswers.find(question, pool, memory=memory, read=read, again=again)
    if sheet.claims:
        quotes = [quotes[place] for place in _left_out(sheet, pool, likely)] if weak else []
    for quote in quotes:
        yield sheet.show(_quoted(chosen[quote.place], quote.words), "\n")
    if likely is not None:
        sheet.highlight(pool[likely.index], likely)
    yield sheet.done(None)


def _written(
    sheet: Sheet, model: LanguageModel, options: AskOptions
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
    sheet: Sheet, model: LanguageModel, messages: Sequence[Message], options: AskOptions
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
                        yield from sheet.judge(claim, draft, mark=options.failed_claims == "mark")
                if sheet.repeats > _MOST_REPEATS:
                    break
        finally:
            if isinstance(stream, Generator):
                stream.close()
        for claim in claims.split(draft)[judged:]:
            yield from sheet.judge(claim, draft, mark=options.failed_claims == "mark")
    return draft


def _may_end(text: str) -> bool:
    """Whether a statement may have ended in this piece of a draft."""
    return any(mark in text for mark in ".!?;\n。！？।؟")


def _left_out(
    sheet: Sheet, quoted: Sequence[Evidence], likely: shortanswers.ShortAnswer | None
) -> list[int]:
    """Which quote, if any, a weak model's true statements leave out: the one with the words that
    most likely answer, where no statement holds most of them; where no few words answer, the best
    one, unless a statement rests on it."""
    if likely is None:
        return [] if quoted[0] in sheet.cited() else [0]
    wanted = terms_of(likely.text)
    said = any(len(wanted & terms_of(c.text)) >= _HELD * len(wanted) for c in sheet.claims)
    return [] if said else [likely.index]


def _quoted(item: Evidence, words: str) -> Claim:
    """A statement in the document's own words; true by being a quote."""
    return Claim(words, Span(0, 0), "supported", "quoted", 1.0, (citations.cite(item),))
