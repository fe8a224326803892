"""What every `protocols.Reader` must do, as plain functions that raise AssertionError.

def test_my_reader():
    check_reader(MyReader(...))
"""

from __future__ import annotations

import numpy as np

from ragstone.protocols import Reader

TEXTS = (
    "The Corrin bridge was opened in 1931 by Ada Brun.",
    "Ça coûte 5 €, 漢字は難しい, and \U0001f600 is no word.",
    "",
    "x",
    "Rain fell on the old town. " * 40,
)
QUESTION = "When was the Corrin bridge opened?"


def check_reader(reader: Reader) -> None:
    """Readings in order, distributions over slices of the text, independent of their company."""
    titles = ["Corrin", "", "Nothing", "", "Weather"]
    together = reader.read(QUESTION, TEXTS, titles=titles)
    assert len(together) == len(TEXTS)
    for text, title, reading in zip(TEXTS, titles, together, strict=True):
        places = reading.places
        assert places.shape == (len(reading.starts), 2)
        assert reading.starts.shape == reading.ends.shape
        assert all(0 <= start < end <= len(text) for start, end in places.tolist())
        assert (np.diff(places[:, 0]) >= 0).all()
        for logs in (reading.starts, reading.ends):
            assert (logs <= 1e-9).all()
            assert np.exp(logs).sum() <= 1 + 1e-6
        assert reading.none <= 1e-9
        assert np.isfinite([reading.none, reading.answers]).all()
        (alone,) = reader.read(QUESTION, [text], titles=[title])
        assert np.allclose(alone.starts, reading.starts, atol=2e-2)
        assert np.allclose(alone.answers, reading.answers, atol=2e-2)
    assert reader.read(QUESTION, [], titles=[]) == []
