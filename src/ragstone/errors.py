"""Everything that can go wrong, as one tree two levels deep.

    RagstoneError
    ├── UsageError          wrong words from the user: an option, a setting, a filter expression
    ├── DocumentError       a source that cannot be read (and the run goes on without it)
    ├── CorpusError         the corpus on disk: missing, locked, damaged, of another version
    ├── ModelError          weights or runtimes: missing, of the wrong shape, failing
    └── RemoteError         an endpoint: refused, timed out, wrong key, too many requests

A message has three parts: what happened, the offending value, what to do. Abstention is a
value (`types.Abstention`), not an error.
"""

from __future__ import annotations


class RagstoneError(Exception):
    """Base of all errors that this package raises on purpose."""

    def __init__(self, what: str, *, remedy: str = "") -> None:
        super().__init__(f"{what} {remedy}".strip())
        self.what = what
        self.remedy = remedy


class UsageError(RagstoneError):
    """The call cannot mean anything: an unknown option, setting, name or expression."""


class DocumentError(RagstoneError):
    """One source cannot be read. It is reported, and the run goes on."""


class CorpusError(RagstoneError):
    """The corpus on disk cannot be opened, written or trusted."""


class ModelError(RagstoneError):
    """A model's files or its runtime are missing or do not fit."""


class RemoteError(RagstoneError):
    """A language model endpoint refused, failed or did not answer in time."""

    def __init__(self, what: str, *, remedy: str = "", retryable: bool = False) -> None:
        super().__init__(what, remedy=remedy)
        self.retryable = retryable
