"""The OpenAPI 3.1 document, made from the operations themselves."""

from __future__ import annotations

from collections.abc import Sequence

from ragstone.applications.wire import Json, JsonObject
from ragstone.serve.operation import Operation, Parameter, operation_id
from ragstone.serve.sse import MEDIA

_ERROR: JsonObject = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "type", "message", "request_id"],
            "properties": {
                "code": {"type": "string"},
                "type": {"type": "string"},
                "message": {"type": "string"},
                "remedy": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "request_id": {"type": "string"},
            },
        }
    },
}
_ERRORS = {
    400: "The body is not JSON, or an expression cannot be read.",
    401: "A key is needed.",
    403: "The key's role does not allow this, or the request comes from another site.",
    404: "There is no such corpus or document, or the key may not see it.",
    408: "The body came too slowly.",
    409: "What is asked for does not fit what is there now.",
    413: "The body is too large.",
    415: "The body's type is not known.",
    421: "The server does not answer to this host name.",
    422: "A value is not what the schema allows, or a file cannot be read.",
    431: "The address and headers are too long.",
    429: "Too many requests; `Retry-After` says when to come back.",
    503: "The corpus is busy or cannot be opened.",
}
_EVENT: JsonObject = {
    "type": "object",
    "properties": {"event": {"type": "string"}, "data": {"type": "string"}},
    "description": "Server-sent events; `data` is one JSON value.",
}
_ALWAYS = (401, 403, 421, 429, 431, 503)


def document(operations: Sequence[Operation], *, version: str) -> JsonObject:
    """The description of all operations, with examples."""
    paths: dict[str, Json] = {}
    for operation in operations:
        path = operation.path.replace(":path}", "}")
        entry = paths.setdefault(path, {})
        if isinstance(entry, dict):
            entry[operation.method.lower()] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ragstone",
            "version": version,
            "summary": "Answers from your own documents, with exact citations.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"key": []}, {}],
        "paths": paths,
        "components": {
            "schemas": {"Error": _ERROR},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _described(operation: Operation) -> JsonObject:
    responses: dict[str, Json] = {
        str(operation.reply.status): {
            "description": operation.reply.about,
            "content": {
                operation.reply.media: _content(operation),
                **{media: {"schema": {}} for media in operation.reply.others},
            },
        }
    }
    if operation.streams:
        first = responses[str(operation.reply.status)]
        if isinstance(first, dict) and isinstance(first["content"], dict):
            first["content"][MEDIA] = {"schema": _EVENT}
    statuses = {*_ALWAYS, *operation.errors}
    if operation.parameters:
        statuses.add(422)
    if operation.body is not None:
        statuses |= {400, 408, 413, 415, 422}
    for status in sorted(statuses):
        responses[str(status)] = {
            "description": _ERRORS[status],
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
        }
    described: JsonObject = {
        "operationId": operation_id(operation),
        "summary": operation.summary,
        "tags": [operation.tag],
        "parameters": [_parameter(parameter) for parameter in operation.parameters],
        "responses": responses,
        "x-role": operation.role,
    }
    if operation.body is not None:
        described["requestBody"] = {
            "required": True,
            "content": {
                "application/json": {
                    "schema": operation.body,
                    "examples": {
                        name: {"value": value} for name, value in operation.examples.items()
                    },
                }
            },
        }
    if operation.raw_body:
        described["requestBody"] = {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string"}}},
        }
    return described


def _content(operation: Operation) -> JsonObject:
    if operation.reply.media == MEDIA:
        return {"schema": _EVENT}
    if operation.reply.media != "application/json":
        return {"schema": {"type": "string"}}
    content: JsonObject = {"schema": _shape(operation.reply.example)}
    if operation.reply.example is not None:
        content["example"] = operation.reply.example
    return content


def _shape(example: Json) -> JsonObject:
    """The top of a reply's shape: its keys are what the contract promises."""
    if isinstance(example, dict):
        return {"type": "object", "required": list(example)}
    return {"type": "array"} if isinstance(example, list) else {}


def _parameter(parameter: Parameter) -> JsonObject:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.required or parameter.place == "path",
        "description": parameter.about,
        "schema": parameter.schema,
        "example": parameter.example,
    }
