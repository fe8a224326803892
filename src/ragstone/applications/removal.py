"""Taking single documents out of a corpus. Earlier versions keep them."""

from __future__ import annotations

from collections.abc import Sequence

from ragstone.corpus import Store
from ragstone.corpus.batch import Batch
from ragstone.errors import CorpusError
from ragstone.types import DocumentInfo


def remove(
    store: Store, names: Sequence[str], *, lock_timeout_s: float = 10.0
) -> list[DocumentInfo]:
    """Publish a version without the named documents; gives what was removed.

    Their sources are forgotten, so that a later sync of the same folder reads them again.
    Raises UsageError for a name that fits none or several, before anything is removed.
    """
    with store.writer(timeout_s=lock_timeout_s) as writer:
        with store.snapshot() as snapshot:
            found = {info.id: info for info in map(snapshot.find, names)}
        sources = [info.source for info in found.values()]
        containers = [source.rpartition("#")[0] for source in sources if "#" in source]
        writer.commit(Batch(removes=list(found), forgotten=[*sources, *containers]))
        version = writer.publish(note=f"rm {', '.join(names)}"[:200])
    with store.snapshot(version) as snapshot:
        left = {info.id for info in snapshot.documents()} & set(found)
    if left:
        raise CorpusError(
            f"The documents {', '.join(sorted(left))} are still there after their removal.",
            remedy="Run `ragstone doctor`, and please report this.",
        )
    return list(found.values())
