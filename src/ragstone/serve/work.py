"""The edge between the event loop and the synchronous core: bounded threads.

Law: the core is called in threads only, never more than `threads` at once, and at most
`waiting` requests stand in line; the next is refused at once (429), because a line that grows
answers nobody in time. Whoever stops listening frees his thread: the iterator of a stream is
closed in the thread that runs it, as soon as it yields next.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import functools
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from ragstone.serve.problem import Problem

T = TypeVar("T")
_AHEAD = 8  # items that a stream may be ahead of its reader


class Work:
    """Threads for calls and threads for streams, so that answers do not block searches."""

    def __init__(self, *, threads: int, waiting: int, streams: int) -> None:
        self._calls = ThreadPoolExecutor(threads, thread_name_prefix="call")
        self._streams = ThreadPoolExecutor(streams, thread_name_prefix="stream")
        self._most_calls = threads + waiting
        self._most_streams = streams
        self.calls = 0  # under way or waiting
        self.streaming = 0
        self.closing = False

    async def run(self, act: Callable[[], T]) -> T:
        """The result of `act`, called in a thread. Raises Problem (429, 503)."""
        self._admit(self.calls, self._most_calls, "requests")
        self.calls += 1
        future = self._calls.submit(act)
        future.add_done_callback(self._call_over(asyncio.get_running_loop()))
        return await asyncio.wrap_future(future)

    @contextlib.asynccontextmanager
    async def stream(self, make: Callable[[], Iterator[T]]) -> AsyncIterator[AsyncIterator[T]]:
        """The items of the iterator that `make` returns; both run in one thread."""
        self._admit(self.streaming, self._most_streams, "answers")
        self.streaming += 1
        pump = _Pump(make, asyncio.get_running_loop(), self._stream_over)
        self._streams.submit(pump.run)
        try:
            yield pump.items()
        finally:
            pump.stop()

    def close(self) -> None:
        """Refuse new work; what runs ends by itself."""
        self.closing = True
        self._calls.shutdown(wait=False, cancel_futures=True)
        self._streams.shutdown(wait=False, cancel_futures=True)

    def _admit(self, busy: int, most: int, noun: str) -> None:
        if self.closing:
            raise Problem(503, "stopping", "The server is stopping.", retry_after_s=5)
        if busy >= most:
            raise Problem(
                429, "busy", f"{busy} {noun} are under way, which is all the server takes.",
                remedy="Try again in a moment.", retry_after_s=1,
            )  # fmt: skip

    def _call_over(
        self, loop: asyncio.AbstractEventLoop
    ) -> Callable[[concurrent.futures.Future[T]], None]:
        def over(_: concurrent.futures.Future[T]) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended: nobody counts any more
                loop.call_soon_threadsafe(self._count_call)

        return over

    def _count_call(self) -> None:
        self.calls -= 1

    def _stream_over(self) -> None:
        self.streaming -= 1


class _Pump(Generic[T]):
    """Carries the items of a synchronous iterator from its thread to the event loop."""

    def __init__(
        self,
        make: Callable[[], Iterator[T]],
        loop: asyncio.AbstractEventLoop,
        over: Callable[[], None],
    ) -> None:
        self._make = make
        self._loop = loop
        self._over = over
        self._queue: asyncio.Queue[tuple[T | None, BaseException | None, bool]] = asyncio.Queue()
        self._room = threading.Semaphore(_AHEAD)
        self._stopped = threading.Event()

    def run(self) -> None:
        """In the thread: iterate until the end, an error, or `stop`."""
        failure: BaseException | None = None
        try:
            iterator = self._make()
            try:
                for item in iterator:
                    self._put(item, None, end=False)
                    self._room.acquire()
                    if self._stopped.is_set():
                        break
            finally:
                close = getattr(iterator, "close", None)
                if close is not None:
                    close()
        except BaseException as error:  # carried to the loop, where it is raised
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._put(None, failure, end=True)
            self._loop.call_soon_threadsafe(self._over)

    def stop(self) -> None:
        """From the loop: the thread ends with the next item."""
        self._stopped.set()
        self._room.release()

    async def items(self) -> AsyncIterator[T]:
        """On the loop: the items in order; raises what the iterator raised."""
        while True:
            item, failure, end = await self._queue.get()
            if failure is not None:
                raise failure
            if end:
                return
            self._room.release()
            yield item  # type: ignore[misc]

    def _put(self, item: T | None, failure: BaseException | None, *, end: bool) -> None:
        put = functools.partial(self._queue.put_nowait, (item, failure, end))
        self._loop.call_soon_threadsafe(put)
