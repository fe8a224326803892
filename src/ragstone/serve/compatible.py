"""The paths of OpenAI's API that chat programs call, answered from a corpus.

A model's name is a corpus's name; the encoder's name is a model for embeddings. Instructions of
the client (system messages) do not reach the writer of answers: what is said must follow from
the documents. Sampling options are accepted and have no effect, because answers are checked.
"""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from starlette.responses import Response

from ragstone.applications.events import Abstained, Done, Event, Stated
from ragstone.applications.wire import Json, JsonObject, citation_json
from ragstone.serve import sse, telemetry
from ragstone.serve.asking import Streaming, events_of
from ragstone.serve.cited import CitedText
from ragstone.serve.library import Shelf
from ragstone.serve.operation import Call, Operation, Reply, reply
from ragstone.serve.problem import Problem
from ragstone.trace import Trace
from ragstone.types import Answer

_MAYBE_FLAG: JsonObject = {"type": ["boolean", "null"], "default": False}
_TEXT: JsonObject = {"type": "string", "maxLength": 100_000}
_WHERE: JsonObject = {
    "type": ["string", "null"], "maxLength": 4000, "description": "A filter; ragstone's own."
}  # fmt: skip
CHAT_BODY: JsonObject = {
    "type": "object",
    "required": ["model", "messages"],
    "properties": {
        "model": {"type": "string", "description": "A corpus's name."},
        "messages": {
            "type": "array", "minItems": 1, "maxItems": 200,
            "items": {
                "type": "object", "required": ["role"],
                "properties": {"role": {"type": "string"},
                               "content": {"type": ["string", "array", "null"],
                                           "items": {"type": "object"}}},
            },
        },
        "stream": _MAYBE_FLAG,
        "n": {"type": ["integer", "null"], "minimum": 1, "maximum": 1},
        "stream_options": {"type": ["object", "null"]},
        "where": _WHERE,
    },
}  # fmt: skip
RESPONSES_BODY: JsonObject = {
    "type": "object",
    "required": ["model", "input"],
    "properties": {
        "model": {"type": "string", "description": "A corpus's name."},
        "input": {"type": ["string", "array"], "maxItems": 200, "items": {"type": "object"}},
        "stream": _MAYBE_FLAG,
        "previous_response_id": {
            "type": "null", "description": "Nothing is kept here: send the turns in `input`."
        },
        "where": _WHERE,
    },
}  # fmt: skip
EMBEDDINGS_BODY: JsonObject = {
    "type": "object",
    "required": ["model", "input"],
    "properties": {
        "model": {"type": "string", "description": "The encoder's name, as /v1/models lists it."},
        "input": {"type": ["string", "array"], "minItems": 1, "maxItems": 256, "items": _TEXT},
        "encoding_format": {"type": "string", "enum": ["float", "base64"], "default": "float"},
        "dimensions": {"type": ["integer", "null"], "minimum": 1},
    },
}  # fmt: skip


async def models(call: Call) -> Response:
    """The corpora as models, and their encoders."""
    names: dict[str, str] = {}
    for shelf in call.library.seen_by(call.caller):
        names[shelf.name] = "ragstone"
        names.setdefault(shelf.corpus.encoder.name, "ragstone-encoder")
    rows: list[Json] = [
        {"id": name, "object": "model", "created": 0, "owned_by": owner}
        for name, owner in names.items()
    ]
    return reply({"object": "list", "data": rows})


async def embeddings(call: Call) -> Response:
    """Unit vectors of texts by the encoder that the corpora were built with."""
    model = call.text("model")
    encoders = [shelf.corpus.encoder for shelf in call.library.seen_by(call.caller)]
    encoder = next((each for each in encoders if each.name == model), None)
    if encoder is None:
        raise _no_model(model)
    wanted = call.maybe("dimensions")
    if wanted not in (None, encoder.dim):
        raise Problem(
            400, "dimensions", f"{model} has {encoder.dim} dimensions, not {wanted}.",
            remedy="Leave `dimensions` out.", param="dimensions",
        )  # fmt: skip
    given = call.body["input"]
    texts = [str(text) for text in given] if isinstance(given, list) else [str(given)]
    vectors = await call.library.work.run(lambda: encoder.encode_passages(texts))
    tokens = sum(len(encoder.token_spans(text)) for text in texts)
    packed = call.text("encoding_format", "float") == "base64"
    rows: list[Json] = [
        {
            "object": "embedding", "index": index,
            "embedding": base64.b64encode(row.astype("<f4").tobytes()).decode()
            if packed else [float(x) for x in np.asarray(row, dtype=np.float32)],
        }
        for index, row in enumerate(vectors)
    ]  # fmt: skip
    usage: JsonObject = {"prompt_tokens": tokens, "total_tokens": tokens}
    return reply({"object": "list", "data": rows, "model": model, "usage": usage})


@dataclass(slots=True)
class _Asked:
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


def _asked(call: Call, messages: list[tuple[str, str]], prefix: str) -> _Asked:
    model = call.text("model")
    if model not in {shelf.name for shelf in call.library.seen_by(call.caller)}:
        raise _no_model(model)
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
    return _Asked(
        shelf, question, make, cited, f"{prefix}{secrets.token_hex(12)}", int(time.time())
    )


async def chat_completions(call: Call) -> Response:
    """An answer in the form of a chat completion."""
    given = call.body["messages"]
    asked = _asked(call, _messages(given), "chatcmpl-")
    if call.flag("stream"):
        return _chat_stream(call, asked)
    async with call.library.work.stream(asked.make) as events:
        async for event in events:
            asked.piece(event)
    message: JsonObject = {
        "role": "assistant", "content": asked.cited.text, "refusal": None,
        "annotations": _nested(asked.cited.annotations),
    }  # fmt: skip
    return reply(
        {
            "id": asked.id, "object": "chat.completion", "created": asked.created,
            "model": asked.shelf.name,
            "choices": [
                {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
            ],
            "usage": _chat_usage(asked), "ragstone": asked.proof(),
        }
    )  # fmt: skip


def _chat_stream(call: Call, asked: _Asked) -> Response:
    options = call.body.get("stream_options")
    with_usage = isinstance(options, dict) and options.get("include_usage") is True
    begun = False

    def chunk(delta: JsonObject, finish: str | None = None, **more: Json) -> bytes:
        choice: JsonObject = {"index": 0, "delta": delta, "finish_reason": finish}
        return sse.event("", {
            "id": asked.id, "object": "chat.completion.chunk", "created": asked.created,
            "model": asked.shelf.name, "choices": [choice], **more,
        })  # fmt: skip

    def render(event: Event) -> bytes:
        nonlocal begun
        sent = b"" if begun else chunk({"role": "assistant", "content": ""})
        begun = True
        piece = asked.piece(event)
        if piece:
            sent += chunk({"content": piece})
        if isinstance(event, Done):
            sent += chunk(
                {"annotations": _nested(asked.cited.annotations)}, "stop", ragstone=asked.proof()
            )
            if with_usage:
                sent += sse.event("", {
                    "id": asked.id, "object": "chat.completion.chunk", "created": asked.created,
                    "model": asked.shelf.name, "choices": [], "usage": _chat_usage(asked),
                })  # fmt: skip
        return sent

    return Streaming(
        sse.EventStream(
            call.library.work, asked.make, render, _failure(call), last=b"data: [DONE]\n\n"
        )
    )


async def responses(call: Call) -> Response:
    """An answer in the form of a response."""
    given = call.body["input"]
    messages = [("user", given)] if isinstance(given, str) else _messages(given)
    asked = _asked(call, messages, "resp_")
    item = f"msg_{secrets.token_hex(12)}"
    if call.flag("stream"):
        return Streaming(
            sse.EventStream(
                call.library.work, asked.make, _Responding(asked, item).render, _failure(call)
            )
        )
    async with call.library.work.stream(asked.make) as events:
        async for event in events:
            asked.piece(event)
    return reply(_response(asked, item, "completed"))


class _Responding:
    """The events of a streamed response, numbered."""

    def __init__(self, asked: _Asked, item: str) -> None:
        self._asked = asked
        self._item = item
        self._number = 0
        self._annotated = 0

    def render(self, event: Event) -> bytes:
        sent = b"" if self._number else self._begin()
        piece = self._asked.piece(event)
        if piece:
            sent += self._part("response.output_text.delta", delta=piece, logprobs=[])
        annotations = self._asked.cited.annotations
        for index in range(self._annotated, len(annotations)):
            sent += self._part(
                "response.output_text.annotation.added", annotation_index=index,
                annotation=annotations[index],
            )  # fmt: skip
        self._annotated = len(annotations)
        return sent + self._end() if isinstance(event, Done) else sent

    def _begin(self) -> bytes:
        begun = _response(self._asked, self._item, "in_progress")
        message: JsonObject = {
            "id": self._item, "type": "message", "role": "assistant", "status": "in_progress",
            "content": [],
        }  # fmt: skip
        part: JsonObject = {"type": "output_text", "text": "", "annotations": []}
        return (
            self._event("response.created", response=begun)
            + self._event("response.in_progress", response=begun)
            + self._event("response.output_item.added", output_index=0, item=message)
            + self._part("response.content_part.added", part=part)
        )

    def _end(self) -> bytes:
        text = self._asked.cited.text
        done = _response(self._asked, self._item, "completed")
        item = _message(self._asked, self._item)
        part: JsonObject = {
            "type": "output_text", "text": text, "annotations": list(self._asked.cited.annotations)
        }  # fmt: skip
        return (
            self._part("response.output_text.done", text=text, logprobs=[])
            + self._part("response.content_part.done", part=part)
            + self._event("response.output_item.done", output_index=0, item=item)
            + self._event("response.completed", response=done)
        )

    def _part(self, name: str, **values: Json) -> bytes:
        return self._event(name, item_id=self._item, output_index=0, content_index=0, **values)

    def _event(self, name: str, **values: Json) -> bytes:
        numbered: JsonObject = {"type": name, "sequence_number": self._number, **values}
        self._number += 1
        return sse.event(name, numbered)


def _message(asked: _Asked, item: str) -> JsonObject:
    content: JsonObject = {
        "type": "output_text", "text": asked.cited.text,
        "annotations": list(asked.cited.annotations), "logprobs": [],
    }  # fmt: skip
    return {
        "id": item, "type": "message", "role": "assistant", "status": "completed",
        "content": [content],
    }  # fmt: skip


def _response(asked: _Asked, item: str, status: str) -> JsonObject:
    done = status == "completed"
    read, wrote = asked.usage() if done else (0, 0)
    usage: JsonObject = {
        "input_tokens": read, "output_tokens": wrote, "total_tokens": read + wrote,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0},
    }  # fmt: skip
    return {
        "id": asked.id, "object": "response", "created_at": asked.created, "status": status,
        "model": asked.shelf.name, "error": None, "incomplete_details": None, "instructions": None,
        "metadata": {}, "parallel_tool_calls": False, "temperature": 0.0, "top_p": 1.0,
        "tool_choice": "none", "tools": [], "output": [_message(asked, item)] if done else [],
        "usage": usage if done else None, "ragstone": asked.proof(),
    }  # fmt: skip


def _failure(call: Call) -> Callable[[Problem], bytes]:
    def fail(problem: Problem) -> bytes:
        content: JsonObject = {"error": dict(problem.content(call.request_id)["error"])}
        return sse.event("error", content)

    return fail


def _nested(annotations: list[JsonObject]) -> Json:
    """Chat completions keep what responses lay flat in a key named after the type."""
    return [
        {
            "type": "url_citation",
            "url_citation": {key: value for key, value in each.items() if key != "type"},
        }
        for each in annotations
    ]


def _chat_usage(asked: _Asked) -> JsonObject:
    read, wrote = asked.usage()
    return {"prompt_tokens": read, "completion_tokens": wrote, "total_tokens": read + wrote}


def _no_model(model: str) -> Problem:
    return Problem(
        404, "model_not_found", f"There is no model {model[:80]!r}.",
        remedy="/v1/models lists them.", param="model",
    )  # fmt: skip


def _messages(given: Json) -> list[tuple[str, str]]:
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
    """The last question of the user, and the turns before it (question, answer)."""
    last = max((i for i, (role, _) in enumerate(messages) if role == "user"), default=-1)
    question = messages[last][1].strip() if last >= 0 else ""
    if not question:
        raise Problem(
            422, "no_question", "There is no message of a user with text.",
            remedy="End `messages` with one whose role is user.", param="messages",
        )  # fmt: skip
    if len(question) > 8000:
        raise Problem(
            422, "long_question", f"The question has {len(question)} characters.",
            remedy="Ask in at most 8,000.", param="messages",
        )  # fmt: skip
    turns: list[tuple[str, str]] = []
    waiting = ""
    for role, text in messages[:last]:
        if role == "user":
            waiting = text
        elif role == "assistant" and waiting:
            turns.append((waiting, text))
            waiting = ""
    return question, turns[-50:]


_CHAT_EXAMPLE: JsonObject = {
    "id": "chatcmpl-1", "object": "chat.completion", "created": 1767600000, "model": "main",
    "choices": [], "usage": {}, "ragstone": {},
}  # fmt: skip
_RESPONSE_EXAMPLE: JsonObject = {
    "id": "resp_1", "object": "response", "created_at": 1767600000, "status": "completed",
    "model": "main", "output": [], "usage": {}, "ragstone": {},
}  # fmt: skip
_ASK: JsonObject = {
    "model": "main", "messages": [{"role": "user", "content": "How is a version rolled back?"}]
}  # fmt: skip
OPERATIONS = (
    Operation(
        "GET", "/v1/models", "List models", "openai", "read", models,
        Reply("Corpora and encoders.", {"object": "list", "data": []}),
    ),
    Operation(
        "POST", "/v1/chat/completions", "Complete a chat", "openai", "read", chat_completions,
        Reply("The answer; server-sent events with `stream`.", _CHAT_EXAMPLE), (), CHAT_BODY,
        {"simple": _ASK, "streamed": {**_ASK, "stream": True}}, errors=(404,),
    ),
    Operation(
        "POST", "/v1/responses", "Create a response", "openai", "read", responses,
        Reply("The answer; server-sent events with `stream`.", _RESPONSE_EXAMPLE), (),
        RESPONSES_BODY, {"simple": {"model": "main", "input": "How is a version rolled back?"}},
        errors=(404,),
    ),
    Operation(
        "POST", "/v1/embeddings", "Embed texts", "openai", "read", embeddings,
        Reply("The vectors.", {"object": "list", "data": [], "model": "all-MiniLM-L6-v2",
                               "usage": {}}), (), EMBEDDINGS_BODY,
        {"simple": {"model": "all-MiniLM-L6-v2", "input": "a text"}}, errors=(404,),
    ),
)  # fmt: skip
