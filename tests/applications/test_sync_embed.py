"""Vectors made beside the reading: in the texts' order, once for each, and stopped when asked."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragstone.applications import sync_embed
from ragstone.applications.sync_embed import Embedding, Underway
from ragstone.testing.hashing import HashingEncoder


class NothingKnown:
    """A ledger of an empty corpus."""

    def embedded(self, hashes):
        return set()


def digests(texts):
    return {text.encode(): text for text in texts}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.text("abc ", max_size=9), max_size=8), max_size=6), st.integers(1, 5))
def test_every_text_gets_its_own_vector_once(groups, call):
    encoder = HashingEncoder(16)
    made = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sync_embed, "CALL_TEXTS", call)
        patch.setattr(sync_embed, "ENCODE_TEXTS", 3)
        embedding = Embedding(encoder, NothingKnown(), on_embedded=made.append)
        underway = Underway()
        for texts in groups:
            embedding.add(underway, digests(texts), elsewhere={b"ab"})
        embedding.finish(underway)
        embedding.close()
    wanted = sorted({text for texts in groups for text in texts} - {"ab"})
    assert sorted(underway.batch.vectors) == [text.encode() for text in wanted]
    assert encoder.encoded == sum(made) == len(wanted)
    for text, vector in zip(wanted, HashingEncoder(16).encode_passages(wanted), strict=True):
        np.testing.assert_array_equal(underway.batch.vectors[text.encode()], vector)


def test_closing_waits_for_one_call_and_not_for_the_rest(monkeypatch):
    monkeypatch.setattr(sync_embed, "CALL_TEXTS", 1)
    begun, go_on = threading.Event(), threading.Event()

    class Slow(HashingEncoder):
        def encode_passages(self, texts):
            begun.set()
            go_on.wait(5)
            return super().encode_passages(texts)

    encoder = Slow(16)
    embedding = Embedding(encoder, NothingKnown(), on_embedded=lambda count: None)
    underway = Underway()
    embedding.add(underway, digests(["a", "b", "c"]), elsewhere=())
    embedding.begin(underway)
    assert begun.wait(5)
    closing = threading.Thread(target=embedding.close)
    closing.start()
    while not embedding._stopped.is_set():
        pass
    go_on.set()
    closing.join(5)
    assert not closing.is_alive()
    assert encoder.encoded == 1
