"""OpenAI's responses, whole and as numbered events, answered from a corpus."""

from __future__ import annotations

import secrets

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

RESPONSES_BODY: JsonObject = {
    "type": "object",
    "required": ["model", "input"],
    "properties": {
        "model": {"type": "string", "description": "A corpus's name."},
        "input": {"type": ["string", "array"], "maxItems": 200, "items": {"type": "object"}},
        "stream": MAYBE_FLAG,
        "previous_response_id": {
            "type": "null", "description": "Nothing is kept here: ask a whole question."
        },
        "where": WHERE,
    },
}  # fmt: skip


async def responses(call: Call) -> Response:
    """An answer in the form of a response."""
    given = call.body["input"]
    messages = [("user", given)] if isinstance(given, str) else messages_of(given)
    asked = asked_of(call, messages, "resp_")
    item = f"msg_{secrets.token_hex(12)}"
    if call.flag("stream"):
        return Streaming(
            sse.EventStream(
                sse.of_work(call.library.work, asked.make),
                _Responding(asked, item).render,
                failing(call),
            )
        )
    async with call.library.work.stream(asked.make) as events:
        async for event in events:
            asked.piece(event)
    return reply(_response(asked, item, "completed"))


class _Responding:
    """The events of a streamed response, numbered."""

    def __init__(self, asked: Asked, item: str) -> None:
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


def _message(asked: Asked, item: str) -> JsonObject:
    content: JsonObject = {
        "type": "output_text", "text": asked.cited.text,
        "annotations": list(asked.cited.annotations), "logprobs": [],
    }  # fmt: skip
    return {
        "id": item, "type": "message", "role": "assistant", "status": "completed",
        "content": [content],
    }  # fmt: skip


def _response(asked: Asked, item: str, status: str) -> JsonObject:
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


_RESPONSE_EXAMPLE: JsonObject = {
    "id": "resp_1", "object": "response", "created_at": 1767600000, "status": "completed",
    "model": "main", "output": [], "usage": {}, "ragstone": {},
}  # fmt: skip
OPERATIONS = (
    Operation(
        "POST", "/v1/responses", "Create a response", "openai", "read", responses,
        Reply("The answer; server-sent events with `stream`.", _RESPONSE_EXAMPLE), (),
        RESPONSES_BODY, {"simple": {"model": "main", "input": "How is a version rolled back?"}},
        errors=(404,), streams=True,
    ),
)  # fmt: skip
