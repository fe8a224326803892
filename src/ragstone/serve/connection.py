"""uvicorn's connection with one more clock: a request's head must arrive in time.

uvicorn 0.54 limits how long a connection may idle between requests, but not how long a client
may take to send the first line and headers, so a few hundred sockets that send a byte a minute
("slow loris") would hold all file descriptors. The clock starts when a connection opens or a
next request begins and stops when its head is in.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol


class TimedConnection(H11Protocol):
    """An HTTP/1.1 connection whose request heads must arrive within `header_timeout_s`."""

    header_timeout_s = 10.0
    _clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start()

    def data_received(self, data: bytes) -> None:
        if self._clock is None and self._between_requests():
            self._start()
        super().data_received(data)
        if not self._between_requests():
            self._stop()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def _between_requests(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _start(self) -> None:
        self._clock = self.loop.call_later(self.header_timeout_s, self._too_slow)

    def _stop(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _too_slow(self) -> None:
        self._clock = None
        if self._between_requests() and not self.transport.is_closing():
            self.transport.abort()


def timed(header_timeout_s: float) -> type[TimedConnection]:
    """The connection class with this limit, for uvicorn's `http` option."""

    class Connection(TimedConnection):
        pass

    Connection.header_timeout_s = header_timeout_s
    return Connection
