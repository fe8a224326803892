"""What a caller keeps beside a corpus: his conversations and manuscripts, nobody else's.

Law: each key has a folder of its own, named by the key and its filter; a server without keys uses
the corpus's own folder, so that the command line reads and goes on with the same conversations.
What was kept is shown, and remembered, only while its documents may be seen (`Shelf.hidden`): what
quotes one that is hidden by now is withheld.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from ragstone.serve.keys import Caller
from ragstone.types import Citation, Claim

if TYPE_CHECKING:
    from ragstone.serve.library import Shelf


def folder_of(shelf: Shelf, caller: Caller) -> Path:
    """The folder for what this caller keeps; it need not exist yet."""
    if not caller.key_id:
        return shelf.folder
    bound = hashlib.sha256(caller.where.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return shelf.folder / "callers" / f"{caller.key_id}-{bound}"


def documents_of(claims: Collection[Claim], citations: Collection[Citation]) -> set[str]:
    """The documents that claims and citations quote."""
    named = {citation.document_id for citation in citations}
    return named | {citation.document_id for claim in claims for citation in claim.citations}
