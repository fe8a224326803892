"""`rm`: take single documents out of the corpus, as one version."""

from __future__ import annotations

from collections.abc import Sequence

from ragstone.corpus import Batch, Store


def remove(store: Store, document_ids: Sequence[str], *, note: str = "rm") -> int:
    """Remove documents by id; gives the new version. Their files stay, and the next `sync` of them
    reads them again. Raises UsageError for an unknown id: then nothing is removed.
    """
    with store.writer() as writer:
        with store.snapshot() as snapshot:
            infos = [snapshot.find(document_id) for document_id in document_ids]
        ids = [info.id for info in infos]
        origins = writer.ledger.origins(ids)
        writer.commit(Batch(removes=ids, forgotten=sorted(set(origins.values()))))
        return writer.publish(note=note)
