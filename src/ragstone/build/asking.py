"""What a caller gives in words -> what the rooms below take: question, filter, outline, options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragstone.errors import UsageError

if TYPE_CHECKING:
    from ragstone.applications.ask import AskOptions
    from ragstone.applications.writing.brief import Brief
    from ragstone.applications.writing.manuscript import Outline
    from ragstone.protocols import Filter
    from ragstone.settings import Settings


def question_of(text: str) -> str:
    """The question without blanks around it. Raises UsageError where nothing is left."""
    if not text.strip():
        raise UsageError("The question is empty.", remedy="Put it in quotation marks.")
    return text.strip()


def filter_of(where: str | None) -> Filter | None:
    """The filter of an expression of `--where`. Raises UsageError where it is none."""
    if where is None:
        return None
    from ragstone.corpus.where_parser import parse_where

    return parse_where(where)


def outline_of(text: str | None, brief: Brief) -> Outline | None:
    """A person's outline for the brief, written in Markdown. Raises UsageError where it is none."""
    if text is None:
        return None
    from ragstone.applications.writing.outline import parse

    return parse(text, title=brief.title)


def options_of(settings: Settings, k: int | None) -> AskOptions:
    """How a question is answered by the settings, with `k` hits in place of theirs."""
    from ragstone.applications.ask import AskOptions

    return AskOptions(
        k=k or settings.k,
        caution=settings.caution,
        failed_claims=settings.failed_claims,
        evidence_tokens=settings.evidence_tokens,
        answer_tokens=settings.answer_tokens,
    )
