"""Searching and asking over HTTP: hits, answers whole or as typed events, and how they came about.

Events of a stream, in order: `retrieved` (hits and evidence), then for each statement `claim` and
its `citation`s, or `removed`; `abstained` where there is no answer; `done` with the whole answer;
`error` where it failed. What was sent is never taken back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ragstone.applications.events import Abstained, Done, Event, Removed, Retrieved, Stated
from ragstone.applications.wire import (
    JsonObject,
    abstention_json,
    answer_json,
    citation_json,
    claim_json,
    evidence_json,
    hit_json,
    stage_json,
)
from ragstone.serve import examples, sse, telemetry
from ragstone.serve.operation import Call, Operation, Parameter, Reply, reply
from ragstone.serve.problem import Problem
from ragstone.trace import Trace
from ragstone.types import Answer, Hit

if TYPE_CHECKING:
    from ragstone.serve.library import Shelf

T = TypeVar("T")
CORPUS = Parameter(
    "corpus", {"type": "string"}, "The corpus's name, as /api/corpora lists it.", "main", "path"
)
QUESTION: JsonObject = {
    "type": "string", "minLength": 1, "maxLength": 8000, "pattern": r"\S",
    "description": "What is asked, in the user's words.",
}  # fmt: skip
K: JsonObject = {"type": "integer", "minimum": 1, "maximum": 200, "description": "How many hits."}
WHERE: JsonObject = {
    "type": "string", "maxLength": 4000,
    "description": "Only documents that fit, such as format = 'pdf' AND date >= '2020-01-01'.",
}  # fmt: skip
SEARCH_BODY: JsonObject = {
    "type": "object",
    "required": ["question"],
    "additionalProperties": False,
    "properties": {
        "question": QUESTION,
        "k": {**K, "default": 10},
        "mode": {"type": "string", "enum": ["hybrid", "dense", "lexical"], "default": "hybrid"},
        "where": WHERE,
        "explain": {
            "type": "boolean", "default": False,
            "description": "Add the stages of the retrieval with their times and counts.",
        },
    },
}  # fmt: skip
_TURN: JsonObject = {
    "type": "object",
    "required": ["question", "answer"],
    "additionalProperties": False,
    "properties": {
        "question": {"type": "string", "maxLength": 8000},
        "answer": {"type": "string", "maxLength": 20000},
    },
}
ASK_BODY: JsonObject = {
    "type": "object",
    "required": ["question"],
    "additionalProperties": False,
    "properties": {
        "question": QUESTION,
        "k": K,
        "where": WHERE,
        "turns": {
            "type": "array", "maxItems": 50, "items": _TURN,
            "description": "What was said before, oldest first, if this is a dialogue: the "
            "question may then refer to it. Nothing of a dialogue is kept here.",
        },
    },
}  # fmt: skip


async def search(call: Call) -> Response:
    """The passages found for a question."""
    shelf = call.shelf
    where = shelf.visible(call.caller, call.text("where"))
    trace = Trace()

    def act() -> list[Hit]:
        return shelf.corpus.search(
            call.text("question"),
            k=call.number("k", 10),
            mode=call.text("mode", "hybrid"),  # type: ignore[arg-type]
            where=where,
            trace=trace,
        )

    hits = await call.library.work.run(act)
    telemetry.record("search", trace, call.library.metrics, request_id=call.request_id)
    found: JsonObject = {
        "hits": [hit_json(hit) for hit in hits],
        "timings_ms": dict(trace.timings_ms()),
    }
    if call.flag("explain"):
        found["stages"] = [stage_json(stage) for stage in trace.stages]
    return reply(found)


def events_of(
    shelf: Shelf,
    question: str,
    *,
    where: str | None,
    trace: Trace,
    k: int | None = None,
    turns: Sequence[tuple[str, str]] | None = None,
) -> Iterator[Event]:
    """The events of one answer; with `turns` (question, answer), as the next turn of a dialogue."""
    if turns is not None:
        chat = shelf.corpus.chat(turns=turns, k=k, where=where)
        return chat.stream(question, trace=trace)
    return shelf.corpus.ask_stream(question, k=k, where=where, trace=trace)


def turns_of(call: Call) -> list[tuple[str, str]] | None:
    """The turns that the body gives; None where it is no dialogue."""
    given = call.body.get("turns")
    if not isinstance(given, list):
        return None
    return [(str(t["question"]), str(t["answer"])) for t in given if isinstance(t, dict)]


async def ask(call: Call) -> Response:
    """A whole answer."""
    shelf = call.shelf
    where = shelf.visible(call.caller, call.text("where"))
    trace = Trace()

    def make() -> Iterator[Event]:
        return events_of(
            shelf,
            call.text("question"),
            where=where,
            trace=trace,
            k=call.maybe("k"),
            turns=turns_of(call),
        )

    answer = await whole(call, make)
    telemetry.record("ask", trace, call.library.metrics, request_id=call.request_id)
    return reply(answer_json(answer))


async def whole(call: Call, make: Callable[[], Iterator[Event]]) -> Answer:
    """The answer at the end of a stream; the work ends early if the client leaves."""
    answer: Answer | None = None
    async with call.library.work.stream(make) as events:
        async for event in events:
            if isinstance(event, Done):
                answer = event.answer
            elif await call.request.is_disconnected():
                raise Problem(499, "gone", "The client left.")
    if answer is None:
        raise Problem(503, "no_answer", "The answer ended early.", retry_after_s=1)
    return answer


async def ask_stream(call: Call) -> Response:
    """An answer as it arrives."""
    shelf = call.shelf
    where = shelf.visible(call.caller, call.text("where"))
    trace = Trace()

    def make() -> Iterator[Event]:
        yield from events_of(
            shelf,
            call.text("question"),
            where=where,
            trace=trace,
            k=call.maybe("k"),
            turns=turns_of(call),
        )
        telemetry.record("ask", trace, call.library.metrics, request_id=call.request_id)

    source = sse.of_work(call.library.work, make)
    return Streaming(sse.EventStream(source, Renderer(trace).render, failing(call)))


def failing(call: Call) -> Callable[[Problem], bytes]:
    """What a stream says when it fails after it has begun."""

    def fail(problem: Problem) -> bytes:
        return sse.event("error", problem.content(call.request_id)["error"])  # type: ignore[arg-type]

    return fail


class Streaming(Response, Generic[T]):
    """Lets an ASGI callable pass as a reply."""

    def __init__(self, stream: sse.EventStream[T]) -> None:
        super().__init__(media_type=sse.MEDIA)
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._stream(scope, receive, send)


class Renderer:
    """Events to bytes; citations are numbered in the order in which they are first cited.

    `whole` makes the JSON that `done` carries of the answer.
    """

    def __init__(self, trace: Trace, whole: Callable[[Answer], JsonObject] = answer_json) -> None:
        self._numbers: dict[tuple[str, int, int], int] = {}
        self._claims = 0
        self._trace = trace
        self._whole = whole

    def render(self, event: Event) -> bytes:
        if isinstance(event, Retrieved):
            found: JsonObject = {
                "hits": [hit_json(hit) for hit in event.hits],
                "evidence": [evidence_json(evidence) for evidence in event.evidence],
                "confidence": event.confidence,
                "question": event.question,
            }
            return sse.event("retrieved", found)
        if isinstance(event, Stated):
            return self._claim(event)
        if isinstance(event, Removed):
            return sse.event("removed", claim_json(event.claim))
        if isinstance(event, Abstained):
            return sse.event("abstained", abstention_json(event.abstention))
        stages: JsonObject = {"stages": [stage_json(stage) for stage in self._trace.stages]}
        return sse.event("done", {**self._whole(event.answer), **stages})

    def _claim(self, event: Stated) -> bytes:
        claim = claim_json(event.claim)
        claim.pop("citations")
        parts = [sse.event("claim", {"index": self._claims, "append": event.text, **claim})]
        for citation in event.claim.citations:
            key = (citation.document_id, citation.span.start, citation.span.end)
            number = self._numbers.setdefault(key, len(self._numbers) + 1)
            cited: JsonObject = {"claim": self._claims, "number": number}
            parts.append(sse.event("citation", {**cited, **citation_json(citation)}))
        self._claims += 1
        return b"".join(parts)


_EXAMPLES = {"question": {"question": "How is a version rolled back?"}}
OPERATIONS = (
    Operation(
        "POST", "/api/corpora/{corpus}/search", "Find passages", "ask", "read", search,
        Reply("The hits, best first.", examples.SEARCH), (CORPUS,), SEARCH_BODY,
        {"simple": {"question": "version rollback", "k": 5},
         "filtered": {"question": "revenue", "where": "format = 'pdf'", "mode": "lexical"}},
        errors=(404,),
    ),
    Operation(
        "POST", "/api/corpora/{corpus}/ask", "Answer a question", "ask", "read", ask,
        Reply("The answer with its claims and citations.", examples.ANSWER), (CORPUS,), ASK_BODY,
        {"simple": {"question": "How is a version rolled back?"},
         "filtered": {"question": "What was the revenue?", "where": "format = 'pdf'"},
         "follow-up": {"question": "And when was it undone?",
                       "turns": [{"question": "Who rolled it back?", "answer": "The owner."}]}},
        errors=(404,),
    ),
    Operation(
        "POST", "/api/corpora/{corpus}/ask/stream", "Answer as it arrives", "ask", "read",
        ask_stream,
        Reply("Events: retrieved, claim, citation, removed, abstained, done, error.",
              media=sse.MEDIA), (CORPUS,), ASK_BODY,
        {"simple": {"question": "How is a version rolled back?"}},
        errors=(404,),
    ),
)  # fmt: skip
