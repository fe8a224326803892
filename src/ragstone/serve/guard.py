"""What every request passes before anything is done for it, and every reply on its way out.

In this order: a request id; the Host it names (DNS rebinding); where a browser says it comes
from (cross-site requests); the key; the rate; the size and pace of its body. On the way out:
headers that keep a browser from doing more than the page needs, one log line, the counts.

Law: a reply never echoes what a client sent in a header other than a request id of the strict
pattern; an unexpected error is a 500 with the id and nothing else.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ragstone.errors import RagstoneError
from ragstone.serve import log
from ragstone.serve.keys import LOCAL, Caller, Keys
from ragstone.serve.limits import Rate
from ragstone.serve.metrics import Metrics
from ragstone.serve.options import Options
from ragstone.serve.problem import Problem, from_error

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
_HEADERS = [
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
]
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
_OPEN_PATHS = ("/health", "/ready")  # for those who watch the server: no content, no key
_KEYED = ("/api/", "/v1/", "/mcp", "/metrics", "/openapi.json")
_FAILED_KEYS_PER_MINUTE = 60
_MOST_HEAD_BYTES = 64 << 10


class Guard:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, *, options: Options, keys: Keys, metrics: Metrics) -> None:
        self._app = app
        self._options = options
        self._keys = keys
        self._metrics = metrics
        self._rate = Rate(options.requests_per_minute)
        self._failed = Rate(_FAILED_KEYS_PER_MINUTE)
        self._hosts = frozenset(
            name.lower() for name in (*_LOOPBACK_NAMES, options.host, *options.allowed_hosts)
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        visit = _Visit(scope, send)
        started = time.perf_counter()
        try:
            scope["state"] = {**scope.get("state", {}), "request_id": visit.request_id}
            _check_head(scope)
            self._check_host(scope)
            self._check_origin(scope)
            scope["state"]["caller"] = self._caller(scope)
            body = _Body(receive, self._options, scope)
            await self._app(scope, body.receive, visit.send)
        except Problem as problem:
            await visit.fail(problem)
        except RagstoneError as error:
            caller = scope["state"].get("caller")
            await visit.fail(from_error(error, filtered=caller is not None and bool(caller.where)))
        except asyncio.CancelledError:
            raise
        except Exception as error:  # the last line of defence: said without its content
            log.failed("unexpected error", error, request_id=visit.request_id)
            await visit.fail(Problem(500, "internal", "The server failed.", remedy="See its log."))
        finally:
            self._note(scope, visit, time.perf_counter() - started)

    def _check_host(self, scope: Scope) -> None:
        given = _header(scope, b"host")
        name = given.rsplit(":", 1)[0] if re.search(r":\d*$", given) else given
        if name.lower() not in self._hosts:
            raise Problem(
                421, "unknown_host", "The server does not answer to the host this request names.",
                remedy="Add the name to `allowed_hosts`, or use the address it listens on.",
            )  # fmt: skip

    def _check_origin(self, scope: Scope) -> None:
        """A page of another site may link here, but not make a browser send requests here."""
        origin = _header(scope, b"origin")
        site = _header(scope, b"sec-fetch-site")
        mode = _header(scope, b"sec-fetch-mode")
        foreign = origin not in ("",) and urlsplit(origin).netloc != _header(scope, b"host")
        crossing = site in ("cross-site", "same-site") and mode != "navigate"
        reading = scope["method"] in ("GET", "HEAD") and not scope["path"].startswith(_KEYED)
        if foreign or (crossing and not reading):
            raise Problem(
                403, "cross_site", "Requests from pages of other sites are refused.",
                remedy="Call the server from a program, or from its own page.",
            )  # fmt: skip

    def _caller(self, scope: Scope) -> Caller | None:
        path = scope["path"]
        if path in _OPEN_PATHS or not path.startswith(_KEYED):
            return None
        address = scope["client"][0] if scope.get("client") else "local"
        if not self._keys.needed and self._options.loopback:
            self._throttle(self._rate, address)
            return LOCAL
        presented = _presented(scope)
        caller = self._keys.find(presented) if presented else None
        if caller is None:
            self._throttle(self._failed, address)
            raise Problem(
                401, "unknown_key", "This needs a key that the server knows.",
                remedy="Send `Authorization: Bearer rsk_...`.",
            )  # fmt: skip
        self._throttle(self._rate, caller.key_id)
        return caller

    def _throttle(self, rate: Rate, name: str) -> None:
        wait_s = rate.take(name)
        if wait_s:
            raise Problem(
                429, "rate", "Too many requests.",
                remedy=f"Wait {wait_s:.0f} s.", retry_after_s=wait_s,
            )  # fmt: skip

    def _note(self, scope: Scope, visit: _Visit, seconds: float) -> None:
        route = str(scope.get("state", {}).get("route", "other"))
        method = scope["method"] if scope["method"] in _METHODS else "other"
        labels = {"route": route, "method": method}
        status = str(visit.status or 499)  # 499: the client left before a reply
        self._metrics.count(
            "ragstone_requests_total", "Requests by route and status.", {**labels, "status": status}
        )
        self._metrics.observe(
            "ragstone_request_seconds", "Time from a request to the end of its reply.", labels,
            seconds,
        )  # fmt: skip
        caller = scope.get("state", {}).get("caller")
        log.write(
            "request", request_id=visit.request_id, method=method, route=route, status=int(status),
            ms=round(seconds * 1000.0, 1), key=caller.key_id if caller else None,
        )  # fmt: skip


_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")


def _check_head(scope: Scope) -> None:
    """uvicorn bounds a head that is not complete; this bounds one that came at once."""
    size = len(scope.get("raw_path", b"")) + len(scope["query_string"])
    size += sum(len(name) + len(value) for name, value in scope["headers"])
    if size > _MOST_HEAD_BYTES:
        raise Problem(
            431, "large_head", f"The address and headers have {size} bytes.",
            remedy=f"Send at most {_MOST_HEAD_BYTES}.",
        )  # fmt: skip


class _Visit:
    """One request and its reply: the id, the status sent, the headers added."""

    def __init__(self, scope: Scope, send: Send) -> None:
        given = _header(scope, b"x-request-id")
        self.request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        self.status = 0
        self._scope = scope
        self._send = send

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            own = [(b"x-request-id", self.request_id.encode()), *_HEADERS]
            if self._scope["path"].startswith(_KEYED) or self._scope["path"] in _OPEN_PATHS:
                own.append((b"cache-control", b"no-store"))
            names = {name for name, _ in own}
            kept = [pair for pair in message.get("headers", []) if pair[0].lower() not in names]
            message = {**message, "headers": [*kept, *own]}
        await self._send(message)

    async def fail(self, problem: Problem) -> None:
        """The reply for a problem, unless a reply has begun: then it just ends."""
        if self.status:
            return  # a reply has begun: uvicorn closes the connection in its midst
        response = problem.response(self.request_id)
        if problem.status in (408, 413):
            response.headers["Connection"] = "close"
        await response(self._scope, _nothing, self.send)


class _Body:
    """A request's body with a limit on its size and on the time between its pieces."""

    def __init__(self, receive: Receive, options: Options, scope: Scope) -> None:
        self._receive = receive
        upload = scope["method"] == "PUT" and "/files/" in scope["path"]
        self._most = options.max_upload_mb << 20 if upload else options.max_body_kb << 10
        self._timeout_s = options.body_timeout_s
        self._deadline = None if upload else time.monotonic() + options.body_timeout_s
        self._taken = 0
        self._over = False
        length = _header(scope, b"content-length")
        if length.isdigit() and int(length) > self._most:
            raise self._too_large()

    async def receive(self) -> Message:
        if self._over:  # the body is in: what comes next is the client's leaving
            return await self._receive()
        wait_s = self._timeout_s
        if self._deadline is not None:
            wait_s = max(0.01, min(wait_s, self._deadline - time.monotonic()))
        try:
            message = await asyncio.wait_for(self._receive(), wait_s)
        except TimeoutError:
            raise Problem(
                408, "slow_body", f"The body did not arrive within {self._timeout_s:g} s.",
                remedy="Send it faster, or raise `body_timeout_s`.",
            ) from None  # fmt: skip
        if message["type"] == "http.request":
            self._taken += len(message.get("body", b""))
            self._over = not message.get("more_body", False)
            if self._taken > self._most:
                raise self._too_large()
        return message

    def _too_large(self) -> Problem:
        return Problem(
            413, "too_large", f"The body is larger than {self._most >> 10} KiB.",
            remedy="Send less, or raise `max_body_kb` or `max_upload_mb`.",
        )  # fmt: skip


def _header(scope: Scope, name: bytes) -> str:
    values = [value for key, value in scope["headers"] if key == name]
    return values[0].decode("latin-1") if len(values) == 1 else ("" if not values else "\x00")


def _presented(scope: Scope) -> str:
    scheme, _, token = _header(scope, b"authorization").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return _header(scope, b"x-api-key")


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


def refuse_unsafe(options: Options, keys: Keys, names: Sequence[str]) -> str:
    """Why the server must not start with these options; empty where it may."""
    if not options.loopback and not len(keys):
        return (
            f"Listening on {options.host} lets other machines read {', '.join(names)}, and there "
            f"is no key in {keys.path}."
        )
    return ""
