"""The ASGI application: every operation, the page, health and metrics, behind one guard."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, Router
from starlette.types import ASGIApp

from ragstone.applications.wire import Json
from ragstone.errors import RagstoneError
from ragstone.serve import (
    asking,
    completions,
    documents,
    embeddings,
    evaluations,
    examples,
    openapi,
    responses,
    sessions,
    versions,
    writing,
)
from ragstone.serve.guard import Guard
from ragstone.serve.keys import Keys
from ragstone.serve.library import Library
from ragstone.serve.metrics import CONTENT_TYPE
from ragstone.serve.operation import Call, Operation, Reply, reply, route
from ragstone.serve.problem import Problem

_PAGE = Path(__file__).parent / "page"
_MEDIA = {
    ".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}  # fmt: skip


async def corpora(call: Call) -> Response:
    """The corpora that the caller may see, and what he may do."""
    rows: list[Json] = []
    for shelf in call.library.seen_by(call.caller):
        where = shelf.visible(call.caller)
        page = await call.library.work.run(partial(shelf.listing, where))
        rows.append(
            {
                "name": shelf.name, "documents": page.every, "version": shelf.version,
                "encoder": shelf.corpus.encoder.name,
            }
        )  # fmt: skip
    writable = not call.library.options.read_only
    caller: Json = {
        "name": call.caller.name,
        "role": call.caller.role,
        "may_write": writable and call.caller.may("write") and not call.caller.where,
        "may_roll_back": writable and call.caller.may("admin") and not call.caller.where,
        "filtered": bool(call.caller.where),
        "may_keep": writable,
    }
    return reply({"corpora": rows, "caller": caller})


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "GET", "/api/corpora", "List corpora", "corpora", "read", corpora,
        Reply("The corpora and who asks.", examples.CORPORA),
    ),
    *asking.OPERATIONS,
    *documents.OPERATIONS,
    *versions.OPERATIONS,
    *sessions.OPERATIONS,
    *writing.OPERATIONS,
    *evaluations.OPERATIONS,
    *embeddings.OPERATIONS,
    *completions.OPERATIONS,
    *responses.OPERATIONS,
)  # fmt: skip


def create_app(library: Library, keys: Keys) -> ASGIApp:
    """The application over a library. The caller closes the library when it has ended."""
    options = library.options
    version = importlib.metadata.version("ragstone")
    published = openapi.document(OPERATIONS, version=version)

    async def described(request: Request) -> Response:
        request.state.route = "/openapi.json"
        return JSONResponse(published)

    async def measured(request: Request) -> Response:
        request.state.route = "/metrics"
        return PlainTextResponse(library.metrics.text(), media_type=CONTENT_TYPE)

    async def healthy(request: Request) -> Response:
        request.state.route = "/health"
        return JSONResponse({"status": "ok", "version": version})

    async def ready(request: Request) -> Response:
        request.state.route = "/ready"
        fine = library.ready and not library.work.closing
        return JSONResponse({"ready": fine}, status_code=200 if fine else 503)

    routes: list[BaseRoute] = [route(operation, library) for operation in OPERATIONS]
    routes += [
        Route("/health", healthy), Route("/ready", ready), Route("/metrics", measured),
        Route("/openapi.json", described),
    ]  # fmt: skip
    lifespan: list[contextlib.AbstractAsyncContextManager[object]] = []
    if options.mcp and importlib.util.find_spec("mcp") is not None:
        from ragstone.serve import tools

        endpoint, running = tools.over_http(library)
        routes.append(Route("/mcp", endpoint))
        lifespan.append(running)
    if options.page:
        routes += _page_routes()

    @contextlib.asynccontextmanager
    async def life(_: object) -> AsyncIterator[None]:
        library.metrics.gauge(
            "ragstone_calls", "Calls under way or waiting.", lambda: library.work.calls
        )
        library.metrics.gauge(
            "ragstone_streams", "Answers that stream.", lambda: library.work.streaming
        )
        library.metrics.gauge(
            "ragstone_jobs", "Texts and evaluations under way or waiting.",
            lambda: len(library.jobs),
        )  # fmt: skip
        async with contextlib.AsyncExitStack() as stack:
            for running in lifespan:
                await stack.enter_async_context(running)
            await library.work.run(lambda: warm(library))
            yield

    # not `Starlette`: its outermost layer answers unexpected errors itself, and raises them again
    router = Router(routes, redirect_slashes=False, lifespan=life)
    inner = ExceptionMiddleware(router, {HTTPException: _http})
    return Guard(inner, options=options, keys=keys, metrics=library.metrics)


def warm(library: Library) -> None:
    """Load what the first question would wait for."""
    for shelf in library.shelves.values():
        with contextlib.suppress(RagstoneError):  # an empty corpus is no reason not to start
            shelf.corpus.search("warm", k=1, mode="dense")
    library.ready = True


def _page_routes() -> list[BaseRoute]:
    """A route for each file of the page: nothing else of the disk can be named."""
    routes: list[BaseRoute] = []
    for path in sorted(_PAGE.rglob("*")):
        if path.suffix in _MEDIA:
            name = "/" + path.relative_to(_PAGE).as_posix()
            routes.append(Route("/" if name == "/index.html" else name, _file(path)))
    return routes


def _file(path: Path) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        request.state.route = "page"
        headers = {"Cache-Control": "no-cache"}
        return FileResponse(path, media_type=_MEDIA[path.suffix], headers=headers)

    return endpoint


async def _http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    known = {404: ("not_found", "There is nothing here."), 405: ("method", "Not this method.")}
    code, message = known.get(status, ("http", "The request cannot be served."))
    problem = Problem(status, code, message, remedy="See /openapi.json.")
    response = problem.response(request.state.request_id)
    if isinstance(error, HTTPException) and error.headers:
        response.headers.update(error.headers)
    return response


def paths(operations: Sequence[Operation]) -> list[str]:
    """The paths of the operations, for the documentation's test."""
    return sorted({f"{operation.method} {operation.path}" for operation in operations})
