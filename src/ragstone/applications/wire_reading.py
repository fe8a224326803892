"""The JSON forms read back: citations and claims as `wire` writes them, and the values in them.

Law: reading what was written gives equal nouns. What has another form raises KeyError, TypeError
or ValueError; who reads a whole file says which file, and what to do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast, get_args

from ragstone.types import Citation, Claim, Span, Verdict


def claim_of(row: Mapping[str, object]) -> Claim:
    """A claim from what `wire.claim_json` made of it."""
    return Claim(
        text_of(row["text"]),
        span_of(row),
        verdict_of(row["verdict"]),
        text_of(row["reason"]),
        number_of(row["confidence"]),
        citations_of(row["citations"]),
    )


def citations_of(value: object) -> tuple[Citation, ...]:
    """The citations of a list."""
    return tuple(citation_of(row) for row in objects_of(value))


def citation_of(row: Mapping[str, object]) -> Citation:
    """A citation from what `wire.citation_json` made of it."""
    page = row["page"]
    return Citation(
        text_of(row["document_id"]),
        text_of(row["source"]),
        text_of(row["title"]),
        span_of(row),
        text_of(row["quote"]),
        whole_of(row["version"]),
        None if page is None else whole_of(page),
        tuple(text_of(heading) for heading in list_of(row["heading_path"])),
    )


def span_of(row: Mapping[str, object]) -> Span:
    """The span between a row's `start` and `end`."""
    return Span(whole_of(row["start"]), whole_of(row["end"]))


def verdict_of(value: object) -> Verdict:
    """One of the verdicts. Raises ValueError for another word."""
    if value not in get_args(Verdict):
        raise ValueError(f"a verdict {value!r}")
    return cast("Verdict", value)


def objects_of(value: object) -> Sequence[Mapping[str, object]]:
    """A list of objects."""
    return [object_of(item) for item in list_of(value)]


def list_of(value: object) -> Sequence[object]:
    """A list."""
    if not isinstance(value, list):
        raise TypeError(f"a list is wanted, got {type(value).__name__}")
    return value


def object_of(value: object) -> Mapping[str, object]:
    """An object."""
    if not isinstance(value, dict):
        raise TypeError(f"an object is wanted, got {type(value).__name__}")
    return value


def text_of(value: object) -> str:
    """A text."""
    if not isinstance(value, str):
        raise TypeError(f"a text is wanted, got {value!r}")
    return value


def number_of(value: object) -> float:
    """A number, whole or not."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"a number is wanted, got {value!r}")
    return float(value)


def whole_of(value: object) -> int:
    """A whole number."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"a whole number is wanted, got {value!r}")
    return value
