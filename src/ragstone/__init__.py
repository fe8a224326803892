"""Answers from your own documents: cites what it can prove, says when it cannot.

    import ragstone

    with ragstone.open("my-corpus") as corpus:
        corpus.sync("papers/")
        answer = corpus.ask("When was the lamp first lit?")
        print(answer.text, answer.citations)

Names are loaded when they are first used, so that `import ragstone` costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ragstone.applications.writing.manuscript import Manuscript
    from ragstone.build import Corpus, open  # noqa: A004
    from ragstone.errors import (
        CorpusError,
        DocumentError,
        ModelError,
        RagstoneError,
        RemoteError,
        UsageError,
    )
    from ragstone.settings import Settings
    from ragstone.trace import Trace
    from ragstone.types import (
        Abstention,
        Answer,
        Citation,
        Claim,
        Document,
        DocumentInfo,
        Evidence,
        Hit,
        Message,
        Passage,
        Span,
    )

_HOMES = {
    "ragstone.applications.writing.manuscript": ("Manuscript",),
    "ragstone.build": ("Corpus", "open"),
    "ragstone.errors": (
        "CorpusError",
        "DocumentError",
        "ModelError",
        "RagstoneError",
        "RemoteError",
        "UsageError",
    ),
    "ragstone.settings": ("Settings",),
    "ragstone.trace": ("Trace",),
    "ragstone.types": (
        "Abstention",
        "Answer",
        "Citation",
        "Claim",
        "Document",
        "DocumentInfo",
        "Evidence",
        "Hit",
        "Message",
        "Passage",
        "Span",
    ),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Abstention",
    "Answer",
    "Citation",
    "Claim",
    "Corpus",
    "CorpusError",
    "Document",
    "DocumentError",
    "DocumentInfo",
    "Evidence",
    "Hit",
    "Manuscript",
    "Message",
    "ModelError",
    "Passage",
    "RagstoneError",
    "RemoteError",
    "Settings",
    "Span",
    "Trace",
    "UsageError",
    "open",
]


def __getattr__(name: str) -> object:
    if name in _HOME_OF:
        return getattr(importlib.import_module(_HOME_OF[name]), name)
    raise AttributeError(f"module 'ragstone' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
