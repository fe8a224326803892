"""What every `protocols.Encoder` must do, as plain functions that raise AssertionError."""

from __future__ import annotations

import numpy as np

from ragstone.protocols import Encoder

TEXTS = (
    "A cat sat on the mat.",
    "Interest rates rose by a quarter of a percent.",
    "",
    "größer als 100 % – 東京の天気",
    "word " * 2000,
    "\N{GRINNING FACE} e\u0301 \u200b",
)


def check_encoder(encoder: Encoder) -> None:
    """All laws in turn; the encoder stays open."""
    describes_itself(encoder)
    gives_unit_vectors(encoder)
    is_independent_of_the_batch(encoder)
    is_nearer_to_the_same_words(encoder)
    token_spans_slice_the_text(encoder)


def describes_itself(encoder: Encoder) -> None:
    """A name and an identity, stable; a positive size and window."""
    assert encoder.name
    assert encoder.identity
    assert encoder.identity == encoder.identity
    assert encoder.dim > 0
    assert encoder.max_tokens > 0


def gives_unit_vectors(encoder: Encoder) -> None:
    """Shape (n, dim), float32, finite, of length 1; also for no texts and for empty ones."""
    for encode in (encoder.encode_passages, encoder.encode_queries):
        vectors = encode(TEXTS)
        assert vectors.shape == (len(TEXTS), encoder.dim), vectors.shape
        assert vectors.dtype == np.float32, vectors.dtype
        assert np.isfinite(vectors).all()
        norms = np.linalg.norm(vectors, axis=1)
        assert np.allclose(norms, 1.0, atol=1e-3), norms
        assert encode(()).shape == (0, encoder.dim)


def is_independent_of_the_batch(encoder: Encoder, *, tolerance: float = 0.02) -> None:
    """A text's vector hardly depends on its neighbours (quantised models: `tolerance`)."""
    together = encoder.encode_passages(TEXTS)
    for at, text in enumerate(TEXTS):
        alone = encoder.encode_passages((text,))[0]
        assert float(together[at] @ alone) > 1.0 - tolerance, text[:40]


def is_nearer_to_the_same_words(encoder: Encoder) -> None:
    """A question is nearer to the passage that answers it than to another."""
    question = encoder.encode_queries(("Where did the cat sit?",))[0]
    cat, rates = encoder.encode_passages(TEXTS[:2])
    assert float(question @ cat) > float(question @ rates)


def token_spans_slice_the_text(encoder: Encoder) -> None:
    """Token spans are in order, within the text, do not overlap, and are not cut off."""
    for text in TEXTS:
        spans = encoder.token_spans(text)
        end = 0
        for span in spans:
            assert end <= span.start <= span.end <= len(text), (text[:40], span)
            end = span.end
    assert len(encoder.token_spans(TEXTS[4])) >= 2000
