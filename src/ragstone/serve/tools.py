"""The corpora as tools for language models, over MCP (Model Context Protocol), by its official SDK.

Tools: `search`, `ask`, `get_document`, `list_documents`, and `sync` only where folders were
allowed for it and the caller may write. What a tool returns is JSON, both as text and as
structured content. A tool's failure is a result marked as an error, so that the model reads it.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import json
import os
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http_manager import StreamableHTTPASGIApp, StreamableHTTPSessionManager
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from ragstone.applications.events import Done
from ragstone.applications.wire import (
    Json,
    JsonObject,
    answer_json,
    document_info_json,
    failure_json,
    hit_json,
)
from ragstone.errors import RagstoneError
from ragstone.serve import log, schema, telemetry
from ragstone.serve.asking import events_of
from ragstone.serve.keys import LOCAL, Caller
from ragstone.serve.problem import Problem, from_error
from ragstone.trace import Trace

if TYPE_CHECKING:
    from ragstone.serve.library import Library, Shelf

INSTRUCTIONS = (
    "Search and question answering over the user's own documents. Use `ask` for an answer whose "
    "every statement is proved by exact quotes; it says so when the documents do not answer. Use "
    "`search` for passages, then `get_document` with `start` and `end` to read around one."
)
_MOST_TEXT = 50_000
_QUESTION: JsonObject = {"type": "string", "minLength": 1, "maxLength": 8000, "pattern": r"\S"}
_WHERE: JsonObject = {
    "type": "string", "maxLength": 4000,
    "description": "Only documents that fit, such as format = 'pdf'.",
}  # fmt: skip
_K: JsonObject = {"type": "integer", "minimum": 1, "maximum": 50}
_PLACE: JsonObject = {"type": "integer", "minimum": 0, "maximum": 2**31}

Act = Callable[["Library", "Shelf", Caller, JsonObject], JsonObject]


def _search(library: Library, shelf: Shelf, caller: Caller, given: JsonObject) -> JsonObject:
    trace = Trace()
    hits = shelf.corpus.search(
        str(given["question"]), k=_whole(given, "k", 8),
        where=shelf.visible(caller, _said(given, "where")), trace=trace,
    )  # fmt: skip
    telemetry.record("search", trace, library.metrics, request_id="mcp")
    return {"hits": [hit_json(hit) for hit in hits]}


def _ask(library: Library, shelf: Shelf, caller: Caller, given: JsonObject) -> JsonObject:
    trace = Trace()
    where = shelf.visible(caller, _said(given, "where"))
    events = events_of(shelf, str(given["question"]), where=where, trace=trace)
    answer = next(event.answer for event in events if isinstance(event, Done))
    telemetry.record("ask", trace, library.metrics, request_id="mcp")
    whole = answer_json(answer)
    kept = (
        "answer",
        "abstained",
        "reason",
        "confidence",
        "claims",
        "citations",
        "nearest",
        "could_answer",
    )
    return {name: whole[name] for name in kept}


def _get(library: Library, shelf: Shelf, caller: Caller, given: JsonObject) -> JsonObject:
    info, document = shelf.find(str(given["id"]), caller, text=True)
    text = document.text if document is not None else ""
    start = min(_whole(given, "start", 0), len(text))
    end = min(_whole(given, "end", start + _MOST_TEXT), len(text), start + _MOST_TEXT)
    return {**document_info_json(info), "start": start, "end": end, "text": text[start:end]}


def _list(library: Library, shelf: Shelf, caller: Caller, given: JsonObject) -> JsonObject:
    found = shelf.listing(
        shelf.visible(caller, _said(given, "where")), words=_said(given, "query").split(),
        offset=_whole(given, "offset", 0), limit=_whole(given, "limit", 50),
    )  # fmt: skip
    shown: list[Json] = [document_info_json(info) for info in found.documents]
    return {"total": found.total, "documents": shown}


def _sync(library: Library, shelf: Shelf, caller: Caller, given: JsonObject) -> JsonObject:
    if not caller.may("write") or caller.where or library.options.read_only:
        raise Problem(403, "role", "This caller may not write.", remedy="Use another key.")
    allowed = [Path(folder).expanduser().resolve() for folder in library.options.sync]
    wanted = Path(str(given["path"])).expanduser().resolve()
    astray = None if not _within(wanted, allowed) else _astray(wanted, allowed)
    if astray is not None:
        raise Problem(
            403, "link", f"A link in this folder leads out of it: {astray.name}.",
            remedy="Remove the link, or allow the folder that it leads to.",
        )  # fmt: skip
    if not _within(wanted, allowed):
        raise Problem(
            403, "folder", "This folder is not one that may be read.",
            remedy=f"Allowed: {', '.join(map(str, allowed))}.",
        )  # fmt: skip
    with shelf.writing:
        report = shelf.corpus.sync(wanted)
    failures: list[Json] = [failure_json(failure) for failure in report.failed]
    return {"version": shelf.version, "failures": failures}


def _within(path: Path, allowed: Sequence[Path]) -> bool:
    return any(path == folder or folder in path.parents for folder in allowed)


def _astray(folder: Path, allowed: Sequence[Path]) -> Path | None:
    """The first link below `folder` that leads out of what is allowed: `sync` follows links."""
    for here, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(here, name)
            if path.is_symlink() and not _within(path.resolve(), allowed):
                return path
    return None


def _tool(
    name: str, about: str, properties: JsonObject, required: list[str], *, writes: bool = False
) -> types.Tool:
    corpus: JsonObject = {
        "type": "string", "description": "The corpus's name; the first one, where left out."
    }  # fmt: skip
    return types.Tool(
        name=name,
        description=about,
        input_schema={
            "type": "object", "additionalProperties": False, "required": required,
            "properties": {**properties, "corpus": corpus},
        },
        annotations=types.ToolAnnotations(
            read_only_hint=not writes, destructive_hint=writes, open_world_hint=False
        ),
    )  # fmt: skip


TOOLS: dict[str, tuple[types.Tool, Act]] = {
    "search": (
        _tool("search", "Find passages for a question, best first, with their exact places.",
              {"question": _QUESTION, "k": _K, "where": _WHERE}, ["question"]),
        _search,
    ),
    "ask": (
        _tool("ask", "Answer a question from the documents, each statement proved by quotes.",
              {"question": _QUESTION, "where": _WHERE}, ["question"]),
        _ask,
    ),
    "get_document": (
        _tool("get_document", "Read a document's text, or the part from `start` to `end`.",
              {"id": {"type": "string", "minLength": 1, "maxLength": 2000}, "start": _PLACE,
               "end": _PLACE}, ["id"]),
        _get,
    ),
    "list_documents": (
        _tool("list_documents", "List documents by words of their title or source.",
              {"query": {"type": "string", "maxLength": 500}, "where": _WHERE,
               "offset": {"type": "integer", "minimum": 0},
               "limit": {"type": "integer", "minimum": 1, "maximum": 200}}, []),
        _list,
    ),
    "sync": (
        _tool("sync", "Take in what is new or changed in a folder, and drop what is gone.",
              {"path": {"type": "string", "minLength": 1, "maxLength": 2000}}, ["path"],
              writes=True),
        _sync,
    ),
}  # fmt: skip


def server(library: Library) -> Server[object]:
    """The MCP server over a library."""

    async def list_tools(
        context: ServerRequestContext[object], _: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        caller = _caller(context)
        syncs = bool(library.options.sync) and caller.may("write") and not caller.where
        tools = [tool for name, (tool, _) in TOOLS.items() if name != "sync" or syncs]
        return types.ListToolsResult(tools=tools)

    async def call_tool(
        context: ServerRequestContext[object], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        try:
            caller = _caller(context)
            found = await _called(library, caller, params)
        except Problem as problem:
            return _failed(problem)
        except RagstoneError as error:
            return _failed(from_error(error, filtered=bool(caller.where)))
        except Exception as error:  # a model must get an answer, and the log the place
            log.failed("tool failed", error, tool=params.name if params.name in TOOLS else "?")
            return _failed(Problem(500, "internal", "The tool failed."))
        text = json.dumps(found, ensure_ascii=False)
        return types.CallToolResult(
            content=[types.TextContent(type="text", text=text)], structured_content=dict(found)
        )

    return Server(
        "ragstone", version=importlib.metadata.version("ragstone"), instructions=INSTRUCTIONS,
        on_list_tools=list_tools, on_call_tool=call_tool,
    )  # fmt: skip


async def _called(
    library: Library, caller: Caller, params: types.CallToolRequestParams
) -> JsonObject:
    if params.name not in TOOLS or (params.name == "sync" and not library.options.sync):
        raise Problem(404, "no_tool", "There is no such tool.", remedy="List the tools.")
    tool, act = TOOLS[params.name]
    given: JsonObject = dict(params.arguments or {})
    schema.check(given, tool.input_schema, "the arguments")
    seen = library.seen_by(caller)
    if not seen:
        raise Problem(404, "no_corpus", "There is no corpus for this caller.")
    shelf = library.shelf(_said(given, "corpus") or seen[0].name, caller)
    return await library.work.run(functools.partial(act, library, shelf, caller, given))


def over_http(
    library: Library,
) -> tuple[_Endpoint, contextlib.AbstractAsyncContextManager[None]]:
    """The ASGI endpoint, and the context in which it lives. The guard checks hosts and keys.

    Stateless: each request stands for itself, so nothing is held for clients that leave.
    """
    manager = StreamableHTTPSessionManager(server(library), stateless=True, json_response=True)

    @contextlib.asynccontextmanager
    async def running() -> AsyncIterator[None]:
        async with manager.run():
            yield

    inner = StreamableHTTPASGIApp(manager)

    async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"]["route"] = "/mcp"
        await inner(scope, receive, send)

    return _Endpoint(endpoint), running()


class _Endpoint:
    """An ASGI callable that a route takes as it is, whatever the method."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


def over_stdio(library: Library) -> None:
    """Serve one client over standard input and output until it closes them."""
    built = server(library)

    async def main() -> None:
        async with stdio_server() as (read, write):
            await built.run(read, write, built.create_initialization_options())

    anyio.run(main)


def _caller(context: ServerRequestContext[object]) -> Caller:
    request = context.request
    if isinstance(request, Request):
        caller = request.scope["state"]["caller"]
        if isinstance(caller, Caller):
            return caller
    return LOCAL  # standard input belongs to the user who started the process


def _failed(problem: Problem) -> types.CallToolResult:
    text = f"{problem.message} {problem.remedy}".strip()
    return types.CallToolResult(content=[types.TextContent(type="text", text=text)], is_error=True)


def _said(given: JsonObject, name: str) -> str:
    value = given.get(name)
    return value if isinstance(value, str) else ""


def _whole(given: JsonObject, name: str, default: int) -> int:
    value = given.get(name)
    return int(value) if isinstance(value, int | float) else default
