"""The public contract suites hold for what ships, and can fail."""

import hashlib

import numpy as np
import pytest

from ragstone.corpus import Batch, Prepared, Store, fingerprint, parse_where
from ragstone.testing.contracts.encoder import check_encoder
from ragstone.testing.contracts.snapshot import DOCUMENTS, check_snapshot
from ragstone.testing.hashing import HashingEncoder
from ragstone.testing.reading import chunk_paragraphs


def test_the_hashing_encoder_is_an_encoder():
    check_encoder(HashingEncoder(256, max_tokens=4000))


def test_the_suite_notices_an_encoder_that_is_none():
    class Wrong(HashingEncoder):
        def encode_passages(self, texts):
            return super().encode_passages(texts) * np.float32(2)

    with pytest.raises(AssertionError):
        check_encoder(Wrong())


@pytest.mark.parametrize("batches", [1, 3])
def test_a_corpus_gives_snapshots(tmp_path, batches):
    encoder = HashingEncoder(256)
    with Store.open(
        tmp_path / "c", encoder_identity=encoder.identity, dim=encoder.dim, create=True
    ) as store:
        with store.writer() as writer:
            for part in range(batches):
                batch = Batch()
                for document in DOCUMENTS[part::batches]:
                    passages = tuple(chunk_paragraphs(document))
                    hashes = []
                    for passage in passages:
                        hashes.append(hashlib.sha256(passage.text.encode()).digest()[:16])
                        batch.vectors[hashes[-1]] = encoder.encode_passages([passage.text])[0]
                    batch.puts.append(
                        Prepared(document, document.source, passages, tuple(hashes),
                                 fingerprint(document, document.source, ""))
                    )  # fmt: skip
                writer.commit(batch)
            writer.publish()
        with store.snapshot() as snapshot:
            check_snapshot(snapshot, encoder, parse_where)
