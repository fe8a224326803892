"""Server-sent events (WHATWG HTML, section 9.2): typed events, a pulse, and an early end.

Law: data is one line of JSON, so no text can end an event or begin another; when the client
leaves, the work behind the stream is told to stop.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Generic, TypeAlias, TypeVar

from starlette.types import Receive, Scope, Send

from ragstone.applications.wire import Json
from ragstone.errors import RagstoneError
from ragstone.serve import log
from ragstone.serve.problem import Problem, from_error
from ragstone.serve.work import Work

T = TypeVar("T")
Source: TypeAlias = Callable[[], contextlib.AbstractAsyncContextManager[AsyncIterator[T]]]
PULSE_S = 10.0
MEDIA = "text/event-stream"


def event(name: str, data: Json) -> bytes:
    """One event on the wire; without a name it is a plain `message`."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def of_work(work: Work, make: Callable[[], Iterator[T]]) -> Source[T]:
    """The items of the iterator that `make` returns, both run in one thread of `work`."""
    return lambda: work.stream(make)


class EventStream(Generic[T]):
    """An ASGI reply: sends what `render` makes of each item that `source` gives.

    `source` opens the items and closes them when the client has left or all are sent: of
    synchronous work it is `of_work`. `fail` renders a problem that comes after the reply has
    begun. A problem before the first item is an ordinary reply with its status.
    """

    def __init__(
        self,
        source: Source[T],
        render: Callable[[T], bytes],
        fail: Callable[[Problem], bytes],
        *,
        last: bytes = b"",
    ) -> None:
        self._source = source
        self._render = render
        self._fail = fail
        self._last = last

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._source() as items:
            sender = asyncio.create_task(self._send_all(items, send))
            leaving = asyncio.create_task(_until_gone(receive))
            try:
                await asyncio.wait({sender, leaving}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                leaving.cancel()
                if not sender.done():
                    sender.cancel()
                with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                    await sender

    async def _send_all(self, items: AsyncIterator[T], send: Send) -> None:
        upcoming = aiter(items)
        first = await anext(upcoming, None)  # what fails here is still an ordinary reply
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        if first is not None:
            await _piece(send, self._render(first))
        try:
            await self._send_rest(upcoming, send)
        except RagstoneError as error:
            await _piece(send, self._fail(from_error(error)))
        except Problem as problem:
            await _piece(send, self._fail(problem))
        except (asyncio.CancelledError, ConnectionError):
            raise
        except Exception as error:
            log.failed("stream failed", error)
            unknown = Problem(500, "internal", "The server failed.", remedy="See its log.")
            await _piece(send, self._fail(unknown))
        await send({"type": "http.response.body", "body": self._last, "more_body": False})

    async def _send_rest(self, upcoming: AsyncIterator[T], send: Send) -> None:
        pending: asyncio.Future[T | None] | None = None
        try:
            while True:
                pending = pending or asyncio.ensure_future(anext(upcoming, None))
                done, _ = await asyncio.wait({pending}, timeout=PULSE_S)
                if not done:
                    await _piece(send, b": pulse\n\n")  # a proxy must not think it dead
                    continue
                item, pending = pending.result(), None
                if item is None:
                    return
                await _piece(send, self._render(item))
        finally:
            if pending is not None:
                pending.cancel()


_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


async def _piece(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _until_gone(receive: Receive) -> None:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
