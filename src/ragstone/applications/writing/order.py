"""The order in which a reader meets documents: numbered files by their number.

Pure. "ch04-01-what-is-ownership.md" comes after "ch04-00-understanding-ownership.md", and minutes
that begin with their date in the order of time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_NUMBERED = re.compile(
    r"^(?:chapter|chap|ch|part|section|sec|unit|lesson|module|step|appendix|no)?[-_. ]?"
    r"(?P<numbers>\d{1,8}(?:[-_.]\d{1,4})*)(?=[-_. ]|$)",
    re.IGNORECASE,
)


def number_of(source: str) -> tuple[int, ...]:
    """The numbers that a file's name begins with, () for none."""
    stem = source.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    match = _NUMBERED.match(stem)
    return tuple(map(int, re.findall(r"\d+", match["numbers"]))) if match else ()


def are_numbered(sources: Sequence[str]) -> bool:
    """Whether several files are all numbered, and so meant to be read in that order."""
    return len(set(sources)) > 1 and all(map(number_of, sources))
