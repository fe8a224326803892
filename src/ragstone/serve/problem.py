"""What a client is told when a request fails: one form for every path.

Law: `{"error": {"code", "type", "message", "remedy", "param", "request_id"}}` with a status that
means what HTTP says; never a stack, a path of the machine beyond what the client sent, or a
secret. The keys are a superset of what OpenAI's clients read.
"""

from __future__ import annotations

import math

from starlette.responses import JSONResponse, Response

from ragstone.errors import CorpusError, DocumentError, RagstoneError, RemoteError, UsageError


class Problem(Exception):  # noqa: N818 - as in RFC 9457, problem details
    """A request that ends with `status`; the message says what happened and what to do."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        remedy: str = "",
        param: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.remedy = remedy
        self.param = param
        self.retry_after_s = retry_after_s

    def response(self, request_id: str) -> Response:
        """The reply. `Retry-After` is in whole seconds (RFC 9110, section 10.2.3)."""
        headers = {}
        if self.retry_after_s is not None:
            headers["Retry-After"] = str(max(1, math.ceil(self.retry_after_s)))
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return JSONResponse(self.content(request_id), status_code=self.status, headers=headers)

    def content(self, request_id: str) -> dict[str, dict[str, str | None]]:
        """The body of the reply."""
        kind = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
        fallback = "invalid_request_error" if self.status < 500 else "server_error"
        return {
            "error": {
                "code": self.code,
                "type": kind.get(self.status, fallback),
                "message": f"{self.message} {self.remedy}".strip(),
                "remedy": self.remedy,
                "param": self.param,
                "request_id": request_id,
            }
        }


def from_error(error: RagstoneError, *, filtered: bool = False) -> Problem:
    """The problem that an error of the package is to a client.

    A caller with a filter is not told names of fields, parts of his filter, or near matches.
    """
    if filtered and isinstance(error, UsageError):
        return Problem(
            400, "bad_request", "This cannot be asked of the documents that this key may see.",
            remedy="A filter may name only fields that they have.",
        )  # fmt: skip
    if isinstance(error, UsageError):
        return Problem(400, "bad_request", error.what, remedy=error.remedy)
    if isinstance(error, DocumentError):
        return Problem(422, "unreadable", error.what, remedy=error.remedy)
    if isinstance(error, RemoteError):
        retry = 5.0 if error.retryable else None
        return Problem(502, "model_endpoint", error.what, remedy=error.remedy, retry_after_s=retry)
    if isinstance(error, CorpusError):
        return Problem(503, "corpus_unavailable", error.what, remedy=error.remedy, retry_after_s=2)
    return Problem(503, "model_unavailable", error.what, remedy=error.remedy)
