"""One JSON request to an endpoint and its answer, for encoders and rerankers behind HTTP.

Law: what goes wrong is a RemoteError that names the address, what was said, and what to do; only
what may pass (no answer, 408, 429, 5xx) is marked as worth another try. Standard library only.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping

from ragstone.errors import RemoteError, UsageError
from ragstone.models.faults import Retries

_REPLY_BYTES = 64 << 20
_PASSING = (408, 425, 429)


def check_address(url: str, what: str, example: str) -> str:
    """`url` without a slash at its end. Raises UsageError where it is no http(s) address."""
    if not url.startswith(("http://", "https://")):
        raise UsageError(
            f"The {what} endpoint {url!r} is no http(s) address.",
            remedy=f"Give its full address, such as {example}.",
        )
    return url.rstrip("/")


def post_json(
    url: str,
    body: Mapping[str, object],
    *,
    key: str = "",
    timeout_s: float = 30.0,
    retries: Retries | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Mapping[str, object]:
    """POST `body` and give the object that comes back. Raises RemoteError.

    Without `retries` there is one attempt. `key` is sent as a bearer token and is in no error.
    """
    tried = 0
    while True:
        try:
            return _once(url, body, key, timeout_s)
        except RemoteError as error:
            if retries is None or not error.retryable:
                raise
            wait_s = retries.wait_s(tried, None)
            if wait_s is None:
                raise
        sleep(wait_s)
        tried += 1


def _once(url: str, body: Mapping[str, object], key: str, timeout_s: float) -> Mapping[str, object]:
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    request = urllib.request.Request(url, json.dumps(body).encode(), headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as response:
            reply = json.loads(response.read(_REPLY_BYTES))
    except urllib.error.HTTPError as error:
        with error:
            said = error.read(300).decode("utf-8", "replace").strip()
        raise RemoteError(
            f"{url} answered with HTTP {error.code}: {said or error.reason}.",
            remedy=_remedy(error.code),
            retryable=error.code in _PASSING or error.code >= 500,
        ) from error
    except (OSError, ValueError) as error:
        raise RemoteError(
            f"{url} did not answer: {error}.",
            remedy="Is the server running there? Without it, ragstone works offline.",
            retryable=True,
        ) from error
    if not isinstance(reply, dict):
        raise RemoteError(
            f"{url} answered with {type(reply).__name__}, not an object.",
            remedy="See what the endpoint logs.",
        )
    return reply


def _remedy(code: int) -> str:
    if code in (401, 403):
        return "Check the key."
    if code == 404:
        return "Check the address and the model's name."
    return "See what it says."
