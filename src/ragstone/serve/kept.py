"""What a caller keeps beside a corpus: his conversations and manuscripts, nobody else's.

Law: each key has a folder of its own, named by the key and its filter; a server without keys uses
the corpus's own folder, so that the command line reads and goes on with the same conversations.
What was kept is shown, and remembered, only while its documents may be seen: one that exists and
that the caller may not see now is withheld with all that quotes it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from ragstone.corpus.where import parse_where
from ragstone.serve.keys import Caller
from ragstone.types import Citation, Claim

if TYPE_CHECKING:
    from ragstone.serve.library import Shelf

_AT_ONCE = 50  # ids in one filter expression


def folder_of(shelf: Shelf, caller: Caller) -> Path:
    """The folder for what this caller keeps; it need not exist yet."""
    if not caller.key_id:
        return shelf.folder
    bound = hashlib.sha256(caller.where.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return shelf.folder / "callers" / f"{caller.key_id}-{bound}"


def hidden(shelf: Shelf, caller: Caller, ids: Collection[str]) -> frozenset[str]:
    """Those of the documents that exist now and that this caller may not see."""
    if not caller.where or not ids:
        return frozenset()
    found: set[str] = set()
    wanted = sorted(set(ids))
    with shelf.corpus.store.snapshot() as snapshot:
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            listed = ", ".join("'" + id_.replace("'", "''") + "'" for id_ in some)
            named = f"id IN ({listed})"
            visible = shelf.visible(caller, named)
            there = {info.id for info in snapshot.documents(parse_where(named))}
            if visible is not None:
                there -= {info.id for info in snapshot.documents(parse_where(visible))}
            found |= there
    return frozenset(found)


def documents_of(claims: Collection[Claim], citations: Collection[Citation]) -> set[str]:
    """The documents that claims and citations quote."""
    named = {citation.document_id for citation in citations}
    return named | {citation.document_id for claim in claims for citation in claim.citations}
