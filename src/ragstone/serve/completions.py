"""OpenAI's chat completions, whole and streamed, answered from a corpus.

Sampling options are accepted and have no effect, because what is said is checked.
"""

from __future__ import annotations

from starlette.responses import Response

from ragstone.applications.events import Done, Event
from ragstone.applications.wire import Json, JsonObject
from ragstone.serve import sse
from ragstone.serve.asking import Streaming
from ragstone.serve.conversation import (
    MAYBE_FLAG,
    WHERE,
    Asked,
    asked_of,
    failing,
    messages_of,
)
from ragstone.serve.operation import Call, Operation, Reply, reply

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
        "stream": MAYBE_FLAG,
        "n": {"type": ["integer", "null"], "minimum": 1, "maximum": 1},
        "stream_options": {"type": ["object", "null"]},
        "where": WHERE,
    },
}  # fmt: skip


async def chat_completions(call: Call) -> Response:
    """An answer in the form of a chat completion."""
    given = call.body["messages"]
    asked = asked_of(call, messages_of(given), "chatcmpl-")
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


def _chat_stream(call: Call, asked: Asked) -> Response:
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
            sse.of_work(call.library.work, asked.make),
            render,
            failing(call),
            last=b"data: [DONE]\n\n",
        )
    )


def _nested(annotations: list[JsonObject]) -> Json:
    """Chat completions keep what responses lay flat in a key named after the type."""
    return [
        {
            "type": "url_citation",
            "url_citation": {key: value for key, value in each.items() if key != "type"},
        }
        for each in annotations
    ]


def _chat_usage(asked: Asked) -> JsonObject:
    read, wrote = asked.usage()
    return {"prompt_tokens": read, "completion_tokens": wrote, "total_tokens": read + wrote}


_CHAT_EXAMPLE: JsonObject = {
    "id": "chatcmpl-1", "object": "chat.completion", "created": 1767600000, "model": "main",
    "choices": [], "usage": {}, "ragstone": {},
}  # fmt: skip
_ASK: JsonObject = {
    "model": "main", "messages": [{"role": "user", "content": "How is a version rolled back?"}]
}  # fmt: skip
OPERATIONS = (
    Operation(
        "POST", "/v1/chat/completions", "Complete a chat", "openai", "read", chat_completions,
        Reply("The answer; server-sent events with `stream`.", _CHAT_EXAMPLE), (), CHAT_BODY,
        {"simple": _ASK, "streamed": {**_ASK, "stream": True}}, errors=(404,), streams=True,
    ),
)  # fmt: skip
