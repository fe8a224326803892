"""A document by what a person calls it: id, source, or a unique ending of a source."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import cast

from ragstone.corpus import rows as row
from ragstone.corpus.truth import Truth, visible
from ragstone.errors import UsageError
from ragstone.types import DocumentInfo

Condition = tuple[str, Sequence[str | int | float]]  # over `documents`, with its parameters
_NEAR = 20_000  # names compared to find what was meant


_EVERY: Condition = ("1", ())


def find(truth: Truth, version: int, name: str, passing: Condition = _EVERY) -> DocumentInfo:
    """The document that `name` means, of those that are `passing`.

    Raises UsageError, with near matches among these.
    """
    sql, parameters = passing
    select = f"SELECT {row.DOCUMENT_COLUMNS} FROM documents WHERE {visible(version)} AND {sql} AND "
    for condition in ("documents.id = ?", "documents.source = ?"):
        found = truth.all(select + condition + " LIMIT 2", (*parameters, name))
        if len(found) == 1:
            return row.document_info(cast("row.DocumentRow", found[0]))
    ending = name.replace("\\", "/").removeprefix("./")
    found = truth.all(
        # A corpus may have been made where paths have backslashes.
        select + "substr(replace(documents.source, '\\', '/'), -length(?)) = ? "
        "ORDER BY documents.source LIMIT 20",
        (*parameters, ending, ending),
    )
    whole = [item for item in found if _ends_whole(str(item[2]), ending)]
    found = whole or found
    if len(found) == 1:
        return row.document_info(cast("row.DocumentRow", found[0]))
    if found and ending:
        names = ", ".join(repr(item[2]) for item in found[:5])
        raise UsageError(
            f"{name!r} fits several documents: {names}.", remedy="Give more of the path."
        )
    raise unknown(truth, version, name, passing)


def _ends_whole(source: str, ending: str) -> bool:
    """Whether the ending begins where a part of the source's path does."""
    return len(source) == len(ending) or source[-len(ending) - 1] in "/\\#"


def unknown(truth: Truth, version: int, name: str, passing: Condition = _EVERY) -> UsageError:
    """The error for a name that no document of the version, or none that is `passing`, has."""
    sql, parameters = passing
    names = [
        str(item)
        for pair in truth.all(
            f"SELECT id, source FROM documents WHERE {visible(version)} AND {sql} LIMIT {_NEAR}",
            parameters,
        )
        for item in pair
    ]
    last = {n.rsplit("/", 1)[-1] for n in names}
    near = difflib.get_close_matches(name.rsplit("/", 1)[-1], last, n=3)
    whole = [n for n in names if n.rsplit("/", 1)[-1] in near]
    whole.sort(key=lambda n: -difflib.SequenceMatcher(None, name, n).ratio())
    guess = f" Near: {', '.join(whole[:3])}." if near else ""
    return UsageError(
        f"Version {version} of the corpus holds no document {name!r}.{guess}",
        remedy="`ragstone list` shows what it holds.",
    )
