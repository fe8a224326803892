"""What a client of OpenAI's asks, read from its messages, and how the answer grows.

Instructions of the client (system messages) do not reach the writer of answers: what is said
must follow from the documents. The last message of the user is the question; the turns before
it are what it may refer to.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ragstone.applications.events import Abstained, Done, Event, Stated
from ragstone.applications.wire import Json, JsonObject, citation_json
from ragstone.serve import sse, telemetry
from ragstone.serve.asking import events_of
from ragstone.serve.cited import SOURCES, CitedText
from ragstone.serve.library import Shelf
from ragstone.serve.operation import Call
from ragstone.serve.problem import Problem
from ragstone.trace import Trace
from ragstone.types import Answer

MAYBE_FLAG: JsonObject = {"type": ["boolean", "null"], "default": False}
WHERE: JsonObject = {
    "type": ["string", "null"], "maxLength": 4000, "description": "A filter; ragstone's own."
}  # fmt: skip


@dataclass(slots=True)
class Asked:
    """What a client asked in OpenAI's form."""

    shelf: Shelf
    question: str
    make: Callable[[], Iterator[Event]]
    cited: CitedText
    id: str
    created: int
    answer: Answer | None = None

    def piece(self, event: Event) -> str:
        """What this event appends to the text."""
        if isinstance(event, Stated):
            return self.cited.add(event.text, event.claim)
        if isinstance(event, Abstained):
            return self.cited.abstain(event.abstention)
        if isinstance(event, Done):
            self.answer = event.answer
            return self.cited.finish(event.answer.text)
        return ""

    def usage(self) -> tuple[int, int]:
        """Tokens of the question and of the answer, by the corpus's encoder."""
        count = self.shelf.corpus.encoder.token_spans
        return len(count(self.question)), len(count(self.cited.text))

    def proof(self) -> JsonObject:
        """What OpenAI's form has no place for."""
        answer = self.answer
        if answer is None:
            return {}
        return {
            "abstained": answer.abstained,
            "confidence": round(answer.confidence, 4),
            "citations": [citation_json(citation) for citation in answer.citations],
        }


def asked_of(call: Call, messages: list[tuple[str, str]], prefix: str) -> Asked:
    model = call.text("model")
    if model not in {shelf.name for shelf in call.library.seen_by(call.caller)}:
        raise no_model(model)
    shelf = call.library.shelf(model, call.caller)
    question, turns = _conversation(messages)
    where = shelf.visible(call.caller, call.text("where"))
    trace = Trace()

    def make() -> Iterator[Event]:
        yield from events_of(shelf, question, where=where, trace=trace, turns=turns)
        telemetry.record("ask", trace, call.library.metrics, request_id=call.request_id)

    request = call.request
    base = f"{request.url.scheme}://{request.headers.get('host', '')}"
    cited = CitedText(base, shelf.name)
    return Asked(shelf, question, make, cited, f"{prefix}{secrets.token_hex(12)}", int(time.time()))


def failing(call: Call) -> Callable[[Problem], bytes]:
    def fail(problem: Problem) -> bytes:
        content: JsonObject = {"error": dict(problem.content(call.request_id)["error"])}
        return sse.event("error", content)

    return fail


def no_model(model: str) -> Problem:
    return Problem(
        404, "model_not_found", f"There is no model {model[:80]!r}.",
        remedy="/v1/models lists them.", param="model",
    )  # fmt: skip


def messages_of(given: Json) -> list[tuple[str, str]]:
    """(role, text) of each message that has text; texts in parts are joined."""
    return [
        (str(message.get("role", "user")), _text(message.get("content")))
        for message in (given if isinstance(given, list) else [])
        if isinstance(message, dict) and message.get("type", "message") == "message"
    ]


def _text(content: Json) -> str:
    if isinstance(content, str):
        return content
    parts = (
        [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    )
    texts = [part.get("text") for part in parts if str(part.get("type", "")).endswith("text")]
    return "\n".join(text for text in texts if isinstance(text, str))


def _conversation(messages: list[tuple[str, str]]) -> tuple[str, list[tuple[str, str]]]:
    """The last message of the user, and the turns (question, answer) before it.

    Raises Problem (422) where there is no message of a user with text.
    """
    last = max((place for place, (role, _) in enumerate(messages) if role == "user"), default=-1)
    question = messages[last][1].strip() if last >= 0 else ""
    if not question:
        raise Problem(
            422,
            "no_question",
            "There is no message of a user with text.",
            remedy="End `messages` with one whose role is user.",
            param="messages",
        )
    if len(question) > 8000:
        raise Problem(
            422,
            "long_question",
            f"The question has {len(question)} characters.",
            remedy="Ask in at most 8,000.",
            param="messages",
        )
    turns: list[tuple[str, str]] = []
    waiting = ""
    for role, text in messages[:last]:
        if role == "user":
            waiting = text
        elif role == "assistant" and waiting.strip():
            turns.append((waiting, text.partition(SOURCES)[0]))  # said, without its list
            waiting = ""
    return question, turns
