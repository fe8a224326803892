"""One operation of the API: what is published about it and what runs for it, in one value.

The router and the OpenAPI document are both made from these, so neither can drift.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ragstone.applications.wire import Json, JsonObject
from ragstone.serve import schema
from ragstone.serve.keys import Caller, Role
from ragstone.serve.problem import Problem

if TYPE_CHECKING:
    from ragstone.serve.library import Library, Shelf

Method = Literal["GET", "POST", "PUT", "DELETE"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter in the path or the query; its schema is one of string, integer, boolean."""

    name: str
    schema: JsonObject
    about: str
    example: Json
    place: Literal["path", "query"] = "query"
    required: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply: its media type, and an example of it."""

    about: str
    example: Json = None
    media: str = "application/json"
    status: int = 200
    others: tuple[str, ...] = ()  # other media types, where the request chooses


@dataclass(frozen=True, slots=True)
class Operation:
    """What a path does with a method."""

    method: Method
    path: str
    summary: str
    tag: str
    role: Role
    act: Callable[[Call], Awaitable[Response]]
    reply: Reply
    parameters: tuple[Parameter, ...] = ()
    body: JsonObject | None = None
    examples: dict[str, Json] = field(default_factory=dict)  # of the body, by name
    keeps: bool = False  # writes what is the caller's own: any role may, a read-only server not
    raw_body: bool = False  # the body is a file's bytes
    streams: bool = False  # replies with events where the body asks for a stream
    errors: tuple[int, ...] = ()


class Call:
    """One request to an operation, checked: who asks, which corpus, the values given."""

    def __init__(self, operation: Operation, request: Request, library: Library) -> None:
        self.operation = operation
        self.request = request
        self.library = library
        self.caller: Caller = request.state.caller
        self.request_id: str = request.state.request_id
        self.values: dict[str, Json] = {}
        self.body: JsonObject = {}

    @property
    def shelf(self) -> Shelf:
        """The corpus that the path names. Raises Problem (404) for one the caller may not see."""
        return self.library.shelf(str(self.values["corpus"]), self.caller)

    def text(self, name: str, default: str = "") -> str:
        """A text of the body or the query."""
        value = self._value(name)
        return value if isinstance(value, str) else default

    def number(self, name: str, default: int) -> int:
        """A whole number of the body or the query."""
        value = self._value(name)
        whole = isinstance(value, int | float) and not isinstance(value, bool)
        return int(value) if whole else default  # type: ignore[arg-type]

    def maybe(self, name: str) -> int | None:
        """A whole number, or None where it was not given."""
        return None if self._value(name) is None else self.number(name, 0)

    def flag(self, name: str) -> bool:
        """A boolean of the body or the query, false where it was not given."""
        return self._value(name) is True

    def _value(self, name: str) -> Json:
        return self.body.get(name, self.values.get(name))

    async def read(self) -> None:
        """Take the parameters and the body from the request. Raises Problem for a wrong one."""
        for parameter in self.operation.parameters:
            value = self._parameter(parameter)
            if value is not None:
                schema.check(value, parameter.schema, f"`{parameter.name}`")
                self.values[parameter.name] = value
        if self.operation.body is not None:
            body = await _json_body(self.request)
            schema.check(body, self.operation.body)
            self.body = body if isinstance(body, dict) else {}

    def _parameter(self, parameter: Parameter) -> Json:
        if parameter.place == "path":
            return str(self.request.path_params[parameter.name])
        given = self.request.query_params.getlist(parameter.name)
        if not given:
            if parameter.required:
                raise Problem(
                    422, "invalid", f"`{parameter.name}` is missing in the query.",
                    remedy="See /openapi.json.", param=parameter.name,
                )  # fmt: skip
            return None
        return _converted(given[-1], parameter.schema.get("type"))


def _converted(text: str, kind: Json) -> Json:
    """A query's text as the JSON type that is asked for; left as it is where it does not fit."""
    if kind == "integer" and text.lstrip("-").isascii() and text.lstrip("-").isdigit():
        return int(text[:20])
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    return text


async def _json_body(request: Request) -> Json:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        raise Problem(
            415, "media_type", f"The body's type is {media[:60]!r}.",
            remedy="Send `Content-Type: application/json`.",
        )  # fmt: skip
    try:
        value: Json = json.loads(await request.body(), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Problem(
            400, "malformed", "The body is not JSON.", remedy="Send one JSON value in UTF-8."
        ) from error
    return value


def _no_constant(name: str) -> Json:
    raise ValueError(f"{name} is no JSON number")


def route(operation: Operation, library: Library) -> Route:
    """The route that runs this operation."""

    async def endpoint(request: Request) -> Response:
        request.state.route = operation.path
        caller: Caller | None = getattr(request.state, "caller", None)
        if caller is not None and not caller.may(operation.role):
            raise Problem(
                403, "role", f"This needs the role {operation.role}; the key has {caller.role}.",
                remedy="Use a key with that role.",
            )  # fmt: skip
        if (operation.role != "read" or operation.keeps) and library.options.read_only:
            raise Problem(403, "read_only", "This server is read-only.", remedy="Ask its owner.")
        call = Call(operation, request, library)
        await call.read()
        return await operation.act(call)

    return Route(operation.path, endpoint, methods=[operation.method], name=_id(operation))


def _id(operation: Operation) -> str:
    words = operation.path.replace("{", "").replace("}", "").replace(".", "/").split("/")
    named = [word for word in words if word and word not in ("api", "corpora", "path")]
    return "_".join([operation.method.lower(), *named]).replace(":path", "")


def operation_id(operation: Operation) -> str:
    """The name of an operation, unique in the document."""
    return _id(operation)


def reply(content: Json, status: int = 200) -> Response:
    """A JSON reply."""
    return JSONResponse(content, status_code=status)


def attachment(content: bytes, name: str, media: str) -> Response:
    """A file to keep under `name` (RFC 6266; the name in UTF-8 as RFC 8187 has it)."""
    return Response(
        content, media_type=media,
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"},
    )  # fmt: skip
